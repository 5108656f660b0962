#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/roots.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "bundle/pack/snapshot.h"

#include "net/http.h"
#include "uploader/keep.h"

#include "daemon/account/cloud.h"
#include "daemon/system/confine.h"
#include "daemon/daemon.h"
#include "daemon/session/exclusion.h"
#include "daemon/account/login_view.h"
#include "daemon/account/allowance.h"
#include "daemon/account/room.h"
#include "daemon/session/credscan.h"
#include "daemon/session/profile.h"
#include "daemon/account/sealing.h"
#include "daemon/control/apart.h"

/* A clock that is off by more than this breaks signatures that live five minutes. */
#define SKEW_MS (120 * 1000)

static void set(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text);
}

/* The server is there, but something has to be mended before it takes anything. */
static int is_broken_there(const struct ct_err *err)
{
    return err->code == ERR_FAIL || err->code == ERR_CONFIG ||
           strcmp(err->reason, HTTP_UNTRUSTED) == 0;
}

static int is_offline(struct daemon *d, const char **ret_why)
{
    const char *email, *url, *device, *why;
    const struct ct_err *err;
    struct uploader_stats st;

    login_view_look(d->login, &email, &url, &device, &why);
    if (login_view_is_offline(d->login)) {
        *ret_why = why;
        return !is_broken_there(login_view_why(d->login));
    }
    if (d->books == NULL)
        return 0;
    uploader_stats(d->books->uploader, &st);
    err = st.err;
    if (err == NULL && !cloud_is_in_the_way(d->cloud, &err))
        return 0;
    if (is_broken_there(err))
        return 0;
    *ret_why = err->msg;
    return 1;
}

static const struct ct_err *broken_there(struct daemon *d)
{
    struct uploader_stats st = {0};

    if (login_view_is_offline(d->login) && is_broken_there(login_view_why(d->login)))
        return login_view_why(d->login);
    if (d->books != NULL)
        uploader_stats(d->books->uploader, &st);
    return st.err != NULL && is_broken_there(st.err) ? st.err : NULL;
}

/* Where agents are saved as they are here, it is enough that one is. */
static int is_missed(const struct daemon *d, size_t root)
{
    if (!strlist_has(&d->config->agents, "auto"))
        return !d->roots[root].is_there;
    for (size_t i = 0; i < d->config->roots.n; i++) {
        if (d->roots[i].is_there)
            return 0;
    }
    return root == 0;
}

static int some_root_is_missing(const struct daemon *d)
{
    for (size_t i = 0; i < d->config->roots.n; i++) {
        if (is_missed(d, i))
            return 1;
    }
    return 0;
}

static void note_degraded(void *arg, const char *path, const char *reason)
{
    int *n = arg;

    (void)path;
    (void)reason;
    ++*n;
}

static int is_degraded(struct daemon *d)
{
    int n = 0;

    watcher_each_degraded(d->watcher, note_degraded, &n);
    return n > 0 || watcher_each_untaken(d->watcher, NULL, NULL) > 0 || restart_path(d) != NULL ||
           some_root_is_missing(d);
}

