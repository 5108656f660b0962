#!/usr/bin/env bats
# Coming home: what one machine saved goes on on another one, with the real programs.

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

# undone FILE FROM-USER TO-USER: the text with one user's home put back for the other's
undone() { sed "s|$T/$2/home/$2|$T/$3/home/$3|g" "$1"; }

@test "a session comes whole to another machine, user, home and path, and goes on there and back" {
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 3
    push
    cp "$(here "$ID")" "$T/alice.jsonl"
    machine bob
    B=$(project src/web.app)
    run ctctl pull "${ID:0:8}"
    echo "$output"
    [ "$status" -eq 0 ]
    grep -qxF "cd $(quoted "$B") && claude --resume $ID" <<<"$output"
    grep -qF "feature/ü" <<<"$output"
    # Undone, the transcript is what it was, to the byte, but for its modes; and so is all else.
    local name=$(encoded "$B")
    undone "$CLAUDE_CONFIG_DIR/projects/$name/$ID.jsonl" bob alice | talk | cmp - <(talk "$T/alice.jsonl")
    tail -n 1 "$CLAUDE_CONFIG_DIR/projects/$name/$ID.jsonl" |
        jq -e '.type == "permission-mode" and .permissionMode == "default"'
    undone "$CLAUDE_CONFIG_DIR/history.jsonl" bob alice | cmp - "$T/alice/home/alice/.claude/history.jsonl"
    undone "$CLAUDE_CONFIG_DIR/tasks/$ID/1.json" bob alice |
        cmp - "$T/alice/home/alice/.claude/tasks/$ID/1.json"
    # What a tool wrote is no JSON: its bytes stay.
    cmp "$CLAUDE_CONFIG_DIR/projects/$name/$ID/tool-results/r1.txt" \
        "$(dirname "$(find "$T/alice" -name r1.txt)")/r1.txt"
    diff <(cd "$CLAUDE_CONFIG_DIR" && find . -type f -not -path "./.codeteleport/*" | sed "s|$name|P|" | sort) \
        <(cd "$T/alice/home/alice/.claude" && find . -type f | sed "s|$(encoded "$W")|P|" | sort)
    [ -z "$(find "$CLAUDE_CONFIG_DIR" -type f ! -perm 600)" ]
    [ -z "$(find "$CLAUDE_CONFIG_DIR" -mindepth 1 -type d ! -perm 700)" ]
    # It goes on here, and the first machine gets that.
    session add "$CLAUDE_CONFIG_DIR" "$ID" "from bob"
    push
    machine alice
    [ "$(pulled --update | wc -l)" -ge 0 ]
    [ "$(jq -r '.sessions[0].outcome' "$T/pull.json")" = updated ]
    undone "$(here "$ID")" alice bob | talk |
        cmp - <(talk "$T/bob/home/bob/.claude/projects/$name/$ID.jsonl")
    undone "$CLAUDE_CONFIG_DIR/history.jsonl" alice bob | cmp - "$T/bob/home/bob/.claude/history.jsonl"
    ctctl --json pull --update | jq -e '.sessions == [] and .alreadyHere == 1'
}

@test "what it cites of its data folder is there, what was signed is as it was, a script runs" {
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 1
    local cited="$CLAUDE_CONFIG_DIR/projects/$(encoded "$W")/$ID/tool-results/r1.txt" name
    [ -e "$cited" ]
    chmod 700 "$CLAUDE_CONFIG_DIR/file-history/$ID/74f89b15ace58fc9@v1"
    python3 -S - "$ID" "$W" "$cited" >>"$(here "$ID")" <<'P'
import json, sys
sid, cwd, cited = sys.argv[1:]
print(json.dumps({"type": "user", "uuid": "cccccccc-0000-4000-8000-000000000001", "sessionId": sid, "cwd": cwd,
    "message": {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "saved to " + cited}]}}))
print(json.dumps({"type": "assistant", "uuid": "cccccccc-0000-4000-8000-000000000002", "sessionId": sid, "cwd": cwd,
    "message": {"id": "m", "role": "assistant", "content": [
        {"type": "thinking", "thinking": "look into " + cwd + "/main.c", "signature": "SIG"},
        {"type": "text", "text": "see " + cwd + "/main.c"},
        {"type": "tool_use", "id": "a", "name": "Task", "input": {"subagent_type": "reviewer"}},
        {"type": "tool_use", "id": "b", "name": "Task", "input": {"subagent_type": "Explore"}},
        {"type": "tool_use", "id": "c", "name": "Skill", "input": {"skill": "release"}}]}}))
home = cwd[:cwd.index("/src/")]
files = [(home + "/.claude/CLAUDE.md", "User"), (cwd + "/CLAUDE.md", "Project"), (cwd + "/CLAUDE.local.md", "Local"),
         (home + "/.claude/projects/x/memory/MEMORY.md", "AutoMem"), ("/etc/claude-code/CLAUDE.md", "Managed"),
         (home + "/../CLAUDE.md", "User")]
for n, attachment in enumerate(({"type": "instructions", "files": [
        {"path": p, "type": t, "content": "do"} for p, t in files]}, {"type": "nested_memory", "path": cwd + "/sub/CLAUDE.md",
        "content": {"path": cwd + "/sub/CLAUDE.md", "type": "Project", "content": "do"}})):
    print(json.dumps({"type": "attachment", "uuid": "cccccccc-0000-4000-8000-00000000001%d" % n, "sessionId": sid,
        "cwd": cwd, "attachment": attachment}))
