#include <stdlib.h>

#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "server/ledger/ledger_impl.h"

#define THIS "user_id = ?1 AND session_id = ?2"
#define OF_V "v.user_id = ?1 AND v.session_id = ?2"
#define OF(t) t ".user_id = ?1 AND " t ".session_id = ?2"
/* A walk that would go on for longer is broken off: that leaves a head too many, and loses none. */
#define FAR " LIMIT 1000)"
#define THROUGH(walk) \
    " FROM " walk " CROSS JOIN versions s ON " OF( \
        "s") " AND s.version = " walk ".version" \
             " AND s.state <> 'confirmed' CROSS JOIN ancestry a ON " OF("a")

/* On which versions ?3 builds, up to the first confirmed one of each line. */
#define UP \
    "WITH RECURSIVE up(version) AS (" \
    " SELECT base FROM ancestry WHERE " THIS " AND version = ?3" \
    " UNION SELECT a.base" THROUGH("up") " AND a.version = up.version" FAR

/* Which versions build on ?3, likewise. */
#define DOWN \
    "WITH RECURSIVE down(version) AS (" \
    " SELECT version FROM ancestry WHERE " THIS " AND base = ?3" \
    " UNION SELECT a.version" THROUGH("down") " AND a.base = down.version" FAR

const char ledger_beside_reserved[] =
    UP " SELECT " LEDGER_ITEM_COLUMNS " FROM versions v" BY_HEADS LEDGER_ITEM_JOINS " WHERE " OF_V
       " AND v.is_head = 1 AND v.version <> ?3 AND v.version NOT IN (SELECT version FROM up)"
       " ORDER BY v.version DESC";

static int add_base(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                    int64_t base, struct ct_err *err)
{
    /* Only what has a lower number can have been there: no version builds on itself. */
    if (base <= 0 || base >= version)
        return 0;
    return sql_exec(l->db, err,
                    "INSERT OR IGNORE INTO ancestry(user_id, session_id, version, base)"
                    " VALUES (?, ?, ?, ?)",
                    "ssii", user_id, session_id, version, base);
}

/* Of a device's token its machine's daemon and stock clients have a line each. */
#define OF_THE_SAME_HAND \
    " AND is_machines = (SELECT n.is_machines FROM versions n" \
    "  WHERE n.user_id = ?1 AND n.session_id = ?2 AND n.version = ?4)"

/* The newest confirmed version of a device before ${version}, which may be confirmed itself by now;
 * 0: none, -1 on error. */
static int64_t newest_before(struct ledger *l, const char *user_id, const char *session_id,
                             int64_t version, const char *device_id, struct ct_err *err)
{
    return sql_one(l->db, err,
                   "SELECT max(version) FROM versions WHERE device_id = ?3 AND session_id = ?2"
                   " AND state = 'confirmed' AND user_id = ?1 AND version < ?4" OF_THE_SAME_HAND,
                   "sssi", user_id, session_id, device_id, version);
}

int ledger_heads_bases(struct ledger *l, const char *user_id, const char *session_id,
                       int64_t version, struct json_object *bases, char **ret, struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    if (sql_query(l->db, err, &st,
                  "SELECT json_group_array(n) FROM (SELECT DISTINCT n FROM ("
                  " SELECT CASE type WHEN 'object' THEN json_extract(value, '$.version')"
                  "  ELSE value END AS n,"
                  "  CASE type WHEN 'object' THEN json_extract(value, '$.checksum') END AS sum"
                  "  FROM json_each(?4)) WHERE n < ?3 AND (sum IS NULL OR EXISTS"
                  " (SELECT 1 FROM versions WHERE " THIS " AND version = n AND checksum = sum)))",
                  "ssis", user_id, session_id, version, jdoc_text(bases)) != 0)
        return -1;
    rc = sql_step(st, err);
    if (rc == 1)
        *ret = str_dup(sql_text(st, 0));
    sql_done(st);
    return rc == 1 ? 0 : -1;
}

int ledger_heads_build_on(struct ledger *l, const char *user_id, const char *session_id,
                          int64_t version, struct ct_err *err)
{
    return sql_exec(l->db, err,
                    "INSERT OR IGNORE INTO ancestry(user_id, session_id, version, base)"
                    " SELECT ?1, ?2, ?3, j.value FROM versions v, json_each(v.bases) j WHERE " OF_V
                    " AND v.version = ?3",
                    "ssi", user_id, session_id, version);
}