static const char *cure_of(const struct ct_err *err)
{
    if (strcmp(err->reason, KEPT_FULL) == 0)
        return "raise kept_limit in the configuration and reload it, or remove from that folder "
               "what is not needed; it goes on by itself then";
    if (strcmp(err->reason, KEEP_DAMAGED) == 0)
        return "mend the server's object store, then: ctctl sync; or give that version up: "
               "ctctl delete ID, then: ctctl sync ID";
    if (strcmp(err->reason, SNAPSHOT_NOT_OURS) == 0)
        return "give that file back to you (chown, chmod), or put a regular file in its place; "
               "then: ctctl sync";
    if (strcmp(err->reason, HTTP_UNTRUSTED) == 0)
        return "mend that, then: ctctl sync; it is tried again by itself too";
    if (err->http_status == 0 && (err->sys_errno == EACCES || err->sys_errno == EPERM))
        return "let this user read what is named (chown or chmod it), then: ctctl sync";
    switch (err->code) {
    case ERR_NOSPACE:
        if (strcmp(err->reason, ROOM_SPOOL_FULL) == 0)
            return "it goes on by itself as uploads come through; or raise spool_limit in the "
                   "configuration";
        return "make room on the disk; it goes on by itself then";
    case ERR_REFUSED:
        if (strcmp(err->reason, ROOM_SPOOL_SMALL) == 0)
            return "raise spool_limit in the configuration and reload it (systemctl --user reload "
                   "codeteleportd, or SIGHUP), then: ctctl sync";
        if (strcmp(err->reason, ROOM_TOO_LARGE) == 0)
            return "what is stored of it stays; go on in a new session, or remove large files "
                   "beside its transcript, then: ctctl sync";
        if (err->http_status == 403)
            return "delete old sessions (ctctl delete ID) or raise the plan, then: ctctl sync";
        return "it is tried again when the session changes, or with: ctctl sync";
    case ERR_RETRY:
        return "it is tried again by itself";
    case ERR_CONFIG:
        return "mend the configuration, then: ctctl sync";
    case ERR_FAIL:
        if (err->http_status != 0)
            return "whoever runs the server has to mend that; it is tried again every ten minutes "
                   "or so, and with: ctctl sync";
        return "ctctl sync tries it again";
    default:
        return "ctctl sync tries it again";
    }
}

const char *report_state(struct daemon *d, char ret_why[512], char ret_cure[256])
{
    const char *email, *url, *device, *why = "", *cure;
    const struct ct_err *broken;

    set(ret_why, 512, "");
    set(ret_cure, 256, "");
    switch (login_view_look(d->login, &email, &url, &device, &why)) {
    case LOGIN_NONE:
        set(ret_why, 512, why);
        set(ret_cure, 256, "ctctl login");
        return "auth_required";
    case LOGIN_REFUSED:
        set(ret_why, 512, why);
        set(ret_cure, 256, "ctctl login");
        return "auth_required";
    case LOGIN_BROKEN:
        set(ret_why, 512, why);
        return "auth_required";
    case LOGIN_CHANGED:
        set(ret_why, 512, why);
        set(ret_cure, 256, "ctctl login");
        return "account_changed";
    case LOGIN_NO_BOOKS:
        set(ret_why, 512, why);
        set(ret_cure, 256,
            "make room on the disk, or mend what is named; it is tried again by itself");
        return "degraded";
    case LOGIN_CHECKING:
    case LOGIN_OK:
        break;
    }
    if (pause_is_on(d)) {
        set(ret_why, 512, "uploads are paused");
        set(ret_cure, 256, "ctctl resume");
        return "paused";
    }
    if (is_offline(d, &why)) {
        set(ret_why, 512, why);
        return "offline";
    }
    if (sealing_is_held(d->sealing)) {
        sealing_look(d->sealing, &why, &cure);
        set(ret_why, 512, why);
        set(ret_cure, 256, cure);
        return "degraded";
    }
    if ((broken = broken_there(d)) != NULL) {
        set(ret_why, 512, broken->msg);
        set(ret_cure, 256, cure_of(broken));
        return "degraded";
    }
    if (room_err(d) != NULL) {
        set(ret_why, 512, room_err(d)->msg);
        set(ret_cure, 256, cure_of(room_err(d)));
        return "degraded";
    }
    if (is_degraded(d)) {
        set(ret_why, 512, "see the problems below");
        return "degraded";
    }
    return sessions_n(d) > 0 ? "syncing" : "idle";
}

/* ---- problems: what, why, cure ------------------------------------------------------------------
 */

static struct json_object *problem(struct json_object *list, const char *what, const char *why,
                                   const char *cure)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "what", what);
    jdoc_set_str(o, "why", why);
    jdoc_set_str(o, "cure", cure);
    json_object_array_add(list, o);
    return o;
}

