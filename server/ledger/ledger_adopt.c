#include <string.h>

#include "server/ledger/ledger_impl.h"

#define ADOPTED "adopted"
#define THIS "user_id = ?1 AND session_id = ?2"

/* The session's row, made if need be; its numbers go on behind this one. */
static int see_session(struct ledger *l, const struct ledger_object *o, int64_t now_ms,
                       struct ct_err *err)
{
    char id[UUID_SIZE];

    uuid_random(id);
    if (sql_exec(l->db, err,
                 "INSERT OR IGNORE INTO sessions(id, user_id, session_id, updated_ms)"
                 " VALUES (?, ?, ?, ?)",
                 "sssi", id, o->user_id, o->session_id, now_ms) != 0)
        return -1;
    return sql_exec(l->db, err,
                    "UPDATE sessions SET last_version = max(last_version, ?3) WHERE " THIS, "ssi",
                    o->user_id, o->session_id, o->version);
}

static int insert(struct ledger *l, const struct ledger_adoption *a, struct ct_err *err)
{
    const struct ledger_object *o = &a->o;

    /* Reserved at first: what counts the confirmed ones sees a version become one. */
    if (sql_exec(l->db, err,
                 "INSERT INTO versions(user_id, session_id, version, state, size_bytes, checksum,"
                 " created_ms, token_id, agent, machine) VALUES (?, ?, ?, 'reserved', ?, ?, ?, '', "
                 "?, ?)",
                 "ssiisiss", o->user_id, o->session_id, o->version, o->size_bytes, o->checksum,
                 a->modified_ms, a->agent != NULL ? a->agent : LEDGER_DEFAULT_AGENT,
                 a->machine) != 0 ||
        sql_exec(l->db, err,
                 "INSERT INTO descriptions(user_id, session_id, version, cwd, user_dir, metadata)"
                 " VALUES (?, ?, ?, ?, ?, ?)",
                 "ssisss", o->user_id, o->session_id, o->version, a->cwd, a->user_dir,
                 a->metadata) != 0)
        return -1;
    return sql_exec(l->db, err,
                    "UPDATE versions SET state = 'confirmed', confirmed_ms = ?4, why = '" ADOPTED
                    "' WHERE " THIS " AND version = ?3",
                    "ssii", o->user_id, o->session_id, o->version, a->modified_ms);
}

/*
 * Nobody knows any more what is in what: a session's versions are one line, and where the newest is
 * not the largest, the largest is offered beside it.
 */
static int join_line(struct ledger *l, const struct ledger_object *o, int64_t *ret_current,
                     struct ct_err *err)
{
    int is_current = 0;

    if (sql_exec(l->db, err,
                 "INSERT OR IGNORE INTO ancestry(user_id, session_id, version, base)"
                 " SELECT ?1, ?2, ?3, b FROM (SELECT max(version) AS b FROM versions v" BY_CONFIRMED
                 "  WHERE " THIS " AND state = 'confirmed' AND version < ?3) WHERE b > 0",
                 "ssi", o->user_id, o->session_id, o->version) != 0 ||
        ledger_heads_join(l, o->user_id, o->session_id, o->version, "", 1, &is_current, err) != 0 ||
        sql_exec(
            l->db, err,
            "UPDATE versions SET pinned = (version = (SELECT version FROM versions p" BY_CONFIRMED
            "WHERE " THIS " AND state = 'confirmed'"
            " ORDER BY size_bytes DESC, version DESC LIMIT 1) AND version < ?3)"
            " WHERE " THIS " AND state = 'confirmed' AND why = '" ADOPTED "'",
            "ssi", o->user_id, o->session_id, o->version) != 0)
        return -1;
    *ret_current = is_current ? o->version : 0;
    return 0;
}

static int adopt(struct ledger *l, const struct ledger_adoption *a, struct ct_err *err)
{
    int64_t current = 0;

    if (see_session(l, &a->o, a->modified_ms, err) != 0 || insert(l, a, err) != 0 ||
        join_line(l, &a->o, &current, err) != 0)
        return -1;
    return ledger_refresh(l, a->o.user_id, a->o.session_id, current, NULL, a->modified_ms, err);
}

int ledger_adopt(struct ledger *l, const struct ledger_adoption *a, struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, adopt(l, a, err), err);
}
