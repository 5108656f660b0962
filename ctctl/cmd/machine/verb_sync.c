#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "ctctl/ui/headline.h"
#include "ctctl/here/sync_follow.h"

#include "ctctl/ctx/verb.h"

#define ANSWER_MS 30000

struct sync {
    int wait;
    int64_t timeout_s; /* 0: none */
};

static void say_failures(struct ctx *c, struct json_object *failed)
{
    size_t n = failed != NULL ? json_object_array_length(failed) : 0;

    for (size_t i = 0; i < n; i++) {
        const struct json_object *f = json_object_array_get_idx(failed, i);
        const char *reason = jdoc_str(f, "reason"), *cure = jdoc_str(f, "cure");
        char id[9];
        ctx_say(c, "%s could not be saved: %s%s%s", text_short_id(jdoc_str(f, "sessionId"), id),
                reason != NULL ? reason : "no reason given", cure != NULL ? ". What to do: " : "",
                cure != NULL ? cure : "");
    }
}

static void print_result(struct ctx *c, const struct json_object *o, int waited)
{
    struct buf b = {0};
    int64_t requested = headline_number(o, "requested", 0);
    int64_t diverged = headline_number(o, "diverged", 0);
    int is_profile_saved = jdoc_bool(o, "profileSaved", 0);
    char *n;

    if (!waited) {
        n = text_count(requested, "session", "sessions");
        buf_printf(&b, "Asked to save %s now; to wait for it: ctctl sync --wait\n", n);
    } else if (requested == 0 && is_profile_saved) {
        n = NULL;
        buf_addstr(&b, "Saved what belongs to no session.\n");
    } else if (requested == 0) {
        n = NULL;
        buf_addstr(&b, "Nothing had changed since the last save.\n");
    } else {
        n = text_count(headline_number(o, "confirmed", 0), "session", "sessions");
        buf_printf(&b, "Saved %s", n);
        if (headline_number(o, "unchanged", 0) > 0)
            buf_printf(&b, ", %" PRId64 " had not changed", headline_number(o, "unchanged", 0));
        if (headline_number(o, "excluded", 0) > 0)
            buf_printf(&b, ", %" PRId64 " %s excluded", headline_number(o, "excluded", 0),
                       headline_number(o, "excluded", 0) == 1 ? "is" : "are");
        buf_addstr(&b, is_profile_saved ? ", and what belongs to none.\n" : ".\n");
    }
    if (waited && diverged > 0)
        buf_printf(&b,
                   "%" PRId64 " %s, and neither has what the other has; both are kept. See: "
                   "ctctl status\n",
                   diverged,
                   diverged == 1 ? "session went on in two places"
                                 : "sessions went on in two places each");
    ctx_print(c, &b);
    buf_free(&b);
    free(n);
}

/* What the whole of it comes to. */
static int judge(struct ctx *c, const struct json_object *o)
{
    struct json_object *failed = jdoc_array(o, "failed");
    const char *state = jdoc_str(o, "state");

    say_failures(c, failed);
    if (state != NULL && strcmp(state, "auth_required") == 0) {
        ctx_say(c, "not logged in, so nothing can be saved. Run: ctctl login");
        return CTX_NO_AUTH;
    }
    if (state != NULL && strcmp(state, "account_changed") == 0) {
        ctx_say(c, "the account or the server has changed; confirm it in a terminal with: "
                   "ctctl login");
        return CTX_NO_AUTH;
    }
    return failed != NULL && json_object_array_length(failed) > 0 ? CTX_FAILED : CTX_OK;
}

static int sync_now(struct ctx *c, const struct sync *s, const struct strlist *ids)
{
    struct json_object *params = json_object_new_object(), *list = json_object_new_array(), *o;
    struct ct_err e;
    struct sync_follow *follow;
    char why[512];
    int64_t limit_ms = s->timeout_s > 0 ? s->timeout_s * 1000 : s->wait ? 0 : ANSWER_MS;
    int rc;

    for (size_t i = 0; i < ids->n; i++)
        json_object_array_add(list, jdoc_new_str(ids->v[i]));
    json_object_object_add(params, "ids", list);
    jdoc_set_bool(params, "wait", s->wait);
    follow = s->wait ? sync_follow_start(c) : NULL;
    rc = ctx_call(c, "sync", params, limit_ms, &o, &e);
    sync_follow_why(follow, why, sizeof(why));
    sync_follow_stop(follow);
    json_object_put(params);
    if (rc != 0 && e.code == ERR_RETRY && s->wait && s->timeout_s > 0)
        err_set(&e, ERR_RETRY,
                "not all is saved after %" PRId64
                " s%s%.400s; the daemon goes on with it (see: ctctl)",
                s->timeout_s, why[0] != '\0' ? ": " : "", why);
    if (rc != 0)
        return ctx_fail(c, &e);
    rc = judge(c, o);
    if (c->json)
        ctx_json(c, o);
    else if (rc != CTX_NO_AUTH)
        print_result(c, o, s->wait);
    json_object_put(o);
    return rc;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist ids = {0};
    struct sync s = {0};
    int is_reseal = 0;
    const struct opt opts[] = {
        {"wait", OPT_FLAG, &s.wait},
        {"timeout", OPT_NUMBER, &s.timeout_s},
        {"reseal", OPT_FLAG, &is_reseal}, /* of versions before: its name leads on */
    };
    int rc = opts_parse(c, opts, sizeof(opts) / sizeof(opts[0]), argc, argv, &ids);

    if (rc == -1 && is_reseal)
        rc = ctx_usage(c, "--reseal is gone: what is here goes up sealed by itself once there is a "
                          "key, and what the cloud still has in clear is sealed with: ctctl seal "
                          "--all");
    if (rc == -1 && s.timeout_s > 0 && !s.wait)
        rc = ctx_usage(c, "--timeout goes with --wait");
    if (rc == -1)
        rc = sync_now(c, &s, &ids);
    strlist_free(&ids);
    return rc;
}

const struct verb verb_sync = {
    "sync",
    "[ID...] [--wait] [--timeout S]",
    "save what has changed now",
    "Without an ID: all sessions. Does not wait for a quiet moment, for the next try of\n"
    "something that failed, or for the end of a pause.\n"
    "\n"
    "  --wait         return when all that had changed before the call is confirmed; shows\n"
    "                 how far that is, or why nothing moves and when it is tried again: every\n"
    "                 five seconds or so while somebody waits\n"
    "  --timeout S    give up waiting after S seconds, and say why; the daemon goes on all the\n"
    "                 same\n"
    "\n"
    "Exit status with --wait: 0 all of it is confirmed; 1 something was refused; 75 the\n"
    "time ran out; 77 not logged in.\n",
    run,
    "ctctl sync --wait               # save all there is, and wait for it\n"
    "ctctl sync --wait --timeout 60  # for a minute at most\n"
    "ctctl sync 29221bf7             # one session, also if it was deleted in the cloud\n",
};