/* What belongs to no session is none: see add_profile_problem(). */
struct listed {
    struct daemon *d;
    struct json_object *list;
};

static void add_upload_problem(void *arg, const struct uploader_view *v)
{
    const struct listed *l = arg;
    struct json_object *o;

    if (profile_root(l->d, v->item->session_id) >= 0)
        return;
    if (v->err == NULL || (strcmp(v->phase, "failed") != 0 && strcmp(v->phase, "limit") != 0 &&
                           v->err->code != ERR_NOSPACE))
        return;
    o = problem(l->list, "a session can't be uploaded", v->err->msg, cure_of(v->err));
    jdoc_set_str(o, "sessionId", v->item->session_id);
}

static int add_bundle_problem(void *arg, const char *key, void *value)
{
    const struct listed *l = arg;
    const struct session *s = value;
    struct json_object *o;

    if (s->err == NULL || profile_root(l->d, key) >= 0)
        return 0;
    o = problem(l->list, "a session can't be bundled", s->err->msg, cure_of(s->err));
    jdoc_set_str(o, "sessionId", key);
    return json_object_array_length(l->list) > 50;
}

static void add_deleted_problem(void *arg, const char *session_id, const char *why)
{
    const struct listed *l = arg;
    char cure[128];
    struct json_object *o;

    if (profile_root(l->d, session_id) >= 0)
        return;
    exclusion_cure_deleted(session_id, cure, sizeof(cure));
    o = problem(l->list, "a session was deleted elsewhere, and changed here since", why, cure);
    jdoc_set_str(o, "sessionId", session_id);
}

struct apart {
    struct daemon *d;
    struct json_object *list;
};

static void add_apart_problem(void *arg, const struct state_session *ss)
{
    struct apart *a = arg;
    const char *id = ss->elsewhere_wire[0] != '\0' ? ss->elsewhere_wire : ss->session_id;
    int is_kept =
        a->d->books != NULL && kept_has(uploader_kept(a->d->books->uploader), id, ss->elsewhere);
    char why[512], cure[256];

    if (json_object_array_length(a->list) > 100)
        return;
    apart_why(ss, is_kept, why, sizeof(why));
    apart_cure(ss, is_kept, cure, sizeof(cure));
    jdoc_set_str(problem(a->list, "a session went on here and on another machine", why, cure),
                 "sessionId", ss->session_id);
}

struct degraded {
    const struct daemon *d;
    struct json_object *list;
};

static void add_degraded_problem(void *arg, const char *path, const char *reason)
{
    struct degraded *g = arg;

    /* What only the sandbox bars is said already; its modes are fine. */
    if (restart_path(g->d) != NULL && path_is_below(path, restart_path(g->d)))
        return;
    jdoc_set_str(problem(g->list, "a folder can't be watched the usual way", reason, NULL), "path",
                 path);
}

/* A transcript that can't be taken is its session's problem already. */
static int is_said(struct json_object *list, const char *path)
{
    size_t n = json_object_array_length(list);

    for (size_t i = 0; i < n; i++) {
        const char *why = jdoc_str(json_object_array_get_idx(list, i), "why");
        if (why != NULL && strstr(why, path) != NULL)
            return 1;
    }
    return 0;
}

static void add_untaken_problem(void *arg, const char *path, const char *why, const char *cure)
{
    if (is_said(arg, path))
        return;
    jdoc_set_str(problem(arg, "something in the data folder can't be saved", why, cure), "path",
                 path);
}

static int is_off(int64_t skew_ms)
{
    return skew_ms > SKEW_MS || skew_ms < -SKEW_MS;
}

static void say_skew(struct json_object *list, const char *what, const char *whose, int64_t skew_ms,
                     const char *cure)
{
    char skew[64], why[128];

    str_human_duration(llabs(skew_ms) / 1000, skew, sizeof(skew));
    snprintf(why, sizeof(why), "it is %s %s %s", skew, skew_ms > 0 ? "behind" : "ahead of", whose);
    problem(list, what, why, cure);
}

