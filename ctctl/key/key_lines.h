#ifndef CTCTL_KEY_KEY_LINES_H
#define CTCTL_KEY_KEY_LINES_H

#include <stddef.h>

#include "common/base/err.h"
#include "common/config/keyring.h"

/*
 * The recovery text as a person sees it: upper case, sixteen groups of four characters, four in a
 * row.  And back: in lines as they come, one text a line or one text in several.
 */
#define KEY_GROUP 4
#define KEY_TEXT_CHARS 64 /* "ctkey1", 52 for 256 bits, 6 of checksum */

/**
 * key_lines_show(text, indent):
 * Return the rows of ${text} (from key_text()), each with ${indent} before it and a newline; secret
 * memory that the caller frees with secret_free().
 */
char *key_lines_show(const char *text, const char *indent);

/**
 * key_lines_is_last_group(text, typed):
 * Return whether ${typed} is the last group of ${text}, whatever its case, blanks and dashes.
 */
int key_lines_is_last_group(const char *text, const char *typed);

struct key_lines;

/**
 * key_lines_new(), key_lines_free(k):
 * Begin to read; wipe and free, NULL is harmless.
 */
struct key_lines *key_lines_new(void);
void key_lines_free(struct key_lines *k);

/**
 * key_lines_add(k, line, ret, err):
 * Read the next line.  Return 1 if it completes a key, which goes to ${ret}; 0 if there is more to
 * come; -1 with ERR_REFUSED and the numbers of the lines, but nothing of what stands on them, if it
 * can't be: the next line begins anew.
 */
int key_lines_add(struct key_lines *k, const char *line, unsigned char ret[KEY_BYTES],
                  struct ct_err *err);

/**
 * key_lines_end(k, err):
 * That was all.  -1 if the last text is not complete.
 */
int key_lines_end(const struct key_lines *k, struct ct_err *err);

/**
 * key_lines_is_within(k):
 * Return whether a text has begun that is not complete.
 */
int key_lines_is_within(const struct key_lines *k);

#endif
