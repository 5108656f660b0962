#include <string.h>

#include "common/base/str.h"

#include "bundle/open/extraction.h"

void extraction_leave_out(struct extraction *x, const char *name, const char *reason)
{
    strlist_add(&x->left_out, name);
    strlist_add(&x->left_out, reason);
}

struct item *extraction_find(const struct extraction *x, const char *name)
{
    uintptr_t at = (uintptr_t)map_get(x->names, name);

    return at == 0 || at == NOT_AN_ITEM ? NULL : &x->items[at - 1];
}

int extraction_note(struct extraction *x, const char *name, uintptr_t at, struct ct_err *err)
{
    char text[128];

    if (map_get(x->names, name) != NULL) {
        str_escape(name, strlen(name), text, sizeof(text));
        return err_set(err, ERR_CORRUPT, "the bundle has two entries with one name: \"%s\"", text);
    }
    map_put(x->names, name, (void *)at);
    return 0;
}

struct item *extraction_add(struct extraction *x, const char *name, struct ct_err *err)
{
    struct item *i;

    if (extraction_note(x, name, x->n + 1, err) != 0)
        return NULL;
    if (x->n == x->cap) {
        x->cap = x->cap == 0 ? 64 : x->cap * 2;
        x->items = str_realloc(x->items, x->cap, sizeof(*x->items));
    }
    i = &x->items[x->n++];
    memset(i, 0, sizeof(*i));
    i->name = str_dup(name);
    return i;
}
