#include <stdio.h>
#include <string.h>

#include "daemon/account/state.h"

int state_see_generation(struct state *s, const char *session_id, int64_t generation,
                         int64_t rollback, struct ct_err *err)
{
    return db_exec(state_db(s), err,
                   "UPDATE sessions SET generation = max(generation, ?), rollback = ?"
                   " WHERE session_id = ?",
                   "iis", generation, rollback, session_id);
}

int state_any_sealed(struct state *s)
{
    return db_int(state_db(s), 0,
                  "SELECT EXISTS(SELECT 1 FROM sessions WHERE wire_id <> '' AND version > 0)",
                  "") != 0;
}

int state_by_wire(struct state *s, const char *wire_id, char ret[UUID_SIZE])
{
    struct db *db = state_db(s);
    sqlite3_stmt *st;
    int found = 0;

    if (db_query(db, NULL, &st,
                 "SELECT session_id FROM sessions WHERE version > 0 AND is_excluded = 0"
                 " AND ((wire_id = '' AND session_id = ?1) OR (wire_id <> '' AND wire_id = ?1))",
                 "s", wire_id) != 0)
        return 0;
    if (db_step(db, st, NULL) == 1) {
        snprintf(ret, UUID_SIZE, "%s", db_text(st, 0));
        found = 1;
    }
    db_done(st);
    return found;
}

int state_set_clear(struct state *s, const char *session_id, int64_t version, struct ct_err *err)
{
    return db_exec(state_db(s), err, "UPDATE sessions SET clear_version = ? WHERE session_id = ?",
                   "is", version, session_id);
}

int state_renew(struct state *s, const char *session_id, struct ct_err *err)
{
    if (state_outdate_files(s, session_id, err) != 0)
        return -1;
    return db_exec(state_db(s), err, "UPDATE sessions SET is_renewed = ? WHERE session_id = ?",
                   "is", (int64_t)STATE_RENEWED, session_id);
}

int state_renew_bases(struct state *s, const char *session_id, struct ct_err *err)
{
    return db_exec(state_db(s), err,
                   "UPDATE sessions SET is_renewed = ? WHERE session_id = ? AND is_renewed = 0",
                   "is", (int64_t)STATE_RENEWED_BASES, session_id);
}

int state_renew_names(struct state *s, const char *session_id, struct ct_err *err)
{
    if (state_outdate_files(s, session_id, err) != 0)
        return -1;
    return db_exec(state_db(s), err,
                   "UPDATE sessions SET is_renewed = ? WHERE session_id = ? AND is_renewed <> 1",
                   "is", (int64_t)STATE_RENEWED_NAMES, session_id);
}

static void each(struct state *s, const char *sql,
                 void (*f)(void *arg, const char *session_id, int is_here), void *arg)
{
    struct db *db = state_db(s);
    sqlite3_stmt *st;

    if (db_query(db, NULL, &st, sql, "") != 0)
        return;
    while (db_step(db, st, NULL) == 1)
        f(arg, db_text(st, 0), sqlite3_column_int(st, 1));
    db_done(st);
}

void state_each_to_seal(struct state *s, void (*f)(void *arg, const char *session_id, int is_here),
                        void *arg)
{
    each(s,
         "SELECT session_id, 1 FROM sessions"
         " WHERE version > 0 AND wire_id = '' AND is_renewed <> 1 AND NOT is_archived"
         " AND NOT is_excluded",
         f, arg);
}

void state_each_clear(struct state *s, void (*f)(void *arg, const char *session_id, int is_here),
                      void *arg)
{
    each(s,
         "SELECT session_id, NOT is_archived AND NOT is_excluded FROM sessions"
         " WHERE clear_version > 0",
         f, arg);
}

void state_each_rollback(struct state *s, void (*f)(void *arg, const char *session_id, int is_here),
                         void *arg)
{
    each(s,
         "SELECT session_id, NOT is_archived AND NOT is_excluded FROM sessions"
         " WHERE rollback > 0",
         f, arg);
}
