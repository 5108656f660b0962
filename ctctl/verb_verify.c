#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/verify.h"
#include "common/hash.h"
#include "common/jdoc.h"
#include "common/now.h"
#include "common/str.h"
#include "ctctl/download.h"
#include "ctctl/progress.h"
#include "ctctl/pull.h"
#include "ctctl/sessions.h"

#include "ctctl/verb.h"

struct verifying {
    struct ctx *c;
    char *root;
    struct progress *progress;
    int64_t version;
    struct json_object *results;
    int64_t good, bad, failed;
};

static void on_progress(void *arg, int64_t done, int64_t total)
{
    struct verifying *v = arg;

    progress_to(v->progress, done, total, now_mono_ms());
}

static const char *sentence(enum verify_state state)
{
    switch (state) {
    case VERIFY_SAME:
        return "ok, the same as here";
    case VERIFY_LOCAL_NEWER:
        return "ok, but what is here has gone on since";
    case VERIFY_CLOUD_NEWER:
        return "ok, and newer than what is here; see: ctctl pull --update";
    case VERIFY_DIVERGED:
        return "ok, but here and there went on apart";
    case VERIFY_NOT_HERE:
        return "ok, not on this machine";
    }
    return "";
}

static void tell(struct verifying *v, const char *id, int64_t version,
                 const struct verify_result *r, const struct ct_err *err)
{
    int is_damaged = err != NULL && err->http_status == 0 &&
                     (err->code == ERR_CORRUPT || err->code == ERR_REFUSED);
    struct json_object *o;
    struct buf b = {0};

    if (v->progress != NULL)
        progress_pause(v->progress);
    if (err != NULL) {
        v->bad += is_damaged;
        v->failed += !is_damaged;
        ctx_say(v->c, "%.8s: %s%s", id, is_damaged ? "DAMAGED: " : "", err->msg);
    } else {
        v->good++;
        buf_printf(&b, "%.8s  version %" PRId64 "  %s\n", id, version, sentence(r->state));
    }
    if (!v->c->json) {
        ctx_print(v->c, &b);
        fflush(stdout);
    }
    buf_free(&b);
    o = json_object_new_object();
    jdoc_set_str(o, "sessionId", id);
    jdoc_set_int(o, "version", version);
    jdoc_set_str(o, "result", err == NULL ? "ok" : is_damaged ? "damaged" : "failed");
    if (err == NULL) {
        jdoc_set_str(o, "local", verify_name(r->state));
        jdoc_set_int(o, "records", (int64_t)r->records);
        jdoc_set_int(o, "localRecords", (int64_t)r->local_records);
    } else {
        jdoc_set_str(o, "error", err->msg);
    }
    json_object_array_add(v->results, o);
}

static int verify(struct verifying *v, const char *id, struct ct_err *err)
{
    struct verify_result r;
    struct download d;
    int64_t version;
    int rc;

    if (download_look(v->c, id, v->version, &d, err) != 0) {
        tell(v, id, v->version, NULL, err);
        return -1;
    }
    d.progress = on_progress;
    d.progress_arg = v;
    version = d.answer.version;
    rc = download_fetch(v->c, &d, err);
    if (rc == 0)
        rc = verify_bundle(d.path, id, v->root, NULL, &r, err);
    tell(v, id, version, &r, rc == 0 ? NULL : err);
    download_clear(&d, rc != 0 && err->code == ERR_RETRY);
    return rc;
}

/* Have ${n} random ones at the front. */
static void shuffle(struct strlist *ids, size_t n)
{
    for (size_t i = 0; i < n && i + 1 < ids->n; i++) {
        uint64_t random;
        size_t j;
        char *swap;
        hash_random(&random, sizeof(random));
        j = i + (size_t)(random % (ids->n - i));
        swap = ids->v[i];
        ids->v[i] = ids->v[j];
        ids->v[j] = swap;
    }
}

