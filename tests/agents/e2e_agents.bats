#!/usr/bin/env bats
# Sessions of several agents side by side.  The real ones are in heavy_pi.bats.

load ../e2e/lib
load ../e2e/pull_lib

setup() {
    [[ $BATS_TEST_DESCRIPTION != *sealed* ]] || return 0
    make_home
    start_server
    log_in
    ID=$(new_id) PI_ID=$(new_id)
    W=$HOME/src/web.app
    mkdir -p "$W"
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    pi_session "$PI_ID"
}

teardown() {
    end_home
}

# pi_session ID: as pi writes one, of a prompt and an answer
pi_session() {
    local dir=$HOME/.pi/agent/sessions/--$(tr / - <<<"${W:1}")--
    mkdir -p "$dir"
    PI_FILE=$dir/2026-11-30T03-02-22-846Z_$1.jsonl
    command jq -nc --arg id "$1" --arg w "$W" '{type: "session", version: 3, id: $id,
        timestamp: "2026-11-30T03:02:22.846Z", cwd: $w},
        {type: "message", id: "c99e5175", parentId: null, timestamp: "2026-11-30T03:02:22.941Z",
         message: {role: "user", content: [{type: "text", text: "a zebra of pi"}], timestamp: 1796007742939}},
        {type: "message", id: "21d00638", parentId: "c99e5175", timestamp: "2026-11-30T03:02:23.158Z",
         message: {role: "assistant", content: [{type: "thinking", thinking: ("in " + $w), thinkingSignature: "c2ln"},
         {type: "text", text: ("It has stripes, in " + $w)}], model: "m", stopReason: "stop"}}' \
        >"$PI_FILE"
    echo marker-in-auth >"$HOME/.pi/agent/auth.json"
}

# agents: of the sessions that are saved, in order
agents() { ctctl --json list "$@" | command jq -r '[.[] | select(.state == "synced") | .agent] | sort | join(" ")'; }
agents_are() { [ "$(agents)" = "$1" ]; }

