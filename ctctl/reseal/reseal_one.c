#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "bundle/open/generations.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "ctctl/reseal/reseal_put.h"

#include "ctctl/reseal/reseal_one.h"

/* A version in clear, as the server lists it. */
struct plain {
    int64_t version, size_bytes;
    char sha256[HASH_SHA256_HEX];
    int is_held;     /* a sealed version that was opened holds all of it */
    int64_t held_by; /* which */
};

struct resealing {
    const struct reseal_tools *t;
    struct reseal_session *s;
    char wire_id[UUID_SIZE];
    struct plain *plain; /* oldest first */
    size_t n_plain;
    int64_t keeps;       /* how many versions of a session the server keeps; 0: all */
    struct copy *sealed; /* those that were fetched back and opened */
    size_t n_sealed;
    int64_t newest_sealed; /* that the server lists */
    int64_t generation;    /* the highest that is known */
};

static void on_progress(void *arg, int64_t done, int64_t total)
{
    const struct resealing *r = arg;

    if (r->t->progress != NULL)
        progress_to(r->t->progress, done, total, now_mono_ms());
}

/* ---- what is there -----------------------------------------------------------------------------
 */

/* The server's list of versions; NULL in ${ret} if there is no such session. */
static int ask_versions(struct ctx *c, const char *id, struct json_object **ret, struct ct_err *err)
{
    char *path = api_session_path(id, "/versions");
    int rc = ctx_cloud(c, "GET", path, NULL, ret, err);

    free(path);
    if (rc != 0 && err->code == ERR_GONE) {
        *ret = NULL;
        return 0;
    }
    if (rc == 0 && jdoc_array(*ret, "versions") == NULL) {
        json_object_put(*ret);
        rc = err_set(err, ERR_CORRUPT, "the server's answer has no versions");
    }
    return rc;
}

static int by_version(const void *a, const void *b)
{
    const struct plain *x = a, *y = b;

    return (x->version > y->version) - (x->version < y->version);
}

static int list_plain(struct resealing *r, struct ct_err *err)
{
    struct json_object *o, *list;
    int rc = 0;

    if (ask_versions(r->t->c, r->s->id, &o, err) != 0)
        return -1;
    list = jdoc_array(o, "versions");
    r->keeps = jdoc_int(o, "limit", 0);
    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        const struct json_object *v = json_object_array_get_idx(list, i);
        const char *sum = jdoc_str(v, "checksum");
        struct plain *p;
        r->plain = str_realloc(r->plain, r->n_plain + 1, sizeof(*r->plain));
        p = &r->plain[r->n_plain++];
        memset(p, 0, sizeof(*p));
        p->version = jdoc_int(v, "version", 0);
        p->size_bytes = jdoc_int(v, "sizeBytes", 0);
        if (p->version < 1 || sum == NULL || !api_checksum_is_valid(sum))
            rc = err_set(err, ERR_CORRUPT, "the server's list of versions can't be used");
        else
            snprintf(p->sha256, sizeof(p->sha256), "%s", strchr(sum, ':') + 1);
    }
    if (r->n_plain > 0)
        qsort(r->plain, r->n_plain, sizeof(*r->plain), by_version);
    json_object_put(o);
    return rc;
}

/* Fetch a sealed version back and open it: only that shows that it can be had. */
static int open_sealed(struct resealing *r, int64_t version, struct ct_err *err)
{
    struct copy k;

    if (copy_fetch(r->t->c, r->s->id, r->wire_id, version, &k, NULL, err) != 0)
        return -1;
    r->sealed = str_realloc(r->sealed, r->n_sealed + 1, sizeof(*r->sealed));
    r->sealed[r->n_sealed++] = k;
    if (k.generation > r->generation)
        r->generation = k.generation;
    if (version > r->newest_sealed)
        r->newest_sealed = version;
    return generations_note(r->t->account_dir, r->s->id, k.generation, err);
}

