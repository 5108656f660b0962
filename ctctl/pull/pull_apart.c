#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/base/strlist.h"
#include "common/data/jdoc.h"
#include "ctctl/cloud/heads.h"
#include "ctctl/cloud/item.h"

#include "ctctl/pull/pull_apart.h"

#define SIGNATURE_MAX (64 << 10)

/* The current version (0) and the heads beside it; NULL: no more of them. */
static struct json_object *row_at(const struct json_object *item, size_t i)
{
    struct json_object *heads = jdoc_array(item, "heads");

    if (i == 0)
        return (struct json_object *)(uintptr_t)item;
    return heads != NULL && i <= json_object_array_length(heads)
               ? json_object_array_get_idx(heads, i - 1)
               : NULL;
}

static int is_other(const struct json_object *row)
{
    return jdoc_has(row, "thisDevice") && !jdoc_bool(row, "thisDevice", 0);
}

int pull_apart_any(const struct json_object *item)
{
    size_t n = 0, others = 0;

    for (size_t i = 0; row_at(item, i) != NULL; i++) {
        int is_pinned = i > 0 && jdoc_bool(row_at(item, i), "pinned", 0);
        n += !is_pinned;
        others += !is_pinned && is_other(row_at(item, i));
    }
    return n > 1 && others > 0;
}

static char *path_of(struct ctx *c, const char *session_id)
{
    const char *dir = ctx_account_dir(c);

    return dir != NULL ? str_printf("%s/apart/%s", dir, session_id) : NULL;
}

/* Which versions there are side by side, to the byte. */
static char *signature(const struct json_object *item)
{
    struct buf b = {0};

    for (size_t i = 0; row_at(item, i) != NULL; i++) {
        const struct json_object *row = row_at(item, i);
        const char *sum = jdoc_str(row, "checksum");
        buf_printf(&b, "%" PRId64 " %s\n", jdoc_int(row, i == 0 ? "currentVersion" : "version", 0),
                   sum != NULL ? sum : "");
    }
    return buf_steal(&b);
}

int pull_apart_is_known(struct ctx *c, const struct json_object *item)
{
    char *path = path_of(c, item_id(item)), *now = signature(item);
    struct buf then = {0};
    int is_so = path != NULL && file_read(path, SIGNATURE_MAX, &then, NULL) == 0 &&
                then.len == strlen(now) && memcmp(then.data, now, then.len) == 0;

    buf_free(&then);
    free(now);
    free(path);
    return is_so;
}

void pull_apart_note(struct ctx *c, const struct json_object *item)
{
    char *path = path_of(c, item_id(item)), *now = signature(item);
    char *dir = path != NULL ? path_parent(path) : NULL;

    /* Without it they are fetched once more. */
    if (dir != NULL && path_make_private(ctx_account_dir(c), NULL) == 0 &&
        path_make_private(dir, NULL) == 0)
        (void)file_replace(path, now, strlen(now), 0600, NULL);
    free(dir);
    free(now);
    free(path);
}

void pull_apart_forget(struct ctx *c, const char *session_id)
{
    char *path = path_of(c, session_id);

    if (path != NULL)
        unlink(path);
    free(path);
}

/* The machines that have something of it, as people call them. */
static void add_machines(struct ctx *c, const struct json_object *item, struct strlist *ret)
{
    for (size_t i = 0; row_at(item, i) != NULL; i++) {
        struct json_object *row = row_at(item, i);
        const char *machine;
        if (!is_other(row) || (i > 0 && jdoc_bool(row, "pinned", 0)))
            continue;
        if (i > 0)
            item_open(c, row, item_wire_id(item), ITEM_OLDER);
        machine = heads_machine(row);
        strlist_add_once(ret, machine != NULL ? machine : "another machine");
    }
}

void pull_apart_error(struct ctx *c, const struct json_object *item, struct ct_err *err)
{
    struct strlist machines = {0};
    struct buf b = {0};
    const char *id = item_id(item);

    add_machines(c, item, &machines);
    for (size_t i = 0; i < machines.n; i++)
        buf_printf(&b, "%s%s", i == 0 ? "" : i + 1 < machines.n ? ", " : " and ", machines.v[i]);
    err_set(err, ERR_CONFLICT,
            "it went on here and on %s, each without the other, and was left alone. To make one of "
            "both: ctctl pull %.8s --merge; what there is: ctctl versions %.8s",
            b.len > 0 ? b.data : "another machine", id, id);
    snprintf(err->reason, sizeof(err->reason), "diverged");
    buf_free(&b);
    strlist_free(&machines);
}
