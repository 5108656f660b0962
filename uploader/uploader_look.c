#include <string.h>

#include "uploader/uploader_impl.h"

int64_t uploader_spool_bytes(const struct uploader *u)
{
    return u->queued_bytes;
}

void uploader_looked(struct uploader *u, const char *session_id, int64_t pin,
                     const struct ct_err *err)
{
    struct entry *e = map_get(u->by_session, session_id);

    if (e == NULL)
        return;
    e->held &= ~(unsigned)UPLOADER_HOLD_LOOKING;
    if (e->item->pin == 0)
        e->item->pin = pin;
    if (err != NULL)
        uploader_failed(e, err);
    else
        e->is_looked_into = 1;
    uploader_schedule(u);
}

int uploader_fetch(struct uploader *u, const struct keep_what *what,
                   void (*done)(void *arg, const struct ct_err *err), void *arg, struct keep **ret,
                   struct ct_err *err)
{
    struct keep_env env = {.engine = u->engine, .worker = u->opts.worker, .kept = u->kept};

    if (u->cred == NULL)
        return err_set(err, ERR_AUTH, "there are no credentials");
    env.api_url = u->cred->api_url;
    env.token = u->cred->token;
    return keep_start(&env, what, done, arg, ret, err);
}

const struct kept *uploader_kept(const struct uploader *u)
{
    return u->kept;
}

int uploader_is_active(const struct uploader *u, const char *session_id)
{
    const struct entry *e = map_get(u->by_session, session_id);

    return e != NULL && e->transfer != NULL;
}

int uploader_has(const struct uploader *u, const char *session_id)
{
    return map_get(u->by_session, session_id) != NULL;
}

int uploader_is_refused(const struct uploader *u, const char *session_id)
{
    const struct entry *e = map_get(u->by_session, session_id);

    return e != NULL && e->is_final;
}

int uploader_is_too_dear(const struct entry *e)
{
    return e->u->is_metered && e->item->size_bytes > UPLOADER_METERED_BYTES;
}

/* What the account's plan does not allow is a limit; what does not fit into its bytes, a failure.
 */
static int is_limit(const struct ct_err *err)
{
    return err->code == ERR_REFUSED && err->http_status == 403 && strcmp(err->reason, "quota") != 0;
}

static void view_of(const struct entry *e, struct uploader_view *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->item = e->item;
    ret->attempts = e->wait.failures + (e->transfer != NULL);
    ret->next_attempt_ms = e->wait.next_ms;
    if (e->u->outage.is_on && e->transfer == NULL && !e->is_final &&
        e->u->outage.next_ms > e->wait.next_ms)
        ret->next_attempt_ms = e->u->outage.next_ms; /* all wait for the one that tries */
    ret->sent_bytes = e->transfer != NULL ? e->sent_bytes : 0;
    ret->err = e->err.code != ERR_NONE ? &e->err : NULL;
    if (e->is_final || (e->transfer == NULL && e->err.code == ERR_FAIL && e->err.sys_errno == 0))
        ret->phase = is_limit(&e->err) ? "limit" : "failed";
    else if (e->item->phase == QUEUE_STORED)
        ret->phase = "stored";
    else
        ret->phase = e->transfer != NULL ? "uploading" : "ready";
}

int uploader_look(const struct uploader *u, const char *session_id, struct uploader_view *ret)
{
    const struct entry *e = map_get(u->by_session, session_id);

    if (e == NULL)
        return 0;
    view_of(e, ret);
    return 1;
}

void uploader_each(const struct uploader *u, void (*f)(void *arg, const struct uploader_view *view),
                   void *arg)
{
    const struct entry *e;
    struct uploader_view v;

    TAILQ_FOREACH(e, &u->entries, link)
    {
        view_of(e, &v);
        f(arg, &v);
    }
}

void uploader_stats(const struct uploader *u, struct uploader_stats *ret)
{
    const struct entry *e;

    memset(ret, 0, sizeof(*ret));
    TAILQ_FOREACH(e, &u->entries, link)
    ret->metered += e->transfer == NULL && !e->is_urgent && uploader_is_too_dear(e);
    ret->queued = (int64_t)map_size(u->by_session);
    ret->queued_bytes = u->queued_bytes;
    ret->active = u->active;
    ret->bytes_sent = u->bytes_sent;
    ret->confirmed = u->confirmed;
    ret->last_contact_ms = u->last_contact_ms;
    ret->failures = u->outage.failures;
    ret->clock_skew_ms = u->skew_ms[TRANSFER_API];
    ret->has_store_skew = u->has_skew[TRANSFER_API] && u->has_skew[TRANSFER_STORE];
    ret->store_skew_ms = u->skew_ms[TRANSFER_STORE];
    ret->err = u->outage.failures > 0 ? &u->outage.err : NULL;
    ret->next_attempt_ms = u->outage.next_ms;
}