@test "an upgrade saves Claude Code alone and says who else is here; a word saves all, live, and tells them apart" {
    start_daemon
    within agents_are claude-code
    ctctl status >"$T/said"
    grep -q "pi is here and not saved" "$T/said"
    printf 'agents = "auto";\n' >>"$XDG_CONFIG_HOME/codeteleport/codeteleportd.conf"
    kill -HUP "$DAEMON_PID"
    within agents_are "claude-code pi"
    ctctl status >"$T/said"
    ! grep -qi "not saved" "$T/said" || false
    [ "$(agents --agent pi)" = pi ]
    [ "$(agents --agent claude-code)" = claude-code ]
    ctctl list | grep -q AGENT
    ctctl list --cloud --agent pi | grep -q "${PI_ID:0:8}"
    ! ctctl list --cloud --agent pi | grep -q "${ID:0:8}" || false
    ctctl search zebra --agent pi | grep -q "${PI_ID:0:8}"
    ! ctctl search zebra --agent claude-code || false
    # A bundle that says that it is another agent's brings nothing of the conversation: it is refused.
    ctctl export "$PI_ID" -o "$T/true.tgz"
    mkdir "$T/lie"
    tar -xzf "$T/true.tgz" -C "$T/lie"
    command jq -c '.agentId = "claude-code"' "$T/lie/meta.json" >"$T/meta" && mv "$T/meta" "$T/lie/meta.json"
    tar -czf "$T/lie.tgz" -C "$T/lie" meta.json session.jsonl
    find "$CLAUDE_CONFIG_DIR" | sort >"$T/before"
    run ctctl import "$T/lie.tgz" --as-copy --target-dir "$W"
    [ "$status" != 0 ] && grep -q "its records are not" <<<"$output"
    find "$CLAUDE_CONFIG_DIR" -not -path '*/.codeteleport*' | sort | diff <(grep -v '/\.codeteleport' "$T/before") -
    # What goes on goes on; the one with an id that is taken is named, and does not touch the other.
    pi_session "$ID"
    within eval 'ctctl status | grep -q "a session of pi is NOT saved"'
    ctctl status | head -n 1 | grep -q "NOT SAFE"
    rm "$PI_FILE"
    within eval '! ctctl status | grep -q "NOT SAFE"'
    # Nor does a pull bring such a one.
    command jq -c --arg id "$ID" '.sessionId = $id | del(.contentId) | .agentId = "pi"' "$T/lie/meta.json" >"$T/meta" &&
        mv "$T/meta" "$T/lie/meta.json"
    sed -i "s/$PI_ID/$ID/" "$T/lie/session.jsonl"
    tar -czf "$T/lie.tgz" -C "$T/lie" meta.json session.jsonl
    run ctctl import "$T/lie.tgz" --target-dir "$W"
    [ "$status" != 0 ] && grep -q "one of Claude Code's" <<<"$output"
    agents_are "claude-code pi"
    ! grep -ra marker-in-auth "$T/server" "$XDG_STATE_HOME" "$T"/*.log
}

@test "a turn of pi that is over is saved without waiting until it is quiet" {
    conf 'quiet = 3600; longest_wait = 7200; turn_quiet = 0.1; distance = 0; agents = "pi";'
    rm "$PI_FILE"
    start_daemon
    pi_session "$PI_ID"
    within agents_are pi
}

@test "sealed, a session of pi comes whole: moved but for what is signed, and home again without a backup" {
    two_machines
    "$CT_BUILD/tests/bundle/sealone" --key >/dev/null
    printf 'agents = "auto";\n' >>"$XDG_CONFIG_HOME/codeteleport/codeteleportd.conf"
    W=$(project src/web.app) ID=$(new_id)
    pi_session "$ID"
    A=$W AT_A=$PI_FILE
    push

    machine bob
    install -D -m 600 "$T/alice/home/alice/.codeteleport/keyring" "$CODETELEPORT_CONFIG_DIR/keyring"
    printf 'agents = "auto";\n' >>"$XDG_CONFIG_HOME/codeteleport/codeteleportd.conf"
    B=$(project "my code/web.app")
    start_daemon
    # Nothing of pi is here yet; what comes is noticed, live.
    ctctl pull "$ID" --target-dir "$B"
    AT_B="$HOME/.pi/agent/sessions/--$(tr / - <<<"${B:1}")--/$(basename "$AT_A")"
    sed "s|$A|$B|g; s|\"in $B\"|\"in $A\"|" "$AT_A" | diff - "$AT_B"
    command jq -nc '{type: "message", id: "aaaa0001", parentId: "21d00638", timestamp: "2026-11-30T04:00:00.000Z",
        message: {role: "user", content: "and at night?", timestamp: 1796011200000}}' >>"$AT_B"
    within versions_are "$ID" 2
    stop_daemon

    machine alice
    cp "$AT_A" "$T/before"
    ctctl pull --update
    cmp -n "$(stat -c %s "$T/before")" "$T/before" "$AT_A"
    grep -q "at night" "$AT_A"
    ! grep -F "$B" "$AT_A" || false
    [ "$(ctctl --json backups | command jq length)" = 0 ]
    # Beside it, under an id of its own, in a file that is called after that.
    ctctl pull "$ID" --as-copy --target-dir "$A"
    [ "$(find "$(dirname "$AT_A")" -name '2026-11-30T03-02-22-846Z_*.jsonl' | wc -l)" = 2 ]
}

@test "a stock client's bundle of Codex comes to its dated place, and its working files into a new folder" {
    id=01a22a5c-10f3-7311-be4c-c7c4ed7323ee name=rollout-2026-11-30T02-50-06-01a22a5c-10f3-7311-be4c-c7c4ed7323ee.jsonl
    one=$(printf %040d 1) two=$(printf %040d 2) three=$(printf %040d 3)
    mkdir -p "$T/in/extra-files"
    echo '{"agentId":"codex","formatVersion":2,"rolloutFileName":"'$name'","rolloutRelPath":"sessions/2026/11/30/'$name'","sessionId":"'$id'","sourceCodexHome":"/home/al/.codex","sourceCwd":"/home/al/p","sourceUserDir":"/home/al"}' \
        >"$T/in/meta.json"
    printf '%s\n' '{"timestamp":"2026-11-30T02:50:06.492Z","ordinal":0,"type":"session_meta","payload":{"id":"'$id'","cwd":"/home/al/p"}}' \
        '{"timestamp":"2026-11-30T02:50:07.492Z","ordinal":1,"type":"event_msg","payload":{"type":"user_message","message":"count in /home/al/p"}}' \
        >"$T/in/session.jsonl"
    echo '[{"originalPath":"/home/al/p/src/a.c","stored":"extra-files/'$one'"},{"originalPath":"/home/al/p/.git/config","stored":"'$two'"},{"originalPath":"/etc/../x/y","stored":"'$three'"}]' \
        >"$T/in/extra-files-manifest.json"
    echo one >"$T/in/extra-files/$one"
    echo two >"$T/in/extra-files/$two"
    echo three >"$T/in/extra-files/$three"
    tar -czf "$T/bundle" -C "$T/in" meta.json session.jsonl extra-files-manifest.json "extra-files/$one" "extra-files/$two" "extra-files/$three"

    ctctl import "$T/bundle" --target-dir "$W" --with-files "$T/files" >"$T/said" 2>&1
    cat "$T/said"
    grep -q "codex resume $id" "$T/said"
    grep -qF "count in $W" "$HOME/.codex/sessions/2026/11/30/$name"
    [ "$(cd "$T/files" && find . -type f | sort | tr '\n' ' ')" = "./_git/config ./elsewhere/etc/_./x/y ./src/a.c " ]
    [ "$(cat "$T/files/src/a.c")" = one ]
    [ -z "$(find "$T/files" -perm /177 -type f)" ]
    [ ! -e "$W/src" ]
    run ctctl import "$T/bundle" --target-dir "$W" --with-files "$T/files"
    [ "$status" -ne 0 ]
    [[ $output == *"wants a folder that is not there yet"* ]]
    rm "$HOME/.codex/sessions/2026/11/30/$name"
    run ctctl import "$T/bundle" --target-dir "$W"
    [[ $output == *"src/a.c (a working file; --with-files DIR takes it out)"* ]]

    # And the other way round.
    echo 'agents = "auto";' >>"$XDG_CONFIG_HOME/codeteleport/codeteleportd.conf"
    ctctl export "$id" -o "$T/back" --local
    tar -xzOf "$T/back" meta.json | command jq -e --arg name "$name" '.rolloutFileName == $name and
        .rolloutRelPath == "sessions/2026/11/30/" + $name and .sourceCodexHome != null and .agentId == "codex"'

    # Its words as a session of another agent, which has nothing but words in it.
    new=$(ctctl --json pull "$id" --as claude-code --target-dir "$W" | command jq -er .sessionId)
    ctctl cat "$new" | grep -q "count in $W"
    ctctl cat "$new" | grep -q "was begun in Codex, as session $id"
    other=$(ctctl --json pull "$ID" --as codex --target-dir "$W" | command jq -er .sessionId)
    [ "$(find "$HOME/.codex/sessions" -name "*$other.jsonl" -perm 600 | wc -l)" = 1 ]
    ctctl cat "$other" | grep -q "was begun in Claude Code, as session $ID"
}

# qwen_chat, copilot_session: as these write one, with all that lies beside it
qwen_chat() {
    local q=$HOME/.qwen p=$HOME/.qwen/projects/$(encoded "$W")
    mkdir -p "$p/chats" "$p/subagents/$1" "$p/memory" "$q/file-history/$1" "$q/todos" "$q/plans"
    command jq -nc --arg id "$1" --arg w "$W" 'def r($n; $p; $t; $from): {uuid: $n, parentUuid: $p, sessionId: $id,
        timestamp: "2026-11-30T02:59:05.299Z", type: $t, provenance: $from, cwd: $w, version: "0.24.4", gitBranch: "main"};
        r("5da89a40-2b4b-4bab-8ed1-803671467a80"; null; "user"; "real_user") +
            {message: {role: "user", parts: [{text: ("a tapir in " + $w)}]}},
        r("c7d61b8b-c6cc-4a7d-95be-1f96a4de787f"; "5da89a40-2b4b-4bab-8ed1-803671467a80"; "assistant"; "assistant_output") +
            {model: "m", message: {role: "model", parts: [{text: "It swims."}]}}' >"$p/chats/$1.jsonl"
    command jq -nc --arg w "$W" '{type: "user", message: {parts: [{text: ("a calf in " + $w)}]}}' \
        >"$p/subagents/$1/agent-x.jsonl"
    echo "{\"agentId\": \"x\", \"cwd\": \"$W\"}" >"$p/subagents/$1/agent-x.meta.json"
    echo "- tapirs swim" >"$p/memory/MEMORY.md"
    echo "was" >"$q/file-history/$1/0123456789abcdef@v1"
    echo '[]' >"$q/todos/$1.json"
    echo "the plan" >"$q/plans/$1.md"
    echo marker-in-auth | tee "$q/oauth_creds.json" "$q/settings.json" "$p/chats/$1.runtime.json" >/dev/null
}

copilot_session() {
    local d=$HOME/.copilot/session-state/$1
    mkdir -p "$d/checkpoints" "$d/files/sub" "$d/rewind-file-snapshots/backups"
    command jq -nc --arg id "$1" --arg w "$W" 'def u($n): "f232965d-3e8c-4379-bb81-d46ab2d2d3c\($n)";
        def r($t; $n): {type: $t, id: u($n), timestamp: "2026-11-30T03:00:1\($n).131Z",
            parentId: (if $n > 0 then u($n - 1) else null end)};
        r("session.start"; 0) + {data: {sessionId: $id, version: 1, context: {cwd: $w, branch: "main"}}},
        r("user.message"; 1) + {data: {content: ("an okapi in " + $w)}},
        r("assistant.message"; 2) + {data: {messageId: "x", content: "It hides.", toolRequests: []}},
        r("assistant.turn_end"; 3) + {data: {turnId: "0"}}' >"$d/events.jsonl"
    printf 'id: %s\ncwd: %s\nname: okapis\n' "$1" "$W" >"$d/workspace.yaml"
    echo "the plan" >"$d/plan.md"
    echo "# index" >"$d/checkpoints/index.md"
    echo "a file" >"$d/files/sub/x.txt"
    echo '{"schema": 1, "snapshots": []}' >"$d/rewind-file-snapshots/index.json"
    echo "was" >"$d/rewind-file-snapshots/backups/0123"
    echo marker-in-db | tee "$d/session.db" "$HOME/.copilot/config.json" >/dev/null
}

@test "sealed, a chat of Qwen Code and a session of Copilot come whole, with what lies beside them" {
    two_machines
    "$CT_BUILD/tests/bundle/sealone" --key >/dev/null
    W=$(project src/web.app) A=$W
    Q=$(new_id) C=$(new_id)
    qwen_chat "$Q"
    copilot_session "$C"
    printf 'agents = ["qwen", "copilot"];\n' >>"$XDG_CONFIG_HOME/codeteleport/codeteleportd.conf"
    start_daemon
    within agents_are "copilot qwen"
    ctctl show "$C" | grep -q "to-do list is a database"
    stop_daemon

    machine bob
    install -D -m 600 "$T/alice/home/alice/.codeteleport/keyring" "$CODETELEPORT_CONFIG_DIR/keyring"
    printf 'agents = "auto";\n' >>"$XDG_CONFIG_HOME/codeteleport/codeteleportd.conf"
    B=$(project "my code/web.app")
    ctctl pull "$Q" --target-dir "$B"
    ctctl pull "$C" --target-dir "$B"
    # Each file is where its program looks, with this machine's paths, and no other file is.
    for i in "$Q" "$C"; do
        [ "$i" = "$Q" ] && d=.qwen || d=.copilot
        (cd "$T/alice/home/alice/$d" && find . -type f | grep -v 'oauth\|settings\|runtime\|session.db\|config.json' |
            sed "s|$(encoded "$A")|$(encoded "$B")|" | sort) >"$T/want"
        (cd "$HOME/$d" && find . -type f -not -path '*/.codeteleport/*' | sort) | diff "$T/want" -
    done
    ! grep -rF "$A" "$HOME/.qwen" "$HOME/.copilot" || false
    grep -q "cwd: \"$B\"" "$HOME/.copilot/session-state/$C/workspace.yaml"

    # What was archived meanwhile is the same session, and an update finds it where it lies.
    command jq -nc --arg id "$Q" --arg w "$B" '{uuid: "aaaaaaaa-2b4b-4bab-8ed1-803671467a80",
        parentUuid: "c7d61b8b-c6cc-4a7d-95be-1f96a4de787f", sessionId: $id, timestamp: "2026-11-30T04:00:00.000Z", type: "user",
        provenance: "real_user", cwd: $w, version: "0.24.4", message: {role: "user", parts: [{text: "and at night?"}]}}' \
        >>"$HOME/.qwen/projects/$(encoded "$B")/chats/$Q.jsonl"
    push
    machine alice
    mkdir "$HOME/.qwen/projects/$(encoded "$A")/chats/archive"
    mv "$HOME/.qwen/projects/$(encoded "$A")/chats/$Q.jsonl" "$HOME/.qwen/projects/$(encoded "$A")/chats/archive/"
    ctctl pull --update
    [ "$(find "$HOME/.qwen" -name "$Q.jsonl" -not -path '*/.codeteleport/*' | wc -l)" = 1 ]
    grep -rq "at night" "$HOME/.qwen/projects"
    ! grep -ra marker-in "$T/server" "$T"/*.log || false
}
