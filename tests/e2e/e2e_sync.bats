#!/usr/bin/env bats
# Real input through the real programs: what lies in a data folder is in the object store.

load lib

setup() {
    make_home
    start_server
    log_in
}

teardown() {
    end_home
}

# transcripts: session ids below the data folder, each once, sidechains left out
transcripts() {
    find "$CLAUDE_CONFIG_DIR/projects" -mindepth 2 -maxdepth 2 -name '*.jsonl' -printf '%f\n' |
        sed 's/\.jsonl$//' | grep -E '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' | sort -u
}

# is_said: does what comes in hold a prompt or an answer?  Else it is no session: titles, commands.
is_said() {
    jq -Rn '[inputs | fromjson? | select(.type == "assistant" or (.type == "user" and (.isMeta | not) and
        (.message.content | tostring | test("^<(command-name|local-command-stdout)>") | not)))] | length > 0' |
        grep -qx true
}

check_all_synced() {
    local id
    ctctl --json list --cloud --limit 1000 | jq -r '.sessions[].id' | sort >"$T/cloud"
    transcripts | while read -r id; do
        if find "$CLAUDE_CONFIG_DIR/projects" -name "$id.jsonl" -exec cat {} + | is_said ||
            grep -rlqE --include='agent-*.jsonl' "\"sessionId\": ?\"$id\"" "$CLAUDE_CONFIG_DIR/projects"; then
            echo "$id"
        fi
    done >"$T/local"
    diff "$T/local" "$T/cloud"
    while read -r id; do
        versions_are "$id" 1
        bundle_equals "$id" "$(find "$CLAUDE_CONFIG_DIR/projects" -name "$id.jsonl" -printf '%s %p\n' |
            sort -rn | head -n 1 | cut -d' ' -f2-)"
    done <"$T/local"
}

@test "a data folder syncs once and completely, and a second time costs nothing" {
    cp -r "$CT_SRC/tests/fixtures/claude-code-2.1.197/." "$CLAUDE_CONFIG_DIR/"
    run codeteleportd --once
    echo "$output"
    [ "$status" -eq 0 ]
    check_all_synced
    run codeteleportd --once
    [ "$status" -eq 0 ]
    check_all_synced
}

@test "a bundle has the entries of the format, meta.json first" {
    cp -r "$CT_SRC/tests/fixtures/claude-code-2.1.197/." "$CLAUDE_CONFIG_DIR/"
    codeteleportd --once
    fetch be457695-37fc-41a9-a90d-363a62823032 "$T/b.tar.gz"
    tar -tzf "$T/b.tar.gz" >"$T/names"
    [ "$(head -n 1 "$T/names")" = meta.json ]
    grep -qx session.jsonl "$T/names"
    grep -qx session-subdir/subagents/agent-a782aa7ce9fa9fc84.jsonl "$T/names"
    tar -xzOf "$T/b.tar.gz" meta.json >"$T/meta.json"
    [ "$(jq -r .sessionId "$T/meta.json")" = be457695-37fc-41a9-a90d-363a62823032 ]
    [ "$(jq -r .formatVersion "$T/meta.json")" = 2 ]
    [ "$(jq -r .agentId "$T/meta.json")" = claude-code ]
    [ "$(jq -r .sourceCwd "$T/meta.json")" = /home/alice/src/py_tool ]
    fetch 29221bf7-7040-4307-a9fe-98a5a4582811 "$T/b.tar.gz"
    tar -tzf "$T/b.tar.gz" >"$T/names"
    grep -qx 'file-history/74f89b15ace58fc9@v2' "$T/names"
    grep -qx paste-cache/376585f309b1c630.txt "$T/names"
    grep -qx history.jsonl "$T/names"
    tar -xzOf "$T/b.tar.gz" history.jsonl >"$T/history.jsonl"
    grep -v 29221bf7-7040-4307-a9fe-98a5a4582811 "$CLAUDE_CONFIG_DIR/history.jsonl" >"$T/others" || true
    ! grep -qFf "$T/others" "$T/history.jsonl" || [ ! -s "$T/others" ]
    [ "$(wc -l <"$T/history.jsonl")" = \
        "$(grep -c 29221bf7-7040-4307-a9fe-98a5a4582811 "$CLAUDE_CONFIG_DIR/history.jsonl")" ]
}

@test "both folders that Claude Code 2.1.197 wrote sync completely" {
    local s
    for s in claude-code-2.1.197 claude-code-2.1.197-live; do
        [ -d "$CT_SAMPLES/$s" ] || skip "the sample data is not here"
        rm -rf "$CLAUDE_CONFIG_DIR" "$XDG_STATE_HOME"
        cp -r "$CT_SAMPLES/$s" "$CLAUDE_CONFIG_DIR"
        chmod -R u+w "$CLAUDE_CONFIG_DIR"
        log_in "$s@example.org"
        codeteleportd --once
        check_all_synced
    done
}

