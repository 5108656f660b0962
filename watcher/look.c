#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "common/base/file.h"
#include "common/base/str.h"

#include "watcher/core.h"
#include "watcher/backend/fs.h"

/*
 * Events are taken as "look there", never as what they say.  What is told is what the disk shows
 * after the event was read, so a late event does no harm, and the last one leaves the truth.
 */

/* Where a watch leads that has ended or is about to, so that the removals in it that are still in
 * the queue are understood. */
struct grave {
    struct watch watch; /* first */
    struct grave *next;
    struct grave **at;
    uint64_t number;
    int root;
    int is_linked; /* a link led there */
    char path[];
};

enum sight {
    SIGHT_UNKNOWN,
    SIGHT_ELSEWHERE, /* another folder has taken the place of the one that the event was of */
    SIGHT_NOTHING,
    SIGHT_SOMETHING,
};

void look_tell(struct watcher *w, int root, const char *path, const struct agent_path *place,
               const struct stat *st)
{
    struct watcher_change c = {.root = root, .path = path, .place = place, .is_gone = st == NULL};

    link_note_file(w, root, path, place, st);
    if (st != NULL) {
        c.size_bytes = beneath_size(st);
        c.mtime_ns = file_mtime_ns(st);
        c.inode = st->st_ino;
    }
    w->ops->changed(w->arg, &c);
}

int look_root(struct watcher *w, int root)
{
    struct folder_at *p = &w->folder;

    if (p->root_fd != -1 && p->root == root)
        return p->root_fd;
    if (p->root_fd != -1)
        close(p->root_fd);
    p->root = root;
    p->root_fd = root_open(w, &w->roots[root]);
    return p->root_fd;
}

void look_rest(struct watcher *w)
{
    struct folder_at *p = &w->folder;

    if (p->dir_fd != -1)
        close(p->dir_fd);
    if (p->root_fd != -1)
        close(p->root_fd);
    p->dir = NULL;
    p->dir_fd = p->root_fd = -1;
}

/* Return a descriptor for the folder ${d}, which is at ${dir_path}, kept until the batch ends.
 * ESTALE if another folder than the watched one is at its path. */
static int open_place(struct watcher *w, const struct dir *d, const char *dir_path)
{
    struct folder_at *p = &w->folder;
    struct stat st;
    int root_fd;

    if (p->dir == d && p->dir_fd != -1)
        return p->dir_fd;
    if (p->dir_fd != -1)
        close(p->dir_fd);
    p->dir = NULL;
    p->dir_fd = -1;
    if ((root_fd = look_root(w, d->root)) == -1 ||
        (p->dir_fd = link_open_dir(w, d->root, root_fd, dir_path, 0)) == -1)
        return -1;
    if (fstat(p->dir_fd, &st) == 0 && st.st_ino == d->inode &&
        (d->watch.id == -1 || watches_is_of(w->watches, &d->watch, p->dir_fd))) {
        p->dir = d;
        return p->dir_fd;
    }
    close(p->dir_fd);
    p->dir_fd = -1;
    errno = ESTALE;
    return -1;
}

/* Whether a link leads to the folder ${d} or to one above it. */
static int is_linked(const struct dir *d)
{
    while (d != NULL && !(d->flags & DIR_LINKED))
        d = d->parent;
    return d != NULL;
}

/* What is ${name} in the folder ${d}, which is at ${dir_path}?  Something is there only if its
 * later removal is sure to be told: in a folder that is watched.  What lies in another one that
 * took the place is told by the scan of that, once it is watched.  If a link leads nowhere now, its
 * disk may be away, and then nobody knows what is on it. */
static enum sight look(struct watcher *w, struct dir *d, const char *dir_path, const char *name,
                       struct stat *st)
{
    const struct root *r = &w->roots[d->root];
    int fd;

    if (!r->is_there)
        return r->is_unknown ? SIGHT_UNKNOWN : SIGHT_NOTHING;
    if ((fd = open_place(w, d, dir_path)) != -1 && fstatat(fd, name, st, AT_SYMLINK_NOFOLLOW) == 0)
        return SIGHT_SOMETHING;
    if (w->folder.root_fd == -1)
        return SIGHT_UNKNOWN;
    if (errno == ESTALE) {
        scan_queue(w, d, w->epoch, 0, 0);
        return SIGHT_ELSEWHERE;
    }
    if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
        return SIGHT_UNKNOWN;
    return fd == -1 && is_linked(d) ? SIGHT_UNKNOWN : SIGHT_NOTHING;
}

