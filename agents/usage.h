#ifndef AGENTS_USAGE_H
#define AGENTS_USAGE_H

#include <stdint.h>

#include <json-c/json.h>

/*
 * What an agent wrote down of the tokens that a session used, by model, and of what they cost.
 * Nothing is calculated from prices.  Without pointers, so that it can be written down.
 */
#define USAGE_MODELS 12      /* what is of further ones is counted as USAGE_OTHER */
#define USAGE_OTHER "others" /* the last one is called that then */
#define USAGE_UNNAMED "unnamed"
#define USAGE_COUNTERS 4          /* of what was spent that are told apart */
#define USAGE_RECENT 8            /* messages whose counts may still be corrected */
#define USAGE_MAX 1000000000000LL /* of each count of one message; more is nonsense, and none */

struct usage_tokens {
    int64_t input, output;
    int64_t cache_read, cache_write; /* of the input, not in it */
};

struct usage_model {
    char name[128];
    struct usage_tokens tokens;
};

struct usage {
    uint32_t n;
    uint32_t has_cost;
    uint32_t is_at_least; /* the agent says that it did not know the price of all */
    uint32_t n_recent, n_counters;
    struct usage_tokens total; /* where the agent's own count stood last */
    int64_t cost_micros;       /* millionths of a US dollar, without what the counters say */
    struct usage_model models[USAGE_MODELS];

    struct {
        int64_t id, micros;
    } counters[USAGE_COUNTERS];

    /* Messages that came last, the newest first. */
    struct {
        uint64_t id;
        uint64_t model;
        struct usage_tokens tokens;
    } recent[USAGE_RECENT];
};

/**
 * usage_message(u, id, is_new, model, t):
 * A record says that the message ${id} (any number that tells messages apart), by ${model}, used
 * ${t}.  ${is_new}: no record of it came before.  Else the later record counts, if the message is
 * one of the last USAGE_RECENT ones, and if not the earlier one.
 */
void usage_message(struct usage *u, uint64_t id, int is_new, const char *model,
                   const struct usage_tokens *t);

/**
 * usage_total(u, model, t):
 * All that the session used so far stands at ${t}: what is more than at the last time is
 * ${model}'s.  A count that goes back began anew.
 */
void usage_total(struct usage *u, const char *model, const struct usage_tokens *t);

/**
 * usage_spent(u, micros), usage_counter(u, id, micros):
 * So much was spent; the counter ${id} (when the agent began to count) stands at so much: what it
 * said before is no more.
 */
#define USAGE_MICROS_MAX 1000000000000LL
void usage_spent(struct usage *u, int64_t micros);
void usage_counter(struct usage *u, int64_t id, int64_t micros);

/**
 * usage_cost(u):
 * Return all that was spent, in millionths of a US dollar.
 */
int64_t usage_cost(const struct usage *u);

/**
 * usage_add(u, other):
 * Add what ${other} used, but not what it cost: an agent's total has its subagents' in it.
 */
void usage_add(struct usage *u, const struct usage *other);

/**
 * usage_sum(u):
 * Return the tokens of all models.
 */
struct usage_tokens usage_sum(const struct usage *u);

/**
 * usage_json(u):
 * Return {models: [{model, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens}], costUSD,
 * costIsAtLeast}, sorted by model; without the last two if no cost was written down.  NULL if there
 * is nothing at all to say.  The caller owns it.
 */
struct json_object *usage_json(const struct usage *u);

/**
 * usage_parse(o, ret):
 * Read that back; what is damaged counts as nothing.
 */
void usage_parse(const struct json_object *o, struct usage *ret);

#endif