@test "the public transcripts sync completely, sidechains never as sessions" {
    [ -d "$CT_SAMPLES/real" ] || skip "the sample data is not here"
    cp -r "$CT_SAMPLES/real/projects" "$CLAUDE_CONFIG_DIR/"
    chmod -R u+w "$CLAUDE_CONFIG_DIR"
    codeteleportd --once
    check_all_synced
    [ "$(wc -l <"$T/cloud")" -ge 35 ]
    # every flat sidechain is in the bundle of the session that it names
    fetch cb2e607c-c758-415a-8b45-c49e4631906a "$T/b.tar.gz"
    tar -tzf "$T/b.tar.gz" | grep -q 'session-subdir/subagents/agent-'
}

@test "a transcript that is not JSON is kept as it is" {
    local id f
    id=$(new_id) f=$(transcript "$id")
    printf 'not json\n}{\n\0\0\0\n// comment\n{"type":"user"' >"$f"
    codeteleportd --once
    bundle_equals "$id" "$f"
    [ "$(ctctl --json versions "$id" | jq '.versions | length')" = 1 ]
}

@test "file names that are not UTF-8 or hold control characters go along or are named" {
    local id f d
    id=$(new_id) f=$(transcript "$id") d=${f%.jsonl}/tool-results
    line hello >"$f"
    mkdir -p "$d"
    printf 'a' >"$d/"$'new\nline'
    printf 'b' >"$d/"$'esc\033[31m'
    printf 'c' >"$d/"$'\xff\xfe.txt'
    start_daemon
    ctctl sync --wait
    fetch "$id" "$T/b.tar.gz"
    python3 -S - "$T/b.tar.gz" <<'PY' >"$T/found"
import sys, tarfile
with tarfile.open(sys.argv[1], errors="surrogateescape") as t:
    for m in t.getmembers():
        print(ascii(m.name))
PY
    n=$(grep -c tool-results "$T/found")
    skipped=$(ctctl --json show "$id" | jq '.skipped | length')
    [ "$((n + skipped))" = 3 ]
    # and nothing raw reaches the terminal
    ! ctctl show "$id" | grep -q $'\033'
}

@test "a hook of Claude Code tells that a turn is over, and nothing else" {
    local id=$(new_id)
    hook() { printf '%s' "$1" | ctctl plugin hook >"$T/hook" 2>&1; }
    conf 'quiet = 3600; turn_quiet = 0.1; longest_wait = 3600; distance = 0;'
    line one >"$(transcript "$id")"
    hook "{\"session_id\":\"$id\",\"hook_event_name\":\"Stop\"}"
    [ ! -s "$T/hook" ]
    hook "{\"session_id\":\"$id\",\"hook_event_name\":\"SessionStart\",\"source\":\"resume\"}"
    jq -e '.systemMessage | test("daemon is not running")' "$T/hook"
    start_daemon
    ctctl sync --wait
    line two >>"$(transcript "$id")"
    within sh -c "ctctl --json show $id | jq -e '.state != \"synced\"'"
    hook "{\"session_id\":\"$id\",\"hook_event_name\":\"Stop\"}"
    [ ! -s "$T/hook" ]
    within sh -c "ctctl --json show $id | jq -e '.state == \"synced\"'"
    bundle_equals "$id" "$(transcript "$id")"
    # It is nobody's word: what is deleted or paused stays so.
    ctctl delete --yes "$id"
    line three >>"$(transcript "$id")"
    hook "{\"session_id\":\"$id\",\"hook_event_name\":\"SessionEnd\"}"
    other=$(new_id)
    ctctl pause 1h
    line one >"$(transcript "$other")"
    within sh -c "ctctl --json list | grep -q $other"
    hook "{\"session_id\":\"$other\",\"hook_event_name\":\"Stop\"}"
    sleep 0.5
    [ "$(api GET /sessions | jq '.sessions | length')" = 0 ]
    ctctl resume
    hook "{\"session_id\":\"$other\",\"hook_event_name\":\"Stop\"}"
    within sh -c "ctctl --json show $other | jq -e '.state == \"synced\"'"
    [ "$(api GET /sessions | jq -r '.sessions[].id')" = "$other" ]
    # However much it is told, all of it is read, and the session is found in it.
    line four >>"$(transcript "$other")"
    { printf '{"deep":%0200d' 0 | sed 's/0/[/g'; printf '%0200d' 0 | sed 's/0/]/g'
        printf ',"last_assistant_message":"%010000000d",' 0
        printf '"session_id":"%s","hook_event_name":"Stop"}' "$other"; } >"$T/long"
    # Where changes are looked for now and then, the word of before may be of this one.
    within sh -c "ctctl --json show $other | jq -e '.state != \"synced\" or .version > 1'"
    ctctl plugin hook <"$T/long"
    within sh -c "ctctl --json show $other | jq -e '.state == \"synced\"'"
    # A daemon that hangs, or somebody who never says all, holds up nobody and is no failure.
    kill -STOP "$DAEMON_PID"
    for event in Stop SessionEnd SessionStart; do
        timeout 20 ctctl plugin hook <<<"{\"session_id\":\"$other\",\"hook_event_name\":\"$event\"}"
    done
    kill -CONT "$DAEMON_PID"
    mkfifo "$T/fifo"
    timeout 20 ctctl plugin hook <>"$T/fifo"
    # What is no hook's does nothing, and says nothing.
    for junk in '' junk '[]' '{"session_id":"../../x","hook_event_name":"Stop"}' '{"session_id":7}'; do
        hook "$junk"
        [ ! -s "$T/hook" ]
    done
}
