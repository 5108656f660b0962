#ifndef BUNDLE_RELOCATE_RELOCATE_LEX_H
#define BUNDLE_RELOCATE_RELOCATE_LEX_H

#include <stddef.h>
#include <stdint.h>

/*
 * The letters of a text in which paths are moved: JSON, or JSON within JSON to any depth, so that
 * one character may be spelled with many backslashes.
 */

#define LEX_CONTEXT 64 /* bytes before a place that are looked at */

/* What is there of a text: ${n} bytes, with at least LEX_CONTEXT before the place that is asked
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

/**
 * lex_run(w, at):
 * Return how many backslashes there are at ${at}, at most LEX_RUN_MAX.
 */
#define LEX_RUN_MAX 33
size_t lex_run(const struct window *w, size_t at);

/**
 * lex_hex(w, at, ret):
 * Read four hexadecimal digits.  Return 0, or -1.
 */
int lex_hex(const struct window *w, size_t at, uint32_t *ret);

/**
 * lex_escape(w, at, run, ret, ret_end):
 * What do the ${run} backslashes at ${at} and "uXXXX" behind them stand for?  The other half of a
 * surrogate pair is spelled in the same way; ${ret_end} is behind all of it.
 */
enum match lex_escape(const struct window *w, size_t at, size_t run, uint32_t *ret,
                      size_t *ret_end);

/**
 * lex_is_power_of_2(n), lex_is_alnum(c):
 * Return whether ${n} is 1, 2, 4...; whether ${c} is a letter or digit of ASCII.
 */
int lex_is_power_of_2(size_t n);
int lex_is_alnum(uint32_t c);

/**
 * lex_end(w):
 * The window ends here, and with it what could have matched: MATCH_NO if the text does too, else
 * MATCH_MORE.
 */
enum match lex_end(const struct window *w);

#endif
