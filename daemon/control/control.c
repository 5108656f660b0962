#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "daemon/account/cloud.h"
#include "daemon/daemon.h"
#include "daemon/session/exclusion.h"
#include "daemon/account/login_view.h"
#include "daemon/account/naming.h"

/* ---- session ids, whole or as an unambiguous prefix ---------------------------------------------
 */

struct prefix {
    const char *text;
    size_t len;
    char id[UUID_SIZE];
    int n;
};

static int match(void *arg, const char *key, void *value)
{
    struct prefix *p = arg;

    (void)value;
    if (strncmp(key, p->text, p->len) == 0 && strcmp(key, p->id) != 0) {
        if (p->n++ == 0)
            snprintf(p->id, sizeof(p->id), "%s", key);
    }
    return p->n > 1;
}

static int whole_id(struct daemon *d, const char *text, char ret[UUID_SIZE], struct ct_err *err)
{
    struct prefix p = {.text = text, .len = text != NULL ? strlen(text) : 0};
    char quoted[80];
    int rc;

    if (p.len == 0 || p.len >= UUID_SIZE) {
        rc = err_set(err, ERR_GONE, "that is not a session id");
        goto bad;
    }
    if (d->books != NULL)
        p.n = state_by_prefix(d->books->state, text, p.id);
    sessions_each(d, match, &p);
    log_quote(text, quoted, sizeof(quoted));
    if (p.n == 0) {
        rc = err_set(err, ERR_GONE, "no session on this machine begins with %s; see: ctctl list",
                     quoted);
        goto bad;
    }
    if (p.n > 1) {
        rc = err_set(err, ERR_CONFLICT, "several sessions begin with %s; give more of the ID",
                     quoted);
        snprintf(err->reason, sizeof(err->reason), "ambiguous");
        return rc;
    }
    snprintf(ret, UUID_SIZE, "%s", p.id);
    return 0;

bad:
    snprintf(err->reason, sizeof(err->reason), "not_found");
    return rc;
}

/* ---- methods ------------------------------------------------------------------------------------
 */

static void reply_empty(struct ipc_request *rq)
{
    ipc_reply(rq, json_object_new_object());
}

static void do_hello(struct daemon *d, struct ipc_request *rq, struct json_object *params)
{
    struct json_object *o = json_object_new_object();

    (void)d;
    (void)params;
    jdoc_set_int(o, "protocol", IPC_PROTOCOL);
    jdoc_set_str(o, "version", PACKAGE_VERSION);
    jdoc_set_int(o, "pid", getpid());
    ipc_reply(rq, o);
}

static void do_status(struct daemon *d, struct ipc_request *rq, struct json_object *params)
{
    (void)params;
    ipc_reply(rq, report_status(d));
}

static void do_list(struct daemon *d, struct ipc_request *rq, struct json_object *params)
{
    ipc_reply(rq, listing_list(d, params));
}

static void do_show(struct daemon *d, struct ipc_request *rq, struct json_object *params)
{
    char id[UUID_SIZE];
    struct ct_err err;

    if (whole_id(d, jdoc_str(params, "id"), id, &err) != 0)
        ipc_fail(rq, &err);
    else
        ipc_reply(rq, listing_show(d, id));
}

/* A session that was written a moment ago may not have been noticed yet: a whole id is taken as it
 * is and judged later. */
static int sync_id(struct daemon *d, const char *text, char ret[UUID_SIZE], struct ct_err *err)
{
    if (text != NULL && uuid_is_valid(text)) {
        snprintf(ret, UUID_SIZE, "%s", text);
        return 0;
    }
    return whole_id(d, text, ret, err);
}

/*
 * sync {"ids": [...], "wait": bool}
 *
 * cleared {"ids": [...]}: of these sessions nothing is left in the cloud in clear.
 */
static void do_sync(struct daemon *d, struct ipc_request *rq, struct json_object *params)
{
    struct json_object *ids = jdoc_array(params, "ids");
    size_t n = ids != NULL ? json_object_array_length(ids) : 0;
    struct strlist whole = {0};
    const char *email, *url, *device, *why;
    char id[UUID_SIZE];
    struct ct_err err;

    /* Where files are polled, the log-in of a moment ago may not have been seen yet. */
    if (login_view_look(d->login, &email, &url, &device, &why) == LOGIN_NONE)
        login_view_refresh(d->login);
    for (size_t i = 0; i < n; i++) {
        struct json_object *v = json_object_array_get_idx(ids, i);
        const char *text =
            json_object_get_type(v) == json_type_string ? json_object_get_string(v) : NULL;
        if (sync_id(d, text, id, &err) != 0) {
            ipc_fail(rq, &err);
            goto done;
        }
        strlist_add(&whole, id);
    }
    waiter_sync(d, (const char *const *)whole.v, whole.n, rq, jdoc_bool(params, "wait", 0));
done:
    strlist_free(&whole);
}

