#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "agents/linked.h"
#include "agents/lines/places.h"
#include "agents/unpack.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "bundle/format/entry.h"
#include "bundle/install/local.h"

#define LIVE_MAX (64 << 10)
#define MOMENT_NS \
    30000000 /* how long, and how often, we wait for the rest of what is half written */
#define MOMENTS 10

struct finding {
    const struct agent *agent;
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
    struct agent_path place;
    char reason[128];
    struct stat st;
    int fd = linked_open(f->agent, f->root_fd, file->path, 0);

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
    f->agent->classify(file->path, &place);
    c->path = str_dup(file->path);
    c->project = str_dup(place.project);
    local_stamp(&st, &c->was);
}

static int by_worth(const void *a, const void *b)
{
    const struct local_stamp *x = &((const struct local_copy *)a)->was;
    const struct local_stamp *y = &((const struct local_copy *)b)->was;

    if (x->size_bytes != y->size_bytes)
        return x->size_bytes > y->size_bytes ? -1 : 1;
    return x->mtime_ns > y->mtime_ns ? -1 : x->mtime_ns < y->mtime_ns;
}

static int read_all(int root_fd, const struct agent *agent, struct local *l, struct ct_err *err)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct local_copy *c = &l->copies[i];
        int fd = unpack_open(agent, root_fd, c->path), rc;
        if (fd < 0)
            return err_sys(err, "can't open the transcript");
        news_next(l->news);
        news_look_for(l->news, i == 0 ? c->project : NULL);
        rc = news_feed_file(l->news, fd, unpack_is_packed(c->path) ? INT64_MAX : c->was.size_bytes,
                            err);
        close(fd);
        if (rc != 0)
            return -1;
    }
    return 0;
}

struct listening {
    struct linked_visit visit;
    struct news *news;
    struct ct_err *err;
    int rc;
};

/* What can't be read adds nothing: the transcript itself is what counts. */
static void hear(void *arg, const char *path, int fd, const struct stat *st)
{
    struct listening *w = arg;

    (void)path;
    if (w->rc != 0)
        return;
    news_next(w->news);
    w->rc = news_feed_file(w->news, fd, (int64_t)st->st_size, w->err);
}

/* What came along from other transcripts, when the session was installed. */
static void hear_folder(struct listening *w, const char *session_id, const char *project)
{
    const struct agent *agent = w->visit.agent;
    char *path = agent->entry_path(session_id, project, NULL, ENTRY_OTHERS "x.jsonl");
    char *dir = path_parent(path != NULL ? path : "");
    int fd = linked_open(agent, w->visit.root_fd, dir, O_DIRECTORY);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        char *name = path_join(dir, e->d_name);
        struct agent_file file = {AGENT_SUBDIR, name, ""};
        if (e->d_name[0] != '.')
            linked_visit_ops.found(&w->visit, &file);
        free(name);
    }
    if (d != NULL)
        closedir(d);
    else if (fd >= 0)
        close(fd);
    free(dir);
    free(path);
}

/* All else of the session that is conversation: copies that were put aside, and what other
 * transcripts had more.  They are no copies that an installation moves. */
static int read_beside(int root_fd, const struct agent *agent, const char *session_id,
                       struct local *l, struct ct_err *err)
{
    struct listening w = {{agent, root_fd, hear, &w}, l->news, err, 0};

    for (size_t i = 0; w.rc == 0 && i < l->n; i++) {
        hear_folder(&w, session_id, l->copies[i].project);
        if (w.rc == 0)
            w.rc = agent->list_asides(root_fd, session_id, l->copies[i].project, &linked_visit_ops,
                                      &w.visit, NULL, err);
    }
    return w.rc;
}

int local_find(int root_fd, const struct agent *agent, const char *session_id, struct local *ret,
               struct ct_err *err)
{
    static const struct agent_list_ops ops = {on_found, on_skipped};
    struct local l = {.news = news_new(agent)};
    struct finding f = {agent, root_fd, session_id, &l, err, 0};

