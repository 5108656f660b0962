#include <stdlib.h>

#include "common/base/str.h"

#include "common/base/heap.h"

/* Positions count from 1: the parent of p is p / 2. */
static void set(struct heap *h, size_t pos, struct heap_node *node)
{
    h->v[pos - 1] = node;
    node->pos = pos;
}

static struct heap_node *at(const struct heap *h, size_t pos)
{
    return h->v[pos - 1];
}

/* Put ${node} where it belongs, from ${pos} on, where there is a hole. */
static void sift(struct heap *h, size_t pos, struct heap_node *node)
{
    size_t next;

    for (; pos > 1 && h->is_before(node, at(h, pos / 2)); pos /= 2)
        set(h, pos, at(h, pos / 2));
    for (; (next = 2 * pos) <= h->n; pos = next) {
        if (next < h->n && h->is_before(at(h, next + 1), at(h, next)))
            next++;
        if (!h->is_before(at(h, next), node))
            break;
        set(h, pos, at(h, next));
    }
    set(h, pos, node);
}

void heap_put(struct heap *h, struct heap_node *node)
{
    if (node->pos == 0) {
        if (h->n == h->cap) {
            h->cap = h->cap == 0 ? 16 : h->cap * 2;
            h->v = str_realloc(h->v, h->cap, sizeof(*h->v));
        }
        node->pos = ++h->n;
    }
    sift(h, node->pos, node);
}

void heap_take(struct heap *h, struct heap_node *node)
{
    size_t pos = node->pos;
    struct heap_node *last;

    if (pos == 0)
        return;
    node->pos = 0;
    last = at(h, h->n--);
    if (last != node)
        sift(h, pos, last);
}

struct heap_node *heap_top(const struct heap *h)
{
    return h->n > 0 ? h->v[0] : NULL;
}

void heap_free(struct heap *h)
{
    free(h->v);
    h->v = NULL;
    h->n = h->cap = 0;
}
