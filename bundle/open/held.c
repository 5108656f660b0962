#include <string.h>

#include "bundle/open/held.h"

static void on_transcript(void *arg, const void *p, size_t n)
{
    struct held *h = arg;

    news_feed(h->news, p, n);
}

int held_look(const char *path, const struct unseal_opts *unseal, const char *session_id,
              const _Atomic int *cancel, struct held *ret, struct ct_err *err)
{
    struct held h = {0};
    /* Nothing is written, so what it claims can do no harm; and it was this account's before. */
    const struct open_opts opts = {
        .session_id = session_id,
        .unseal = *unseal,
        .trust = TRUST_OWN,
        .with_memory = 1,
        .cancel = cancel,
        .transcript = on_transcript,
        .transcript_arg = &h,
    };
    struct opener *opener;
    int rc = opener_new(path, &opts, &opener, err);

    if (rc == 0) {
        h.news = news_new(opener_meta(opener)->agent);
        rc = opener_extract(opener, NULL, NULL, &h.opened, err);
        opener_free(opener);
    }
    if (rc != 0) {
        news_free(h.news);
        return -1;
    }
    news_end(h.news);
    held_vouch(&h, TRUST_STRANGER);
    *ret = h;
    return 0;
}

void held_vouch(struct held *h, enum trust trust)
{
    if (h->news == NULL)
        return;
    h->opened.trust = trust;
    news_vouch(h->news, trust);
}

void held_clear(struct held *h)
{
    if (h->news != NULL)
        open_result_free(&h->opened);
    news_free(h->news);
    memset(h, 0, sizeof(*h));
}

/* ---- comparing ---------------------------------------------------------------------------------
 */

int held_of_the_moment(enum agent_kind kind)
{
    return kind == AGENT_TASK || kind == AGENT_TODO || kind == AGENT_PLAN || kind == AGENT_MEMORY;
}

static const struct open_entry *find(const struct open_result *r, const char *name)
{
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->entries[i].name, name) == 0)
            return &r->entries[i];
    }
    return NULL;
}

static int ends(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n > m && strcmp(s + n - m, end) == 0;
}

static int is_other(const struct open_entry *a, const struct open_entry *b)
{
    return !ends(b->name, ".json") && memcmp(a->digest, b->digest, sizeof(a->digest)) != 0;
}

static int is_longer(const struct open_entry *a, const struct open_entry *b)
{
    if (ends(b->name, ".jsonl"))
        return b->lines > a->lines;
    return !ends(b->name, ".json") && b->size_bytes > a->size_bytes;
}

size_t held_files_lacking(const struct open_result *a, const struct open_result *b,
                          int (*is_lacking)(void *arg, const struct open_entry *e), void *arg)
{
    int (*is_lost)(const struct open_entry *, const struct open_entry *) =
        a->trust < b->trust ? is_other : is_longer;
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++) {
        const struct open_entry *e = &b->entries[i], *mine;
        if (e->kind == AGENT_TRANSCRIPT || e->kind == AGENT_HISTORY ||
            (held_of_the_moment(e->kind) && e->kind != AGENT_MEMORY))
            continue;
        mine = find(a, e->name);
        n += (mine == NULL || is_lost(mine, e)) && (is_lacking == NULL || is_lacking(arg, e));
    }
    return n;
}