/* Three clocks: where two agree, the third is wrong.  What matters for uploads is the server's and
 * the store's; ours only shows. */
static void add_clock_problem(struct daemon *d, struct json_object *list)
{
    struct uploader_stats st = {0};
    int64_t between_ms;

    if (d->books != NULL)
        uploader_stats(d->books->uploader, &st);
    between_ms = st.has_store_skew ? st.store_skew_ms - st.clock_skew_ms : 0;
    if (is_off(between_ms) && is_off(st.clock_skew_ms))
        say_skew(list, "the server's clock is wrong", "the object store's", between_ms,
                 "whoever runs the server has to set its clock; uploads may be refused until then");
    else if (is_off(between_ms))
        say_skew(list, "the object store's clock is wrong", "the server's", -between_ms,
                 "whoever runs the store has to set its clock; uploads may be refused until then");
    else if (is_off(st.clock_skew_ms))
        say_skew(list, "this machine's clock is wrong", "the server's", st.clock_skew_ms,
                 "timedatectl set-ntp true");
}

static void add_metered_problem(struct daemon *d, struct json_object *list)
{
    struct uploader_stats st = {0};
    char what[80];

    if (d->books != NULL)
        uploader_stats(d->books->uploader, &st);
    if (st.metered == 0)
        return;
    snprintf(what, sizeof(what), "%lld large session%s not uploaded yet", (long long)st.metered,
             st.metered == 1 ? " is" : "s are");
    problem(list, what, "this connection is metered",
            "it goes on by itself on another one; to upload now: ctctl sync; never to wait: "
            "pause_on_metered = false in the configuration");
}

static void add_plan_problem(struct daemon *d, struct json_object *list)
{
    struct sessions_counts c;
    char what[80];

    if (allowance_why(d->allowance) == NULL)
        return;
    sessions_counts(d, &c);
    snprintf(what, sizeof(what), "the plan has no room for %lld more session%s", (long long)c.limit,
             c.limit == 1 ? "" : "s");
    problem(list, what, allowance_why(d->allowance)->msg, cure_of(allowance_why(d->allowance)));
}

static void add_scan_problem(struct daemon *d, struct json_object *list)
{
    int64_t sessions, places = credscan_counts(d, &sessions);
    char what[80], why[80];

    if (places == 0)
        return;
    snprintf(what, sizeof(what), "%lld session%s to hold credentials", (long long)sessions,
             sessions == 1 ? " seems" : "s seem");
    snprintf(why, sizeof(why), "they were found in %lld place%s, and are not left out",
             (long long)places, places == 1 ? "" : "s");
    problem(
        list, what, why,
        "ctctl scan --all says where; have them revoked where they were issued, for whoever can "
        "open the saved session can read them; ctctl delete ID takes back what is stored");
}

static void add_restart_problem(struct daemon *d, struct json_object *list)
{
    struct json_object *o;

    if (restart_path(d) == NULL)
        return;
    o = problem(list, "what lies there now can't be read",
                "it is new since the daemon closed its sandbox, which can't be opened again",
                "the daemon starts anew by itself, in a minute or so; at once: systemctl --user "
                "restart codeteleportd");
    jdoc_set_str(o, "path", restart_path(d));
}

/* The first that goes of what was deleted in the cloud, which only goes there by its name, or NULL.
 */
static const char *going_deleted(const struct json_object *cleanup)
{
    struct json_object *list = jdoc_array(cleanup, "soonest");

    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        const struct json_object *s = json_object_array_get_idx(list, i);
        const char *state = jdoc_str(s, "state");
        if (state != NULL && strcmp(state, "deleted") == 0)
            return jdoc_str(s, "sessionId");
    }
    return NULL;
}

