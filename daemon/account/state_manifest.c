#include "daemon/account/state.h"

/*
 * Two rows for each session: of the version that is stored, and of the bundle that is in the queue.
 * The second one's version is the one that it contains.  A row counts only together with the
 * content id that it was written for.
 */

int state_stored_manifest(struct state *s, const struct state_session *ss, struct buf *ret)
{
    sqlite3_stmt *st;
    int is_there = 0;

    if (ss->version == 0 ||
        db_query(state_db(s), NULL, &st,
                 "SELECT manifest FROM manifests WHERE session_id = ? AND is_stored = 1"
                 " AND content_id = ? AND version = ?",
                 "ssi", ss->session_id, ss->content_id, ss->version) != 0)
        return 0;
    if (db_step(state_db(s), st, NULL) == 1) {
        buf_add(ret, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0));
        is_there = 1;
    }
    db_done(st);
    return is_there;
}

int state_queue_manifest(struct state *s, const char *session_id, const char *content_id,
                         int64_t contains, const struct buf *manifest, struct ct_err *err)
{
    return db_exec(state_db(s), err,
                   "INSERT OR REPLACE INTO manifests(session_id, is_stored, content_id, version,"
                   " manifest) VALUES (?, 0, ?, ?, ?)",
                   "ssib", session_id, content_id, contains, manifest->data, manifest->len);
}

int state_store_manifest(struct state *s, const char *session_id, const char *content_id,
                         int64_t version, struct ct_err *err)
{
    if (db_exec(state_db(s), err, "DELETE FROM manifests WHERE session_id = ? AND is_stored = 1",
                "s", session_id) != 0)
        return -1;
    return db_exec(state_db(s), err,
                   "UPDATE manifests SET is_stored = 1, version = ? WHERE session_id = ?"
                   " AND is_stored = 0 AND content_id = ?",
                   "iss", version, session_id, content_id);
}

int state_forget_queued(struct state *s, const char *session_id, struct ct_err *err)
{
    return db_exec(state_db(s), err, "DELETE FROM manifests WHERE session_id = ? AND is_stored = 0",
                   "s", session_id);
}

int state_is_unsaved(struct state *s, const char *session_id)
{
    return db_int(state_db(s), 1,
                  "SELECT EXISTS (SELECT 1 FROM manifests WHERE session_id = ? AND is_stored = 0)",
                  "s", session_id) != 0;
}

int state_contains(struct state *s, const char *session_id, const char *content_id, int64_t version)
{
    return version > 0 && db_int(state_db(s), 0,
                                 "SELECT 1 FROM manifests WHERE session_id = ? AND is_stored = 0"
                                 " AND content_id = ? AND version = ?",
                                 "ssi", session_id, content_id, version) == 1;
}
