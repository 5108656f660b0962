#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "uploader/beside.h"

#include "uploader/transfer_impl.h"

/*
 * A server that is not ours has no heads and no pins: the newest version is all that it offers, and
 * sooner or later it drops the rest.
 */

static void fail(struct transfer *t, const char *sentence)
{
    struct ct_err err;

    err_set(&err, ERR_RETRY, "%s", sentence);
    transfer_finish(t, &err);
}

static void on_kept(void *arg, const struct ct_err *err)
{
    struct transfer *t = arg;

    t->keep = NULL;
    if (err != NULL)
        transfer_finish(t, err);
    else
        t->then(t);
}

static void start_keep(struct transfer *t, struct keep_what *what, void (*then)(struct transfer *t))
{
    struct keep_env env = {.engine = t->env.engine,
                           .worker = t->env.worker,
                           .kept = t->env.kept,
                           .api_url = t->api_url,
                           .token = t->token};
    struct ct_err err;

    snprintf(what->session_id, sizeof(what->session_id), "%s", queue_wire_id(t->item));
    if (kept_has(t->env.kept, what->session_id, what->version)) {
        then(t);
        return;
    }
    t->then = then;
    if (keep_start(&env, what, on_kept, t, &t->keep, &err) != 0)
        transfer_finish(t, &err);
}

/* ---- a fuller version that this server would rotate out -----------------------------------------
 */

static void pinned_kept(struct transfer *t)
{
    t->is_kept = 1;
    transfer_reserve(t); /* the URL is old by now */
}

void transfer_keep_pinned(struct transfer *t)
{
    struct keep_what what = {.version = t->item->pin};

    if (kept_has(t->env.kept, queue_wire_id(t->item), what.version)) {
        transfer_put(t);
        return;
    }
    if (what.version == t->item->facts.held) {
        what.size_bytes = t->item->facts.held_bytes;
        memcpy(what.sha256, t->item->facts.held_sha256, sizeof(what.sha256));
    }
    start_keep(t, &what, pinned_kept);
}

/* ---- what another device stored -----------------------------------------------------------------
 */

static void note_hidden(struct transfer *t, const struct api_head *h)
{
    struct queue_beside b = {.is_told = 1, .version = h->version, .messages = h->messages};

    snprintf(b.device, sizeof(b.device), "%s", h->device);
    t->hidden = h->version;
    t->ops->beside(t->arg, &b);
}

static void keep_hidden(struct transfer *t, const struct api_head *h,
                        void (*then)(struct transfer *t))
{
    struct keep_what what = {.version = h->version};

    note_hidden(t, h);
    start_keep(t, &what, then);
}

static void on_looked(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct transfer *t = arg;
    struct json_object *answer = NULL;
    struct api_head h;
    struct ct_err err;
    int is_gone = 0;

    t->call = NULL;
    if (res == NULL || api_answer(res, &answer, &err) != 0) {
        is_gone = res != NULL && err.code == ERR_GONE; /* it has no such session yet */
        if (!is_gone) {
            transfer_finish(t, res == NULL ? net_err : &err);
            return;
        }
    }
    t->is_looked = 1;
    if (is_gone || !beside_newest(jdoc_array(answer, "versions"), 0, t->item, &h)) {
        transfer_go_on(t);
    } else if (t->item->has_news != QUEUE_NEWS) {
        note_hidden(t, &h);
        transfer_behind(t);
    } else {
        keep_hidden(t, &h, transfer_go_on);
    }
    json_object_put(answer);
}

void transfer_look(struct transfer *t)
{
    transfer_versions(t, on_looked);
}

/* ---- after confirm ------------------------------------------------------------------------------
 */

static int lists_checksum(struct json_object *answer, const char *sha256, int64_t *ret_version)
{
    struct json_object *versions = jdoc_array(answer, "versions");
    struct api_head h;

    for (size_t i = 0; versions != NULL && i < json_object_array_length(versions); i++) {
        if (api_head_read(json_object_array_get_idx(versions, i), &h) && h.checksum[0] != '\0' &&
            strcmp(h.checksum + strlen("sha256:"), sha256) == 0) {
            *ret_version = h.version;
            return 1;
        }
    }
    return 0;
}

static void all_kept(struct transfer *t)
{
    transfer_confirmed(t);
}

/* What came between the look and the confirm is below ours now: the newest of that. */
static int came_between(struct transfer *t, struct json_object *answer, struct api_head *ret)
{
    struct json_object *versions = jdoc_array(answer, "versions"), *below;
    int64_t known = t->hidden > t->item->base_version ? t->hidden : t->item->base_version;
    struct api_head h;
    int is_one;

    if (t->is_told)
        return 0;
    below = json_object_new_array();
    for (size_t i = 0; versions != NULL && i < json_object_array_length(versions); i++) {
        struct json_object *row = json_object_array_get_idx(versions, i);
        if (api_head_read(row, &h) && h.version < t->version)
            json_object_array_add(below, json_object_get(row));
    }
    is_one = beside_newest(below, known, t->item, ret);
    json_object_put(below);
    return is_one;
}

static void on_versions(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct transfer *t = arg;
    struct json_object *answer = NULL;
    struct api_head h;
    struct ct_err err;

    t->call = NULL;
    if (res == NULL || api_answer(res, &answer, &err) != 0) {
        transfer_finish(t, res == NULL ? net_err : &err);
        return;
    }
    if (!lists_checksum(answer, t->item->sha256, &t->version)) {
        if (t->ops->unstored(t->arg, &err) != 0)
            transfer_finish(t, &err);
        else
            fail(t, "the server confirmed the bundle but does not list it");
    } else if (came_between(t, answer, &h)) {
        keep_hidden(t, &h, all_kept);
    } else {
        transfer_confirmed(t);
    }
    json_object_put(answer);
}

void transfer_settle(struct transfer *t)
{
    transfer_versions(t, on_versions);
}