/* What is on its way needs no warning as long as nothing holds it up. */
static void add_cleanup_problem(struct daemon *d, struct json_object *list)
{
    struct json_object *o = cleanup_report(d);
    const char *deleted = going_deleted(o);
    int64_t n = jdoc_int(o, "notSafe", 0), days = jdoc_int(o, "days", 0);
    char what[100], why[128], cure[256], r[512], c[256];
    const char *state = report_state(d, r, c);

    if (n > 0 && strcmp(state, "syncing") != 0) {
        snprintf(what, sizeof(what), "%lld session%s NOT safe and removed here within 7 days",
                 (long long)n, n == 1 ? " is" : "s are");
        snprintf(why, sizeof(why), "Claude Code removes what has rested for %lld days",
                 (long long)days);
        snprintf(cure, sizeof(cure),
                 "ctctl sync%s%.8s; and until that works, a larger \"cleanupPeriodDays\" in its "
                 "settings.json",
                 deleted != NULL ? ", and of what was deleted in the cloud, by name: ctctl sync "
                                 : "",
                 deleted != NULL ? deleted : "");
        problem(list, what, why, cure);
    }
    json_object_put(o);
}

/* It is on no list of sessions. */
static void add_profile_problem(struct daemon *d, struct json_object *list)
{
    struct json_object *o = profile_report(d);
    const char *why = jdoc_str(o, "reason");
    const char *cure = "once its reason is gone: ctctl sync; to do without: profile = false in "
                       "codeteleportd.conf";

    if (jdoc_bool(o, "changedSince", 0))
        cure = "to do without: profile = false in codeteleportd.conf";
    if (profile_is_unsafe(d))
        problem(list, "what belongs to no session is NOT safe", why, cure);
    json_object_put(o);
}

static void add_clash_problems(struct daemon *d, struct json_object *list)
{
    for (size_t i = 0; i + 1 < d->clashes.n; i += 2) {
        const struct agent *agent = agent_find(d->clashes.v[i + 1]);
        char *what = str_printf("a session of %s is NOT saved: another agent has one with its ID",
                                agent->name);
        char *cure =
            str_printf("fork it in %s: the fork gets an ID of its own, and is saved", agent->name);
        struct json_object *o =
            problem(list, what,
                    "a server knows a session by its ID alone, and the other one is saved", cure);
        jdoc_set_str(o, "sessionId", d->clashes.v[i]);
        free(what);
        free(cure);
    }
}

static void name_left(void *arg, const struct agent *agent, const char *path)
{
    (void)path;
    strlist_add(arg, agent->name);
}

/* Nobody has said yet whether these are to be saved. */
static void add_left_problem(const struct config *config, struct json_object *list)
{
    struct strlist names = {0};
    struct buf what = {0};

    roots_each_left(config, name_left, &names);
    for (size_t i = 0; i < names.n; i++)
        buf_printf(&what, "%s%s", i == 0 ? "" : i + 1 < names.n ? ", " : " and ", names.v[i]);
    if (names.n > 0) {
        buf_printf(&what, " %s here and not saved", names.n == 1 ? "is" : "are");
        jdoc_set_bool(
            problem(list, what.data, "only Claude Code is saved until somebody says so",
                    "write into codeteleportd.conf: agents = \"auto\"; to save all agents that are "
                    "here, or agents = \"claude-code\"; not to be told; then restart the daemon"),
            "isNote", 1); /* nothing has got worse */
    }
    buf_free(&what);
    strlist_free(&names);
}

static void add_general_problems(struct daemon *d, struct json_object *list)
{
    const struct ct_err *err;

    for (size_t i = 0; i < d->config->roots.n; i++) {
        struct json_object *o;
        if (!is_missed(d, i))
            continue;
        o = problem(
            list, "the watched folder is not there or can't be read",
            "it does not exist (yet), or its permissions keep this user out",
            "it is watched as soon as it is made; is another folder meant, set roots in the "
            "configuration");
        jdoc_set_str(o, "path", d->config->roots.v[i]);
    }
    if (room_err(d) != NULL)
        problem(list, "new changes wait for disk space", room_err(d)->msg, cure_of(room_err(d)));
    if (cloud_failures(d->cloud, &err) > 1)
        problem(list, "the server can't be asked what it has", err->msg, cure_of(err));
    sealing_problems(d, list);
    add_restart_problem(d, list);
    add_plan_problem(d, list);
    add_scan_problem(d, list);
    add_clock_problem(d, list);
    add_metered_problem(d, list);
    add_cleanup_problem(d, list);
    add_profile_problem(d, list);
    add_clash_problems(d, list);
    add_left_problem(d->config, list);
}

