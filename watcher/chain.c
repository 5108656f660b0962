#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "common/base/path.h"
#include "common/base/str.h"

#include "watcher/backend/backend.h"
#include "watcher/chain.h"

#define MOST_LINKS 40 /* as the kernel */

static void add(struct chain *c, const char *dir, const char *name, unsigned what, int is_vital)
{
    struct chain_link *l;

    c->v = str_realloc(c->v, c->n + 1, sizeof(*c->v));
    l = &c->v[c->n++];
    l->dir = str_dup(dir);
    l->name = str_dup(name);
    l->what = what;
    l->is_vital = is_vital;
}

/* Take the first name off ${*rest}; return it, or NULL if there is none. */
static char *take_name(char **rest)
{
    char *p = *rest + strspn(*rest, "/"), *name;
    size_t len = strcspn(p, "/");

    if (len == 0)
        return NULL;
    name = str_printf("%.*s", (int)len, p);
    *rest = p + len;
    return name;
}

/* Replace what is left of the way by what the link ${path} says; return the new folder to go on
 * from, or NULL. */
static char *follow(const char *path, const char *dir, char **way, char **rest)
{
    char target[PATH_MAX], *next;
    ssize_t n;

    if ((n = readlink(path, target, sizeof(target) - 1)) == -1)
        return NULL;
    target[n] = '\0';
    next = str_printf("%s/%s", target, *rest);
    free(*way);
    *rest = *way = next;
    return str_dup(target[0] == '/' ? "/" : dir);
}

/* Go one name further from ${*dir}.  Return 0, or -1 at the end of the way. */
static int step(struct chain *c, int is_file, char **dir, char **way, char **rest, int *links)
{
    char *name, *path = NULL, *next = NULL;
    unsigned what = BACKEND_SELF;
    int is_last, is_vital, rc = -1;
    struct stat st;

    if ((name = take_name(rest)) == NULL)
        return -1;
    is_last = (*rest)[strspn(*rest, "/")] == '\0';
    if (strcmp(name, ".") == 0) {
        rc = 0;
        goto done;
    }
    if (strcmp(name, "..") == 0) {
        next = path_parent(*dir);
        goto done;
    }
    path = path_join(*dir, name);
    if (lstat(path, &st) == -1) {
        what |= BACKEND_NAMES;
    } else if (S_ISLNK(st.st_mode)) {
        what |= BACKEND_NAMES;
        add(c, *dir, name, what, 1);
        if (++*links <= MOST_LINKS)
            next = follow(path, *dir, way, rest);
        goto done;
    } else if (S_ISDIR(st.st_mode)) {
        next = str_dup(path);
    } else if (!is_last) {
        what |= BACKEND_NAMES;
    }
    if (is_file && is_last)
        what |= BACKEND_NAMES | BACKEND_TREE | BACKEND_META;
    is_vital = (what & BACKEND_NAMES) != 0;
    /* A folder that goes tells of it only once nobody has it open any more; its parent does at
     * once. One further up can't go before it. */
    if (is_last)
        what |= BACKEND_LEFT;
    if (what != BACKEND_SELF || strcmp(*dir, "/") != 0)
        add(c, *dir, name, what, is_vital);

done:
    if (next != NULL) {
        free(*dir);
        *dir = next;
        rc = 0;
    }
    free(path);
    free(name);
    return rc;
}

void chain_resolve(const char *path, int is_file, struct chain *ret)
{
    char *dir = str_dup("/"), *way = str_dup(path), *rest = way;
    int links = 0;

    memset(ret, 0, sizeof(*ret));
    while (step(ret, is_file, &dir, &way, &rest, &links) == 0)
        ;
    free(way);
    free(dir);
}

int chain_is_same(const struct chain *a, const struct chain *b)
{
    if (a->n != b->n)
        return 0;
    for (size_t i = 0; i < a->n; i++) {
        if (a->v[i].what != b->v[i].what || strcmp(a->v[i].dir, b->v[i].dir) != 0 ||
            strcmp(a->v[i].name, b->v[i].name) != 0)
            return 0;
    }
    return 1;
}

void chain_free(struct chain *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->v[i].dir);
        free(c->v[i].name);
    }
    free(c->v);
    memset(c, 0, sizeof(*c));
}
