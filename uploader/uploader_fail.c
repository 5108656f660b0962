#include <stdio.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "uploader/backoff.h"
#include "uploader/uploader_impl.h"
#include "uploader/verdict.h"

/* How often to look whether somebody mended what only they can mend, give or take a half. */
#define SLOW_S (10 * 60)

static uint32_t dice(void)
{
    uint32_t r;

    hash_random(&r, sizeof(r));
    return r;
}

static int64_t wait_ms(const struct uploader *u, int failures, int at_least_s)
{
    return backoff_ms(failures, u->ops->is_waited(u->arg), at_least_s, dice());
}

static void wait_alone(struct entry *e, int at_least_s)
{
    e->failures++;
    e->next_ms = now_mono_ms() + wait_ms(e->u, e->failures, at_least_s);
}

/* Nobody else's bundle would fare better now: one clock for all, and the next one tries for all,
 * lest one that can't get through holds up the others. */
static void wait_together(struct entry *e, int at_least_s)
{
    struct uploader *u = e->u;

    u->is_outage = 1;
    u->net_next_ms = now_mono_ms() + wait_ms(u, u->net_failures, at_least_s);
    TAILQ_REMOVE(&u->entries, e, link);
    TAILQ_INSERT_TAIL(&u->entries, e, link);
}

/* Those that tried together and failed together count once. */
static void count_failure(struct entry *e, const struct ct_err *err)
{
    struct uploader *u = e->u;

    if (u->net_failures == 0 || u->net_next_ms <= now_mono_ms())
        u->net_failures++;
    u->is_alive = 0;
    u->net_err = *err;
    snprintf(u->net_session, sizeof(u->net_session), "%s", e->item->session_id);
}

/* Trouble that may be everybody's or this bundle's own.  It is everybody's once two sessions have
 * met it in a row; until then a bundle that never gets through holds up nobody. */
static void wait_for_better(struct entry *e, const struct ct_err *err, int at_least_s)
{
    struct uploader *u = e->u;
    int is_second = u->net_failures > 0 && strcmp(u->net_session, e->item->session_id) != 0;

    count_failure(e, err);
    wait_alone(e, at_least_s);
    if (is_second || u->is_outage)
        wait_together(e, at_least_s);
}

static void wait_for_network(struct entry *e, const struct ct_err *err)
{
    count_failure(e, err);
    e->failures++;
    /* Who asks for patience gets some, also without a number. */
    wait_together(e, err->http_status != 0 && err->retry_after_s == 0 ? 1 : err->retry_after_s);
}

void uploader_recovered(struct uploader *u)
{
    struct entry *e;

    u->last_contact_ms = now_wall_ms();
    if (u->is_outage) {
        /* What failed with the others may go with the others. */
        TAILQ_FOREACH(e, &u->entries, link)
        {
            if (e->err.code == ERR_RETRY || e->err.code == ERR_FAIL)
                e->next_ms = 0;
        }
    }
    u->is_outage = 0;
    u->net_failures = 0;
    u->net_next_ms = 0;
    memset(&u->net_err, 0, sizeof(u->net_err));
}

void uploader_disk_failed(struct entry *e, const struct ct_err *err)
{
    struct uploader *u = e->u;

    e->err = *err;
    wait_alone(e, 0);
    u->ops->failed(u->arg, e->item, err, 0);
}

static void rebuild(struct entry *e)
{
    struct uploader *u = e->u;
    char session_id[UUID_SIZE];
    struct ct_err err;

    snprintf(session_id, sizeof(session_id), "%s", e->item->session_id);
    log_warn("bundle-damaged session=%s error=\"%s\" cure=rebuild", session_id, e->err.msg);
    if (u->ops->forget(u->arg, session_id, &err) != 0 || uploader_entry_drop(e, &err) != 0)
        uploader_disk_failed(e, &err);
    else
        u->ops->rebuild(u->arg, session_id);
}

static void exclude(struct entry *e)
{
    struct uploader *u = e->u;
    char session_id[UUID_SIZE];
    struct ct_err why = e->err, err;
    int was_revived = e->item->revive;

    snprintf(session_id, sizeof(session_id), "%s", e->item->session_id);
    if (uploader_entry_drop(e, &err) != 0)
        uploader_disk_failed(e, &err);
    else
        u->ops->deleted(u->arg, session_id, was_revived, why.msg);
}

void uploader_failed(struct entry *e, const struct ct_err *err)
{
    struct uploader *u = e->u;
    enum verdict verdict = verdict_of(err);

    e->err = *err;
    if (err->http_status != 0)
        u->last_contact_ms = now_wall_ms();
    switch (verdict) {
    case VERDICT_STOP:
        uploader_recovered(u);
        uploader_set_cred(u, NULL, NULL);
        u->ops->auth(u->arg, err);
        return;
    case VERDICT_REBUILD:
        rebuild(e);
        return;
    case VERDICT_EXCLUDED:
        uploader_recovered(u);
        exclude(e);
        return;
    case VERDICT_FINAL:
        if (err->http_status != 0)
            uploader_recovered(u);
        e->is_final = 1;
        break;
    case VERDICT_SLOW:
        wait_for_better(e, err, SLOW_S / 2 + (int)(dice() % SLOW_S));
        break;
    case VERDICT_LOCAL:
        wait_alone(e, err->retry_after_s);
        break;
    case VERDICT_BACK_OFF:
        wait_for_better(e, err, err->retry_after_s);
        break;
    case VERDICT_AWAY:
        wait_for_network(e, err);
        break;
    }
    u->ops->failed(u->arg, e->item, err, e->is_final);
}
