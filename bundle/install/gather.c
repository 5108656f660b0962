#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "agents/linked.h"
#include "bundle/install/across.h"
#include "bundle/compare/compare.h"
#include "bundle/install/destination.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "bundle/install/gather.h"

#define DEPTH_MAX 64
#define GATHERED "gathered"

struct gathering {
    struct publishing *p;
    int is_main; /* the folder belongs to the copy that counts */
    int is_clearing;
    int (*each)(struct gathering *g, const char *from, const char *to, struct ct_err *err);
};

static char *own_folder(const struct agent *agent, const char *project, const char *session_id)
{
    char *folder = agent_project_path(agent, project), *own = path_join(folder, session_id);

    free(folder);
    return own;
}

static DIR *open_folder(const struct agent *agent, int root_fd, const char *path)
{
    int fd = path[0] != '\0' ? linked_open(agent, root_fd, path, O_DIRECTORY)
                             : openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

    if (fd >= 0 && d == NULL)
        close(fd);
    return d;
}

static int is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

void gather_find(const struct agent *agent, int root_fd, const char *session_id,
                 const char *project, struct strlist *ret)
{
    DIR *d = open_folder(agent, root_fd, agent->projects);
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        char *path;
        int fd;
        if (is_dots(e->d_name) || strcmp(e->d_name, project) == 0)
            continue;
        path = own_folder(agent, e->d_name, session_id);
        fd = linked_open(agent, root_fd, path, O_DIRECTORY);
        if (fd >= 0) {
            strlist_add(ret, e->d_name);
            close(fd);
        }
        free(path);
    }
    if (d != NULL)
        closedir(d);
    strlist_sort(ret);
}

/* ---- every file of every folder ----------------------------------------------------------------
 */

static int walk(struct gathering *g, const char *from, const char *to, int depth,
                struct ct_err *err);

static int entry(struct gathering *g, int dir_fd, const char *name, const char *from,
                 const char *to, int depth, struct ct_err *err)
{
    char *a = path_join(from, name), *b = path_join(to, name);
    struct stat st;
    int rc = 0;

    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        rc = errno == ENOENT ? 0 : err_sys(err, "can't look at %s", a);
    else if (S_ISDIR(st.st_mode))
        rc = walk(g, a, b, depth + 1, err);
    else
        rc = g->each(g, a, b, err);
    free(a);
    free(b);
    return rc;
}

/* If something came into it just now, it stays. */
static int remove_empty(struct gathering *g, const char *path, struct ct_err *err)
{
    struct destination s;

    if (destination_open(g->p, path, &s, err) != 0)
        return -1;
    (void)unlinkat(s.dir_fd, s.base, AT_REMOVEDIR);
    destination_note(g->p, s.dir);
    destination_close(&s);
    return 0;
}

/* The names first: what is done to the entries changes the folder. */
static int walk(struct gathering *g, const char *from, const char *to, int depth,
                struct ct_err *err)
{
    DIR *d = depth < DEPTH_MAX ? open_folder(g->p->agent, g->p->stage->root_fd, from) : NULL;
    struct strlist names = {0};
    struct dirent *e;
    int rc = 0;

    if (d == NULL)
        return err_set(err, ERR_FAIL, "the folder %s can't be read", from);
    while ((e = readdir(d)) != NULL) {
        if (!is_dots(e->d_name))
            strlist_add(&names, e->d_name);
    }
    strlist_sort(&names);
    for (size_t i = 0; rc == 0 && i < names.n; i++)
        rc = entry(g, dirfd(d), names.v[i], from, to, depth, err);
    closedir(d);
    strlist_free(&names);
    return rc == 0 && g->is_clearing ? remove_empty(g, from, err) : rc;
}

/* ---- into the folder where the session is to be ------------------------------------------------
 */

/* Does ${from} take the place of ${to}?  Return 1, 0 or -1. */
static int is_better(const struct gathering *g, const char *from, const char *to,
                     struct ct_err *err)
{
    int root_fd = g->p->stage->root_fd;
    const struct agent *agent = g->p->agent;
    int a = linked_open(agent, root_fd, from, 0), b = linked_open(agent, root_fd, to, 0), rc = 0;
    enum compare_order order;
    struct stat x, y;

