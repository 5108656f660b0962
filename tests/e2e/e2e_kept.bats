#!/usr/bin/env bats
# Where a server knows no pin, the fuller version is fetched before a thinner one pushes it out.

load lib

setup() {
    make_home
    start_stock_server
    log_in
    ID=$(new_id)
    F=$(transcript "$ID")
    line one >"$F"
    line two >>"$F"
    start_daemon
    ctctl sync --wait
    fetch "$ID" "$T/fuller.tar.gz" 1
}

teardown() {
    end_home
}

# kept VERSION: where that version of the session is kept
kept() { ls "$XDG_STATE_HOME"/codeteleport/*/accounts/*/kept/"$ID.v$1.tar.gz"; }

# not COMMAND...: unlike "!", it fails the test
not() { ! "$@" 2>/dev/null; }

# rewrite: the transcript begins anew, with less in it
rewrite() {
    line three >"$T/new"
    cat "$T/new" >"$F"
}

newest() { ctctl --json versions "$ID" | jq .currentVersion; }

# waits_behind N: nothing newer than version N was confirmed
waits_behind() { [ "$(newest)" = "$1" ]; }

# went_past N: something was (numbers that were reserved and not used leave gaps)
went_past() { [ "$(newest)" -gt "$1" ]; }

problem_says() { status '.problems[].why' | grep -q "$1"; }

@test "before a rewritten session goes out its fuller version is kept, and outlives the rotation" {
    local n
    rewrite
    ctctl sync --wait
    cmp "$(kept 1)" "$T/fuller.tar.gz"
    [ "$(stat -c %a "$(kept 1)")" = 600 ]
    went_past 1
    n=$(ctctl --json show "$ID" | jq -c '[.kept[] | [.version, .sizeBytes]]')
    [ "$n" = "[[1,$(stat -c %s "$T/fuller.tar.gz")]]" ]
    ctctl show "$ID" | tr -d '\n ' | grep -qF "$(kept 1 | tr -d ' ')"
    for n in 3 4; do
        line "turn $n" >>"$F"
        ctctl sync --wait
    done
    versions_are "$ID" 2
    [ "$(ctctl --json versions "$ID" | jq '[.versions[].version] | index(1)')" = null ]
    cmp "$(kept 1)" "$T/fuller.tar.gz"
    [ "$(status .kept.versions)" = 1 ]
    # One thing was fetched, without the token.
    [ "$(grep -c '^object GET .*v1.tar.gz 200 auth=no$' "$T/server.log")" = 2 ]
    ! grep '^object .* auth=yes' "$T/server.log"
}

@test "before a session that lost an attachment goes out its fuller version is kept" {
    mkdir -p "${F%.jsonl}/tool-results"
    echo result >"${F%.jsonl}/tool-results/a.txt"
    ctctl sync --wait
    fetch "$ID" "$T/fuller.tar.gz" 2
    rm -r "${F%.jsonl}"
    ctctl sync --wait
    went_past 2
    cmp "$(kept 2)" "$T/fuller.tar.gz"
}

@test "no room for the fuller version: the thinner one waits, status says why, and more room helps" {
    stop_daemon
    python3 -S -c 'import json, os
for i in range(64):
    print(json.dumps({"type": "user", "message": {"content": os.urandom(16384).hex()}}))' >>"$F"
    conf 'quiet = 0.3; turn_quiet = 0.1; distance = 0; kept_limit = "1 MiB";'
    start_daemon
    ctctl sync --wait
    waits_behind 2
    rewrite
    within problem_says 'no room for it here'
    status '.problems[].cure' | grep -q 'kept_limit'
    ctctl status | grep -q kept_limit
    waits_behind 2
    [ "$(status .sessions.pending)" = 1 ]
    conf 'quiet = 0.3; turn_quiet = 0.1; distance = 0; kept_limit = "20 MiB";'
    kill -HUP "$DAEMON_PID"
    within went_past 2
    fetch "$ID" "$T/fuller.tar.gz" 2
    cmp "$(kept 2)" "$T/fuller.tar.gz"
    within status_is '.problems | length' 0
}

@test "an object store that is away holds the thinner one up until the fuller one is kept" {
    echo 'GET /bundles/.* 0' >"$T/faults"
    rewrite
    within grep -q '^object GET .* 0 auth=no' "$T/server.log"
    waits_behind 1
    echo 'GET /bundles/.* 503' >"$T/faults"
    ctctl sync
    within grep -q '^object GET .* 503' "$T/server.log"
    waits_behind 1
    rm "$T/faults"
    ctctl sync --wait
    went_past 1
    cmp "$(kept 1)" "$T/fuller.tar.gz"
}

@test "a fuller version that is damaged in the store is not taken for kept, and the thinner one waits" {
    local object
    object=$(ls "$T"/server/objects/bundles/*/"$ID.v1.tar.gz")
    printf 'X' | dd of="$object" bs=1 seek=20 conv=notrunc status=none
    rewrite
    within problem_says 'is not what was uploaded'
    status '.problems[].cure' | grep -q 'ctctl sync'
    waits_behind 1
    not kept 1
    [ -z "$(find "$XDG_STATE_HOME" -path '*/kept/.*' -type f)" ]
    rm "$object"
    ctctl sync
    within problem_says 'is not in its object store'
    cp "$T/fuller.tar.gz" "$object"
    ctctl sync --wait
    went_past 1
    cmp "$(kept 1)" "$T/fuller.tar.gz"
}

@test "a version that the server has no more holds nothing up" {
    stop_daemon
    api DELETE "/sessions/$ID" >/dev/null
    rewrite
    start_daemon
    ctctl sync --wait
    went_past 1
    not kept 1
}

@test "what nothing is recorded of is kept as the server lists it" {
    stop_daemon
    sqlite3 "$(find "$XDG_STATE_HOME" -name state.db)" "UPDATE sessions SET sha256 = '', size_bytes = 0"
    rewrite
    start_daemon
    ctctl sync --wait
    went_past 1
    cmp "$(kept 1)" "$T/fuller.tar.gz"
}

@test "a daemon that dies while it fetches leaves no half of a bundle behind" {
    echo 'GET /bundles/.* 503' >"$T/faults"
    rewrite
    within grep -q '^object GET .* 503' "$T/server.log"
    stop_daemon -KILL
    : >"$(dirname "$(find "$XDG_STATE_HOME" -type d -name spool)")/kept/.$ID.v1.00000000"
    rm "$T/faults"
    start_daemon
    ctctl sync --wait
    went_past 1
    cmp "$(kept 1)" "$T/fuller.tar.gz"
    [ -z "$(find "$XDG_STATE_HOME" -path '*/kept/.*' -type f)" ]
}
