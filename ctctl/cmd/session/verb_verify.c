#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/install/verify.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "ctctl/cloud/download.h"
#include "ctctl/cloud/item.h"
#include "ctctl/ui/progress.h"
#include "ctctl/pull/pull.h"
#include "ctctl/cloud/sessions.h"
#include "ctctl/cloud/resolve.h"

#include "ctctl/ctx/verb.h"

struct verifying {
    struct ctx *c;
    struct verify_here *here; /* of the one under way, and its id */
    const char *id;
    char *root;
    struct progress *progress;
    int64_t version;
    struct json_object *results;
    int64_t total; /* sessions to choose from */
    int64_t good, bad, failed;
    int is_sealed;                   /* the one that it is about */
    int64_t before_bytes, all_bytes; /* of many: of those that were looked at, of all */
};

static void on_progress(void *arg, int64_t done, int64_t total)
{
    struct verifying *v = arg;

    done += v->before_bytes;
    progress_to(v->progress, done, done > v->all_bytes ? total + v->before_bytes : v->all_bytes,
                now_mono_ms());
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
                     (err->code == ERR_CORRUPT ||
                      (err->code == ERR_REFUSED && strcmp(err->reason, KEY_MISSING) != 0));
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
        buf_printf(&b, "%.8s  version %" PRId64 "%s  %s\n", id, version,
                   v->is_sealed ? ", sealed" : "", sentence(r->state));
    }
    if (!v->c->json) {
        ctx_print(v->c, &b);
        fflush(stdout);
    }
    buf_free(&b);
    o = json_object_new_object();
    jdoc_set_str(o, "sessionId", id);
    jdoc_set_int(o, "version", version);
    jdoc_set_bool(o, "sealed", v->is_sealed);
    jdoc_set_str(o, "result", err == NULL ? "ok" : is_damaged ? "damaged" : "failed");
    if (err == NULL) {
        jdoc_set_str(o, "local", verify_name(r->state));
        jdoc_set_int(o, "records", (int64_t)r->records);
        jdoc_set_int(o, "localRecords", (int64_t)r->local_records);
    } else {
        jdoc_set_str(o, "reason", err->reason[0] != '\0' ? err->reason : err_name(err->code));
        jdoc_set_str(o, "error", err->msg);
    }
    json_object_array_add(v->results, o);
}

static const char *find_root(void *arg, const struct agent *agent)
{
    struct verifying *v = arg;

    free(v->root);
    v->root = ctx_root(v->c, agent, NULL);
    v->here->here = pull_vouched_here(v->c, agent, v->id);
    return v->root;
}

static int open_and_compare(struct verifying *v, struct download *d, struct verify_result *ret,
                            struct ct_err *err)
{
    struct unseal_opts unseal;
    struct verify_here here;

    if (download_fetch(v->c, d, err) != 0 || download_unseal(v->c, d, &unseal, err) != 0)
        return -1;
    here.find_root = find_root;
    here.arg = v;
    v->here = &here;
    v->id = download_id(d);
    here.bundle = pull_vouched(v->c, d);
    if (verify_bundle(d->path, download_id(d), &here, &unseal, ret, err) != 0)
        return item_refused(err);
    return 0;
}

static int verify(struct verifying *v, const struct json_object *item, const char *wire_id,
                  struct ct_err *err)
{
    struct verify_result r;
    struct download d;
    int rc;

    v->is_sealed = item != NULL && item_is_sealed(item);
    if (download_look(v->c, wire_id, v->version, &d, err) != 0) {
        resolve_gone(v->c, err);
        tell(v, item != NULL ? item_id(item) : wire_id, v->version, NULL, err);
        return -1;
    }
    d.progress = on_progress;
    d.progress_arg = v;
    v->is_sealed = d.is_sealed;
    rc = open_and_compare(v, &d, &r, err);
    tell(v, download_id(&d), d.answer.version, &r, rc == 0 ? NULL : err);
    download_clear(&d, rc != 0 && err->code == ERR_RETRY);
    return rc;
}

/* ${n} of ${all} by chance, or all of them if there are fewer. */
static struct json_object *choose(struct json_object *all, size_t n)
{
    struct json_object *ret = json_object_new_array();
    size_t left = json_object_array_length(all);

    if (n > left)
        n = left;
    for (size_t i = 0; n > 0; i++, left--) {
        uint64_t random;
        hash_random(&random, sizeof(random));
        if (random % left >= n)
            continue;
        json_object_array_add(ret, json_object_get(json_object_array_get_idx(all, i)));
        n--;
    }
    return ret;
}

