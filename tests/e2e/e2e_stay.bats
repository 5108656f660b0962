#!/usr/bin/env bats
# What stays on this machine: what is no session yet, and what somebody said must not leave it.

load lib

setup() {
    make_home
    start_server
}

teardown() { end_home; }

is_safe() { versions_are "$1" "${2:-1}"; }

listed() { ctctl --json list | jq -r '.[].sessionId' | grep -qx "$1"; }

not() { ! "$@"; }

in_cloud() { ctctl --json list --cloud | jq -r '.sessions[].id' | grep -qx "$1"; }

# title TEXT: what an agent writes without a word said
title() {
    printf '{"type":"ai-title","aiTitle":"%s"}\n{"type":"last-prompt","lastPrompt":"/exit"}\n' "$1"
    printf '{"type":"user","uuid":"%s","message":{"role":"user","content":"%s"}}\n' "$(new_id)" \
        '<command-name>/exit</command-name>\n <command-message>exit</command-message>\n <command-args></command-args>'
}

@test "titles without a word, and empty files, are no sessions until something is said" {
    start_daemon
    log_in
    local a=$(new_id) b=$(new_id) c=$(new_id)
    title one >"$(transcript "$a")"
    : >"$(transcript "$b")"
    line hello >"$(transcript "$c")"
    printf '{"display":"/exit","pastedContents":{},"timestamp":1764000000000,"project":"/home/al/p","sessionId":"%s"}\n' \
        "$a" >>"$CLAUDE_CONFIG_DIR/history.jsonl"
    ctctl sync --wait
    is_safe "$c"
    not listed "$a"
    not listed "$b"
    listed "$c"
    not in_cloud "$a"
    not in_cloud "$b"
    status_is .sessions.known 1
    # nor after a restart, which looks at what changed alone
    stop_daemon
    start_daemon
    ctctl sync --wait
    not listed "$a"
    [ "$(status .sessions.pending)" = 0 ]
    line "and here it begins" >>"$(transcript "$a")"
    line "here too" >>"$(transcript "$b")"
    within is_safe "$a"
    within is_safe "$b"
    listed "$a"
}

@test "a stub is a session if anything but its transcript holds something, or a line can't be judged" {
    start_daemon
    log_in
    local a=$(new_id) b=$(new_id) c=$(new_id) d=$(new_id)
    title one >"$(transcript "$a")"
    mkdir -p "$CLAUDE_CONFIG_DIR/projects/-home-al-p/$a/subagents"
    line work >"$CLAUDE_CONFIG_DIR/projects/-home-al-p/$a/subagents/agent-1.jsonl"
    title two >"$(transcript "$b")"
    printf '{"display":"do it","pastedContents":{},"timestamp":1764000000000,"project":"/home/al/p","sessionId":"%s"}\n' \
        "$b" >>"$CLAUDE_CONFIG_DIR/history.jsonl"
    title three >"$(transcript "$c")"
    echo '{"type":"user","torn' >>"$(transcript "$c")"
    title four >"$(transcript "$d")"
    printf '{"type":"user","isCompactSummary":true,"uuid":"%s","message":{"role":"user","content":"Before this, ..."}}\n' \
        "$(new_id)" >>"$(transcript "$d")"
    # What a newer agent writes, words behind a command, what was attached.
    local e=$(new_id) f=$(new_id) g=$(new_id)
    title five >"$(transcript "$e")"
    printf '{"type":"turn-v9","id":"1","text":"what nobody knows yet"}\n' >>"$(transcript "$e")"
    title six >"$(transcript "$f")"
    printf '{"type":"user","uuid":"%s","message":{"role":"user","content":"%s"}}\n' "$(new_id)" \
        "<command-name>/review</command-name><command-args>the parser, please</command-args>" >>"$(transcript "$f")"
    title seven >"$(transcript "$g")"
    printf '{"type":"attachment","uuid":"%s","attachment":{"type":"file","content":"x"}}\n' "$(new_id)" \
        >>"$(transcript "$g")"
    # Prompts that look like commands, in the history alone.
    local h=$(new_id) i=$(new_id)
    title eight >"$(transcript "$h")"
    title nine >"$(transcript "$i")"
    printf '{"display":"/home/al/notes.txt: do what it says","pastedContents":{},"timestamp":1,"project":"/p","sessionId":"%s"}\n' \
        "$h" >>"$CLAUDE_CONFIG_DIR/history.jsonl"
    printf '{"display":"/review","pastedContents":{"1":{"id":1,"type":"text","content":"x"}},"timestamp":1,"project":"/p","sessionId":"%s"}\n' \
        "$i" >>"$CLAUDE_CONFIG_DIR/history.jsonl"
    ctctl sync --wait
    for id in "$a" "$b" "$c" "$d" "$e" "$f" "$g" "$h" "$i"; do is_safe "$id"; done
}

