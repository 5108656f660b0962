#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/map.h"
#include "common/base/str.h"

#include "agents/disk/beneath.h"
#include "agents/linked.h"

#include "agents/inventory.h"

#define DEPTH_MAX 64

struct walk {
    const struct agent *agent;
    int root_fd;
    struct inventory *inv;
    struct map *transcripts; /* ids of sessions that have one */
    struct map *named;       /* id -> where something bears it */
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

/* How many files lie below ${path}; no more than some INVENTORY_MAX are counted. */
static int64_t files_below(const struct walk *w, const char *path, int depth)
{
    DIR *dir = depth < DEPTH_MAX ? open_folder(w, path) : NULL;
    const struct dirent *d;
    int64_t n = 0;

    while (dir != NULL && n < INVENTORY_MAX && (d = readdir(dir)) != NULL) {
        char *below;
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
            strcmp(d->d_name, ".lock") == 0)
            continue;
        below = str_printf("%s/%s", path, d->d_name);
        n += is_folder(dirfd(dir), d) ? files_below(w, below, depth + 1) : 1;
        free(below);
    }
    if (dir != NULL)
        closedir(dir);
    return n;
}

static void is_profile(struct walk *w, const char *path, int is_dir, int depth)
{
    if (w->inv->profile_files < INVENTORY_MAX)
        w->inv->profile_files += is_dir ? files_below(w, path, depth) : 1;
}

/* Remember what bears the name of a session, and which sessions have a transcript. */
static void is_of_session(struct walk *w, const char *path, int is_dir)
{
    char *within = is_dir ? str_printf("%s/x.json", path) : str_dup(path);
    struct agent_path place;

    w->agent->classify(within, &place);
    (void)agent_identify(w->agent, w->root_fd, within, &place);
    free(within);
    if (place.session_id[0] == '\0')
        return;
    if (place.kind == AGENT_TRANSCRIPT || place.kind == AGENT_ASIDE)
        map_put(w->transcripts, place.session_id, w);
    else if (map_get(w->named, place.session_id) == NULL)
        map_put(w->named, place.session_id, str_dup(path));
}

static int find_orphan(void *arg, const char *id, void *value)
{
    struct walk *w = arg;
    struct inventory_orphan *o;
    struct stat st;
    int64_t n = 1;

    if (map_get(w->transcripts, id) != NULL || w->inv->n_orphans >= INVENTORY_MAX)
        return 0;
    if (fstatat(w->root_fd, value, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
        n = files_below(w, value, 0);
    if (n == 0)
        return 0;
    w->inv->orphans = str_realloc(w->inv->orphans, w->inv->n_orphans + 1, sizeof(*w->inv->orphans));
    o = &w->inv->orphans[w->inv->n_orphans++];
    snprintf(o->session_id, sizeof(o->session_id), "%s", id);
    o->path = str_dup(value);
    o->files = n;
    return 0;
}

static int free_path(void *arg, const char *id, void *value)
{
    (void)arg;
    (void)id;
    free(value);
    return 0;
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
        else if (fate == AGENT_OF_PROFILE)
            is_profile(w, below, is_dir, depth + 1);
        else if (fate == AGENT_OF_SESSION)
            is_of_session(w, below, is_dir);
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
    struct walk w = {.agent = agent, .root_fd = beneath_open_root(root), .inv = ret};

    memset(ret, 0, sizeof(*ret));
    if (w.root_fd < 0)
        return errno == ENOENT ? 0 : err_sys(err, "can't look through %s", root);
    w.transcripts = map_new();
    w.named = map_new();
    walk(&w, "", 0, 0);
    map_each(w.named, find_orphan, &w);
    map_each(w.named, free_path, NULL);
    map_free(w.named);
    map_free(w.transcripts);
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
    for (size_t i = 0; i < inv->n_orphans; i++)
        free(inv->orphans[i].path);
    free(inv->orphans);
    memset(inv, 0, sizeof(*inv));
}
