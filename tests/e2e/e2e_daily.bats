#!/usr/bin/env bats
# Daily life with ctctl: what stays on this machine, what goes from the cloud.

load lib

setup() {
    make_home
    start_server
    log_in
    mkdir -p "$HOME/secret/talk" "$HOME/work/sub"
}

teardown() {
    end_home
}

# enc FOLDER: what Claude Code calls its project folder
enc() { tr -c 'a-zA-Z0-9\n' '-' <<<"$1"; }

# record FOLDER [TEXT]: a record of a session there
record() { line "${2:-hello}" | sed "s|\"cwd\":\"[^\"]*\"|\"cwd\":\"$1\"|"; }

# session FOLDER [TEXT]: a new session that began there; its id
session() {
    local id
    id=$(new_id)
    record "$1" "${2:-hello}" >"$(transcript "$id" "$(enc "$1")")"
    echo "$id"
}

in_cloud() { ctctl --json list --cloud | jq -r '.sessions[].id' | sort; }

# state_of ID STATE
state_of() {
    local is
    is=$(ctctl --json show "$1" | jq -r .state)
    [ "$is" = "$2" ] || {
        echo "$1 is $is, not $2"
        return 1
    }
}

# stored_nowhere TEXT: neither the spool, the cache nor the store holds it
stored_nowhere() {
    local f
    while read -r f; do
        if { zcat -f "$f" 2>/dev/null || cat "$f"; } | grep -q "$1"; then
            echo "$f holds it"
            return 1
        fi
    done < <(find "$XDG_STATE_HOME" "$T/server" -type f ! -name '*.db*')
}

@test "a session of an excluded folder never leaves, and others do" {
    local secret work
    start_daemon
    ctctl exclude "$HOME/secret"
    secret=$(session "$HOME/secret/talk" TOPSECRET) work=$(session "$HOME/work")
    ctctl sync --wait
    within state_of "$secret" excluded
    [ "$(in_cloud)" = "$work" ]
    stored_nowhere TOPSECRET
    ctctl --json show "$secret" | jq -r .reason | grep -q "excluded folder $HOME/secret"
    [ "$(status .sessions.excluded)" = 1 ]
    [ "$(status .sessions.pending)" = 0 ]
    # its next change does not leave either
    echo '{"type":"user"}' >>"$(transcript "$secret" "$(enc "$HOME/secret/talk")")"
    ctctl sync --wait
    [ "$(in_cloud)" = "$work" ]
}

@test "what is written before the folder is known stays here too, and goes once it may" {
    local secret work f
    start_daemon
    ctctl exclude "$HOME/secret"
    secret=$(new_id) work=$(new_id)
    # the first records name no folder
    echo '{"type":"user","message":{"role":"user","content":"TOPSECRET"}}' >"$(transcript "$secret" "$(enc "$HOME/secret")")"
    echo '{"type":"user","message":{"role":"user","content":"work"}}' >"$(transcript "$work" "$(enc "$HOME/secret-not")")"
    ctctl sync --wait
    within state_of "$secret" excluded
    within state_of "$work" excluded
    [ -z "$(in_cloud)" ]
    record "$HOME/secret" >>"$(transcript "$secret" "$(enc "$HOME/secret")")"
    record "$HOME/secret-not" >>"$(transcript "$work" "$(enc "$HOME/secret-not")")"
    within state_of "$work" synced
    within state_of "$secret" excluded
    [ "$(in_cloud)" = "$work" ]
    stored_nowhere TOPSECRET
}

@test "an exclusion survives a restart, and a session from before it stays in the cloud as it was" {
    local secret
    secret=$(session "$HOME/secret")
    start_daemon
    ctctl sync --wait
    [ "$(in_cloud)" = "$secret" ]
    run ctctl exclude "$HOME/secret"
    echo "$output"
    [ "$status" -eq 0 ]
    grep -q '1 session so far' <<<"$output"
    grep -q 'ctctl delete --project ~/secret' <<<"$output"
    state_of "$secret" excluded
    stop_daemon
    echo '{"type":"user"}' >>"$(transcript "$secret" "$(enc "$HOME/secret")")"
    start_daemon
    ctctl sync --wait
    state_of "$secret" excluded
    versions_are "$secret" 1
    [ "$(ctctl --json exclude | jq -c '.rules[] | [.path, .excluded, .from]')" = \
        "[\"$HOME/secret\",true,\"ctctl\"]" ]
}

@test "include undoes exclude, and what had changed meanwhile is saved" {
    local secret
    start_daemon
    ctctl exclude "$HOME/secret"
    secret=$(session "$HOME/secret")
    ctctl sync --wait
    within state_of "$secret" excluded
    ctctl include "$HOME/secret"
    ctctl sync --wait
    within state_of "$secret" synced
    bundle_equals "$secret" "$(transcript "$secret" "$(enc "$HOME/secret")")"
    [ "$(ctctl --json exclude | jq '.rules | length')" = 0 ]
}

@test "the longest path decides, in the configuration as on the command line, and a reload counts" {
    local secret talk other
    secret=$(session "$HOME/secret") talk=$(session "$HOME/secret/talk") other=$(session "$HOME/secrets")
    conf "quiet = 0.3; distance = 0; exclude = [ \"~/secret\" ]; include = [ \"~/secret/talk\" ];"
    start_daemon
    ctctl sync --wait
    within state_of "$secret" excluded
    [ "$(in_cloud)" = "$(printf '%s\n' "$talk" "$other" | sort)" ]
    ctctl include "$HOME/secret" # said here beats said in the file
    ctctl sync --wait
    within state_of "$secret" synced
    conf "quiet = 0.3; distance = 0; exclude = [ \"~/secrets\" ];"
    kill -HUP "$DAEMON_PID"
    within state_of "$other" excluded
}

