#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "common/base/strlist.h"

void strlist_add(struct strlist *l, const char *s)
{
    if (l->n == l->cap) {
        l->cap = l->cap == 0 ? 8 : l->cap * 2;
        l->v = str_realloc(l->v, l->cap, sizeof(*l->v));
    }
    l->v[l->n++] = str_dup(s);
}

int strlist_has(const struct strlist *l, const char *s)
{
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->v[i], s) == 0)
            return 1;
    }
    return 0;
}

void strlist_add_once(struct strlist *l, const char *s)
{
    if (!strlist_has(l, s))
        strlist_add(l, s);
}

void strlist_copy(struct strlist *to, const struct strlist *from)
{
    for (size_t i = 0; i < from->n; i++)
        strlist_add(to, from->v[i]);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void strlist_sort(struct strlist *l)
{
    size_t kept = 0;

    if (l->n == 0)
        return;
    qsort(l->v, l->n, sizeof(*l->v), by_bytes);
    for (size_t i = 1; i < l->n; i++) {
        if (strcmp(l->v[kept], l->v[i]) == 0)
            free(l->v[i]);
        else
            l->v[++kept] = l->v[i];
    }
    l->n = kept + 1;
}

void strlist_free(struct strlist *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i]);
    free(l->v);
    memset(l, 0, sizeof(*l));
}
