#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/str.h"

#include "agents/beneath.h"
#include "agents/linked.h"

#include "agents/inventory.h"

#define DEPTH_MAX 64

struct walk {
    const struct agent *agent;
    int root_fd;
    struct inventory *inv;
};

/* The folder ${path} of ${n} bytes, made where it is missing. */
static struct inventory_folder *folder(struct inventory *inv, const char *path, size_t n)
{
    struct inventory_folder *f;

    for (size_t i = inv->n; i > 0; i--) { /* the last one, nearly always */
        f = &inv->folders[i - 1];
        if (strlen(f->path) == n && memcmp(f->path, path, n) == 0)
            return f;
    }
    inv->folders = str_realloc(inv->folders, inv->n + 1, sizeof(*inv->folders));
    f = &inv->folders[inv->n++];
    memset(f, 0, sizeof(*f));
    f->path = str_printf("%.*s", (int)n, path);
    return f;
}

static void count(struct walk *w, const char *path, size_t folder_bytes)
{
    struct inventory_folder *f = folder(w->inv, path, folder_bytes);

    if (f->files >= INVENTORY_MAX) {
        f->is_cut = 1;
        return;
    }
    if (f->example == NULL)
        f->example = str_dup(path);
    f->files++;
    w->inv->files++;
}

static int is_folder(int dir_fd, const struct dirent *d)
{
    struct stat st;

    if (d->d_type != DT_UNKNOWN)
        return d->d_type == DT_DIR;
    return fstatat(dir_fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* A symbolic link that is followed stands for a folder. */
static int is_linked(const struct walk *w, const char *path)
{
    char why[256];
    struct stat st;

    return linked_is_place(w->agent, path) &&
           linked_judge(w->agent, w->root_fd, path, &st, why, sizeof(why)) == LINKED_FOLLOWED;
}

static DIR *open_folder(const struct walk *w, const char *path)
{
    int fd = *path != '\0' ? linked_open(w->agent, w->root_fd, path, O_DIRECTORY)
                           : openat(w->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

    if (fd >= 0 && d == NULL)
        close(fd);
    return d;
}

/* All below ${path} is of no session: only its files are counted. */
static void walk_profile(struct walk *w, const char *path, int depth)
{
    DIR *dir = depth < DEPTH_MAX ? open_folder(w, path) : NULL;
    const struct dirent *d;

    while (dir != NULL && w->inv->profile_files < INVENTORY_MAX && (d = readdir(dir)) != NULL) {
        char *below;
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        below = str_printf("%s/%s", path, d->d_name);
        if (is_folder(dirfd(dir), d))
            walk_profile(w, below, depth + 1);
        else
            w->inv->profile_files++;
        free(below);
    }
    if (dir != NULL)
        closedir(dir);
}

/* Look through ${path}.  ${unknown} is how many bytes of it name a folder that nobody knows: all
 * that is in there counts for that one. */
static void walk(struct walk *w, const char *path, size_t unknown, int depth)
{
    DIR *dir = depth < DEPTH_MAX ? open_folder(w, path) : NULL;
    const struct dirent *d;

    while (dir != NULL && (d = readdir(dir)) != NULL) {
        int is_dir = is_folder(dirfd(dir), d);
        enum agent_fate fate;
        char *below, *name;
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        below = str_printf("%s%s%s", path, *path != '\0' ? "/" : "", d->d_name);
        if (d->d_type == DT_LNK || d->d_type == DT_UNKNOWN)
            is_dir = is_dir || is_linked(w, below);
        name = str_printf("%s%s", below, is_dir ? "/" : "");
        fate = w->agent->fate(name);
        if (is_dir && (fate == AGENT_INSIDE || fate == AGENT_UNKNOWN))
            walk(w, below, unknown > 0 || fate == AGENT_INSIDE ? unknown : strlen(below),
                 depth + 1);
        else if (!is_dir && fate == AGENT_UNKNOWN)
            count(w, below, unknown > 0 ? unknown : strlen(path));
        else if (is_dir && fate == AGENT_OF_PROFILE)
            walk_profile(w, below, depth + 1);
        else if (fate == AGENT_OF_PROFILE)
            w->inv->profile_files++;
        free(name);
        free(below);
        if (unknown > 0 && w->inv->n > 0 && w->inv->folders[w->inv->n - 1].is_cut)
            break; /* more of the same */
    }
    if (dir != NULL)
        closedir(dir);
}

static int by_path(const void *a, const void *b)
{
    const struct inventory_folder *x = a, *y = b;

    return strcmp(x->path, y->path);
}

int inventory_take(const struct agent *agent, const char *root, struct inventory *ret,
                   struct ct_err *err)
{
    struct walk w = {agent, beneath_open_root(root), ret};

    memset(ret, 0, sizeof(*ret));
    if (w.root_fd < 0)
        return errno == ENOENT ? 0 : err_sys(err, "can't look through %s", root);
    walk(&w, "", 0, 0);
    close(w.root_fd);
    if (ret->n > 0)
        qsort(ret->folders, ret->n, sizeof(*ret->folders), by_path);
    return 0;
}

void inventory_clear(struct inventory *inv)
{
    for (size_t i = 0; i < inv->n; i++) {
        free(inv->folders[i].path);
        free(inv->folders[i].example);
    }
    free(inv->folders);
    memset(inv, 0, sizeof(*inv));
}