P
    push
    machine bob
    B=$(project src/web.app)
    mkdir -p "$B/.claude/skills/release"
    touch "$B/.claude/skills/release/SKILL.md" "$B/CLAUDE.local.md"
    pulled "$ID" 2>"$T/said"
    grep -qF "it used the agent reviewer, ~/.claude/CLAUDE.md, CLAUDE.md, sub/CLAUDE.md, which this machine has no file for" "$T/said"
    name=$(jq -r 'select(.uuid == "cccccccc-0000-4000-8000-000000000001").message.content[0].content' "$(here "$ID")")
    [ -e "${name#saved to }" ]
    [[ "$name" == "saved to $HOME/"* ]]
    jq -r 'select(.uuid == "cccccccc-0000-4000-8000-000000000002").message.content[] | .thinking, .text // empty' \
        "$(here "$ID")" | grep -v null | diff - <(printf 'look into %s/main.c\nsee %s/main.c\n' "$W" "$B")
    [ -x "$CLAUDE_CONFIG_DIR/file-history/$ID/74f89b15ace58fc9@v1" ]
}

@test "what was pulled before the daemon's first start goes on, and has not diverged" {
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    push
    machine bob
    project src/web.app
    pulled "$ID"
    start_daemon
    ctctl sync --wait --timeout 60
    session add "$CLAUDE_CONFIG_DIR" "$ID" "bob's own"
    ctctl sync --wait --timeout 60
    versions_are "$ID" 2
    [ "$(ctctl --json list | jq -r '.[0].state')" = synced ]
}

@test "the daemon takes over what was pulled and uploads nothing" {
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    push
    machine bob
    project src/web.app
    # Without a daemon, and then with one.
    pulled "$ID"
    start_daemon
    within status_is .sessions.synced 1
    ctctl sync --wait --timeout 60
    versions_are "$ID" 1
    [ "$(ctctl --json list | jq -r '.[0].state, .[0].version')" = "$(printf 'synced\n1')" ]
    stop_daemon
    machine alice
    session add "$CLAUDE_CONFIG_DIR" "$ID" "one more"
    push
    versions_are "$ID" 2
    machine bob
    start_daemon
    [ "$(pulled "$ID")" = updated ]
    within sh -c "[ \"\$(ctctl --json list | jq .[0].version)\" = 2 ]"
    ctctl sync --wait --timeout 60
    versions_are "$ID" 2
    # What is written after that is news.
    session add "$CLAUDE_CONFIG_DIR" "$ID" "bob's own"
    ctctl sync --wait --timeout 60
    versions_are "$ID" 3
    [ ! -e "$(find "$XDG_STATE_HOME" -path '*/adopted/*.json')" ]
}

@test "a pull that was killed before its last step uploads nothing either, and the next one is adopted" {
    command -v strace >/dev/null || skip "strace is not here"
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    push
    machine bob
    project src/web.app
    pulled "$ID"
    push
    machine alice
    line "one more" >>"$(here "$ID")"
    push
    machine bob
    tree | grep "$ID.jsonl" >"$T/before"
    ! ASAN_OPTIONS=detect_leaks=0 strace -f -o /dev/null -e trace=renameat \
        -e inject=renameat:signal=KILL:when=1 ctctl pull "$ID" || false
    tree | grep "$ID.jsonl" | grep -v stage- | diff "$T/before" -
    [ -e "$(find "$XDG_STATE_HOME" -path '*/adopted/*.json')" ]
    touch "$(here "$ID")"
    start_daemon
    ctctl sync --wait --timeout 60
    versions_are "$ID" 2
    [ "$(ctctl --json list | jq -r '.[0].state, .[0].version')" = "$(printf 'behind\n1')" ]
    [ "$(pulled "$ID")" = updated ]
    within sh -c "[ \"\$(ctctl --json list | jq .[0].version)\" = 2 ]"
    [ "$(ctctl --json list | jq -r '.[0].state')" = synced ]
    ctctl sync --wait --timeout 60
    versions_are "$ID" 2
}

@test "after the server's database was lost and made again from its objects, sessions come home and go on" {
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    push
    local user
    user=$(sqlite3 "$T/server/server.db" "SELECT id FROM users")
    stop_server
    rm "$T"/server/server.db*
    start_server
    codeteleport-server --data "$T/server" adopt "$user=me@example.org"
    again() {
        printf 'correct horse battery' | ctctl login --email me@example.org --password-stdin --api-url "$API"
    }
    printf 'correct horse battery' | codeteleport-server --data "$T/server" user passwd me@example.org
    machine bob
    again
    B=$(project src/web.app)
    ctctl pull "$ID" | grep -xF "cd $(quoted "$B") && claude --resume $ID"
    machine alice
    again
    session add "$CLAUDE_CONFIG_DIR" "$ID" "and on"
    push
    [ "$(versions "$ID")" = 2 ]
    ctctl --json versions "$ID" | jq -e '.currentVersion == 2 and .heads == [] and .versions[0].baseVersions == [1]'
}
