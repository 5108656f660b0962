#include <string.h>

#include "common/log.h"
#include "common/strlist.h"

#include "server/gc.h"

#define ORPHAN_MS (25LL * 3600 * 1000) /* longer than a reservation lives */

int gc_purge(struct ledger *l, struct store *s, int64_t now_ms, struct gc_result *ret,
             struct ct_err *err)
{
    struct ledger_object o;
    struct ct_err why;
    char key[STORE_KEY_MAX];
    int rc;

    while ((rc = ledger_purge_next(l, now_ms, &o, err)) == 1) {
        store_key(o.user_id, o.session_id, o.version, key);
        /* The object first: a crash in between leaves a row that is taken up again. */
        if (store_remove(s, key, &why) != 0 || ledger_purged(l, &o, &why) != 0) {
            log_warn("purge-failed error=\"%s\"", why.msg);
            ret->failed++;
        } else {
            ret->purged++;
        }
    }
    return rc;
}

struct walk {
    struct ledger *ledger;
    int64_t older_than_ms;
    struct strlist keys;
};

static int find_orphan(void *arg, const char *key, int64_t size_bytes, int64_t modified_ms)
{
    struct walk *w = arg;
    char user_id[UUID_SIZE], session_id[API_SESSION_ID_MAX + 1];
    int64_t version;

    (void)size_bytes;
    if (modified_ms <= w->older_than_ms &&
        store_key_parse(key, user_id, session_id, &version) == 0 &&
        ledger_knows(w->ledger, user_id, session_id, version) == 0)
        strlist_add(&w->keys, key);
    return 0;
}

int gc_orphans(struct ledger *l, struct store *s, int64_t now_ms, struct gc_result *ret,
               struct ct_err *err)
{
    struct walk w = {.ledger = l, .older_than_ms = now_ms - ORPHAN_MS};
    struct ct_err why;
    int rc = store_each(s, find_orphan, &w, err);

    for (size_t i = 0; rc == 0 && i < w.keys.n; i++) {
        if (store_remove(s, w.keys.v[i], &why) != 0) {
            log_warn("purge-failed error=\"%s\"", why.msg);
            ret->failed++;
        } else {
            ret->orphans++;
        }
    }
    strlist_free(&w.keys);
    if (rc == 0)
        rc = store_sweep(s, ORPHAN_MS, now_ms, err);
    return rc;
}

/* What is wrong with the object of ${o}, or NULL. */
static const char *fault_of(struct store *s, const struct ledger_object *o, const char *key,
                            int full, struct ct_err *err)
{
    struct store_head head;

    if (store_head(s, key, &head, err) != 0)
        return err->code == ERR_GONE ? "missing" : "unreadable";
    if (head.size_bytes != o->size_bytes)
        return "size";
    if (full && store_check(s, key, o->checksum, err) != 0)
        return err->code == ERR_CORRUPT ? "checksum" : "unreadable";
    return NULL;
}

/* Or did somebody delete or rotate it out while we looked at its object? */
static int is_still_there(struct ledger *l, const struct ledger_object *before,
                          const struct ledger_object *o)
{
    struct ledger_object again;

    return ledger_confirmed_after(l, before, &again, NULL) == 1 && again.version == o->version &&
           strcmp(again.session_id, o->session_id) == 0 && strcmp(again.user_id, o->user_id) == 0;
}

int gc_check(struct ledger *l, struct store *s, int full, FILE *out, long *ret_problems,
             struct ct_err *err)
{
    struct walk w = {.ledger = l, .older_than_ms = INT64_MAX};
    struct ledger_object o = {0}, next;
    char key[STORE_KEY_MAX];
    long problems = 0;
    int rc;

    if (ledger_integrity(l, err) != 0)
        return -1;
    while ((rc = ledger_confirmed_after(l, &o, &next, err)) == 1) {
        struct ct_err why;
        const char *fault;
        store_key(next.user_id, next.session_id, next.version, key);
        fault = fault_of(s, &next, key, full, &why);
        if (fault != NULL && is_still_there(l, &o, &next)) {
            fprintf(out, "%s %s\n", fault, key);
            problems++;
        }
        o = next;
    }
    if (rc == 0)
        rc = store_each(s, find_orphan, &w, err);
    for (size_t i = 0; rc == 0 && i < w.keys.n; i++)
        fprintf(out, "unknown %s\n", w.keys.v[i]);
    problems += (long)w.keys.n;
    strlist_free(&w.keys);
    if (rc == 0)
        *ret_problems = problems;
    return rc;
}
