#!/usr/bin/env bats
# The daemon in its sandbox, and what it makes of things that the sandbox can't follow.

load lib.bash

setup() {
    make_home
    start_server
}

teardown() { end_home; }


needs_landlock() {
    [ -r /sys/kernel/security/lsm ] && ! grep -q landlock /sys/kernel/security/lsm &&
        skip "this kernel has no Landlock"
    start_daemon
    [ "$(status .sandbox.landlock)" -ge "${1:-1}" ] ||
        skip "this kernel's Landlock is ABI $(status .sandbox.landlock), and this needs ${1:-1}"
    stop_daemon
}

begin() {
    start_daemon "$@"
    log_in
    within status_is .daemon.state idle
}

said() { grep -q "$1" "$T/daemon.log"; }

is_safe() { versions_are "$1" 1; }

@test "a daemon in its sandbox syncs, and status says what the sandbox is" {
    needs_landlock 3
    begin
    id=$(new_id)
    line one >"$(transcript "$id")"
    ctctl sync --wait
    is_safe "$id"
    [ "$(status '.sandbox.readOnly')" = true ]
    [ "$(status '.sandbox.mode')" = on ]
    [ "$(status '.sandbox.why')" = null ]
    grep -q 'NoNewPrivs:.1' "/proc/$DAEMON_PID/status"
    # one that works is not worth a line
    ! ctctl status | grep -q Sandbox || false
    run ctctl doctor
    [[ $output == *"Landlock ABI"*"keeps the daemon from writing"* ]]
}

@test "it does not restrict what it was started by, and removes its socket at the end" {
    begin
    stop_daemon
    [ ! -e "$XDG_RUNTIME_DIR/codeteleport/control.sock" ]
    touch "$CLAUDE_CONFIG_DIR/still-writable"
}

@test "once syncs in the sandbox too" {
    begin
    stop_daemon
    id=$(new_id)
    line one >"$(transcript "$id")"
    codeteleportd --once 2>>"$T/daemon.log"
    is_safe "$id"
}

@test "a watched folder that appears later is synced by a daemon that comes anew" {
    needs_landlock
    rmdir "$CLAUDE_CONFIG_DIR"
    start_daemon
    log_in
    id=$(new_id)
    first=$DAEMON_PID
    line one >"$(transcript "$id")"
    within is_safe "$id"
    [ "$DAEMON_PID" != "$first" ]
    said 'restart path='
}

# started_by_hand: a daemon without a service manager; DAEMON_PID is what the shell knows of it
started_by_hand() {
    codeteleportd -v >>"$T/daemon.log" 2>&1 3>&- &
    DAEMON_PID=$!
    within ctctl --json status
}

gone() { ! kill -0 "$1" 2>/dev/null; }

@test "a daemon that was started by hand comes anew by itself, and ends when it is told to" {
    needs_landlock
    rmdir "$CLAUDE_CONFIG_DIR"
    started_by_hand
    log_in
    first=$(status .daemon.pid)
    [ "$first" != "$DAEMON_PID" ]
    id=$(new_id)
    line one >"$(transcript "$id")"
    within is_safe "$id"
    second=$(status .daemon.pid)
    [ "$second" != "$first" ]
    said 'restart path='
    kill -USR1 "$DAEMON_PID"
    within said 'dump status='
    kill "$DAEMON_PID"
    wait "$DAEMON_PID"
    gone "$second"
    DAEMON_PID=
}

@test "what ends a daemon that was started by hand ends both of its processes, in the same way" {
    needs_landlock
    started_by_hand
    worker=$(status .daemon.pid)
    kill -KILL "$worker"
    status=0
    wait "$DAEMON_PID" || status=$?
    [ "$status" = 137 ]
    started_by_hand
    worker=$(status .daemon.pid)
    kill -STOP "$worker" # so that it can't end by itself
    kill -KILL "$DAEMON_PID"
    wait "$DAEMON_PID" || true
    DAEMON_PID=
    within gone "$worker"
    conf 'nonsense = 1;'
    run codeteleportd
    [ "$status" = 78 ]
}

@test "so is one that is replaced by another folder, or by a link to one" {
    needs_landlock
    begin
    mv "$CLAUDE_CONFIG_DIR" "$T/old"
    id=$(new_id)
    line one >"$(transcript "$id")"
    within is_safe "$id"
    mkdir -p "$T/elsewhere/projects/-home-al-p"
    other=$(new_id)
    line two >"$T/elsewhere/projects/-home-al-p/$other.jsonl"
    mv "$CLAUDE_CONFIG_DIR" "$T/older"
    ln -s "$T/elsewhere" "$CLAUDE_CONFIG_DIR"
    within is_safe "$other"
}

@test "one that is moved away and comes back is no reason to start anew" {
    begin
    mv "$CLAUDE_CONFIG_DIR" "$T/away"
    within status_is '.problems | map(select(.what | test("is not there"))) | length' 1
    mv "$T/away" "$CLAUDE_CONFIG_DIR"
    id=$(new_id)
    line one >"$(transcript "$id")"
    within is_safe "$id"
    ! said 'restart path='
}