@test "a session that has a version stays one, whatever is left of it here" {
    start_daemon
    log_in
    local a=$(new_id)
    line hello >"$(transcript "$a")"
    ctctl sync --wait
    is_safe "$a"
    : >"$(transcript "$a")"
    ctctl sync --wait
    listed "$a"
    in_cloud "$a"
    [ "$(ctctl --json versions "$a" | jq '[.versions[].messages] | max')" = 1 ]
}

state_of() { ctctl --json show "$1" | jq -r .state; }

state_is() { [ "$(state_of "$1")" = "$2" ]; }

@test "a session is excluded by its id, of whatever length, is listed, and comes back as the same version" {
    start_daemon
    log_in
    local a=aaaaaaa1-0000-4000-8000-000000000001 b=bbbbbbb1-0000-4000-8000-000000000002
    line one >"$(transcript "$a")"
    line two >"$(transcript "$b")"
    ctctl sync --wait
    is_safe "$a"
    cd "$T"
    touch a # a file is no folder
    ctctl exclude a
    state_is "$a" excluded
    [ "$(ctctl --json exclude | jq -r '.rules | length')" = 0 ]
    [ "$(ctctl --json exclude | jq -r '.sessions[].sessionId')" = "$a" ]
    run ctctl exclude
    [[ $output == *aaaaaaa1* ]]
    run ctctl exclude c
    [ "$status" -ne 0 ]
    [[ $output == *"no folder c here"* ]]
    [ "$(ctctl --json exclude | jq -r '.rules | length')" = 0 ]
    # nothing of it leaves meanwhile, whatever becomes of the books
    line more >>"$(transcript "$a")"
    ctctl sync --wait
    is_safe "$a"
    stop_daemon
    rm -f "$T"/state/codeteleport/*/accounts/*/state.db*
    start_daemon
    ctctl sync --wait
    is_safe "$a"
    state_is "$a" excluded
    is_safe "$b"
    ctctl include "$a"
    within is_safe "$a" 2
    # the same bytes are the same version
    ctctl exclude "$a"
    ctctl include "$a"
    ctctl sync --wait
    state_is "$a" "$(state_of "$b")"
    is_safe "$a" 2
}

@test "a folder that is excluded through a symbolic link is so under both its names" {
    local a=$(new_id) b=$(new_id) name
    start_daemon
    log_in
    mkdir -p "$HOME/real/secret" "$HOME/p"
    ln -s "$HOME/real" "$HOME/link"
    ctctl exclude "$HOME/link/secret"
    for name in real link; do
        [ $name = real ] && ID=$a || ID=$b
        line hello | sed "s#/home/al/p#$HOME/$name/secret#" \
            >"$(transcript "$ID" "$(sed 's/[^a-zA-Z0-9]/-/g' <<<"$HOME/$name/secret")")"
    done
    ctctl sync --wait
    not in_cloud "$a"
    not in_cloud "$b"
    ctctl include "$HOME/link/secret"
    ctctl sync --wait
    in_cloud "$a"
    in_cloud "$b"
}

