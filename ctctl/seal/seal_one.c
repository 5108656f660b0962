#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "bundle/open/generations.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "ctctl/seal/seal_put.h"

#include "ctctl/seal/seal_one.h"

/* A version in clear, as the server lists it. */
struct plain {
    int64_t version;
    char sha256[HASH_SHA256_HEX];
    int is_held; /* a sealed version that was opened holds all of it */
};

struct sealing_one {
    const struct seal_tools *t;
    struct seal_session *s;
    char wire_id[UUID_SIZE];
    struct plain *plain; /* newest first */
    size_t n_plain;
    int keeps_heads; /* the server keeps what no other version contains beside the current one */
    struct copy *sealed; /* those that were fetched back and opened */
    size_t n_sealed;
    int64_t newest_sealed; /* that the server lists */
    int64_t generation;    /* the highest that is known */
};

static void on_progress(void *arg, int64_t done, int64_t total)
{
    const struct sealing_one *r = arg;

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

    return (x->version < y->version) - (x->version > y->version);
}

static int list_plain(struct sealing_one *r, struct ct_err *err)
{
    struct json_object *o, *list;
    int rc = 0;

    if (ask_versions(r->t->c, r->s->id, &o, err) != 0)
        return -1;
    list = jdoc_array(o, "versions");
    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        const struct json_object *v = json_object_array_get_idx(list, i);
        const char *sum = jdoc_str(v, "checksum");
        struct plain *p;
        r->plain = str_realloc(r->plain, r->n_plain + 1, sizeof(*r->plain));
        p = &r->plain[r->n_plain++];
        memset(p, 0, sizeof(*p));
        p->version = jdoc_int(v, "version", 0);
        r->keeps_heads = jdoc_has(v, "isHead");
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
static int open_sealed(struct sealing_one *r, int64_t version, struct ct_err *err)
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
static int list_sealed(struct sealing_one *r, struct ct_err *err)
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

static void forget_sealed(struct sealing_one *r)
{
    for (size_t i = 0; i < r->n_sealed; i++)
        copy_clear(&r->sealed[i]);
    free(r->sealed);
    r->sealed = NULL;
    r->n_sealed = 0;
}

/* ---- what holds what ---------------------------------------------------------------------------
 */

static int is_held(const struct sealing_one *r, const struct copy *k)
{
    for (size_t i = 0; i < r->n_sealed; i++) {
        if (copy_is_within(k, &r->sealed[i]))
            return 1;
    }
    return 0;
}

/* The sealed versions that ${k} contains. */
static struct json_object *bases_of(const struct sealing_one *r, const struct copy *k)
{
    struct json_object *bases = json_object_new_array();

    for (size_t i = 0; i < r->n_sealed; i++) {
        if (copy_is_within(&r->sealed[i], k))
            json_object_array_add(bases, json_object_new_int64(r->sealed[i].version));
    }
    return bases;
}

/* This device uploaded it itself: it knows the checksum. */
static int is_own(const struct sealing_one *r, const struct plain *p)
{
    return r->s->own_sha256 != NULL && strcmp(r->s->own_sha256, p->sha256) == 0;
}

/* Of what is nobody's word only what somebody knows.  Where the last upload is the current version,
 * one that holds less must not hide what is there. */
static int may_store(const struct sealing_one *r, const struct plain *p,
                     const struct json_object *bases)
{
    if (!is_own(r, p) && !r->s->may_be_strange)
        return 0;
    return r->keeps_heads || r->n_sealed == 0 ||
           (is_own(r, p) && json_object_array_length(bases) > 0);
}

/* ---- making sealed ones ------------------------------------------------------------------------
 */

static int store(struct sealing_one *r, const struct plain *p, const struct copy *k,
                 const struct copy_source *source, struct json_object *bases, struct ct_err *err)
{
    int64_t version = 0;
    /* What is nobody's word stands beside what is, whatever it contains, and never above it. */
    struct json_object *named = is_own(r, p) ? json_object_get(bases) : json_object_new_array();
    const struct seal_put put = {
        .ring = r->t->ring,
        .session_id = r->s->id,
        .wire_id = r->wire_id,
        .copy = k,
        .source = source,
        .item = r->s->item,
        .generation = r->generation + 1,
        .bases = named,
        .base_version = r->newest_sealed,
        .is_own = is_own(r, p),
        .is_asked_for = r->s->is_asked_for,
        .progress = on_progress,
        .progress_arg = r,
    };

    int rc = seal_put(r->t->c, &put, &version, err);

    json_object_put(named);
    if (rc != 0)
        return -1;
    r->s->stored++;
    r->generation++;
    return open_sealed(r, version, err);
}

/* Have a sealed version hold all of ${p}, if one may. */
static int seal_version(struct sealing_one *r, struct plain *p, struct ct_err *err)
{
    struct copy k;
    struct copy_source source;
    struct json_object *bases;
    int rc = 0;

    if (copy_fetch(r->t->c, r->s->id, r->s->id, p->version, &k, &source, err) != 0)
        return err_prefix(err, "version %" PRId64, p->version);
    p->is_held = is_held(r, &k);
    bases = bases_of(r, &k);
    if (!p->is_held && may_store(r, p, bases)) {
        rc = store(r, p, &k, &source, bases, err);
        p->is_held = rc == 0 && is_held(r, &k);
    }
    json_object_put(bases);
    copy_source_clear(&source);
    copy_clear(&k);
    return rc;
}

/* ---- deleting ----------------------------------------------------------------------------------
 */

static int call_delete(struct sealing_one *r, int64_t version, struct ct_err *err)
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
static int is_as_it_was(struct sealing_one *r, struct ct_err *err)
{
    struct sealing_one now = {.t = r->t, .s = r->s};
    int is_so = list_plain(&now, err) == 0;

    if (is_so && (now.n_plain != r->n_plain || now.plain[0].version != r->plain[0].version)) {
        err_set(err, ERR_RETRY, "another device has just saved it in clear; run it again");
        is_so = 0;
    }
    free(now.plain);
    return is_so;
}

/* Return whether the server can delete a version alone. */
static int delete_version(struct sealing_one *r, const struct plain *p, struct ct_err *err)
{
    if (call_delete(r, p->version, err) == 0) {
        r->s->deleted++;
        return 1;
    }
    /* An extra of ours. */
    return err->code == ERR_GONE ? 0 : -1;
}

/* What could not be deleted one by one goes as a whole, if all of it is held. */
static int delete_all(struct sealing_one *r, struct ct_err *err)
{
    if (json_object_array_length(r->s->left) > 0)
        return 0;
    if (!is_as_it_was(r, err) || call_delete(r, 0, err) != 0)
        return -1;
    r->s->deleted = (int64_t)r->n_plain;
    return 0;
}

/* One by one: seal, look, delete.  The newest first, for it mostly holds all others. */
static int each(struct sealing_one *r, struct ct_err *err)
{
    int is_single = 1;

    for (size_t i = 0; i < r->n_plain; i++) {
        struct plain *p = &r->plain[i];
        if (seal_version(r, p, err) != 0)
            return -1;
        if (!p->is_held)
            json_object_array_add(r->s->left, json_object_new_int64(p->version));
        else if (is_single && (is_single = delete_version(r, p, err)) < 0)
            return -1;
    }
    return is_single ? 0 : delete_all(r, err);
}

int seal_one(const struct seal_tools *t, struct seal_session *s, struct ct_err *err)
{
    struct sealing_one r = {.t = t, .s = s};
    int rc;

    keyring_opaque_id(t->ring, s->id, r.wire_id);
    rc = list_plain(&r, err);
    if (rc == 0 && r.n_plain > 0) /* else somebody has deleted it meanwhile */
        rc = list_sealed(&r, err);
    if (rc == 0)
        rc = each(&r, err);
    forget_sealed(&r);
    free(r.plain);
    return rc;
}
