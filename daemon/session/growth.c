#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "daemon/session/growth.h"

struct growth_file {
    uint64_t file; /* 0: an empty slot */
    int64_t size_bytes;
    int64_t new_bytes;
};

static size_t slot_of(const struct growth *g, uint64_t file)
{
    size_t i = (size_t)file & (g->n_slots - 1);

    while (g->files[i].file != 0 && g->files[i].file != file)
        i = (i + 1) & (g->n_slots - 1);
    return i;
}

static void grow(struct growth *g)
{
    struct growth old = *g;

    g->n_slots = old.n_slots == 0 ? 4 : old.n_slots * 2;
    g->files = str_calloc(g->n_slots, sizeof(*g->files));
    for (size_t i = 0; i < old.n_slots; i++) {
        if (old.files[i].file != 0)
            g->files[slot_of(g, old.files[i].file)] = old.files[i];
    }
    free(old.files);
}

/* Zero marks an empty slot. */
static uint64_t name_of(uint64_t file)
{
    return file != 0 ? file : 1;
}

int growth_knows(const struct growth *g, uint64_t file)
{
    return g->n_slots > 0 && g->files[slot_of(g, name_of(file))].file != 0;
}

void growth_note(struct growth *g, uint64_t file, int64_t before_bytes, int64_t now_bytes)
{
    struct growth_file *f;

    if (g->n >= g->n_slots / 2)
        grow(g);
    f = &g->files[slot_of(g, name_of(file))];
    if (f->file == 0) {
        f->file = name_of(file);
        f->size_bytes = before_bytes;
        g->n++;
    }
    g->bytes -= f->new_bytes;
    f->new_bytes =
        now_bytes >= f->size_bytes ? f->new_bytes + now_bytes - f->size_bytes : now_bytes;
    f->size_bytes = now_bytes;
    g->bytes += f->new_bytes;
}

int64_t growth_take(struct growth *g)
{
    int64_t bytes = g->bytes;

    for (size_t i = 0; i < g->n_slots; i++)
        g->files[i].new_bytes = 0;
    g->bytes = 0;
    return bytes;
}

void growth_free(struct growth *g)
{
    free(g->files);
    memset(g, 0, sizeof(*g));
}
