#ifndef CTCTL_READ_TELLING_H
#define CTCTL_READ_TELLING_H

#include "agents/turns.h"
#include "common/base/buf.h"
#include "ctctl/ctx/ctx.h"

/* How turns look. */
struct telling {
    const struct text_style *st;
    int is_markdown;
    int with_tools;         /* calls with their arguments, and results whole */
    int with_thinking;      /* what the model thought */
    int with_asides;        /* what subagents wrote into the same transcript */
    int with_notes;         /* what else may reach the model */
    struct json_object *to; /* an array: JSON instead of text; or NULL */
    struct buf *out;

    int64_t asides, notes; /* out: of these, left out */

    /* Our own; zeroed. */
    int is_begun;
    enum turn_kind last; /* who spoke last, so that the name is said once */
    char day[16];
};

/**
 * telling_add(x, t):
 * Append the turn ${t}, unless it is of a kind that is not wanted.
 */
void telling_add(struct telling *x, const struct turn *t);

/**
 * telling_json(t), telling_turn(o, ret):
 * Return the turn as JSON, whole, which the caller owns; the turn that such JSON is, whose strings
 * are borrowed from it.
 */
struct json_object *telling_json(const struct turn *t);
void telling_turn(const struct json_object *o, struct turn *ret);

#endif
