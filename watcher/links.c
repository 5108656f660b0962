#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agents/linked.h"

#include "watcher/core.h"
#include "watcher/backend/fs.h"

/*
 * A followed link is a folder like others to the tree, with a flag: its parent tells nothing of it,
 * so whatever happens to the link or to what it leads to ends in a full pass.
 */

#define NOT_THERE "symbolic links are not followed there"

int link_look(struct watcher *w, int root, const char *path, struct stat *st)
{
    struct root *r = &w->roots[root];
    struct stat link = *st;
    char why[256] = NOT_THERE;
    int root_fd = look_root(w, root);

    if (!linked_is_place(r->agent, path)) {
        untaken_note(r, path, &link, why);
        return 0;
    }
    anchor_add_link(w, r, path);
    if (root_fd == -1)
        return 0;
    switch (linked_judge(r->agent, root_fd, path, st, why, sizeof(why))) {
    case LINKED_FOLLOWED:
        untaken_note(r, path, NULL, NULL);
        if (w->ops->linked != NULL)
            w->ops->linked(w->arg, root, path);
        return 1;
    case LINKED_WATCHED:
        untaken_note(r, path, NULL, NULL);
        return 0;
    case LINKED_REFUSED:
        untaken_note(r, path, &link, why);
        /* A disk that is away says nothing of what is on it. */
        if (w->ops->unreadable != NULL && r->pass == PASS_FULL)
            w->ops->unreadable(w->arg, root, path);
        break;
    }
    return 0;
}

void link_note_file(struct watcher *w, int root, const char *path, const struct agent_path *place,
                    const struct stat *st)
{
    int is_link = st != NULL && S_ISLNK(st->st_mode);

    /* What only tells of a process is never saved; where a folder could be, link_look() says. */
    if (place->kind == AGENT_LIVE || (is_link && watcher_agent(w, root)->wants_dir(path)))
        return;
    untaken_note(&w->roots[root], path, st, is_link ? NOT_THERE : NULL);
}

int link_open_dir(struct watcher *w, int root, int root_fd, const char *path, int is_readable)
{
    int fd = fs_open_dir(root_fd, path, is_readable);

    if (fd == -1 && (errno == ELOOP || errno == ENOTDIR))
        fd = linked_open(watcher_agent(w, root), root_fd, path, O_DIRECTORY);
    return fd;
}
