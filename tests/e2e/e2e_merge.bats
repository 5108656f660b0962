#!/usr/bin/env bats
# Two machines went on with one session, each without the other: pull --merge makes one of both, and
# loses nothing of either.

load lib
load pull_lib

setup() {
    saved_by_alice
    ctctl pull "$ID"
    start_daemon
    ctctl sync --wait
    stop_daemon
    machine alice
}

teardown() {
    end_home
}

# beside: the folder of the session's own files
beside() { dirname "$(here "$ID")"; }

# open_here: a running process says that it works on the session
open_here() {
    mkdir -p "$CLAUDE_CONFIG_DIR/sessions"
    printf '{"pid":%s,"sessionId":"%s","procStart":"%s"}' $$ "$ID" "$(cut -d' ' -f22 /proc/$$/stat)" \
        >"$CLAUDE_CONFIG_DIR/sessions/$$.json"
}

# stands: the current version and the heads beside it; what is only pinned is none
stands() {
    ctctl --json versions "$ID" | jq -c '[.currentVersion, [.versions[] | select(.isHead) | .version]] | [.[0], .[1] - [.[0]]]'
}

# apart: alice and bob go on, each alone; what bob did is uploaded first
apart() {
    machine bob
    session add "$CLAUDE_CONFIG_DIR" "$ID" "bob's work"
    printf -- '- bob knows\n' >>"$(beside)/memory/MEMORY.md"
    printf 'tabs\nbob: four wide\n' >"$(beside)/memory/style.md"
    echo "bob's two" >"$CLAUDE_CONFIG_DIR/file-history/$ID/74f89b15ace58fc9@v2"
    mkdir -p "$(beside)/$ID/tool-results"
    echo "bob's result" >"$(beside)/$ID/tool-results/r2.txt"
    printf '{"id":"1","subject":"bob"}' >"$CLAUDE_CONFIG_DIR/tasks/$ID/1.json"
    session side "$(beside)/$ID/subagents/agent-a1.jsonl" "bob asks"
    push
    machine alice
    session add "$CLAUDE_CONFIG_DIR" "$ID" "alice's work"
    printf -- '- alice knows\n' >>"$(beside)/memory/MEMORY.md"
    printf 'tabs\nalice: eight wide\n' >"$(beside)/memory/style.md"
    echo "alice's two" >"$CLAUDE_CONFIG_DIR/file-history/$ID/74f89b15ace58fc9@v2"
    printf '{"id":"1","subject":"alice"}' >"$CLAUDE_CONFIG_DIR/tasks/$ID/1.json"
    session side "$(beside)/$ID/subagents/agent-a1.jsonl" "alice asks"
}

