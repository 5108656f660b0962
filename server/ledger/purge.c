#include <string.h>

#include "common/base/log.h"

#include "server/ledger/purge.h"

#define MAX_AT_ONCE 1000 /* a request waits for it */

/* A reservation that lapsed: if nothing lies there it is forgotten, else it waits in the trash. */
static int put_aside(struct ledger *l, struct store *s, const struct ledger_object *o,
                     const char *key, int64_t now_ms, struct purged *ret, struct ct_err *err)
{
    struct store_head head;

    if (store_head(s, key, &head, err) == 0)
        return ledger_purge_later(l, o, now_ms, err);
    if (err->code != ERR_GONE)
        return -1;
    ret->bytes += o->size_bytes;
    return ledger_purged(l, o, err);
}

static int purge_one(struct ledger *l, struct store *s, const struct ledger_object *o,
                     int64_t now_ms, struct purged *ret, struct ct_err *err)
{
    char key[STORE_KEY_MAX];

    store_key(o->user_id, o->session_id, o->version, key);
    if (o->is_lapsed)
        return put_aside(l, s, o, key, now_ms, ret, err);
    /* Twice: what is published between the two is removed by the second, and what comes later finds
     * that it is not wanted. */
    if (store_remove(s, key, err) != 0 || ledger_purged(l, o, err) != 0 ||
        (!store_is_vacant(s, key) && store_remove(s, key, err) != 0))
        return -1;
    ret->n++;
    ret->bytes += o->size_bytes;
    return 0;
}

/* Return whether to go on: if nobody answers the next turn takes it up. */
static int purge(struct ledger *l, struct store *s, const struct ledger_object *o, int64_t now_ms,
                 struct purged *ret)
{
    struct ct_err why;

    if (purge_one(l, s, o, now_ms, ret, &why) == 0)
        return 1;
    log_warn("purge-failed error=\"%s\"", why.msg);
    ret->failed++;
    return why.code != ERR_RETRY;
}

int purge_due(struct ledger *l, struct store *s, int64_t now_ms, struct purged *ret,
              struct ct_err *err)
{
    struct ledger_object o;
    int rc = 0;

    while (!ledger_purges_are_held(l) && (rc = ledger_purge_next(l, now_ms, &o, err)) == 1 &&
           purge(l, s, &o, now_ms, ret))
        ;
    return rc < 0 ? -1 : 0;
}

/* Reservations for which nothing came and nothing can come any more. */
static int forget_idle(struct ledger *l, struct store *s, const char *user_id, int64_t bytes,
                       int64_t now_ms, struct purged *ret, struct ct_err *err)
{
    struct ledger_object o = {0}, next;
    char key[STORE_KEY_MAX];
    int rc = 0;

    for (int i = 0; i < MAX_AT_ONCE && ret->bytes < bytes; i++) {
        if ((rc = ledger_idle_after(l, user_id, now_ms, &o, &next, err)) != 1)
            break;
        o = next;
        store_key(o.user_id, o.session_id, o.version, key);
        if (!store_is_vacant(s, key))
            continue;
        if (ledger_idle_forget(l, &o, err) != 0)
            return -1;
        ret->bytes += o.size_bytes;
    }
    return rc < 0 ? -1 : 0;
}

int purge_for_room(struct ledger *l, struct store *s, const char *user_id, int64_t bytes,
                   int64_t now_ms, struct purged *ret, struct ct_err *err)
{
    struct ledger_object o;
    int rc = 0;

    if (ledger_purges_are_held(l))
        return 0;
    if (purge_due(l, s, now_ms, ret, err) != 0 ||
        forget_idle(l, s, user_id, bytes, now_ms, ret, err) != 0)
        return -1;
    for (int i = 0; i < MAX_AT_ONCE && ret->bytes < bytes; i++) {
        if ((rc = ledger_room_next(l, user_id, now_ms, &o, err)) != 1 ||
            !purge(l, s, &o, now_ms, ret))
            break;
    }
    return rc < 0 ? -1 : 0;
}
