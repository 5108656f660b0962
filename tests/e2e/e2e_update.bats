#!/usr/bin/env bats
# A new version finds an old database, an old version a new one.

load lib

setup() {
    make_home
}

teardown() {
    [ -z "${DISK:-}" ] || umount "$DISK" || true
    end_home
}

schema() { python3 -S "$CT_SRC/tests/e2e/tools/schema.py" "$@"; }

state_db() { echo "$XDG_STATE_HOME"/codeteleport/*/accounts/*/state.db; }

# age STEPS: the daemon's database, as it was at STEPS of its own steps and one of the queue's
age() {
    local db
    db=$(state_db)
    schema "$CT_SRC/daemon/account/state.c" schema state "$1" "$db.old"
    schema "$CT_SRC/uploader/queue.c" schema queue 1 "$db.old" "$db"
    mv "$db.old" "$db"
    chmod 600 "$db"
}

# one session, safe, and everything but the server stopped
have_one() {
    start_server
    log_in
    start_daemon
    id=$(new_id)
    line hello >"$(transcript "$id")"
    within status_is .sessions.synced 1
    stop_daemon
}

@test "the database of the daemon's first schema is copied and brought up to date, and nothing is uploaded again" {
    have_one
    age 1
    start_daemon
    within status_is .sessions.synced 1
    within grep -q 'scan-done' "$T/daemon.log"
    versions_are "$id" 1
    [ "$(stat -c %a "$(state_db).v2.bak")" = 600 ]
    [ "$(sqlite3 "$(state_db).v2.bak" 'SELECT sum(version) FROM schema_version')" = 2 ]
    [ "$(sqlite3 "$(state_db).v2.bak" 'SELECT session_id FROM sessions')" = "$id" ]
    ! sqlite3 "$(state_db).v2.bak" 'SELECT pin FROM sessions' 2>/dev/null || false
    line again >>"$(transcript "$id")"
    ctctl sync --wait "$id"
    versions_are "$id" 2
    stop_daemon
    # the way back, as the manual describes it
    mv "$(state_db).v2.bak" "$(state_db)"
    line more >>"$(transcript "$id")"
    start_daemon
    ctctl sync --wait
    status_is .sessions.synced 1
    bundle_equals "$id" "$(transcript "$id")"
}

@test "an old daemon refuses a newer database with exit status 78 and leaves it as it is" {
    have_one
    sqlite3 "$(state_db)" 'UPDATE schema_version SET version = 99; PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
    was=$(sha256sum "$(state_db)")
    for how in "" --once; do
        # shellcheck disable=SC2086
        run timeout 60 codeteleportd $how
        [ "$status" = 78 ]
        [[ $output == *"was written by a newer version of this program"*"install that version again"* ]]
        [ "$(sha256sum "$(state_db)")" = "$was" ]
    done
    [ -z "$(find "$XDG_STATE_HOME" -name '*.bak')" ]
}

@test "the server's database of its first schema is copied and brought up to date" {
    have_one
    stop_server
    schema "$CT_SRC/server/ledger/ledger_schema.c" ledger_schema server 1 "$T/old.db" "$T/server/server.db"
    rm -f "$T"/server/server.db*
    mv "$T/old.db" "$T/server/server.db"
    chmod 600 "$T/server/server.db"
    start_server
    versions_are "$id" 1
    fetch "$id" "$T/b"
    [ "$(stat -c %a "$T/server/server.db.v1.bak")" = 600 ]
    [ "$(sqlite3 "$T/server/server.db.v1.bak" 'SELECT version FROM schema_version')" = 1 ]
    [ "$(sqlite3 "$T/server/server.db.v1.bak" 'SELECT count(*) FROM versions')" = 1 ]
}

@test "an old server refuses a newer database with exit status 78 and leaves it as it is" {
    start_server
    stop_server
    sqlite3 "$T/server/server.db" 'UPDATE schema_version SET version = 99; PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
    was=$(sha256sum "$T/server/server.db")
    run timeout 60 codeteleport-server --data "$T/server" --listen 127.0.0.1:0 --objects 127.0.0.1:0
    [ "$status" = 78 ]
    [[ $output == *"was written by a newer version of this program"* ]]
    [ "$(sha256sum "$T/server/server.db")" = "$was" ]
}

migrate_old_to() {
    rm -rf "${T:?}/m" && mkdir "$T/m"
    sqlite3 "$T/m/x.db" "PRAGMA journal_mode=WAL; CREATE TABLE schema_version(room TEXT PRIMARY KEY, version INTEGER NOT NULL);
        INSERT INTO schema_version VALUES ('room', 1); CREATE TABLE t(a INTEGER); INSERT INTO t VALUES (21);" >/dev/null
}

@test "a kill at any system call of an update leaves the old database or the new one, with the old one's copy" {
    [ -x "$CT_BUILD/tests/e2e/tools/killat" ] || skip "not built here"
    [ "${CT_SANITIZERS:-no}" != yes ] || skip "a sanitizer's run-time takes ptrace amiss"
    migrate_old_to
    KILLAT_COUNT=$T/count "$CT_BUILD/tests/e2e/tools/killat" 0 "$CT_BUILD/tests/common/unit_migrate" migrate "$T/m/x.db"
    n=$(<"$T/count")
    [ "$n" -gt 10 ]
    for i in $(seq "$n"); do
        migrate_old_to
        KILLAT_COUNT=/dev/null "$CT_BUILD/tests/e2e/tools/killat" "$i" "$CT_BUILD/tests/common/unit_migrate" migrate "$T/m/x.db" || true
        case $(sqlite3 "$T/m/x.db" 'PRAGMA integrity_check; SELECT version FROM schema_version' | tr '\n' ' ') in
        "ok 1 ") ;;
        "ok 3 ") [ "$(sqlite3 "$T/m/x.db.v1.bak" 'PRAGMA integrity_check; SELECT a FROM t' | tr '\n' ' ')" = "ok 21 " ] ;;
        *) return 1 ;;
        esac
        "$CT_BUILD/tests/common/unit_migrate" migrate "$T/m/x.db"
        [ "$(sqlite3 "$T/m/x.db" 'SELECT a FROM u')" = 42 ]
    done
    echo "# killed at each of $n system calls" >&3
}

@test "a disk without room for the copy: a clear error, nothing changed, the old program goes on" {
    DISK=$T/disk
    mkdir "$DISK"
    mount -t tmpfs -o size=2m,mode=700 tmpfs "$DISK" 2>/dev/null || { DISK=; skip "can't mount a tmpfs here"; }
    migrate_old_to
    sqlite3 "$T/m/x.db" 'CREATE TABLE f(x BLOB); INSERT INTO f VALUES (randomblob(900000))'
    cp "$T/m/x.db" "$DISK/x.db"
    dd if=/dev/zero of="$DISK/filler" bs=4k count=180 2>/dev/null
    was=$(sha256sum "$DISK/x.db")
    run "$CT_BUILD/tests/common/unit_migrate" migrate "$DISK/x.db"
    [ "$status" = 1 ]
    [[ $output == *"nospace: "*"has to be copied"* ]]
    [ "$(sha256sum "$DISK/x.db")" = "$was" ]
    [ "$(find "$DISK" -name '*.bak*' | wc -l)" = 0 ]
    rm "$DISK/filler"
    "$CT_BUILD/tests/common/unit_migrate" migrate "$DISK/x.db"
    [ -e "$DISK/x.db.v1.bak" ]
}
