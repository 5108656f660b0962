#!/usr/bin/env bats
# The keys, as people handle them: made, shown, written down, brought to another device, changed; and
# what is in the cloud in clear brought there sealed.

load lib

setup() {
    make_home
    start_server
}

teardown() {
    end_home
}

KEYRING() { echo "$CODETELEPORT_CONFIG_DIR/keyring"; }

# type [SEEN TYPED]... -- COMMAND: see typist.py; what was shown goes to $T/screen
type() {
    local status=0
    python3 -S "$CT_SRC/tests/e2e/tools/typist.py" "$@" >"$T/screen" || status=$?
    return $status
}

not() { ! "$@"; }

# what a person types who has written the text down
LAST_GROUP='~[A-Z0-9]{4}(?=\s+Written down)'

make_key() {
    type "Make the key now?" '\n' "Written down?" "$LAST_GROUP" -- ctctl key init
}

# elsewhere COMMAND...: on another device, with another home and the same account
elsewhere() {
    HOME=$T/home2 CLAUDE_CONFIG_DIR=$T/home2/.claude XDG_STATE_HOME=$T/state2 \
        XDG_CONFIG_HOME=$T/config2 XDG_RUNTIME_DIR=$T/run2 \
        CODETELEPORT_CONFIG_DIR=$T/home2/.codeteleport "$@"
}

log_in_elsewhere() {
    mkdir -p "$T/home2/.claude" "$T/config2/codeteleport"
    mkdir -p -m 700 "$T/run2"
    printf 'correct horse battery' | elsewhere ctctl login --email me@example.org --password-stdin \
        --api-url "$API" >>"$T/login.log" 2>&1
}

key_ids() { ctctl --json key status | jq -r '.keys[].id'; }

on_server() { sqlite3 "$T/server/server.db" "SELECT $1 FROM versions NATURAL JOIN descriptions WHERE state = 'confirmed'"; }

in_clear() { ctctl --json list --cloud | jq '[.sessions[] | select(.opened == null)] | length'; }
in_clear_are() { [ "$(in_clear)" = "$1" ]; }

@test "a key is made once its text was written down, and not before" {
    log_in
    # asked for as often as it takes; Ctrl-C leaves nothing
    not type "Make the key now?" '\n' "Written down?" 'nope\n' "not its last group" '' \
        "Written down?" '\x03' -- ctctl key init
    [ ! -e "$(KEYRING)" ]
    not type "Make the key now?" 'n\n' -- ctctl key init
    [ ! -e "$(KEYRING)" ]
    make_key
    grep -q 'loses what was sealed with it' "$T/screen"
    [ "$(stat -c %a "$(KEYRING)")" = 600 ]
    [ "$(key_ids | wc -l)" = 1 ]
    # there is one now
    run ctctl key init --no-confirm
    [ "$status" -eq 1 ]
    [[ "$output" == *"ctctl key rotate"* ]]
}

@test "without a terminal a key is made only when told so, and shown only when told so" {
    log_in
    run ctctl key init
    [ "$status" -eq 64 ]
    [ ! -e "$(KEYRING)" ]
    ctctl key init --no-confirm >"$T/out" 2>&1
    not grep -qi ctkey "$T/out"
    run ctctl key show
    [ "$status" -ne 0 ]
    [[ "${output,,}" != *ctkey1* ]]
    [ "$(ctctl key export | grep -c '^ctkey1')" = 1 ]
}