    if (root_fd >= 0 &&
        (agent->list_transcripts(root_fd, session_id, &ops, &f, NULL, err) != 0 || f.has_failed))
        goto err0;
    if (l.n > 1)
        qsort(l.copies, l.n, sizeof(*l.copies), by_worth);
    if (read_all(root_fd, agent, &l, err) != 0 ||
        read_beside(root_fd, agent, session_id, &l, err) != 0)
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

const char *local_cwd(const struct local *l)
{
    const char *cwd = news_project_cwd(l->news);

    return cwd[0] != '\0' ? cwd : news_cwd(l->news);
}

char *local_clash(int root_fd, const struct agent *agent, const char *path, const char *session_id)
{
    char *dir = path_parent(path), *found = NULL;
    int fd = agent->transcript_session != NULL && root_fd >= 0
                 ? linked_open(agent, root_fd, dir, O_DIRECTORY)
                 : -1;
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *e;

    while (found == NULL && d != NULL && (e = readdir(d)) != NULL) {
        char *other = path_join(dir, e->d_name);
        struct agent_path place;
        agent->classify(other, &place);
        if (place.kind == AGENT_TRANSCRIPT && strcmp(other, path) != 0 &&
            strncmp(place.prefix, session_id, strlen(place.prefix)) == 0 &&
            (agent_identify(agent, root_fd, other, &place) != 0 ||
             strcmp(place.session_id, session_id) != 0))
            found = str_dup(other);
        free(other);
    }
    if (d != NULL)
        closedir(d);
    else if (fd >= 0)
        close(fd);
    free(dir);
    return found;
}

struct walk {
    void (*f)(void *arg, const char *path, const char *id);
    void *arg;
};

static void on_transcript(void *arg, const char *path, const struct agent_path *place)
{
    const struct walk *w = arg;

    w->f(w->arg, path, place->session_id);
}

void local_each(const struct agent *agent, const char *root,
                void (*f)(void *arg, const char *path, const char *id), void *arg)
{
    struct walk w = {f, arg};
    int root_fd = beneath_open_root(root);

    (void)places_each(agent, root_fd, on_transcript, &w, NULL, NULL);
    if (root_fd >= 0)
        close(root_fd);
}

static void add_id(void *arg, const char *path, const char *id)
{
    (void)path;
    strlist_add(arg, id);
}

void local_list(const struct agent *agent, const char *root, struct strlist *ret)
{
    local_each(agent, root, add_id, ret);
    strlist_sort(ret);
}

void local_stamp(const struct stat *st, struct local_stamp *ret)
{
    ret->size_bytes = (int64_t)st->st_size;
    ret->mtime_ns = file_mtime_ns(st);
    ret->inode = (uint64_t)st->st_ino;
    ret->device = (uint64_t)st->st_dev;
}

int local_is_still(int root_fd, const struct agent *agent, const char *path,
                   const struct local_stamp *stamp)
{
    struct local_stamp now = {0};
    struct stat st;
    int fd = linked_open(agent, root_fd, path, 0);

    if (fd >= 0 && fstat(fd, &st) == 0)
        local_stamp(&st, &now);
    if (fd >= 0)
        close(fd);
    return fd >= 0 && now.inode == stamp->inode && now.device == stamp->device &&
           now.size_bytes == stamp->size_bytes && now.mtime_ns == stamp->mtime_ns;
}

int local_restamp(int root_fd, const struct agent *agent, struct local_copy *c)
{
    struct local_stamp now = {0};
    struct stat st;
    int fd = linked_open(agent, root_fd, c->path, 0), rc = -1;

    if (fd >= 0 && fstat(fd, &st) == 0) {
        local_stamp(&st, &now);
        rc = now.size_bytes == c->was.size_bytes && now.mtime_ns == c->was.mtime_ns ? 0 : -1;
    }
    if (fd >= 0)
        close(fd);
    if (rc == 0)
        c->was = now;
    return rc;
}

int local_has_changed(int root_fd, const struct agent *agent, const struct local *l)
{
    for (size_t i = 0; i < l->n; i++) {
        if (!local_is_still(root_fd, agent, l->copies[i].path, &l->copies[i].was))
            return 1;
    }
    return 0;
}

/* ---- who works on it ---------------------------------------------------------------------------
 */

static int is_half_written(const char *root, const char *path)
{
    int root_fd = beneath_open_root(root), fd = -1, is_half = 0;
    struct json_object *o = NULL;
    struct buf b = {0};

    if (root_fd >= 0)
        fd = beneath_open(root_fd, path, 0);
    if (fd >= 0 && file_read_fd(fd, path, LIVE_MAX, &b, NULL) == 0)
        is_half = jdoc_parse(b.data != NULL ? b.data : "", b.len, &o, NULL) != 0;
    json_object_put(o);
    buf_free(&b);
    if (fd >= 0)
        close(fd);
    if (root_fd >= 0)
        close(root_fd);
    return is_half;
}

/* Of a file that its writer is in the middle of, or died in, the name tells the process. */
static int says_live(const struct agent *agent, const char *root, const char *path,
                     const char *session_id)
{
    const struct timespec moment = {0, MOMENT_NS};
    struct agent_live live;

    for (int i = 0; agent_read_live(agent, root, path, &live) != 0; i++) {
        memset(&live, 0, sizeof(live));
        live.pid = strtoll(path_base(path), NULL, 10);
        if (!is_half_written(root, path) || !agent_is_alive(&live))
            return 0;
        if (i == MOMENTS)
            return 1;
        nanosleep(&moment, NULL);
    }
    return strcmp(live.session_id, session_id) == 0 && agent_is_alive(&live);
}

int local_is_live(const struct agent *agent, const char *root, const char *session_id)
{
    const char *live = agent->live_dir;
    char *dir = live != NULL ? path_join(root, live) : NULL;
    DIR *d = dir != NULL ? opendir(dir) : NULL;
    struct dirent *e;
    int is_live = agent->is_open != NULL && agent->is_open(root, session_id);

    while (!is_live && d != NULL && (e = readdir(d)) != NULL) {
        char *path = path_join(live, e->d_name);
        is_live = e->d_name[0] != '.' && says_live(agent, root, path, session_id);
        free(path);
    }
    if (d != NULL)
        closedir(d);
    free(dir);
    return is_live;
}
