#!/usr/bin/env bats
# Where keys are not: in memory that is not locked, in what a program writes or is started with; and
# resealing against a server that is not ours, and one that keeps few versions.

load lib

setup() {
    make_home
}

teardown() {
    end_home
}

# raw TEXT: the 32 bytes that a recovery text stands for, without the help of what is tested
raw() {
    python3 -S -c '
import sys
digits = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
n = 0
for c in sys.argv[1][6:58]:
    n = n << 5 | digits.index(c)
sys.stdout.buffer.write((n >> 4).to_bytes(32, "big"))' "$1"
}

scan() { python3 -S "$CT_SRC/tests/e2e/tools/memscan.py" "$1" | cut -d' ' -f1 | sort | uniq -c; }

can_scan() {
    local rc=0
    scan $$ <<<"$BATS_TEST_DIRNAME" >/dev/null 2>&1 || rc=$?
    [ "$rc" = 0 ] && [ "$(id -u)" = 0 ] || skip "only root can read the memory of a process that is not dumpable"
    [ "${CT_SANITIZERS:-no}" != yes ] || skip "a sanitizer keeps what was freed"
}

in_clear() { ctctl --json list --cloud | jq '[.sessions[] | select(.opened == null)] | length'; }

@test "in the daemon the master key lies in locked memory only, and its text nowhere" {
    local text
    can_scan
    start_server
    log_in
    ctctl key init --no-confirm
    ctctl key rotate --no-confirm
    start_daemon
    line one >"$(transcript "$(new_id)")"
    ctctl sync --wait
    for text in $(ctctl key export); do
        raw "$text" >"$T/raw"
        scan "$DAEMON_PID" <"$T/raw" >"$T/places"
        cat "$T/places"
        grep -q ' locked$' "$T/places"
        ! grep -qv ' locked$' "$T/places" || false
        printf %s "$text" | scan "$DAEMON_PID" >"$T/places"
        [ ! -s "$T/places" ]
    done
}

@test "no system call of ctctl carries a key but those that write the keyring or were asked to" {
    local text call
    command -v strace >/dev/null || skip "strace is not installed"
    strace -o "$T/try" true 2>/dev/null || skip "strace may not trace here"
    [ "${CT_SANITIZERS:-no}" != yes ] || skip "a sanitizer does not run under strace"
    start_server
    log_in
    traced() {
        strace $(stays_dumpable ctctl) -f -qq -y -xx -s 100000 -o "$T/trace.$1" \
            -e trace=prctl,write,writev,pwrite64,sendto,sendmsg,execve "${@:2}"
    }
    traced init ctctl key init --no-confirm
    traced rotate ctctl key rotate --no-confirm
    traced status ctctl key status
    traced export ctctl key export >"$T/texts"
    traced import ctctl key import - <"$T/texts"
    for text in $(cat "$T/texts"); do
        raw "$text" >"$T/raw"
        python3 -S - "$text" "$T/raw" "$T"/trace.* >"$T/found" <<'PY'
import base64, re, sys
text, raw = sys.argv[1].encode(), open(sys.argv[2], "rb").read()
# as strace -xx writes it: the text in either case, the bytes, in hexadecimal and in base64
needles = [text, text.upper(), raw, raw.hex().encode(), base64.b64encode(raw)[:40]]
needles = ["".join("\\x%02x" % c for c in n) for n in needles]
for name in sys.argv[3:]:
    for line in open(name, errors="replace"):
        if any(n in line for n in needles):
            # 123 write(4</path>, ...: what, and to which file; -xx spells the path out
            call, path = re.match(r"\d+ +(\w+)\((?:\d+<([^>]*)>)?", line).groups()
            path = re.sub(r"\\x(..)", lambda m: chr(int(m[1], 16)), path or "")
            print(name.rsplit(".", 1)[1], call, path)
PY
        cat "$T/found"
        grep -q "^\(init\|rotate\) .*$CODETELEPORT_CONFIG_DIR/" "$T/found"
        grep -q "^export write $T/texts$" "$T/found"
        ! grep -v -e "^\(init\|rotate\) [a-z0-9]* $CODETELEPORT_CONFIG_DIR/" \
            -e "^export write $T/texts$" "$T/found" || false
    done
}

