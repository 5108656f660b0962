#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/str.h"

#include "common/base/map.h"

struct node {
    struct node *next;
    void *value;
    char key[];
};

struct map {
    struct node **buckets;
    size_t n_buckets; /* a power of two */
    size_t n;
    uint64_t seed;
};

static size_t bucket_of(const struct map *m, const char *key)
{
    return (size_t)hash_quick(m->seed, key) & (m->n_buckets - 1);
}

struct map *map_new(void)
{
    struct map *m = str_calloc(1, sizeof(*m));

    m->n_buckets = 16;
    m->buckets = str_calloc(m->n_buckets, sizeof(*m->buckets));
    hash_random(&m->seed, sizeof(m->seed));
    return m;
}

void map_free(struct map *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->n_buckets; i++) {
        for (struct node *n = m->buckets[i], *next; n != NULL; n = next) {
            next = n->next;
            free(n);
        }
    }
    free(m->buckets);
    free(m);
}

void map_free_all(struct map *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->n_buckets; i++) {
        for (struct node *n = m->buckets[i]; n != NULL; n = n->next)
            free(n->value);
    }
    map_free(m);
}

static struct node **find(const struct map *m, const char *key)
{
    struct node **at = &m->buckets[bucket_of(m, key)];

    while (*at != NULL && strcmp((*at)->key, key) != 0)
        at = &(*at)->next;
    return at;
}

void *map_get(const struct map *m, const char *key)
{
    struct node *n = *find(m, key);

    return n != NULL ? n->value : NULL;
}

static void resize(struct map *m, size_t n_buckets)
{
    struct node **old = m->buckets;
    size_t n_old = m->n_buckets;

    m->n_buckets = n_buckets;
    m->buckets = str_calloc(n_buckets, sizeof(*m->buckets));
    for (size_t i = 0; i < n_old; i++) {
        for (struct node *n = old[i], *next; n != NULL; n = next) {
            struct node **head = &m->buckets[bucket_of(m, n->key)];
            next = n->next;
            n->next = *head;
            *head = n;
        }
    }
    free(old);
}

void map_put(struct map *m, const char *key, void *value)
{
    struct node **at = find(m, key), *n;
    size_t len = strlen(key) + 1;

    if (*at != NULL) {
        (*at)->value = value;
        return;
    }
    n = str_calloc(1, sizeof(*n) + len);
    memcpy(n->key, key, len);
    n->value = value;
    *at = n;
    m->n++;
    if (m->n > m->n_buckets)
        resize(m, m->n_buckets * 2);
}

void *map_remove(struct map *m, const char *key)
{
    struct node **at = find(m, key), *n = *at;
    void *value;

    if (n == NULL)
        return NULL;
    value = n->value;
    *at = n->next;
    free(n);
    m->n--;
    return value;
}

size_t map_size(const struct map *m)
{
    return m->n;
}

int map_each(const struct map *m, int (*f)(void *arg, const char *key, void *value), void *arg)
{
    int rc;

    for (size_t i = 0; i < m->n_buckets; i++) {
        for (struct node *n = m->buckets[i], *next; n != NULL; n = next) {
            next = n->next;
            if ((rc = f(arg, n->key, n->value)) != 0)
                return rc;
        }
    }
    return 0;
}
