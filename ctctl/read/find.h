#ifndef CTCTL_READ_FIND_H
#define CTCTL_READ_FIND_H

#include <stddef.h>
#include <stdint.h>

#include "agents/turns.h"
#include "common/base/strlist.h"
#include "ctctl/ui/text.h"

/*
 * Words that are looked for in conversations.  Each word, or phrase, is found wherever its
 * characters stand, letters of ASCII in either case.
 */
struct find;

#define FIND_WORDS_MAX 32

/* What was found in one session. */
struct find_result {
    int has_all;   /* every word stands somewhere */
    int64_t worth; /* of the best turn: how many of the words it has, then who said it */
    char *line;    /* around the words in that turn, of any content */
    enum turn_kind kind;
    char *at; /* RFC 3339, or NULL */
};

/**
 * find_new(words, roles):
 * Look for all ${words}, at most FIND_WORDS_MAX, in turns of the kinds whose bits (1 << kind) are
 * in ${roles}.
 */
struct find *find_new(const struct strlist *words, unsigned roles);
void find_free(struct find *f);

/**
 * find_begin(f), find_turn(arg, t), find_end(f, ret):
 * Begin a session; look at a turn (a turns_f; ${arg} is the struct find); say what was found, which
 * the caller ends with find_clear().
 */
void find_begin(struct find *f);
void find_turn(void *arg, const struct turn *t);
void find_end(struct find *f, struct find_result *ret);
void find_clear(struct find_result *r);

/**
 * find_may_be(arg, p, n):
 * Can the line of a transcript hold a word (for turns_only(); ${arg} is the struct find)?
 */
int find_may_be(void *arg, const char *p, size_t n);

/**
 * find_text(f, text):
 * Return whether all words stand in ${text}.
 */
int find_text(const struct find *f, const char *text);

/**
 * find_show(f, st, b, line):
 * Append the clean ${line} with the words in it in bold.
 */
void find_show(const struct find *f, const struct text_style *st, struct buf *b, const char *line);

#endif