@test "a recovery text on the command line is refused, and not repeated" {
    local text=ctkey1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq
    for verb in "key import $text" "key $text" "key show $text"; do
        # shellcheck disable=SC2086
        run ctctl $verb
        [ "$status" -eq 64 ]
        [[ "$output" != *qqqq* ]]
        # shellcheck disable=SC2086
        run ctctl --json $verb
        [ "$status" -eq 64 ]
        [[ "$output" != *qqqq* ]]
    done
}

archived() { [ "$(ctctl --json show "$1" | jq -r .state)" = archived ]; }

# gone_session: one with several versions in clear that is gone from here; $ID
gone_session() {
    ID=$(new_id)
    start_daemon
    for i in 1 2 3; do
        line "turn $i" >>"$(transcript "$ID")"
        ctctl sync --wait
    done
    cp "$(transcript "$ID")" "$T/was"
    rm "$(transcript "$ID")"
    within archived "$ID"
}

comes_back_whole() {
    ctctl export "$@" --force -o "$T/back.tar.gz"
    tar -xOzf "$T/back.tar.gz" session.jsonl | cmp - "$T/was"
}

@test "of what is gone the newest is sealed, and what it holds is in clear no more" {
    start_server
    log_in
    gone_session
    ctctl key init --no-confirm
    ctctl --json seal --all --yes >"$T/out"
    jq -e '.sealed == 1 and .sessions[0].sealedVersions == 1 and .sessions[0].deletedVersions == 3' "$T/out"
    [ "$(in_clear)" = 0 ]
    ctctl --json versions "$ID" | jq -e '.versions[0].opened.origin == null'
    comes_back_whole "$ID"
    # nothing that was opened is left lying about
    [ -z "$(find "$XDG_STATE_HOME" -name 'seal-*')" ]
}

@test "a server that is not ours, with two versions a session, gives up nothing before it is sealed" {
    start_stock_server
    log_in
    gone_session
    ctctl key init --no-confirm
    # the store fails: all stays
    echo 'PUT /bundles/.* 507' >"$T/faults"
    run ctctl seal --all --yes
    echo "$output"
    [ "$status" -ne 0 ]
    rm "$T/faults"
    [ "$(in_clear)" = 1 ]
    comes_back_whole "$ID" --plain
    ctctl --json seal --all --yes >"$T/out" || {
        cat "$T/out"
        false
    }
    [ "$(in_clear)" = 0 ]
    comes_back_whole "$ID"
}

@test "seal looks at the plan's room first, for a session that is being sealed is there twice" {
    start_stock_server --sessions 1
    log_in
    gone_session
    ctctl key init --no-confirm
    run ctctl seal --all --yes
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"no room: 1 of 1 sessions"* ]]
    [ "$(in_clear)" = 1 ]
}

@test "what this device never had is sealed only when somebody says so of each" {
    start_server
    log_in
    gone_session
    stop_daemon
    # this is another device now
    export XDG_STATE_HOME=$T/state2 CODETELEPORT_CONFIG_DIR=$T/other
    rm -rf "$CLAUDE_CONFIG_DIR"
    mkdir "$CLAUDE_CONFIG_DIR"
    conf 'quiet = 0.3; device_name = "other";'
    printf 'correct horse battery' | ctctl login --email me@example.org --password-stdin \
        --api-url "$API" >>"$T/login.log" 2>&1
    ctctl key init --no-confirm
    start_daemon
    run ctctl seal --all --yes
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"never had"* ]]
    [ "$(in_clear)" = 1 ]
    # asked, a no leaves it
    python3 -S "$CT_SRC/tests/e2e/tools/typist.py" "Seal it?" 'n\n' -- ctctl seal --all || true
    [ "$(in_clear)" = 1 ]
    python3 -S "$CT_SRC/tests/e2e/tools/typist.py" "Seal it?" 'y\n' -- ctctl seal --all >"$T/screen"
    grep -q 'stranger' "$T/screen"
    [ "$(in_clear)" = 0 ]
    ctctl --json versions "$ID" | jq -e '.versions[0].opened.origin == "stranger"'
    comes_back_whole "$ID"
}
