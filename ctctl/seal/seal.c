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
#include "ctctl/seal/seal_one.h"
#include "ctctl/cloud/item.h"
#include "ctctl/cloud/sessions.h"
#include "ctctl/here/sync_follow.h"
#include "ctctl/ui/term.h"

#include "ctctl/seal/seal.h"

#define ANSWER_MS 30000

struct seal {
    struct ctx *c;
    const struct seal_opts *o;
    const struct keyring *ring;
    int lock_fd;
    struct json_object *chosen; /* items of the server's list, newest first */
    struct json_object *here;   /* the daemon's list */
    int64_t n_strange;          /* that this device never had, and nobody was asked about */

    struct json_object *results;
    struct strlist cleared;
    int64_t n_done, n_left, n_failed;
    struct ct_err worst;
};

/* ---- what is to be done ------------------------------------------------------------------------
 */

static int prepare(struct seal *r, struct ct_err *err)
{
    char *dir, *path;

    r->ring = ctx_ring(r->c, err);
    if (r->ring == NULL)
        return -1;
    if (!ctx_is_sealing(r->c) && r->c->config->encryption == CONFIG_ENCRYPTION_OFF)
        return err_set(err, ERR_CONFIG,
                       "nothing is sealed here: the configuration says encryption "
                       "= \"off\"");
    if (keyring_n(r->ring) == 0)
        return err_set(err, ERR_CONFIG,
                       "this device has no key. Make one: ctctl key init; or bring "
                       "yours: ctctl key import");
    dir = path_join(r->c->config->state_dir, "downloads");
    path = path_join(dir, "seal.lock");
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

static struct json_object *find_here(const struct seal *r, const char *id)
{
    for (size_t i = 0; i < json_object_array_length(r->here); i++) {
        struct json_object *o = json_object_array_get_idx(r->here, i);
        const char *s = jdoc_str(o, "sessionId");
        if (s != NULL && strcmp(s, id) == 0)
            return o;
    }
    return NULL;
}

static int is_asked_for(const struct seal *r, const char *id)
{
    for (size_t i = 0; i < r->o->ids->n; i++) {
        if (strncmp(id, r->o->ids->v[i], strlen(r->o->ids->v[i])) == 0)
            return 1;
    }
    return 0;
}

/* Each ID has to mean one session in clear. */
static int check_ids(const struct seal *r, struct json_object *list, struct ct_err *err)
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

/* What the daemon knows of it, or NULL. */
static struct json_object *show(struct seal *r, const char *id)
{
    struct json_object *params = json_object_new_object(), *o = NULL;

    jdoc_set_str(params, "id", id);
    if (ctx_call(r->c, "show", params, ANSWER_MS, &o, NULL) != 0)
        o = NULL;
    json_object_put(params);
    return o;
}

/* What belongs to no session of this device is on no list of the daemon's. */
static void add_own_profile(struct seal *r, const struct json_object *item, const char *id)
{
    struct json_object *o = item_is_profile(item) ? show(r, id) : NULL;

    if (o != NULL && jdoc_str(o, "projectFolder") != NULL)
        json_object_array_add(r->here, json_object_get(o));
    json_object_put(o);
}

static int choose(struct seal *r, struct ct_err *err)
{
    const struct sessions_filter every = {0};
    struct json_object *answer, *list;

    /* Without a daemon nobody knows what this device had, and its own would come out a stranger's.
     */
    if (sessions_local(r->c, &every, &r->here, err) != 0)
        return -1;
    if (sessions_cloud(r->c, &every, &answer, err) != 0)
        return -1;
    list = jdoc_array(answer, "sessions");
    if (check_ids(r, list, err) != 0) {
        json_object_put(answer);
        return -1;
    }
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        const char *id = jdoc_str(item, "id");
        if (id != NULL && uuid_is_valid(id) && !sealed_is(jdoc_obj(item, "metadata")) &&
            (r->o->ids->n == 0 || is_asked_for(r, id))) {
            add_own_profile(r, item, id);
            json_object_array_add(r->chosen, json_object_get(item));
        }
    }
    json_object_put(answer);
    return 0;
}

/* While it is being sealed a session is there twice. */
static int look_at_room(struct seal *r, struct ct_err *err)
{
    struct json_object *o, *sessions;
    int64_t used, limit;

    if (json_object_array_length(r->chosen) == 0 ||
        ctx_cloud(r->c, "GET", "/billing/usage", NULL, &o, NULL) != 0)
        return 0; /* the first upload will tell */
    sessions = jdoc_obj(o, "sessions");
    used = headline_number(sessions, "used", 0);
    limit = headline_number(sessions, "limit", 0);
    json_object_put(o);
    if (limit <= 0 || used < limit)
        return 0;
    return err_set(err, ERR_REFUSED,
                   "the plan has no room: %" PRId64 " of %" PRId64
                   " sessions, and while one is being sealed it is there twice. Make room for one "
                   "(ctctl delete ID), then run this again",
                   used, limit);
}