static struct json_object *problems(struct daemon *d)
{
    struct json_object *list = json_object_new_array();
    struct degraded degraded = {d, list};
    struct listed listed = {d, list};
    struct apart apart = {d, list};

    add_general_problems(d, list);
    watcher_each_degraded(d->watcher, add_degraded_problem, &degraded);
    sessions_each(d, add_bundle_problem, &listed);
    watcher_each_untaken(d->watcher, add_untaken_problem, list);
    if (d->books != NULL)
        uploader_each(d->books->uploader, add_upload_problem, &listed);
    if (d->books != NULL)
        state_each_deleted(d->books->state, add_deleted_problem, &listed);
    if (d->books != NULL)
        state_each_apart(d->books->state, add_apart_problem, &apart);
    return list;
}

/* ---- the parts of the document ------------------------------------------------------------------
 */

static struct json_object *daemon_part(struct daemon *d)
{
    struct json_object *o = json_object_new_object();
    char why[512], cure[256];

    jdoc_set_str(o, "version", PACKAGE_VERSION);
    jdoc_set_int(o, "pid", getpid());
    jdoc_set_int(o, "uptimeSeconds", (now_wall_ms() - d->started_ms) / 1000);
    jdoc_set_str(o, "state", report_state(d, why, cure));
    jdoc_set_str(o, "stateReason", why[0] != '\0' ? why : NULL);
    jdoc_set_str(o, "cure", cure[0] != '\0' ? cure : NULL);
    jdoc_set_time(o, "pausedUntil", pause_until_ms(d));
    return o;
}

static void add_degraded(void *arg, const char *path, const char *reason)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "path", path);
    jdoc_set_str(o, "reason", reason);
    json_object_array_add(arg, o);
}

static struct json_object *watch_part(struct daemon *d)
{
    struct json_object *o = json_object_new_object(), *roots = json_object_new_array(),
                       *agents = json_object_new_array(), *degraded = json_object_new_array();
    struct watcher_stats st;

    watcher_stats(d->watcher, &st);
    for (size_t i = 0; i < d->config->roots.n; i++) {
        json_object_array_add(roots, jdoc_new_str(d->config->roots.v[i]));
        json_object_array_add(agents, jdoc_new_str(daemon_agent(d, (int)i)->id));
    }
    watcher_each_degraded(d->watcher, add_degraded, degraded);
    json_object_object_add(o, "roots", roots);
    json_object_object_add(o, "agents", agents);
    jdoc_set_str(o, "backend", st.backend);
    jdoc_set_int(o, "watches", st.watches);
    jdoc_set_int(o, "overflows", st.overflows);
    jdoc_set_time(o, "lastScanAt", st.last_scan_wall_ms);
    jdoc_set_bool(o, "isScanning", st.is_scanning);
    json_object_object_add(o, "degraded", degraded);
    jdoc_set_int(o, "untaken", (int64_t)watcher_each_untaken(d->watcher, NULL, NULL));
    json_object_object_add(o, "rules", rules_json(d->rules));
    return o;
}

/* Seconds left at the pace of this wave of work, or -1 when there is no telling yet. */
static int64_t seconds_left(const struct daemon *d, int64_t bytes_left)
{
    int64_t took_ms = now_mono_ms() - d->progress_since_ms;

    if (d->progress_since_ms == 0 || d->progress_done_bytes <= 0 || took_ms < 1000)
        return -1;
    return (int64_t)((double)bytes_left * (double)took_ms / (double)d->progress_done_bytes / 1000);
}

