#ifndef COMMON_BASE_HEAP_H
#define COMMON_BASE_HEAP_H

#include <stddef.h>

/*
 * A binary heap of nodes that live in the caller's structures.  Zeroed nodes are in no heap; a node
 * is in one heap at the most.
 */
struct heap_node {
    size_t pos; /* 1.. in the heap, 0: in none */
};

struct heap {
    int (*is_before)(const struct heap_node *a, const struct heap_node *b);
    struct heap_node **v;
    size_t n;
    size_t cap;
};

/**
 * heap_put(h, node):
 * Put ${node} where it belongs: insert it, or move it after its key changed.
 */
void heap_put(struct heap *h, struct heap_node *node);

/**
 * heap_take(h, node):
 * Take ${node} out; harmless if it is in no heap.
 */
void heap_take(struct heap *h, struct heap_node *node);

/**
 * heap_top(h):
 * Return the node before all others, or NULL if there is none.
 */
struct heap_node *heap_top(const struct heap *h);

/**
 * heap_free(h):
 * Release the heap's memory, not the nodes.
 */
void heap_free(struct heap *h);

#endif