/* ---- asking ------------------------------------------------------------------------------------
 */

static int64_t versions_of(const struct json_object *item)
{
    return headline_number(item, "versionCount", 1);
}

/* What this device had, all at once. */
static int agree(struct seal *r)
{
    int64_t versions = 0, n = 0;
    char *sessions, *count, *question;
    int yes;

    for (size_t i = 0; i < json_object_array_length(r->chosen); i++) {
        const struct json_object *item = json_object_array_get_idx(r->chosen, i);
        if (find_here(r, jdoc_str(item, "id")) == NULL)
            continue;
        n++;
        versions += versions_of(item);
    }
    if (r->o->is_agreed || n == 0)
        return CTX_OK;
    if (!term_is_interactive())
        return ctx_usage(r->c, "nobody can be asked here; add --yes to delete what is in clear "
                               "without a question");
    sessions = text_count(n, "session", "sessions");
    count = text_count(versions, "version", "versions");
    question = str_printf(
        "%s of this device (%s) %s in the cloud in clear. Each is saved again, sealed, then "
        "fetched "
        "back, opened with the key and compared. Only then is it deleted in clear. A "
        "codeteleport-server keeps what was deleted in its trash for 30 days, in clear, and a "
        "server of another make not at all.\nGo on?",
        sessions, count, n == 1 ? "is" : "are");
    yes = term_confirm(question);
    free(question);
    free(count);
    free(sessions);
    if (yes)
        return CTX_OK;
    ctx_say(r->c, "nothing was changed");
    return CTX_FAILED;
}

/* What this device never had can be anybody's: a person says so of each. */
static int is_wanted(struct seal *r, const struct json_object *item)
{
    const char *id = jdoc_str(item, "id"), *machine = jdoc_str(item, "sourceMachine");
    char made_up[256], ago[64], *title, *name, *question;
    int yes;

    if (find_here(r, id) != NULL || (r->o->is_agreed && r->o->ids->n > 0))
        return 1;
    if (r->o->is_agreed || !term_is_interactive())
        return 0;
    title = text_clean(&r->c->err, item_title(item, made_up, sizeof(made_up)));
    name = text_clean(&r->c->err, machine != NULL ? machine : "an unknown machine");
    question = str_printf(
        "%.8s  %s (%s, saved %s)\nThis device never had it, so it is yours only if you know it; "
        "sealed, it stays a stranger's all the same. Seal it?",
        id, title, name, text_ago_of(&r->c->err, jdoc_str(item, "createdAt"), ago, sizeof(ago)));
    yes = term_confirm(question);
    free(question);
    free(name);
    free(title);
    return yes;
}

static void say_strange(const struct seal *r)
{
    char *n = text_count(r->n_strange, "session that this device never had is",
                         "sessions that this device never had are");

    if (r->n_strange > 0)
        ctx_say(r->c, "%s left in clear: ctctl list --clear shows %s, ctctl seal ID takes one", n,
                r->n_strange == 1 ? "it" : "them");
    free(n);
}

/* ---- the daemon's part -------------------------------------------------------------------------
 */

/* What is here goes up sealed by itself; not to do it twice, that is waited for. */
static int await_daemon(struct seal *r, struct ct_err *err)
{
    struct json_object *params = json_object_new_object(), *ids = json_object_new_array(), *o;
    struct sync_follow *follow;
    int rc = 0;

    for (size_t i = 0; i < json_object_array_length(r->chosen); i++) {
        const char *id = jdoc_str(json_object_array_get_idx(r->chosen, i), "id");
        const char *state = jdoc_str(find_here(r, id), "state");
        if (state != NULL && strcmp(state, "archived") != 0 && strcmp(state, "excluded") != 0 &&
            strcmp(state, "deleted") != 0)
            json_object_array_add(ids, jdoc_new_str(id));
    }
    json_object_object_add(params, "ids", ids);
    jdoc_set_bool(params, "wait", 1);
    if (json_object_array_length(ids) > 0) {
        follow = sync_follow_start(r->c);
        rc = ctx_call(r->c, "sync", params, 0, &o, err);
        sync_follow_stop(follow);
        if (rc == 0)
            json_object_put(o); /* what failed shows below: no sealed version holds it */
    }
    json_object_put(params);
    return rc;
}

static void tell_daemon(struct seal *r)
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

