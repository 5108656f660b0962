#!/usr/bin/env bats
# What belongs to no session is saved for each device, where somebody has said so, and comes home.

load lib
load pull_lib

setup() {
    two_machines
    SAVING='quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5; device_name = "alice"; profile = true;'
    conf "$SAVING"
}

teardown() {
    end_home
}

# put PATH TEXT: a file below the data folder
put() {
    mkdir -p "$(dirname "$CLAUDE_CONFIG_DIR/$1")"
    printf '%s\n' "$2" >"$CLAUDE_CONFIG_DIR/$1"
}

# loose: one of each kind
loose() {
    put "projects/$(encoded "$HOME/src/lone")/memory/MEMORY.md" '- of a folder without sessions'
    put projects/-srv-elsewhere/memory/MEMORY.md '- not below the home'
    put agent-memory/reviewer/MEMORY.md '- of an agent'
    put memory/personal/notes.md 'of a person'
    put tasks/release-work/1.json '{"id":"1","subject":"named"}'
    put tasks/release-work/.highwatermark 4
    put plans/nobodys-plan.md 'a plan'
}

# spooled: a bundle waits
spooled() {
    find "$XDG_STATE_HOME" -path '*/spool/*' -type f | grep -q .
}

ID=11111111-2222-4333-8444-555555555555

@test "what belongs to no session comes home with all the rest, and is no session" {
    local p
    loose
    line hello | sed 's/"type":"user"/&,"slug":"its-plan"/' >"$(transcript "$ID")"
    put plans/its-plan.md 'of a session'
    start_daemon
    [ "$(ctctl sync --wait)" = "Saved 1 session, and what belongs to none." ]
    within status_is '.profile.state + " " + (.profile.savedAt != null | tostring)' 'on true'
    status_is .sessions.known 1
    [ "$(ctctl --json list | jq length)" = 1 ]
    [ "$(ctctl --json list --cloud | jq -r '.sessions[].id' | sort -u)" = "$ID" ]
    ! ctctl status | grep -qE 'Not saved|Profile' || false
    machine bob
    ctctl pull --all | tee "$T/out"
    grep -q 'profile of alice: 7 added' "$T/out"
    for p in projects/-srv-elsewhere/memory/MEMORY.md agent-memory/reviewer/MEMORY.md \
        memory/personal/notes.md tasks/release-work/1.json tasks/release-work/.highwatermark \
        plans/nobodys-plan.md; do
        cmp "$T/alice/home/alice/.claude/$p" "$CLAUDE_CONFIG_DIR/$p"
    done
    grep -q 'without sessions' "$CLAUDE_CONFIG_DIR/projects/$(encoded "$HOME/src/lone")/memory/MEMORY.md"
    # it is no transcript, neither here nor there
    [ "$(find "$CLAUDE_CONFIG_DIR/projects" -name '*.jsonl' | wc -l)" = 1 ]
    machine alice
}

@test "nothing that is here is replaced: memory is merged by line, the rest stays" {
    loose
    push
    machine bob
    put agent-memory/reviewer/MEMORY.md '- of bob'
    put tasks/release-work/1.json '{"id":"1","subject":"of bob"}'
    put plans/nobodys-plan.md "another plan"
    mkdir -p "$HOME/notes"
    ln -s "$HOME/notes" "$CLAUDE_CONFIG_DIR/memory"
    mkdir -p "$CLAUDE_CONFIG_DIR/projects/-srv-elsewhere/memory"
    head -c 5000000 /dev/zero | tr '\0' x >"$CLAUDE_CONFIG_DIR/projects/-srv-elsewhere/memory/MEMORY.md"
    ctctl pull --profile alice >"$T/out" 2>&1
    grep -q '1 merged' "$T/out"
    # what is another here, too large to be merged, or behind a link that is somebody's own
    [ "$(sed -n 's/.*another one is here and stays: //p' "$T/out" | sort)" = "$(printf '%s\n' memory/personal/notes.md \
        plans/nobodys-plan.md projects/-srv-elsewhere/memory/MEMORY.md tasks/release-work/1.json)" ]
    [ -z "$(ls -A "$HOME/notes")" ]
    [ "$(cat "$CLAUDE_CONFIG_DIR/agent-memory/reviewer/MEMORY.md")" = "$(printf -- '- of bob\n- of an agent')" ]
    grep -q 'of bob' "$CLAUDE_CONFIG_DIR/tasks/release-work/1.json"
    grep -q 'another plan' "$CLAUDE_CONFIG_DIR/plans/nobodys-plan.md"
    # a second time there is nothing left to do
    ctctl pull --profile | grep -q 'profile of alice: 0 added, 0 merged'
    [ "$(ctctl pull --profile nobody 2>&1)" = "ctctl: no device of that name has a profile in the cloud" ]
    machine alice
}

