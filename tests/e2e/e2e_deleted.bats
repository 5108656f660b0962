#!/usr/bin/env bats
# What one machine deletes in the cloud, another one has: it is listed as deleted there, and if it
# goes on there nobody takes it for safe.

bats_require_minimum_version 1.5.0
load lib
load pull_lib

setup() {
    two_machines
    ID=$(new_id)
    W=$(project src/web.app)
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    start_daemon
    ctctl sync --wait
}

teardown() {
    end_home
}

state_is() {
    ctctl --json show "$ID" | tee "$T/show.json"
    [ "$(jq -r .state "$T/show.json")" = "$1" ]
}

# deleted_by_bob: on his machine, where no daemon runs
deleted_by_bob() {
    (
        machine bob
        ctctl delete "$ID" --yes
    )
}

in_cloud() { ctctl --json list --cloud | jq -r '.sessions[].id'; }

go_on() { session add "$CLAUDE_CONFIG_DIR" "$ID" "alice goes on"; }

# alarmed: nobody is told that it is safe
alarmed() {
    state_is deleted
    jq -e '.reason | test("deleted it in the cloud on 20..-..-.. at ..:.. UTC")' "$T/show.json"
    run ctctl status
    [[ ${lines[0]} == *"NOT SAFE: the only session was deleted elsewhere, and changed here since"* ]]
    [[ $output == *"ctctl sync ${ID:0:8}; to leave it here alone: ctctl exclude ${ID:0:8}"* ]]
    run ctctl sync --wait
    [ "$status" = 1 ]
    [[ $output == *"${ID:0:8} could not be saved:"*"ctctl exclude ${ID:0:8}"* ]]
    run ctctl doctor
    [[ $output == *"1 session was deleted elsewhere and changed here since"* ]]
    status_is .sessions.synced 0
    status_is .sessions.deleted 1
}

@test "what was deleted elsewhere and went on here is not safe, until it is uploaded again by name" {
    deleted_by_bob
    go_on
    run ctctl sync --wait
    [ "$status" = 1 ]
    alarmed
    stop_daemon
    start_daemon
    alarmed
    ctctl sync --wait "$ID"
    state_is synced
    [ "$(in_cloud)" = "$ID" ]
    status_is .sessions.deleted 0
    within status_is '.problems | length' 0
}

@test "... or until it is told to stay here" {
    deleted_by_bob
    go_on
    run -1 ctctl sync --wait
    ctctl exclude "$ID"
    state_is excluded
    ctctl sync --wait
    [ -z "$(in_cloud)" ]
}

@test "... or until it is taken out of the trash" {
    deleted_by_bob
    go_on
    run -1 ctctl sync --wait
    (
        machine bob
        ctctl undelete "$ID"
    )
    stop_daemon
    start_daemon
    within state_is synced
    [ "$(versions "$ID")" = 2 ]
}

@test "what was deleted elsewhere and is as it was here is listed as that, and no alarm" {
    deleted_by_bob
    stop_daemon
    start_daemon
    within state_is deleted
    status_is .sessions.deletedChanged 0
    status_is .sessions.synced 0
    [[ $(ctctl status) == *"Nothing to save: 1 deleted in the cloud by another machine"* ]]
    jq -e --arg id "${ID:0:8}" '.reason | contains("ctctl sync " + $id)' "$T/show.json"
    run -1 ctctl pull "$ID"
    [[ $output == *"what was deleted: ctctl undelete" ]]
    ctctl sync --wait
    go_on
    run -1 ctctl sync --wait
    alarmed
}

# That it was this machine is the server's word, and who holds its token is this machine too.
@test "what was deleted with this machine's token, and not by ctctl, is an alarm once it changes" {
    api DELETE "/sessions/$ID"
    go_on
    run -1 ctctl sync --wait
    alarmed
}

@test "what this machine deleted itself is no alarm, its daemon running or not" {
    stop_daemon
    ctctl delete "$ID" --yes
    go_on
    start_daemon
    ctctl sync --wait
    within state_is excluded
    [ -z "$(in_cloud)" ]
    ctctl sync --wait "$ID"
    [ "$(in_cloud)" = "$ID" ]
    ctctl delete "$ID" --yes
    go_on
    ctctl sync --wait
    state_is excluded
    # Asked for by name before the daemon has met the deletion that ctctl noted.
    ctctl sync --wait "$ID"
    stop_daemon
    ctctl delete "$ID" --yes
    start_daemon
    ctctl sync --wait "$ID"
    [ "$(in_cloud)" = "$ID" ]
    ctctl delete "$ID" --yes
    [ -z "$(in_cloud)" ]
}

