#include <stdlib.h>
#include <string.h>

#include "bundle/format/entry.h"
#include "common/base/map.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "bundle/open/open_extras.h"

/* One line of the manifest; ${named} gets the entry that it speaks of, if that is there. */
static void name_one(struct extraction *x, const struct json_object *o, struct map *named)
{
    const char *stored = jdoc_str(o, "stored"), *path = jdoc_str(o, "originalPath");
    size_t prefix = strlen(ENTRY_EXTRAS);
    const struct item *i;
    char *name, *moved;

    if (stored == NULL || path == NULL)
        return;
    if (strncmp(stored, ENTRY_EXTRAS, prefix) == 0)
        stored += prefix;
    name = str_printf(ENTRY_EXTRAS "%s", stored);
    i = extraction_find(x, name);
    if (i != NULL && entry_is_extra(name) && map_get(named, name) == NULL) {
        moved = x->relocation != NULL ? relocation_path(x->relocation, path) : str_dup(path);
        extraction_leave_out(x, moved, OPEN_WORKING_FILE);
        free(moved);
        map_put(named, name, x);
    }
    free(name);
}

static void read_manifest(struct extraction *x, struct map *named)
{
    struct json_object *o;

    if (x->manifest.len == 0)
        return;
    if (jdoc_parse(x->manifest.data, x->manifest.len, &o, NULL) != 0) {
        extraction_leave_out(x, ENTRY_EXTRAS_MANIFEST, "can't be read");
        return;
    }
    if (json_object_is_type(o, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(o); i++)
            name_one(x, json_object_array_get_idx(o, i), named);
    }
    json_object_put(o);
}

void open_extras_leave_out(struct extraction *x)
{
    struct map *named = map_new();

    read_manifest(x, named);
    for (size_t i = 0; i < x->n; i++) {
        const char *name = x->items[i].name;
        if (entry_is_extra(name) && map_get(named, name) == NULL)
            extraction_leave_out(x, name, "the bundle does not say which file it is");
    }
    map_free(named);
}