static void do_cleared(struct daemon *d, struct ipc_request *rq, struct json_object *params)
{
    struct json_object *ids = jdoc_array(params, "ids");
    size_t n = ids != NULL ? json_object_array_length(ids) : 0;
    struct ct_err err;

    for (size_t i = 0; d->books != NULL && i < n; i++) {
        const char *id = json_object_get_string(json_object_array_get_idx(ids, i));
        if (id != NULL && state_set_clear(d->books->state, id, 0, &err) != 0) {
            ipc_fail(rq, &err);
            return;
        }
    }
    if (d->books != NULL)
        cloud_refresh(d->cloud); /* what else is there in clear */
    reply_empty(rq);
}

/* pulled {"id": "...", "apart": N}: a pull left a record of the session; or it found that version N
 * and what is here each have something that the other lacks. */
static void do_pulled(struct daemon *d, struct ipc_request *rq, struct json_object *params)
{
    const char *id = jdoc_str(params, "id");
    int64_t apart = jdoc_int(params, "apart", 0);

    if (id != NULL && uuid_is_valid(id) && apart > 0)
        adopt_apart(d, id, apart);
    else if (id != NULL && uuid_is_valid(id))
        adopt_take(d, id);
    reply_empty(rq);
}

static void exclude_or_include(struct daemon *d, struct ipc_request *rq, struct json_object *params,
                               int is_excluded)
{
    const char *text = jdoc_str(params, "id");
    char id[UUID_SIZE];
    struct ct_err err;

    if (text != NULL && sync_id(d, text, id, &err) != 0)
        ipc_fail(rq, &err);
    else
        exclusion_request(d, rq, params, text != NULL ? id : NULL, is_excluded);
}

static void do_exclude(struct daemon *d, struct ipc_request *rq, struct json_object *params)
{
    exclude_or_include(d, rq, params, 1);
}

static void do_include(struct daemon *d, struct ipc_request *rq, struct json_object *params)
{
    exclude_or_include(d, rq, params, 0);
}

static void do_pause(struct daemon *d, struct ipc_request *rq, struct json_object *params)
{
    int64_t seconds = jdoc_int(params, "seconds", 0);

    if (seconds < 0 || seconds > 366LL * 86400) {
        ipc_fail_code(rq, IPC_INVALID_PARAMS, "seconds must be from 0 to a year");
        return;
    }
    pause_begin(d, seconds);
    reply_empty(rq);
}

static void do_resume(struct daemon *d, struct ipc_request *rq, struct json_object *params)
{
    (void)params;
    pause_end(d);
    reply_empty(rq);
}

static void do_reload(struct daemon *d, struct ipc_request *rq, struct json_object *params)
{
    struct ct_err err;

    (void)params;
    if (daemon_reload(d, &err) != 0)
        ipc_fail(rq, &err);
    else
        reply_empty(rq);
}

static void do_subscribe(struct daemon *d, struct ipc_request *rq, struct json_object *params)
{
    (void)d;
    (void)params;
    ipc_subscribe(rq);
    reply_empty(rq);
}

static void reply_account(struct daemon *d, struct ipc_request *rq)
{
    struct json_object *o;
    struct account *a = NULL;
    struct ct_err err;

    if (account_record_load(d->config->state_dir, &a, &err) != 0 && err.code != ERR_GONE) {
        ipc_fail(rq, &err);
        return;
    }
    o = json_object_new_object();
    if (a != NULL) {
        jdoc_set_str(o, "apiUrl", a->api_url);
        jdoc_set_str(o, "accountId", a->account_id);
        jdoc_set_str(o, "email", a->email);
    }
    account_record_free(a);
    ipc_reply(rq, o);
}

/* Without members: which account did the user confirm?  With them: `ctctl login` on a terminal says
 * whose it is from now on, before it writes the credentials. */
