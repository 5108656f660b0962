#!/usr/bin/env bats
# Who pulls a session and goes on with it alone has not gone apart from anybody: in whatever order
# the pull, the daemon's start, its reading of the list and the next turn came.

load lib
load pull_lib

setup() {
    two_machines
    ID=$(new_id)
    W=$(project src/web.app)
}

teardown() {
    end_home
}

# turn WORDS: one more of them, safe
turn() {
    session add "$CLAUDE_CONFIG_DIR" "$ID" "$1"
    ctctl sync --wait
}

state_is() {
    ctctl --json show "$ID" | tee "$T/show.json"
    [ "$(jq -r .state "$T/show.json")" = "$1" ] && [ "$(jq .elsewhereVersion "$T/show.json")" = null ]
}

listed() { grep -q "route=/v1/sessions status=200" "$T/server.log"; }

alone() {
    turn "bob's first"
    state_is synced
    turn "bob's second"
    turn "bob's third"
    state_is synced
    # The daemon reads the list again, and is of the same opinion.
    stop_daemon
    start_daemon
    turn "bob's fourth"
    state_is synced
}

# A sitting is one version beside what was there.
sitting_is_one() { [ "$(versions "$ID")" -le $(($1 + 1)) ]; }

amending() { conf "quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5; device_name = \"bob\"; amend = true;"; }

begin() {
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    push
    machine bob
    amending
    project src/web.app
}

@test "what was pulled is another machine's version and ours: a daemon that comes anew is of that opinion" {
    begin
    start_daemon
    ctctl pull "$ID"
    within state_is synced
    stop_daemon
    : >"$T/server.log"
    start_daemon
    within listed
    ctctl sync --wait
    state_is synced
    ctctl status --line | grep -qv diverged
    [ "$(ctctl status --json | jq '.problems | length')" = 0 ]
}

@test "pull and a turn come while the daemon is down" {
    begin
    ctctl pull --all
    session add "$CLAUDE_CONFIG_DIR" "$ID" "before the daemon"
    start_daemon
    ctctl sync --wait
    state_is synced
    alone
    sitting_is_one 1
}

@test "what was behind is pulled and gone on with while the daemon is down" {
    begin
    start_daemon
    ctctl pull "$ID"
    within state_is synced
    turn "bob's"
    stop_daemon
    machine alice
    ctctl pull --update
    session add "$CLAUDE_CONFIG_DIR" "$ID" "alice's"
    push
    machine bob
    start_daemon
    within state_is_behind
    stop_daemon
    ctctl pull "$ID"
    session add "$CLAUDE_CONFIG_DIR" "$ID" "bob's again"
    start_daemon
    ctctl sync --wait
    state_is synced
}

state_is_behind() { ctctl --json show "$ID" | jq -e '.state == "behind"'; }

@test "the books are lost after a pull, and after a turn" {
    begin
    ctctl pull "$ID"
    start_daemon
    within state_is synced
    stop_daemon
    rm -f "$XDG_STATE_HOME"/codeteleport/*/accounts/*/state.db*
    start_daemon
    turn "bob's first"
    state_is synced
    stop_daemon
    rm -f "$XDG_STATE_HOME"/codeteleport/*/accounts/*/state.db*
    session add "$CLAUDE_CONFIG_DIR" "$ID" "without books"
    start_daemon
    ctctl sync --wait
    state_is synced
    # What was said last is what everybody gets.
    machine alice
    ctctl pull --update
    grep -q "without books" "$(here "$ID")"
}

@test "two machines went on apart: pull and versions name the other's version, and pull takes it by its number" {
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    push
    machine bob
    amending
    project src/web.app
    start_daemon
    ctctl pull "$ID"
    within state_is synced
    turn "bob's own"
    stop_daemon
    machine alice
    session add "$CLAUDE_CONFIG_DIR" "$ID" "alice's own"
    push
    machine carol
    printf 'correct horse battery' | ctctl login --email me@example.org --password-stdin --api-url "$API"
    project src/web.app
    ctctl pull "$ID" 2>"$T/said"
    tr '\n' ' ' <"$T/said" | tr -s ' ' >"$T/line"
    grep -q "alice has 2 messages that this doesn't: ctctl pull ${ID:0:8} --version 3" "$T/line"
    ! grep -q "alice's own" "$(here "$ID")" || false
    grep -q "bob's own" "$(here "$ID")"
    ctctl versions "$ID" | tee "$T/versions"
    grep -qE '^ *3 +head .*alice' "$T/versions"
    grep -qE '^ *2 +current .*bob' "$T/versions"
    ctctl pull "$ID" --version 3 --force
    grep -q "alice's own" "$(here "$ID")"
}

