#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "common/base/file.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "bundle/install/dirlock.h"

#define LOOK_MS 50
#define BROKEN "broken-lock"

const struct dirlock_patience dirlock_default = {20000, 12000, 60000, 3000};

static int64_t ns_of(const struct stat *st)
{
    return file_mtime_ns(st);
}

static int is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && ns_of(a) == ns_of(b);
}

/* How old it is by the clock that stamped it. */
static int64_t age_ms(const struct stat *lock, int clock_fd)
{
    struct stat st;

    if (futimens(clock_fd, NULL) != 0 || fstat(clock_fd, &st) != 0)
        return 0;
    return (ns_of(&st) - ns_of(lock)) / 1000000;
}

/* Whoever held it may have come back, and somebody else may have broken it before us and taken it:
 * what we got hold of must be what we looked at, else it goes back. */
static void break_it(int dir_fd, const char *name, int clock_fd, const struct stat *seen)
{
    struct stat st;

    if (renameat(dir_fd, name, clock_fd, BROKEN) != 0)
        return;
    if (fstatat(clock_fd, BROKEN, &st, AT_SYMLINK_NOFOLLOW) == 0 && !is_same(&st, seen) &&
        beneath_rename_new(clock_fd, BROKEN, dir_fd, name) == 0)
        return;
    (void)file_remove_tree(clock_fd, BROKEN);
}

static int take(int dir_fd, const char *name, struct dirlock *ret)
{
    if (mkdirat(dir_fd, name, 0700) != 0)
        return -1;
    ret->fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (ret->fd < 0)
        return -1;
    ret->dir_fd = dir_fd;
    ret->name = str_dup(name);
    return 0;
}

int dirlock_take(int dir_fd, const char *name, int clock_fd,
                 const struct dirlock_patience *patience, struct dirlock *ret, struct ct_err *err)
{
    const struct timespec look = {0, LOOK_MS * 1000000L};
    int64_t began = now_mono_ms(), since = began, still;
    struct stat seen = {0}, st;

    while (take(dir_fd, name, ret) != 0) {
        if (errno != EEXIST)
            return err_sys(err, "can't make %s", name);
        if (now_mono_ms() - began > patience->limit_ms)
            return err_set(err, ERR_RETRY, "something holds %s in the data folder; try again",
                           name);
        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (!is_same(&st, &seen))
            since = now_mono_ms();
        seen = st;
        still = now_mono_ms() - since;
        if (still > patience->still_ms ||
            (still > patience->old_still_ms && age_ms(&st, clock_fd) > patience->old_ms))
            break_it(dir_fd, name, clock_fd, &seen);
        else
            nanosleep(&look, NULL);
    }
    return 0;
}

int dirlock_is_held(const struct dirlock *l)
{
    struct stat ours, there;

    return fstat(l->fd, &ours) == 0 &&
           fstatat(l->dir_fd, l->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_ino == there.st_ino && ours.st_dev == there.st_dev && futimens(l->fd, NULL) == 0;
}

void dirlock_drop(struct dirlock *l)
{
    if (dirlock_is_held(l))
        (void)unlinkat(l->dir_fd, l->name, AT_REMOVEDIR);
    close(l->fd);
    free(l->name);
    memset(l, 0, sizeof(*l));
}
