#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle/open/extraction.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"

#define FOLDER "extra-files/"
#define REWRITTEN "extra-files/rewritten" /* no extra file has that name */

static struct item *find(const struct extraction *x, const char *stored)
{
    const char *base =
        strncmp(stored, FOLDER, strlen(FOLDER)) == 0 ? stored + strlen(FOLDER) : stored;
    char *name = str_printf(FOLDER "%s", base);
    struct item *i = extraction_find(x, name);

    free(name);
    return i != NULL && i->is_taken && i->kind == AGENT_NOTHING && !i->is_extra ? i : NULL;
}

static int rewrite(struct extraction *x, struct item *i, struct ct_err *err)
{
    if (x->stage_fd < 0 || x->relocation == NULL)
        return 0;
    if (extraction_copy(x, i->name, REWRITTEN, x->relocation, &i->stage_bytes, err) != 0)
        return -1;
    if (renameat(x->stage_fd, REWRITTEN, x->stage_fd, i->name) != 0)
        return err_sys(err, "can't name a file in the stage");
    return 0;
}

/* One line of the manifest.  What makes no sense is passed over; its file is left out then. */
static int add(struct extraction *x, const struct json_object *o, struct ct_err *err)
{
    const char *stored = jdoc_str(o, "stored"), *path = jdoc_str(o, "originalPath");
    struct item *i = stored != NULL ? find(x, stored) : NULL;
    struct open_extra *e;
    char *moved;

    if (i == NULL || path == NULL)
        return 0;
    moved = x->relocation != NULL ? relocation_path(x->relocation, path) : str_dup(path);
    x->extras = str_realloc(x->extras, x->n_extras + 1, sizeof(*x->extras));
    i->is_extra = 1;
    e = &x->extras[x->n_extras++];
    e->name = str_dup(i->name);
    e->original_path = moved;
    return jdoc_bool(o, "rewriteContent", 0) ? rewrite(x, i, err) : 0;
}

static int read_manifest(struct extraction *x, struct ct_err *err)
{
    struct json_object *o;
    int rc = 0;

    if (x->manifest.len == 0)
        return 0;
    if (jdoc_parse(x->manifest.data, x->manifest.len, &o, NULL) != 0) {
        extraction_leave_out(x, EXTRACTION_MANIFEST, "can't be read");
        return 0;
    }
    if (json_object_is_type(o, json_type_array)) {
        for (size_t i = 0; rc == 0 && i < json_object_array_length(o); i++)
            rc = add(x, json_object_array_get_idx(o, i), err);
    }
    json_object_put(o);
    return rc;
}

int extraction_extras(struct extraction *x, struct ct_err *err)
{
    if (read_manifest(x, err) != 0)
        return -1;
    for (size_t i = 0; i < x->n; i++) {
        struct item *t = &x->items[i];
        if (!t->is_taken || t->kind != AGENT_NOTHING || t->is_extra)
            continue;
        extraction_leave_out(x, t->name, "the bundle does not say which file it is");
        t->is_taken = 0;
        if (x->stage_fd >= 0 && unlinkat(x->stage_fd, t->name, 0) != 0)
            return err_sys(err, "can't remove a file from the stage");
    }
    return 0;
}
