#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/now.h"

#include "daemon/account/login_view.h"
#include "daemon/account/sealing.h"
#include "daemon/session/adopt.h"

void adopt_look(struct job *j, const struct state_session *known)
{
    struct adopted a;

    /* A lower number than is known here is what somebody took back with --force: a record ends with
     * the first version of one's own.  Where there is a key, what came in clear is not safe yet. */
    if (!adopted_load(j->d->account_dir, j->session_id, &a) ||
        (a.wire_id[0] == '\0' && sealing_is_one_way(j->d->sealing)) ||
        (a.version == known->version && strcmp(a.wire_id, known->wire_id) == 0 &&
         !adopted_is_merged(&a)))
        return;
    j->adopted = a;
    memcpy(j->own_id, j->known_id, sizeof(j->own_id));
    memcpy(j->known_id, a.content_id, sizeof(j->known_id));
    j->previous_bytes = a.transcript_bytes;
    memcpy(j->previous_digest, a.transcript_digest, sizeof(j->previous_digest));
}

int adopt_judge(struct job *j)
{
    if (j->adopted.version == 0)
        return 0;
    if (j->result.is_same) {
        log_info("adopted session=%s version=%lld", j->session_id, (long long)j->adopted.version);
        return 1;
    }
    if (strcmp(j->result.content_id, j->own_id) == 0) {
        unlink(j->spool_path);
        j->result.is_same = 1;
        j->result.is_rewritten = 0;
        j->adopted.version = 0;
    }
    return 0;
}

int adopt_is_void(const struct job *j)
{
    return j->adopted.version > 0 && adopted_is_merged(&j->adopted) && !j->result.is_same &&
           j->result.is_rewritten;
}

int adopt_confirm(const struct job *j, struct ct_err *err)
{
    const struct adopted *a = &j->adopted;
    struct state_confirmed c = {
        .version = a->version,
        .content_id = a->content_id,
        .sha256 = a->sha256,
        .size_bytes = a->size_bytes,
        .is_loopback = a->is_loopback || login_view_is_own_machine(j->d->login),
        .is_pulled = 1,
        .wall_ms = now_wall_ms(),
        .token_tag = "",
        .wire_id = a->wire_id,
        .key_id = a->key_id,
        .generation = a->generation,
    };

    if (state_confirm(j->d->state, j->session_id, &c, err) != 0 ||
        state_queue_manifest(j->d->state, j->session_id, a->content_id, 0, &j->result.manifest,
                             err) != 0 ||
        state_store_manifest(j->d->state, j->session_id, a->content_id, a->version, err) != 0)
        return -1;
    /* What comes after it lacks what was not installed, so that version is kept. */
    return a->is_thinner ? state_pin(j->d->state, j->session_id, err) : 0;
}

void adopt_forget(const struct daemon *d, const char *session_id)
{
    if (d->account_dir != NULL)
        adopted_forget(d->account_dir, session_id);
}
