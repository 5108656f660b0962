#!/usr/bin/env bats
# scan_secrets and ctctl scan: where credentials are is told, what they are never.
load lib

setup() {
    make_home
    start_server
    log_in
}

teardown() {
    end_home
}

SECRET=AKIA"Q3EGRTPLMNBV2X7Y"

@test "credentials that leave are told of by session, file, rule and line, and never by value" {
    local id f
    conf 'scan_secrets = "warn"; distance = 0;'
    id=$(new_id) f=$(transcript "$id")
    line one >"$f"
    start_daemon
    ctctl sync --wait
    status_is .scan.secrets warn
    status_is .scan.places 0
    line "the key is $SECRET, keep it" >>"$f"
    ctctl sync --wait
    grep -q "secret-found session=$id path=.*$id.jsonl\" line=2 rule=\"aws-access-key-id\"" "$T/daemon.log"
    status_is .scan.places 1
    status_is '.problems[0].what' '1 session seems to hold credentials'
    [ "$(ctctl --json show "$id" | jq -r '.secrets[] | "\(.rule) \(.line)"')" = 'aws-access-key-id 2' ]
    ctctl show "$id" | grep -q 'aws-access-key-id.*:2$'
    # Told of once: a line more is no news of the old one.
    line three >>"$f"
    ctctl sync --wait
    [ "$(grep -c secret-found "$T/daemon.log")" = 1 ]
    # It is a warning: what is stored is whole.
    bundle_equals "$id" "$f"
    stop_daemon
    ! grep -r "$SECRET" "$T/daemon.log" "$T/server.log" "$T"/state/*/*/accounts/*/state.db*
}

@test "what was looked at is not read again, what was rewritten is" {
    local id f
    conf 'scan_secrets = "warn"; distance = 0;'
    id=$(new_id) f=$(transcript "$id")
    line "first $SECRET" >"$f"
    line two >>"$f"
    start_daemon
    ctctl sync --wait
    status_is .scan.places 1
    line three >>"$f"
    ctctl sync --wait
    stop_daemon
    [ "$(sqlite3 "$T"/state/*/*/accounts/*/state.db "select lines, bytes from scan_files where path like '%$id.jsonl'")" = \
        "3|$(stat -c %s "$f")" ]
    start_daemon
    { line one; line two; line three; line "more $SECRET"; } >"$f"
    ctctl sync --wait
    [ "$(ctctl --json show "$id" | jq -r '.secrets[].line')" = 4 ]
}

@test "ctctl scan finds what is in a session and in any file, without a daemon" {
    local id
    id=$(new_id)
    line "$SECRET" >"$(transcript "$id")"
    run ctctl scan "${id:0:8}"
    [ "$status" = 1 ]
    [[ "$output" == *"$id.jsonl:1  aws-access-key-id"* ]]
    [[ "$output" != *"$SECRET"* ]]
    run ctctl --json scan --all
    [ "$status" = 1 ]
    mkdir "$T/some"
    echo nothing >"$T/some/a"
    run ctctl scan "$T/some"
    [ "$status" = 0 ]
    printf '\n\nx %s\n' "$SECRET" >"$T/some/b"
    [ "$(ctctl --json scan "$T/some" | jq -r '.found[] | "\(.path) \(.line) \(.rule)"')" = \
        "$T/some/b 3 aws-access-key-id" ]
    run ctctl scan nonsense
    [ "$status" = 1 ]
    run ctctl scan
    [ "$status" = 64 ]
}

@test "a rule file of one's own counts, and a bad one is refused by file and line" {
    local id
    echo '{"rules": [{"id": "mine", "regex": "w[o0]rd-[0-9]+", "keywords": ["rd-"]}]}' >"$T/rules.json"
    echo '{"rules": [{"id": "x", "regx": "y"}]}' >"$T/bad.json"
    echo 'w0rd-12' >"$T/a"
    [ "$(ctctl --json scan --rules "$T/rules.json" "$T/a" | jq -r '.found[].rule')" = mine ]
    conf "scan_secrets = \"warn\"; scan_rules = \"$T/rules.json\";"
    codeteleportd -t
    id=$(new_id)
    line w0rd-12 >"$(transcript "$id")"
    start_daemon
    ctctl sync --wait
    [ "$(ctctl --json show "$id" | jq -r '.secrets[].rule')" = mine ]
    stop_daemon
    conf "scan_secrets = \"warn\"; scan_rules = \"$T/bad.json\";"
    run codeteleportd -t
    [ "$status" = 78 ]
    [[ "$output" == *"bad.json: rule 1 (x): regx is not known"* ]]
    run codeteleportd
    [ "$status" = 78 ]
    run ctctl scan "$T/a"
    [ "$status" = 78 ]
}
