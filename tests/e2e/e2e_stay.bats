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
    printf '{"type":"user","uuid":"%s","message":{"role":"user","content":"<command-name>/exit</command-name>"}}\n' "$(new_id)"
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
    ctctl sync --wait
    for id in "$a" "$b" "$c" "$d"; do is_safe "$id"; done
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
