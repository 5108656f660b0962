#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/str.h"

#include "watcher/dirtree.h"
#include "common/base/hashset.h"

struct dirtree {
    struct hashset by_name; /* key: parent and name */
};

struct key {
    const struct dir *parent;
    const char *name;
};

static uint64_t hash_key(const struct hashset *t, const struct key *k)
{
    uint64_t h = hashset_mix(t->seed, &k->parent, sizeof(k->parent));

    return hashset_mix(h, k->name, strlen(k->name));
}

static uint64_t hash_dir(const struct hashset *t, const void *item)
{
    const struct dir *d = item;
    struct key k = {d->parent, d->name};

    return hash_key(t, &k);
}

static int is_key(const void *item, const void *key)
{
    const struct dir *d = item;
    const struct key *k = key;

    return d->parent == k->parent && strcmp(d->name, k->name) == 0;
}

struct dirtree *dirtree_new(void)
{
    struct dirtree *t = str_calloc(1, sizeof(*t));

    t->by_name.hash = hash_dir;
    hash_random(&t->by_name.seed, sizeof(t->by_name.seed));
    return t;
}

void dirtree_free(struct dirtree *t)
{
    if (t == NULL)
        return;
    hashset_free(&t->by_name);
    free(t);
}

struct dir *dirtree_add(struct dirtree *t, int root, struct dir *parent, const char *name)
{
    size_t len = strlen(name) + 1;
    struct dir *d = str_calloc(1, offsetof(struct dir, name) + len);

    d->watch.id = -1;
    d->watch.kind = WATCH_DIR;
    d->watch.what = BACKEND_TREE;
    d->root = (uint16_t)root;
    memcpy(d->name, name, len);
    if ((d->parent = parent) == NULL)
        return d;
    if ((d->next = parent->child) != NULL)
        d->next->prev = d;
    parent->child = d;
    hashset_add(&t->by_name, d);
    return d;
}

struct dir *dirtree_find(const struct dirtree *t, const struct dir *parent, const char *name)
{
    struct key k = {parent, name};

    return hashset_find(&t->by_name, hash_key(&t->by_name, &k), is_key, &k);
}

void dirtree_del(struct dirtree *t, struct dir *d)
{
    if (d->parent != NULL) {
        hashset_del(&t->by_name, d);
        if (d->next != NULL)
            d->next->prev = d->prev;
        if (d->prev != NULL)
            d->prev->next = d->next;
        else
            d->parent->child = d->next;
    }
    free(d);
}

struct dir *dirtree_next(const struct dir *d, const struct dir *top, int is_skipping)
{
    if (d->child != NULL && !is_skipping)
        return d->child;
    for (; d != top; d = d->parent) {
        if (d->next != NULL)
            return d->next;
    }
    return NULL;
}

struct dir *dirtree_leaf(struct dir *d)
{
    while (d->child != NULL)
        d = d->child;
    return d;
}

int dirtree_path(const struct dir *d, const char *name, char *buf, size_t size)
{
    char *p = buf + size;
    size_t len;

    *--p = '\0';
    for (;;) {
        if (name != NULL) {
            len = strlen(name);
            if ((size_t)(p - buf) < len + 1)
                return -1;
            p -= len;
            memcpy(p, name, len);
        }
        if (d->parent == NULL)
            break;
        if (*p != '\0')
            *--p = '/';
        name = d->name;
        d = d->parent;
    }
    len = (size_t)(buf + size - p);
    memmove(buf, p, len);
    return (int)len - 1;
}
