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

@test "the daemon has read the list before the pull" {
    begin
    : >"$T/server.log"
    start_daemon
    within listed
    ctctl pull "$ID"
    within state_is synced
    alone
    sitting_is_one 1
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

@test "the pull comes while the daemon is down" {
    begin
    ctctl pull "$ID"
    start_daemon
    within state_is synced
    alone
    sitting_is_one 1
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

@test "in a sealed account it is the same, with the list read before the pull or after" {
    "$CT_BUILD/tests/bundle/sealone" --key >/dev/null
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    push
    machine bob
    amending
    project src/web.app
    install -D -m 600 "$T/alice/home/alice/.codeteleport/keyring" "$CODETELEPORT_CONFIG_DIR/keyring"
    : >"$T/server.log"
    start_daemon
    within listed
    ctctl pull "$ID"
    within state_is synced
    turn "bob's first"
    turn "bob's second"
    state_is synced
    stop_daemon
    session add "$CLAUDE_CONFIG_DIR" "$ID" "before the daemon"
    start_daemon
    ctctl sync --wait
    state_is synced
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
    ! grep -q "alice's own" "$(here "$ID")"
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