    /* What is no regular file stays, and is in the way if the bundle has one of that name. */
    if (a < 0 || b < 0 || fstat(a, &x) != 0 || fstat(b, &y) != 0 || !S_ISREG(x.st_mode) ||
        !S_ISREG(y.st_mode) || (x.st_ino == y.st_ino && x.st_dev == y.st_dev))
        rc = 0;
    else if (compare_files(agent, from, b, a, NULL, &order, err) != 0)
        rc = -1;
    else
        rc = order == COMPARE_BEGINS || order == COMPARE_LESS ||
             (order == COMPARE_OTHER && g->is_main);
    if (a >= 0)
        close(a);
    if (b >= 0)
        close(b);
    return rc;
}

static int replace(struct gathering *g, const struct destination *a, const struct destination *b,
                   const char *to, struct ct_err *err)
{
    int stage_fd = g->p->stage->fd;

    if (destination_back_up(g->p, to, err) != 0)
        return -1;
    (void)unlinkat(stage_fd, GATHERED, 0);
    if (across_link(a->dir_fd, a->base, stage_fd, GATHERED) != 0 ||
        across_rename(stage_fd, GATHERED, b->dir_fd, b->base) != 0)
        return err_sys(err, "can't replace %s", to);
    return 0;
}

static int link_one(struct gathering *g, const char *from, const char *to, struct ct_err *err)
{
    struct destination a, b;
    struct stat st;
    int rc;

    if (destination_open(g->p, from, &a, err) != 0)
        return -1;
    if (fstatat(a.dir_fd, a.base, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) {
        destination_close(&a);
        return 0;
    }
    rc = destination_open(g->p, to, &b, err);
    if (rc != 0) {
        destination_close(&a);
        return -1;
    }
    if (across_link(a.dir_fd, a.base, b.dir_fd, b.base) != 0) {
        rc = errno == EEXIST ? is_better(g, from, to, err) : err_sys(err, "can't link %s", to);
        if (rc == 1)
            rc = replace(g, &a, &b, to, err);
    }
    destination_note(g->p, b.dir);
    destination_close(&a);
    destination_close(&b);
    return rc;
}

/* ---- and out of the others ---------------------------------------------------------------------
 */

static int clear_one(struct gathering *g, const char *from, const char *to, struct ct_err *err)
{
    struct stat x, y;
    struct destination a;
    int b, rc = 0;

    if (destination_open(g->p, from, &a, err) != 0)
        return -1;
    b = linked_open(g->p->agent, g->p->stage->root_fd, to, 0);
    if (b < 0 || fstat(b, &y) != 0 || fstatat(a.dir_fd, a.base, &x, AT_SYMLINK_NOFOLLOW) != 0 ||
        x.st_ino != y.st_ino || x.st_dev != y.st_dev)
        rc = destination_put_away(g->p, from, err);
    else if (unlinkat(a.dir_fd, a.base, 0) != 0)
        rc = err_sys(err, "can't let go of %s", from);
    if (b >= 0)
        close(b);
    destination_note(g->p, a.dir);
    destination_close(&a);
    return rc;
}

static int each_folder(struct publishing *p,
                       int (*each)(struct gathering *g, const char *from, const char *to,
                                   struct ct_err *err),
                       int is_clearing, struct ct_err *err)
{
    char *to = own_folder(p->agent, p->project, p->session_id);
    struct strlist others = {0};
    int rc = 0;

    gather_find(p->agent, p->stage->root_fd, p->session_id, p->project, &others);
    for (size_t i = 0; rc == 0 && i < others.n; i++) {
        struct gathering g = {p, 0, is_clearing, each};
        char *from = own_folder(p->agent, others.v[i], p->session_id);
        g.is_main = p->local->n > 0 && strcmp(others.v[i], p->local->copies[0].project) == 0;
        rc = walk(&g, from, to, 0, err);
        free(from);
    }
    strlist_free(&others);
    free(to);
    return rc;
}

int gather_link(struct publishing *p, struct ct_err *err)
{
    return each_folder(p, link_one, 0, err) == 0 ? destination_flush(p, err) : -1;
}

int gather_clear(struct publishing *p, struct ct_err *err)
{
    return each_folder(p, clear_one, 1, err);
}
