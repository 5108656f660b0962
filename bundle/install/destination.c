#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "agents/linked.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "bundle/install/across.h"

#include "bundle/install/destination.h"

#define TOP "." /* the data folder itself */
#define SAME_NAMES 100
#define BACKUPS STAGE_HOME "/backups"

int destination_open(const struct publishing *p, const char *path, struct destination *ret,
                     struct ct_err *err)
{
    char reason[128];

    ret->dir = path_parent(path);
    ret->base = path_base(path);
    ret->dir_fd = strcmp(ret->dir, TOP) == 0
                      ? openat(p->stage->root_fd, TOP, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                      : linked_make(p->agent, p->stage->root_fd, ret->dir);
    if (ret->dir_fd >= 0)
        return 0;
    if (errno == ELOOP || errno == ENOTDIR)
        err_set(err, ERR_FAIL, "%s is in the way: %s", ret->dir,
                errno == ELOOP ? beneath_reason(errno, reason, sizeof(reason)) : "it is no folder");
    else
        err_sys(err, "can't make %s", ret->dir);
    free(ret->dir);
    return -1;
}

void destination_close(struct destination *s)
{
    close(s->dir_fd);
    free(s->dir);
}

void destination_note(struct publishing *p, const char *dir)
{
    if (p->dirs.n == 0 || strcmp(p->dirs.v[p->dirs.n - 1], dir) != 0)
        strlist_add(&p->dirs, dir);
}

/* ---- backups -----------------------------------------------------------------------------------
 */

/* The place for the backup of ${path}: .codeteleport/backups/<session>-<time>/<path>. */
static int backup_spot(struct publishing *p, const char *path, struct destination *ret,
                       struct ct_err *err)
{
    char stamp[32], *whole;
    time_t now = time(NULL);
    struct tm tm;
    int rc;

    if (p->backup == NULL) {
        gmtime_r(&now, &tm);
        strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
        p->backup = str_printf(BACKUPS "/%s-%s-%s", p->session_id, stamp,
                               p->stage->name + strlen("stage-"));
    }
    whole = path_join(p->backup, path);
    rc = destination_open(p, whole, ret, err);
    if (rc == 0) {
        destination_note(p, ret->dir);
        ret->base = path_base(path);
    }
    free(whole);
    return rc;
}

/* Put ${from} into the backup, by another name if there was one of its name before. */
static int keep(const struct destination *from, const struct destination *to,
                int (*put)(int from_fd, const char *from, int to_fd, const char *to))
{
    char *name = str_dup(to->base);
    int rc = put(from->dir_fd, from->base, to->dir_fd, name);

    for (int i = 1; rc != 0 && errno == EEXIST && i < SAME_NAMES; i++) {
        free(name);
        name = str_printf("%s.%d", to->base, i);
        rc = put(from->dir_fd, from->base, to->dir_fd, name);
    }
    free(name);
    return rc == 0 || errno == ENOENT ? 0 : -1;
}

static int into_backup(struct publishing *p, const char *path,
                       int (*put)(int from_fd, const char *from, int to_fd, const char *to),
                       struct ct_err *err)
{
    struct destination from, to;
    int rc = destination_open(p, path, &from, err);

    if (rc != 0)
        return -1;
    rc = backup_spot(p, path, &to, err);
    if (rc == 0) {
        if (keep(&from, &to, put) != 0)
            rc = err_sys(err, "can't keep a backup of %s", path);
        destination_close(&to);
    }
    destination_note(p, from.dir);
    destination_close(&from);
    return rc;
}

/* A second name for what is going to be replaced. */
int destination_back_up(struct publishing *p, const char *path, struct ct_err *err)
{
    return into_backup(p, path, across_link, err);
}

/* Out of projects/ and into the backups. */
int destination_put_away(struct publishing *p, const char *path, struct ct_err *err)
{
    return into_backup(p, path, across_rename_new, err);
}

/* ---- */

/* The folders above a new one are new as well, maybe. */
int destination_flush(struct publishing *p, struct ct_err *err)
{
    struct strlist all = {0};
    int rc = 0;

    strlist_sort(&p->dirs);
    for (size_t i = 0; i < p->dirs.n; i++) {
        char *dir = str_dup(p->dirs.v[i]);
        for (char *slash = dir + strlen(dir); slash != NULL; slash = strrchr(dir, '/')) {
            *slash = '\0';
            strlist_add(&all, dir);
        }
        free(dir);
    }
    strlist_sort(&all);
    for (size_t i = 0; rc == 0 && i < all.n; i++) {
        int fd = linked_open(p->agent, p->stage->root_fd, all.v[i], O_DIRECTORY);
        if (fd >= 0 && file_sync(fd) != 0 && errno != EINVAL && errno != ENOTSUP)
            rc = err_sys(err, "can't flush %s", all.v[i]);
        if (fd >= 0)
            close(fd);
    }
    if (rc == 0)
        (void)file_sync(p->stage->root_fd);
    strlist_free(&all);
    strlist_free(&p->dirs);
    return rc;
}