/* Newest first; one that can't be opened holds nothing for us, unless all fail. */
static int list_sealed(struct resealing *r, struct ct_err *err)
{
    struct json_object *o, *list;
    int rc = 0;

    r->generation = generations_highest(r->t->account_dir, r->s->id);
    if (ask_versions(r->t->c, r->wire_id, &o, err) != 0)
        return -1;
    list = jdoc_array(o, "versions");
    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        int64_t version = jdoc_int(json_object_array_get_idx(list, i), "version", 0);
        if (version > r->newest_sealed)
            r->newest_sealed = version;
        rc = open_sealed(r, version, err);
        if (rc != 0 && err->code != ERR_CORRUPT)
            break;
    }
    json_object_put(o);
    return rc != 0 && (r->n_sealed == 0 || err->code != ERR_CORRUPT) ? -1 : 0;
}

static void forget_sealed(struct resealing *r)
{
    for (size_t i = 0; i < r->n_sealed; i++)
        copy_clear(&r->sealed[i]);
    free(r->sealed);
    r->sealed = NULL;
    r->n_sealed = 0;
}

/* ---- what holds what ---------------------------------------------------------------------------
 */

static const struct copy *same_bytes(const struct resealing *r, const struct plain *p)
{
    for (size_t i = 0; i < r->n_sealed; i++) {
        if (strcmp(r->sealed[i].sha256, p->sha256) == 0)
            return &r->sealed[i];
    }
    return NULL;
}

static void mark(const struct resealing *r, struct plain *p, const struct copy *k)
{
    for (size_t i = 0; i < r->n_sealed && !p->is_held; i++) {
        if (copy_is_within(k, &r->sealed[i])) {
            p->is_held = 1;
            p->held_by = r->sealed[i].version;
        }
    }
}

/* Compare each version in clear that is not there to the byte. */
static int compare_all(struct resealing *r, struct ct_err *err)
{
    for (size_t i = 0; i < r->n_plain; i++) {
        struct plain *p = &r->plain[i];
        const struct copy *same = same_bytes(r, p);
        struct copy k;
        if (same != NULL) {
            p->is_held = 1;
            p->held_by = same->version;
            continue;
        }
        if (copy_fetch(r->t->c, r->s->id, r->s->id, p->version, &k, NULL, err) != 0)
            return err_prefix(err, "version %" PRId64, p->version);
        mark(r, p, &k);
        copy_clear(&k);
    }
    return 0;
}

/* ---- making sealed ones ------------------------------------------------------------------------
 */

/*
 * The first of those that are to be stored: behind the newest that is there already, for an older
 * one behind a newer one would count as the newest; and no more than the server keeps.
 */
static size_t first_to_store(const struct resealing *r)
{
    size_t first = 0;

    for (size_t i = 0; i < r->n_plain; i++) {
        if (same_bytes(r, &r->plain[i]) != NULL)
            first = i + 1;
    }
    if (r->keeps > 0 && first + (size_t)r->keeps < r->n_plain)
        first = r->n_plain - (size_t)r->keeps;
    return first;
}

/* The largest so far, if the next one is smaller: it has something that the next one lacks, and is
 * kept beyond rotation. */
static int64_t to_pin(const struct resealing *r, const struct copy *next)
{
    const struct copy *largest = NULL;

    for (size_t i = 0; i < r->n_sealed; i++) {
        if (largest == NULL || r->sealed[i].gzip_bytes > largest->gzip_bytes)
            largest = &r->sealed[i];
    }
    return largest != NULL && !copy_is_within(largest, next) ? largest->version : 0;
}

static int store(struct resealing *r, const struct plain *p, struct ct_err *err)
{
    struct copy k;
    struct copy_source source;
    struct reseal_put put;
    int64_t version = 0;
    int rc;

    if (copy_fetch(r->t->c, r->s->id, r->s->id, p->version, &k, &source, err) != 0)
        return err_prefix(err, "version %" PRId64, p->version);
    put = (struct reseal_put){
        .ring = r->t->ring,
        .session_id = r->s->id,
        .wire_id = r->wire_id,
        .copy = &k,
        .source = &source,
        .item = r->s->item,
        .generation = r->generation + 1,
        .base_version = r->newest_sealed,
        .pin = to_pin(r, &k),
        .is_asked_for = r->s->is_asked_for,
        .progress = on_progress,
        .progress_arg = r,
    };
    rc = reseal_put(r->t->c, &put, &version, err);
    if (rc == 0) {
        r->s->stored++;
        r->generation++;
        rc = open_sealed(r, version, err);
    }
    copy_source_clear(&source);
    copy_clear(&k);
    return rc;
}

