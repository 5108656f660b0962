#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/news.h"
#include "agents/seen.h"
#include "bundle/format/entry.h"
#include "bundle/pack/beside.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "bundle/pack/others.h"

#define WINDOW (256 << 10)

/* Lines are told apart by their digests. */
struct lines {
    struct seen *have;       /* lines that are in the bundle */
    struct content_range *r; /* lines that were not, neighbours joined */
    size_t n, cap;
    int64_t bytes;
    unsigned char first[HASH_SHA256_BYTES]; /* digest of the first of them */

    /* The line under way. */
    struct hash *line;
    int64_t begin, at;
};

static void add_range(struct lines *l, int64_t offset, int64_t bytes)
{
    struct content_range *last = l->n > 0 ? &l->r[l->n - 1] : NULL;

    l->bytes += bytes;
    if (last != NULL && last->offset + last->bytes == offset) {
        last->bytes += bytes;
        return;
    }
    if (l->n == l->cap) {
        l->cap = l->cap == 0 ? 16 : l->cap * 2;
        l->r = str_realloc(l->r, l->cap, sizeof(*l->r));
    }
    l->r[l->n].offset = offset;
    l->r[l->n++].bytes = bytes;
}

static void feed(struct lines *l, const char *p, size_t n)
{
    unsigned char d[HASH_SHA256_BYTES];

    while (n > 0) {
        const char *nl = memchr(p, '\n', n);
        size_t piece = nl != NULL ? (size_t)(nl - p) : n;
        if (l->line == NULL)
            l->line = hash_new(HASH_SHA256);
        hash_update(l->line, p, piece);
        l->at += (int64_t)piece;
        if (nl == NULL)
            return;
        hash_final(l->line, d);
        l->line = NULL;
        l->at++;
        if (seen_add(l->have, d, sizeof(d))) {
            if (l->n == 0)
                memcpy(l->first, d, sizeof(d));
            add_range(l, l->begin, l->at - l->begin);
        }
        l->begin = l->at;
        p += piece + 1;
        n -= piece + 1;
    }
}

static void begin(struct lines *l)
{
    free(l->r);
    hash_free(l->line);
    l->r = NULL;
    l->line = NULL;
    l->n = l->cap = 0;
    l->bytes = l->begin = l->at = 0;
}

/* Read all of ${c} into whichever is not NULL. */
static int read_copy(struct snapshot *s, const struct content *c, struct news *news,
                     struct lines *lines, struct ct_err *err)
{
    int fd = content_open(s, c, err), rc = 0;
    char *p;

    if (fd < 0)
        return -1;
    p = str_calloc(WINDOW, 1);
    for (int64_t at = 0; rc == 0 && at < c->whole; at += WINDOW) {
        size_t n = c->whole - at < WINDOW ? (size_t)(c->whole - at) : WINDOW;
        if (s->cancel != NULL && atomic_load(s->cancel) != 0)
            rc = err_set(err, ERR_CANCELLED, "cancelled");
        else
            rc = content_read(c, fd, p, n, at, err);
        if (rc == 0 && news != NULL)
            news_feed(news, p, n);
        if (rc == 0 && lines != NULL)
            feed(lines, p, n);
    }
    free(p);
    close(fd);
    return rc;
}

static int is_in(const struct snapshot *s, const struct content *c, const char *project)
{
    struct agent_path place;

    s->agent->classify(c->path, &place);
    return project[0] != '\0' && strcmp(place.project, project) == 0;
}

static int is_better(const struct content *a, const struct content *b)
{
    return a->whole != b->whole ? a->whole > b->whole : a->mtime_ns > b->mtime_ns;
}

