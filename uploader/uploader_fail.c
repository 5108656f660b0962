#include <stdio.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "uploader/uploader_impl.h"

/* Work out when ${e} is tried again; where all wait, another one tries first. */
static void wait_for(struct entry *e, enum verdict verdict, const struct ct_err *err)
{
    struct uploader *u = e->u;
    struct outage_moment m = {.now_ms = now_mono_ms(), .is_waited = u->ops->is_waited(u->arg)};

    hash_random(&m.dice, sizeof(m.dice));
    if (!outage_failed(&u->outage, &e->wait, e->item->session_id, verdict, err, &m))
        return;
    TAILQ_REMOVE(&u->entries, e, link);
    TAILQ_INSERT_TAIL(&u->entries, e, link);
}

void uploader_recovered(struct uploader *u)
{
    struct entry *e;

    u->last_contact_ms = now_wall_ms();
    if (u->outage.is_on) {
        /* What failed with the others may go with the others. */
        TAILQ_FOREACH(e, &u->entries, link)
        {
            if (e->err.code == ERR_RETRY || e->err.code == ERR_FAIL)
                e->wait.next_ms = 0;
        }
    }
    memset(&u->outage, 0, sizeof(u->outage));
}

void uploader_disk_failed(struct entry *e, const struct ct_err *err)
{
    static const struct ct_err none = {0};
    struct uploader *u = e->u;

    e->err = *err;
    wait_for(e, VERDICT_LOCAL, &none);
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
    default:
        wait_for(e, verdict, err);
        break;
    }
    u->ops->failed(u->arg, e->item, err, e->is_final);
}
