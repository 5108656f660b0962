#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/path.h"
#include "common/base/str.h"

#include "agents/disk/beneath.h"

#include "agents/linked.h"

/* As a place only, where the system can: a sandbox that bars a folder's content does not bar the
 * question which one it is. */
#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

#define PLACE_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)
#define DEPTH_MAX 128

/* ---- where links may be -------------------------------------------------------------------------
 */

/* Does ${path}, of which the first ${n} bytes count, fit the place ${place} of an agent's row? */
static int fits(const char *place, const char *path, size_t n)
{
    size_t m = strlen(place);

    if (m < 2 || strcmp(place + m - 2, "/*") != 0)
        return n == m && memcmp(path, place, n) == 0;
    m--; /* with the slash */
    return n > m && memcmp(path, place, m) == 0 && memchr(path + m, '/', n - m) == NULL;
}

static int is_place(const struct agent *agent, const char *path, size_t n)
{
    for (size_t i = 0; agent->link_places != NULL && agent->link_places[i] != NULL; i++) {
        if (fits(agent->link_places[i], path, n))
            return 1;
    }
    return 0;
}

int linked_is_place(const struct agent *agent, const char *path)
{
    return is_place(agent, path, strlen(path));
}

/* ---- where they may lead to ---------------------------------------------------------------------
 */

/* Folders above one another, from the lowest. */
struct lineage {
    struct stat v[DEPTH_MAX];
    size_t n;
};

static int is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* List the folder ${fd} and all above it.  Return 0, or -1 if that can't be done to the end. */
static int trace(int fd, struct lineage *ret)
{
    int at = openat(fd, ".", PLACE_FLAGS), up;

    ret->n = 0;
    while (at >= 0 && ret->n < DEPTH_MAX && fstat(at, &ret->v[ret->n]) == 0) {
        if (++ret->n > 1 && is_same(&ret->v[ret->n - 1], &ret->v[ret->n - 2])) {
            ret->n--;
            close(at);
            return 0;
        }
        up = openat(at, "..", PLACE_FLAGS);
        close(at);
        at = up;
    }
    if (at >= 0)
        close(at);
    return -1;
}

static int has(const struct lineage *l, const struct stat *st)
{
    for (size_t i = 0; i < l->n; i++) {
        if (is_same(&l->v[i], st))
            return 1;
    }
    return 0;
}

/* Is the folder with ${of} the folder ${path}, below it or above it?  1, 0, or -1: no telling. */
static int touches(const struct lineage *of, const char *path)
{
    struct lineage there;
    int fd = open(path, PLACE_FLAGS), rc;

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
    rc = trace(fd, &there);
    close(fd);
    if (rc != 0)
        return -1;
    return has(of, &there.v[0]) || has(&there, &of->v[0]);
}

/* Folders with credentials: below the home folder, or anywhere. */
static const char *const secrets[] = {".ssh",
                                      ".gnupg",
                                      ".aws",
                                      ".azure",
                                      ".kube",
                                      ".docker",
                                      ".codex",
                                      ".gemini",
                                      ".copilot",
                                      ".qwen",
                                      ".mozilla",
                                      ".password-store",
                                      ".config/gcloud",
                                      ".config/gh",
                                      ".config/op",
                                      ".config/github-copilot",
                                      ".local/share/keyrings",
                                      ".config/codeteleport",
                                      ".local/state/codeteleport",
                                      "/etc",
                                      "/proc",
                                      "/sys"};

static int touches_secrets(const struct lineage *target, char *why, size_t size)
{
    char *ours = path_credentials_dir();
    int rc = touches(target, ours);

    if (rc != 0)
        snprintf(why, size, "it leads to credentials: %s", ours);
    for (size_t i = 0; rc == 0 && i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        char *path =
            secrets[i][0] == '/' ? str_dup(secrets[i]) : path_join(path_home(), secrets[i]);
        rc = touches(target, path);
        if (rc != 0)
            snprintf(why, size, "it leads to credentials: %s", path);
        free(path);
    }
    free(ours);
    return rc != 0;
}

/* Does the link lead to a folder of the same one that it lies in, as a neighbour? */
static int is_neighbour(int parent_fd, const struct lineage *target)
{
    struct stat st;

    return target->n > 1 && fstat(parent_fd, &st) == 0 && is_same(&target->v[1], &st);
}

