#include <string.h>

#include "daemon/account/state.h"

int state_set_elsewhere(struct state *s, const char *session_id, const struct state_elsewhere *e,
                        struct ct_err *err)
{
    return db_exec(state_db(s), err,
                   "UPDATE sessions SET elsewhere = ?, elsewhere_wire = ?, is_apart = ?,"
                   " elsewhere_device = ?, elsewhere_messages = ?,"
                   " is_renewed = CASE is_renewed WHEN 2 THEN 0 ELSE is_renewed END"
                   " WHERE session_id = ? AND version > 0",
                   "isisis", e->version, e->wire_id, (int64_t)(e->version > 0 && e->is_apart),
                   e->device != NULL ? e->device : "", e->messages, session_id);
}

int state_set_verified(struct state *s, const char *session_id, const char *mark,
                       struct ct_err *err)
{
    return db_exec(state_db(s), err, "UPDATE sessions SET verified = ? WHERE session_id = ?", "ss",
                   mark, session_id);
}

int state_is_verified(struct state *s, const char *session_id, const char *mark)
{
    return db_int(state_db(s), 0,
                  "SELECT count(*) FROM sessions WHERE session_id = ? AND verified = ?", "ss",
                  session_id, mark) > 0;
}

int state_unconfirm(struct state *s, const char *session_id, struct ct_err *err)
{
    if (state_outdate_files(s, session_id, err) != 0)
        return -1;
    return db_exec(state_db(s), err,
                   "UPDATE sessions SET version = 0, content_id = '', sha256 = '', size_bytes = 0,"
                   " token_tag = '', pin = 0, elsewhere = 0, is_apart = 0, is_within = 0,"
                   " clear_version = CASE WHEN wire_id = '' THEN 0 ELSE clear_version END"
                   " WHERE session_id = ?",
                   "s", session_id);
}

int64_t state_base(const struct state_session *ss)
{
    return ss->is_within ? 0 : ss->version;
}

int state_note_contained(struct state *s, const char *session_id, const char *wire_id,
                         int64_t version, const char *sha256, int is_untold, struct ct_err *err)
{
    if (version <= 0 || sha256 == NULL || sha256[0] == '\0')
        return 0;
    return db_exec(state_db(s), err,
                   "INSERT OR IGNORE INTO contained(session_id, wire_id, version, sha256,"
                   " is_untold) VALUES (?, ?, ?, ?, ?)",
                   "ssisi", session_id, wire_id, version, sha256, (int64_t)is_untold);
}

int state_is_contained(struct state *s, const char *session_id, const char *wire_id,
                       int64_t version, const char *sha256)
{
    return db_int(state_db(s), 0,
                  "SELECT count(*) FROM contained WHERE session_id = ? AND wire_id = ?"
                  " AND version = ? AND sha256 = ?",
                  "ssis", session_id, wire_id, version, sha256) > 0;
}

int state_drop_contained(struct state *s, const char *session_id, struct ct_err *err)
{
    return db_exec(state_db(s), err, "DELETE FROM contained WHERE session_id = ?", "s", session_id);
}

int state_contain(struct state *s, const char *session_id, const struct state_confirmed *c,
                  struct ct_err *err)
{
    const char *wire_id = c->wire_id != NULL ? c->wire_id : "";
    int64_t here =
        db_int(state_db(s), 0, "SELECT version FROM sessions WHERE session_id = ? AND wire_id = ?",
               "ss", session_id, wire_id);

    /* A pull has put something else in the place of what was here; that is not in it for sure. */
    if ((c->is_pulled || c->pin > 0 ||
         (c->goes_on_from > 0 && here > 0 && c->goes_on_from != here)) &&
        state_drop_contained(s, session_id, err) != 0)
        return -1;
    if ((c->pin == 0 && state_note_contained(s, session_id, wire_id, c->goes_on_from,
                                             c->base_sha256, 0, err) != 0) ||
        (!c->is_within &&
         state_note_contained(s, session_id, wire_id, c->version, c->sha256, 0, err) != 0))
        return -1;
    /* What was uploaded named them all. */
    if (!c->is_pulled && db_exec(state_db(s), err,
                                 "UPDATE contained SET is_untold = 0 WHERE session_id = ?"
                                 " AND is_untold = 1",
                                 "s", session_id) != 0)
        return -1;
    return db_exec(state_db(s), err,
                   "DELETE FROM contained WHERE session_id = ?1 AND wire_id = ?2 AND version <"
                   " (SELECT min(version) FROM (SELECT version FROM contained WHERE session_id = ?1"
                   "  AND wire_id = ?2 ORDER BY version DESC LIMIT 40))",
                   "ss", session_id, wire_id);
}

void state_each_contained(struct state *s, const char *session_id, const char *wire_id,
                          int is_untold, void (*f)(void *arg, int64_t version, const char *sha256),
                          void *arg)
{
    struct db *db = state_db(s);
    sqlite3_stmt *st;

    if (db_query(db, NULL, &st,
                 "SELECT version, sha256 FROM contained WHERE session_id = ? AND wire_id = ?"
                 " AND is_untold >= ? ORDER BY version DESC LIMIT 60",
                 "ssi", session_id, wire_id, (int64_t)(is_untold != 0)) != 0)
        return;
    while (db_step(db, st, NULL) == 1)
        f(arg, sqlite3_column_int64(st, 0), db_text(st, 1));
    db_done(st);
}
