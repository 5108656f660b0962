#include <stdio.h>

#include "uploader/uploader_impl.h"

int uploader_is_barred(const struct entry *e)
{
    return e->u->is_sealed_only && !queue_is_sealed(e->item);
}

void uploader_seal_only(struct uploader *u, int is_sealed_only)
{
    struct entry *e;

    u->is_sealed_only = is_sealed_only;
    TAILQ_FOREACH(e, &u->entries, link)
    {
        if (uploader_is_barred(e))
            uploader_entry_stop(e);
    }
    uploader_schedule(u);
}

void uploader_settle_sealed(struct uploader *u, const char *session_id, int64_t version,
                            const char *sha256, const char *key_id, int64_t generation,
                            const struct queue_beside *beside, int is_loopback)
{
    struct entry *e = map_get(u->by_session, session_id);

    if (e == NULL || e->transfer != NULL)
        return;
    snprintf(e->item->sha256, sizeof(e->item->sha256), "%s", sha256);
    snprintf(e->item->key_id, sizeof(e->item->key_id), "%s", key_id);
    e->item->generation = generation;
    uploader_settle(u, session_id, version, beside, is_loopback);
}
