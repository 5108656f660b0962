#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "common/data/jdoc.h"

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

/* What people call a session is no bundle's: it is as the version before has it, as far as there is
 * one. */
struct called {
    char *label;    /* NULL: nothing is known of these */
    char *metadata; /* of that version */
};

static int read_called(struct ledger *l, const struct ledger_object *o, struct called *ret,
                       struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    if (sql_query(l->db, err, &st,
                  "SELECT d.label, d.metadata FROM descriptions d WHERE d.user_id = ?1"
                  " AND d.session_id = ?2 AND d.version = (SELECT max(version) FROM versions "
                  "v" BY_CONFIRMED " WHERE " THIS " AND state = 'confirmed' AND version < ?3)",
                  "ssi", o->user_id, o->session_id, o->version) != 0)
        return -1;
    rc = sql_step(st, err);
    if (rc == 1) {
        ret->label = ledger_null(sql_text(st, 0)) != NULL ? str_dup(sql_text(st, 0)) : NULL;
        ret->metadata = str_dup(sql_text(st, 1));
    }
    sql_done(st);
    return rc < 0 ? -1 : 0;
}

/* The caller frees it; NULL: nothing is known. */
static char *with_names(struct json_object *metadata, const char *before)
{
    static const char *const names[] = {"agentId", "names", "summary"};
    struct json_object *o = NULL, *old = NULL, *value;
    char *text = ledger_known_metadata(metadata);

    if (text != NULL)
        jdoc_parse(text, strlen(text), &o, NULL);
    free(text);
    if (before != NULL)
        jdoc_parse(before, strlen(before), &old, NULL);
    if (o == NULL)
        o = json_object_new_object();
    /* What is sealed says nothing in clear. */
    for (size_t i = 0; !jdoc_has(o, "sealed") && i < sizeof(names) / sizeof(names[0]); i++) {
        if (json_object_object_get_ex(old, names[i], &value))
            json_object_object_add(o, names[i], json_object_get(value));
    }
    text = json_object_object_length(o) > 0 ? str_dup(jdoc_text(o)) : NULL;
    json_object_put(old);
    json_object_put(o);
    return text;
}

static int describe(struct ledger *l, const struct ledger_adoption *a, struct ct_err *err)
{
    const struct ledger_object *o = &a->o;
    struct called before = {0};
    char *metadata;
    int rc;

    if (read_called(l, o, &before, err) != 0)
        return -1;
    metadata = with_names(a->metadata, before.metadata);
    rc = sql_exec(l->db, err,
                  "INSERT INTO descriptions(user_id, session_id, version, cwd, user_dir, label,"
                  " metadata) VALUES (?, ?, ?, ?, ?, ?, ?)",
                  "ssissss", o->user_id, o->session_id, o->version, a->cwd, a->user_dir,
                  before.label, metadata);
    free(metadata);
    free(before.label);
    free(before.metadata);
    return rc;
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
        describe(l, a, err) != 0)
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
