#include <sys/stat.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/path.h"
#include "common/base/str.h"

#include "watcher/core.h"

/* Names that a session could have, at which lies what is never read.  Few, if any. */

#define MOST_TOLD 100

struct untaken {
    char *path; /* below the root */
    char *why;
    const char *cure;
    int is_met; /* in the present pass */
};

static void drop(struct root *r, size_t i)
{
    free(r->untaken[i].path);
    free(r->untaken[i].why);
    memmove(&r->untaken[i], &r->untaken[i + 1], (--r->n_untaken - i) * sizeof(*r->untaken));
}

/* Where ${path} is in the list, or would be. */
static size_t find(const struct root *r, const char *path)
{
    size_t low = 0, high = r->n_untaken;

    while (low < high) {
        size_t i = low + (high - low) / 2;
        if (strcmp(r->untaken[i].path, path) < 0)
            low = i + 1;
        else
            high = i;
    }
    return low;
}

/* Why a file that looks like ${st} is never read, or NULL. */
static const char *judge(const struct stat *st, const char *why, const char **ret_cure)
{
    uid_t uid = geteuid();

    *ret_cure =
        "put the file or folder itself in the place of the link (a folder of yours on another "
        "disk that holds sessions only may be linked as projects, or in it)";
    if (why != NULL)
        return why;
    *ret_cure = "put a regular file in its place";
    if (!S_ISREG(st->st_mode))
        return "it is no regular file";
    *ret_cure = "give it back to yourself (chown)";
    if (st->st_uid != uid)
        return "it belongs to another user";
    *ret_cure = "give yourself permission to read it: chmod u+r";
    return uid != 0 && (st->st_mode & S_IRUSR) == 0 ? "its mode keeps you from reading it" : NULL;
}

void untaken_note(struct root *r, const char *path, const struct stat *st, const char *why)
{
    const char *cure = NULL;
    struct untaken *u;
    size_t i;

    if (st == NULL && r->n_untaken == 0)
        return;
    why = st != NULL ? judge(st, why, &cure) : NULL;
    if (why == NULL && r->n_untaken == 0)
        return;
    i = find(r, path);
    if (i < r->n_untaken && strcmp(r->untaken[i].path, path) == 0) {
        if (why == NULL) {
            drop(r, i);
            return;
        }
        u = &r->untaken[i];
        free(u->why);
    } else {
        if (why == NULL)
            return;
        r->untaken = str_realloc(r->untaken, r->n_untaken + 1, sizeof(*r->untaken));
        u = &r->untaken[i];
        memmove(u + 1, u, (r->n_untaken++ - i) * sizeof(*u));
        u->path = str_dup(path);
    }
    u->why = str_dup(why);
    u->cure = cure;
    u->is_met = 1;
}

void untaken_begin(struct root *r)
{
    for (size_t i = 0; i < r->n_untaken; i++)
        r->untaken[i].is_met = 0;
}

void untaken_end(struct root *r)
{
    for (size_t i = r->n_untaken; i-- > 0;) {
        if (!r->untaken[i].is_met)
            drop(r, i);
    }
}

static int is_untaken_still(int root_fd, const char *path)
{
    const char *cure;
    struct stat st;

    return root_fd == -1 || (fstatat(root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                             judge(&st, NULL, &cure) != NULL);
}

void untaken_look(struct watcher *w)
{
    for (int i = 0; i < w->n_roots; i++) {
        struct root *r = &w->roots[i];
        size_t n = r->n_untaken;
        char **paths = str_calloc(n + 1, sizeof(*paths));

        for (size_t k = 0; k < n; k++)
            paths[k] = str_dup(r->untaken[k].path);
        for (size_t k = 0; k < n; k++) {
            if (!is_untaken_still(look_root(w, i), paths[k]))
                look_again(w, i, paths[k]);
            free(paths[k]);
        }
        free(paths);
    }
    look_rest(w);
}

void untaken_free(struct root *r)
{
    while (r->n_untaken > 0)
        drop(r, r->n_untaken - 1);
    free(r->untaken);
    r->untaken = NULL;
}

/* Folders that can't be read are polled, so that one which is given back is seen. */
static size_t each_folder(const struct root *r,
                          void (*f)(void *arg, const char *path, const char *why, const char *cure),
                          void *arg, size_t n)
{
    char below[PATH_MAX], *whole;

    for (const struct dir *d = r->polled > 0 ? r->top : NULL; d != NULL;
         d = dirtree_next(d, r->top, 0)) {
        if (!(d->flags & DIR_UNREADABLE) || dirtree_path(d, NULL, below, sizeof(below)) == -1)
            continue;
        whole = path_join(r->path, below);
        if (n++ < MOST_TOLD && f != NULL)
            f(arg, whole, "the folder can't be read, so what is in it is not saved",
              "give yourself permission: chmod u+rx");
        free(whole);
    }
    return n;
}

size_t untaken_each(const struct watcher *w,
                    void (*f)(void *arg, const char *path, const char *why, const char *cure),
                    void *arg)
{
    size_t n = 0;

    for (int i = 0; i < w->n_roots; i++) {
        const struct root *r = &w->roots[i];
        for (size_t k = 0; k < r->n_untaken; k++) {
            const struct untaken *u = &r->untaken[k];
            char *whole = path_join(r->path, u->path);
            if (n++ < MOST_TOLD && f != NULL)
                f(arg, whole, u->why, u->cure);
            free(whole);
        }
        n = each_folder(r, f, arg, n);
    }
    return n;
}
