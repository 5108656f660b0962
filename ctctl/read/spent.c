#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "ctctl/cloud/item.h"
#include "ctctl/ui/table.h"

#include "ctctl/read/spent.h"

static const struct {
    const char *word, *title;
} kinds[SPENT_KINDS] = {
    [SPENT_BY_PROJECT] = {"project", "PROJECT"},
    [SPENT_BY_AGENT] = {"agent", "AGENT"},
    [SPENT_BY_MACHINE] = {"machine", "MACHINE"},
    [SPENT_BY_MODEL] = {"model", "MODEL"},
};

int spent_by(const char *word, enum spent_by *ret)
{
    for (int i = 0; i < SPENT_KINDS; i++) {
        if (strcmp(kinds[i].word, word) == 0) {
            *ret = (enum spent_by)i;
            return 0;
        }
    }
    return -1;
}

/* ---- sums --------------------------------------------------------------------------------------
 */

struct line {
    char *name;
    int64_t sessions;
    struct usage_tokens tokens;
    int64_t micros;
    int has_cost, is_at_least;
};

struct sum {
    struct line *v;
    size_t n;
    struct line total;
    int64_t uncounted;
};

static struct line *line_of(struct sum *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->v[i].name, name) == 0)
            return &s->v[i];
    }
    s->v = str_realloc(s->v, s->n + 1, sizeof(*s->v));
    memset(&s->v[s->n], 0, sizeof(*s->v));
    s->v[s->n].name = str_dup(name);
    return &s->v[s->n++];
}

static void add_tokens(struct line *l, const struct usage_tokens *t)
{
    l->sessions++;
    l->tokens.input += t->input;
    l->tokens.output += t->output;
    l->tokens.cache_read += t->cache_read;
    l->tokens.cache_write += t->cache_write;
}

static void add_cost(struct line *l, const struct usage *u)
{
    l->micros += usage_cost(u);
    l->has_cost = l->has_cost || u->has_cost;
    l->is_at_least = l->is_at_least || u->is_at_least;
}

static int is_local(const struct json_object *item)
{
    return jdoc_has(item, "state");
}

static const char *project_of(const struct json_object *item)
{
    const char *name = jdoc_str(is_local(item) ? item : item_metadata(item), "projectName");
    const char *path = is_local(item) ? jdoc_str(item, "projectPath") : item_str(item, "sourceCwd");

    if (name != NULL && name[0] != '\0')
        return name;
    return path != NULL ? path_base(path) : NULL;
}

static const char *name_of(const struct json_object *item, enum spent_by by)
{
    const char *name;

    switch (by) {
    case SPENT_BY_PROJECT:
        name = project_of(item);
        break;
    case SPENT_BY_AGENT:
        name = is_local(item) ? jdoc_str(item, "agent") : jdoc_str(item_metadata(item), "agentId");
        break;
    default:
        name = is_local(item) ? jdoc_str(item, "deviceName") : item_str(item, "sourceMachine");
    }
    return name != NULL ? name : "unknown";
}

static void add_item(struct sum *s, const struct json_object *item, enum spent_by by)
{
    struct json_object *o = item_usage(item);
    struct usage_tokens all;
    struct line *l;
    struct usage u;

    if (o == NULL) {
        s->uncounted++;
        return;
    }
    usage_parse(o, &u);
    all = usage_sum(&u);
    add_tokens(&s->total, &all);
    add_cost(&s->total, &u);
    for (uint32_t i = 0; by == SPENT_BY_MODEL && i < u.n; i++)
        add_tokens(line_of(s, u.models[i].name), &u.models[i].tokens);
    if (by != SPENT_BY_MODEL) {
        l = line_of(s, name_of(item, by));
        add_tokens(l, &all);
        add_cost(l, &u);
    }
}

static int dearest_first(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    if (x->micros != y->micros)
        return x->micros > y->micros ? -1 : 1;
    if (x->tokens.output != y->tokens.output)
        return x->tokens.output > y->tokens.output ? -1 : 1;
    return strcmp(x->name, y->name);
}

static struct json_object *line_json(const struct line *l)
{
    struct json_object *o = json_object_new_object();
    char text[32];

    if (l->name != NULL)
        jdoc_set_str(o, "name", l->name);
    jdoc_set_int(o, "sessions", l->sessions);
    jdoc_set_int(o, "inputTokens", l->tokens.input);
    jdoc_set_int(o, "outputTokens", l->tokens.output);
    jdoc_set_int(o, "cacheReadTokens", l->tokens.cache_read);
    jdoc_set_int(o, "cacheWriteTokens", l->tokens.cache_write);
    if (l->has_cost) {
        snprintf(text, sizeof(text), "%.6f", (double)l->micros / 1e6);
        json_object_object_add(o, "costUSD",
                               json_object_new_double_s((double)l->micros / 1e6, text));
        if (l->is_at_least)
            jdoc_set_bool(o, "costIsAtLeast", 1);
    }
    return o;
}

struct json_object *spent_sum(struct json_object *list, enum spent_by by)
{
    struct json_object *o = json_object_new_object(), *rows = json_object_new_array();
    struct sum s = {0};

    for (size_t i = 0; i < json_object_array_length(list); i++)
        add_item(&s, json_object_array_get_idx(list, i), by);
    if (s.n > 0)
        qsort(s.v, s.n, sizeof(*s.v), dearest_first);
    jdoc_set_str(o, "by", kinds[by].word);
    for (size_t i = 0; i < s.n; i++) {
        json_object_array_add(rows, line_json(&s.v[i]));
        free(s.v[i].name);
    }
    free(s.v);
    json_object_object_add(o, "rows", rows);
    json_object_object_add(o, "total", line_json(&s.total));
    jdoc_set_int(o, "uncounted", s.uncounted);
    return o;
}

