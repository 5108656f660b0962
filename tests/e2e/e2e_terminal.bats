#!/usr/bin/env bats
# What a person at a terminal sees and types.

load lib
MADE=empty # whoever logs in registers here

setup() {
    make_home
    # what a log-in asks about keys is e2e_key.bats'
    conf 'quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5; encryption = "off";'
    unset NO_COLOR
    start_server
}

teardown() {
    end_home
}

# type [SEEN TYPED]... -- COMMAND: see typist.py; what was shown goes to $T/screen
type_in() {
    status=0
    python3 -S "$CT_SRC/tests/e2e/tools/typist.py" "$@" >"$T/screen" || status=$?
    cat "$T/screen"
}

with_session() {
    log_in
    ID=$(new_id)
    line hello >"$(transcript "$ID")"
    start_daemon
    ctctl sync --wait
}

@test "a password is asked for twice when it is new, and never shown" {
    type_in 'E-mail: ' 'me@example.org\n' 'Password: ' 'correct horse\n' 'Once more: ' 'correct horse\n' \
        -- ctctl login --register --api-url "$API"
    [ "$status" -eq 0 ]
    grep -q "logging in to $API" "$T/screen"
    grep -q 'me@example.org' "$T/screen"
    ! grep -q 'correct horse' "$T/screen" || false
    ctctl logout
    type_in 'Password: ' 'wrong horse\n' -- ctctl login --email me@example.org --api-url "$API"
    [ "$status" -eq 77 ]
    type_in 'Password: ' 'correct horse\n' -- ctctl login --email me@example.org --api-url "$API"
    [ "$status" -eq 0 ]
    type_in 'E-mail: ' 'you@example.org\n' 'Password: ' 'one\n' 'Once more: ' 'two\n' \
        -- ctctl login --register --api-url "$API"
    [ "$status" -eq 1 ]
    grep -q 'not the same' "$T/screen"
}

@test "Ctrl-C at a hidden question leaves the terminal as it was" {
    echo "PS1='READY> '" >"$T/bashrc"
    type_in 'READY> ' "ctctl login --email me@example.org --api-url $API\n" 'Password: ' '\x03' \
        'READY> ' 'stty -a\n' 'READY> ' 'exit\n' \
        -- bash --noprofile --rcfile "$T/bashrc" -i
    grep -q ' echo ' "$T/screen"
}

@test "another account is confirmed, and a no leaves all as it was" {
    with_session
    printf 'correct horse battery' | ctctl login --register --email you@example.org --password-stdin \
        --api-url "$API" >"$T/login.log" 2>&1
    within status_is .daemon.state account_changed
    type_in 'Password: ' 'correct horse battery\n' 'Is that what you want?' 'n\n' \
        -- ctctl login --email you@example.org
    [ "$status" -eq 1 ]
    type_in 'Password: ' 'correct horse battery\n' 'Is that what you want?' 'y\n' \
        -- ctctl login --email you@example.org
    [ "$status" -eq 0 ]
    within status_is .account.email you@example.org
}

@test "what is to be deleted is shown before the question, and only a yes deletes" {
    with_session
    type_in '[y/N]' 'n\n' -- ctctl delete "${ID:0:8}"
    [ "$status" -eq 1 ]
    grep -q '30 days' "$T/screen"
    [ "$(ctctl --json list --cloud | jq .total)" = 1 ]
    type_in '[y/N]' '\n' -- ctctl delete --project p
    [ "$status" -eq 1 ]
    grep -q "^${ID:0:8}" "$T/screen"
    [ "$(ctctl --json list --cloud | jq .total)" = 1 ]
    type_in '[y/N]' 'y\n' -- ctctl delete --project p
    [ "$status" -eq 0 ]
    [ "$(ctctl --json list --cloud | jq .total)" = 0 ]
}

@test "an answer without our state is believed when a person says so" {
    log_in
    token=$(curl -sS --cacert "$CA" -H 'Content-Type: application/json' "$API/auth/login" \
        -d '{"email":"me@example.org","password":"correct horse battery"}' | jq -r .token)
    ctctl logout
    mkdir "$T/bin"
    cat >"$T/bin/xdg-open" <<SH
#!/bin/sh
port=\$(echo "\$1" | sed 's/.*cli_port=\\([0-9]*\\).*/\\1/')
curl -s -o /dev/null "http://localhost:\$port/callback?token=$token"
SH
    chmod +x "$T/bin/xdg-open"
    cp "$T/bin/xdg-open" "$T/bin/open" # its name on macOS
    export PATH=$T/bin:$PATH DISPLAY=:0
    type_in 'signed in as me@example.org' 'n\n' -- ctctl login --github --api-url "$API"
    [ "$status" -eq 1 ]
    type_in 'signed in as me@example.org' 'y\n' -- ctctl login --github --api-url "$API"
    [ "$status" -eq 0 ]
    api GET /auth/me
}

