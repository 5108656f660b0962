#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "agents/linked.h"
#include "agents/unpack.h"
#include "bundle/format/entry.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "bundle/pack/content.h"

#define WINDOW (256 << 10)

/* File times tick coarsely: a write this soon after another may leave them as they were. */
#define FRESH_NS (2 * INT64_C(1000000000))

void content_skip(struct snapshot *s, const char *path, const char *reason)
{
    strlist_add(&s->skipped, path);
    strlist_add(&s->skipped, reason);
}

void content_clear(struct content *c)
{
    free(c->path);
    free(c->entry);
    free(c->ranges);
    free(c->blocks);
    if (c->unpacked > 0)
        close(c->unpacked - 1);
    c->unpacked = 0;
}

char *content_place(const struct snapshot *s, const struct content *c)
{
    for (size_t i = 0; i < s->n_also; i++) {
        if (s->also[i].fd == c->root_fd)
            return path_join(s->also[i].root, c->path);
    }
    return str_dup(c->path);
}

void content_add(struct snapshot *s, const struct content *c)
{
    if (s->n == s->cap) {
        s->cap = s->cap == 0 ? 16 : s->cap * 2;
        s->contents = str_realloc(s->contents, s->cap, sizeof(*s->contents));
    }
    s->contents[s->n++] = *c;
}

static void add(struct snapshot *s, enum agent_kind kind, const char *path, const char *entry,
                const struct stat *st, int unpacked_fd)
{
    struct content c = {.kind = kind};
    struct stat whole;

    c.path = str_dup(path);
    c.root_fd = s->look_fd;
    c.entry = str_dup(entry);
    c.length = c.whole = c.size_bytes = (int64_t)st->st_size;
    if (unpacked_fd >= 0 && fstat(unpacked_fd, &whole) == 0)
        c.length = c.whole = (int64_t)whole.st_size;
    c.unpacked = unpacked_fd + 1;
    c.mtime_ns = file_mtime_ns(st);
    c.ctime_ns = file_ctime_ns(st);
    c.is_executable = kind == AGENT_FILE_HISTORY && (st->st_mode & S_IXUSR) != 0;
    c.inode = (uint64_t)st->st_ino;
    c.device = (uint64_t)st->st_dev;
    content_add(s, &c);
}

void content_skip_here(struct snapshot *s, const char *path, const char *reason)
{
    const struct content c = {.path = (char *)(uintptr_t)path, .root_fd = s->look_fd};
    char *place = content_place(s, &c);

    content_skip(s, place, reason);
    free(place);
}

int content_freeze(struct snapshot *s, enum agent_kind kind, const char *path, const char *entry,
                   struct ct_err *err)
{
    char reason[128];
    struct ct_err packed = {0};
    struct stat st;
    int fd, unpacked_fd = -1;

    if (strlen(entry) > ENTRY_NAME_MAX) {
        content_skip(s, path, "its name is too long for a bundle");
        return 0;
    }
    if (s->n >= CONTENT_ENTRIES_MAX) {
        content_skip(s, path, "the session has more files than a bundle may hold");
        return 0;
    }
    fd = linked_open(s->agent, s->look_fd, path, 0);
    if (fd < 0 || fstat(fd, &st) != 0) {
        int e = errno;
        if (fd >= 0)
            close(fd);
        if (e == EMFILE || e == ENFILE || e == ENOMEM) {
            errno = e;
            return err_sys(err, "can't open a file of the session");
        }
        if (e != ENOENT && e != ENOTDIR)
            content_skip(s, path, beneath_reason(e, reason, sizeof(reason)));
        return 0;
    }
    if (!S_ISREG(st.st_mode))
        content_skip(s, path, "not a regular file");
    else if (st.st_uid != geteuid())
        content_skip(s, path, "belongs to another user");
    else if (kind == AGENT_TRANSCRIPT && unpack_is_packed(path) &&
             (unpacked_fd = unpack(fd, &packed)) < 0)
        content_skip(s, path, packed.msg);
    else
        add(s, kind, path, entry, &st, unpacked_fd);
    close(fd);
    return S_ISREG(st.st_mode) && st.st_uid == geteuid() && packed.code == 0;
}

static int has_path(const struct snapshot *s, const char *path)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->contents[i].root_fd == s->look_fd && strcmp(s->contents[i].path, path) == 0)
            return 1;
    }
    return 0;
}

int content_is_there_too(const struct snapshot *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->contents[i].root_fd == s->look_fd)
            return 1;
    }
    for (size_t i = 0; i < s->n_twins; i++) {
        if (s->twins[i].root_fd == s->look_fd)
            return 1;
    }
    return 0;
}

/* Look at the next data folder that has something of the session, the first one first; return 0
 * after the last. */
static int look_at_next(struct snapshot *s, size_t *at)
{
    if (*at == 0) {
        ++*at;
        s->look_fd = s->root_fd;
        return 1;
    }
    while (*at <= s->n_also) {
        s->look_fd = s->also[(*at)++ - 1].fd;
        if (content_is_there_too(s))
            return 1;
    }
    s->look_fd = s->root_fd;
    return 0;
}

