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
    start_daemon
    for i in 1 2 3; do
        line "turn $i" >>"$f"
        ctctl sync --wait
    done
    [ "$(ctctl --json versions "$id" | jq -c '[.versions[].version]')" = '[3,2]' ]
    bundle_equals "$id" "$f"
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
