#!/usr/bin/env bats
# What lies on this very machine never reads safe, by whatever name or address it is reached.

load lib

setup() {
    make_home
    # elsewhere than on loopback nobody may register by themselves
    echo 'registration = "open";' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    NAME=$(uname -n)
    ADDRESS=$(ip -o -4 addr show scope global up 2>/dev/null | sed -n 's/.* inet \([0-9.]*\).*/\1/p' | head -n 1)
    ADDRESS6=$(ip -o -6 addr show scope global up 2>/dev/null | sed -n 's/.* inet6 \([0-9a-f:]*\).*/\1/p' |
        head -n 1)
}

teardown() {
    for pid in ${EXTRA_PIDS:-}; do kill "$pid" 2>/dev/null || true; done
    end_home
}

# needs_name: this machine's own name leads to it, as it does where /etc/hosts says 127.0.1.1
needs_name() {
    python3 -S -c 'import socket, sys
s = socket.socket()
s.bind((socket.gethostbyname(sys.argv[1]), 0))' "$NAME" 2>/dev/null || skip "the name $NAME leads nowhere"
}

needs_address() { [ -n "${!1}" ] || skip "this machine has no such address but loopback"; }

saved_once() {
    log_in
    ID=$(new_id) FILE=$(transcript "$ID")
    line one >"$FILE"
    start_daemon
    ctctl sync --wait
}

# All that says how safe it is says the same.
reads_here_only() {
    status_is .server.isLoopback true || return 1
    ctctl status >"$T/status"
    grep -q 'this machine only' "$T/status" && ! grep -qw 'safe' "$T/status" || {
        cat "$T/status"
        return 1
    }
    [ "$(ctctl --json list | jq -r '.[0].place')" = "this machine only" ]
}

reads_safe() {
    status_is .server.isLoopback false && [ "$(ctctl --json list | jq -r '.[0].place')" = cloud ]
}

@test "a server under this machine's name reads 'this machine only'" {
    needs_name
    API_HOST=$NAME OBJECTS_HOST=$NAME
    start_server
    [[ $API == "https://$NAME:"* ]]
    saved_once
    reads_here_only
}

@test "a server at an address of this machine's own" {
    needs_address ADDRESS
    API_HOST=$ADDRESS OBJECTS_HOST=$ADDRESS
    start_server
    saved_once
    reads_here_only
}

@test "a server at this machine's own address of IPv6" {
    needs_address ADDRESS6
    API_HOST="[$ADDRESS6]" OBJECTS_HOST="[$ADDRESS6]"
    start_server
    saved_once
    reads_here_only
}

@test "so it reads while the server is away, and after a start without it" {
    needs_name
    API_HOST=$NAME OBJECTS_HOST=$NAME
    start_server
    saved_once
    stop_server
    reads_here_only
    stop_daemon
    start_daemon
    within status_is .daemon.state offline
    reads_here_only
}

@test "so it reads when the books were lost and nothing had to be uploaded again" {
    needs_name
    API_HOST=$NAME OBJECTS_HOST=$NAME
    start_server
    saved_once
    stop_daemon
    rm -rf "$XDG_STATE_HOME/codeteleport"
    start_daemon
    within status_is .sessions.synced 1
    grep -q "there-already session=$ID" "$T/daemon.log"
    reads_here_only
}

@test "so it reads of a session that was pulled" {
    needs_name
    API_HOST=$NAME OBJECTS_HOST=$NAME
    start_server
    saved_once
    stop_daemon
    rm -rf "$XDG_STATE_HOME/codeteleport" "$CLAUDE_CONFIG_DIR/projects"
    mkdir -p "$CLAUDE_CONFIG_DIR/projects" "$T/p"
    start_daemon
    ctctl pull "$ID" --target-dir "$T/p"
    within status_is .sessions.synced 1
    reads_here_only
}

# A proxy hides where it leads to: what is reached by one counts as elsewhere, so each half can be.
start_server_behind_tunnel() {
    needs_name
    needs_address ADDRESS
    [ "$(getent hosts "$NAME" | cut -d ' ' -f 1)" != "$ADDRESS" ] || skip "$NAME is $ADDRESS"
    start_server
    python3 -S "$CT_SRC/tests/e2e/tools/connectproxy.py" --ready "$T/connect.ready" \
        --log "$T/connect.log" "$NAME=$NAME:$API_PORT" "$ADDRESS=$ADDRESS:$OBJECTS_PORT" 3>&- &
    EXTRA_PIDS=$!
    within test -s "$T/connect.ready"
    export https_proxy=http://127.0.0.1:$(cat "$T/connect.ready")
}

@test "a store on this machine is enough, with an API that is elsewhere" {
    API_HOST=$NAME OBJECTS_HOST=$ADDRESS
    export no_proxy=$ADDRESS
    start_server_behind_tunnel
    saved_once
    grep -q "^$NAME 200" "$T/connect.log"
    ! grep -q "^$ADDRESS " "$T/connect.log" || false
    reads_here_only
    stop_daemon
    start_daemon
    reads_here_only
}

@test "an API on this machine is enough, with a store that is elsewhere" {
    API_HOST=$NAME OBJECTS_HOST=$ADDRESS
    export no_proxy=$NAME
    start_server_behind_tunnel
    saved_once
    grep -q "^$ADDRESS 200" "$T/connect.log"
    ! grep -q "^$NAME " "$T/connect.log" || false
    reads_here_only
}

@test "a proxy on this machine alone makes nothing 'this machine only'" {
    API_HOST=$NAME OBJECTS_HOST=$ADDRESS
    start_server_behind_tunnel
    saved_once
    [ "$(sort -u "$T/connect.log" | wc -l)" -eq 2 ]
    reads_safe
}
