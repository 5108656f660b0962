#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/client.h"
#include "common/data/jdoc.h"
#include "ctctl/cloud/item.h"
#include "ctctl/ui/text.h"

#include "ctctl/cloud/heads.h"

struct json_object *heads_beside(struct ctx *c, const char *wire_id, int64_t version)
{
    struct json_object *heads = json_object_new_array(), *o = NULL, *rows;
    char *path = api_session_path(wire_id, "/versions");
    struct ct_err err;

    if (ctx_cloud(c, "GET", path, NULL, &o, &err) == 0 &&
        (rows = jdoc_array(o, "versions")) != NULL) {
        if (version == 0)
            version = jdoc_int(o, "currentVersion", 0);
        for (size_t i = 0; i < json_object_array_length(rows); i++) {
            struct json_object *row = json_object_array_get_idx(rows, i);
            if (!jdoc_bool(row, "isHead", 0) || jdoc_int(row, "version", 0) == version)
                continue;
            item_open(c, row, wire_id, ITEM_OLDER);
            json_object_array_add(heads, json_object_get(row));
        }
    }
    json_object_put(o);
    free(path);
    return heads;
}

const char *heads_machine(const struct json_object *item)
{
    const struct json_object *device = jdoc_obj(item, "device");
    const char *name = item_is_locked(item) ? NULL : item_str(item, "sourceMachine");

    if (name == NULL || item_is_locked(item))
        name = device != NULL ? jdoc_str(device, "name") : NULL;
    return name;
}

void heads_say(struct ctx *c, const char *session_id, const struct json_object *heads)
{
    for (size_t i = 0; heads != NULL && i < json_object_array_length(heads); i++) {
        const struct json_object *h = json_object_array_get_idx(heads, i);
        const struct json_object *meta = item_is_locked(h) ? NULL : item_metadata(h);
        int64_t version = jdoc_int(h, "version", 0);
        int64_t n = meta != NULL ? jdoc_int(meta, "messageCount", -1) : -1;
        const char *machine = heads_machine(h);
        char *clean = text_clean(&c->out, machine != NULL ? machine : "another machine");
        char *count = n >= 0 ? text_count(n, "message", "messages") : NULL;

        ctx_say(c,
                "%s went on without this: version %" PRId64
                "%s%s is kept beside it; ctctl pull %.8s "
                "--version %" PRId64,
                clean, version, count != NULL ? " with " : "", count != NULL ? count : "",
                session_id, version);
        free(count);
        free(clean);
    }
}