@test "a session in an excluded folder is not included by its id, and says why" {
    start_daemon
    log_in
    local a=$(new_id)
    line one >"$(transcript "$a")"
    ctctl exclude /home/al
    ctctl sync --wait
    state_is "$a" excluded
    run ctctl include "$a"
    [ "$status" -ne 0 ]
    [[ $output == *"excluded folder /home/al"*"ctctl include /home/al"* ]]
    not in_cloud "$a"
}

@test "what was excluded stays excluded, and paused stays paused, when the machine gets another name" {
    command -v unshare >/dev/null && unshare -u true 2>/dev/null || skip "no name of one's own can be had here"
    named() { unshare -u sh -c 'hostname "$0" && exec codeteleportd -v "$@"' "$@"; }
    as_named() { export SYSTEMD_EXEC_PID=$BASHPID; exec unshare -u sh -c 'hostname "$0" && exec codeteleportd -v' "$HOST"; }
    # as the first host: rules where daemons of before kept them
    mkdir -p -m 700 "$T/state/codeteleport/one" "$T/state/codeteleport/two"
    echo '{"exclude":["/home/al/old"],"include":[]}' >"$T/state/codeteleport/one/exclude.json"
    local socket=$XDG_RUNTIME_DIR/codeteleport/control.sock
    HOST=one
    (as_named) >>"$T/daemon.log" 2>&1 3>&- &
    DAEMON_PID=$!
    within ctctl --json status
    log_in
    ctctl exclude /home/al/p
    ctctl pause
    kill "$DAEMON_PID"
    wait "$DAEMON_PID" || true
    HOST=three
    (as_named) >>"$T/daemon.log" 2>&1 3>&- &
    DAEMON_PID=$!
    within ctctl --json status
    status_is .daemon.state paused
    [ "$(ctctl --json exclude | jq -c '[.rules[].path]')" = '["/home/al/old","/home/al/p"]' ]
    ctctl resume
    local a=$(new_id)
    line secret >"$(transcript "$a")"
    ctctl sync --wait
    not in_cloud "$a"
    state_is "$a" excluded
    # a rule that was taken back stays so, although the old file is still there
    ctctl include /home/al/old
    kill "$DAEMON_PID"
    wait "$DAEMON_PID" || true
    HOST=one
    (as_named) >>"$T/daemon.log" 2>&1 3>&- &
    DAEMON_PID=$!
    within ctctl --json status
    [ "$(ctctl --json exclude | jq -c '[.rules[].path]')" = '["/home/al/p"]' ]
}

# said_in DIR TEXT: a record of a session that began in DIR
said_in() {
    printf '{"type":"user","uuid":"%s","timestamp":"2026-11-23T20:00:00.000Z","cwd":"%s","message":{"role":"user","content":"%s"}}\n' \
        "$(new_id)" "$1" "$2"
}

holds_memory() { fetch "$1" "$T/m.tar.gz" && tar -tzf "$T/m.tar.gz" | grep -q '^memory/'; }

@test "memory that an excluded folder could have written stays here and is named: by record, and when in doubt" {
    start_daemon
    log_in
    local secret=$(new_id) open=$(new_id) memory=$CLAUDE_CONFIG_DIR/projects/-home-al-a-b/memory
    # two working folders, one project folder
    ctctl exclude /home/al/a/b
    said_in /home/al/a/b hush >"$(transcript "$secret" -home-al-a-b)"
    mkdir "$memory"
    echo "- learnt in secret" >"$memory/MEMORY.md"
    said_in /home/al/a-b hello >"$(transcript "$open" -home-al-a-b)"
    ctctl sync --wait
    is_safe "$open"
    not in_cloud "$secret"
    not holds_memory "$open"
    run ctctl show "$open"
    [[ $output == *"Left out"*"MEMORY.md: "*"excluded"* ]]
    # the record outlives the session, and a word on the other folder
    rm "$(transcript "$secret" -home-al-a-b)"
    ctctl include /home/al/a-b
    said_in /home/al/a-b more >>"$(transcript "$open" -home-al-a-b)"
    ctctl sync --wait
    not holds_memory "$open"
    # taken back, it goes along
    ctctl include /home/al/a/b
    said_in /home/al/a-b still >>"$(transcript "$open" -home-al-a-b)"
    ctctl sync --wait
    holds_memory "$open"
}

