#!/usr/bin/env bats
# A server that is not ours: it knows no pin and keeps two versions of a session.

load lib

setup() {
    make_home
    start_stock_server
    log_in
}

teardown() {
    end_home
}

@test "a stock server takes sessions, and lists no more than two versions of each" {
    local id f i
    id=$(new_id) f=$(transcript "$id")
    conf 'quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5; profile = true;'
    mkdir -p "$CLAUDE_CONFIG_DIR/agent-memory/a"
    echo '- of an agent' >"$CLAUDE_CONFIG_DIR/agent-memory/a/MEMORY.md"
    start_daemon
    for i in 1 2 3; do
        line "turn $i" >>"$f"
        ctctl sync --wait
    done
    [ "$(ctctl --json versions "$id" | jq -c '[.versions[].version]')" = '[3,2]' ]
    bundle_equals "$id" "$f"
    # What belongs to no session it does not know of: it gets none, and that is said.
    status_is .profile.state unknown-to-server
    ctctl status | tr -s ' \n' ' ' | grep -q '1 file that belongs to no session is not saved: this server'
    [ "$(api GET /sessions | jq -r '[.sessions[].id] | join(" ")')" = "$id" ]
    # The token goes to the API alone.
    grep -q '^object PUT .* 200 auth=no$' "$T/server.log"
    ! grep '^object .* auth=yes' "$T/server.log"
}

@test "a stock server that fails for a while loses nothing" {
    local id f
    id=$(new_id) f=$(transcript "$id")
    echo 'PUT /bundles/.* 503' >"$T/faults"
    start_daemon
    line hello >"$f"
    within grep -q '^object PUT .* 503' "$T/server.log"
    rm "$T/faults"
    ctctl sync --wait
    versions_are "$id" 1
    bundle_equals "$id" "$f"
}

@test "a stock server: a lost database costs no upload, and a new session no question" {
    local id
    id=$(new_id)
    line hello >"$(transcript "$id")"
    codeteleportd --once
    # one, after its confirm: a server that is not ours is believed when it lists the checksum
    [ "$(grep -c "^api GET /v1/sessions/$id/versions" "$T/server.log")" = 1 ]
    rm "$XDG_STATE_HOME"/codeteleport/*/accounts/*/state.db*
    codeteleportd --once
    versions_are "$id" 1
    [ "$(grep -c '^object PUT' "$T/server.log")" = 1 ]
}

@test "a full plan: what the server knows goes on, the rest waits together and unbundled" {
    local i ids=()
    stop_server
    start_stock_server --sessions 2
    start_daemon
    for i in 1 2; do
        ids+=("$(new_id)")
        line "$i" >"$(transcript "${ids[-1]}")"
    done
    ctctl sync --wait
    line refused >"$(transcript "$(new_id)")"
    within status_is .sessions.limit 1
    [ "$(status .totals.bundles)" = 3 ]
    for i in $(seq 7); do
        line "$i" >"$(transcript "$(new_id)")"
    done
    within status_is .sessions.limit 8
    [ "$(status .sessions.synced)" = 2 ]
    [ "$(status .totals.bundles)" = 3 ]
    run ctctl sync --wait
    [ "$status" -eq 1 ]
    within status_is .sessions.limit 8
    [ "$(status '[.problems[] | select(.what | contains("plan"))] | length')" = 1 ]
    line more >>"$(transcript "${ids[0]}")"
    ctctl sync --wait "${ids[0]}"
    versions_are "${ids[0]}" 2
    # the plan was raised
    stop_server
    start_stock_server --sessions 20
    ctctl sync --wait
    [ "$(status .sessions.synced)" = 10 ]
    [ "$(status .sessions.limit)" = 0 ]
}

@test "with two versions kept, a session is not uploaded more often than every five minutes" {
    local id f
    conf 'pace = true; quiet = 0.1; turn_quiet = 0.1; distance = 0; longest_wait = 5;'
    id=$(new_id) f=$(transcript "$id")
    start_daemon
    within status_is .account.versionsPerSession 2
    [ "$(status .account.distanceSeconds)" = 300 ]
    line one >"$f"
    within versions_are "$id" 1
    line two >>"$f"
    within status_is .sessions.pending 1
    # a restart does not forget when it was
    stop_daemon
    start_daemon
    within status_is .sessions.pending 1
    within status_is .server.reachable true
    versions_are "$id" 1
    ctctl sync --wait
    versions_are "$id" 2
}
