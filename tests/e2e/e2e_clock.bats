#!/usr/bin/env bats
# The machine falls asleep, and its clock jumps.

load lib

setup() {
    make_home
    EXTRA_PIDS=
}

teardown() {
    exec 5>&-
    [ -z "$EXTRA_PIDS" ] || kill $EXTRA_PIDS 2>/dev/null || true
    end_home
}

# a bus, and on it what tests/e2e/tools/logind.c plays; "say sleep" and "say wake"
start_logind() {
    [ -x "$CT_BUILD/tests/e2e/tools/logind" ] || skip "built without libsystemd"
    start_bus
    mkfifo "$T/in"
    "$CT_BUILD/tests/e2e/tools/logind" <"$T/in" >"$T/logind" 2>"$T/logind.err" 3>&- &
    EXTRA_PIDS="$EXTRA_PIDS $!"
    exec 5>"$T/in"
}

say() { echo "$1" >&5; }

# said LINE TIMES: by the one who plays logind
said() { [ "$(grep -cx "$1" "$T/logind")" = "$2" ]; }

@test "what is pending goes out before the machine sleeps, and then it sleeps" {
    local id
    start_logind
    conf 'quiet = 600; turn_quiet = 600; longest_wait = 3600; distance = 0;'
    start_server
    log_in
    start_daemon
    within said 'inhibit sleep delay' 1
    id=$(new_id)
    line one >"$(transcript "$id")"
    within status_is .sessions.pending 1
    say sleep
    within said released 1
    versions_are "$id" 1
    grep -q 'sleep delayed=done reason="nothing is left that could go out"' "$T/daemon.log"
    # and it is ready for the next time
    say wake
    within said 'inhibit sleep delay' 2
    say sleep
    within said released 2
}

@test "a server that does not answer keeps the machine awake for a few seconds only" {
    local id
    start_logind
    conf 'quiet = 600; turn_quiet = 600; longest_wait = 3600; distance = 0;'
    start_server
    log_in
    start_daemon
    within status_is .server.reachable true
    within said 'inhibit sleep delay' 1
    id=$(new_id)
    line one >"$(transcript "$id")"
    within status_is .sessions.pending 1
    kill -STOP "$SERVER_PID"
    say sleep
    within said released 1
    grep -q 'sleep delayed=done reason="the rest has to wait"' "$T/daemon.log"
    kill -CONT "$SERVER_PID"
    say wake
    within versions_are "$id" 1
}

@test "a pause holds when the machine goes to sleep" {
    local id
    start_logind
    start_server
    log_in
    start_daemon
    within said 'inhibit sleep delay' 1
    ctctl pause
    id=$(new_id)
    line one >"$(transcript "$id")"
    within status_is .sessions.pending 1
    say sleep
    within said released 1
    versions_are "$id" 0
}

# jump OFFSET: of the clocks of daemon and server
jump() { echo "$1" >"$T/offset.new" && mv "$T/offset.new" "$T/offset"; }

@test "a clock that jumps ahead by two days and back by an hour holds up nothing and causes no storm" {
    local id lib n
    lib=$(faketime_lib)
    [ -n "$lib" ] || skip "libfaketime is not installed, or these are sanitizers"
    export FAKETIME_TIMESTAMP_FILE=$T/offset FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1
    export DONT_FAKE_MONOTONIC=1
    jump +0
    LD_PRELOAD=$lib start_server
    log_in
    LD_PRELOAD=$lib start_daemon
    id=$(new_id)
    line one >"$(transcript "$id")"
    within versions_are "$id" 1
    n=1
    for offset in +2d -1h +0; do
        jump "$offset"
        n=$((n + 1))
        line "$offset" >>"$(transcript "$id")"
        within versions_are "$id" "$n"
        within status_is .daemon.state idle
        LD_PRELOAD=$lib ctctl --json status | jq -e \
            '.server.lastContactAt | sub("\\.[0-9]+Z$"; "Z") | fromdateiso8601 > 1700000000'
    done
    # it did jump, for both
    [ "$(sqlite3 "$T/server/server.db" "SELECT max(created_ms) / 1000 > strftime('%s', 'now') + 86400
        FROM versions")" = 1 ]
    # one upload for each change, and few words
    versions_are "$id" 4
    [ "$(grep -c ' bundled ' "$T/daemon.log")" -le 8 ]
    [ "$(wc -l <"$T/daemon.log")" -le 400 ]
}

# desktop: a user's bus, and on it what tests/e2e/tools/desktop.c plays; "$T/desktop" has what it showed
desktop() {
    [ -x "$CT_BUILD/tests/e2e/tools/desktop" ] || skip "built without libsystemd"
    start_bus
    export DBUS_SESSION_BUS_ADDRESS=$DBUS_SYSTEM_BUS_ADDRESS
    "$CT_BUILD/tests/e2e/tools/desktop" >"$T/desktop" 2>"$T/desktop.err" 3>&- &
    EXTRA_PIDS="$EXTRA_PIDS $!"
    within grep -qx ready "$T/desktop"
}

shown() { [ "$(grep -c '^notify' "$T/desktop")" = "$1" ]; }

@test "a log-in that ended, and what is not safe for long, is said on the desktop, once" {
    desktop
    conf 'quiet = 0.1; turn_quiet = 0.1; distance = 0; notify_after = 1; encryption = "off";'
    start_server
    log_in
    local secret=Quittenwort
    line "$secret" >"$(transcript "$(new_id)")"
    start_daemon
    ctctl sync --wait
    shown 0
    # The token is taken away.
    token=$(api GET /auth/tokens | jq -r '.tokens[0].id')
    api DELETE "/auth/tokens/$token"
    line "$secret again" >>"$(ls "$CLAUDE_CONFIG_DIR"/projects/*/*.jsonl)"
    within shown 1
    grep -q '^notify Codeteleport: NOT SAFE|The log-in of this machine has ended.*ctctl login' "$T/desktop"
    # Once, over a restart too.
    stop_daemon
    start_daemon
    line "$secret more" >>"$(ls "$CLAUDE_CONFIG_DIR"/projects/*/*.jsonl)"
    within eval 'ctctl status | grep -q "NOT SAFE"'
    sleep 2
    shown 1
    # All is well again; then something else is not.
    HAS_ACCOUNT=yes log_in
    within eval '! ctctl status | grep -q "NOT SAFE"'
    within test ! -e "$(echo "$XDG_STATE_HOME"/codeteleport/*/notified)"
    ln -s /etc/passwd "$(transcript "$(new_id)")"
    within shown 2
    tail -n 1 "$T/desktop" | grep -q '|Something has not been safe for a while.*ctctl status'
    ! grep -q "$secret\|$CLAUDE_CONFIG_DIR" "$T/desktop" || false
    # A key turns it off.
    stop_daemon
    rm -f "$XDG_STATE_HOME"/codeteleport/*/notified
    conf 'quiet = 0.1; distance = 0; notify_after = 0; encryption = "off";'
    token=$(api GET /auth/tokens | jq -r '.tokens[0].id')
    api DELETE "/auth/tokens/$token"
    start_daemon
    within eval 'ctctl status | grep -q "NOT SAFE"'
    sleep 2
    shown 2
}