@test "both branches are in it, nothing beside them is lost, and its version builds on both" {
    apart
    find "$T/alice" "$T/bob" -path '*/.claude/projects/*' -name "$ID.jsonl" -exec cat {} + | grep -o '"uuid":"[^"]*"' |
        sort -u >"$T/want"
    start_daemon
    ctctl sync --wait
    [ "$(ctctl --json versions "$ID" | jq -c '[.versions[] | select(.pinned) | .version] as $p | [.currentVersion, .heads - $p]')" = "[2,[3]]" ]
    cp "$(here "$ID")" "$T/before.jsonl"
    run ctctl pull "$ID" --merge
    [ "$status" -eq 64 ]
    cmp "$(here "$ID")" "$T/before.jsonl"
    ctctl pull "$ID" --merge --yes 2>&1 | tee "$T/out"
    tr '\n' ' ' <"$T/out" | tr -s ' ' >"$T/said"
    grep -q "here: 2 messages that version 2 of bob lacks; there: 2 messages that are not here" "$T/said"
    grep -q "Merged into session ${ID:0:8}, version 2" "$T/said"
    grep -o '"uuid":"[^"]*"' "$(here "$ID")" | sort -u | diff "$T/want" -
    # Beside it: by line, by record, and by content where two have one name.
    grep -q "alice knows" "$(beside)/memory/MEMORY.md"
    grep -q "bob knows" "$(beside)/memory/MEMORY.md"
    grep -q "alice: eight" "$(beside)/memory/style.md"
    grep -q "bob: four" "$(beside)/memory/style.md"
    grep -q "alice asks" "$(beside)/$ID/subagents/agent-a1.jsonl"
    grep -q "bob asks" "$(beside)/$ID/subagents/agent-a1.jsonl"
    [ "$(cat "$(beside)/$ID/tool-results/r2.txt")" = "bob's result" ]
    cat "$CLAUDE_CONFIG_DIR/file-history/$ID"/*@v* >"$T/versions"
    grep -q "alice's two" "$T/versions"
    grep -q "bob's two" "$T/versions"
    [ "$(cat "$CLAUDE_CONFIG_DIR/tasks/$ID/1.json" "$(beside)/$ID"/codeteleport-other/*-1.json | jq -r .subject | sort | xargs)" = "alice bob" ]
    grep -q "bob's work" "$CLAUDE_CONFIG_DIR/history.jsonl"
    # What was here is kept, and the daemon's next version builds on both.
    find "$CLAUDE_CONFIG_DIR/.codeteleport" -name "$ID.jsonl" -exec cmp "$T/before.jsonl" {} \;
    ctctl sync --wait
    ctctl --json versions "$ID" | tee "$T/v.json"
    [ "$(jq -c '[.versions[] | select(.pinned) | .version] as $p | [.currentVersion, .heads - $p]' "$T/v.json")" = "[4,[]]" ]
    [ "$(jq -c '[.versions[] | select(.version == 4) | .baseVersions[] | (.version? // .)] | sort' "$T/v.json")" = "[2,3]" ]
    [ "$(ctctl --json list | jq -r '.[0].state')" = synced ]
    # Again, nothing happens; and the other machine goes forward.
    ctctl --json pull "$ID" --merge --yes | jq -e '.outcome == "already-here"'
    stop_daemon
    machine bob
    [ "$(pulled "$ID")" = updated ]
    grep -o '"uuid":"[^"]*"' "$(here "$ID")" | sort -u | diff "$T/want" -
    grep -q "alice asks" "$(beside)/$ID/subagents/agent-a1.jsonl"
}

# state: what the daemon says of the session
state() { ctctl --json show "$ID" | jq -r .state; }

@test "a merge that was broken off contains nothing, and the other's work stays a head" {
    command -v strace >/dev/null || skip "strace is not here"
    apart
    push
    # Killed when the transcript was to be renamed into its place.
    cp "$(here "$ID")" "$T/before.jsonl"
    for n in $(seq 30 -1 1); do
        cp "$T/before.jsonl" "$(here "$ID")"
        ASAN_OPTIONS=detect_leaks=0 strace -f -o "$T/trace" -e trace=renameat -e inject=renameat:signal=KILL:when=$n \
            ctctl pull "$ID" --merge --yes >/dev/null 2>&1 || true
        cmp -s "$T/before.jsonl" "$(here "$ID")" && grep -q "$ID.jsonl" "$T/trace" && break
    done
    cmp "$T/before.jsonl" "$(here "$ID")"
    [ -e "$(find "$XDG_STATE_HOME" -path '*/adopted/*.json')" ]
    session add "$CLAUDE_CONFIG_DIR" "$ID" "alice goes on"
    push
    ctctl --json versions "$ID" | tee "$T/v.json"
    [ "$(jq -c '[.versions[] | select(.pinned) | .version] as $p | [.currentVersion, .heads - $p]' "$T/v.json")" = "[2,[4]]" ]
    # Done again, it does the rest.
    ctctl pull "$ID" --merge --yes
    push
    [ "$(ctctl --json versions "$ID" | jq -c '[.versions[] | select(.pinned) | .version] as $p | [.currentVersion, .heads - $p]')" = "[5,[]]" ]
    grep -q "bob's work" "$(here "$ID")"
}

@test "three machines: heads are merged one after the other before the next upload, which builds on all" {
    apart
    push
    third carol
    C=$(project src/web.app)
    ctctl pull "$ID" --version 1
    session add "$CLAUDE_CONFIG_DIR" "$ID" "carol's work"
    push
    [ "$(stands)" = "[2,[4,3]]" ]
    ctctl pull "$ID" --merge --yes
    ctctl pull "$ID" --merge --yes 2>&1 | tee "$T/out"
    for who in alice bob carol; do grep -q "$who's work" "$(here "$ID")"; done
    ! grep -q "that this doesn't" "$T/out" || false
    push
    ctctl --json versions "$ID" | tee "$T/v.json"
    [ "$(stands)" = "[5,[]]" ]
    [ "$(jq -c '[.versions[] | select(.version == 5) | .baseVersions[] | (.version? // .)] | sort' "$T/v.json")" = "[2,3,4]" ]
}

@test "who has all of it already says so to the server with the next turn" {
    apart
    push
    machine bob
    ctctl pull "$ID" --merge --yes
    [ "$(pulled "$ID" --merge --yes)" = kept ] || [ "$(jq -r .outcome "$T/pull.json")" = already-here ]
    push
    [ "$(stands)" = "[4,[]]" ]
    # Alice merges too, not knowing of it: there is nothing that only she has.
    machine alice
    [ "$(pulled "$ID" --merge --yes)" = updated ]
    session add "$CLAUDE_CONFIG_DIR" "$ID" "alice goes on"
    push
    [ "$(stands)" = "[5,[]]" ]
}

@test "a merge that races uploads of both loses nothing" {
    apart
    start_daemon
    session add "$CLAUDE_CONFIG_DIR" "$ID" "alice, while it goes up"
    ctctl pull "$ID" --merge --yes || ctctl pull "$ID" --merge --yes
    # Bob uploads once more before alice's union does.
    goes_on_bob=$(machine bob; session add "$CLAUDE_CONFIG_DIR" "$ID" "bob, late"; push; echo done)
    [ "${goes_on_bob##*$'\n'}" = done ]
    ctctl sync --wait || true
    ctctl --json versions "$ID" | tee "$T/v.json"
    third carol
    project src/web.app
    for v in $(jq '.currentVersion, .heads[]' "$T/v.json"); do
        fetch "$ID" "$T/$v.tgz" "$v"
        tar -xzOf "$T/$v.tgz" session.jsonl >>"$T/all.jsonl"
    done
    for words in "alice's work" "bob's work" "alice, while it goes up" "bob, late"; do grep -q "$words" "$T/all.jsonl"; done
    ctctl pull "$ID" --merge --yes
    for words in "alice's work" "bob's work" "alice, while it goes up" "bob, late"; do grep -q "$words" "$(here "$ID")"; done
    push
    ctctl --json versions "$ID" | jq -e '[.versions[] | select(.pinned) | .version] as $p | .heads - $p == []'
}

@test "nothing is merged into a session that is open, and a rehearsal touches nothing" {
    apart
    push
    tree >"$T/before"
    ctctl pull "$ID" --merge --dry-run 2>&1 | tee "$T/out"
    grep -q "Would merge into session" "$T/out"
    tree | diff "$T/before" -
    open_here
    tree >"$T/before"
    run ctctl pull "$ID" --merge --yes
    [ "$status" -ne 0 ]
    grep -q "Claude Code is running on session" <<<"$output"
    tree | diff "$T/before" -
}

@test "pull --update leaves an open session alone, says so, and fails nothing" {
    session add "$CLAUDE_CONFIG_DIR" "$ID" "alice's work"
    push
    machine bob
    open_here
    tree >"$T/before"
    run ctctl pull --update
    [ "$status" -eq 0 ]
    grep -q "1 session left alone that Claude Code is running on" <<<"$output"
    tree | diff "$T/before" -
    ctctl --json pull --update | jq -e '.open == 1 and .failed == 0'
    run ctctl pull --update --force
    [ "$status" -eq 64 ]
    rm "$CLAUDE_CONFIG_DIR/sessions"/*.json
    ctctl pull --update
    grep -q "alice's work" "$(here "$ID")"
}

@test "pull --all with a later --map moves what is already here" {
    machine bob
    rm -rf "$CLAUDE_CONFIG_DIR/projects"
    ctctl pull --all
    [[ "$(here "$ID")" == *"$(encoded "$B")"* ]]
    mkdir -p "$T/elsewhere/web.app"
    ctctl --json pull --all --map "$T/alice/home/alice/src=$T/elsewhere" >"$T/pull.json"
    jq -e '.failed == 0' "$T/pull.json"
    [[ "$(here "$ID")" == *"$(encoded "$T/elsewhere/web.app")/$ID.jsonl" ]]
    grep -q "elsewhere/web.app" "$(here "$ID")"
    # And then it is there.
    ctctl --json pull --all --map "$T/alice/home/alice/src=$T/elsewhere" | jq -e '.sessions == [] and .alreadyHere == 1'
}

# everywhere WORD...: each is in something that the session has here
everywhere() {
    local word
    for word; do
        grep -rq "$word" "$(here "$ID")" "$(beside)/$ID" || { echo "nowhere: $word"; return 1; }
    done
}

@test "sealed versions are merged where the key is; what a union can't hold goes on beside it" {
    ctctl key init --no-confirm
    # What bob has had in clear is an account's for ever; this is their own.
    ID=$(new_id)
    session new "$CLAUDE_CONFIG_DIR" "$(project src/web.app)" "$ID" 2
    session add "$CLAUDE_CONFIG_DIR" "$ID" "alice seals"
    push
    machine bob
    install -D -m 600 "$T/alice/home/alice/.codeteleport/keyring" "$CODETELEPORT_CONFIG_DIR/keyring"
    ctctl pull "$ID"
    # A tool rewrote what both have; a prompt waits; a newer agent wrote what nobody knows.
    sed -i 's/Done: turn 1/Done: BOBSBODY/' "$(here "$ID")"
    sed -i 's/Done: side/Done: BOBSSIDE/' "$(beside)/$ID/subagents/agent-a1.jsonl"
    printf '{"type":"%s","operation":"enqueue","content":"%s","sessionId":"%s"}\n' queue-operation BOBWAITS "$ID" \
        of-tomorrow BOBSFUTURE "$ID" >>"$(here "$ID")"
    session add "$CLAUDE_CONFIG_DIR" "$ID" "bob's work"
    push
    machine alice
    session add "$CLAUDE_CONFIG_DIR" "$ID" "alice's work"
    push
    ctctl --json versions "$ID" | jq -e '[.versions[] | select(.pinned) | .version] as $p | (.heads - $p) | length == 1'
    ctctl pull "$ID" --merge --yes
    for words in "alice seals" "alice's work" "bob's work"; do grep -q "$words" "$(here "$ID")"; done
    everywhere BOBSBODY BOBSSIDE BOBWAITS BOBSFUTURE
    push
    # An update that says the same in other words takes nothing away either.
    machine bob
    sed -i 's/Done: bob seals/Done: BOBSLAST/; s/Done: turn 0/Done: BOBSFIRST/' "$(here "$ID")"
    ctctl pull --update
    everywhere BOBSBODY BOBSSIDE BOBWAITS BOBSFUTURE BOBSFIRST "alice's work"
    machine alice
    ctctl --json versions "$ID" | jq -e '[.versions[] | select(.pinned) | .version] as $p | .heads - $p == []'
}

@test "a merge of which clean-up took a file before it was saved contains nothing either" {
    apart
    push
    ctctl pull "$ID" --merge --yes
    rm "$(beside)/$ID/tool-results/r2.txt"
    push
    [ "$(stands)" = '[2,[4]]' ]
    ctctl pull "$ID" --merge --yes
    push
    [ "$(stands)" = '[5,[]]' ]
    [ "$(cat "$(beside)/$ID/tool-results/r2.txt")" = "bob's result" ]
}

@test "what a person replaced by an older version is in no merge with that one" {
    apart
    push
    [ "$(stands)" = '[2,[3]]' ]
    ctctl pull "$ID" --version 1 --force
    ctctl pull "$ID" --version 2 --merge --yes
    session add "$CLAUDE_CONFIG_DIR" "$ID" "alice goes on"
    push
    ctctl --json versions "$ID" | jq -e '[.versions[] | select(.isHead) | .version] | index(3)'
}
