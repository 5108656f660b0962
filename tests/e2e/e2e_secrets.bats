#!/usr/bin/env bats
# Secrets in memory: where they lie, who can look, what is left when they are not needed any more.

load lib

setup() {
    make_home
}

teardown() {
    end_home
}

token() { jq -r .token "$CODETELEPORT_CONFIG_DIR/config.json"; }

# where PID TEXT: in what kind of memory the text lies, a word a place
where() { printf %s "$2" | python3 -S "$CT_SRC/tests/e2e/tools/memscan.py" "$1" | cut -d' ' -f1; }

can_scan() {
    local rc=0
    where $$ "$BATS_TEST_DIRNAME" >/dev/null 2>&1 || rc=$?
    [ "$rc" = 0 ] && [ "$(id -u)" = 0 ] || skip "only root can read the memory of a process that is not dumpable"
    [ "${CT_SANITIZERS:-no}" != yes ] || skip "a sanitizer keeps what was freed"
}

# A session goes all the way, so that every part of the daemon has had the token in its hands.
sync_one() {
    local id
    id=$(new_id)
    line "$1" >"$(transcript "$id")"
    within status_is .sessions.pending 0
    ctctl sync --wait "$id"
    versions_are "$id" 1
}

not_dumpable() {
    local limits
    limits=$(grep 'Max core file size' "/proc/$1/limits")
    [[ $limits =~ size[[:space:]]+0[[:space:]]+0[[:space:]] ]] || {
        echo "process $1: $limits"
        return 1
    }
    # What belongs to a process that is not dumpable belongs to root, see proc(5).
    [ "$(stat -c %u "/proc/$1/environ")" = 0 ]
}

# An ordinary user, for to root all of this means nothing; in front of a command.
if [ "$(id -u)" = 0 ]; then
    as_somebody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
else
    as_somebody=(env)
fi

@test "neither daemon nor server can be dumped or read by other processes of the same user" {
    [ -d /proc/self ] || skip "there is no /proc"
    [ ! -d "$CT_BUILD/hidden" ] || skip "built as on a system that is not Linux"
    make_home_for_somebody
    "${as_somebody[@]}" codeteleport-server --data "$T/server" --listen 127.0.0.1:0 --objects 127.0.0.1:0 \
        --ready-file "$T/ready" >>"$T/server.log" 2>&1 3>&- &
    SERVER_PID=$!
    server_is_ready
    as_service "${as_somebody[@]}" codeteleportd -v >>"$T/daemon.log" 2>&1 3>&- &
    DAEMON_PID=$!
    within test -S "$XDG_RUNTIME_DIR/codeteleport/control.sock"
    for pid in $DAEMON_PID $SERVER_PID; do
        not_dumpable "$pid"
        run "${as_somebody[@]}" dd if="/proc/$pid/mem" of=/dev/null bs=1 count=1
        [ "$status" != 0 ]
        [[ $output == *"ermission denied"* ]]
    done
}

make_home_for_somebody() {
    chmod 711 "$T"
    [ "$(id -u)" != 0 ] || chown -R 65534:65534 "$T"
}

@test "what ctctl and the server's verbs are asked for can't be dumped either" {
    start_server
    mkfifo "$T/fifo"
    ctctl login --email me@example.org --register --password-stdin --api-url "$API" \
        <"$T/fifo" >/dev/null 2>&1 3>&- &
    asked=$!
    exec 9>"$T/fifo"
    within not_dumpable "$asked"
    exec 9>&-
    wait "$asked" || true
    codeteleport-server --data "$T/other" user add you@example.org <"$T/fifo" >/dev/null 2>&1 3>&- &
    asked=$!
    exec 9>"$T/fifo"
    within not_dumpable "$asked"
    exec 9>&-
    wait "$asked" || true
}

@test "the token lies in locked memory, and nowhere else once nothing is under way" {
    can_scan
    start_server
    log_in
    start_daemon
    sync_one hello
    within only_locked "$DAEMON_PID" "$(token)"
}

# only_locked PID TEXT [KIND OF MEMORY THAT DOES NOT COUNT]
only_locked() {
    local places
    places=$(where "$1" "$2")
    places=$(grep -vxF "unlocked:${3:-}" <<<"$places")
    [ -n "$places" ] && ! grep -qv '^locked$' <<<"$places" || {
        sort <<<"$places" | uniq -c
        return 1
    }
}

nowhere() {
    local places
    places=$(where "$1" "$2")
    [ -z "$places" ] || {
        sort <<<"$places" | uniq -c
        return 1
    }
}

@test "after a log-out the token is not in the daemon's memory any more" {
    can_scan
    start_server
    log_in
    start_daemon
    sync_one hello
    secret=$(token)
    ctctl logout
    within status_is .daemon.state auth_required
    within nowhere "$DAEMON_PID" "$secret"
}

@test "where nothing can be locked the daemon works all the same" {
    [ "$(id -u)" = 0 ] || skip "needs root, to become somebody"
    start_server
    log_in
    make_home_for_somebody
    as_service prlimit --memlock=0 "${as_somebody[@]}" \
        codeteleportd -v >>"$T/daemon.log" 2>&1 3>&- &
    DAEMON_PID=$!
    within test -S "$XDG_RUNTIME_DIR/codeteleport/control.sock"
    within grep -q logged-in "$T/daemon.log"
    grep -q 'VmLck:[[:space:]]*0 kB' "/proc/$DAEMON_PID/status"
}

@test "the proxy's password lies in locked memory only" {
    can_scan
    start_server
    log_in
    conf 'proxy = "http://somebody:tell-nobody-4711@127.0.0.1:9"; quiet = 0.3;'
    start_daemon
    within status_is .server.reachable true
    # But for what the dynamic linker saved of vector registers on the stack.
    within only_locked "$DAEMON_PID" tell-nobody-4711 '[stack]'
}

@test "the server's keys lie in locked memory only" {
    can_scan
    start_server
    log_in
    start_daemon
    sync_one hello
    secret=$(cut -d' ' -f2 "$T/server/objects.key")
    within only_locked "$SERVER_PID" "$secret"
}
