#ifndef BUNDLE_OPEN_RECORDS_H
#define BUNDLE_OPEN_RECORDS_H

#include <stddef.h>

/*
 * A transcript on its way out of a bundle: in which permission mode does it end?
 */
struct records;

#define RECORDS_DEFAULT "default"

/**
 * records_new(session_id):
 * Begin the transcript of that session.
 */
struct records *records_new(const char *session_id);
void records_free(struct records *r);

/**
 * records_feed(r, p, n):
 * The next ${n} bytes.
 */
void records_feed(struct records *r, const char *p, size_t n);

/**
 * records_end(r):
 * That was all of it: a last line without a newline counts too.
 */
void records_end(struct records *r);

/**
 * records_mode(r):
 * Return the last permission mode that a record names, "" if none does; what is no mode if a line
 * came later that is no JSON object.  RECORDS_DEFAULT counts only from a record of type
 * permission-mode with the session's id: {"type":"permission-mode","permissionMode":"default",
 * "sessionId":ID}, as Claude Code 2.1 writes it; any other mode from whatever names it.
 */
const char *records_mode(const struct records *r);

/**
 * records_is_line_open(r):
 * Return whether the last byte was no newline.
 */
int records_is_line_open(const struct records *r);

#endif
