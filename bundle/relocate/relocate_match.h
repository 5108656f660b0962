#ifndef BUNDLE_RELOCATE_RELOCATE_MATCH_H
#define BUNDLE_RELOCATE_RELOCATE_MATCH_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/*
 * Is there a root at this place of a text, and how is the other one written there?  For relocate.c.
 */

#define MATCH_CONTEXT 64 /* bytes before a place that are looked at */

/* A root to be moved. */
struct root {
    char *source;
    uint32_t *chars; /* the same in characters */
    size_t n_chars;
    int is_windows; /* a drive's or a share's */
    int is_share;   /* \\\\server\\share\\... */
    char *target;
};

/* What is there of a text: ${n} bytes, with at least MATCH_CONTEXT before the place that is asked
 * about, if the text has as many. */
struct window {
    const char *p;
    size_t n;
    int is_begin; /* nothing came before */
    int is_end;   /* nothing follows */
};

enum match {
    MATCH_NO,
    MATCH_YES,
    MATCH_MORE, /* that depends on what follows */
};

/* A root that was found, and how it is spelled. */
struct hit {
    const struct root *root;
    size_t start, end;      /* what is to be replaced: a root of POSIX but for its first slash */
    unsigned int slash;     /* backslashes before each slash */
    unsigned int backslash; /* of a Windows separator; 0: none was there */
    unsigned int level;     /* depth of JSON within JSON, 1 or more */
    int is_ascii;           /* other characters are spelled \uXXXX */
    int is_url;             /* of file://, spelled %XX */
    int is_whole;           /* the string begins here */
    char mark;              /* * or _, of Markdown, so many times before it... */
    unsigned int marks;     /* ...and that has to be closed; 0: none */
};

/**
 * match_root(w, at, r, ret):
 * Does ${r} begin at ${at} (its first slash or backslash, or the drive's letter) and end where a
 * name ends?
 */
enum match match_root(const struct window *w, size_t at, const struct root *r, struct hit *ret);

/**
 * match_spell(hit, ret):
 * Append the root's target, spelled as the source was.
 */
void match_spell(const struct hit *hit, struct buf *ret);

/**
 * match_run(w, at):
 * Return how many backslashes there are at ${at}, at most MATCH_RUN_MAX.
 */
#define MATCH_RUN_MAX 33
size_t match_run(const struct window *w, size_t at);

/**
 * match_hex(w, at, ret):
 * Read four hexadecimal digits.  Return 0, or -1.
 */
int match_hex(const struct window *w, size_t at, uint32_t *ret);

/**
 * match_escape(w, at, run, ret, ret_end):
 * What do the ${run} backslashes at ${at} and "uXXXX" behind them stand for?  The other half of a
 * surrogate pair is spelled in the same way; ${ret_end} is behind all of it.
 */
enum match match_escape(const struct window *w, size_t at, size_t run, uint32_t *ret,
                        size_t *ret_end);

/**
 * match_is_power_of_2(n), match_is_alnum(c):
 * Return whether ${n} is 1, 2, 4...; whether ${c} is a letter or digit of ASCII.
 */
int match_is_power_of_2(size_t n);
int match_is_alnum(uint32_t c);

#endif
