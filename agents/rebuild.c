#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "agents/rebuild.h"

#define NAMES_MAX 40
#define NAME_BYTES 48

/* Others may have chosen the name. */
static int is_plain(const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)name[i]) && strchr("-_./ ", name[i]) == NULL)
            return 0;
    }
    return n > 0 && n <= NAME_BYTES;
}

static int64_t *find(struct losses *t, const char *name)
{
    for (size_t i = 0; i < t->n; i++) {
        if (strcmp(t->v[i].name, name) == 0)
            return &t->v[i].count;
    }
    if (t->n >= NAMES_MAX && strcmp(name, "others") != 0)
        return find(t, "others");
    t->v = str_realloc(t->v, t->n + 1, sizeof(*t->v));
    t->v[t->n].name = str_dup(name);
    t->v[t->n].count = 0;
    return &t->v[t->n++].count;
}

void losses_add(struct losses *t, const char *what, const char *name)
{
    char *full = str_printf("%s %s", what, is_plain(name) ? name : "of an odd name");

    ++*find(t, full);
    free(full);
}

void losses_free(struct losses *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->v[i].name);
    free(t->v);
    memset(t, 0, sizeof(*t));
}
