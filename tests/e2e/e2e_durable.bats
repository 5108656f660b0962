#!/usr/bin/env bats
# What must survive: restarts, a damaged database, a full disk, a change of account in the middle.

load lib

setup() {
    make_home
    start_server
    log_in
}

teardown() {
    [ -z "${DISK:-}" ] || stop_daemon || true
    [ -z "${DISK:-}" ] || umount "$DISK"
    [ -z "${SERVER2_PID:-}" ] || kill "$SERVER2_PID" 2>/dev/null || true
    end_home
}

@test "a pause survives a restart, one with an end until then" {
    local id
    id=$(new_id)
    start_daemon
    ctctl pause
    stop_daemon
    start_daemon
    [ "$(status .daemon.state)" = paused ]
    [ "$(status .daemon.pausedUntil)" = null ]
    line hello >"$(transcript "$id")"
    within status_is '.queue[0].phase' ready
    ctctl pause 1h
    stop_daemon -KILL
    start_daemon
    [ "$(status .daemon.state)" = paused ]
    [ "$(status .daemon.pausedUntil)" != null ]
    stop_daemon
    # its time is over while nothing runs
    echo 1000 >"$XDG_STATE_HOME"/codeteleport/*/paused
    start_daemon
    within status_is .sessions.synced 1
    versions_are "$id" 1
    ctctl pause
    ctctl resume
    stop_daemon
    start_daemon
    [ "$(status .daemon.state)" != paused ]
}

@test "sync --wait does not call safe what was forgotten with its account" {
    local id api2 account
    id=$(new_id)
    codeteleport-server --data "$T/server2" --listen 127.0.0.1:0 --objects 127.0.0.1:0 \
        --ready-file "$T/ready2" >>"$T/server.log" 2>&1 3>&- &
    SERVER2_PID=$!
    within test -s "$T/ready2"
    cat "$CA" "$(sed -n 's/^ca=//p' "$T/ready2")" >"$T/both.pem"
    export CODETELEPORT_CA_FILE=$T/both.pem
    start_daemon
    within status_is .server.reachable true
    kill -STOP "$SERVER_PID"
    line hello >"$(transcript "$id")"
    ctctl --json sync --wait >"$T/sync.json" 3>&- &
    SYNC_PID=$!
    within status_is '.uploads[0].sessionId' "$id"
    # what `ctctl login` does on a terminal: says whose it is from now on, then writes credentials
    api2=$(sed -n 's/^api=//p' "$T/ready2")
    API=$api2 HAS_ACCOUNT= CODETELEPORT_CONFIG_DIR=$T/other log_in
    account=$(API=$api2 CA=$T/both.pem CODETELEPORT_CONFIG_DIR=$T/other api GET /auth/me | jq -r .id)
    python3 -S - "$XDG_RUNTIME_DIR/codeteleport/control.sock" "$api2" "$account" <<'PY'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "account", "params": {
    "apiUrl": sys.argv[2], "accountId": sys.argv[3], "email": "me@example.org"}}).encode() + b"\n")
assert "result" in json.loads(s.makefile().readline())
PY
    cp "$T/other/config.json" "$T/new.json"
    mv "$T/new.json" "$CODETELEPORT_CONFIG_DIR/config.json"
    ! wait "$SYNC_PID" || false
    cat "$T/sync.json"
    [ "$(jq .confirmed "$T/sync.json")" = 0 ]
    [ "$(jq -r '.failed[0].sessionId' "$T/sync.json")" = "$id" ]
    # the new account gets it, by a scan and a bundle of its own
    within status_is .sessions.synced 1
    kill -CONT "$SERVER_PID"
}

# uploads: how many the server was asked for
uploads() { grep -c 'route=/v1/sessions/upload' "$T/server.log" || true; }

# uploads_are N: a line is written once its answer is out
uploads_are() { [ "$(uploads)" = "$1" ]; }

all_synced() { [ "$(status .sessions.synced)" = "$(status .sessions.known)" ]; }

@test "a lost database is rebuilt from a scan and from what the server lists, without an upload" {
    local n id
    cp -r "$CT_SRC/tests/fixtures/claude-code-2.1.197/." "$CLAUDE_CONFIG_DIR/"
    codeteleportd --once
    n=$(uploads)
    [ "$n" -gt 0 ]
    ctctl --json list --cloud | jq '[.sessions[] | {id, currentVersion}] | sort' >"$T/before.json"
    rm "$XDG_STATE_HOME"/codeteleport/*/accounts/*/state.db*
    codeteleportd --once
    [ "$(uploads)" = "$n" ]
    ctctl --json list --cloud | jq '[.sessions[] | {id, currentVersion}] | sort' >"$T/after.json"
    cmp "$T/before.json" "$T/after.json"
    # what changed meanwhile goes up, and only that
    rm "$XDG_STATE_HOME"/codeteleport/*/accounts/*/state.db*
    id=$(find "$CLAUDE_CONFIG_DIR/projects" -name '????????-*.jsonl' | head -n 1)
    line more >>"$id"
    codeteleportd --once
    within uploads_are "$((n + 1))"
    bundle_equals "$(basename "$id" .jsonl)" "$id"
    start_daemon
    within all_synced
    [ "$(status .sessions.diverged)" = 0 ]
    [ "$(status .sessions.behind)" = 0 ]
}

@test "a database damaged while it is in use is set aside, and all is safe again without an upload" {
    local id n db
    id=$(new_id)
    line hello >"$(transcript "$id")"
    python3 -S - "$CLAUDE_CONFIG_DIR/projects/-home-al-p/$id/tool-results" <<'PY'
import os, sys
os.makedirs(sys.argv[1])
for i in range(6000):
    with open(os.path.join(sys.argv[1], "result-%06d-%s.txt" % (i, "x" * 100)), "w") as f:
        f.write("%d\n" % i)
PY
    start_daemon
    ctctl sync --wait
    n=$(uploads)
    db=$(echo "$XDG_STATE_HOME"/codeteleport/*/accounts/*/state.db)
    python3 -S - "$db" "$db-wal" <<'PY'
import os, sys
for path in sys.argv[1:]:
    size = os.path.getsize(path)
    with open(path, "r+b") as f:
        f.seek(size // 4)
        f.write(b"\xaa" * (size // 2))
PY
    rm "$CLAUDE_CONFIG_DIR/projects/-home-al-p/$id/tool-results/result-005999"*
    line more >>"$(transcript "$id")"
    within grep -q state-damaged "$T/daemon.log"
    within status_is .sessions.synced 1
    ls "$db".damaged-*
    bundle_equals "$id" "$(transcript "$id")"
    [ "$(uploads)" -le "$((n + 1))" ]
    line "and more" >>"$(transcript "$id")"
    ctctl sync --wait
    bundle_equals "$id" "$(transcript "$id")"
}

@test "a sitting is one version: a young one is amended, a rewritten session never" {
    local id f i
    conf 'amend = true; quiet = 0.1; turn_quiet = 0.1; distance = 0; longest_wait = 5;'
    id=$(new_id) f=$(transcript "$id")
    line 1 >"$f"
    start_daemon
    for i in 2 3 4 5; do
        ctctl sync --wait
        line "$i" >>"$f"
    done
    ctctl sync --wait
    [ "$(ctctl --json versions "$id" | jq -c '[.versions[].version]')" = '[5]' ]
    bundle_equals "$id" "$f"
    # what it pushed out is in it, says this very machine: but the oldest of the hour that goes in a day
    [ "$(sqlite3 "$T/server/server.db" "SELECT count(*) FROM versions WHERE why = 'passing'")" -ge 2 ]
    # fewer lines: what is there is kept, and not amended by what comes after
    line thin >"$T/thin"
    cat "$T/thin" >"$f"
    ctctl sync --wait
    [ "$(ctctl --json versions "$id" | jq -c '[.versions[].version]')" = '[6,5]' ]
    line on >>"$f"
    ctctl sync --wait
    [ "$(ctctl --json versions "$id" | jq -c '[.versions[].version]')" = '[7,5]' ]
    bundle_equals "$id" "$f"
    # another token is another device: it amends nothing
    printf 'correct horse battery' | ctctl login --email me@example.org --password-stdin \
        --api-url "$API" >>"$T/login.log" 2>&1
    within status_is .server.reachable true
    line "and on" >>"$f"
    ctctl sync --wait
    [ "$(ctctl --json versions "$id" | jq -c '[.versions[].version]')" = '[8,7,5]' ]
}

# on_second COMMAND...: on another machine of the same account
on_second() {
    HOME=$T/home2 CLAUDE_CONFIG_DIR=$T/home2/.claude XDG_STATE_HOME=$T/state2 \
        XDG_RUNTIME_DIR=$T/run2 CODETELEPORT_CONFIG_DIR=$T/home2/.codeteleport "$@"
}

@test "a copy of the data folder without books is looked into: it goes on from what it holds" {
    local id f
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    codeteleportd --once
    mkdir -p "$T/home2" && mkdir -m 700 "$T/run2"
    cp -r "$CLAUDE_CONFIG_DIR" "$T/home2/.claude"
    printf 'correct horse battery' | on_second ctctl login --email me@example.org --password-stdin \
        --api-url "$API" >>"$T/login.log" 2>&1
    line two >>"$T/home2/.claude/projects/-home-al-p/$id.jsonl"
    on_second codeteleportd --once
    versions_are "$id" 2
    start_daemon
    within status_is .sessions.behind 1
    line three >>"$f"
    ctctl sync --wait
    [ "$(ctctl --json show "$id" | jq -r .state)" = diverged ]
    [ "$(ctctl --json versions "$id" | jq -c '[.versions[] | [.version, .baseVersions]]')" = \
        '[[4,[1]],[3,[1]],[1,[]]]' ]
    stop_daemon
    start_daemon
    [ "$(ctctl --json show "$id" | jq -r .state)" = diverged ]
}

@test "a session that went on here and elsewhere shows as diverged with the very upload" {
    local id f
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    start_daemon
    ctctl sync --wait
    mkdir -p "$T/home2" && mkdir -m 700 "$T/run2"
    cp -r "$CLAUDE_CONFIG_DIR" "$T/home2/.claude"
    printf 'correct horse battery' | on_second ctctl login --email me@example.org --password-stdin \
        --api-url "$API" >>"$T/login.log" 2>&1
    line two >>"$T/home2/.claude/projects/-home-al-p/$id.jsonl"
    on_second codeteleportd --once
    versions_are "$id" 2
    [ "$(ctctl --json show "$id" | jq -r .state)" = synced ] # the list was read before
    line three >>"$f"
    ctctl sync --wait
    [ "$(ctctl --json show "$id" | jq -r .state)" = diverged ]
    [ "$(ctctl --json show "$id" | jq -r .elsewhereVersion)" = 3 ]
    line four >>"$f"
    ctctl sync --wait
    [ "$(ctctl --json show "$id" | jq -r .state)" = diverged ]
}

# noise BYTES: a line that does not compress to less
noise() {
    printf '{"type":"user","message":{"role":"user","content":"%s"}}\n' "$(head -c "$1" /dev/urandom | base64 -w 0)"
}

@test "a full spool: what is in it goes out, bundling waits and says so, and goes on by itself" {
    local i
    conf 'quiet = 0.1; turn_quiet = 0.1; distance = 0; longest_wait = 5; spool_limit = "1100 kB";'
    start_daemon
    within status_is .server.reachable true
    kill -STOP "$SERVER_PID"
    for i in 1 2 3 4; do
        # whole at once: an upload of its beginning would be under way for long
        noise 400000 >"$T/noise"
        mv "$T/noise" "$(transcript "$(new_id)")"
    done
    within status_is .daemon.state degraded
    status '.problems[].why' | grep -q 'the spool holds'
    status '.problems[].cure' | grep -q 'spool_limit'
    [ "$(status '.sessions.pending')" = 4 ]
    [ "$(find "$XDG_STATE_HOME" -path '*/spool/*' -printf '%s\n' | awk '{n += $1} END {print n + 0}')" -le 1100000 ]
    kill -CONT "$SERVER_PID"
    within status_is .sessions.synced 4
    within status_is .daemon.state idle
}

@test "a session that can't fit shows as too large, with the cure, and holds up nobody" {
    local id other
    conf 'quiet = 0.1; turn_quiet = 0.1; distance = 0; longest_wait = 5; spool_limit = "1100 kB";'
    id=$(new_id) other=$(new_id)
    noise 2000000 >"$(transcript "$id")"
    line small >"$(transcript "$other")"
    run codeteleportd --once
    [ "$status" -eq 75 ]
    versions_are "$other" 1
    start_daemon
    within status_is .sessions.failed 1
    [ "$(ctctl --json show "$id" | jq -r .state)" = too_large ]
    status '.problems[].cure' | grep -q 'raise spool_limit'
    line more >>"$(transcript "$other")"
    ctctl sync --wait "$other"
    versions_are "$other" 2
    conf 'quiet = 0.1; turn_quiet = 0.1; distance = 0; longest_wait = 5; spool_limit = "100 MB";'
    kill -HUP "$DAEMON_PID"
    ctctl sync --wait
    bundle_equals "$id" "$(transcript "$id")"
}

free_kb() { df -k --output=avail "$DISK" | tail -n 1; }

@test "a full disk: bundling waits, the cache makes room, uploads go on, all by itself" {
    local disk=$T/disk i
    mkdir -p "$disk"
    mount -t tmpfs -o size=12m,mode=700 tmpfs "$disk" || skip "can't mount a tmpfs here"
    DISK=$disk
    export XDG_STATE_HOME=$disk
    noise 3000000 >"$(transcript "$(new_id)")"
    start_daemon
    within status_is .sessions.synced 1
    # its blocks are in the cache; what follows needs their room
    [ "$(find "$disk" -name '*.blocks' -size +500k | wc -l)" = 1 ]
    # all but a little more than what stays free for the database
    dd if=/dev/zero of="$disk/filler" bs=64k count=$((($(free_kb) - 2200) / 64)) 2>/dev/null
    noise 700000 >"$(transcript "$(new_id)")"
    within grep -q 'cache-given-up' "$T/daemon.log"
    within status_is .sessions.synced 2
    # and now there is nothing to give up
    dd if=/dev/zero of="$disk/filler2" bs=4k 2>/dev/null || true
    for i in 1 2; do
        noise 700000 >"$(transcript "$(new_id)")"
    done
    within status_is .daemon.state degraded
    status '.problems[].cure' | grep -q 'make room on the disk'
    run ctctl sync --wait
    [ "$status" -ne 0 ]
    rm "$disk/filler2" "$disk/filler"
    within status_is .sessions.synced 4
    within status_is .daemon.state idle
    # full from the start: with the books, without them, without a word of whose they were
    for gone in none '*/accounts' '*/account*'; do
        kill -KILL "$DAEMON_PID"
        wait "$DAEMON_PID" || true
        rm -rf "$disk/codeteleport"/$gone
        noise 1000 >"$(transcript "$(new_id)")"
        dd if=/dev/zero of="$disk/filler" bs=4k 2>/dev/null || true
        start_daemon
        within status_is .daemon.state degraded
        ctctl status >"$T/screen"
        grep -q 'NOT SAFE' "$T/screen"
        tr -s ' \n' ' ' <"$T/screen" | grep -q 'make room on the disk'
        rm "$disk/filler"
        ctctl sync --wait
        # The books are new: what was safe when asked may be looked at once more.
        i=$((i + 1))
        within status_is .sessions.synced "$((i + 2))"
    done
}