@test "memory beside a stub, which is no session, is nobody's" {
    put projects/-home-al-p/memory/MEMORY.md '- beside a stub'
    printf '{"type":"custom-title","customTitle":"x","sessionId":"%s"}\n' "$ID" >"$(transcript "$ID")"
    push
    machine bob
    ctctl pull --profile | grep -q '1 added'
    grep -rq 'beside a stub' "$CLAUDE_CONFIG_DIR/projects"
    machine alice
}

@test "its change makes a version, a session that takes a plan takes it out" {
    loose
    start_daemon
    ctctl sync --wait
    within status_is '.profile.savedAt != null' true
    put agent-memory/reviewer/more.md 'more'
    ctctl sync --wait
    machine bob
    ctctl pull --profile >/dev/null
    grep -q more "$CLAUDE_CONFIG_DIR/agent-memory/reviewer/more.md"
    machine alice
}

@test "what a newer one lacks is named with the command that brings it; deleted elsewhere it is not safe" {
    local id
    loose
    start_daemon
    ctctl sync --wait
    within status_is '.profile.savedAt != null' true
    # while nobody looks, and of whatever kind
    stop_daemon
    rm -r "$CLAUDE_CONFIG_DIR"/{tasks,plans,memory}
    push
    machine bob
    ctctl pull --profile >"$T/out" 2>&1
    grep -q 'profile of alice: 3 added' "$T/out"
    grep -q 'version 1 of it has 4 files.*: ctctl pull --profile alice --version 1' "$T/out"
    ctctl pull --profile alice --version 1 | grep -q '4 added'
    grep -q named "$CLAUDE_CONFIG_DIR/tasks/release-work/1.json"
    ctctl pull --profile >"$T/out" 2>&1
    ! grep -q 'not here' "$T/out" || false
    # under its id it is no session
    id=$(api GET /sessions | jq -r '.sessions[].id')
    ctctl versions "$id" 2>&1 | grep -q 'version 1, .*: ctctl pull --profile alice --version 1$'
    run ctctl pull "$id"
    [ "$status" -ne 0 ]
    [[ $output == *"ctctl pull --profile"* ]]
    api DELETE "/sessions/$id"
    machine alice
    start_daemon
    put agent-memory/reviewer/more.md 'more'
    within status_is '.profile.upload' deleted
    ctctl status >"$T/out" || true
    grep -q 'NOT SAFE: what belongs to no session' "$T/out"
    kill -USR1 "$(status .daemon.pid)"
    within grep -q 'dump status="NOT SAFE: what belongs to no session' "$T/daemon.log"
    # excluded instead, it is not in the cloud; wanted again, it goes there
    ctctl exclude "${id:0:8}"
    status_is '.profile.upload + " " + (.profile.savedAt | tostring)' 'excluded null'
    ctctl status | grep -q 'Profile .*ctctl include'
    # (that was the word for it, whatever the server says of the deletion from then on)
    ctctl pause
    ctctl include "${id:0:8}"
    ctctl sync --wait
    within status_is '.profile.upload' null
    ctctl resume
    ! ctctl status | grep -q Profile || false
    # it is no session: alone it is said to be there, and counted with none
    status_is .sessions.known 0
    ctctl status | grep -q 'No sessions yet; what belongs to none is saved'
    [ "$(ctctl status --line)" = 'ct: this machine only' ]
}