int ledger_heads_build(struct ledger *l, const char *user_id, const char *session_id,
                       int64_t version, const char *device_id, struct ct_err *err)
{
    int64_t own = newest_before(l, user_id, session_id, version, device_id, err);

    return own < 0 ? -1 : add_base(l, user_id, session_id, version, own, err);
}

/*
 * One that contains a head makes no more of them.  Of the others each token may add so many; and as
 * long as it has none here it may add one beyond what all have together, so that nobody's junk
 * shuts another device out.
 */
static int is_one_too_many(const struct ledger_who *who, int64_t all, int64_t mine, int64_t kept)
{
    if (kept < all)
        return 0;
    if (mine >= LEDGER_MAX_HEADS_OF_ONE || all >= LEDGER_MAX_HEADS_AT_ALL)
        return 1;
    return all >= LEDGER_MAX_HEADS && (mine > 0 || who->token_id[0] == '\0');
}

int ledger_heads_check(struct ledger *l, const struct ledger_who *who, const char *session_id,
                       int64_t version, struct ct_err *err)
{
    int64_t all = 0, mine = 0, kept = 0;
    struct sql_rows *st;
    int rc;

    if (sql_query(l->db, err, &st,
                  UP " SELECT count(*), coalesce(sum(v.token_id = ?4), 0),"
                     " coalesce(sum(v.version NOT IN (SELECT version FROM up)), 0)"
                     " FROM versions v" BY_HEADS " WHERE " OF_V
                     " AND v.is_head = 1 AND v.version <> ?3",
                  "ssis", who->user_id, session_id, version, who->token_id) != 0)
        return -1;
    rc = sql_step(st, err);
    if (rc == 1) {
        all = sql_int64(st, 0);
        mine = sql_int64(st, 1);
        kept = sql_int64(st, 2);
    }
    sql_done(st);
    if (rc != 1)
        return -1;
    if (is_one_too_many(who, all, mine, kept))
        return ledger_fail(err, ERR_REFUSED, "too_many_heads",
                           "This session went on in too many places, each without the others; "
                           "merge or delete some of its versions.");
    return 0;
}

int64_t ledger_heads_elsewhere(struct ledger *l, const char *user_id, const char *session_id,
                               int64_t version, const char *device_id, int64_t after,
                               struct ct_err *err)
{
    return sql_one(l->db, err,
                   UP " SELECT max(version) FROM versions v" BY_HEADS " WHERE " OF_V
                      " AND v.is_head = 1"
                      " AND v.version <> ?3 AND v.version NOT IN (SELECT version FROM up)"
                      " AND v.device_id IS NOT ?4 AND v.version > ?5",
                   "ssisi", user_id, session_id, version, device_id, after);
}

static int64_t is_contained(struct ledger *l, const char *user_id, const char *session_id,
                            int64_t version, struct ct_err *err)
{
    return sql_one(l->db, err,
                   DOWN " SELECT EXISTS(SELECT 1 FROM down CROSS JOIN versions v ON " OF_V
                        " AND v.version = down.version AND v.state = 'confirmed')",
                   "ssi", user_id, session_id, version);
}

static int set_head(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                    int is_head, struct ct_err *err)
{
    return sql_exec(l->db, err, "UPDATE versions SET is_head = ?4 WHERE " THIS " AND version = ?3",
                    "ssii", user_id, session_id, version, (int64_t)is_head);
}

/* What ${version} builds on is no head any more. */
static int contain_bases(struct ledger *l, const char *user_id, const char *session_id,
                         int64_t version, struct ct_err *err)
{
    return sql_exec(l->db, err,
                    UP " UPDATE versions INDEXED BY versions_heads SET is_head = 0"
                       " WHERE " THIS " AND is_head = 1"
                       " AND version IN (SELECT version FROM up)",
                    "ssi", user_id, session_id, version);
}

/* A fuller version that was pinned is let go by the first later one that names it. */
static int unpin_bases(struct ledger *l, const char *user_id, const char *session_id,
                       int64_t version, struct ct_err *err)
{
    return sql_exec(l->db, err,
                    "UPDATE versions INDEXED BY versions_pinned SET pinned = 0 WHERE " THIS
                    " AND state = 'confirmed' AND pinned = 1 AND version IN"
                    " (SELECT j.value FROM versions n, json_each(n.bases) j"
                    "  WHERE " OF("n") " AND n.version = ?3 AND j.value <> n.pins)",
                    "ssi", user_id, session_id, version);
}

/*
 * One that names no bases contains its own device's line, and becomes the current one.  If a later
 * one of its device was confirmed before it, it is part of that one's line.
 */