@test "the blocks of a session go a week after its transcript went, those of a deleted one at once" {
    local id other db
    id=$(new_id) other=$(new_id)
    noise 2000000 >"$(transcript "$id")"
    noise 2000000 >"$(transcript "$other")"
    start_daemon
    ctctl sync --wait
    [ "$(find "$XDG_STATE_HOME" -name '*.blocks' | wc -l)" = 2 ]
    ctctl delete --yes "$other"
    within sh -c "[ -z \"\$(find '$XDG_STATE_HOME' -name '$other.blocks')\" ]"
    rm "$(transcript "$id")"
    within status_is .sessions.archived 1
    stop_daemon
    start_daemon
    within status_is .watch.isScanning false
    [ "$(find "$XDG_STATE_HOME" -name "$id.blocks" | wc -l)" = 1 ]
    stop_daemon
    db=$(echo "$XDG_STATE_HOME"/codeteleport/*/accounts/*/state.db)
    python3 -S - "$db" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
assert db.execute("UPDATE sessions SET archived_ms = archived_ms - 8 * 86400000"
                  " WHERE archived_ms > 0").rowcount == 1
db.commit()
PY
    start_daemon
    within sh -c '[ -z "$(find "$XDG_STATE_HOME" -name "'"$id"'.blocks")" ]'
    [ "$(ctctl --json show "$id" | jq -r .state)" = archived ]
    versions_are "$id" 1
}

