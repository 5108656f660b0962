#ifndef CTCTL_UI_HEADLINE_H
#define CTCTL_UI_HEADLINE_H

#include <stdint.h>

#include <json-c/json.h>

#include "common/base/buf.h"
#include "ctctl/ui/text.h"

enum headline_mood { HEADLINE_GOOD, HEADLINE_BUSY, HEADLINE_CARE, HEADLINE_BAD };

/* What a script wants to know of it. */
enum headline_verdict { HEADLINE_SAFE, HEADLINE_ON_ITS_WAY, HEADLINE_NOT_SAFE, HEADLINE_APART };

/* The numbers behind the one sentence. */
struct headline {
    enum headline_mood mood;
    enum headline_verdict verdict;
    char *sentence;   /* clean */
    int64_t total;    /* sessions that ought to be safe */
    int64_t safe;     /* of them, confirmed */
    int64_t deleted;  /* of them, changed here since another device deleted them */
    int64_t diverged; /* of the safe ones, those that went on in two places */
    int64_t pending;
    int64_t pending_bytes; /* -1: not known */
    int64_t bytes;         /* of all sessions, -1: not known */
    int is_loopback;
    int has_profile;    /* what belongs to no session is in the cloud */
    int awaits_profile; /* ... or is on its way there */
};

/**
 * headline_make(st, status, ret):
 * Work out the sentence for the daemon's ${status}.  The caller frees with headline_clear().
 */
void headline_make(const struct text_style *st, const struct json_object *status,
                   struct headline *ret);

/**
 * headline_line(h, b):
 * Append the shortest form of it, without a newline: "safe", "2 waiting", "NOT SAFE", ...
 */
void headline_line(const struct headline *h, struct buf *b);

/**
 * headline_clear(h):
 * Free what is in it.
 */
void headline_clear(struct headline *h);

/**
 * headline_number(o, key, otherwise):
 * Return the member ${key}, whole number or not, rounded down.
 */
int64_t headline_number(const struct json_object *o, const char *key, int64_t otherwise);

#endif