# A machine that has pulled it and worked on, and whose daemon has not run yet.
@test "... nor is one that its daemon has not seen yet kept back when it is asked for by name" {
    stop_daemon
    machine bob
    project src/web.app
    ctctl pull "$ID"
    ctctl delete "$ID" --yes
    session add "$CLAUDE_CONFIG_DIR" "$ID" "bob goes on"
    conf "quiet = 20; longest_wait = 60; device_name = \"bob\";"
    start_daemon
    ctctl sync --wait "$ID"
    [ "$(in_cloud)" = "$ID" ]
}

# again COMMAND...: this machine deleted it, it is there again by that, and then bob deletes it
again() {
    ctctl delete "$ID" --yes
    "$@"
    deleted_by_bob
    go_on
    start_daemon
    ctctl sync --wait && return 1
    alarmed
    ctctl sync --wait "$ID"
    stop_daemon
}

undeleted_and_pulled() {
    (
        machine bob
        ctctl undelete "$ID"
    )
    ctctl pull "$ID" --target-dir "$W"
}

# What ctctl noted while no daemon ran is of that deletion only.
@test "what this machine deleted itself and wanted again is an alarm when another one deletes it" {
    stop_daemon
    again ctctl undelete "$ID"
    again undeleted_and_pulled
}

# What was deleted goes on from no version, and from what a pull has left all the same.
@test "what was merged, deleted elsewhere and saved again by name is the fuller one once it loses its end" {
    stop_daemon
    (
        machine bob
        project src/web.app
        ctctl pull "$ID"
        session add "$CLAUDE_CONFIG_DIR" "$ID" "bob goes on"
        push
    )
    go_on
    ctctl pull "$ID" --merge --yes
    go_on
    end=$(($(wc -l <"$(here "$ID")") + 1))
    session add "$CLAUDE_CONFIG_DIR" "$ID" "what is cut off"
    deleted_by_bob
    start_daemon
    run -1 ctctl sync --wait
    ctctl sync --wait "$ID"
    stop_daemon
    sed -i "$end,\$d" "$(here "$ID")"
    session add "$CLAUDE_CONFIG_DIR" "$ID" "another end"
    push
    ctctl --json versions "$ID" | tee "$T/versions.json"
    v=$(jq '[.versions[] | select(.pinned)][0].version' "$T/versions.json")
    fetch "$ID" "$T/fuller.tgz" "$v"
    tar -xzOf "$T/fuller.tgz" session.jsonl | grep -q "what is cut off"
}

# What the server has lost since is not safe because it is there again.
@test "what is out of the trash of a server that was put back, and lacks what was safe, is saved anew" {
    stop_daemon
    stop_server
    cp -a "$T/server" "$T/backup"
    start_server
    go_on
    push
    stop_server
    rm -rf "$T/server"
    mv "$T/backup" "$T/server"
    start_server
    deleted_by_bob
    start_daemon
    within state_is deleted
    (
        machine bob
        ctctl undelete "$ID"
    )
    stop_daemon
    push
    fetch "$ID" "$T/anew.tgz"
    tar -xzOf "$T/anew.tgz" session.jsonl | grep -q "alice goes on"
}

# What the server refused is in no version, though a bundle of it was made.
@test "what a deletion held up is news when another machine has uploaded the session again" {
    stop_daemon
    (
        machine bob
        project src/web.app
        ctctl pull "$ID"
        push
    )
    deleted_by_bob
    go_on
    start_daemon
    run -1 ctctl sync --wait
    stop_daemon
    machine bob
    session add "$CLAUDE_CONFIG_DIR" "$ID" "bob goes on"
    start_daemon
    ctctl sync --wait "$ID"
    stop_daemon
    machine alice
    start_daemon
    ctctl sync --wait
    state_is diverged
    fetch "$ID" "$T/alice.tgz" "$(jq .version "$T/show.json")"
    tar -xzOf "$T/alice.tgz" session.jsonl | grep -q "alice goes on"
}

# Where the books are lost, nobody knows under which id it was.
@test "sealed, and the books lost: what is out of the trash again goes on" {
    stop_daemon
    ID=$(new_id)
    "$CT_BUILD/tests/bundle/sealone" --key >/dev/null
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    push
    (
        machine bob
        install -D -m 600 "$T/alice/home/alice/.codeteleport/keyring" "$CODETELEPORT_CONFIG_DIR/keyring"
        ctctl delete "$ID" --yes
    )
    find "$XDG_STATE_HOME" -name 'state.db*' -delete
    go_on
    start_daemon
    run -1 ctctl sync --wait
    state_is deleted
    (
        machine bob
        ctctl undelete "$ID"
    )
    within ctctl sync --wait
    state_is synced
}
