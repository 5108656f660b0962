#ifndef COMMON_BASE_STRLIST_H
#define COMMON_BASE_STRLIST_H

#include <stddef.h>

/* A growing list of strings that it owns.  Zeroed is empty; growing never fails. */
struct strlist {
    char **v;
    size_t n;
    size_t cap;
};

/**
 * strlist_add(l, s):
 * Append a copy of ${s}.
 */
void strlist_add(struct strlist *l, const char *s);

/**
 * strlist_add_once(l, s):
 * Append a copy of ${s} unless the list has it.
 */
void strlist_add_once(struct strlist *l, const char *s);

/**
 * strlist_has(l, s):
 * Return whether the list has ${s}.
 */
int strlist_has(const struct strlist *l, const char *s);

/**
 * strlist_copy(to, from):
 * Append copies of all of ${from}.
 */
void strlist_copy(struct strlist *to, const struct strlist *from);

/**
 * strlist_sort(l):
 * Sort by bytes and drop doubles.
 */
void strlist_sort(struct strlist *l);

/**
 * strlist_free(l):
 * Release all of it; the list is empty then.
 */
void strlist_free(struct strlist *l);

#endif