static int has_entry(const struct snapshot *s, const char *entry)
{
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->contents[i].entry, entry) == 0)
            return 1;
    }
    return 0;
}

/* A paste is named after what it holds: whichever data folder has it. */
int content_add_pastes(struct snapshot *s, const struct strlist *names, struct ct_err *err)
{
    char path[256], entry[256], of_profile[300];
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < names->n; i++) {
        if (s->agent->named(names->v[i], path, entry, sizeof(path)) != 0)
            continue;
        snprintf(of_profile, sizeof(of_profile), AGENT_PROFILE_ENTRY "%s", entry);
        if (s->is_profile)
            snprintf(entry, sizeof(entry), "%.*s", (int)sizeof(entry) - 1, of_profile);
        rc = has_entry(s, entry);
        for (size_t at = 0; rc == 0 && look_at_next(s, &at);)
            rc = content_freeze(s, AGENT_PASTE, path, entry, err);
        s->look_fd = s->root_fd;
    }
    return rc < 0 ? -1 : 0;
}

/* Lists end in callbacks without a return value: the error waits here. */
struct listing {
    struct snapshot *s;
    struct ct_err *err;
    int has_failed;
};

static void found_plan(void *arg, const struct agent_file *file)
{
    struct listing *l = arg;
    const struct snapshot_guard *g = l->s->guard;
    const char *why;

    if (l->has_failed || has_path(l->s, file->path))
        return;
    why = g != NULL ? g->plan(g->arg, file->path) : NULL;
    if (why != NULL)
        content_skip_here(l->s, file->path, why);
    else if (content_freeze(l->s, file->kind, file->path, file->entry, l->err) < 0)
        l->has_failed = 1;
}

static void skipped(void *arg, const char *path, const char *reason)
{
    struct listing *l = arg;

    content_skip(l->s, path, reason);
}

int content_add_plans(struct snapshot *s, const struct strlist *slugs, struct ct_err *err)
{
    static const struct agent_list_ops ops = {found_plan, skipped};
    struct listing l = {s, err, 0};
    int rc = 0;

    for (size_t at = 0; rc == 0 && !l.has_failed && look_at_next(s, &at);)
        rc = s->agent->list_plans(s->look_fd, slugs, &ops, &l, s->cancel, err);
    s->look_fd = s->root_fd;
    return rc != 0 || l.has_failed ? -1 : 0;
}

int content_add_cited(struct snapshot *s, const struct strlist *cites, struct ct_err *err)
{
    const struct snapshot_guard *g = s->guard;
    struct stat st;
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < cites->n; i++) {
        const char *why;
        char *path, *entry;
        if (s->agent->cited(s->project, cites->v[i], &path, &entry) != 0)
            continue;
        why = g != NULL ? g->cited(g->arg, s->root_fd, path) : NULL;
        if (why == NULL)
            rc = content_freeze(s, AGENT_SUBDIR, path, entry, err);
        else if (fstatat(s->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
            content_skip(s, path, why);
        if (why == NULL && rc == 1)
            s->contents[s->n - 1].is_cited = 1;
        free(path);
        free(entry);
    }
    return rc < 0 ? -1 : 0;
}

static int by_entry(const void *a, const void *b)
{
    const struct content *x = a, *y = b;
    int order = strcmp(x->entry, y->entry);

    if (order != 0)
        return order;
    if (x->length != y->length)
        return x->length > y->length ? -1 : 1;
    if (x->mtime_ns != y->mtime_ns)
        return x->mtime_ns > y->mtime_ns ? -1 : 1;
    return strcmp(x->path, y->path);
}

/* Is all of ${c} the beginning of ${longer}? */
static int begins(const struct snapshot *s, const struct content *c, const struct content *longer,
                  int *ret, struct ct_err *err)
{
    char *p = str_calloc(2, WINDOW), *q = p + WINDOW;
    int a = content_open(s, c, err), b = a >= 0 ? content_open(s, longer, err) : -1;
    int rc = b >= 0 ? 0 : -1;

    *ret = 1;
    for (int64_t at = 0; rc == 0 && *ret && at < c->length; at += WINDOW) {
        size_t n = c->length - at < WINDOW ? (size_t)(c->length - at) : WINDOW;
        rc = content_read(c, a, p, n, at, err);
        if (rc == 0)
            rc = content_read(longer, b, q, n, at, err);
        *ret = rc == 0 && memcmp(p, q, n) == 0;
    }
    if (a >= 0)
        close(a);
    if (b >= 0)
        close(b);
    free(p);
    return rc;
}

/* Under a name after where it lies, so that it stays the same while the file grows. */
static void put_beside(const struct snapshot *s, struct content *c)
{
    const char *dot = strrchr(path_base(c->path), '.');
    unsigned char digest[HASH_SHA256_BYTES];
    char hex[2 * ENTRY_OTHERS_BYTES + 1], *place = content_place(s, c);

    hash_sha256(place, strlen(place), digest);
    free(place);
    hash_hex(digest, ENTRY_OTHERS_BYTES, hex);
    free(c->entry);
    c->entry = str_printf(ENTRY_OTHERS "%s%s", hex, dot != NULL ? dot : "");
}

/* ${c} has the same entry as ${first}.  Return whether it goes in all the same. */
static int settle(struct snapshot *s, const struct content *first, struct content *c, int *ret,
                  struct ct_err *err)
{
    int is_contained = 0;

    *ret = 0;
    if (begins(s, c, first, &is_contained, err) != 0)
        return -1;
    if (is_contained)
        return 0;
    *ret = !c->is_cited && (c->kind == AGENT_SUBDIR || c->kind == AGENT_SIDECHAIN);
    if (!*ret) {
        char *place = content_place(s, c);
        content_skip(s, place, "a longer or newer file has the same place in the bundle");
        free(place);
    }
    return 0;
}

int content_sort(struct snapshot *s, struct ct_err *err)
{
    size_t first = 0, kept = 0, beside = 0;
    int rc = 0;

    if (s->n > 0)
        qsort(s->contents, s->n, sizeof(*s->contents), by_entry);
    for (size_t i = 0; i < s->n; i++) {
        struct content *c = &s->contents[i];
        int is_more = 0;
        if (kept > 0 && strcmp(s->contents[first].entry, c->entry) == 0) {
            if (rc == 0)
                rc = settle(s, &s->contents[first], c, &is_more, err);
            if (is_more) {
                put_beside(s, c);
                beside++;
                s->contents[kept++] = *c;
            } else {
                content_clear(c);
            }
        } else {
            first = kept;
            s->contents[kept++] = *c;
        }
    }
    s->n = kept;
    return rc == 0 && beside > 0 ? content_sort(s, err) : rc;
}

struct content *content_transcript(const struct snapshot *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->contents[i].kind == AGENT_TRANSCRIPT)
            return &s->contents[i];
    }
    return NULL;
}

