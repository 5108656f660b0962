#ifndef CTCTL_UI_TEXT_H
#define CTCTL_UI_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/* How text is shown: what the terminal can do, and the clock that "3 min ago" goes by. */
struct text_style {
    int width;       /* columns; 0: no limit (not a terminal) */
    int is_terminal; /* progress and such */
    int has_colour;
    int is_utf8; /* else plain ASCII */
    int64_t now_ms;
};

enum text_colour { TEXT_PLAIN, TEXT_BOLD, TEXT_DIM, TEXT_RED, TEXT_GREEN, TEXT_YELLOW, TEXT_CYAN };

/**
 * text_clean(st, s):
 * Return ${s} (NULL counts as "") fit to be shown: nothing in it moves the cursor, and with a style
 * that is not UTF-8 it is ASCII.  The caller frees it.
 */
char *text_clean(const struct text_style *st, const char *s);

/**
 * text_line(st, s):
 * The same for what belongs on one line, a title: each run of new lines and tabs is one blank.  The
 * caller frees it.
 */
char *text_line(const struct text_style *st, const char *s);

/**
 * text_columns(s):
 * Return how many columns the clean text ${s} takes.
 */
size_t text_columns(const char *s);

/**
 * text_fit(st, s, columns):
 * Return the clean text ${s}, cut to at most ${columns} columns; a cut shows as an ellipsis.  The
 * caller frees it.
 */
char *text_fit(const struct text_style *st, const char *s, size_t columns);

/**
 * text_add(b, st, colour, s):
 * Append ${s} in ${colour}.
 */
void text_add(struct buf *b, const struct text_style *st, enum text_colour colour, const char *s);

/**
 * text_wrap(b, st, colour, first, rest, s):
 * Append the clean text ${s}, broken into lines that fit the width; the first begins with ${first},
 * the others with ${rest}, which are clean too.  Colour is for ${s} alone.
 */
void text_wrap(struct buf *b, const struct text_style *st, enum text_colour colour,
               const char *first, const char *rest, const char *s);

/**
 * text_ago(st, wall_ms, buf, size), text_ago_of(st, rfc3339, buf, size):
 * Write "3 min ago", "just now", "in 2 h" or (for what is no time) "never" into ${buf}; return it.
 */
const char *text_ago(const struct text_style *st, int64_t wall_ms, char *buf, size_t size);
const char *text_ago_of(const struct text_style *st, const char *rfc3339, char *buf, size_t size);

/**
 * text_clock(rfc3339, fmt, buf, size):
 * Write the time as local time in strftime(3)'s ${fmt}, or "-" for what is no time; return ${buf}.
 */
const char *text_clock(const char *rfc3339, const char *fmt, char *buf, size_t size);

/**
 * text_short_id(id, buf):
 * Write the first 8 characters of ${id} (which may be NULL) into ${buf} and return it.
 */
const char *text_short_id(const char *id, char buf[9]);

/**
 * text_count(n, one, many):
 * Return "1 session" or "7 sessions"; the caller frees it.
 */
char *text_count(int64_t n, const char *one, const char *many);

#endif