static int store_all(struct resealing *r, struct ct_err *err)
{
    size_t first = first_to_store(r);

    for (size_t i = first; i < r->n_plain; i++) {
        if (store(r, &r->plain[i], err) != 0)
            return -1;
    }
    return 0;
}

/* What rotation dropped meanwhile holds nothing any more. */
static int drop_rotated(struct resealing *r, struct ct_err *err)
{
    struct json_object *o, *list;
    size_t n = 0;

    if (ask_versions(r->t->c, r->wire_id, &o, err) != 0)
        return -1;
    list = jdoc_array(o, "versions");
    for (size_t i = 0; i < r->n_sealed; i++) {
        int is_listed = 0;
        for (size_t j = 0; list != NULL && j < json_object_array_length(list); j++)
            is_listed |=
                jdoc_int(json_object_array_get_idx(list, j), "version", 0) == r->sealed[i].version;
        if (is_listed)
            r->sealed[n++] = r->sealed[i];
        else
            copy_clear(&r->sealed[i]);
    }
    r->n_sealed = n;
    json_object_put(o);
    return 0;
}

/* ---- deleting ----------------------------------------------------------------------------------
 */

static int call_delete(struct resealing *r, int64_t version, struct ct_err *err)
{
    char *rest = version > 0 ? str_printf("/versions/%" PRId64, version) : str_dup("");
    char *path = api_session_path(r->s->id, rest);
    struct json_object *o = NULL;
    int rc = ctx_cloud(r->t->c, "DELETE", path, NULL, &o, err);

    json_object_put(o);
    free(path);
    free(rest);
    return rc;
}

/* Has something been saved in clear since we looked? */
static int is_as_it_was(struct resealing *r, struct ct_err *err)
{
    struct resealing now = {.t = r->t, .s = r->s};
    int is_so = list_plain(&now, err) == 0;

    if (is_so && (now.n_plain != r->n_plain ||
                  now.plain[now.n_plain - 1].version != r->plain[r->n_plain - 1].version)) {
        err_set(err, ERR_RETRY, "another device has just saved it in clear; run it again");
        is_so = 0;
    }
    free(now.plain);
    return is_so;
}

static int clear_away(struct resealing *r, struct ct_err *err)
{
    size_t held = 0;
    int rc = 0;

    for (size_t i = 0; i < r->n_plain; i++) {
        held += r->plain[i].is_held;
        if (!r->plain[i].is_held)
            json_object_array_add(r->s->left, json_object_new_int64(r->plain[i].version));
    }
    if (held == 0)
        return 0;
    if (!is_as_it_was(r, err))
        return -1;
    if (held == r->n_plain) {
        rc = call_delete(r, 0, err);
        if (rc == 0)
            r->s->deleted = (int64_t)held;
        return rc;
    }
    /* One by one is an extra of ours; where it is missing, all of it stays. */
    for (size_t i = 0; i < r->n_plain && rc == 0; i++) {
        if (!r->plain[i].is_held)
            continue;
        rc = call_delete(r, r->plain[i].version, err);
        r->s->deleted += rc == 0;
    }
    return rc != 0 && err->code == ERR_GONE ? 0 : rc;
}

int reseal_one(const struct reseal_tools *t, struct reseal_session *s, struct ct_err *err)
{
    struct resealing r = {.t = t, .s = s};
    int rc;

    keyring_opaque_id(t->ring, s->id, r.wire_id);
    rc = list_plain(&r, err);
    if (rc == 0 && r.n_plain == 0)
        goto done; /* deleted by somebody meanwhile */
    if (rc == 0)
        rc = list_sealed(&r, err);
    if (rc == 0 && !s->is_here)
        rc = store_all(&r, err);
    if (rc == 0)
        rc = drop_rotated(&r, err);
    if (rc == 0 && r.n_sealed == 0)
        rc = err_set(err, ERR_FAIL, "there is no sealed version of it that can be opened");
    if (rc == 0)
        rc = compare_all(&r, err);
    if (rc == 0)
        rc = clear_away(&r, err);
done:
    forget_sealed(&r);
    free(r.plain);
    return rc;
}