@test "sync of an excluded session by its id says why it stays" {
    local secret
    start_daemon
    ctctl exclude "$HOME/secret"
    secret=$(session "$HOME/secret")
    ctctl sync --wait
    within state_of "$secret" excluded
    run ctctl sync --wait "$secret"
    echo "$output"
    [ "$status" -eq 1 ]
    grep -q "ctctl include $HOME/secret" <<<"$(tr '\n' ' ' <<<"$output" | tr -s ' ')"
}

@test "one session is excluded and included by its short id" {
    local id
    id=$(session "$HOME/work")
    start_daemon
    ctctl sync --wait
    ctctl exclude "${id:0:8}"
    state_of "$id" excluded
    echo '{"type":"user"}' >>"$(transcript "$id" "$(enc "$HOME/work")")"
    ctctl sync --wait
    versions_are "$id" 1
    ctctl include "${id:0:8}"
    ctctl sync --wait
    versions_are "$id" 2
}

@test "delete by project and by age takes what it says, and nothing without a yes" {
    local a b c
    start_daemon
    a=$(session "$HOME/work") b=$(session "$HOME/work/sub") c=$(session "$HOME/secret")
    ctctl sync --wait
    run ctctl delete --project "$HOME/work"
    [ "$status" -eq 64 ]
    run ctctl delete --older-than 1h --yes
    [ "$status" -eq 0 ]
    [ "$(in_cloud | wc -l)" = 3 ]
    run ctctl --json delete --project "$HOME/work" --older-than 1h --yes
    [ "$status" -eq 0 ]
    [ "$(in_cloud | wc -l)" = 3 ]
    (cd "$HOME/work/sub" && ctctl delete --project .. --yes)
    [ "$(in_cloud)" = "$c" ]
    state_of "$a" excluded
    state_of "$b" excluded
    ctctl --json delete --project secret --yes >"$T/result"
    jq -e --arg c "$c" '.deleted == [$c] and .failed == []' "$T/result"
    [ -z "$(in_cloud)" ]
    [ -s "$(find "$CLAUDE_CONFIG_DIR" -name "$a.jsonl")" ]
}

@test "what was deleted is listed in the trash and brought back, and is saved again from here" {
    local id
    id=$(session "$HOME/work")
    start_daemon
    ctctl sync --wait
    ctctl delete "$id" --yes
    [ -z "$(in_cloud)" ]
    state_of "$id" excluded
    ctctl undelete | grep -q "^${id:0:8}  .*in 2[0-9] d\|^${id:0:8}  .*in 30 d"
    [ "$(ctctl --json undelete | jq -r '.versions[0].sessionId')" = "$id" ]
    ctctl undelete "${id:0:8}"
    [ "$(in_cloud)" = "$id" ]
    [ "$(ctctl --json undelete | jq .total)" = 0 ]
    within state_of "$id" synced
    run ctctl undelete "$id"
    [ "$status" -eq 1 ]
}

@test "with --json every failure is one document, with the promised status" {
    local line want
    while read -r want line; do
        status=0
        ctctl $line >"$T/out" 2>/dev/null || status=$?
        echo "$line: $status $(cat "$T/out")"
        [ "$status" = "$want" ]
        jq -es 'length == 1 and (.[0].error | has("code") and has("message"))' "$T/out" >/dev/null
    done <<TEXT
64 --json nonsense
64 nonsense --json
64 list --clod --json
64 show --json
64 --json pause 90
64 --json delete --version x
64 --json login hunter2
69 --json status
69 --json
69 --json list
69 --json show abcdef12
69 --json sync
69 --json pause
69 --json resume
69 --json watch
69 --json exclude /x
69 --json include /x
1 --json versions abcdef12
TEXT
    stop_server
    status=0
    ctctl --json list --cloud >"$T/out" 2>/dev/null || status=$?
    [ "$status" = 75 ]
    jq -e .error.message "$T/out"
}

@test "NO_COLOR and a pipe mean no escape sequences, with or without a session that has some" {
    start_daemon
    session "$HOME/work" 'a\\u001b[31mred title' >"$T/id"
    ctctl sync --wait
    for v in "" list "show $(cat "$T/id")" "list --cloud" doctor; do
        ! NO_COLOR= TERM=xterm ctctl $v 2>&1 | grep -q $'\033' || false
    done
    # a caller that shows it on a terminal itself, as quickstart does
    NO_COLOR= TERM=xterm CLICOLOR_FORCE=1 ctctl | grep -q $'\033'
    ! NO_COLOR=1 TERM=xterm CLICOLOR_FORCE=1 ctctl | grep -q $'\033' || false
    ! NO_COLOR= TERM=xterm CLICOLOR_FORCE=0 ctctl | grep -q $'\033'
}

@test "a damaged list of excluded folders stops the daemon before anything leaves" {
    start_daemon
    ctctl exclude "$HOME/secret"
    stop_daemon
    echo '{"exclude":' >"$(find "$XDG_STATE_HOME" -name exclude.json)"
    run timeout 30 codeteleportd --once
    echo "$output"
    [ "$status" -eq 78 ]
    grep -q exclude.json <<<"$output"
}