# more_beside NAME: alice's subagent writes, and her transcript stays as it is
more_beside() {
    machine alice
    mkdir -p "$(dirname "$(here "$ID")")/$ID/subagents"
    printf '{"type":"user","uuid":"%s","parentUuid":null,"isSidechain":true,"sessionId":"%s",%s}\n' \
        "$(new_id)" "$ID" '"timestamp":"2020-01-01T00:00:00.000Z","message":{"role":"user","content":"look"}' \
        >"$(dirname "$(here "$ID")")/$ID/subagents/agent-$1.jsonl"
    push
    machine bob
}

has_beside() { [ -s "$(dirname "$(here "$ID")")/$ID/subagents/agent-$1.jsonl" ]; }

@test "what holds more and ends with the same record is fetched by pull --update, once" {
    begin
    ctctl pull "$ID"
    more_beside early
    ctctl --json pull --update >"$T/update.json"
    jq -e '[.sessions[].version] == [2]' "$T/update.json"
    has_beside early
    ctctl --json pull --update | jq -e '.sessions == [] and .alreadyHere == 1'
    # The daemon's books tell the same, and what this machine made itself is not fetched.
    start_daemon
    within state_is synced
    ctctl --json pull --update | jq -e '.sessions == [] and .alreadyHere == 1'
    more_beside late
    ctctl pull --update
    has_beside late
    ctctl --json pull --update | jq -e '.sessions == [] and .alreadyHere == 1'
    turn "bob's"
    ctctl --json pull --update | jq -e '.sessions == [] and .alreadyHere == 1'
}

# ---- the table: when the daemon learns of the pull, what the account is like, what happens then

# again: this machine logs in to the account, wherever the server is now
again() {
    printf 'correct horse battery' | ctctl login --email me@example.org --password-stdin \
        --api-url "$API" >>"$T/login.log" 2>&1
}

# goes_on_alone WHEN KIND THEN: bob pulls alice's session and goes on with it
#   WHEN: up, the daemon runs; down, it does not; before, it has read the list
#   KIND: clear, sealed
#   THEN: same; port, the server moves to another one; lost, bob's state is lost
goes_on_alone() {
    [ "$2" = clear ] || "$CT_BUILD/tests/bundle/sealone" --key >/dev/null
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    push
    machine bob
    amending
    project src/web.app
    [ "$2" = clear ] || install -D -m 600 "$T/alice/home/alice/.codeteleport/keyring" "$CODETELEPORT_CONFIG_DIR/keyring"
    : >"$T/server.log"
    [ "$1" = down ] || start_daemon
    [ "$1" != before ] || within listed
    ctctl pull "$ID"
    [ "$1" = down ] || within state_is synced
    [ "$1" = down ] || stop_daemon
    case $3 in
    port)
        stop_server
        API_PORT=0 OBJECTS_PORT=0
        start_server
        again
        rm -f "$XDG_STATE_HOME"/codeteleport/*/account.json # nobody is here who could confirm it
        ;;
    lost)
        rm -rf "$XDG_STATE_HOME"
        again
        ;;
    esac
    session add "$CLAUDE_CONFIG_DIR" "$ID" "bob's zeroth"
    start_daemon
    ctctl sync --wait
    state_is synced
    alone
    # All of it is one line, and a sitting is one version of it.
    [ "$3" != same ] || sitting_is_one 1
    [ "$(ctctl --json versions "$ID" | jq '[.versions[] | select(.pinned | not)] | length')" -le 3 ]
    ctctl --json versions "$ID" | jq -e '[.versions[] | select(.pinned) | .version] as $p | .heads - $p == []'
    stop_daemon
}

# row WHEN KIND: with each of THEN; only one of them unless all are asked for
row() {
    local then
    for then in same port lost; do
        [ "${CT_FULL:-no}" = yes ] || [ "$then" = "$3" ] || continue
        echo "# $1 $2 $then"
        goes_on_alone "$1" "$2" "$then"
        end_home
        setup
    done
}

@test "table: the daemon runs, in clear" {
    row up clear port
}

@test "table: the daemon runs, sealed" {
    row up sealed lost
}

@test "table: the daemon is down, in clear" {
    row down clear lost
}

@test "table: the daemon is down, sealed" {
    row down sealed port
}

@test "table: the daemon has read the list, in clear" {
    row before clear same
}

@test "table: the daemon has read the list, sealed" {
    row before sealed port
}