@test "no line is wider than the terminal, at any width, whatever a title holds" {
    with_session
    local w wide
    line "$(printf '%.0s会話を続ける ' {1..30})" >"$(transcript "$(new_id)" other)"
    ctctl sync --wait
    for w in 40 100; do
        for v in "" list "list --cloud" "show $ID" "versions $ID" devices tokens doctor; do
            type_in -w $w -- ctctl $v >/dev/null
            [ "$status" -eq 0 ]
            wide=$(sed 's/\r//g; s/\x1b\[[0-9;]*m//g' "$T/screen" | python3 -S -c '
import sys, unicodedata
w = int(sys.argv[1])
for l in sys.stdin:
    l = l.rstrip("\n")
    n = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in l)
    if n > w and " " in l.strip():
        print(n, l)' $w)
            [ -z "$wide" ] || {
                echo "ctctl $v at $w columns: $wide"
                return 1
            }
        done
    done
}

@test "who waits for a sync sees how far it is, and a pipe does not" {
    log_in
    ID=$(new_id)
    python3 -S - "$(transcript "$ID")" <<'PY'
import base64, os, sys
with open(sys.argv[1], "w") as f:
    for _ in range(60):
        f.write('{"type":"user","cwd":"/home/al/p","message":{"role":"user","content":"%s"}}\n'
                % base64.b64encode(os.urandom(300000)).decode())
PY
    conf 'quiet = 60; longest_wait = 90; max_upload_rate = "9 MB";'
    start_daemon
    type_in -- ctctl sync --wait
    [ "$status" -eq 0 ]
    tr '\r' '\n' <"$T/screen" | grep -q '^.*\(Saving\|Uploading\) .* % .* of .*B'
    tr '\r' '\n' <"$T/screen" | tail -n 2 | grep -q 'Saved 1 session'
    line more >>"$(transcript "$ID")"
    run ctctl sync --wait
    # Only what takes long says so there, a line at a time.
    [ "${lines[-1]}" = 'Saved 1 session.' ]
    [[ $output != *[$'\r\e']* ]]
}

@test "a list that is longer than the terminal goes through the pager, a short one and a pipe do not" {
    log_in
    local i
    for i in {1..45}; do line "talk $i" >"$(transcript "$(new_id)")"; done
    start_daemon
    within eval '[ "$(ctctl list | wc -l)" = 46 ]'
    export PAGER="sed s/^/paged:/"
    type_in -- ctctl list >/dev/null
    [ "$status" -eq 0 ]
    [ "$(grep -c '^paged:' "$T/screen")" = 46 ]
    type_in -- ctctl list --limit 3 >/dev/null
    ! grep -q '^paged:' "$T/screen" || false
    ! ctctl list | grep -q '^paged:' || false
    # none there: it is printed all the same
    PAGER=/nonexistent type_in -- ctctl list >/dev/null
    [ "$status" -eq 0 ]
}

@test "COLUMNS counts in a pipe, and without it nothing is cut" {
    log_in
    line "a title of many words that no narrow terminal can show in the whole of it" \
        >"$(transcript "$(new_id)")"
    start_daemon
    within eval 'ctctl list | grep -q "in the whole of it"'
    COLUMNS=60 ctctl list >"$T/narrow"
    [ "$(LC_ALL=C.UTF-8 wc -L <"$T/narrow")" -le 60 ]
    grep -q 'a title of many words' "$T/narrow"
}

@test "what waits for its first save has title, project and messages in the list" {
    conf 'quiet = 600; longest_wait = 900;'
    log_in
    ID=$(new_id)
    line "a first question" >"$(transcript "$ID" web)"
    start_daemon
    within eval "ctctl list --json | jq -e '.[0].sessionId == \"$ID\"'"
    [ "$(ctctl list --json | jq -r '.[0] | [.title, .messageCount, .state] | @csv')" = \
        '"a first question",1,"pending"' ]
    ctctl list | grep -q "^${ID:0:8}  waiting  *a first question  p  *1 "
    ctctl list --project p | grep -q "^${ID:0:8}"
}

@test "a title that the cloud lacks is what this machine knows, else agent, time and messages" {
    with_session
    ctctl list --cloud | grep -q "^${ID:0:8}  hello "
    stop_daemon
    ctctl list --cloud | grep -q "^${ID:0:8}  Claude Code, .*1 message "
    # a row that is not there can't be chosen
    type_in 'Which one?' '7\n' 'Which one?' '\x1b' -- ctctl pull
    [ "$status" -eq 1 ]
    grep -q 'there is no row of that number' "$T/screen"
    grep -q "$ID" "$T/screen"
}

