#ifndef CTCTL_READ_SPENT_H
#define CTCTL_READ_SPENT_H

#include <json-c/json.h>

#include "agents/usage.h"
#include "common/base/buf.h"
#include "ctctl/ui/text.h"

/*
 * What sessions used, as their agents wrote it down: tokens, and what they cost.  Items are those
 * of the daemon's list or the cloud's (ctctl/cloud/item.h).
 */

/* What sums are made of. */
enum spent_by { SPENT_BY_PROJECT, SPENT_BY_AGENT, SPENT_BY_MACHINE, SPENT_BY_MODEL, SPENT_KINDS };

/**
 * spent_by(word, ret):
 * Read "project", "agent", "machine" or "model".  Return 0, or -1 if it is none of these.
 */
int spent_by(const char *word, enum spent_by *ret);

/**
 * spent_sum(list, by):
 * Return {by, rows: [{name, sessions, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens,
 * costUSD, costIsAtLeast}], total, uncounted}, the dearest row first, of the array ${list}.  A row
 * has a cost where any of its sessions has one; by model none has, for agents tell one sum.  The
 * caller owns it.
 */
struct json_object *spent_sum(struct json_object *list, enum spent_by by);

/**
 * spent_sum_table(st, sum, b):
 * Append that as a table with its total.
 */
void spent_sum_table(const struct text_style *st, const struct json_object *sum, struct buf *b);

/**
 * spent_list_table(st, list, b):
 * Append a table of the sessions themselves.
 */
void spent_list_table(const struct text_style *st, struct json_object *list, struct buf *b);

/**
 * spent_tokens_text(u), spent_cost_text(u):
 * Return one line each, for a single session; the caller frees it.  NULL: nothing was written down.
 */
char *spent_tokens_text(const struct usage *u);
char *spent_cost_text(const struct usage *u);

#endif
