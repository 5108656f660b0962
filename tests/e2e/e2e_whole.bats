#!/usr/bin/env bats
# All that belongs to a session is saved with it and comes home with it.

load lib
load pull_lib

setup() {
    two_machines
    conf 'quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5; device_name = "alice"; amend = false;'
}

teardown() {
    end_home
}

# talk: a new session; its id in ID, its transcript in F
talk() {
    ID=$(new_id)
    F=$(transcript "$ID")
    line hello | sed 's/"type":"user"/&,"slug":"calm-blue-fox"/' >"$F"
}

# put PATH TEXT: a file below the data folder
put() {
    mkdir -p "$(dirname "$CLAUDE_CONFIG_DIR/$1")"
    echo "$2" >"$CLAUDE_CONFIG_DIR/$1"
}

# comes_home PATH...: all of them are with bob after a pull of everything
comes_home() {
    local p
    ctctl sync --wait
    machine bob
    ctctl pull --all
    for p in "$@"; do
        cmp "$T/alice/home/alice/.claude/$p" "$CLAUDE_CONFIG_DIR/$p"
    done
    machine alice
}

@test "a team's tasks, their counter, what was uploaded and the plans of subagents come home" {
    start_daemon
    talk
    put "tasks/session-${ID%%-*}/1.json" '{"id":"1","subject":"of the team"}'
    put "tasks/session-${ID%%-*}/.highwatermark" 7
    put "tasks/$ID/1.json" '{"id":"1","subject":"of its own"}'
    put "tasks/$ID/.highwatermark" 3
    put "uploads/$ID/deep/picture.png" pixels
    put plans/calm-blue-fox.md 'its plan'
    put plans/calm-blue-fox-agent-a1b2.md "its agent's plan"
    put plans/other-fox-agent-a1b2.md "somebody else's"
    comes_home "tasks/session-${ID%%-*}/1.json" "tasks/session-${ID%%-*}/.highwatermark" \
        "tasks/$ID/1.json" "tasks/$ID/.highwatermark" "uploads/$ID/deep/picture.png" \
        plans/calm-blue-fox.md plans/calm-blue-fox-agent-a1b2.md
    # each of them makes a new version when it changes alone
    put "tasks/session-${ID%%-*}/2.json" '{"id":"2","subject":"another"}'
    within versions_are "$ID" 2
    put plans/calm-blue-fox-agent-c3d4.md "another agent's plan"
    within versions_are "$ID" 3
}