@test "the picker narrows as one types, has arrow keys, and gives the terminal back" {
    log_in
    local apple pear
    apple=$(new_id) pear=$(new_id)
    line 'the apple äpfel' >"$(transcript "$apple" web)"
    line 'a pear 梨' >"$(transcript "$pear" api)"
    start_daemon
    ctctl sync --wait
    conf 'metadata = "full";'
    local leave=$'\033[?25h\033[?1049l'
    shown() { tr '\r' '\n' <"$T/screen" | grep -q "$1"; }
    # Enter takes what is left of what was typed; here that is there already, or to be installed.
    rm "$(transcript "$pear" api)"
    type_in '(2 of 2)' 'pear' '(1 of 2)' '\r' -- ctctl pull --target-dir "$T"
    [ "$status" -eq 0 ]
    grep -rqs 'a pear' "$CLAUDE_CONFIG_DIR/projects"
    LC_ALL=C grep -qF "$leave" "$T/screen"
    # What nothing matches is said, and can be taken back; the second row is an arrow away.
    type_in '(2 of 2)' 'zzz\r' 'nothing matches' '\x15' '(2 of 2)' '\x1b[B' '> 2' '\x1b[A' '> 1' '\x03' -- ctctl pull
    [ "$status" -eq 1 ]
    shown 'nothing was chosen'
    LC_ALL=C grep -qF "$leave" "$T/screen"
    # A character of several bytes goes as one.
    type_in '(2 of 2)' 'x\xe4' 'x' '\x7f\x7f' '(2 of 2)' '\x1b' -- ctctl pull
    [ "$status" -eq 1 ]
    # Whoever is ended leaves the terminal as it was.
    type_in '(2 of 2)' '' "@$T/killed" '' -- sh -c \
        'sh -c "echo \$\$ >\"\$0\"; exec ctctl pull" "$0"; echo "status=$?"; stty -a' "$T/pid" &
    typist=$!
    within test -e "$T/killed.waits"
    kill -TERM "$(cat "$T/pid")"
    touch "$T/killed"
    wait "$typist" || true
    shown 'status=143'
    shown ' icanon'
    shown ' echo '
    LC_ALL=C grep -qF "$leave" "$T/screen"
    # A terminal that can't draw is asked line by line.
    TYPIST_TERM=dumb type_in 'Which one?' '7\n' 'Which one?' '\n' -- ctctl pull
    [ "$status" -eq 1 ]
    shown 'there is no row 7 on the screen'
}

@test "a list is chosen by time and state, and goes by time, size, messages or title" {
    conf 'quiet = 600; longest_wait = 900;'
    log_in
    local a b c
    a=$(new_id) b=$(new_id) c=$(new_id)
    line alpha >"$(transcript "$a")"
    { line Beta && line "$(printf '%09000d' 0)"; } >"$(transcript "$b")"
    { line gamma && line x && line y; } >"$(transcript "$c")"
    touch -d '3 days ago' "$(transcript "$a")"
    start_daemon
    within eval '[ "$(ctctl list --json | jq length)" = 3 ]'
    ids() { ctctl list --json "$@" | jq -r '.[].sessionId' | tr '\n' ' '; }
    [ "$(ids --sort title)" = "$a $b $c " ]
    [ "$(ids --sort messages)" = "$c $b $a " ]
    [ "$(ids --sort size --limit 1)" = "$b " ]
    [ "$(ids --sort time | cut -d' ' -f3)" = "$a" ]
    [ "$(ids --since 1d --sort title)" = "$b $c " ]
    # what has been quiet for long is saved at once
    within eval '[ "$(ids --state "this machine only")" = "$a " ]'
    [ "$(ids --state waiting --sort title)" = "$b $c " ]
    [ "$(ids --state pending --sort title)" = "$b $c " ]
    [ "$(ids --state safe)" = "" ]
    run ctctl list --state nonsense
    [ "$status" -eq 64 ]
    grep -q 'it is one of: safe, waiting' <<<"$output"
    run ctctl list --sort nonsense
    [ "$status" -eq 64 ]
    run ctctl list --state safe
    grep -q 'no session is of that kind' <<<"$output"
    ctctl sync --wait
    [ "$(ctctl list --cloud --json --sort title | jq -r '.sessions[].id' | tr '\n' ' ')" = "$a $b $c " ]
    [ "$(ctctl list --cloud --json --since 1h --limit 2 | jq '.sessions | length')" = 2 ]
}

@test "IDs that begin alike are shown as far as they tell sessions apart" {
    log_in
    line one >"$(transcript 01a22a5c-10f3-7311-be4c-c7c4ed7323ee)"
    line two >"$(transcript 01a22a5c-5552-78d2-b1a8-4f355026b2f0)"
    start_daemon
    ctctl sync --wait
    for how in '' --cloud; do
        ctctl list $how >"$T/out"
        grep -q '^01a22a5c-1  ' "$T/out"
        grep -q '^01a22a5c-5  ' "$T/out"
    done
    ctctl show 01a22a5c-5 | grep -q '^Session    01a22a5c-5552'
}