static enum linked refuse(char *why, size_t size, const char *text)
{
    snprintf(why, size, "%s", text);
    return LINKED_REFUSED;
}

/* Judge the folder ${fd} that the link in ${parent_fd} leads to. */
static enum linked judge_target(int root_fd, int parent_fd, int fd, char *why, size_t size)
{
    struct lineage target, root, home;
    int home_fd = open(path_home(), PLACE_FLAGS), is_home_known;

    is_home_known = home_fd >= 0 && trace(home_fd, &home) == 0;
    if (home_fd >= 0)
        close(home_fd);
    if (trace(fd, &target) != 0 || trace(root_fd, &root) != 0)
        return refuse(why, size, "the folders above what it leads to can't be looked at");
    if (target.v[0].st_uid != geteuid())
        return refuse(why, size, "it leads to another user's folder");
    if (is_neighbour(parent_fd, &target))
        return LINKED_WATCHED;
    if (has(&target, &root.v[0]) || has(&root, &target.v[0]))
        return refuse(why, size, "it leads into the data folder itself, or to one that holds it");
    if (is_home_known && has(&home, &target.v[0]))
        return refuse(why, size, "it leads to the home folder, or to one that holds it");
    return touches_secrets(&target, why, size) ? LINKED_REFUSED : LINKED_FOLLOWED;
}

/* Judge the link ${name} in the folder ${dir_fd}, and open what it leads to with ${flags}.  Return
 * the descriptor, or -1 with errno: ELOOP if it is not followed. */