@test "nothing is saved before somebody has said so, and a server that does not know it gets none" {
    conf "${SAVING/profile = true;/}"
    loose
    start_daemon
    ctctl sync --wait
    status_is .profile.state unsaid
    COLUMNS=200 ctctl status | grep -q 'Profile .*belong to no session are not saved: say profile = true'
    [ "$(api GET /sessions | jq '.sessions | length')" = 0 ]
    # a log-in on a terminal asks, once
    ctctl logout
    run python3 -S "$CT_SRC/tests/e2e/tools/typist.py" 'E-mail [me@example.org]: ' '\n' 'Password: ' \
        'correct horse battery\n' 'sealed?' 'n\n' 'saved?' '\n' -- ctctl login
    echo "$output"
    [ "$status" -eq 0 ]
    grep -q '4 files here belong to no session' <(tr -d '\r\n' <<<"$output")
    within status_is .profile.state on
    ctctl logout
    run python3 -S "$CT_SRC/tests/e2e/tools/typist.py" 'E-mail [me@example.org]: ' '\n' 'Password: ' \
        'correct horse battery\n' 'sealed?' 'n\n' -- ctctl login
    [ "$status" -eq 0 ]
    within status_is .profile.state on
    ctctl sync --wait
    within status_is '.profile.savedAt != null' true
    conf "${SAVING/true/false}"
    kill -HUP "$(status .daemon.pid)"
    within status_is .profile.state off
    ! ctctl status | grep -q Profile
}

# stored: all that the store holds, as text
stored() {
    find "$T" -path '*objects*' -type f -exec sh -c 'gzip -dc "$1" 2>/dev/null' - {} \;
}

@test "of what is excluded nothing leaves, by folder or by id; what may be of it stays and is named" {
    mkdir -p "$HOME/mono/secret" "$HOME/one"
    # as long as there is nothing of that kind, there is nothing to wait for
    start_daemon
    for i in 1 2 3 4 5 6; do [ "$(ctctl --json list | jq 'length')" = 0 ]; done
    session new "$CLAUDE_CONFIG_DIR" "$(project open)" "$(new_id)" 3
    ctctl sync --wait
    within status_is '.profile.upload' null
    [ "$(ctctl --json list | jq 'length')" = 1 ]
    stop_daemon
    loose
    put "projects/$(encoded "$HOME/secret")/memory/MEMORY.md" '- SECRET of an excluded folder'
    put "projects/$(encoded "$HOME/mono")/memory/MEMORY.md" '- SECRET of the repository that it lies in'
    printf '{"display":"%s","pastedContents":{},"timestamp":1,"project":"%s"}\n' SECRET "$HOME/secret/x" \
        OPEN "$HOME/src/lone" >"$CLAUDE_CONFIG_DIR/history.jsonl"
    printf '{"display":"SECRET of who knows where","pastedContents":{},"timestamp":1}\n' >>"$CLAUDE_CONFIG_DIR/history.jsonl"
    start_daemon
    ctctl exclude "$HOME/secret"
    ctctl exclude "$HOME/mono/secret"
    ctctl exclude "$ID"
    mkdir -p "$CLAUDE_CONFIG_DIR/projects/$(encoded "$HOME/one")"
    line hello | sed "s|\"type\":\"user\"|&,\"slug\":\"its-plan\",\"cwd\":\"$HOME/one\"|" \
        >"$CLAUDE_CONFIG_DIR/projects/$(encoded "$HOME/one")/$ID.jsonl"
    put "projects/$(encoded "$HOME/one")/memory/MEMORY.md" '- SECRET of an excluded session'
    put plans/its-plan.md 'SECRET plan'
    put tasks/release-work/2.json '{"subject":"SECRET task"}'
    put teams/reviewers/inboxes/a.json '["SECRET message"]'
    ctctl sync --wait
    within status_is '.profile.savedAt != null' true
    status_is '[.profile.notSaved[].path] | contains(["plans/its-plan.md", "tasks/release-work/2.json",
        "teams/reviewers/inboxes/a.json"])' true
    within status_is '[.profile.notSaved[].path | select(endswith("memory/MEMORY.md"))] | length' 3
    COLUMNS=200 ctctl status | grep -q 'Profile .*saved, but for such as .*in all'
    stop_daemon
    stored >"$T/found"
    grep -a -q OPEN "$T/found"
    grep -a -q 'of an agent' "$T/found"
    ! grep -a -q SECRET "$T/found"
}

