#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/beneath.h"
#include "common/file.h"
#include "common/path.h"
#include "common/str.h"

#include "bundle/local.h"

#define WINDOW (256 << 10)

struct finding {
    int root_fd;
    const char *session_id;
    struct local *l;
    struct ct_err *err;
    int has_failed;
};

static void on_skipped(void *arg, const char *path, const char *reason)
{
    struct finding *f = arg;
    const char *base = path_base(path);
    int is_in_the_way =
        strcmp(path, base) == 0 || (strncmp(base, f->session_id, strlen(f->session_id)) == 0);

    if (!is_in_the_way)
        return;
    if (!f->has_failed)
        err_set(f->err, ERR_FAIL, "what is in the place of the transcript (%s) can't be used: %s",
                path, reason);
    f->has_failed = 1;
}

static void on_found(void *arg, const struct agent_file *file)
{
    struct finding *f = arg;
    struct local *l = f->l;
    struct local_copy *c;
    char reason[128], *dir;
    struct stat st;
    int fd = beneath_open(f->root_fd, file->path, 0);

    if (fd < 0 && errno == ENOENT)
        return;
    if (fd < 0 || fstat(fd, &st) != 0) {
        on_skipped(f, file->path, beneath_reason(errno, reason, sizeof(reason)));
        if (fd >= 0)
            close(fd);
        return;
    }
    close(fd);
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid()) {
        on_skipped(f, file->path, "it is no regular file of this user");
        return;
    }
    l->copies = str_realloc(l->copies, l->n + 1, sizeof(*l->copies));
    c = &l->copies[l->n++];
    dir = path_parent(file->path);
    c->path = str_dup(file->path);
    c->project = str_dup(path_base(dir));
    c->size_bytes = (int64_t)st.st_size;
    c->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    c->inode = (uint64_t)st.st_ino;
    c->device = (uint64_t)st.st_dev;
    free(dir);
}

static int by_worth(const void *a, const void *b)
{
    const struct local_copy *x = a, *y = b;

    if (x->size_bytes != y->size_bytes)
        return x->size_bytes > y->size_bytes ? -1 : 1;
    return x->mtime_ns > y->mtime_ns ? -1 : x->mtime_ns < y->mtime_ns;
}

int local_feed(int fd, int64_t end, struct news *n, struct ct_err *err)
{
    char *p = str_calloc(WINDOW, 1);
    int64_t at = 0;
    ssize_t got = 1;

    while (at < end && got > 0) {
        size_t want = end - at < WINDOW ? (size_t)(end - at) : WINDOW;
        got = file_pread_all(fd, p, want, (off_t)at);
        if (got > 0)
            news_feed(n, p, (size_t)got);
        at += got;
    }
    free(p);
    return got < 0 ? err_sys(err, "can't read the transcript") : 0;
}

static int read_all(int root_fd, struct local *l, struct ct_err *err)
{
    for (size_t i = 0; i < l->n; i++) {
        int fd = beneath_open(root_fd, l->copies[i].path, 0), rc;
        if (fd < 0)
            return err_sys(err, "can't open the transcript");
        news_next(l->news);
        rc = local_feed(fd, l->copies[i].size_bytes, l->news, err);
        close(fd);
        if (rc != 0)
            return -1;
    }
    return 0;
}

int local_find(int root_fd, const struct agent *agent, const char *session_id, struct local *ret,
               struct ct_err *err)
{
    static const struct agent_list_ops ops = {on_found, on_skipped};
    struct local l = {.news = news_new()};
    struct finding f = {root_fd, session_id, &l, err, 0};

    if (root_fd >= 0 &&
        (agent->list_transcripts(root_fd, session_id, &ops, &f, NULL, err) != 0 || f.has_failed))
        goto err0;
    if (l.n > 1)
        qsort(l.copies, l.n, sizeof(*l.copies), by_worth);
    if (read_all(root_fd, &l, err) != 0)
        goto err0;
    *ret = l;

    /* Success! */
    return 0;

err0:
    local_clear(&l);
    /* Failure! */
    return -1;
}

void local_clear(struct local *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->copies[i].path);
        free(l->copies[i].project);
    }
    free(l->copies);
    news_free(l->news);
    memset(l, 0, sizeof(*l));
}

static void list_project(const char *dir, struct strlist *ret)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    char id[UUID_SIZE];

    while (d != NULL && (e = readdir(d)) != NULL) {
        if (strlen(e->d_name) != UUID_SIZE - 1 + strlen(".jsonl") ||
            strcmp(e->d_name + UUID_SIZE - 1, ".jsonl") != 0)
            continue;
        snprintf(id, sizeof(id), "%.*s", UUID_SIZE - 1, e->d_name);
        if (uuid_is_valid(id))
            strlist_add(ret, id);
    }
    if (d != NULL)
        closedir(d);
}

void local_list(const char *root, struct strlist *ret)
{
    char *projects = path_join(root, "projects");
    DIR *d = opendir(projects);
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        char *dir = path_join(projects, e->d_name);
        if (e->d_name[0] != '.')
            list_project(dir, ret);
        free(dir);
    }
    if (d != NULL)
        closedir(d);
    free(projects);
    strlist_sort(ret);
}

int local_has_changed(int root_fd, const struct local *l)
{
    struct stat st;

    for (size_t i = 0; i < l->n; i++) {
        const struct local_copy *c = &l->copies[i];
        int fd = beneath_open(root_fd, c->path, 0);
        int is_same = fd >= 0 && fstat(fd, &st) == 0 && (uint64_t)st.st_ino == c->inode &&
                      (uint64_t)st.st_dev == c->device && (int64_t)st.st_size == c->size_bytes &&
                      (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec == c->mtime_ns;
        if (fd >= 0)
            close(fd);
        if (!is_same)
            return 1;
    }
    return 0;
}

int local_is_live(const char *root, const char *session_id)
{
    char *dir = path_join(root, "sessions");
    DIR *d = opendir(dir);
    struct agent_live live;
    struct dirent *e;
    int is_live = 0;

    while (!is_live && d != NULL && (e = readdir(d)) != NULL) {
        char *path = path_join("sessions", e->d_name);
        is_live = e->d_name[0] != '.' && agent_read_live(root, path, &live) == 0 &&
                  strcmp(live.session_id, session_id) == 0 && agent_is_alive(&live);
        free(path);
    }
    if (d != NULL)
        closedir(d);
    free(dir);
    return is_live;
}