static void line(struct seal *r, const struct seal_session *s, const struct ct_err *err)
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
    n = text_count((int64_t)left, "version stays", "versions stay");
    if (left > 0)
        buf_printf(
            &b,
            "          %s in clear, with what no sealed one holds, and not known to be of\n"
            "          this device (ctctl versions --plain %.8s). If it is yours: ctctl seal "
            "%.8s\n",
            n, s->id, s->id);
    free(n);
    ctx_print(r->c, &b);
    fflush(stdout);
    buf_free(&b);
}

static void note(struct seal *r, const struct seal_session *s, const struct ct_err *err)
{
    struct json_object *o = json_object_new_object();
    size_t left = json_object_array_length(s->left);

    jdoc_set_str(o, "sessionId", s->id);
    jdoc_set_str(o, "outcome", err != NULL ? "failed" : left > 0 ? "left" : "sealed");
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

static int one(struct seal *r, const struct seal_tools *t, const struct json_object *item,
               struct ct_err *err)
{
    struct seal_session s = {
        .id = jdoc_str(item, "id"),
        .item = item,
        .is_asked_for = r->o->ids->n > 0,
        .may_be_strange = r->o->ids->n > 0 || find_here(r, jdoc_str(item, "id")) == NULL,
        .left = json_object_new_array(),
    };
    struct json_object *book = find_here(r, s.id) != NULL ? show(r, s.id) : NULL;
    int rc;

    /* Of what this device uploaded in clear it knows the checksum. */
    if (jdoc_bool(book, "uploadedHere", 0) && !jdoc_bool(book, "sealed", 0))
        s.own_sha256 = jdoc_str(book, "checksum");
    rc = seal_one(t, &s, err);
    if (t->progress != NULL)
        progress_pause(t->progress);
    line(r, &s, rc == 0 ? NULL : err);
    note(r, &s, rc == 0 ? NULL : err);
    json_object_put(s.left);
    json_object_put(book);
    return rc;
}

static void all(struct seal *r)
{
    struct seal_tools t = {r->c, r->ring, ctx_account_dir(r->c), NULL};
    struct ct_err e = {0};

    t.progress = progress_new(&r->c->err, "Sealing", now_mono_ms());
    for (size_t i = 0; i < json_object_array_length(r->chosen); i++) {
        const struct json_object *item = json_object_array_get_idx(r->chosen, i);
        if (!is_wanted(r, item)) {
            r->n_strange++;
            continue;
        }
        e.code = ERR_NONE;
        if (one(r, &t, item, &e) != 0 && (e.code == ERR_AUTH || e.code == ERR_CONFIG))
            break;
        tell_daemon(r);
    }
    progress_free(t.progress);
}

static int sum_up(struct seal *r)
{
    struct json_object *o;
    struct buf b = {0};
    char *n;

    if (r->c->json) {
        o = json_object_new_object();
        json_object_object_add(o, "sessions", json_object_get(r->results));
        jdoc_set_int(o, "sealed", r->n_done);
        jdoc_set_int(o, "left", r->n_left);
        jdoc_set_int(o, "failed", r->n_failed);
        jdoc_set_int(o, "neverHere", r->n_strange);
        ctx_json(r->c, o);
        json_object_put(o);
    } else if (json_object_array_length(r->chosen) == 0) {
        buf_addstr(&b, "Nothing is in the cloud in clear.\n");
    } else if (r->n_done + r->n_left + r->n_failed > 0) {
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
    say_strange(r);
    if (r->n_failed > 0)
        return ctx_status(&r->worst);
    return r->n_left + r->n_strange > 0 ? CTX_FAILED : CTX_OK;
}

static void clear(struct seal *r)
{
    if (r->lock_fd >= 0)
        close(r->lock_fd);
    json_object_put(r->chosen);
    json_object_put(r->here);
    json_object_put(r->results);
    strlist_free(&r->cleared);
}

int seal_run(struct ctx *c, const struct seal_opts *o)
{
    struct seal r = {.c = c, .o = o, .lock_fd = -1};
    struct ct_err e;
    int rc = CTX_OK;

    r.chosen = json_object_new_array();
    r.results = json_object_new_array();
    if (prepare(&r, &e) != 0 || choose(&r, &e) != 0 || look_at_room(&r, &e) != 0) {
        rc = ctx_fail(c, &e);
    } else {
        rc = agree(&r);
        if (rc == CTX_OK && await_daemon(&r, &e) != 0)
            rc = ctx_fail(c, &e);
        else if (rc == CTX_OK) {
            all(&r);
            rc = sum_up(&r);
        }
    }
    clear(&r);
    return rc;
}