@test "another device takes the text from a pipe or typed, in whatever way it is written" {
    local text typed
    log_in
    ctctl key init --no-confirm
    text=$(ctctl key export)
    log_in_elsewhere
    # a wrong character is found, and nothing of the text is repeated
    typed=${text%?}$([ "${text: -1}" = q ] && echo p || echo q)
    run elsewhere ctctl key import - <<<"$typed"
    [ "$status" -ne 0 ]
    [[ "$output" != *"${text:8:12}"* ]]
    [ ! -e "$T/home2/.codeteleport/keyring" ]
    typed=$(tr '[:lower:]' '[:upper:]' <<<"$text" | sed 's/..../& /g; s/ /-/4')
    elsewhere ctctl key import - <<<"$typed"
    [ "$(elsewhere ctctl key export)" = "$text" ]
    [ "$(stat -c %a "$T/home2/.codeteleport/keyring")" = 600 ]
    # typed, on a device that has none
    rm "$T/home2/.codeteleport/keyring"
    type "ecovery text" "$typed\n" -- env HOME="$T/home2" XDG_STATE_HOME="$T/state2" \
        XDG_CONFIG_HOME="$T/config2" CODETELEPORT_CONFIG_DIR="$T/home2/.codeteleport" \
        ctctl key import
    [ "$(elsewhere ctctl key export)" = "$text" ]
}

@test "a key that does not go with the account is refused, and the right one is named" {
    local id right
    log_in
    ctctl key init --no-confirm
    right=$(key_ids)
    id=$(new_id)
    line one >"$(transcript "$id")"
    codeteleportd --once
    log_in_elsewhere
    run elsewhere ctctl key init --no-confirm
    [ "$status" -ne 0 ]
    [[ "$output" == *"${right:0:8}"* && "$output" == *"ctctl key import"* ]]
    [ ! -e "$T/home2/.codeteleport/keyring" ]
    # a key from nowhere
    CODETELEPORT_CONFIG_DIR=$T/other ctctl key init --no-confirm --fork
    CODETELEPORT_CONFIG_DIR=$T/other ctctl key export >"$T/foreign"
    run elsewhere ctctl key import - <"$T/foreign"
    [ "$status" -ne 0 ]
    [[ "$output" == *"${right:0:8}"* ]]
    [ ! -e "$T/home2/.codeteleport/keyring" ]
    ctctl key export | elsewhere ctctl key import -
    elsewhere ctctl --json list --cloud | jq -e --arg id "$id" '.sessions[0].opened.sessionId == $id'
}

@test "a rotated key seals from then on, what is older opens, and another device wants both" {
    local id old new
    log_in
    ctctl key init --no-confirm
    old=$(key_ids)
    id=$(new_id)
    line one >"$(transcript "$id")"
    codeteleportd --once
    ctctl key rotate --no-confirm
    new=$(key_ids | tail -n 1)
    [ "$new" != "$old" ]
    [ "$(key_ids | head -n 1)" = "$old" ]
    ls "$(KEYRING)".before-* # what it was
    line two >>"$(transcript "$id")"
    codeteleportd --once
    [ "$(on_server 'count(distinct session_id)')" = 1 ]
    ctctl verify "$id"
    ctctl verify "$id" --json >"$T/out"
    log_in_elsewhere
    # the newer one alone makes other names
    run elsewhere ctctl key import - <<<"$(ctctl key export | tail -n 1)"
    [ "$status" -ne 0 ]
    [[ "$output" == *"${old:0:8}"* ]]
    ctctl key export | elsewhere ctctl key import -
    elsewhere ctctl pull "$id" --target-dir "$T/home2"
    for n in 1 2; do
        elsewhere ctctl export "$id" --version $n -o "$T/v$n.tar.gz"
        tar -xOzf "$T/v$n.tar.gz" session.jsonl >"$T/v$n"
    done
    [ "$(wc -l <"$T/v1")" = 1 ]
    [ "$(wc -l <"$T/v2")" = 2 ]
}

@test "key_command brings the keys, and then nothing is written here" {
    log_in
    ctctl key init --no-confirm
    ctctl key export >"$T/kept-elsewhere"
    chmod 600 "$T/kept-elsewhere"
    rm "$(KEYRING)"*
    conf "quiet = 0.3; key_command = \"cat '$T/kept-elsewhere'\";"
    [ "$(ctctl key export)" = "$(cat "$T/kept-elsewhere")" ]
    line one >"$(transcript "$(new_id)")"
    codeteleportd --once
    in_clear_are 0
    run ctctl key rotate --no-confirm
    echo "$output"
    [[ "$output" == *key_command* ]]
    [ ! -e "$(KEYRING)" ]
}