/* A name is or was a folder's; as a file it counts only if it is one now or is recorded as one. */
static void tell_dir_name(struct watcher *w, int root, const char *path, const struct stat *st)
{
    struct agent_path place;
    int64_t size, mtime;
    uint64_t inode;

    watcher_agent(w, root)->classify(path, &place);
    if (place.kind == AGENT_NOTHING)
        return;
    if (st != NULL && !S_ISDIR(st->st_mode))
        look_tell(w, root, path, &place, st);
    else if (w->ops->recorded(w->arg, root, path, &size, &mtime, &inode))
        look_tell(w, root, path, &place, NULL);
}

/* The folder that ${d} has as ${name} is (${st}) or is not (NULL) there; ${linked} is DIR_LINKED if
 * a link leads to it. */
static void update_child(struct watcher *w, struct dir *d, const char *path, const char *name,
                         const struct stat *st, unsigned linked)
{
    struct dir *child = dirtree_find(w->tree, d, name);

    if (st == NULL)
        untaken_note(&w->roots[d->root], path, NULL, NULL);
    if (st == NULL || !S_ISDIR(st->st_mode)) {
        if (child != NULL && scan_forget(w, child))
            pass_ask(w, &w->roots[d->root], PASS_FULL, w->epoch);
        return;
    }
    if (!watcher_agent(w, d->root)->wants_dir(path))
        return;
    if (child == NULL)
        child = dirtree_add(w->tree, d->root, d, name);
    else if (child->watch.id != -1 && child->inode == st->st_ino)
        return; /* it is watched and tells of itself */
    scan_set_flags(w, child, (child->flags & ~(unsigned)DIR_LINKED) | linked);
    scan_queue(w, child, w->epoch, 0, 0);
}

void look_event(struct watcher *w, struct dir *d, unsigned flags, const char *name)
{
    char path[PATH_MAX], dir_path[PATH_MAX];
    struct agent_path place;
    struct stat st, target;
    unsigned linked = 0;
    enum sight sight;
    int len, is_dir = (flags & BACKEND_IS_DIR) != 0, wants_dir = is_dir;

    if ((len = dirtree_path(d, name, path, sizeof(path))) == -1)
        return; /* what can't be named can't be read either: not scanned, not bundled */
    if (is_dir) {
        /* All that is below it went without a word. */
        if (flags & BACKEND_MOVED_AWAY && watcher_agent(w, d->root)->wants_dir(path))
            pass_ask(w, &w->roots[d->root], PASS_FULL, w->epoch);
    } else {
        /* What comes as a file may be a symbolic link to a folder. */
        watcher_agent(w, d->root)->classify(path, &place);
        wants_dir = watcher_agent(w, d->root)->wants_dir(path);
        if (place.kind == AGENT_NOTHING && !wants_dir)
            return;
    }
    memcpy(dir_path, path, (size_t)len + 1);
    dir_path[d->parent == NULL ? 0 : (size_t)len - strlen(name) - 1] = '\0';
    sight = look(w, d, dir_path, name, &st);
    if (sight == SIGHT_UNKNOWN) {
        pass_ask(w, &w->roots[d->root], PASS_FULL, w->epoch);
        return;
    }
    if (sight == SIGHT_SOMETHING && S_ISLNK(st.st_mode) && wants_dir) {
        target = st;
        linked = link_look(w, d->root, path, &target) ? DIR_LINKED : 0;
        if (linked != 0)
            st = target;
    }
    if (is_dir || linked != 0)
        tell_dir_name(w, d->root, path, sight == SIGHT_SOMETHING ? &st : NULL);
    else if (place.kind != AGENT_NOTHING)
        look_tell(w, d->root, path, &place,
                  sight == SIGHT_SOMETHING && !S_ISDIR(st.st_mode) ? &st : NULL);
    /* The tree may know the other one's folders already. */
    if (wants_dir && sight != SIGHT_ELSEWHERE)
        update_child(w, d, path, name, sight == SIGHT_SOMETHING ? &st : NULL, linked);
}

/* Return the folder that the tree has at ${path}, or NULL. */
static struct dir *dir_at(const struct watcher *w, int root, const char *path)
{
    struct dir *d = w->roots[root].top;
    char name[NAME_MAX + 1];
    size_t len;

