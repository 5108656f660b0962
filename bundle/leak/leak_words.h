#ifndef BUNDLE_LEAK_LEAK_WORDS_H
#define BUNDLE_LEAK_LEAK_WORDS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Many words looked for at once, without regard to the case of ASCII letters (Aho and Corasick,
 * 1975): the time depends on the text alone.
 */
struct leak_words;

struct leak_words *leak_words_new(void);
void leak_words_free(struct leak_words *w);

/**
 * leak_words_add(w, word, rule):
 * Look for ${word}, which speaks for ${rule}.  Before leak_words_ready() only.
 */
void leak_words_add(struct leak_words *w, const char *word, uint32_t rule);

/**
 * leak_words_ready(w):
 * All are added.
 */
void leak_words_ready(struct leak_words *w);

/**
 * leak_words_find(w, p, n, ret_hit):
 * Set ${ret_hit}[rule] to 1 for each rule of which a word is in ${n} bytes.
 */
void leak_words_find(const struct leak_words *w, const char *p, size_t n, unsigned char *ret_hit);

#endif