@test "memory of a project folder that may be an excluded one waits for a word" {
    start_daemon
    log_in
    local open=$(new_id) memory=$CLAUDE_CONFIG_DIR/projects/-home-al-work-blog/memory
    ctctl exclude /home/al/work
    mkdir -p "$memory"
    echo "- learnt" >"$memory/MEMORY.md"
    said_in /home/al/work-blog hello >"$(transcript "$open" -home-al-work-blog)"
    ctctl sync --wait
    is_safe "$open"
    not holds_memory "$open"
    ctctl --json show "$open" | jq -r '.skipped[].reason' | grep -q "may be the memory of an excluded folder"
    ctctl include /home/al/work-blog
    said_in /home/al/work-blog more >>"$(transcript "$open" -home-al-work-blog)"
    ctctl sync --wait
    holds_memory "$open"
}

# aged ID DAYS: a session that was written so long ago
aged() {
    line "old $1" >"$(transcript "$1")"
    touch -d "-$2 days" "$(transcript "$1")"
}

@test "what bears the id of a session that has no transcript is named, unless that is archived" {
    start_daemon
    log_in
    local a=$(new_id) b=$(new_id) p=$CLAUDE_CONFIG_DIR/projects/-home-al-p
    line hello >"$(transcript "$a")"
    mkdir -p "$p/$a/subagents" "$p/$b/subagents"
    line work >"$p/$a/subagents/agent-1.jsonl"
    line work >"$p/$b/subagents/agent-1.jsonl"
    ctctl sync --wait
    rm "$(transcript "$a")"
    ctctl sync --wait
    [ "$(ctctl --json status | jq -r '[.notSaved[].withoutTranscript] | join(" ")')" = "$b" ]
    ctctl status | tr -s ' \n' ' ' | grep -q "files of 1 session without a transcript: projects/-home-al-p/$b"
}

@test "what the agent removes within a week is named, safe or not, and is found when it is gone" {
    start_daemon
    log_in
    local old=aaaaaaa1-0000-4000-8000-000000000001 young=$(new_id)
    aged "$old" 25
    aged "$young" 3
    ctctl sync --wait
    is_safe "$old"
    [ "$(status '.cleanup | [.days, .withinDays, .sessions]' | jq -c .)" = '[30,7,1]' ]
    [ "$(status .cleanup.soonest[0].sessionId)" = "$old" ]
    # on this very machine nothing is called safe
    run ctctl status
    [[ $output == *"Clean-up"*"1 session is removed here within 7 days"*"aaaaaaa1 in 5 days"* ]]
    # the agent's own word, read at the next scan
    echo '{"cleanupPeriodDays": 9}' >"$CLAUDE_CONFIG_DIR/settings.json"
    stop_daemon
    start_daemon
    within status_is .cleanup.days 9
    within status_is .cleanup.sessions 2
    rm "$(transcript "$old")"
    ctctl sync --wait
    within state_is "$old" archived
    [ "$(ctctl --json list --archived | jq -r '.[].sessionId')" = "$old" ]
    status_is .cleanup.sessions 1
    # what is pulled has its time again
    ctctl pull "$old" --target-dir "$T"
    ctctl sync --wait
    status_is .cleanup.sessions 1
    [ "$(ctctl --json list --archived | jq length)" = 0 ]
}

@test "what is removed within a week and is not safe is a problem" {
    start_daemon
    log_in
    local old=aaaaaaa1-0000-4000-8000-000000000001
    ctctl pause
    aged "$old" 29
    within status_is .cleanup.notSafe 1
    run ctctl status
    [[ $output == *"1 session is NOT safe and removed here within 7 days"*"cleanupPeriodDays"* ]]
}
