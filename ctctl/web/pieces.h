#ifndef CTCTL_WEB_PIECES_H
#define CTCTL_WEB_PIECES_H

#include <stdint.h>

#include <json-c/json.h>

#include "common/base/buf.h"
#include "common/base/err.h"

/*
 * A transcript in pieces, so that one of any length opens at once.  A piece is the lines that begin
 * in its PIECES_BYTES of the file: nothing has to be read to find it, and nothing is kept.
 */
#define PIECES_BYTES (128 << 10)
#define PIECES_TEXT (16 << 10)     /* bytes of a turn's text that are told at first */
#define PIECES_WHOLE (1 << 20)     /* ... when all of it is wanted */
#define PIECES_PIXELS (64 << 20)   /* of a PNG; one with more is not shown */
#define PIECES_READ_MAX (65 << 20) /* a line that is longer is none that turns_feed() reads */

/**
 * pieces_tell(agent, fd, piece, turn, ret, err):
 * Return what is in the piece of that number, from 0, of the transcript ${fd}:
 *
 *   {"piece", "size": bytes of the file, "pieces": how many, "unread": lines, "turns": [...]}
 *
 * The turns are as in `ctctl cat --json`; one whose text is cut has "length", in bytes, one with
 * pictures "images", how many.  Nothing of
 * a last line without its newline is told, for it may be being written.  With ${turn}, not -1, only
 * that turn of the piece, from 0, with its text up to PIECES_WHOLE.  The caller puts ${ret}.
 */
struct agent;
int pieces_tell(const struct agent *agent, int fd, int64_t piece, int64_t turn,
                struct json_object **ret, struct ct_err *err);

/**
 * pieces_image(agent, fd, piece, turn, image, ret, ret_type, err):
 * Append the bytes of a picture of that turn to ${ret}, the first one is 0; ${ret_type} is what
 * they are: of PNG, JPEG, GIF and WebP only, and as the bytes say, not the record.  ERR_REFUSED if
 * they are nothing of that.
 */
int pieces_image(const struct agent *agent, int fd, int64_t piece, int64_t turn, int64_t image,
                 struct buf *ret, const char **ret_type, struct ct_err *err);

#endif