    for (; d != NULL && *path != '\0'; path += len + (path[len] == '/')) {
        len = strcspn(path, "/");
        if (len > NAME_MAX)
            return NULL;
        memcpy(name, path, len);
        name[len] = '\0';
        d = dirtree_find(w->tree, d, name);
    }
    return d;
}

void look_again(struct watcher *w, int root, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    char *dir_path = str_printf("%.*s", slash != NULL ? (int)(slash - path) : 0, path);
    struct dir *d = dir_at(w, root, dir_path);

    if (d != NULL)
        look_event(w, d, 0, name);
    free(dir_path);
}

void look_grave_event(struct watcher *w, struct watch *grave, unsigned flags, const char *name)
{
    const struct grave *g = (const struct grave *)grave;
    struct dir *d = dir_at(w, g->root, g->path);
    enum sight sight = g->is_linked ? SIGHT_UNKNOWN : SIGHT_NOTHING;
    struct agent_path place;
    struct stat st;
    char *path;

    if (*name == '\0') {
        if (flags & BACKEND_MOVED_AWAY)
            pass_ask(w, &w->roots[g->root], PASS_FULL, w->epoch);
        return;
    }
    path = *g->path == '\0' ? str_dup(name) : str_printf("%s/%s", g->path, name);
    if (flags & BACKEND_IS_DIR) {
        if (flags & BACKEND_MOVED_AWAY && watcher_agent(w, g->root)->wants_dir(path))
            pass_ask(w, &w->roots[g->root], PASS_FULL, w->epoch);
        goto done;
    }
    watcher_agent(w, g->root)->classify(path, &place);
    if (place.kind == AGENT_NOTHING)
        goto done;
    /* The folder has gone from there.  If there is another one now, only its own watch can vouch
     * for what is in it. */
    if (d != NULL && d->watch.id != -1)
        sight = look(w, d, g->path, name, &st);
    else if (d != NULL && d->flags & DIR_POLLED)
        sight = SIGHT_UNKNOWN;
    if (sight == SIGHT_UNKNOWN)
        pass_ask(w, &w->roots[g->root], PASS_FULL, w->epoch);
    else
        look_tell(w, g->root, path, &place,
                  sight == SIGHT_SOMETHING && !S_ISDIR(st.st_mode) ? &st : NULL);

done:
    free(path);
}

void look_bury(struct watcher *w, struct dir *d)
{
    char path[PATH_MAX];
    struct grave *g;
    size_t len;

    if (w->folder.dir == d)
        w->folder.dir = NULL;
    if (d->watch.id == -1)
        return;
    /* If others use the watch, the folder lives on elsewhere: that it was moved away from here has
     * been or will be told to its parent, and leads to a full pass. */
    if (watches_is_shared(w->watches, &d->watch) ||
        dirtree_path(d, NULL, path, sizeof(path)) == -1) {
        watches_leave(w->watches, &d->watch);
        return;
    }
    len = strlen(path) + 1;
    g = str_calloc(1, offsetof(struct grave, path) + len);
    memcpy(g->path, path, len);
    g->root = d->root;
    g->is_linked = is_linked(d);
    g->number = ++w->n_graves;
    g->watch.id = -1;
    g->watch.kind = WATCH_GRAVE;
    g->watch.what = BACKEND_TREE;
    if ((g->next = w->graves) != NULL)
        g->next->at = &g->next;
    g->at = &w->graves;
    w->graves = g;
    /* One that is alive was moved, or the tree was wrong about it for a moment.  What happens in it
     * from here on goes unheard, so what is recorded of it has to be checked. */
    if (watches_bury(w->watches, &d->watch, &g->watch))
        pass_ask(w, &w->roots[d->root], PASS_FULL, 0);
}

void look_grave_ended(struct watcher *w, struct watch *grave)
{
    struct grave *g = (struct grave *)grave;

    (void)w;
    if ((*g->at = g->next) != NULL)
        g->next->at = g->at;
    free(g);
}

void look_exhume(struct watcher *w, uint64_t number)
{
    for (struct grave *g = w->graves, *next; g != NULL; g = next) {
        next = g->next;
        if (g->number > number)
            continue;
        watches_leave(w->watches, &g->watch);
        look_grave_ended(w, &g->watch);
    }
}