static int join_line(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                     const char *device_id, int *ret_is_late, struct ct_err *err)
{
    int64_t later;

    if (ledger_heads_build(l, user_id, session_id, version, device_id, err) != 0)
        return -1;
    later = sql_one(l->db, err,
                    "SELECT min(version) FROM versions WHERE device_id = ?3 AND session_id = ?2"
                    " AND state = 'confirmed' AND user_id = ?1 AND version > ?4" OF_THE_SAME_HAND,
                    "sssi", user_id, session_id, device_id, version);
    if (later < 0)
        return -1;
    *ret_is_late = later > 0;
    return later > 0 ? add_base(l, user_id, session_id, later, version, err) : 0;
}

int ledger_heads_join(struct ledger *l, const char *user_id, const char *session_id,
                      int64_t version, const char *device_id, int has_bases, int *ret_is_current,
                      struct ct_err *err)
{
    int64_t current, contained;
    int is_late = 0;

    if (!has_bases && join_line(l, user_id, session_id, version, device_id, &is_late, err) != 0)
        return -1;
    current = sql_one(l->db, err, "SELECT current_version FROM sessions WHERE " THIS, "ss", user_id,
                      session_id);
    contained = sql_one(l->db, err,
                        UP " SELECT ?4 = 0 OR EXISTS"
                           "(SELECT 1 FROM up WHERE version = ?4)",
                        "ssii", user_id, session_id, version, current);
    if (current < 0 || contained < 0 || contain_bases(l, user_id, session_id, version, err) != 0 ||
        unpin_bases(l, user_id, session_id, version, err) != 0 ||
        set_head(l, user_id, session_id, version, !is_late, err) != 0)
        return -1;
    *ret_is_current = !is_late && (!has_bases || contained > 0);
    return 0;
}

/* The numbers that a query yields, oldest first; the caller frees ${ret}. */
static int numbers(struct ledger *l, const char *sql, const char *user_id, const char *session_id,
                   int64_t third, int64_t **ret, size_t *ret_n, struct ct_err *err)
{
    struct sql_rows *st;
    int64_t *v = NULL;
    size_t n = 0, cap = 0;
    int rc;

    if (sql_query(l->db, err, &st, sql, "ssi", user_id, session_id, third) != 0)
        return -1;
    while ((rc = sql_step(st, err)) == 1) {
        if (n == cap) {
            cap = cap * 2 + 8;
            v = str_realloc(v, cap, sizeof(*v));
        }
        v[n++] = sql_int64(st, 0);
    }
    sql_done(st);
    *ret = v;
    *ret_n = n;
    return rc;
}

int ledger_heads_leave(struct ledger *l, const char *user_id, const char *session_id,
                       int64_t version, struct ct_err *err)
{
    int64_t *bases = NULL, contained;
    size_t n = 0;
    int rc = numbers(l,
                     UP " SELECT v.version FROM up CROSS JOIN versions v ON " OF_V
                        " AND v.version = up.version AND v.state = 'confirmed'",
                     user_id, session_id, version, &bases, &n, err);

    if (rc == 0)
        rc = set_head(l, user_id, session_id, version, 0, err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        contained = is_contained(l, user_id, session_id, bases[i], err);
        rc = contained < 0    ? -1
             : contained == 0 ? set_head(l, user_id, session_id, bases[i], 1, err)
                              : 0;
    }
    free(bases);
    return rc;
}

int ledger_heads_return(struct ledger *l, const char *user_id, const char *session_id,
                        int64_t version, struct ct_err *err)
{
    int64_t contained = is_contained(l, user_id, session_id, version, err);

    if (contained < 0 || set_head(l, user_id, session_id, version, contained == 0, err) != 0)
        return -1;
    return contain_bases(l, user_id, session_id, version, err);
}

int ledger_heads_forget(struct ledger *l, const char *user_id, const char *session_id,
                        int64_t version, struct ct_err *err)
{
    /* What built on it builds on what it was built on; of crowds some are left out. */
    if (sql_exec(l->db, err,
                 "INSERT OR IGNORE INTO ancestry(user_id, session_id, version, base)"
                 " SELECT ?1, ?2, c.version, b.base FROM ancestry c CROSS JOIN ancestry b"
                 " ON " OF("b") " AND b.version = ?3 WHERE " OF("c") " AND c.base = ?3 LIMIT 1000",
                 "ssi", user_id, session_id, version) != 0)
        return -1;
    return sql_exec(l->db, err,
                    "DELETE FROM ancestry WHERE " THIS " AND (version = ?3 OR base = ?3)", "ssi",
                    user_id, session_id, version);
}