@test "a QR code on the terminal holds the text" {
    command -v zbarimg >/dev/null || skip "zbarimg is not installed"
    python3 -S -c 'import zlib' || skip "needs python3"
    log_in
    ctctl key init --no-confirm
    TYPIST_TERM=xterm type -- ctctl key show --qr || {
        grep -q 'not built' "$T/screen" && skip "built without libqrencode"
        false
    }
    python3 -S "$CT_SRC/tests/e2e/tools/qr_picture.py" "$T/screen" "$T/qr.pgm"
    [ "$(zbarimg -q --raw "$T/qr.pgm" | tr '[:upper:]' '[:lower:]')" = "$(ctctl key export)" ]
}

@test "login offers a key before anything is saved, and the host's name stays here" {
    [ -n "${HAS_ACCOUNT:-}" ] || curl -sSf --cacert "$CA" "$API/auth/register" -H 'Content-Type: application/json' \
        -d '{"email":"me@example.org","password":"correct horse battery"}' >/dev/null
    line one >"$(transcript "$(new_id)")"
    line two >"$(transcript "$(new_id)")"
    start_daemon
    # no key after all, and no wish to go on in clear: not logged in
    run type "assword" 'correct horse battery\n' "Shall it be sealed?" '\n' "Make the key now?" 'n\n' \
        "leaves in clear?" 'n\n' -- ctctl login --email me@example.org --api-url "$API"
    [ "$status" -ne 0 ]
    [ ! -e "$(KEYRING)" ]
    [ ! -e "$CODETELEPORT_CONFIG_DIR/config.json" ]
    [ "$(sqlite3 "$T/server/server.db" 'SELECT count(*) FROM tokens')" = 0 ]
    type "assword" 'correct horse battery\n' "Shall it be sealed?" '\n' "Make the key now?" '\n' \
        "Written down?" "$LAST_GROUP" -- ctctl login --email me@example.org --api-url "$API"
    grep -q 'can read all of it' "$T/screen"
    ctctl sync --wait
    [ "$(on_server 'count(*)')" = 2 ]
    in_clear_are 0
    [ "$(on_server 'distinct machine')" = sealed ]
    sqlite3 "$T/server/server.db" 'SELECT name FROM tokens' | grep -qx 'device-[0-9a-f]\{6\}'
    not grep -aq "$(hostname)" "$T/server/server.db"
}

