#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/str.h"

#include "agents/disk/beneath.h"
#include "agents/linked.h"

#include "agents/claude/claude.h"
#include "agents/claude/claude_walk.h"

#define DEPTH_MAX 64

void walk_skip(struct listing *l, const char *path, int e)
{
    char reason[128];

    l->ops->skipped(l->arg, path, beneath_reason(e, reason, sizeof(reason)));
}

static int is_cancelled(struct listing *l)
{
    return l->cancel != NULL && atomic_load(l->cancel) != 0;
}

/* Call ${f} for every entry of the folder ${path}.  One that is not there has none; one that can't
 * be read is reported. */
int walk_each(struct listing *l, const char *path, walk_fn f, void *arg)
{
    int fd = linked_open(&claude_agent, l->root_fd, path, O_DIRECTORY), rc = 0;
    struct dirent *d;
    DIR *dir;

    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
            return err_sys(l->err, "can't open a folder");
        if (errno != ENOENT && errno != ENOTDIR)
            walk_skip(l, path, errno);
        return 0;
    }
    dir = fdopendir(fd);
    if (dir == NULL) {
        err_sys(l->err, "can't list a folder");
        close(fd);
        return -1;
    }
    while (rc == 0 && (errno = 0, d = readdir(dir)) != NULL) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
            strncmp(d->d_name, BENEATH_TEMP, strlen(BENEATH_TEMP)) == 0)
            continue;
        rc = is_cancelled(l) ? err_set(l->err, ERR_CANCELLED, "cancelled") : f(l, arg, fd, d);
    }
    if (rc == 0 && errno != 0)
        walk_skip(l, path, errno);
    closedir(dir);
    return rc;
}

/* The type of an entry, asked of the file where the file system does not say it with the name. */
unsigned char walk_type(int dir_fd, const struct dirent *d)
{
    struct stat st;

    if (d->d_type != DT_UNKNOWN)
        return d->d_type;
    if (fstatat(dir_fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return DT_UNKNOWN;
    return S_ISDIR(st.st_mode)   ? DT_DIR
           : S_ISLNK(st.st_mode) ? DT_LNK
           : S_ISREG(st.st_mode) ? DT_REG
                                 : DT_CHR;
}

/* A link to a neighbour, whose folder is looked at under its own name? */
int walk_is_alias(struct listing *l, int dir_fd, const struct dirent *d)
{
    char *path, why[256];
    struct stat st;
    int yes;

    if (walk_type(dir_fd, d) != DT_LNK)
        return 0;
    path = str_printf("projects/%s", d->d_name);
    yes = linked_judge(&claude_agent, l->root_fd, path, &st, why, sizeof(why)) == LINKED_WATCHED;
    free(path);
    return yes;
}

void walk_found(struct listing *l, enum agent_kind kind, const char *path, const char *entry)
{
    struct agent_file file = {kind, path, entry};

    l->ops->found(l->arg, &file);
}

/* ---- whole folders ----------------------------------------------------------------------------
 */

struct tree {
    enum agent_kind kind;
    const char *path, *entry;
    int depth;
};

static int list_tree(struct listing *l, const struct tree *t);

static int tree_entry(struct listing *l, void *arg, int dir_fd, const struct dirent *d)
{
    const struct tree *t = arg;
    char *path = str_printf("%s/%s", t->path, d->d_name);
    char *entry = str_printf("%s/%s", t->entry, d->d_name);
    struct tree below = {t->kind, path, entry, t->depth + 1};
    int rc = 0;

    switch (walk_type(dir_fd, d)) {
    case DT_DIR:
        if (t->depth < DEPTH_MAX)
            rc = list_tree(l, &below);
        else
            l->ops->skipped(l->arg, path, "nested too deeply");
        break;
    case DT_LNK:
        l->ops->skipped(l->arg, path, "symbolic link");
        break;
    case DT_REG:
    case DT_UNKNOWN:
        walk_found(l, t->kind, path, entry);
        break;
    default:
        l->ops->skipped(l->arg, path, "not a regular file");
    }
    free(entry);
    free(path);
    return rc;
}

static int list_tree(struct listing *l, const struct tree *t)
{
    return walk_each(l, t->path, tree_entry, (void *)(uintptr_t)t);
}

int walk_folder(struct listing *l, enum agent_kind kind, const char *entry, char *path)
{
    struct tree t = {kind, path, entry, 0};
    int rc = list_tree(l, &t);

    free(path);
    return rc;
}
