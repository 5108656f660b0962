#!/usr/bin/env bats
# `ctctl sync --wait` is exact: what had been written before the call is in what gets confirmed.

load lib
load exact

setup() {
    make_home
    start_server
    log_in
}

teardown() {
    end_home
}

@test "sync --wait, called after each of many writes, misses none of them" {
    sync_after_each 50
}

@test "polling does as well: a folder without events syncs by itself and on demand" {
    local id f
    conf 'quiet = 0.3; distance = 0; polling = true;'
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    start_daemon
    status_is .watch.backend polling
    within versions_are "$id" 1
    line two >>"$f"
    within versions_are "$id" 2
    line three >>"$f"
    ctctl sync --wait
    bundle_equals "$id" "$f"
}

@test "the end of a turn shortens the quiet time" {
    local id f
    conf 'quiet = 600; turn_quiet = 0.1; longest_wait = 6000; distance = 0;'
    id=$(new_id) f=$(transcript "$id")
    mkdir -p "$CLAUDE_CONFIG_DIR/sessions"
    start_daemon
    live() {
        printf '{"pid":%d,"sessionId":"%s","cwd":"/home/al/p","procStart":"%s","status":"%s"}' \
            "$$" "$id" "$(awk '{print $22}' "/proc/$$/stat")" "$1" \
            >"$CLAUDE_CONFIG_DIR/sessions/$$.json"
    }
    live busy
    line one >"$f"
    within status_is .sessions.pending 1
    within eval '[ "$(ctctl --json list | jq ".[0].live")" = true ]'
    [ "$(ctctl --json list --cloud | jq .total)" = 0 ]
    live idle
    within versions_are "$id" 1
    line two >>"$f"
    within status_is .sessions.pending 1
    rm "$CLAUDE_CONFIG_DIR/sessions/$$.json"
    within versions_are "$id" 2
}

@test "an attachment that vanishes beside a living transcript: the version that holds it is kept" {
    local id f i
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    mkdir -p "$CLAUDE_CONFIG_DIR/file-history/$id"
    echo precious >"$CLAUDE_CONFIG_DIR/file-history/$id/0123456789abcdef@v1"
    start_daemon
    ctctl sync --wait
    rm -r "$CLAUDE_CONFIG_DIR/file-history/$id"
    for i in $(seq 25); do # more than the server keeps
        line "$i" >>"$f"
        ctctl sync --wait
    done
    [ "$(ctctl --json versions "$id" | jq '[.versions[].version] | min')" = 1 ]
    fetch "$id" "$T/b.tar.gz" 1
    [ "$(tar -xzOf "$T/b.tar.gz" 'file-history/0123456789abcdef@v1')" = precious ]
}

@test "an idle daemon does not wake up" {
    local id before after
    id=$(new_id)
    line one >"$(transcript "$id")"
    start_daemon
    ctctl sync --wait
    settled() {
        local a b
        a=$(switches) && sleep 3 && b=$(switches) && [ "$a" = "$b" ]
    }
    switches() { awk '/^voluntary_ctxt_switches/ {n += $2} END {print n}' /proc/"$DAEMON_PID"/task/*/status; }
    needs_watches
    within settled
    before=$(switches)
    sleep "${CT_IDLE_S:-10}"
    after=$(switches)
    [ "$before" = "$after" ]
}
