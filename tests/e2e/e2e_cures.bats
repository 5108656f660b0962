#!/usr/bin/env bats
# What went wrong is said with what mends it, and nothing is said that can't help.

load lib

setup() {
    make_home
    start_server
    log_in
}

teardown() {
    end_home
}

# on_stdout COMMAND...: what it prints there; the rest goes to $T/err
on_stdout() { "$@" 2>"$T/err"; }

@test "a transcript that can't be read is named, with what mends it; then sync saves it" {
    local id f
    id=$(new_id) f=$(transcript "$id")
    line mine >"$f"
    if [ "$(id -u)" = 0 ]; then chown 12345 "$f"; else chmod 000 "$f"; fi
    start_daemon
    # what the inventory says of it gives way to what its session says
    within eval '[[ $(status ".problems[0].why") == *"/'"$id"'.jsonl can'"'"'t be taken"* ]]'
    within status_is '.problems | length' 1
    [[ $(status '.problems[0].cure') == *"chown, chmod"*"then: ctctl sync" ]]
    ctctl status | grep -q "What to do: .*chown"
    if [ "$(id -u)" = 0 ]; then chown 0 "$f"; else chmod 600 "$f"; fi
    ctctl sync --wait
    versions_are "$id" 1
    within status_is '.problems | length' 0
}

@test "who has no key is not told to seal with it" {
    local id
    id=$(new_id)
    line hello >"$(transcript "$id")"
    start_daemon
    ctctl sync --wait
    ctctl show "$id" | grep "^In clear" >"$T/row"
    [[ $(<"$T/row") != *"ctctl seal"* ]]
    run ctctl seal --all --yes
    [ "$status" -eq 78 ]
    [[ $output == *"ctctl key init"*"ctctl key import"* ]]
    ctctl key init --no-confirm
    ctctl show "$id" | grep -q "^In clear .*to seal it: ctctl seal ${id:0:8}"
    ctctl seal "$id" --yes
    [ "$(ctctl show "$id" | grep -c "^In clear")" = 0 ]
}

@test "before the log-in, the cure of a missing key is the log-in" {
    rm "$CODETELEPORT_CONFIG_DIR/config.json"
    run ctctl key init
    [ "$status" -eq 77 ]
    [[ $output == *"log in first"*"ctctl login"* ]]
    run ctctl key export --no-confirm
    [ "$status" -eq 64 ]
    [[ $output == *"asks nothing"* ]]
}

