#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agents/news.h"
#include "agents/seen.h"
#include "bundle/format/entry.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/str.h"

#include "bundle/compare/rest.h"

#define WINDOW (256 << 10)
#define NAME_BYTES 16 /* of the digest that names it */
#define STAGED "rest"

struct rest {
    const struct agent *agent;
    struct seen *have; /* digests of lines */
    const struct unite_side *side;
    char *window;
    int out_fd; /* -1: what is read is what we have */
    size_t lines;
    int rc;
    struct ct_err *err;
};

/* Digest one line, or copy it, a newline behind it. */
static int each_piece(struct rest *r, const struct news_line *l, struct hash *h)
{
    for (int64_t at = 0; at < l->len;) {
        size_t want = l->len - at < WINDOW ? (size_t)(l->len - at) : WINDOW;
        if (file_pread_all(r->side->fd, r->window, want, (off_t)(l->at + at)) != (ssize_t)want)
            return err_set(r->err, ERR_RETRY, "a transcript can't be read any more; try again");
        if (h != NULL)
            hash_update(h, r->window, want);
        else if (file_write_all(r->out_fd, r->window, want) != 0)
            return err_sys(r->err, "can't write to the stage");
        at += (int64_t)want;
    }
    return h == NULL && file_write_all(r->out_fd, "\n", 1) != 0
               ? err_sys(r->err, "can't write to the stage")
               : 0;
}

static void on_line(void *arg, const struct news_line *l)
{
    struct rest *r = arg;
    unsigned char d[HASH_SHA256_BYTES];
    struct hash *h;

    if (r->rc != 0 || l->is_idle)
        return;
    h = hash_new(HASH_SHA256);
    r->rc = each_piece(r, l, h);
    hash_final(h, d);
    if (r->rc != 0 || !seen_add(r->have, d, sizeof(d)) || r->out_fd < 0)
        return;
    r->lines++;
    r->rc = each_piece(r, l, NULL);
}

static int read_side(struct rest *r, const struct unite_side *side)
{
    struct news *news = news_new_glance(r->agent);

    r->side = side;
    news_each(news, on_line, r);
    if (news_feed_file(news, side->fd, side->end, r->err) != 0)
        r->rc = -1;
    news_free(news);
    return r->rc;
}

/* Give it its name, in the bundle and in the stage. */
static int name(int stage_fd, int fd, struct strlist *ret, struct ct_err *err)
{
    char hex[HASH_SHA256_HEX], *entry, *staged;
    int64_t size;
    int rc = 0;

    if (hash_sha256_fd(fd, &size, hex) != 0)
        return err_sys(err, "can't read the stage");
    hex[2 * NAME_BYTES] = '\0';
    entry = str_printf(ENTRY_OTHERS "%s.jsonl", hex);
    staged = str_printf(STAGED "-%s", hex);
    if (renameat(stage_fd, STAGED, stage_fd, staged) != 0)
        rc = err_sys(err, "can't write to the stage");
    else {
        strlist_add(ret, entry);
        strlist_add(ret, staged);
    }
    free(entry);
    free(staged);
    return rc;
}

int rest_stage(const struct agent *agent, const struct unite_side *whole,
               const struct unite_side *parts, size_t n, int stage_fd, struct strlist *ret,
               struct ct_err *err)
{
    struct rest r = {.agent = agent,
                     .have = seen_new(),
                     .window = str_calloc(WINDOW, 1),
                     .out_fd = -1,
                     .err = err};

    if (read_side(&r, whole) == 0) {
        r.out_fd =
            openat(stage_fd, STAGED, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (r.out_fd < 0)
            r.rc = err_sys(err, "can't write to the stage");
    }
    for (size_t i = 0; r.rc == 0 && i < n; i++)
        (void)read_side(&r, &parts[i]);
    if (r.rc == 0 && r.lines > 0)
        r.rc = name(stage_fd, r.out_fd, ret, err);
    else
        (void)unlinkat(stage_fd, STAGED, 0);
    if (r.out_fd >= 0)
        close(r.out_fd);
    seen_free(r.have);
    free(r.window);
    return r.rc;
}
