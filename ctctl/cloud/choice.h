#ifndef CTCTL_CLOUD_CHOICE_H
#define CTCTL_CLOUD_CHOICE_H

#include <json-c/json.h>

#include "ctctl/ctx/ctx.h"

/* Which items of a list are shown, and in what order. */
struct choice {
    const char *since; /* a length of time: only what changed, or was saved, within it; or NULL */
    const char *state; /* a state's word, or what JSON calls it; or NULL */
    const char *sort;  /* "time", "size", "messages", "title"; or NULL: as the list is */
    int64_t limit;     /* the first so many, 0: all */

    int64_t since_s;
};

/**
 * choice_check(c, ch):
 * Understand the words.  Return -1, or the exit status of wrong usage.
 */
int choice_check(struct ctx *c, struct choice *ch);

/**
 * choice_is_all(ch):
 * Return whether all items are wanted, as they are.
 */
int choice_is_all(const struct choice *ch);

/**
 * choice_make(ch, list, now_ms):
 * Return those of the array ${list}, of the daemon or of the API, that are wanted; the caller owns
 * it.
 */
struct json_object *choice_make(const struct choice *ch, struct json_object *list, int64_t now_ms);

#endif
