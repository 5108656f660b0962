#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"

#include "agents/usage.h"

/* The tokens of ${model}, which gets a place if it has none. */
static uint32_t place_of(struct usage *u, const char *model)
{
    const char *name = model[0] != '\0' ? model : USAGE_UNNAMED;

    for (uint32_t i = 0; i < u->n; i++) {
        if (strcmp(u->models[i].name, name) == 0)
            return i;
    }
    if (u->n == USAGE_MODELS - 1)
        name = USAGE_OTHER;
    if (u->n < USAGE_MODELS)
        snprintf(u->models[u->n++].name, sizeof(u->models[0].name), "%s", name);
    return u->n - 1;
}

static void count(struct usage_tokens *to, const struct usage_tokens *t, int sign)
{
    to->input += sign * t->input;
    to->output += sign * t->output;
    to->cache_read += sign * t->cache_read;
    to->cache_write += sign * t->cache_write;
}

static int64_t sane(int64_t n)
{
    return n < 0 || n > USAGE_MAX ? 0 : n;
}

void usage_message(struct usage *u, uint64_t id, int is_new, const char *model,
                   const struct usage_tokens *t)
{
    struct usage_tokens is = {sane(t->input), sane(t->output), sane(t->cache_read),
                              sane(t->cache_write)};
    uint32_t i;

    for (i = 0; !is_new && i < u->n_recent && u->recent[i].id != id; i++)
        continue;
    if (!is_new && i == u->n_recent)
        return;
    if (!is_new) {
        count(&u->models[u->recent[i].model].tokens, &u->recent[i].tokens, -1);
    } else {
        u->n_recent += u->n_recent < USAGE_RECENT;
        memmove(&u->recent[1], &u->recent[0], (u->n_recent - 1) * sizeof(u->recent[0]));
        i = 0;
    }
    u->recent[i].id = id;
    u->recent[i].model = place_of(u, model);
    u->recent[i].tokens = is;
    count(&u->models[u->recent[i].model].tokens, &is, 1);
}

void usage_total(struct usage *u, const char *model, const struct usage_tokens *t)
{
    const struct usage_tokens *last = &u->total;
    int is_anew = t->input < last->input || t->output < last->output ||
                  t->cache_read < last->cache_read || t->cache_write < last->cache_write;
    struct usage_tokens now = {sane(t->input), sane(t->output), sane(t->cache_read),
                               sane(t->cache_write)};
    struct usage_tokens more = now;

    if (!is_anew)
        count(&more, last, -1);
    count(&u->models[place_of(u, model)].tokens, &more, 1);
    u->total = now;
}

void usage_spent(struct usage *u, int64_t micros)
{
    u->has_cost = 1;
    u->cost_micros += micros;
}

void usage_counter(struct usage *u, int64_t id, int64_t micros)
{
    uint32_t i;

    u->has_cost = 1;
    for (i = 0; i < u->n_counters && u->counters[i].id != id; i++)
        continue;
    if (i == USAGE_COUNTERS) { /* the oldest has said its last */
        u->cost_micros += u->counters[0].micros;
        memmove(&u->counters[0], &u->counters[1], (USAGE_COUNTERS - 1) * sizeof(u->counters[0]));
        i--;
    } else if (i == u->n_counters) {
        u->n_counters++;
    }
    u->counters[i].id = id;
    u->counters[i].micros = micros;
}

int64_t usage_cost(const struct usage *u)
{
    int64_t sum = u->cost_micros;

    for (uint32_t i = 0; i < u->n_counters; i++)
        sum += u->counters[i].micros;
    return sum;
}

void usage_add(struct usage *u, const struct usage *other)
{
    for (uint32_t i = 0; i < other->n; i++)
        count(&u->models[place_of(u, other->models[i].name)].tokens, &other->models[i].tokens, 1);
}

struct usage_tokens usage_sum(const struct usage *u)
{
    struct usage_tokens sum = {0};

    for (uint32_t i = 0; i < u->n; i++)
        count(&sum, &u->models[i].tokens, 1);
    return sum;
}

static int is_none(const struct usage_tokens *t)
{
    return t->input == 0 && t->output == 0 && t->cache_read == 0 && t->cache_write == 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(jdoc_str(*(struct json_object *const *)a, "model"),
                  jdoc_str(*(struct json_object *const *)b, "model"));
}

/* A corrected message can leave a model without anything. */
static struct json_object *models_json(const struct usage *u)
{
    struct json_object *list = json_object_new_array(), *o;

    for (uint32_t i = 0; i < u->n; i++) {
        const struct usage_tokens *t = &u->models[i].tokens;
        if (is_none(t))
            continue;
        o = json_object_new_object();
        jdoc_set_str(o, "model", u->models[i].name);
        jdoc_set_int(o, "inputTokens", t->input);
        jdoc_set_int(o, "outputTokens", t->output);
        jdoc_set_int(o, "cacheReadTokens", t->cache_read);
        jdoc_set_int(o, "cacheWriteTokens", t->cache_write);
        json_object_array_add(list, o);
    }
    json_object_array_sort(list, by_name);
    return list;
}

struct json_object *usage_json(const struct usage *u)
{
    struct json_object *models = models_json(u), *o;
    char text[32];

    if (json_object_array_length(models) == 0 && !u->has_cost) {
        json_object_put(models);
        return NULL;
    }
    o = json_object_new_object();
    json_object_object_add(o, "models", models);
    if (u->has_cost) {
        double dollars = (double)usage_cost(u) / 1e6;
        snprintf(text, sizeof(text), "%.6f", dollars);
        json_object_object_add(o, "costUSD", json_object_new_double_s(dollars, text));
        if (u->is_at_least)
            jdoc_set_bool(o, "costIsAtLeast", 1);
    }
    return o;
}

/* ${key} of ${o}, which may be anything that somebody uploaded. */
static int64_t number_of(const struct json_object *o, const char *key)
{
    int64_t n = jdoc_int(o, key, 0);

    return n < 0 || n > USAGE_MAX * 1000 ? 0 : n;
}

void usage_parse(const struct json_object *o, struct usage *ret)
{
    struct json_object *models = jdoc_array(o, "models"), *cost;
    size_t n = models != NULL ? json_object_array_length(models) : 0;

    memset(ret, 0, sizeof(*ret));
    for (size_t i = 0; i < n && i < USAGE_MODELS; i++) {
        const struct json_object *m = json_object_array_get_idx(models, i);
        const char *name = jdoc_str(m, "model");
        struct usage_tokens t = {number_of(m, "inputTokens"), number_of(m, "outputTokens"),
                                 number_of(m, "cacheReadTokens"), number_of(m, "cacheWriteTokens")};
        count(&ret->models[place_of(ret, name != NULL ? name : "")].tokens, &t, 1);
    }
    if (o != NULL && json_object_object_get_ex(o, "costUSD", &cost) &&
        (json_object_is_type(cost, json_type_double) || json_object_is_type(cost, json_type_int))) {
        double dollars = json_object_get_double(cost);
        ret->has_cost = dollars >= 0 && dollars < 1e9;
        ret->cost_micros = ret->has_cost ? (int64_t)(dollars * 1e6 + 0.5) : 0;
    }
    ret->is_at_least = (uint32_t)jdoc_bool(o, "costIsAtLeast", 0);
}