@test "seal brings what only the cloud has in clear there sealed, and is killed and run again" {
    local here gone
    conf 'quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5;'
    log_in
    here=$(new_id) gone=$(new_id)
    line one >"$(transcript "$here")"
    line one >"$(transcript "$gone")"
    start_daemon
    ctctl sync --wait
    line two >>"$(transcript "$gone")"
    ctctl sync --wait
    cp "$(transcript "$gone")" "$T/gone"
    rm "$(transcript "$gone")"
    within archived "$gone"
    # without a key there is nothing to be done
    run ctctl seal --all --yes
    [ "$status" -eq 78 ]
    [[ "$output" == *"ctctl key init"* ]]
    ctctl key init --no-confirm
    within status_is .encryption.state sealing
    in_clear_are 2
    # nobody knows what this device had
    CTCTL_SOCKET=$T/none run ctctl seal --all --yes
    [ "$status" -eq 69 ]
    in_clear_are 2
    # nobody agreed
    run ctctl seal --all
    [ "$status" -eq 64 ]
    in_clear_are 2
    run ctctl sync --reseal
    [ "$status" -eq 64 ]
    [[ "$output" == *"ctctl seal --all"* ]]
    # killed on its way: what is in clear stays until the sealed one is there, and it goes on
    for n in 5 20 60 150; do
        timeout -s KILL "0.$(printf %03d "$n")" ctctl seal --all --yes >/dev/null 2>&1 || true
        [ "$(ctctl --json list --cloud | jq '[.sessions[] | .opened.sessionId // .id] | unique |
            length')" = 2 ]
    done
    ctctl --json seal --all --yes >"$T/out"
    in_clear_are 0
    ctctl verify "$here"
    ctctl export "$gone" -o "$T/gone.tar.gz"
    tar -xOzf "$T/gone.tar.gz" session.jsonl | cmp - "$T/gone"
    run ctctl seal --all --yes
    [ "$status" -eq 0 ]
    [[ "$output" == *Nothing* ]]
    within status_is .encryption.plain 0
}

@test "a fuller version in clear is sealed beside the current one before it is deleted" {
    local id f
    conf 'quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5;'
    log_in
    id=$(new_id)
    f=$(transcript "$id")
    { record 1 && record 2 && record 3; } >"$f"
    start_daemon
    ctctl sync --wait
    record 1 >"$f"
    ctctl sync --wait
    ctctl key init --no-confirm
    within sealed_here "$id"
    # that this device uploaded it is not known any more, so somebody has to say so
    run ctctl --json seal --all --yes
    [ "$status" -eq 1 ]
    jq -e '.left == 1 and .sessions[0].leftVersions == [1] and .sessions[0].deletedVersions == 1' <<<"$output"
    in_clear_are 1
    ctctl --json seal "$id" --yes | jq -e '.sealed == 1 and .sessions[0].deletedVersions == 1 and
        .sessions[0].sealedVersions == 1'
    in_clear_are 0
    # the fuller one hides nothing and is hidden by nothing
    ctctl --json versions "$id" >"$T/versions"
    for v in $(jq '.versions[].version' "$T/versions"); do
        ctctl export "$id" --version "$v" -o "$T/$v.tar.gz"
        tar -xOzf "$T/$v.tar.gz" session.jsonl | wc -l
    done | sort | xargs | grep -qx "1 3"
    jq -e '[.versions[] | select(.isHead)] | length >= 1' "$T/versions"
}

archived() { [ "$(ctctl --json show "$1" | jq -r .state)" = archived ]; }

sealed_here() { [ "$(ctctl --json show "$1" | jq -r .sealed)" = true ]; }

record() { printf '{"type":"user","uuid":"00000000-0000-4000-8000-00000000000%s","message":{"role":"user","content":"word"}}\n' "$1"; }

@test "the key's text is in its keyring and nowhere else" {
    local text pid
    log_in
    ctctl key init --no-confirm
    ctctl key export >"$T/text"
    text=$(cat "$T/text")
    line one >"$(transcript "$(new_id)")"
    start_daemon
    ctctl sync --wait
    pid=$DAEMON_PID
    ctctl key rotate --no-confirm >>"$T/ctctl.log" 2>&1
    ctctl key status >>"$T/ctctl.log" 2>&1
    ctctl doctor >>"$T/ctctl.log" 2>&1 || true
    kill -USR1 "$pid"
    ctctl sync --wait
    environment_of "$pid" >"$T/environ"
    tr '\0' '\n' <"/proc/$pid/cmdline" >"$T/cmdline"
    rm "$T/text"
    # it can be found
    grep -rlaF "$text" "$CODETELEPORT_CONFIG_DIR" | grep -q keyring
    # and is not
    [ -z "$(grep -rlaiF "$text" "$T" | grep -v "^$CODETELEPORT_CONFIG_DIR/keyring")" ]
    find "$CODETELEPORT_CONFIG_DIR" -name 'keyring*' | while read -r f; do
        [ "$(stat -c %a "$f")" = 600 ]
    done
}