@test "what waits does not leave any more once it is excluded, or somebody says no" {
    local id
    loose
    start_daemon
    ctctl sync --wait
    within status_is '.profile.savedAt != null' true
    # what is there already is said, with what removes it
    ctctl exclude "$HOME/src/lone" >"$T/out" 2>&1
    # (the memory of agents, and one's own, is of no folder)
    id=$(sed -n 's/^ctctl: 4 files of what belongs to no session .*: ctctl delete \([0-9a-f]*\); .*/\1/p' "$T/out")
    ctctl delete "$id" --yes
    ctctl sync "$id" --wait
    [ "$(api GET /sessions | jq -c '[.sessions[] | [.id[:8], .versionCount]]')" = "[[\"$id\",1]]" ]
    ctctl exclude "$HOME/src/lone" >"$T/out" 2>&1
    ! grep -q 'to no session' "$T/out" || false
    ctctl include "$HOME/src/lone"
    ctctl sync --wait
    ctctl pause
    put "projects/$(encoded "$HOME/secret")/memory/MEMORY.md" '- SECRET'
    within spooled
    ctctl exclude "$HOME/secret"
    ctctl resume
    ctctl sync --wait
    stored >"$T/found"
    ! grep -a -q SECRET "$T/found" || false
    ctctl include "$HOME/secret"
    ctctl pause
    within spooled
    conf "${SAVING/true/false}"
    kill -HUP "$(status .daemon.pid)"
    within status_is .profile.state off
    ctctl resume
    ctctl sync --wait
    stored >"$T/found"
    ! grep -a -q SECRET "$T/found"
}

# foreign ID DEVICE FILE: a stolen token stores FILE as that device's profile
foreign() {
    local sum a
    sum=sha256:$(sha256sum "$3" | cut -d' ' -f1)
    a=$(api POST /sessions/upload -d "$(jq -nc --arg i "$1" --arg d "$2" --arg s "$sum" \
        --argjson n "$(stat -c %s "$3")" '{sessionId: $i, sourceMachine: $d, sourceCwd: "/x",
        sourceUserDir: "/x", sizeBytes: $n, checksum: $s, metadata: {kind: "profile"}}')")
    curl -sS --cacert "$CA" -T "$3" -H 'Content-Type: application/gzip' "$(jq -r .uploadUrl <<<"$a")"
    api POST "/sessions/$1/confirm" -d "$(jq -c --arg s "$sum" '{version, checksum: $s}' <<<"$a")"
}

# clear_is_listed: `list --clear` has all that the server has in clear, of whatever kind
clear_is_listed() {
    [ "$(api GET /sessions | jq -r '.sessions[] | select(.metadata.sealed | not) | .id' | sort)" = \
        "$(ctctl --json list --clear | jq -r '.sessions[].id' | sort)" ]
}

