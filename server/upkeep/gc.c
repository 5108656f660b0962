#include <string.h>

#include "common/base/log.h"
#include "common/base/strlist.h"

#include "server/upkeep/gc.h"

#define FEW 20
#define ORPHAN_MS (25LL * 3600 * 1000) /* longer than a reservation lives */

struct walk {
    struct ledger *ledger;
    int64_t older_than_ms;
    struct strlist keys; /* of objects that no version knows */
    size_t n_known;
    int has_failed; /* the database did not answer */
};

static int find_orphan(void *arg, const char *key, int64_t size_bytes, int64_t modified_ms)
{
    struct walk *w = arg;
    char user_id[UUID_SIZE], session_id[API_SESSION_ID_MAX + 1];
    int64_t version;
    int known, is_young = modified_ms > w->older_than_ms;

    (void)size_bytes;
    if (store_key_parse(key, user_id, session_id, &version) != 0)
        return 0;
    known = ledger_knows(w->ledger, user_id, session_id, version);
    if (known > 0)
        w->n_known++;
    else if (known == 0 && !is_young)
        strlist_add(&w->keys, key);
    w->has_failed |= known < 0;
    return w->has_failed;
}

/* All of them unknown: that is another server's store, or a database that was lost, and not what
 * gc is for. */
static int check_orphans(const struct walk *w, struct ct_err *err)
{
    if (w->has_failed)
        return err_set(err, ERR_RETRY, "the database does not answer");
    if (w->keys.n > 0 && w->n_known == 0)
        return err_set(err, ERR_CONFLICT,
                       "none of the %zu objects in the store is known to this database, so nothing "
                       "was removed; is it the right one?",
                       w->keys.n);
    if (w->keys.n > FEW && w->keys.n * 4 > w->n_known)
        return err_set(err, ERR_CONFLICT,
                       "%zu of %zu objects in the store are unknown to this database, which is too "
                       "large a share, so nothing was removed; see codeteleport-server adopt",
                       w->keys.n, w->keys.n + w->n_known);
    return 0;
}

int gc_orphans(struct ledger *l, struct store *s, int64_t now_ms, int do_remove,
               struct gc_result *ret, struct ct_err *err)
{
    struct walk w = {.ledger = l, .older_than_ms = now_ms - ORPHAN_MS};
    struct ct_err why;
    int rc = store_each(s, find_orphan, &w, err);

    if (w.has_failed || (rc == 0 && do_remove))
        rc = check_orphans(&w, err);
    if (rc != 0 || !do_remove) {
        ret->orphans += (long)w.keys.n;
        strlist_free(&w.keys);
        return rc;
    }
    for (size_t i = 0; i < w.keys.n; i++) {
        if (store_remove(s, w.keys.v[i], &why) != 0) {
            log_warn("purge-failed error=\"%s\"", why.msg);
            ret->failed++;
        } else {
            ret->orphans++;
        }
    }
    strlist_free(&w.keys);
    return store_sweep(s, ORPHAN_MS, now_ms, err);
}
