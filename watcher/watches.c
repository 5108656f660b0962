#include <stdlib.h>

#include "common/base/str.h"

#include "common/base/hashset.h"
#include "watcher/watches.h"

struct watches {
    const struct backend *backend;
    void *handle;
    struct hashset by_id; /* the first user of each */
};

static uint64_t hash_id(const struct hashset *t, const void *item)
{
    const struct watch *u = item;

    (void)t;
    return (uint64_t)u->id;
}

static int is_id(const void *item, const void *key)
{
    return ((const struct watch *)item)->id == *(const int *)key;
}

int watches_new(const struct backend *backend, struct event_base *base,
                const struct backend_listener *listener, void *arg, struct watches **ret,
                struct ct_err *err)
{
    struct watches *ws = str_calloc(1, sizeof(*ws));

    ws->backend = backend;
    ws->by_id.hash = hash_id;
    if (backend->open(base, listener, arg, &ws->handle, err) == -1) {
        free(ws);
        return -1;
    }
    *ret = ws;
    return 0;
}

void watches_free(struct watches *ws)
{
    if (ws == NULL)
        return;
    ws->backend->close(ws->handle);
    hashset_free(&ws->by_id);
    free(ws);
}

int watches_ask(struct watches *ws, int fd, unsigned what)
{
    return ws->backend->watch(ws->handle, fd, what, 0);
}

struct watch *watches_find(const struct watches *ws, int id)
{
    return hashset_find(&ws->by_id, (uint64_t)id, is_id, &id);
}

/* The first one stays first, for it is the one in the table. */
void watches_join(struct watches *ws, struct watch *u, int id)
{
    struct watch *first = watches_find(ws, id);

    u->id = id;
    u->next = NULL;
    if (first == NULL) {
        hashset_add(&ws->by_id, u);
        return;
    }
    u->next = first->next;
    first->next = u;
}

/* Take ${u} out; return whether others stay. */
static int detach(struct watches *ws, struct watch *u)
{
    struct watch *first = watches_find(ws, u->id), *before = first, *second;

    if (first != u) {
        while (before->next != u)
            before = before->next;
        before->next = u->next;
    } else {
        second = u->next;
        hashset_del(&ws->by_id, u);
        if (second != NULL)
            hashset_add(&ws->by_id, second);
        first = second;
    }
    u->next = NULL;
    u->id = -1;
    return first != NULL;
}

void watches_leave(struct watches *ws, struct watch *u)
{
    int id = u->id;

    if (id != -1 && !detach(ws, u))
        (void)ws->backend->unwatch(ws->handle, id);
}

int watches_is_shared(const struct watches *ws, const struct watch *u)
{
    return u->id != -1 && watches_find(ws, u->id)->next != NULL;
}

/* The system says so: the number of an inode is soon another folder's. */
int watches_is_of(struct watches *ws, const struct watch *u, int fd)
{
    int id = ws->backend->watch(ws->handle, fd, u->what, 0);

    if (id != -1 && id != u->id && watches_find(ws, id) == NULL)
        (void)ws->backend->unwatch(ws->handle, id);
    return id != -1 && id == u->id;
}

int watches_bury(struct watches *ws, struct watch *u, struct watch *grave)
{
    int id = u->id;

    detach(ws, u);
    watches_join(ws, grave, id);
    return ws->backend->unwatch(ws->handle, id);
}

void watches_narrow(struct watches *ws, int id, int fd)
{
    unsigned what = 0;
    int other;

    for (const struct watch *u = watches_find(ws, id); u != NULL; u = u->next)
        what |= u->what;
    other = ws->backend->watch(ws->handle, fd, what, 1);
    if (other != -1 && other != id && watches_find(ws, other) == NULL)
        (void)ws->backend->unwatch(ws->handle, other);
}

struct watch *watches_ended(struct watches *ws, int id)
{
    struct watch *first = watches_find(ws, id);

    if (first == NULL)
        return NULL;
    hashset_del(&ws->by_id, first);
    for (struct watch *u = first; u != NULL; u = u->next)
        u->id = -1;
    return first;
}

size_t watches_count(const struct watches *ws)
{
    return ws->by_id.n;
}