int content_open(const struct snapshot *s, const struct content *c, struct ct_err *err)
{
    struct stat st;
    int fd = c->unpacked > 0 ? fcntl(c->unpacked - 1, F_DUPFD_CLOEXEC, 0)
                             : linked_open(s->agent, c->root_fd, c->path, 0);

    if (c->unpacked > 0)
        return fd >= 0 ? fd : err_sys(err, "can't open a file of the session again");
    if (fd < 0) {
        int e = errno;
        err_sys(err, "can't open a file of the session again");
        if (err != NULL && (e == ENOENT || e == ENOTDIR || e == ELOOP))
            err->code = ERR_RETRY;
        return -1;
    }
    if (fstat(fd, &st) != 0) {
        err_sys(err, "can't stat a file of the session");
        close(fd);
        return -1;
    }
    if ((uint64_t)st.st_ino != c->inode || (uint64_t)st.st_dev != c->device ||
        !S_ISREG(st.st_mode) || (int64_t)st.st_size < c->size_bytes ||
        ((int64_t)st.st_size == c->size_bytes && file_mtime_ns(&st) != c->mtime_ns)) {
        close(fd);
        return err_set(err, ERR_RETRY, "a file changed under our hands");
    }
    return fd;
}

int content_has_changed(const struct content *c, int fd)
{
    struct stat st;

    if (c->unpacked > 0)
        return 0; /* it was read before */
    return fstat(fd, &st) != 0 || (int64_t)st.st_size != c->size_bytes ||
           file_mtime_ns(&st) != c->mtime_ns || file_ctime_ns(&st) != c->ctime_ns ||
           now_wall_ms() * 1000000 - c->mtime_ns < FRESH_NS;
}

static int read_part(int fd, char *p, size_t n, int64_t offset, struct ct_err *err)
{
    ssize_t got = file_pread_all(fd, p, n, (off_t)offset);

    if (got < 0)
        return err_sys(err, "can't read a file of the session");
    if ((size_t)got < n)
        return err_set(err, ERR_RETRY, "a file shrank under our hands");
    return 0;
}

int content_read(const struct content *c, int fd, void *p, size_t n, int64_t offset,
                 struct ct_err *err)
{
    char *to = p;

    if (c->ranges == NULL)
        return read_part(fd, to, n, offset, err);
    for (size_t i = 0; i < c->n_ranges && n > 0; i++) {
        const struct content_range *r = &c->ranges[i];
        size_t part;
        if (offset >= r->bytes) {
            offset -= r->bytes;
            continue;
        }
        part = (size_t)(r->bytes - offset) < n ? (size_t)(r->bytes - offset) : n;
        if (read_part(fd, to, part, r->offset + offset, err) != 0)
            return -1;
        to += part;
        n -= part;
        offset = 0;
    }
    return n == 0 ? 0 : err_set(err, ERR_BUG, "read beyond the end of a content");
}