static struct json_object *sessions_part(struct daemon *d)
{
    struct json_object *o = json_object_new_object();
    struct state_counts st = {0};
    struct sessions_counts c;
    int64_t left;

    sessions_counts(d, &c);
    if (d->books != NULL)
        state_counts(d->books->state, &st);
    left = seconds_left(d, c.bytes);
    jdoc_set_int(o, "known", st.known + c.is_new);
    jdoc_set_int(o, "synced", st.safe - c.were_safe > 0 ? st.safe - c.were_safe : 0);
    jdoc_set_int(o, "pending", c.all - c.failed - c.limit);
    jdoc_set_int(o, "pendingBytes", c.bytes);
    if (left >= 0)
        jdoc_set_int(o, "secondsLeft", left);
    else
        jdoc_set_null(o, "secondsLeft");
    jdoc_set_int(o, "failed", c.failed);
    jdoc_set_int(o, "limit", c.limit);
    jdoc_set_int(o, "deleted", st.deleted);
    jdoc_set_int(o, "deletedChanged", st.deleted_changed);
    jdoc_set_int(o, "excluded", st.excluded);
    jdoc_set_int(o, "archived", st.archived);
    jdoc_set_int(o, "behind", st.behind);
    jdoc_set_int(o, "diverged", st.diverged);
    jdoc_set_int(o, "rewritten", st.rewritten);
    jdoc_set_int(o, "bytes", st.bytes);
    jdoc_set_time(o, "lastConfirmedAt", st.last_confirmed_ms);
    return o;
}

struct listing {
    struct daemon *d;
    struct json_object *queue;
    struct json_object *uploads;
};

static void add_upload(struct daemon *d, struct json_object *list, const struct uploader_view *v)
{
    struct json_object *o = json_object_new_object();
    const struct session *s = sessions_get(d, v->item->session_id);
    struct state_session ss;

    state_get(d->books->state, v->item->session_id, &ss);
    jdoc_set_str(o, "sessionId", v->item->session_id);
    jdoc_set_str(o, "title", jdoc_str(ss.meta, "title"));
    jdoc_set_int(o, "rawBytes", s != NULL ? s->bundled_bytes : 0);
    jdoc_set_int(o, "sentBytes", v->sent_bytes);
    jdoc_set_int(o, "sizeBytes", v->item->size_bytes);
    json_object_array_add(list, o);
    state_session_clear(&ss);
}

static void add_queued(void *arg, const struct uploader_view *v)
{
    struct listing *l = arg;
    struct json_object *o;

    if (strcmp(v->phase, "uploading") == 0)
        add_upload(l->d, l->uploads, v);
    if (json_object_array_length(l->queue) >= 100)
        return; /* the counts tell the rest */
    o = json_object_new_object();
    jdoc_set_str(o, "sessionId", v->item->session_id);
    jdoc_set_str(o, "phase", v->phase);
    jdoc_set_int(o, "attempts", v->attempts);
    jdoc_set_time(o, "nextAttemptAt",
                  v->next_attempt_ms > 0 ? now_wall_ms() + v->next_attempt_ms - now_mono_ms() : 0);
    jdoc_set_str(o, "lastError", v->err != NULL ? v->err->msg : NULL);
    json_object_array_add(l->queue, o);
}

static struct json_object *totals_part(struct daemon *d, const struct uploader_stats *st)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_int(o, "bundles", d->bundles);
    jdoc_set_int(o, "bytesUploaded", st->bytes_sent);
    jdoc_set_int(o, "bytesRead", d->bytes_read);
    return o;
}

static struct json_object *kept_part(struct daemon *d)
{
    struct json_object *o = json_object_new_object();
    struct kept_stats k = {.limit_bytes = d->config->kept_bytes};

    if (d->books != NULL)
        kept_stats(uploader_kept(d->books->uploader), &k);
    jdoc_set_int(o, "versions", k.versions);
    jdoc_set_int(o, "bytes", k.bytes);
    jdoc_set_int(o, "limitBytes", k.limit_bytes);
    return o;
}

