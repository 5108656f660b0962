#include "server/ledger/ledger_impl.h"

/*
 * versions.state: reserved -> confirmed -> trash -> purging; a reservation that was given up is
 * dropped and not kept in the trash.
 *
 * ancestry says on which versions one builds.  A head is a confirmed version that no confirmed one
 * builds on, at whatever distance; is_head says so, and sessions.current_version is one of them.
 */
const char *const ledger_schema[] = {
    "CREATE TABLE users("
    " id TEXT PRIMARY KEY,"
    " email TEXT NOT NULL UNIQUE,"
    " password TEXT NOT NULL,"
    " generation INTEGER NOT NULL DEFAULT 1,"
    " created_ms INTEGER NOT NULL);"

    "CREATE TABLE tokens("
    " id TEXT PRIMARY KEY,"
    " user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    " name TEXT NOT NULL,"
    " sha256 TEXT NOT NULL UNIQUE,"
    " last4 TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL,"
    " last_used_ms INTEGER NOT NULL DEFAULT 0,"
    " expires_ms INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX tokens_by_user ON tokens(user_id);"

    /* source: 'token:<id>', or 'name:<machine>' for uploads with a log-in. */
    "CREATE TABLE devices("
    " id TEXT PRIMARY KEY,"
    " user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    " source TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " first_seen_ms INTEGER NOT NULL,"
    " last_seen_ms INTEGER NOT NULL,"
    " UNIQUE(user_id, source));"

    "CREATE TABLE sessions("
    " id TEXT PRIMARY KEY,"
    " user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    " session_id TEXT NOT NULL,"
    " last_version INTEGER NOT NULL DEFAULT 0,"
    " current_version INTEGER NOT NULL DEFAULT 0,"
    " version_count INTEGER NOT NULL DEFAULT 0,"
    " updated_ms INTEGER NOT NULL,"
    " deleted_ms INTEGER NOT NULL DEFAULT 0,"
    " UNIQUE(user_id, session_id));"
    "CREATE INDEX sessions_by_time ON sessions(user_id, updated_ms DESC, id)"
    " WHERE current_version > 0;"

    /* No reference to users: what a deleted user leaves waits here for its object's end. */
    "CREATE TABLE versions("
    " user_id TEXT NOT NULL,"
    " session_id TEXT NOT NULL,"
    " version INTEGER NOT NULL,"
    " state TEXT NOT NULL,"
    " size_bytes INTEGER NOT NULL,"
    " checksum TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL,"
    " confirmed_ms INTEGER NOT NULL DEFAULT 0,"
    " purge_ms INTEGER,"
    " token_id TEXT NOT NULL,"
    " device_id TEXT REFERENCES devices(id) ON DELETE SET NULL,"
    " base_version INTEGER NOT NULL DEFAULT -1,"
    " amend INTEGER NOT NULL DEFAULT 0,"
    " pinned INTEGER NOT NULL DEFAULT 0,"
    " machine TEXT,"
    " cwd TEXT NOT NULL,"
    " user_dir TEXT NOT NULL,"
    " label TEXT,"
    " agent TEXT NOT NULL,"
    " metadata TEXT,"
    " tags TEXT,"
    " PRIMARY KEY(user_id, session_id, version)) WITHOUT ROWID;"
    "CREATE INDEX versions_to_purge ON versions(purge_ms) WHERE purge_ms IS NOT NULL;"
    "CREATE INDEX versions_by_device ON versions(device_id, session_id);",

    "ALTER TABLE users ADD COLUMN email_is_proven INTEGER NOT NULL DEFAULT 0;"

    "CREATE TABLE invites("
    " sha256 TEXT PRIMARY KEY,"
    " created_ms INTEGER NOT NULL,"
    " expires_ms INTEGER NOT NULL);"

    "CREATE TABLE identities("
    " issuer TEXT NOT NULL,"
    " subject TEXT NOT NULL,"
    " user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    " created_ms INTEGER NOT NULL,"
    " PRIMARY KEY(issuer, subject));"
    "CREATE INDEX identities_by_user ON identities(user_id);"

    "CREATE TABLE signins("
    " sha256 TEXT PRIMARY KEY,"
    " port INTEGER NOT NULL,"
    " expires_ms INTEGER NOT NULL);",

    /* In hex, where the client told it. */
    "ALTER TABLE versions ADD COLUMN md5 TEXT;",

    /* For sums over all of a user, which must not read every row. */
    "CREATE INDEX versions_by_user ON versions(user_id, state, size_bytes);",

    "ALTER TABLE signins ADD COLUMN client_state TEXT NOT NULL DEFAULT '';",

    /* A token belongs to a device; sources are also 'device:<the machine's own id>' now. */
    "ALTER TABLE tokens ADD COLUMN device_id TEXT REFERENCES devices(id) ON DELETE CASCADE;"
    "CREATE INDEX tokens_by_device ON tokens(device_id);"
    "UPDATE tokens SET device_id = (SELECT d.id FROM devices d"
    " WHERE d.user_id = tokens.user_id AND d.source = 'token:' || tokens.id);",

    /* What only lists read moves out of the table that each upload goes through. */
    "CREATE TABLE descriptions("
    " user_id TEXT NOT NULL,"
    " session_id TEXT NOT NULL,"
    " version INTEGER NOT NULL,"
    " cwd TEXT NOT NULL,"
    " user_dir TEXT NOT NULL,"
    " label TEXT,"
    " metadata TEXT,"
    " tags TEXT,"
    " PRIMARY KEY(user_id, session_id, version));"
    "INSERT INTO descriptions(user_id, session_id, version, cwd, user_dir, label, metadata, tags)"
    " SELECT user_id, session_id, version, cwd, user_dir, label, metadata, tags FROM versions;"

    "CREATE TABLE ancestry("
    " user_id TEXT NOT NULL,"
    " session_id TEXT NOT NULL,"
    " version INTEGER NOT NULL,"
    " base INTEGER NOT NULL,"
    " PRIMARY KEY(user_id, session_id, version, base)) WITHOUT ROWID;"
    "CREATE INDEX ancestry_by_base ON ancestry(user_id, session_id, base, version);"

    /* bases: what the client said, as JSON; NULL if it said nothing.  pins: which one it pinned. */
    "CREATE TABLE versions_now("
    " user_id TEXT NOT NULL,"
    " session_id TEXT NOT NULL,"
    " version INTEGER NOT NULL,"
    " state TEXT NOT NULL,"
    " size_bytes INTEGER NOT NULL,"
    " checksum TEXT NOT NULL,"
    " md5 TEXT,"
    " created_ms INTEGER NOT NULL,"
    " confirmed_ms INTEGER NOT NULL DEFAULT 0,"
    " purge_ms INTEGER,"
    " token_id TEXT NOT NULL,"
    " device_id TEXT REFERENCES devices(id) ON DELETE SET NULL,"
    " base_version INTEGER NOT NULL DEFAULT -1,"
    " bases TEXT,"
    " amend INTEGER NOT NULL DEFAULT 0,"
    " pins INTEGER NOT NULL DEFAULT 0,"
    " pinned INTEGER NOT NULL DEFAULT 0,"
    " is_head INTEGER NOT NULL DEFAULT 0,"
    " machine TEXT,"
    " agent TEXT NOT NULL,"
    " PRIMARY KEY(user_id, session_id, version)) WITHOUT ROWID;"
    "INSERT INTO versions_now(user_id, session_id, version, state, size_bytes, checksum, md5,"
    " created_ms, confirmed_ms, purge_ms, token_id, device_id, base_version, amend, pinned,"
    " machine, agent)"
    " SELECT user_id, session_id, version, state, size_bytes, checksum, md5, created_ms,"
    " confirmed_ms, purge_ms, token_id, device_id, base_version, amend, pinned, machine, agent"
    " FROM versions;"
    "DROP TABLE versions;"
    "ALTER TABLE versions_now RENAME TO versions;"

    /* Nobody had said what was in what: each device's versions are one line, and none holds those
     * of another device. */
    "INSERT INTO ancestry(user_id, session_id, version, base)"
    " SELECT user_id, session_id, version, before FROM ("
    "  SELECT user_id, session_id, version, lag(version) OVER ("
    "   PARTITION BY user_id, session_id, device_id ORDER BY version) AS before"
    "  FROM versions WHERE state = 'confirmed') WHERE before IS NOT NULL;"
    "CREATE INDEX versions_heads ON versions(user_id, session_id, version) WHERE is_head = 1;"
    "UPDATE versions SET is_head = 1 WHERE state = 'confirmed' AND NOT EXISTS ("
    " SELECT 1 FROM ancestry a WHERE a.user_id = versions.user_id"
    "  AND a.session_id = versions.session_id AND a.base = versions.version);"

    "CREATE INDEX versions_to_purge ON versions(purge_ms) WHERE purge_ms IS NOT NULL;"
    "CREATE INDEX versions_by_device ON versions(device_id, session_id, state, version);"
    "CREATE INDEX versions_reserved ON versions(user_id, session_id, version)"
    " WHERE state = 'reserved';"
    "CREATE INDEX versions_confirmed ON versions(user_id, session_id, version, is_head, pinned,"
    " size_bytes) WHERE state = 'confirmed';"
    "CREATE INDEX versions_pinned ON versions(user_id, session_id, version)"
    " WHERE pinned = 1 AND state = 'confirmed';"
    "CREATE INDEX versions_in_trash ON versions(user_id, purge_ms) WHERE state = 'trash';"

    /* How many of a user's versions are in each state, and their bytes: kept by triggers, so that
     * no quota has to add them up and no change can forget it. */
    "CREATE TABLE usage("
    " user_id TEXT NOT NULL,"
    " state TEXT NOT NULL,"
    " n INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL,"
    " PRIMARY KEY(user_id, state)) WITHOUT ROWID;"
    "INSERT INTO usage(user_id, state, n, bytes)"
    " SELECT user_id, state, count(*), sum(size_bytes) FROM versions GROUP BY user_id, state;"
    "CREATE TRIGGER versions_added AFTER INSERT ON versions BEGIN"
    " INSERT INTO usage(user_id, state, n, bytes)"
    "  VALUES (new.user_id, new.state, 1, new.size_bytes)"
    "  ON CONFLICT(user_id, state) DO UPDATE SET n = n + 1, bytes = bytes + excluded.bytes;"
    "END;"
    "CREATE TRIGGER versions_moved AFTER UPDATE OF state ON versions"
    " WHEN new.state <> old.state BEGIN"
    " UPDATE usage SET n = n - 1, bytes = bytes - old.size_bytes"
    "  WHERE user_id = old.user_id AND state = old.state;"
    " INSERT INTO usage(user_id, state, n, bytes)"
    "  VALUES (new.user_id, new.state, 1, new.size_bytes)"
    "  ON CONFLICT(user_id, state) DO UPDATE SET n = n + 1, bytes = bytes + excluded.bytes;"
    " UPDATE sessions SET version_count ="
    "  version_count + (new.state = 'confirmed') - (old.state = 'confirmed')"
    "  WHERE user_id = new.user_id AND session_id = new.session_id;"
    "END;"
    "CREATE TRIGGER versions_removed AFTER DELETE ON versions BEGIN"
    " UPDATE usage SET n = n - 1, bytes = bytes - old.size_bytes"
    "  WHERE user_id = old.user_id AND state = old.state;"
    " DELETE FROM usage WHERE user_id = old.user_id AND state = old.state AND n = 0;"
    " DELETE FROM descriptions WHERE user_id = old.user_id AND session_id = old.session_id"
    "  AND version = old.version;"
    "END;"

    /* changes, changed: a clock of each user's own, for those who ask what is new since. */
    "ALTER TABLE users ADD COLUMN changes INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE sessions ADD COLUMN changed INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE sessions ADD COLUMN deleted_by TEXT REFERENCES devices(id) ON DELETE SET NULL;"
    "CREATE INDEX sessions_by_deleter ON sessions(deleted_by) WHERE deleted_by IS NOT NULL;"
    "CREATE INDEX sessions_by_change ON sessions(user_id, changed);",

    /* Why a version is in the trash (see ledger_impl.h), and since when. */
    "ALTER TABLE versions ADD COLUMN why TEXT;"
    "ALTER TABLE versions ADD COLUMN left_ms INTEGER NOT NULL DEFAULT 0;"
    "UPDATE versions SET left_ms = purge_ms - 2592000000,"
    " why = CASE WHEN confirmed_ms > 0 THEN 'deleted' ELSE 'lapsed' END WHERE state = 'trash';"
    "CREATE INDEX versions_left ON versions(user_id, left_ms DESC, session_id, version DESC)"
    " WHERE state = 'trash' AND confirmed_ms > 0;"
    "CREATE INDEX versions_amended ON versions(user_id, session_id, confirmed_ms)"
    " WHERE state = 'trash' AND why = 'amended';"

    /* What a version takes in the database counts too, each with 512 bytes for its row. */
    "INSERT INTO usage(user_id, state, n, bytes) SELECT user_id, 'metadata', count(*),"
    " sum(512 + length(CAST(cwd || user_dir || coalesce(label, '') || coalesce(metadata, '')"
    "  || coalesce(tags, '') AS BLOB))) FROM descriptions GROUP BY user_id;"
    "CREATE TRIGGER descriptions_added AFTER INSERT ON descriptions BEGIN"
    " INSERT INTO usage(user_id, state, n, bytes) VALUES (new.user_id, 'metadata', 1,"
    "  512 + length(CAST(new.cwd || new.user_dir || coalesce(new.label, '')"
    "   || coalesce(new.metadata, '') || coalesce(new.tags, '') AS BLOB)))"
    "  ON CONFLICT(user_id, state) DO UPDATE SET n = n + 1, bytes = bytes + excluded.bytes;"
    "END;"
    "CREATE TRIGGER descriptions_removed AFTER DELETE ON descriptions BEGIN"
    " UPDATE usage SET n = n - 1, bytes = bytes -"
    "  (512 + length(CAST(old.cwd || old.user_dir || coalesce(old.label, '')"
    "   || coalesce(old.metadata, '') || coalesce(old.tags, '') AS BLOB)))"
    "  WHERE user_id = old.user_id AND state = 'metadata';"
    " DELETE FROM usage WHERE user_id = old.user_id AND state = 'metadata' AND n = 0;"
    "END;",

    "ALTER TABLE users ADD COLUMN disabled_ms INTEGER NOT NULL DEFAULT 0;",

    /* One row: when a server last looked at its clock. */
    "CREATE TABLE clock(id INTEGER PRIMARY KEY, seen_ms INTEGER NOT NULL);",

    /* The upload brought the id that its machine logged in with, which a token alone does not tell.
     */
    "ALTER TABLE versions ADD COLUMN is_machines INTEGER NOT NULL DEFAULT 0;",

    /* The browser keeps what was in there. */
    "DROP TABLE signins;",

    /* What was done to accounts: rows that nobody changes, and that stay for LEDGER_AUDIT_MS. */
    "CREATE TABLE audit("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " at_ms INTEGER NOT NULL,"
    " event TEXT NOT NULL,"
    " user_id TEXT,"
    " token_id TEXT,"
    " client TEXT,"
    " detail TEXT);"
    "CREATE INDEX audit_by_time ON audit(at_ms);"
    "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN"
    " SELECT RAISE(ABORT, 'what is in the audit table stays as it is');"
    "END;"
    "CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit"
    " WHEN old.at_ms >= (SELECT max(at_ms) FROM audit) - 34560000000 BEGIN"
    " SELECT RAISE(ABORT, 'what is in the audit table stays for 400 days');"
    "END;"

    /* When somebody came by way of another site the last time; 0: never. */
    "ALTER TABLE users ADD COLUMN signed_in_ms INTEGER NOT NULL DEFAULT 0;"
    "UPDATE users SET signed_in_ms = CAST(strftime('%s', 'now') AS INTEGER) * 1000"
    " WHERE id IN (SELECT user_id FROM identities);",

    ("CREATE INDEX versions_rotating ON versions(user_id, session_id, is_machines, version)"
     " WHERE state = 'confirmed';"),

    /* Whose account was deleted while its objects wait: who signs in again gets that id back. */
    "CREATE TABLE former("
    " issuer TEXT NOT NULL,"
    " subject TEXT NOT NULL,"
    " user_id TEXT NOT NULL,"
    " until_ms INTEGER NOT NULL,"
    " PRIMARY KEY(issuer, subject));",

    /* Whose account it was, by the e-mail of then: an address can be somebody else's tomorrow. */
    "ALTER TABLE audit ADD COLUMN email TEXT;"
    "DROP TRIGGER audit_is_not_changed;"
    "UPDATE audit SET email = (SELECT u.email FROM users u WHERE u.id = audit.user_id);"
    "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN"
    " SELECT RAISE(ABORT, 'what is in the audit table stays as it is');"
    "END;"

    /* No row is left out, so what traces take is counted too. */
    "INSERT INTO usage(user_id, state, n, bytes) SELECT user_id, 'traces', count(*),"
    " sum(256 + length(CAST(coalesce(detail, '') AS BLOB))) FROM audit WHERE user_id IS NOT NULL"
    " GROUP BY user_id;"
    "CREATE TRIGGER audit_added AFTER INSERT ON audit WHEN new.user_id IS NOT NULL BEGIN"
    " INSERT INTO usage(user_id, state, n, bytes) VALUES (new.user_id, 'traces', 1,"
    "  256 + length(CAST(coalesce(new.detail, '') AS BLOB)))"
    "  ON CONFLICT(user_id, state) DO UPDATE SET n = n + 1, bytes = bytes + excluded.bytes;"
    "END;"
    "CREATE TRIGGER audit_removed AFTER DELETE ON audit WHEN old.user_id IS NOT NULL BEGIN"
    " UPDATE usage SET n = n - 1, bytes = bytes -"
    "  (256 + length(CAST(coalesce(old.detail, '') AS BLOB)))"
    "  WHERE user_id = old.user_id AND state = 'traces';"
    " DELETE FROM usage WHERE user_id = old.user_id AND state = 'traces' AND n = 0;"
    "END;"

    /* Whose account the operator removed, by e-mail (issuer and subject '') and by each sign-in.
     * The hash is keyed with the one row of salt. */
    "CREATE TABLE removed("
    " email_hash TEXT NOT NULL,"
    " issuer TEXT NOT NULL,"
    " subject TEXT NOT NULL,"
    " at_ms INTEGER NOT NULL,"
    " PRIMARY KEY(email_hash, issuer, subject)) WITHOUT ROWID;"
    "CREATE INDEX removed_by_subject ON removed(issuer, subject);"
    "CREATE TABLE salt(id INTEGER PRIMARY KEY, value TEXT NOT NULL);"
    "INSERT INTO salt(id, value) VALUES (1, hex(randomblob(32)));",

    /* By which e-mail an operator may still mean them. */
    "ALTER TABLE former ADD COLUMN email_hash TEXT NOT NULL DEFAULT '';",

    /* Nor is a row replaced, which is no update. */
    "CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit"
    " WHEN EXISTS (SELECT 1 FROM audit WHERE id = new.id) BEGIN"
    " SELECT RAISE(ABORT, 'what is in the audit table stays as it is');"
    "END;",

    /* The bytes of a share are a version of a session named '-' and its id; the two go together. */
    "CREATE TABLE shares("
    " id TEXT PRIMARY KEY,"
    " user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    " session_id TEXT NOT NULL,"
    " token_id TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL,"
    " expires_ms INTEGER NOT NULL,"
    " visits INTEGER NOT NULL DEFAULT 0,"
    " visited_ms INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX shares_by_user ON shares(user_id, session_id);"
    "CREATE TRIGGER shares_gone AFTER DELETE ON versions WHEN old.session_id LIKE '-%' BEGIN"
    " DELETE FROM shares WHERE user_id = old.user_id AND id = substr(old.session_id, 2);"
    "END;"};

const int ledger_schema_n = (int)(sizeof(ledger_schema) / sizeof(ledger_schema[0]));
