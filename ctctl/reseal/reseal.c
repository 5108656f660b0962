#include <sys/file.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle/seal/sealed.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/base/uuid.h"
#include "ctctl/ui/headline.h"
#include "ctctl/key/key.h"
#include "ctctl/reseal/reseal_one.h"
#include "ctctl/cloud/sessions.h"
#include "ctctl/here/sync_follow.h"
#include "ctctl/ui/term.h"

#include "ctctl/reseal/reseal.h"

#define ANSWER_MS 30000

struct reseal {
    struct ctx *c;
    const struct reseal_opts *o;
    const struct keyring *ring;
    int lock_fd;
    struct json_object *chosen; /* items of the server's list, oldest first */
    struct json_object *here;   /* the daemon's list */
    struct json_object *failed; /* by the daemon: {"<id>": item} */
    int64_t of_others;          /* sessions in clear that were left out */
    struct strlist others;      /* whose they are */

    struct json_object *results;
    struct strlist cleared;
    int64_t n_done, n_left, n_failed;
    struct ct_err worst;
};

/* ---- what is to be done ------------------------------------------------------------------------
 */

static int prepare(struct reseal *r, struct ct_err *err)
{
    char *dir, *path;

    r->ring = ctx_ring(r->c, err);
    if (r->ring == NULL)
        return -1;
    if (r->c->config->encryption == CONFIG_ENCRYPTION_OFF)
        return err_set(err, ERR_CONFIG,
                       "nothing is sealed here: the configuration says encryption "
                       "= \"off\"");
    if (keyring_n(r->ring) == 0)
        return err_set(err, ERR_CONFIG,
                       "this device has no key. Make one: ctctl key init; or bring "
                       "yours: ctctl key import");
    dir = path_join(r->c->config->state_dir, "downloads");
    path = path_join(dir, "reseal.lock");
    r->lock_fd = -1;
    if (path_make_private(dir, err) == 0)
        r->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (r->lock_fd >= 0 && flock(r->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        close(r->lock_fd);
        r->lock_fd = -1;
        err_set(err, ERR_RETRY, "another ctctl is at it already");
    } else if (r->lock_fd < 0) {
        err_sys(err, "can't make %s", path);
    }
    free(path);
    free(dir);
    return r->lock_fd < 0 ? -1 : 0;
}

static struct json_object *find_here(const struct reseal *r, const char *id)
{
    for (size_t i = 0; i < json_object_array_length(r->here); i++) {
        struct json_object *o = json_object_array_get_idx(r->here, i);
        const char *s = jdoc_str(o, "sessionId");
        if (s != NULL && strcmp(s, id) == 0)
            return o;
    }
    return NULL;
}

/* Saved by this device: it, or the token before, or it has it. */
static int is_ours(const struct reseal *r, const struct json_object *item)
{
    const char *machine = jdoc_str(item, "sourceMachine");

    return jdoc_bool(item, "thisDevice", 0) || find_here(r, jdoc_str(item, "id")) != NULL ||
           (machine != NULL && strcmp(machine, r->c->cred->device_name) == 0);
}

static int is_asked_for(const struct reseal *r, const char *id)
{
    for (size_t i = 0; i < r->o->ids->n; i++) {
        if (strncmp(id, r->o->ids->v[i], strlen(r->o->ids->v[i])) == 0)
            return 1;
    }
    return 0;
}

/* Each ID has to mean one session in clear. */
static int check_ids(const struct reseal *r, struct json_object *list, struct ct_err *err)
{
    for (size_t i = 0; i < r->o->ids->n; i++) {
        const char *word = r->o->ids->v[i];
        int n = 0;
        for (size_t j = 0; j < json_object_array_length(list); j++) {
            const struct json_object *item = json_object_array_get_idx(list, j);
            const char *id = jdoc_str(item, "id");
            n += id != NULL && strncmp(id, word, strlen(word)) == 0 &&
                 !sealed_is(jdoc_obj(item, "metadata"));
        }
        if (n == 0)
            return err_set(err, ERR_GONE,
                           "no session that is in clear in the cloud begins with \"%s\"; see: "
                           "ctctl list --cloud",
                           word);
        if (n > 1)
            return err_set(err, ERR_CONFLICT,
                           "several sessions begin with \"%s\"; give more of the ID", word);
    }
    return 0;
}

static int choose(struct reseal *r, struct ct_err *err)
{
    const struct sessions_filter every = {0};
    struct json_object *answer, *list;

    if (sessions_local(r->c, &every, &r->here, err) != 0 ||
        sessions_cloud(r->c, &every, &answer, err) != 0)
        return -1;
    list = jdoc_array(answer, "sessions");
    if (check_ids(r, list, err) != 0) {
        json_object_put(answer);
        return -1;
    }
    for (size_t i = json_object_array_length(list); i-- > 0;) {
        struct json_object *item = json_object_array_get_idx(list, i);
        const char *id = jdoc_str(item, "id"), *machine = jdoc_str(item, "sourceMachine");
        if (id == NULL || !uuid_is_valid(id) || sealed_is(jdoc_obj(item, "metadata")))
            continue;
        if (r->o->ids->n > 0 ? is_asked_for(r, id) : r->o->all_devices || is_ours(r, item)) {
            json_object_array_add(r->chosen, json_object_get(item));
        } else if (r->o->ids->n == 0) {
            r->of_others++;
            strlist_add_once(&r->others, machine != NULL ? machine : "unknown");
        }
    }
    json_object_put(answer);
    return 0;
}

/* ---- asking ------------------------------------------------------------------------------------
 */

static void say_others(const struct reseal *r)
{
    struct buf names = {0};
    char *n;

    if (r->of_others == 0)
        return;
    for (size_t i = 0; i < r->others.n && i < 5; i++)
        buf_printf(&names, "%s%s", i > 0 ? ", " : "", r->others.v[i]);
    n = text_count(r->of_others, "session that another device has saved is",
                   "sessions that other devices have saved are");
    ctx_say(r->c,
            "%s left as %s (%s%s). Do this there; for a device that is gone: ctctl sync "
            "--reseal --all-devices",
            n, r->of_others == 1 ? "it is" : "they are", names.data,
            r->others.n > 5 ? ", ..." : "");
    free(n);
    buf_free(&names);
}

static int agree(struct reseal *r)
{
    int64_t versions = 0, n = (int64_t)json_object_array_length(r->chosen);
    char *sessions, *count, *question;
    int yes;

    if (r->o->is_agreed)
        return CTX_OK;
    if (!term_is_interactive())
        return ctx_usage(r->c, "nobody can be asked here; add --yes to delete what is in clear "
                               "without a question");
    for (int64_t i = 0; i < n; i++)
        versions +=
            headline_number(json_object_array_get_idx(r->chosen, (size_t)i), "versionCount", 1);
    sessions = text_count(n, "session", "sessions");
    count = text_count(versions, "version", "versions");
    question = str_printf(
        "%s (%s) %s in the cloud in clear. Each is saved again, sealed, then fetched back, opened "
        "with the key and compared. Only then is it deleted in clear. A codeteleport-server keeps "
        "what was deleted in its trash for 30 days, in clear, and a server of another make not at "
        "all.\nA device of yours without the key can't save %s any more until it has it (ctctl key "
        "import).\nGo on?",
        sessions, count, n == 1 ? "is" : "are", n == 1 ? "this session" : "these sessions");
    yes = term_confirm(question);
    free(question);
    free(count);
    free(sessions);
    if (yes)
        return CTX_OK;
    ctx_say(r->c, "nothing was changed");
    return CTX_FAILED;
}

/* ---- the daemon's part -------------------------------------------------------------------------
 */

static int is_here(const struct reseal *r, const char *id)
{
    const struct json_object *o = find_here(r, id);
    const char *state = jdoc_str(o, "state");

    return o != NULL && (state == NULL || strcmp(state, "archived") != 0);
}

/* Have it make sealed versions of what is here. */
static int ask_daemon(struct reseal *r, struct ct_err *err)
{
    struct json_object *params = json_object_new_object(), *ids = json_object_new_array(), *o, *f;
    struct sync_follow *follow;
    int rc = 0;

    for (size_t i = 0; i < json_object_array_length(r->chosen); i++) {
        const char *id = jdoc_str(json_object_array_get_idx(r->chosen, i), "id");
        if (is_here(r, id))
            json_object_array_add(ids, jdoc_new_str(id));
    }
    json_object_object_add(params, "ids", ids);
    jdoc_set_bool(params, "wait", 1);
    jdoc_set_bool(params, "reseal", 1);
    if (json_object_array_length(ids) > 0) {
        follow = sync_follow_start(r->c);
        rc = ctx_call(r->c, "sync", params, 0, &o, err);
        sync_follow_stop(follow);
        f = rc == 0 ? jdoc_array(o, "failed") : NULL;
        for (size_t i = 0; f != NULL && i < json_object_array_length(f); i++) {
            struct json_object *item = json_object_array_get_idx(f, i);
            if (jdoc_str(item, "sessionId") != NULL)
                json_object_object_add(r->failed, jdoc_str(item, "sessionId"),
                                       json_object_get(item));
        }
        if (rc == 0)
            json_object_put(o);
    }
    json_object_put(params);
    return rc;
}

static void tell_daemon(struct reseal *r)
{
    struct json_object *params, *ids, *o;

    if (r->cleared.n == 0)
        return;
    params = json_object_new_object();
    ids = json_object_new_array();
    for (size_t i = 0; i < r->cleared.n; i++)
        json_object_array_add(ids, jdoc_new_str(r->cleared.v[i]));
    json_object_object_add(params, "ids", ids);
    /* It learns so from the server's list too, later. */
    if (ctx_call(r->c, "cleared", params, ANSWER_MS, &o, NULL) == 0)
        json_object_put(o);
    json_object_put(params);
    strlist_free(&r->cleared);
    memset(&r->cleared, 0, sizeof(r->cleared));
}

/* ---- one after another -------------------------------------------------------------------------
 */

static void line(struct reseal *r, const struct reseal_session *s, const struct ct_err *err)
{
    size_t left = json_object_array_length(s->left);
    struct buf b = {0};
    char *n;

    if (err != NULL) {
        ctx_say(r->c, "%.8s: %s", s->id, err->msg);
        return;
    }
    if (r->c->json)
        return;
    n = text_count(s->deleted, "version", "versions");
    buf_printf(&b, "%.8s  sealed; %s in clear deleted\n", s->id, n);
    free(n);
    n = text_count((int64_t)left, "version stays in clear, for it holds",
                   "versions stay in clear, for they hold");
    if (left > 0)
        buf_printf(&b, "          %s what no sealed one does (ctctl versions %.8s)\n", n, s->id);
    free(n);
    ctx_print(r->c, &b);
    fflush(stdout);
    buf_free(&b);
}

static void note(struct reseal *r, const struct reseal_session *s, const struct ct_err *err)
{
    struct json_object *o = json_object_new_object();
    size_t left = json_object_array_length(s->left);

    jdoc_set_str(o, "sessionId", s->id);
    jdoc_set_str(o, "outcome", err != NULL ? "failed" : left > 0 ? "left" : "resealed");
    jdoc_set_bool(o, "isHere", s->is_here);
    jdoc_set_int(o, "sealedVersions", s->stored);
    jdoc_set_int(o, "deletedVersions", s->deleted);
    json_object_object_add(o, "leftVersions", json_object_get(s->left));
    jdoc_set_str(o, "error", err != NULL ? err->msg : NULL);
    json_object_array_add(r->results, o);
    if (err != NULL) {
        r->n_failed++;
        if (r->worst.code == ERR_NONE || err->code != ERR_RETRY)
            r->worst = *err;
    } else if (left > 0) {
        r->n_left++;
    } else {
        r->n_done++;
        strlist_add(&r->cleared, s->id);
    }
}

/* What the daemon could not do is not tried here: it knows why. */
static int by_daemon(const struct reseal *r, const char *id, struct ct_err *err)
{
    struct json_object *f;
    const char *reason, *cure;

    if (!json_object_object_get_ex(r->failed, id, &f))
        return 0;
    reason = jdoc_str(f, "reason");
    cure = jdoc_str(f, "cure");
    return err_set(err, ERR_FAIL, "%s%s%s",
                   reason != NULL ? reason : "the daemon could not save it",
                   cure != NULL ? ". What to do: " : "", cure != NULL ? cure : "");
}

static int one(struct reseal *r, const struct reseal_tools *t, size_t i, struct ct_err *err)
{
    const struct json_object *item = json_object_array_get_idx(r->chosen, i);
    struct reseal_session s = {
        .id = jdoc_str(item, "id"),
        .item = item,
        .is_asked_for = r->o->ids->n > 0,
        .left = json_object_new_array(),
    };
    int rc;

    s.is_here = is_here(r, s.id);
    rc = by_daemon(r, s.id, err);
    if (rc == 0)
        rc = reseal_one(t, &s, err);
    if (t->progress != NULL)
        progress_pause(t->progress);
    line(r, &s, rc == 0 ? NULL : err);
    note(r, &s, rc == 0 ? NULL : err);
    json_object_put(s.left);
    return rc;
}

static void all(struct reseal *r)
{
    struct reseal_tools t = {r->c, r->ring, ctx_account_dir(r->c), NULL};
    struct ct_err e = {0};

    t.progress = progress_new(&r->c->err, "Sealing", now_mono_ms());
    for (size_t i = 0; i < json_object_array_length(r->chosen); i++) {
        e.code = ERR_NONE;
        if (one(r, &t, i, &e) != 0 && (e.code == ERR_AUTH || e.code == ERR_CONFIG))
            break;
        tell_daemon(r);
    }
    progress_free(t.progress);
}

static int sum_up(struct reseal *r)
{
    struct json_object *o;
    struct buf b = {0};
    char *n;

    if (r->c->json) {
        o = json_object_new_object();
        json_object_object_add(o, "sessions", json_object_get(r->results));
        jdoc_set_int(o, "resealed", r->n_done);
        jdoc_set_int(o, "left", r->n_left);
        jdoc_set_int(o, "failed", r->n_failed);
        jdoc_set_int(o, "ofOtherDevices", r->of_others);
        ctx_json(r->c, o);
        json_object_put(o);
    } else if (json_object_array_length(r->chosen) == 0) {
        buf_printf(&b, "Nothing%s is in the cloud in clear.\n",
                   r->of_others > 0 ? " of this device" : "");
    } else {
        n = text_count(r->n_done, "session is", "sessions are");
        buf_printf(&b, "%s sealed, and not in clear any more", n);
        free(n);
        if (r->n_left > 0)
            buf_printf(&b, "; %" PRId64 " in part", r->n_left);
        if (r->n_failed > 0)
            buf_printf(&b, "; %" PRId64 " could not be, and %s as before", r->n_failed,
                       r->n_failed == 1 ? "is" : "are");
        buf_addstr(&b, ".\n");
    }
    ctx_print(r->c, &b);
    buf_free(&b);
    if (r->n_failed > 0)
        return ctx_status(&r->worst);
    return r->n_left > 0 ? CTX_FAILED : CTX_OK;
}

static void clear(struct reseal *r)
{
    if (r->lock_fd >= 0)
        close(r->lock_fd);
    json_object_put(r->chosen);
    json_object_put(r->here);
    json_object_put(r->failed);
    json_object_put(r->results);
    strlist_free(&r->cleared);
    strlist_free(&r->others);
}

int reseal_run(struct ctx *c, const struct reseal_opts *o)
{
    struct reseal r = {.c = c, .o = o, .lock_fd = -1};
    struct ct_err e;
    int rc = CTX_OK;

    r.chosen = json_object_new_array();
    r.failed = json_object_new_object();
    r.results = json_object_new_array();
    if (prepare(&r, &e) != 0 || choose(&r, &e) != 0) {
        rc = ctx_fail(c, &e);
    } else {
        say_others(&r);
        if (json_object_array_length(r.chosen) > 0)
            rc = agree(&r);
        if (rc == CTX_OK && ask_daemon(&r, &e) != 0)
            rc = ctx_fail(c, &e);
        else if (rc == CTX_OK) {
            all(&r);
            rc = sum_up(&r);
        }
    }
    clear(&r);
    return rc;
}
