#!/usr/bin/env bats
# Watching and bundling at full size: a FUSE mount, 6,000 folders, a transcript of 2 GiB.

load lib

setup() {
    make_home
    start_server
    log_in
}

teardown() {
    if [ -n "${MOUNT:-}" ]; then
        kill "$DAEMON_PID" 2>/dev/null && wait "$DAEMON_PID" || true
        fusermount -uz "$MOUNT" || umount -l "$MOUNT"
    fi
    end_home
}

# private_kb: memory of the daemon that is its own
private_kb() { awk '/^Private_Dirty/ {print $2}' "/proc/$DAEMON_PID/smaps_rollup"; }

switches() {
    awk '/^(non)?voluntary_ctxt_switches/ {n += $2} END {print n}' /proc/"$DAEMON_PID"/task/*/status
}

@test "a FUSE file system is polled by itself, and nothing in it is lost" {
    local id f
    command -v bindfs >/dev/null || skip "there is no bindfs"
    mkdir -p "$T/behind/projects/-p"
    bindfs "$T/behind" "$CLAUDE_CONFIG_DIR" 2>/dev/null || skip "nothing can be mounted here"
    MOUNT=$CLAUDE_CONFIG_DIR
    id=$(new_id) f=$T/behind/projects/-p/$id.jsonl
    line one >"$f"
    start_daemon
    status_is .watch.backend polling
    [ "$(status '.watch.degraded | length')" = 0 ] # that is how it is meant to be
    within versions_are "$id" 1
    # Written behind the mount: no event of any kind tells of it.
    line two >>"$f"
    within versions_are "$id" 2
    line three >>"$f"
    ctctl sync --wait
    bundle_equals "$id" "$f"
}

@test "idle: no wakeup in 60 s and at most 6 MB, with 6,000 folders and 20,000 files after a first sync" {
    local before after kb
    [ "${CT_SANITIZERS:-no}" != yes ] || skip "sanitizers need memory of their own"
    python3 -S "$CT_SRC/bench/gen_corpus.py" "$CLAUDE_CONFIG_DIR" --sessions 400 --mb 40 \
        --projects 60 --files 20000 --folders 6000 >/dev/null
    [ "$(find "$CLAUDE_CONFIG_DIR" -type d | wc -l)" -ge 5900 ]
    [ "$(find "$CLAUDE_CONFIG_DIR" -type f | wc -l)" -ge 19500 ]
    start_daemon
    ctctl sync --wait
    # 20 s after the last work it gives memory and connections back.
    settled() {
        local a
        a=$(switches) && sleep 25 && [ "$a" = "$(switches)" ]
    }
    LIMIT_S=300 within settled
    before=$(switches)
    sleep 60
    after=$(switches)
    kb=$(private_kb)
    echo "# $((after - before)) wakeups, $kb kB, $(status .watch.watches) watches" >&3
    [ "$before" = "$after" ]
    [ "$kb" -le 6144 ]
}

@test "a transcript of 2 GiB with a line of 100 MB is bundled in constant memory, status answers meanwhile, a stop is quick" {
    local id f kb most=0 began asking n=0
    [ "${CT_SANITIZERS:-no}" != yes ] || skip "sanitizers need memory of their own"
    id=$(new_id) f=$(transcript "$id")
    [ "$(df --output=avail -B1 "$T" | tail -n 1)" -gt 9000000000 ] || skip "not enough room on the disk"
    python3 -S - "$f" <<'PY'
import json, random, sys
random.seed(1)
words = [("%06x" % random.getrandbits(24)) for i in range(4096)]
def text(n):
    return " ".join(random.choices(words, k=n // 7))
block = "".join(json.dumps({"type": "user", "message": {"role": "user", "content": text(4000)}}) + "\n"
                for i in range(4096))
with open(sys.argv[1], "w") as f:
    f.write(json.dumps({"type": "user", "message": {"role": "user", "content": text(100 << 20)}}) + "\n")
    while f.tell() < 2 << 30:
        f.write(block)
PY
    start_daemon
    # How long an answer takes, on a connection that is there already.
    python3 -S - "$XDG_RUNTIME_DIR/codeteleport/control.sock" >"$T/answers" 3>&- <<'PY' &
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
took = []
try:
    while True:
        began = time.monotonic()
        s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"status"}\n')
        answer = b""
        while not answer.endswith(b"\n"):
            part = s.recv(65536)
            if not part:
                raise EOFError
            answer += part
        took.append(1000 * (time.monotonic() - began))
        time.sleep(0.05)
except (EOFError, OSError):
    took.sort()
    print("status, %d times: median %.1f ms, 99 %% within %.1f ms, slowest %.1f ms" %
          (len(took), took[len(took) // 2], took[len(took) * 99 // 100], took[-1]))
PY
    asking=$!
    while [ "$(ctctl --json list | jq -r '.[0].version // 0')" = 0 ]; do
        kb=$(private_kb)
        [ "$kb" -le "$most" ] || most=$kb
        n=$((n + 1))
        [ "$n" -lt 1200 ]
        sleep 0.5
    done
    echo "# at most $most kB" >&3
    [ "$most" -le $((24 * 1024)) ]
    # The same again, and told to stop in the middle.
    line more >>"$f"
    rm -rf "$XDG_STATE_HOME"/codeteleport/*/accounts/*/cache
    ctctl sync "$id" # its distance is ten times what the upload took
    within eval 'ls "$XDG_STATE_HOME"/codeteleport/*/accounts/*/cache/*.blocks'
    began=$(date +%s%N)
    stop_daemon
    echo "# stopped in $((($(date +%s%N) - began) / 1000000)) ms while bundling" >&3
    wait "$asking"
    sed 's/^/# /' "$T/answers" >&3
    versions_are "$id" 1
    [ -z "$(find "$XDG_STATE_HOME" -path '*/spool/*' -type f)" ]
}