/* When something goes to the server next that waits after a failure; wall clock, 0: not planned. */
static int64_t next_attempt_ms(struct daemon *d, const struct uploader_stats *st)
{
    int64_t now_ms = now_mono_ms(), next_ms = login_view_next_ms(d->login);

    if (st->next_attempt_ms > now_ms && (next_ms <= now_ms || st->next_attempt_ms < next_ms))
        next_ms = st->next_attempt_ms;
    return next_ms > now_ms ? now_wall_ms() + next_ms - now_ms : 0;
}

static struct json_object *server_part(struct daemon *d, const struct uploader_stats *st)
{
    struct json_object *o = json_object_new_object();
    const char *email, *url, *device, *why;
    enum login_view_state state = login_view_look(d->login, &email, &url, &device, &why);

    jdoc_set_str(o, "apiUrl", url[0] != '\0' ? url : NULL);
    if (state == LOGIN_OK)
        jdoc_set_bool(o, "reachable", !is_offline(d, &why));
    else
        jdoc_set_bool(o, "reachable", 0);
    jdoc_set_time(o, "lastContactAt",
                  st->last_contact_ms > d->last_contact_ms ? st->last_contact_ms
                                                           : d->last_contact_ms);
    jdoc_set_time(o, "nextAttemptAt", next_attempt_ms(d, st));
    jdoc_set_bool(o, "isLoopback", login_view_is_own_machine(d->login));
    return o;
}

static struct json_object *scan_part(struct daemon *d)
{
    struct json_object *o = json_object_new_object();
    int64_t sessions, places = credscan_counts(d, &sessions);

    jdoc_set_str(o, "secrets", d->leak_rules != NULL ? "warn" : "off");
    jdoc_set_int(o, "sessions", sessions);
    jdoc_set_int(o, "places", places);
    return o;
}

static struct json_object *account_part(struct daemon *d)
{
    struct json_object *o = json_object_new_object();
    const char *email, *url, *device, *why, *plan;
    int64_t versions;

    login_view_look(d->login, &email, &url, &device, &why);
    jdoc_set_str(o, "email", email[0] != '\0' ? email : NULL);
    versions = allowance_versions(d->allowance, &plan);
    jdoc_set_str(o, "plan", plan[0] != '\0' ? plan : NULL);
    if (versions > 0)
        jdoc_set_int(o, "versionsPerSession", versions);
    jdoc_set_int(o, "distanceSeconds", allowance_distance_ms(d->allowance) / 1000);
    jdoc_set_str(o, "deviceName", device[0] != '\0' ? device : NULL);
    return o;
}

struct json_object *report_status(struct daemon *d)
{
    struct json_object *o = json_object_new_object();
    struct listing l = {d, json_object_new_array(), json_object_new_array()};
    struct uploader_stats st = {0};
    char line[512];

    report_line(d, line, sizeof(line));
    jdoc_set_str(o, "headline", line);
    if (d->books != NULL) {
        uploader_stats(d->books->uploader, &st);
        uploader_each(d->books->uploader, add_queued, &l);
    }
    json_object_object_add(o, "daemon", daemon_part(d));
    json_object_object_add(o, "watch", watch_part(d));
    json_object_object_add(o, "sessions", sessions_part(d));
    json_object_object_add(o, "queue", l.queue);
    json_object_object_add(o, "uploads", l.uploads);
    json_object_object_add(o, "totals", totals_part(d, &st));
    json_object_object_add(o, "kept", kept_part(d));
    json_object_object_add(o, "server", server_part(d, &st));
    json_object_object_add(o, "account", account_part(d));
    json_object_object_add(o, "scan", scan_part(d));
    json_object_object_add(o, "profile", profile_report(d));
    json_object_object_add(o, "encryption", sealing_status(d));
    json_object_object_add(o, "sandbox", confine_report(d->confine));
    json_object_object_add(o, "cleanup", cleanup_report(d));
    json_object_object_add(o, "problems", problems(d));
    return o;
}
