#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "watcher/core.h"
#include "watcher/backend/fs.h"

/* On a system that can't open a folder as a place only, to read will do. */
#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

/* Only the root itself may be reached through symbolic links. */
static int open_path(const struct root *r, struct stat *st)
{
    int fd, e;

    if ((fd = open(r->path, O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
        return -1;
    if (fstat(fd, st) == 0)
        return fd;
    e = errno;
    close(fd);
    errno = e;
    return -1;
}

int root_open(struct watcher *w, struct root *r)
{
    struct stat st;
    int fd = open_path(r, &st);

    if (fd != -1 && r->is_there && st.st_dev == r->dev && st.st_ino == r->inode)
        return fd;
    if (fd != -1) {
        close(fd);
        errno = ESTALE;
    } else if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP) {
        return -1; /* nothing can be said */
    }
    r->is_suspect = 1;
    anchor_doubt(w, r);
    return -1;
}

void root_drop_tree(struct watcher *w, struct root *r)
{
    pass_cancel(r);
    if (r->top != NULL)
        scan_forget(w, r->top);
    r->top = NULL;
    sigs_free(r->sigs);
    r->sigs = sigs_new();
}

static void vanish(struct watcher *w, struct root *r)
{
    root_drop_tree(w, r);
    r->is_there = 0;
    if (w->ops->root_state != NULL)
        w->ops->root_state(w->arg, r->index, 0);
}

static void appear(struct watcher *w, struct root *r, int fd, const struct stat *st)
{
    r->is_there = 1;
    r->dev = st->st_dev;
    r->inode = st->st_ino;
    r->is_remote = fs_is_remote(fd);
    r->top = dirtree_add(w->tree, r->index, NULL, "");
    if (w->ops->root_state != NULL)
        w->ops->root_state(w->arg, r->index, 1);
}

void root_update(struct watcher *w, struct root *r)
{
    int was_told = r->is_told, was_there = r->is_there, is_same, is_anew = r->is_suspect;
    struct stat st;
    int fd = open_path(r, &st);

    r->is_unknown = fd == -1 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP;
    if (r->is_unknown && r->is_there)
        return; /* out of descriptors, say: what holds goes on to hold */
    is_same =
        fd != -1 && r->is_there && !r->is_lost && st.st_dev == r->dev && st.st_ino == r->inode;
    r->is_told = 1;
    r->is_lost = r->is_suspect = 0;
    if (r->is_there && !is_same) {
        vanish(w, r);
        is_anew = 1;
    }
    if (fd != -1) {
        if (!r->is_there)
            appear(w, r, fd, &st);
        close(fd);
    }
    if (!was_told && !r->is_there && w->ops->root_state != NULL)
        w->ops->root_state(w->arg, r->index, 0);
    /* Whatever raised the doubt may be older than any drain that waits: all of them wait for this.
     */
    if (is_anew || !was_told || was_there != r->is_there)
        pass_ask(w, r, PASS_FULL, 0);
}