static void sum_up(struct verifying *v, int is_many)
{
    struct json_object *o;
    struct buf b = {0};

    if (v->c->json && is_many) {
        o = json_object_new_object();
        json_object_object_add(o, "sessions", json_object_get(v->results));
        jdoc_set_int(o, "checked", v->good + v->bad + v->failed);
        jdoc_set_int(o, "of", v->total);
        jdoc_set_int(o, "ok", v->good);
        jdoc_set_int(o, "damaged", v->bad);
        jdoc_set_int(o, "failed", v->failed);
        ctx_json(v->c, o);
        json_object_put(o);
    } else if (v->c->json) {
        ctx_json(v->c, json_object_array_get_idx(v->results, 0));
    } else if (is_many && v->total == 0) {
        ctx_say(v->c, "there are no sessions in the cloud yet");
    } else if (is_many) {
        buf_printf(&b,
                   "%" PRId64 " of %" PRId64 ": %" PRId64 " ok, %" PRId64 " damaged, %" PRId64
                   " could not be checked\n",
                   v->good + v->bad + v->failed, v->total, v->good, v->bad, v->failed);
        ctx_print(v->c, &b);
    }
    buf_free(&b);
}

static int begin(struct verifying *v, struct ctx *c, int64_t version, struct ct_err *err)
{
    memset(v, 0, sizeof(*v));
    v->c = c;
    v->version = version;
    if (ctx_config(c, err) != 0)
        return -1;
    v->results = json_object_new_array();
    v->progress = progress_new(&c->err, "Verifying", now_mono_ms());
    return 0;
}

static int end(struct verifying *v, int is_many, const struct ct_err *worst)
{
    progress_free(v->progress);
    sum_up(v, is_many);
    json_object_put(v->results);
    free(v->root);
    return v->bad > 0 ? CTX_FAILED : ctx_status(worst);
}

static int64_t bytes_of(const struct json_object *item)
{
    int64_t n = jdoc_int(item, "sizeBytes", 0);

    return n > 0 ? n : 0;
}

/* All, or a sample: whatever is there, sealed or in clear. */
static int verify_many(struct ctx *c, int64_t sample)
{
    const struct sessions_filter every = {0};
    struct json_object *answer, *list;
    struct ct_err e = {0}, worst = {0};
    struct verifying v;

    if (sessions_cloud(c, &every, &answer, &e) != 0)
        return ctx_fail(c, &e);
    if (begin(&v, c, 0, &e) != 0) {
        json_object_put(answer);
        return ctx_fail(c, &e);
    }
    list = jdoc_array(answer, "sessions");
    v.total = (int64_t)json_object_array_length(list);
    list = sample > 0 ? choose(list, (size_t)sample) : json_object_get(list);
    for (size_t i = 0; i < json_object_array_length(list); i++)
        v.all_bytes += bytes_of(json_object_array_get_idx(list, i));
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *item = json_object_array_get_idx(list, i);
        if (item_wire_id(item) == NULL)
            continue;
        progress_of(v.progress, (int64_t)i + 1, (int64_t)json_object_array_length(list));
        if (verify(&v, item, item_wire_id(item), &e) != 0 &&
            (worst.code == ERR_NONE || e.code != ERR_RETRY))
            worst = e;
        v.before_bytes += bytes_of(item);
        if (e.code == ERR_AUTH || e.code == ERR_CONFIG)
            break;
    }
    json_object_put(list);
    json_object_put(answer);
    return end(&v, 1, &worst);
}

static int verify_one(struct ctx *c, const char *word, int64_t version, int is_plain)
{
    struct ct_err e = {0};
    struct verifying v;
    struct resolved w;
    int rc;

    if (resolve_session(c, word, is_plain, &w, &e) != 0)
        return ctx_fail(c, &e);
    if (begin(&v, c, version, &e) != 0) {
        rc = ctx_fail(c, &e);
    } else {
        (void)verify(&v, w.item, w.wire_id, &e);
        rc = end(&v, 0, &e);
    }
    resolve_clear(&w);
    return rc;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    int64_t version = 0, sample = 0;
    int is_all = 0, is_plain = 0, is_many, rc;
    const struct opt opts[] = {
        {"all", OPT_FLAG, &is_all},
        {"sample", OPT_NUMBER, &sample},
        {"version", OPT_NUMBER, &version},
        {"plain", OPT_FLAG, &is_plain},
    };

    rc = opts_parse(c, opts, sizeof(opts) / sizeof(opts[0]), argc, argv, &words);
    is_many = is_all || sample > 0;
    if (rc == -1 && (is_many ? words.n > 0 || version > 0 || is_plain : words.n != 1))
        rc = ctx_usage(c, "verify wants the ID of one session, or --all, or --sample N");
    if (rc == -1)
        rc = is_many ? verify_many(c, sample) : verify_one(c, words.v[0], version, is_plain);
    strlist_free(&words);
    return rc;
}

const struct verb verb_verify = {
    "verify",
    "ID [--version N] [--plain] | --all | --sample N",
    "check that what is in the cloud can be restored",
    "Downloads the newest version, checks its SHA-256, opens it fully and compares its\n"
    "records with those of the session here. Nothing is written to the data folder.\n"
    "\n"
    "  --version N  another version\n"
    "  --plain      what is there in clear, on a device that seals\n"
    "  --all        all sessions, sealed and in clear\n"
    "  --sample N   N of them, chosen by chance\n"
    "\n"
    "Exit status 1 if one is damaged or can't be opened here; a session that went on here\n"
    "since is all right.\n",
    run,
    "ctctl verify 29221bf7     # one session\n"
    "ctctl verify --sample 10  # ten of them, once a week\n",
};
