#!/usr/bin/env bats
# What must survive: restarts, a damaged database, a full disk, a change of account in the middle.

load lib

setup() {
    make_home
    start_server
    log_in
}

teardown() {
    [ -z "${SERVER2_PID:-}" ] || kill "$SERVER2_PID" 2>/dev/null || true
    kill -CONT "$SERVER_PID" 2>/dev/null || true
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
    API=$api2 CODETELEPORT_CONFIG_DIR=$T/other log_in
    account=$(API=$api2 CA=$T/both.pem CODETELEPORT_CONFIG_DIR=$T/other api GET /auth/me | jq -r .id)
    python3 - "$XDG_RUNTIME_DIR/codeteleport/control.sock" "$api2" "$account" <<'PY'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "account", "params": {
    "apiUrl": sys.argv[2], "accountId": sys.argv[3], "email": "me@example.org"}}).encode() + b"\n")
assert "result" in json.loads(s.makefile().readline())
PY
    cp "$T/other/config.json" "$T/new.json"
    mv "$T/new.json" "$CODETELEPORT_CONFIG_DIR/config.json"
    ! wait "$SYNC_PID"
    cat "$T/sync.json"
    [ "$(jq .confirmed "$T/sync.json")" = 0 ]
    [ "$(jq -r '.failed[0].sessionId' "$T/sync.json")" = "$id" ]
    # the new account gets it, by a scan and a bundle of its own
    within status_is .sessions.synced 1
    kill -CONT "$SERVER_PID"
}
