#ifndef CTCTL_VERBS_H
#define CTCTL_VERBS_H

#include <stddef.h>

#include "ctctl/ctx/verb.h"

/* All verbs there are. */

/**
 * verbs_find(name):
 * Return the verb ${name}, or NULL.
 */
const struct verb *verbs_find(const char *name);

/**
 * verbs_at(i):
 * Return the verb of that number, in the order in which help shows them; NULL behind the last.
 */
const struct verb *verbs_at(size_t i);

/**
 * verbs_resembles(word):
 * Return the name of the verb that ${word} was probably meant to be, or NULL.
 */
const char *verbs_resembles(const char *word);

#endif