@test "a bundle whose content is the newest version again does not go out" {
    local id f
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    mkdir -p "${f%.jsonl}/tool-results"
    echo one >"${f%.jsonl}/tool-results/a"
    start_daemon
    ctctl sync --wait
    ctctl pause
    echo two >"${f%.jsonl}/tool-results/a"
    within status_is '.queue[0].phase' ready
    echo one >"${f%.jsonl}/tool-results/a"
    within status_is '.queue | length' 0
    ctctl resume
    ctctl sync --wait
    versions_are "$id" 1
    [ "$(find "$XDG_STATE_HOME" -path '*/spool/*' | wc -l)" = 0 ]
    echo three >"${f%.jsonl}/tool-results/a"
    ctctl sync --wait
    versions_are "$id" 2
}

@test "a session that comes back with less keeps the version of before it went" {
    local id f
    conf 'amend = true; quiet = 0.1; turn_quiet = 0.1; distance = 0; longest_wait = 5;'
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    mkdir -p "${f%.jsonl}/tool-results"
    echo result >"${f%.jsonl}/tool-results/a"
    start_daemon
    ctctl sync --wait
    cp "$f" "$T/saved"
    rm -r "$f" "${f%.jsonl}"
    within status_is .sessions.archived 1
    cp "$T/saved" "$f"
    line two >>"$f"
    ctctl sync --wait
    [ "$(ctctl --json versions "$id" | jq -c '[.versions[] | [.version, .pinned]]')" = \
        '[[2,false],[1,true]]' ]
}

@test "a database that is missing takes no bundle along, not even of a session that is gone" {
    local id
    id=$(new_id)
    start_daemon
    ctctl pause
    line only >"$(transcript "$id")"
    within status_is '.queue[0].phase' ready
    stop_daemon
    rm "$XDG_STATE_HOME"/codeteleport/*/accounts/*/state.db*
    rm "$(transcript "$id")"
    start_daemon
    ctctl resume
    within versions_are "$id" 1
    [ "$(find "$XDG_STATE_HOME" -path "*.spool/$id.*" | wc -l)" = 1 ]
    within status_is '.queue | length' 0
    [ "$(find "$XDG_STATE_HOME" -path '*/spool/*' | wc -l)" = 0 ]
    [ "$(ctctl --json show "$id" | jq -r .state)" = archived ]
    fetch "$id" "$T/b.tar.gz"
    tar -xzOf "$T/b.tar.gz" session.jsonl | grep -q only
    # once: what was set aside stays, and is known now
    stop_daemon
    start_daemon
    within status_is .watch.isScanning false
    ctctl sync --wait
    versions_are "$id" 1
}