static void do_account(struct daemon *d, struct ipc_request *rq, struct json_object *params)
{
    const char *url = jdoc_str(params, "apiUrl"), *id = jdoc_str(params, "accountId"),
               *email = jdoc_str(params, "email");
    struct ct_err err;

    if (url == NULL && id == NULL) {
        reply_account(d, rq);
    } else if (url == NULL || id == NULL) {
        ipc_fail_code(rq, IPC_INVALID_PARAMS, "apiUrl and accountId are needed");
    } else if (account_record_save(d->config->state_dir, url, id, email != NULL ? email : "", NULL,
                                   &err) != 0) {
        ipc_fail(rq, &err);
    } else {
        login_view_refresh(d->login);
        reply_empty(rq);
    }
}

/* ---- what the server has, as far as it is to be known -------------------------------------------
 */

#define LOOK_MS 10000 /* what was read longer ago than this is looked at again */

static void on_looked(void *arg, int is_fresh)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_bool(o, "fresh", is_fresh);
    ipc_reply(arg, o);
}

/* name {"id": "...", "title": "...", "add": [...], "remove": [...]}: somebody calls it that. */
static void do_name(struct daemon *d, struct ipc_request *rq, struct json_object *params)
{
    struct json_object *o;
    char id[UUID_SIZE];
    struct ct_err err;

    if (whole_id(d, jdoc_str(params, "id"), id, &err) != 0 ||
        naming_change(d, id, params, &o, &err) != 0)
        ipc_fail(rq, &err);
    else
        ipc_reply(rq, o);
}

/* turn {"id": "..."}: a turn of the session ended, says a hook of its agent.  That is a hint, not
 * somebody's word: what was deleted or excluded stays so, and a pause goes on. */
static void do_turn(struct daemon *d, struct ipc_request *rq, struct json_object *params)
{
    const char *id = jdoc_str(params, "id");

    if (id != NULL && uuid_is_valid(id))
        sessions_turn_ended(d, id);
    reply_empty(rq);
}

/* refresh {"now": bool}: it is known that something changed, however short ago it was looked. */
static void do_refresh(struct daemon *d, struct ipc_request *rq, struct json_object *params)
{
    cloud_look(d->cloud, jdoc_bool(params, "now", 0) ? -1 : LOOK_MS, 0, on_looked, rq);
}

void control_request(void *arg, struct ipc_request *rq, const char *method,
                     struct json_object *params)
{
    static const struct {
        const char *name;
        void (*run)(struct daemon *d, struct ipc_request *rq, struct json_object *params);
    } methods[] = {
        {"hello", do_hello},     {"status", do_status},       {"list", do_list},
        {"show", do_show},       {"sync", do_sync},           {"exclude", do_exclude},
        {"pause", do_pause},     {"resume", do_resume},       {"reload", do_reload},
        {"account", do_account}, {"subscribe", do_subscribe}, {"include", do_include},
        {"cleared", do_cleared}, {"refresh", do_refresh},     {"pulled", do_pulled},
        {"turn", do_turn},       {"name", do_name},
    };

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcmp(method, methods[i].name) == 0) {
            methods[i].run(arg, rq, params);
            return;
        }
    }
    ipc_fail_code(rq, IPC_NO_METHOD, "there is no such method");
}

void control_event(struct daemon *d, const char *event, const char *session_id, int64_t version,
                   int64_t size_bytes, const char *reason)
{
    struct state_session ss = {0};
    struct json_object *o;
    char when[32];

    daemon_notice(d);
    if (d->ipc == NULL || ipc_subscribers(d->ipc) == 0)
        return;
    o = json_object_new_object();
    jdoc_set_str(o, "event", event);
    jdoc_set_str(o, "at", now_rfc3339(now_wall_ms(), when));
    if (session_id != NULL) {
        jdoc_set_str(o, "sessionId", session_id);
        if (d->books != NULL && state_get(d->books->state, session_id, &ss))
            jdoc_set_str(o, "title", jdoc_str(ss.meta, "title"));
        state_session_clear(&ss);
    }
    if (version > 0)
        jdoc_set_int(o, "version", version);
    if (size_bytes > 0)
        jdoc_set_int(o, "sizeBytes", size_bytes);
    if (reason != NULL && reason[0] != '\0')
        jdoc_set_str(o, "reason", reason);
    ipc_publish(d->ipc, o);
    json_object_put(o);
}
