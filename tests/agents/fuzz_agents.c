/* Whatever lies in a transcript, or comes in one: every agent's row reads it within its bounds, and
 * what comes home of a stranger's is records, which come again as they are.  The first byte says
 * whose it is, the second at which trust it comes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agents/agent.h"
#include "agents/lines/anew.h"
#include "agents/news.h"
#include "agents/transcript.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/data/jscan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int put(void *arg, const void *p, size_t n, int is_exact, struct ct_err *err)
{
    (void)is_exact;
    (void)err;
    buf_add(arg, p, n);
    return 0;
}

static char *moved(void *arg, const char *path)
{
    (void)arg;
    return str_dup(path);
}

static void on_turn(void *arg, const struct turn *t)
{
    size_t *n = arg;

    *n += strlen(t->text) + (t->tool != NULL) + (t->brief != NULL);
    for (size_t i = 0; i < t->n_images; i++)
        *n += strlen(t->images[i].data) + strlen(t->images[i].type);
}

static void read_all(const struct agent *a, const char *p, size_t n)
{
    struct transcript *t = transcript_new(a);
    struct news *news = news_new(a);
    size_t said = 0;
    struct turns *turns = turns_new(a, on_turn, &said);
    struct transcript_facts f;

    transcript_feed(t, p, n);
    transcript_facts(t, &f);
    news_feed(news, p, n);
    news_end(news);
    turns_feed(turns, p, n);
    turns_end(turns);
    (void)agent_by_head(p, n);
    transcript_free(t);
    news_free(news);
    turns_free(turns);
}

static void rebuild(const struct agent *a, enum trust trust, const char *entry, const char *p,
                    size_t n, struct buf *ret)
{
    struct losses losses = {0};
    const struct rebuild_opts opts = {.trust = trust,
                                      .session_id = "9ca7dcee-b530-4eae-8550-0a237c51252f",
                                      .cwd = "/home/al/p",
                                      .home = "/home/al",
                                      .losses = &losses,
                                      .moved = moved,
                                      .put = put,
                                      .arg = ret};
    struct rebuild *r = a->rebuild_new(&opts, entry);

    if (r != NULL) {
        if (a->rebuild_feed(r, p, n, NULL) != 0)
            abort();
        (void)a->rebuild_end(r, NULL);
        a->rebuild_free(r);
    }
    losses_free(&losses);
}

static void on_close(void *arg, const struct jscan *s)
{
    (void)arg, (void)s;
}

static size_t on_begin(void *arg, const struct jscan *s, enum jscan_type type)
{
    (void)arg, (void)s, (void)type;
    return 0;
}

static void check_records(const struct buf *b)
{
    static const struct jscan_ops ops = {on_begin, NULL, on_close, NULL};

    for (size_t at = 0; at < b->len;) {
        const char *end = memchr(b->data + at, '\n', b->len - at);
        struct jscan scan;
        if (end == NULL)
            abort();
        jscan_init(&scan);
        jscan_feed(&scan, &ops, NULL, b->data + at, (size_t)(end - b->data) - at);
        if (!jscan_is_object(&scan))
            abort();
        at = (size_t)(end - b->data) + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf once = {0}, twice = {0}, beside = {0};
    const struct agent *a;
    enum trust trust;
    size_t n = 0;

    while (agent_at(n) != NULL)
        n++;
    if (size < 2)
        return 0;
    a = agent_at(data[0] % n);
    trust = data[1] % 3 == 0 ? TRUST_OWN : data[1] % 3 == 1 ? TRUST_ACCOUNT : TRUST_STRANGER;
    read_all(a, (const char *)data + 2, size - 2);
    rebuild(a, trust, "session.jsonl", (const char *)data + 2, size - 2, &once);
    rebuild(a, trust, "session-subdir/workspace.yaml", (const char *)data + 2, size - 2, &beside);
    rebuild(a, trust, "session-subdir/rewind-file-snapshots/index.json", (const char *)data + 2,
            size - 2, &beside);
    if (a->rebuild_feed == anew_feed && trust == TRUST_STRANGER && once.len > 0) {
        check_records(&once);
        rebuild(a, trust, "session.jsonl", once.data, once.len, &twice);
        if (twice.len != once.len || memcmp(twice.data, once.data, once.len) != 0)
            abort();
    }
    buf_free(&once);
    buf_free(&twice);
    buf_free(&beside);
    return 0;
}
