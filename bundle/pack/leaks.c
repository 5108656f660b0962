#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle/pack/content.h"
#include "common/base/str.h"

#include "bundle/pack/leaks.h"

#define READ_BYTES (256 << 10)

struct one {
    const struct leaks_opts *o;
    const struct content *c;
};

static void on_found(void *arg, const char *rule, int64_t line)
{
    const struct one *x = arg;

    x->o->found(x->o->arg, x->c->path, rule, line);
}

/* Records are added at the end of these and nothing else ever happens to them. */
static int only_grows(const struct leaks_opts *o, const struct content *c)
{
    size_t n = strlen(c->path);

    if (c->ranges != NULL || n < 6 || strcmp(c->path + n - 6, ".jsonl") != 0)
        return 0;
    return c->kind != AGENT_TRANSCRIPT || !o->is_rewritten;
}

/* Note where lines end, so that the next time begins with the line that is not whole yet. */
static void count(struct leaks_mark *m, const char *p, size_t n, int64_t offset)
{
    for (const char *end = p + n, *hit = p; hit < end; hit++) {
        if ((hit = memchr(hit, '\n', (size_t)(end - hit))) == NULL)
            return;
        m->lines++;
        m->bytes = offset + (hit - p) + 1;
    }
}

static int scan(const struct snapshot *s, const struct leaks_opts *o, const struct content *c,
                struct leaks_mark *m, struct ct_err *err)
{
    struct one x = {o, c};
    int fd = content_open(s, c, err), rc = 0;
    struct leak_scan *scan;
    char *p;

    if (fd < 0)
        return -1;
    scan = leak_scan_new(o->rules, c->path, m->lines + 1, on_found, &x);
    p = str_calloc(1, READ_BYTES);
    for (int64_t at = m->bytes, n; rc == 0 && at < c->length; at += n) {
        n = c->length - at < READ_BYTES ? c->length - at : READ_BYTES;
        if (o->cancel != NULL && *o->cancel)
            rc = err_set(err, ERR_CANCELLED, "stopped");
        else
            rc = content_read(c, fd, p, (size_t)n, at, err);
        if (rc != 0)
            break;
        leak_scan_feed(scan, p, (size_t)n);
        count(m, p, (size_t)n, at);
    }
    if (rc == 0) {
        leak_scan_end(scan);
        if (leak_scan_gave_up(scan) != NULL)
            o->gave_up(o->arg, c->path, leak_scan_gave_up(scan));
    }
    str_wipe(p, READ_BYTES);
    free(p);
    leak_scan_free(scan);
    close(fd);
    return rc;
}

int leaks_scan(const struct snapshot *s, const struct leaks_opts *o, struct ct_err *err)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct content *c = &s->contents[i];
        struct leaks_mark old = {0}, m = {0};
        if (o->known(o->arg, c->path, &old)) {
            int is_same = old.inode == c->inode && old.size_bytes == c->size_bytes &&
                          old.mtime_ns == c->mtime_ns;
            if (is_same && !(c->kind == AGENT_TRANSCRIPT && o->is_rewritten))
                continue;
            if (only_grows(o, c) && old.inode == c->inode && old.bytes <= c->length &&
                old.size_bytes <= c->size_bytes)
                m = old;
        }
        o->begin(o->arg, c->path, m.bytes == 0);
        if (scan(s, o, c, &m, err) != 0)
            return -1;
        m.size_bytes = c->size_bytes;
        m.mtime_ns = c->mtime_ns;
        m.inode = c->inode;
        o->end(o->arg, c->path, &m);
    }
    return 0;
}