@test "the exit status asks to be started anew, but not again and again: then it says what is wrong" {
    needs_landlock
    start_daemon
    mv "$CLAUDE_CONFIG_DIR" "$T/old"
    mkdir "$CLAUDE_CONFIG_DIR"
    status=0
    wait "$DAEMON_PID" || status=$?
    [ $status = 79 ]
    launch_daemon
    within ctctl --json status
    mv "$CLAUDE_CONFIG_DIR" "$T/older"
    mkdir "$CLAUDE_CONFIG_DIR"
    within status_is '.problems | map(select(.what | test("read"))) | length' 1
    ctctl status | grep -q 'starts anew by itself'
    kill "$DAEMON_PID"
    status=0
    wait "$DAEMON_PID" || status=$?
    DAEMON_PID=
    [ $status = 0 ]
}

@test "credentials in a folder that was replaced are read by a daemon that comes anew" {
    needs_landlock
    begin
    mv "$CODETELEPORT_CONFIG_DIR" "$T/credentials"
    within status_is .daemon.state auth_required
    cp -a "$T/credentials" "$CODETELEPORT_CONFIG_DIR"
    within status_is .daemon.state idle
    said 'restart path='
}

@test "a log-in on a machine that never had one needs no new start" {
    begin
    ! said 'restart path='
}

@test "a CA file that was replaced is trusted by a daemon that comes anew" {
    needs_landlock
    cp "$CA" "$T/ca.pem"
    export CODETELEPORT_CA_FILE=$T/ca.pem
    begin
    cp "$CA" "$T/ca.new"
    mv "$T/ca.new" "$T/ca.pem"
    within said 'restart path='
    within status_is .daemon.state idle
    id=$(new_id)
    line one >"$(transcript "$id")"
    within is_safe "$id"
}

@test "a root that a reload names is watched by a daemon that comes anew" {
    needs_landlock
    begin
    mkdir -p "$T/second/projects/-home-al-p"
    id=$(new_id)
    line one >"$T/second/projects/-home-al-p/$id.jsonl"
    conf "quiet = 0.3; distance = 0; roots = [ \"$CLAUDE_CONFIG_DIR\", \"$T/second\" ];"
    kill -HUP "$DAEMON_PID"
    within is_safe "$id"
}

@test "only allowed ports: the server's and the store's are enough" {
    needs_landlock 4
    conf "quiet = 0.3; distance = 0; allowed_ports = [ $API_PORT, $OBJECTS_PORT ];"
    begin
    id=$(new_id)
    line one >"$(transcript "$id")"
    ctctl sync --wait
    is_safe "$id"
    [ "$(status '.sandbox.ports | length')" = 2 ]
}

@test "a server whose port is not among them is told of before it is tried" {
    conf "allowed_ports = [ 443 ];"
    start_daemon
    log_in
    within status_is .daemon.state auth_required
    [[ $(status .daemon.stateReason) == *"port $API_PORT, which allowed_ports"* ]]
    stop_daemon
    run codeteleportd -t
    [ "$status" = 78 ]
    [[ $output == *"port $API_PORT, which allowed_ports"* ]]
}

@test "a store whose port is not among them is told of when it is met" {
    needs_landlock 4
    conf "quiet = 0.3; distance = 0; allowed_ports = [ $API_PORT ];"
    begin
    id=$(new_id)
    line one >"$(transcript "$id")"
    within status_is .daemon.state offline
    [[ $(status .daemon.stateReason) == *"$OBJECTS_PORT"*"allowed_ports"* ]]
}

@test "faults in allowed_ports and a proxy that it forgets are errors of the configuration" {
    for ports in '[]' '[ 0 ]' '[ "443" ]' '443' '[ 65536 ]' '[ 443.5 ]'; do
        conf "allowed_ports = $ports;"
        run codeteleportd -t
        [ "$status" = 78 ]
        [[ $output == *"'allowed_ports' must"* ]]
    done
    for proxy in http://proxy.example.org:3128 'http://me:p@ss:1@[::1]:3128/'; do
        conf "allowed_ports = [ 443 ]; proxy = \"$proxy\";"
        run codeteleportd -t
        [ "$status" = 78 ]
        [[ $output == *"port 3128, which allowed_ports"* ]]
    done
    conf "allowed_ports = [ 443, 3128 ]; proxy = \"http://proxy.example.org:3128\";"
    codeteleportd -t
}

@test "where the kernel has no Landlock it goes on, and says so" {
    for EPERM in '' yes; do
        [ -n "$EPERM" ] && export EPERM || unset EPERM
        "$CT_BUILD/tests/e2e/tools/nolandlock" codeteleportd -v >>"$T/daemon.log" 2>&1 3>&- &
        DAEMON_PID=$!
        within ctctl --json status
        [ "$(status .sandbox.landlock)" = 0 ]
        [ "$(status .sandbox.readOnly)" = false ]
        [[ $(status .sandbox.why) == *Landlock* ]]
        ctctl status | grep -q 'Sandbox .*none'
        stop_daemon
    done
}

@test "where it is required it does not start without" {
    conf 'sandbox = "require";'
    run "$CT_BUILD/tests/e2e/tools/nolandlock" codeteleportd
    [ "$status" = 78 ]
    [[ $output == *"sandbox = "*require*"set sandbox = "* ]]
}

@test "it can be turned off, and says so" {
    conf 'sandbox = "off";'
    start_daemon
    [ "$(status .sandbox.landlock)" = 0 ]
    [ "$(status .sandbox.mode)" = off ]
    ctctl status | grep -q 'Sandbox .*off'
    mv "$CLAUDE_CONFIG_DIR" "$T/old"
    mkdir "$CLAUDE_CONFIG_DIR"
    log_in
    id=$(new_id)
    line one >"$(transcript "$id")"
    within is_safe "$id"
    ! said 'restart path='
}