static int follow(int root_fd, int dir_fd, const char *name, int flags, enum linked *ret, char *why,
                  size_t size)
{
    struct stat link;
    int place = -1, fd = -1, e = ELOOP;

    *ret = LINKED_REFUSED;
    if (fstatat(dir_fd, name, &link, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    if (!S_ISLNK(link.st_mode)) {
        snprintf(why, size, "it is no symbolic link any more");
    } else if (link.st_uid != geteuid()) {
        snprintf(why, size, "the link is another user's");
    } else if ((place = openat(dir_fd, name, PLACE_FLAGS)) < 0) {
        snprintf(why, size,
                 errno == ENOENT    ? "it leads to nothing that is there"
                 : errno == ENOTDIR ? "it leads to something that is no folder"
                                    : "it leads to a folder that can't be reached: %s",
                 strerror(errno));
    } else {
        *ret = judge_target(root_fd, dir_fd, place, why, size);
        fd = *ret == LINKED_FOLLOWED ? openat(place, ".", flags) : -1;
        e = *ret == LINKED_FOLLOWED ? errno : ELOOP;
    }
    if (place >= 0)
        close(place);
    errno = e;
    return fd;
}

/* ---- ways through them --------------------------------------------------------------------------
 */

/* Where ${path} leaves the part in which links may be: open that part into ${ret_fd} (which may be
 * ${root_fd} itself) and return the rest of the path, "" if nothing is left; NULL with errno.
 * ${is_making}: make what is missing of it. */
static const char *pass(const struct agent *agent, int root_fd, const char *path, int is_making,
                        int *ret_fd)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK;
    int dir_fd = root_fd, next, e;
    size_t at = 0;

    while (path[at] != '\0') {
        size_t end = at + strcspn(path + at, "/");
        char *name = str_printf("%.*s", (int)(end - at), path + at), why[256];
        enum linked linked;
        struct stat st;
        if (!is_place(agent, path, end)) {
            free(name);
            break;
        }
        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
            next = follow(root_fd, dir_fd, name, flags, &linked, why, sizeof(why));
        else
            next = is_making ? beneath_make(dir_fd, name) : beneath_open(dir_fd, name, O_DIRECTORY);
        e = errno;
        free(name);
        if (dir_fd != root_fd)
            close(dir_fd);
        errno = e;
        if (next < 0)
            return NULL;
        dir_fd = next;
        at = path[end] == '/' ? end + 1 : end;
    }
    *ret_fd = dir_fd;
    return path + at;
}

int linked_open(const struct agent *agent, int root_fd, const char *path, int flags)
{
    int fd = beneath_open(root_fd, path, flags), dir_fd, e;
    const char *rest;

    if (fd >= 0 || errno != ELOOP)
        return fd;
    rest = pass(agent, root_fd, path, 0, &dir_fd);
    if (rest == NULL || (*rest == '\0' && (flags & O_DIRECTORY) != 0))
        return rest != NULL ? dir_fd : -1;
    fd = *rest != '\0' ? beneath_open(dir_fd, rest, flags) : -1;
    e = *rest != '\0' ? errno : ELOOP;
    if (dir_fd != root_fd)
        close(dir_fd);
    errno = e;
    return fd;
}

int linked_make(const struct agent *agent, int root_fd, const char *path)
{
    int fd = beneath_make(root_fd, path), dir_fd, e;
    const char *rest;

    if (fd >= 0 || errno != ELOOP)
        return fd;
    rest = pass(agent, root_fd, path, 1, &dir_fd);
    if (rest == NULL || *rest == '\0')
        return rest != NULL ? dir_fd : -1;
    fd = beneath_make(dir_fd, rest);
    e = errno;
    if (dir_fd != root_fd)
        close(dir_fd);
    errno = e;
    return fd;
}

/* ---- */

enum linked linked_judge(const struct agent *agent, int root_fd, const char *path, struct stat *st,
                         char *why, size_t size)
{
    char *parent = path_parent(path);
    int is_top = strchr(path, '/') == NULL, dir_fd = root_fd, fd;
    enum linked linked = LINKED_REFUSED;

    memset(st, 0, sizeof(*st));
    snprintf(why, size, "symbolic links are not followed there");
    if (!linked_is_place(agent, path))
        goto done;
    if (!is_top && (dir_fd = linked_open(agent, root_fd, parent, O_DIRECTORY)) < 0)
        goto done;
    fd = follow(root_fd, dir_fd, path_base(path), PLACE_FLAGS, &linked, why, size);
    if (fd >= 0) {
        if (fstat(fd, st) != 0)
            linked = refuse(why, size, "what it leads to can't be looked at");
        close(fd);
    }
    if (dir_fd != root_fd)
        close(dir_fd);
done:
    free(parent);
    return linked;
}

struct telling {
    const struct agent *agent;
    const char *root;
    int root_fd;
    void (*f)(void *arg, const char *path, const char *target);
    void *arg;
};

static void tell(const struct telling *t, const char *path)
{
    char target[PATH_MAX], why[256], *whole = path_join(t->root, path);
    struct stat st;

    if (lstat(whole, &st) == 0 && S_ISLNK(st.st_mode) &&
        linked_judge(t->agent, t->root_fd, path, &st, why, sizeof(why)) == LINKED_FOLLOWED &&
        realpath(whole, target) != NULL)
        t->f(t->arg, path, target);
    free(whole);
}

static void tell_in(const struct telling *t, const char *dir)
{
    int fd = linked_open(t->agent, t->root_fd, dir, O_DIRECTORY);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        char *path = path_join(dir, e->d_name);
        if (e->d_type == DT_LNK || e->d_type == DT_UNKNOWN)
            tell(t, path);
        free(path);
    }
    if (d != NULL)
        closedir(d);
    else if (fd >= 0)
        close(fd);
}

void linked_each(const struct agent *agent, const char *root,
                 void (*f)(void *arg, const char *path, const char *target), void *arg)
{
    struct telling t = {agent, root, beneath_open_root(root), f, arg};

    if (agent->link_places == NULL)
        goto done;
    for (size_t i = 0; t.root_fd >= 0 && agent->link_places[i] != NULL; i++) {
        const char *place = agent->link_places[i];
        size_t n = strlen(place);
        if (n > 2 && strcmp(place + n - 2, "/*") == 0) {
            char *dir = str_printf("%.*s", (int)(n - 2), place);
            tell_in(&t, dir);
            free(dir);
        } else {
            tell(&t, place);
        }
    }
done:
    if (t.root_fd >= 0)
        close(t.root_fd);
}

/* ---- lists -------------------------------------------------------------------------------------
 */

static void visit(void *arg, const struct agent_file *file)
{
    const struct linked_visit *v = arg;
    int fd = linked_open(v->agent, v->root_fd, file->path, 0);
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        v->f(v->arg, file->path, fd, &st);
    if (fd >= 0)
        close(fd);
}

static void pass_over(void *arg, const char *path, const char *reason)
{
    (void)arg;
    (void)path;
    (void)reason;
}

const struct agent_list_ops linked_visit_ops = {.found = visit, .skipped = pass_over};