/* ---- how it looks ------------------------------------------------------------------------------
 */

#define CELL 32

static const char *number(int64_t n, char buf[CELL])
{
    static const char *const units[] = {"", " k", " M", " G", " T"};
    double d = (double)n;
    size_t i = 0;

    for (; d >= 999.5 && i + 1 < sizeof(units) / sizeof(units[0]); i++)
        d /= 1000;
    snprintf(buf, CELL, i > 0 && d < 9.95 ? "%.1f%s" : "%.0f%s", d, units[i]);
    return buf;
}

static const char *money(int64_t micros, int is_at_least, char buf[CELL])
{
    double d = (double)micros / 1e6;

    snprintf(buf, CELL, micros > 0 && d < 0.095 ? "%s$%.4f" : "%s$%.2f", is_at_least ? ">" : "", d);
    return buf;
}

static const char *cost_of(const struct json_object *o, char buf[CELL])
{
    struct usage u;

    usage_parse(o, &u);
    return u.has_cost ? money(usage_cost(&u), (int)u.is_at_least, buf) : "";
}

static void sum_row(struct table *t, const struct json_object *o, const char *name)
{
    char sessions[CELL], in[CELL], out[CELL], cached[CELL], written[CELL], cost[CELL];
    const char *cells[] = {
        name,
        number(jdoc_int(o, "sessions", 0), sessions),
        number(jdoc_int(o, "inputTokens", 0), in),
        number(jdoc_int(o, "cacheReadTokens", 0), cached),
        number(jdoc_int(o, "cacheWriteTokens", 0), written),
        number(jdoc_int(o, "outputTokens", 0), out),
        cost_of(o, cost),
    };

    table_row(t, cells);
}

void spent_sum_table(const struct text_style *st, const struct json_object *sum, struct buf *b)
{
    struct table_column columns[] = {
        {"", 0, 12, 0},          {"SESSIONS", 1, 0, 3},    {"INPUT", 1, 0, 2},
        {"CACHE READ", 1, 0, 4}, {"CACHE WRITE", 1, 0, 5}, {"OUTPUT", 1, 0, 0},
        {"COST", 1, 0, 0},
    };
    struct json_object *rows = jdoc_array(sum, "rows");
    struct table *t;

    for (int i = 0; i < SPENT_KINDS; i++) {
        if (strcmp(kinds[i].word, jdoc_str(sum, "by")) == 0)
            columns[0].title = kinds[i].title;
    }
    t = table_new(st, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        const struct json_object *o = json_object_array_get_idx(rows, i);
        sum_row(t, o, jdoc_str(o, "name"));
    }
    sum_row(t, jdoc_obj(sum, "total"), "all");
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        table_colour(t, i, TEXT_BOLD);
    table_print(t, b);
    table_free(t);
}

void spent_list_table(const struct text_style *st, struct json_object *list, struct buf *b)
{
    static const struct table_column columns[] = {
        {"ID", 0, 0, 0},     {"TITLE", 0, 32, 0},     {"PROJECT", 0, 10, 2},
        {"INPUT", 1, 0, 3},  {"CACHE READ", 1, 0, 4}, {"CACHE WRITE", 1, 0, 5},
        {"OUTPUT", 1, 0, 0}, {"COST", 1, 0, 0},       {"CHANGED", 0, 0, 1},
    };
    struct table *t = table_new(st, columns, sizeof(columns) / sizeof(columns[0]));

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        const char *at = jdoc_str(o, "modifiedAt");
        char id[9], title[256], in[CELL], out[CELL], cached[CELL], written[CELL], cost[CELL];
        char ago[64];
        struct usage_tokens s;
        struct usage u;
        usage_parse(item_usage(o), &u);
        s = usage_sum(&u);
        const char *cells[] = {
            text_short_id(is_local(o) ? jdoc_str(o, "sessionId") : item_id(o), id),
            is_local(o) ? jdoc_str(o, "title") : item_title(o, title, sizeof(title)),
            project_of(o),
            u.n > 0 ? number(s.input, in) : "",
            u.n > 0 ? number(s.cache_read, cached) : "",
            u.n > 0 ? number(s.cache_write, written) : "",
            u.n > 0 ? number(s.output, out) : "",
            cost_of(item_usage(o), cost),
            text_ago_of(st, at != NULL ? at : jdoc_str(o, "createdAt"), ago, sizeof(ago)),
        };
        table_row(t, cells);
    }
    table_print(t, b);
    table_free(t);
}

char *spent_tokens_text(const struct usage *u)
{
    struct usage_tokens s = usage_sum(u);
    char in[CELL], out[CELL], cached[CELL], written[CELL];
    struct buf b = {0};

    if (u->n == 0)
        return NULL;
    buf_printf(&b, "%s in, %s from the cache, %s into it, %s out", number(s.input, in),
               number(s.cache_read, cached), number(s.cache_write, written), number(s.output, out));
    for (uint32_t i = 0; u->n > 1 && i < u->n; i++)
        buf_printf(&b, "%s%s %s out", i == 0 ? " (" : ", ", u->models[i].name,
                   number(u->models[i].tokens.output, out));
    buf_addstr(&b, u->n > 1 ? ")" : "");
    return b.data;
}

char *spent_cost_text(const struct usage *u)
{
    char cost[CELL];

    if (!u->has_cost)
        return NULL;
    return str_printf("%s, as the agent counted%s", money(usage_cost(u), 0, cost),
                      u->is_at_least ? "; it did not know the price of all of it" : "");
}