@test "in clear, nobody's memory speaks in what is worked on here unless asked for; a bad profile holds up no other" {
    local id d
    loose
    push
    machine bob
    mkdir -p "$HOME/src/app"
    d=projects/$(encoded "$HOME/src/app")
    put "$d/$ID.jsonl" "$(line hello | sed "s|\"type\":\"user\"|&,\"cwd\":\"$HOME/src/app\"|")"
    put "$d/memory/MEMORY.md" '- of bob'
    mkdir -p "$T/thief/profile/home-memory/~-src-app"
    printf -- '- EVIL\n' | tee "$T/thief/profile/home-memory/~-src-app/"{MEMORY,new}.md >/dev/null
    : >"$T/thief/session.jsonl"
    id=$(new_id)
    jq -nc --arg i "$id" '{sessionId: $i, sourceCwd: "/x", sourceUserDir: "/home/x",
        agentId: "claude-code", formatVersion: 2, kind: "profile"}' >"$T/thief/meta.json"
    tar czf "$T/bundle" -C "$T/thief" meta.json session.jsonl profile
    foreign "$id" alice "$T/bundle"
    printf 'no bundle' >"$T/bundle"
    id=$(new_id)
    foreign "$id" zoe "$T/bundle"
    clear_is_listed
    run ctctl pull --all
    [ "$status" -ne 0 ]
    [[ $output == *"the profile of zoe (${id:0:8}): this is no bundle"*"ctctl delete ${id:0:8}"* ]]
    [[ $output == *"left out: $d/memory/MEMORY.md: "*"left out: $d/memory/new.md: "*"ctctl pull --profile alice"* ]]
    [[ $output == *"added: agent-memory/reviewer/MEMORY.md"* ]]
    ! grep -r EVIL "$CLAUDE_CONFIG_DIR" || false
    # who asks for it is told of each file
    ctctl pull --profile alice >"$T/out"
    grep -q "merged: $d/memory/MEMORY.md" "$T/out"
    grep -q "added: $d/memory/new.md" "$T/out"
    machine alice
}

@test "sealed, prompts and teams come home too; in clear they don't, and that is said" {
    local strange=$(new_id)
    loose
    put teams/reviewers/config.json '{"name":"reviewers"}'
    printf '{"display":"an old prompt","pastedContents":{"1":{"id":1,"type":"text","contentHash":"cafe0001"}},"timestamp":1,"project":"%s"}\n' \
        "$HOME/src/lone" >"$CLAUDE_CONFIG_DIR/history.jsonl"
    # of a session that was gone before anybody looked, and of one that is here
    printf '{"display":"%s","pastedContents":{},"timestamp":2,"project":"/p","sessionId":"%s"}\n' \
        "of one that is gone" "$(new_id)" "of one that is here" "$ID" "of a stranger" "$strange" >>"$CLAUDE_CONFIG_DIR/history.jsonl"
    put ".codeteleport/origins/$strange" stranger
    line hello >"$(transcript "$ID")"
    put paste-cache/cafe0001.txt 'what was pasted'
    push
    machine bob
    ctctl pull --profile >"$T/out" 2>&1
    grep -q 'left out: profile/teams/reviewers/config.json' "$T/out"
    [ ! -e "$CLAUDE_CONFIG_DIR/teams" ]
    machine alice
    "$CT_BUILD/tests/bundle/sealone" --key >/dev/null
    put agent-memory/reviewer/new.md 'new'
    push
    machine bob
    install -D -m 600 "$T/alice/home/alice/.codeteleport/keyring" "$CODETELEPORT_CONFIG_DIR/keyring"
    # what was in clear goes, once a sealed one holds it
    machine alice
    start_daemon
    ctctl sync --wait
    clear_is_listed
    within status_is .encryption.plain 2
    ctctl list --clear | grep -q 'what belongs to no session'
    ctctl seal --all --yes
    within status_is .encryption.plain 0
    [ "$(ctctl list --clear 2>&1)" = "ctctl: nothing in the cloud is in clear" ]
    stop_daemon
    machine bob
    ctctl pull --profile >"$T/out" 2>&1
    cmp "$T/alice/home/alice/.claude/teams/reviewers/config.json" "$CLAUDE_CONFIG_DIR/teams/reviewers/config.json"
    grep -q "\"an old prompt\".*\"project\":\"$HOME/src/lone\"" "$CLAUDE_CONFIG_DIR/history.jsonl"
    grep -q 'of one that is gone' "$CLAUDE_CONFIG_DIR/history.jsonl"
    [ -z "$(grep -e 'of one that is here' -e 'of a stranger' "$CLAUDE_CONFIG_DIR/history.jsonl")" ]
    [ "$(cat "$CLAUDE_CONFIG_DIR/paste-cache/cafe0001.txt")" = 'what was pasted' ]
    machine alice
}