/* Which one counts?  Return its index, or s->n if all were put aside. */
static size_t choose(const struct snapshot *s, const char *preferred, struct news *const *news)
{
    size_t best = s->n;

    for (size_t i = 0; i < s->n; i++) {
        const struct content *c = &s->contents[i];
        if (c->kind != AGENT_TRANSCRIPT)
            continue;
        if (preferred != NULL && is_in(s, c, preferred)) {
            best = i;
            break;
        }
        if (best == s->n || is_better(c, &s->contents[best]))
            best = i;
    }
    /* Nobody stays who holds less. */
    for (size_t i = 0; best < s->n && i < s->n; i++) {
        if (s->contents[i].kind == AGENT_TRANSCRIPT &&
            news_compare_all(news[best], news[i]) == NEWS_BEHIND) {
            best = i;
            i = (size_t)-1; /* and once more against all */
        }
    }
    return best;
}

static void swap(struct snapshot *s, struct news **news, size_t a, size_t b)
{
    struct content c = s->contents[a];
    struct news *n = news[a];

    s->contents[a] = s->contents[b];
    s->contents[b] = c;
    news[a] = news[b];
    news[b] = n;
}

/* ${c} is no content of the bundle: it is in the first one. */
static void is_duplicate(struct snapshot *s, const struct content *c)
{
    s->twins = str_realloc(s->twins, s->n_twins + 1, sizeof(*s->twins));
    s->twins[s->n_twins++] = *c;
}

static void becomes_entry(struct content *c, struct lines *l, size_t records)
{
    char name[2 * ENTRY_OTHERS_BYTES + 1];

    hash_hex(l->first, ENTRY_OTHERS_BYTES, name);
    free(c->entry);
    c->entry = str_printf(ENTRY_OTHERS "%s.jsonl", name);
    c->kind = AGENT_SUBDIR;
    c->ranges = l->r;
    c->n_ranges = l->n;
    c->length = l->bytes;
    c->records = records;
    l->r = NULL;
    l->n = l->cap = 0;
}

/* The first one is chosen. */
static int divide(struct snapshot *s, struct news *const *news, struct ct_err *err)
{
    struct lines l = {.have = seen_new()};
    size_t kept = 1;
    int rc = read_copy(s, &s->contents[0], NULL, &l, err);

    for (size_t i = 1; i < s->n; i++) {
        struct content c = s->contents[i];
        enum news_order order = news_compare_all(news[0], news[i]);
        int stays = 0;
        if (rc == 0)
            rc = beside_judge(s, &c, &stays, err);
        if (stays)
            continue;
        begin(&l);
        /* A record that both have may say something else in each. */
        if (rc == 0 &&
            ((order != NEWS_SAME && order != NEWS_AHEAD) || !news_has_bodies(news[0], news[i])))
            rc = read_copy(s, &c, NULL, &l, err);
        if (rc == 0 && l.n == 0) {
            is_duplicate(s, &c);
        } else {
            if (rc == 0)
                becomes_entry(&c, &l, news_lacking(news[0], news[i]));
            s->contents[kept++] = c;
        }
    }
    s->n = kept;
    begin(&l);
    seen_free(l.have);
    return rc;
}

static void name_project(struct snapshot *s)
{
    struct agent_path place;

    s->agent->classify(s->contents[0].path, &place);
    snprintf(s->project, sizeof(s->project), "%s", place.project);
}

int others_settle(struct snapshot *s, const char *preferred, struct ct_err *err)
{
    struct news **news = str_calloc(s->n, sizeof(struct news *));
    size_t all = s->n, best = 0;
    int rc = 0;

    for (size_t i = 0; i < all; i++)
        news[i] = news_new(s->agent);
    for (size_t i = 0; rc == 0 && all > 1 && i < all; i++)
        rc = read_copy(s, &s->contents[i], news[i], NULL, err);
    if (rc == 0)
        best = choose(s, preferred, news);
    if (rc == 0 && best == all)
        rc = err_set(err, ERR_GONE, "the session has no transcript but one that was put aside");
    if (rc == 0 && s->contents[best].root_fd != s->root_fd)
        rc = err_set(err, ERR_FAIL, "what counts of the session lies in another data folder");
    if (rc == 0)
        swap(s, news, 0, best);
    if (rc == 0)
        name_project(s);
    if (rc == 0 && all > 1)
        rc = divide(s, news, err);
    for (size_t i = 0; i < all; i++)
        news_free(news[i]);
    free(news);
    return rc;
}