static int list_ids(struct ctx *c, struct strlist *ret, struct ct_err *err)
{
    const struct sessions_filter every = {0};
    struct json_object *answer, *list;

    if (sessions_cloud(c, &every, &answer, err) != 0)
        return -1;
    list = jdoc_array(answer, "sessions");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const char *id = jdoc_str(json_object_array_get_idx(list, i), "id");
        if (id != NULL)
            strlist_add(ret, id);
    }
    json_object_put(answer);
    return 0;
}

static void sum_up(struct verifying *v, int is_many)
{
    struct json_object *o;
    struct buf b = {0};

    if (v->c->json && is_many) {
        o = json_object_new_object();
        json_object_object_add(o, "sessions", json_object_get(v->results));
        jdoc_set_int(o, "ok", v->good);
        jdoc_set_int(o, "damaged", v->bad);
        jdoc_set_int(o, "failed", v->failed);
        ctx_json(v->c, o);
        json_object_put(o);
    } else if (v->c->json) {
        ctx_json(v->c, json_object_array_get_idx(v->results, 0));
    } else if (is_many) {
        buf_printf(&b, "%" PRId64 " ok, %" PRId64 " damaged, %" PRId64 " could not be checked\n",
                   v->good, v->bad, v->failed);
        ctx_print(v->c, &b);
    }
    buf_free(&b);
}

static int verify_all(struct ctx *c, const struct strlist *ids, size_t n, int64_t version,
                      int is_many)
{
    struct verifying v = {.c = c, .version = version};
    struct ct_err e = {0}, worst = {0};

    v.root = pull_root(c, &e);
    if (v.root == NULL)
        return ctx_fail(c, &e);
    v.results = json_object_new_array();
    v.progress = progress_new(&c->err, "Verifying", now_mono_ms());
    for (size_t i = 0; i < n && i < ids->n; i++) {
        if (verify(&v, ids->v[i], &e) != 0 && (worst.code == ERR_NONE || e.code != ERR_RETRY))
            worst = e;
        if (e.code == ERR_AUTH || e.code == ERR_CONFIG)
            break;
    }
    progress_free(v.progress);
    sum_up(&v, is_many);
    json_object_put(v.results);
    free(v.root);
    if (v.bad > 0)
        return CTX_FAILED;
    return ctx_status(&worst);
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0}, ids = {0};
    int64_t version = 0, sample = 0;
    int is_all = 0, rc;
    const struct opt opts[] = {
        {"all", OPT_FLAG, &is_all},
        {"sample", OPT_NUMBER, &sample},
        {"version", OPT_NUMBER, &version},
    };
    struct ct_err e;
    char *id;

    rc = opts_parse(c, opts, 3, argc, argv, &words);
    if (rc == -1 && (is_all || sample > 0 ? words.n > 0 || version > 0 : words.n != 1))
        rc = ctx_usage(c, "verify wants the ID of one session, or --all, or --sample N");
    if (rc == -1 && words.n == 1) {
        if (sessions_resolve(c, words.v[0], &id, &e) == 0) {
            strlist_add(&ids, id);
            free(id);
        } else {
            rc = ctx_fail(c, &e);
        }
    } else if (rc == -1 && list_ids(c, &ids, &e) != 0) {
        rc = ctx_fail(c, &e);
    }
    if (rc == -1 && sample > 0)
        shuffle(&ids, (size_t)sample);
    if (rc == -1)
        rc =
            verify_all(c, &ids, sample > 0 ? (size_t)sample : ids.n, version, is_all || sample > 0);
    strlist_free(&words);
    strlist_free(&ids);
    return rc;
}

const struct verb verb_verify = {
    "verify",
    "ID [--version N] | --all | --sample N",
    "check that what is in the cloud can be restored",
    "Downloads the newest version, checks its SHA-256, opens it fully and compares its\n"
    "records with those of the session here. Nothing is written to the data folder.\n"
    "\n"
    "  --version N  another version\n"
    "  --all        all sessions\n"
    "  --sample N   N sessions, chosen by chance\n"
    "\n"
    "Exit status 1 if one is damaged; a session that went on here since is all right.\n",
    run,
};