@test "a command to go on is printed once the folder that it enters is there" {
    local id verb what p=$HOME/src/p
    id=$(new_id)
    mkdir -p "$p"
    line hello | sed "s|/home/al/p|$p|" >"$(transcript "$id" "${p//[^a-zA-Z0-9]/-}")"
    start_daemon
    ctctl sync --wait
    ctctl export "$id" -o "$T/b.tar.gz"
    on_stdout ctctl import "$T/b.tar.gz" | grep -qxF "cd $(quoted "$p") && claude --resume $id"
    rm -r "$p"
    for verb in import pull; do
        what=$id
        [ $verb = pull ] || what=$T/b.tar.gz
        on_stdout ctctl $verb "$what" >"$T/out"
        [[ $(<"$T/out") != *"cd "* ]]
        tr '\n' ' ' <"$T/err" | grep -q "not there yet: .*then: cd $(quoted "$p") && claude --resume $id"
        [ "$(ctctl --json $verb "$what" 2>/dev/null | jq -r '[.command, .targetExists] | @csv')" = \
            "\"cd $(quoted "$p") && claude --resume $id\",false" ]
    done
}

@test "a title of several lines is one line in every list" {
    local id watching
    id=$(new_id)
    start_daemon
    ctctl watch >"$T/events" 2>"$T/watch" 3>&- &
    watching=$!
    within grep -q following "$T/watch"
    line 'first\n\n\tsecond' >"$(transcript "$id")"
    ctctl sync --wait
    within grep -q "^.* confirmed .*first second" "$T/events"
    kill "$watching"
    ctctl list | grep -q "^${id:0:8} .*  first second  "
    ctctl show "$id" | grep -qx "Title      first second"
    [ "$(ctctl --json list | jq -r '.[0].title')" = $'first\n\n\tsecond' ]
}

@test "what waits has title, project and messages; the cloud's list says what is here" {
    local here gone id
    here=$(new_id) gone=$(new_id)
    line stays >"$(transcript "$here")"
    line goes >"$(transcript "$gone")"
    start_daemon
    ctctl sync --wait
    rm "$(transcript "$gone")"
    within eval '[ "$(status .sessions.archived)" = 1 ]'
    ctctl list --cloud | head -n 1 | grep -q ' HERE$'
    ctctl list --cloud | grep -q "^${here:0:8} .* yes$"
    ctctl list --cloud | grep -q "^${gone:0:8} .* no$"
    ctctl --json list --cloud | jq -e --arg id "$here" \
        '.sessions | map(select(.here)) | map(.id) == [$id]'
    stop_server
    id=$(new_id)
    line waits >"$(transcript "$id")"
    within eval 'ctctl list | grep -q "^${id:0:8}  waiting  .*  waits  *p  *1 "'
    start_server
    stop_daemon
    ctctl list --cloud >"$T/out"
    [ "$(grep -cw HERE "$T/out")" = 0 ]
}

@test "an ID that means nothing is told in the same words everywhere, with where the IDs are" {
    local v where list words
    line one >"$(transcript "$(new_id)")"
    start_daemon
    ctctl sync --wait
    while IFS='|' read -r v where list; do
        run ctctl $v
        [ "$status" -eq 1 ]
        tr '\n' ' ' <<<"$output" | grep -qF "no $where begins with \"zz\"; see: $list" || {
            echo "ctctl $v: $output"
            return 1
        }
        # nor does an empty one mean the only one that there is
        read -ra words <<<"$v"
        run ctctl "${words[@]/#zz/}"
        [ "$status" -eq 64 ] || {
            echo "ctctl $v, empty: $output"
            return 1
        }
    done <<'CASES'
show zz|session on this machine|ctctl list
sync zz|session on this machine|ctctl list
exclude zz|session on this machine|ctctl list
export --local zz -o x|session on this machine|ctctl list
export zz -o x|session in the cloud|ctctl list --cloud
pull zz|session in the cloud|ctctl list --cloud
verify zz|session in the cloud|ctctl list --cloud
versions zz|session in the cloud|ctctl list --cloud
delete zz --yes|session in the cloud|ctctl list --cloud
undelete zz|session in the trash|ctctl undelete
tokens revoke zz --yes|token|ctctl tokens
devices revoke zz --yes|device|ctctl devices
CASES
    [ "$(api GET /sessions | jq '.sessions | length')" = 1 ]
    status_is .sessions.excluded 0
}

@test "where there is nothing of that kind, that is what is said, and no table of zeros" {
    start_daemon
    local v
    for v in "list" "list --cloud" "list --project zz" "list --cloud --project zz" "pull --all" \
        "pull --all --project zz" "verify --all" "scan --all" "delete --project zz"; do
        run ctctl $v
        [ "$status" -eq 0 ]
        ! grep -qw 0 <<<"$output" || false
        grep -qE '^ctctl: (there (are|is) )?no' <<<"$output" || {
            echo "ctctl $v: $output"
            return 1
        }
    done
}

@test "a token that the server does not take is not called out of reach" {
    start_daemon
    ctctl tokens revoke "$(ctctl tokens --json | jq -r '.tokens[] | select(.current) | .id')" --yes
    run ctctl doctor
    [ "$status" -eq 1 ]
    ! grep -q "can't be reached" <<<"$output" || false
    [ "$(grep -c 'does not take this log-in' <<<"$output")" = 3 ]
    grep -q 'What to do: ctctl login' <<<"$output"
}
