#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/buf.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "agents/words.h"

#define RESULT_BYTES 2000 /* of what a tool printed */
#define TITLE_BYTES 200

struct gathered {
    enum words_by by;
    struct buf text;
    int64_t ms;
};

struct words_gathering {
    struct gathered *v;
    size_t n;
    struct words_part *parts;
    char title[TITLE_BYTES + 1];
    int64_t said; /* prompts and answers */
};

/* What ${by} says now: goes on with what that one said last, or begins. */
static struct buf *say(struct words_gathering *g, enum words_by by, const char *at)
{
    int64_t ms;
    struct gathered *last = g->n > 0 ? &g->v[g->n - 1] : NULL;

    if (last != NULL && last->by == by) {
        buf_addstr(&last->text, "\n\n");
        return &last->text;
    }
    g->v = str_realloc(g->v, g->n + 1, sizeof(*g->v));
    g->v[g->n] = (struct gathered){.by = by};
    if (at == NULL || now_parse_rfc3339(at, &ms) != 0)
        ms = 0;
    if (g->n > 0 && ms < g->v[g->n - 1].ms)
        ms = g->v[g->n - 1].ms;
    g->v[g->n].ms = ms;
    return &g->v[g->n++].text;
}

struct words_gathering *words_new(const char *came_from)
{
    struct words_gathering *g = str_calloc(1, sizeof(*g));

    buf_addstr(say(g, WORDS_PERSON, NULL), came_from);
    return g;
}

void words_free(struct words_gathering *g)
{
    if (g == NULL)
        return;
    for (size_t i = 0; i < g->n; i++)
        buf_free(&g->v[i].text);
    free(g->v);
    free(g->parts);
    free(g);
}

static void add_result(struct words_gathering *g, const struct turn *t)
{
    size_t n = strlen(t->text), shown = n;
    struct buf *b = say(g, WORDS_MODEL, t->at);

    while (shown > RESULT_BYTES || (shown < n && ((unsigned char)t->text[shown] & 0xC0) == 0x80))
        shown = shown > RESULT_BYTES ? RESULT_BYTES : shown - 1;
    buf_addstr(b, "[It printed]\n");
    buf_add(b, t->text, shown);
    if (shown < n)
        buf_printf(b, "\n[and %zu bytes more]", n - shown);
}

void words_add(void *arg, const struct turn *t)
{
    struct words_gathering *g = arg;

    if (t->is_aside || (t->text[0] == '\0' && t->kind != TURN_CALL))
        return;
    switch (t->kind) {
    case TURN_PROMPT:
        buf_addstr(say(g, WORDS_PERSON, t->at), t->text);
        if (g->title[0] == '\0')
            snprintf(g->title, sizeof(g->title), "%.*s",
                     (int)str_utf8_cut(t->text, strcspn(t->text, "\r\n"), TITLE_BYTES / 4),
                     t->text);
        g->said++;
        break;
    case TURN_ANSWER:
        buf_addstr(say(g, WORDS_MODEL, t->at), t->text);
        g->said++;
        break;
    case TURN_CALL:
        buf_printf(say(g, WORDS_MODEL, t->at), "[The tool %s was called]\n%s",
                   t->tool != NULL ? t->tool : "?", t->text);
        break;
    case TURN_RESULT:
        add_result(g, t);
        break;
    case TURN_SUMMARY:
        buf_printf(say(g, WORDS_MODEL, t->at), "[A summary of what came before]\n%s", t->text);
        break;
    case TURN_THINKING:
    case TURN_NOTE:
        break;
    }
}

/* Of version 7: it begins with the time. */
static void make_id(int64_t now_ms, char ret[UUID_SIZE])
{
    char random[UUID_SIZE];

    uuid_random(random);
    snprintf(ret, UUID_SIZE, "%08llx-%04llx-7%s", (unsigned long long)now_ms >> 16 & 0xFFFFFFFF,
             (unsigned long long)now_ms & 0xFFFF, random + 15);
}

int64_t words_end(struct words_gathering *g, int64_t now_ms, char ret_id[UUID_SIZE],
                  struct words *ret)
{
    if (g->v[g->n - 1].by == WORDS_PERSON)
        buf_addstr(say(g, WORDS_MODEL, NULL), "[No answer came.]");
    g->parts = str_calloc(g->n, sizeof(*g->parts));
    for (size_t i = 0; i < g->n; i++) {
        struct gathered *at = &g->v[i];
        buf_addc(&at->text, '\0');
        g->parts[i] = (struct words_part){at->by, at->text.data, at->ms};
    }
    /* What has no time, in front, was said when the first that has one was. */
    for (size_t i = g->n; i-- > 0;) {
        if (g->parts[i].ms == 0)
            g->parts[i].ms = i + 1 < g->n ? g->parts[i + 1].ms : now_ms;
    }
    make_id(now_ms, ret_id);
    *ret = (struct words){.session_id = ret_id,
                          .title = g->title[0] != '\0' ? g->title : "A session from elsewhere",
                          .now_ms = now_ms,
                          .v = g->parts,
                          .n = g->n};
    return g->said;
}

char *words_quoted(const char *text)
{
    struct json_object *o = jdoc_new_str(text);
    char *ret = str_dup(jdoc_text(o));

    json_object_put(o);
    return ret;
}
