#include <stdlib.h>
#include <string.h>

#include "agents/news.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/str.h"

#include "agents/agent.h"
#include "agents/unite_lines.h"

#define WINDOW (256 << 10)

static uint64_t id_of(const char *text)
{
    unsigned char d[HASH_SHA256_BYTES];
    uint64_t id;

    if (text[0] == '\0')
        return 0;
    hash_sha256(text, strlen(text), d);
    memcpy(&id, d, sizeof(id));
    return id != 0 ? id : 1;
}

/* ---- by id -------------------------------------------------------------------------------------
 */

static struct unite_slot *slot_of(const struct unite_lines *l, uint64_t id)
{
    size_t i = (size_t)id & (l->n_slots - 1);

    while (l->slots[i].id != 0 && l->slots[i].id != id)
        i = (i + 1) & (l->n_slots - 1);
    return &l->slots[i];
}

static void grow(struct unite_lines *l)
{
    struct unite_slot *old = l->slots;
    size_t n = l->n_slots;

    l->n_slots = n > 0 ? n * 2 : 1024;
    l->slots = str_calloc(l->n_slots, sizeof(*l->slots));
    for (size_t i = 0; i < n; i++) {
        if (old[i].id != 0)
            *slot_of(l, old[i].id) = old[i];
    }
    free(old);
}

static void note_id(struct unite_lines *l, uint64_t id, size_t line)
{
    struct unite_slot *s;

    if (l->n_ids >= l->n_slots / 2)
        grow(l);
    s = slot_of(l, id);
    if (s->id == 0) {
        *s = (struct unite_slot){id, line};
        l->n_ids++;
    }
    l->v[s->line].last = line;
}

size_t unite_lines_find(const struct unite_lines *l, uint64_t id)
{
    const struct unite_slot *s;

    if (id == 0 || l->n_slots == 0)
        return UNITE_NONE;
    s = slot_of(l, id);
    return s->id == id ? s->line : UNITE_NONE;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

static void on_line(void *arg, const struct news_line *in)
{
    struct unite_lines *l = arg;
    struct unite_line *line;

    if (l->n == l->room) {
        l->room = l->room > 0 ? l->room * 2 : 1024;
        l->v = str_realloc(l->v, l->room, sizeof(*l->v));
    }
    line = &l->v[l->n++];
    *line = (struct unite_line){.at = in->at, .len = in->len, .ms = -1};
    if (!in->is_record) {
        line->flags = in->len > 0 ? UNITE_BAD : 0;
        return;
    }
    line->id = id_of(in->uuid);
    line->parent = id_of(line->id != 0 ? in->parent : in->owner);
    line->ms = in->ms;
    if (in->is_news && line->id == 0)
        l->has_unnamed = 1;
    if (in->is_news)
        line->flags |= UNITE_NEWS;
    if (strcmp(in->type, "system") == 0 && strcmp(in->subtype, "compact_boundary") == 0)
        line->flags |= UNITE_BOUNDARY;
    if (line->id != 0)
        note_id(l, line->id, l->n - 1);
}

int unite_lines_read(const struct agent *agent, const struct unite_side *side,
                     const _Atomic int *cancel, struct unite_lines *ret, struct ct_err *err)
{
    struct unite_lines l = {.side = side};
    struct news *news = news_new_glance(agent);
    char *p = str_calloc(WINDOW, 1);
    int64_t at = 0;
    ssize_t got = 1;
    int rc = 0;

    news_each(news, on_line, &l);
    while (rc == 0 && at < side->end && got > 0) {
        size_t want = side->end - at < WINDOW ? (size_t)(side->end - at) : WINDOW;
        got = file_pread_all(side->fd, p, want, (off_t)at);
        if (got > 0)
            news_feed(news, p, (size_t)got);
        at += got;
        if (cancel != NULL && *cancel)
            rc = err_set(err, ERR_CANCELLED, "broken off");
    }
    if (got < 0)
        rc = err_sys(err, "can't read a transcript");
    news_end(news);
    news_free(news);
    free(p);
    *ret = l;
    if (rc != 0)
        unite_lines_clear(ret);
    return rc;
}

void unite_lines_clear(struct unite_lines *l)
{
    free(l->v);
    free(l->slots);
    memset(l, 0, sizeof(*l));
}

int unite_lines_digest(const struct unite_lines *l, size_t i, unsigned char ret[HASH_SHA256_BYTES],
                       struct ct_err *err)
{
    struct hash *h = hash_new(HASH_SHA256);
    char *p = str_calloc(WINDOW, 1);
    ssize_t got = 1;

    for (int64_t at = 0; at < l->v[i].len && got > 0; at += got) {
        int64_t left = l->v[i].len - at;
        got = file_pread_all(l->side->fd, p, left < WINDOW ? (size_t)left : WINDOW,
                             (off_t)(l->v[i].at + at));
        if (got > 0)
            hash_update(h, p, (size_t)got);
    }
    free(p);
    hash_final(h, ret);
    return got < 0 ? err_sys(err, "can't read a transcript") : 0;
}
