#!/usr/bin/env bats
# What can go wrong between the disk and a bundle, with the real daemon.

load lib

setup() {
    make_home
    start_server
    log_in
}

teardown() {
    end_home
}

# skipped ID: what was left out of the session's bundle, "name: reason" on each line
skipped() {
    ctctl --json show "$1" | jq -r '.skipped[] | "\(.path | sub(".*/"; "")): \(.reason)"' | sort
}

# entries ID: what lies in the tool results of the stored bundle
entries() {
    fetch "$1" "$T/b.tar.gz" && tar -tzf "$T/b.tar.gz" | sed -n 's|^session-subdir/tool-results/||p' |
        sort | tr '\n' ' '
}

@test "what is no file of this user is left out, and named in the log and in show" {
    local id f d
    id=$(new_id) f=$(transcript "$id") d=${f%.jsonl}/tool-results
    mkdir -p "$HOME/.ssh" "$d"
    echo secret >"$HOME/.ssh/id_rsa"
    line hello >"$f"
    echo fine >"$d/fine"
    ln -s "$HOME/.ssh/id_rsa" "$d/link"
    ln -s "$HOME/.ssh" "$d/folder"
    mkfifo "$d/fifo"
    mknod "$d/device" c 1 3 2>/dev/null || : >"$d/device-is-not-allowed-here"
    start_daemon
    ctctl sync --wait
    skipped "$id" >"$T/skipped"
    cat "$T/skipped"
    grep -qx 'fifo: not a regular file' "$T/skipped"
    grep -q '^link: .*symbolic link' "$T/skipped"
    grep -q '^folder: .*symbolic link' "$T/skipped"
    [ -e "$d/device-is-not-allowed-here" ] || grep -qx 'device: not a regular file' "$T/skipped"
    # (in each bundle that was begun)
    [ "$(grep -o "file-skipped session=$id.*" "$T/daemon.log" | sort -u | wc -l)" = "$(wc -l <"$T/skipped")" ]
    [[ "$(entries "$id")" =~ ^(device-is-not-allowed-here )?'fine '$ ]]
    ctctl show "$id" | grep -q 'Left out'
}

@test "another user's file is left out, and comes along once it is ours" {
    local id f d
    [ "$(id -u)" = 0 ] || skip "only root can give files away"
    conf 'quiet = 0.3; turn_quiet = 0.1; distance = 0; rescan = 1;'
    id=$(new_id) f=$(transcript "$id") d=${f%.jsonl}/tool-results
    mkdir -p "$d"
    line hello >"$f"
    echo theirs >"$d/theirs"
    chown 12345 "$d/theirs"
    start_daemon
    ctctl sync --wait
    [ "$(skipped "$id")" = 'theirs: belongs to another user' ]
    [ -z "$(entries "$id")" ]
    chown "$(id -u)" "$d/theirs"
    within versions_are "$id" 2
    [ "$(entries "$id")" = 'theirs ' ]
    [ -z "$(skipped "$id")" ]
}

@test "events that the kernel dropped are made up for by one full scan" {
    local n i
    n=$(cat /proc/sys/fs/inotify/max_queued_events)
    [ "$n" -le 65536 ] || skip "fs.inotify.max_queued_events is $n here"
    mkdir -p "$CLAUDE_CONFIG_DIR/projects/-p"
    start_daemon
    needs_watches
    ctctl sync --wait
    kill -STOP "$DAEMON_PID"
    python3 -S - "$CLAUDE_CONFIG_DIR/projects/-p" "$n" <<'PY'
import os, sys, uuid
ids = [str(uuid.uuid4()) for i in range(20)]
for i in range(int(sys.argv[2]) // 20 + 10):
    for id in ids:
        # Two events each, none of them equal to the one before it.
        with open(os.path.join(sys.argv[1], id + ".jsonl"), "a") as f:
            f.write('{"type":"user","message":{"content":"%d"}}\n' % i)
PY
    kill -CONT "$DAEMON_PID"
    ctctl sync --wait
    [ "$(status .watch.overflows)" -ge 1 ]
    for i in "$CLAUDE_CONFIG_DIR"/projects/-p/*.jsonl; do
        bundle_equals "$(basename "$i" .jsonl)" "$i"
    done
}

# The kernel counts watches for each user namespace too, so nobody else is bothered.
@test "no more watches: the rest is polled, status names the sysctl, and nothing is lost" {
    local id f i
    unshare -Ur sh -c 'echo 1 >/proc/sys/user/max_inotify_watches' 2>/dev/null ||
        skip "no user namespaces here"
    for i in $(seq 30); do
        id=$(new_id)
        line "$i" >"$(transcript "$id" "-p$i")"
    done
    as_service unshare -Ur sh -c 'echo 12 >/proc/sys/user/max_inotify_watches; exec codeteleportd -v' \
        >>"$T/daemon.log" 2>&1 3>&- &
    DAEMON_PID=$!
    within ctctl --json status
    needs_watches
    ctctl sync --wait
    status '.watch.degraded[].reason' | grep -q 'sysctl fs.inotify.max_user_watches='
    [ "$(status .daemon.state)" = degraded ]
    ctctl status | grep -q max_user_watches
    for f in "$CLAUDE_CONFIG_DIR"/projects/-p*/*.jsonl; do
        line more >>"$f"
    done
    ctctl sync --wait
    for f in "$CLAUDE_CONFIG_DIR"/projects/-p*/*.jsonl; do
        bundle_equals "$(basename "$f" .jsonl)" "$f"
    done
}

@test "what is pending is counted by what changed, however often it was looked at" {
    local id f i
    conf 'quiet = 600; longest_wait = 6000; distance = 0;'
    id=$(new_id) f=$(transcript "$id")
    head -c 500000 /dev/zero | tr '\0' ' ' >"$f"
    line one >>"$f"
    start_daemon
    within status_is .sessions.pendingBytes "$(stat -c %s "$f")"
    ctctl sync --wait
    status_is .sessions.pendingBytes 0
    for i in 1 2 3 4 5; do
        line "$i" >>"$f"
        within status_is .sessions.pendingBytes "$((i * $(line "$i" | wc -c)))"
    done
    ctctl sync --wait
    status_is .sessions.pendingBytes 0
}
