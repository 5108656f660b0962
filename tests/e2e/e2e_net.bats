#!/usr/bin/env bats
# How the daemon behaves on the network, end to end: proxies, IPv6, names, news of the network,
# rates, metered connections, and that nothing leaks.

load lib

setup() {
    make_home
}

teardown() {
    kill ${EXTRA_PIDS:-} 2>/dev/null || true
    end_home
}

new_session() {
    ID=$(new_id)
    F=$(transcript "$ID")
    line hello >"$T/transcript"
    mv "$T/transcript" "$F"
}

# big_session KIB: one whose bundle has about that size
big_session() {
    ID=$(new_id)
    F=$(transcript "$ID")
    python3 -S - "$1" >"$T/transcript" <<'PY'
import json, os, sys
for _ in range(int(sys.argv[1]) // 16):
    text = os.urandom(16384).hex()  # 4 of 8 bits are left for the compressor
    print(json.dumps({"type": "user", "message": {"role": "user", "content": text}}))
PY
    mv "$T/transcript" "$F"
}

why_says() { ctctl --json status | jq -r .daemon.stateReason | grep -q "$1"; }
is_synced() { [ "$(ctctl --json show "$1" | jq -r .state)" = synced ]; }

# start_server_elsewhere: at names that do not resolve, so that only a proxy leads there
start_server_elsewhere() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=house \
        -addext 'subjectAltName=DNS:api.example.test,DNS:objects.example.test' \
        -keyout "$T/house.key" -out "$T/house.crt" 2>/dev/null
    cat >"$XDG_CONFIG_HOME/codeteleport/server.conf" <<CONF
certificate = "$T/house.crt"; key = "$T/house.key"; registration = "open";
public_objects_url = "https://objects.example.test";
CONF
    start_server
    python3 -S "$CT_SRC/tests/e2e/tools/connectproxy.py" --ready "$T/connect.ready" --log "$T/connect.log" "$@" \
        "api.example.test=127.0.0.1:$API_PORT" "objects.example.test=127.0.0.1:$OBJECTS_PORT" 3>&- &
    EXTRA_PIDS="${EXTRA_PIDS:-} $!"
    within test -s "$T/connect.ready"
    CONNECT_PORT=$(cat "$T/connect.ready")
    API=https://api.example.test/v1
    FAST='quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5;'
    unset CODETELEPORT_CA_FILE
}

@test "a name that does not resolve: offline with the reason, and the loop goes on" {
    start_server
    log_in
    jq '.apiUrl = "https://nowhere.invalid/v1"' "$CODETELEPORT_CONFIG_DIR/config.json" >"$T/c"
    cat "$T/c" >"$CODETELEPORT_CONFIG_DIR/config.json"
    rm -rf "$XDG_STATE_HOME"
    start_daemon
    within status_is .daemon.state offline
    why_says 'nowhere.invalid.*resolve'
}

@test "through a proxy that the configuration names, with a password that is nowhere else" {
    start_server_elsewhere --user 'al:s3cr3tproxy'
    conf "$FAST ca_file = \"$T/house.crt\"; proxy = \"http://al:wrong@127.0.0.1:$CONNECT_PORT\";"
    run log_in
    [ "$status" -ne 0 ]
    grep -q 'proxy wants a name and a password' "$T/login.log"
    conf "$FAST ca_file = \"$T/house.crt\"; proxy = \"http://al:s3cr3tproxy@127.0.0.1:$CONNECT_PORT\";"
    log_in
    new_session
    start_daemon
    ctctl sync --wait
    is_synced "$ID"
    grep -qx 'objects.example.test 200' "$T/connect.log"
    grep -qx 'api.example.test 200' "$T/connect.log"
    ! grep -rq s3cr3tproxy "$T/daemon.log" "$XDG_STATE_HOME" || false
    environment_of "$DAEMON_PID" >"$T/environment"
    ! grep -q s3cr3tproxy "$T/environment"
}

@test "through the proxy of the environment; proxy = \"\" means none, and reload applies it" {
    start_server_elsewhere
    conf "$FAST ca_file = \"$T/house.crt\";"
    export https_proxy=http://127.0.0.1:$CONNECT_PORT
    log_in
    new_session
    start_daemon
    ctctl sync --wait
    is_synced "$ID"
    conf "$FAST ca_file = \"$T/house.crt\"; proxy = \"\";"
    kill -HUP "$DAEMON_PID"
    within grep -q 'codeteleportd: reloaded' "$T/daemon.log"
    kill $EXTRA_PIDS
    new_session
    within status_is .daemon.state offline
    why_says "resolve host: api.example.test"
    unset https_proxy
}

@test "IPv6: API and store at ::1" {
    python3 -S -c 'import socket; socket.socket(socket.AF_INET6).bind(("::1", 0))' 2>/dev/null ||
        skip "there is no IPv6 here"
    codeteleport-server --data "$T/server" --listen '[::1]:0' --objects '[::1]:0' \
        --ready-file "$T/ready" >>"$T/server.log" 2>&1 3>&- &
    SERVER_PID=$!
    server_is_ready
    log_in
    new_session
    start_daemon
    ctctl sync --wait
    versions_are "$ID" 1
    bundle_equals "$ID" "$F"
}

is_another() { [ "$(readlink "$1")" != "$(readlink "$2")" ]; }

@test "the network comes back: at once, whatever the back-off says" {
    needs_linux # elsewhere only the back-off tells
    local ns
    unshare -n true 2>/dev/null || skip "network namespaces are not allowed here"
    command -v ip >/dev/null || skip "ip (iproute2) is not here"
    unshare -n sleep 600 3>&- &
    EXTRA_PIDS=$!
    ns=/proc/$EXTRA_PIDS/ns/net
    within is_another "$ns" /proc/self/ns/net
    inside() { nsenter --net="/proc/$EXTRA_PIDS/ns/net" "$@"; }
    codeteleport-server() { exec nsenter --net="/proc/$EXTRA_PIDS/ns/net" "$CT_BUILD/bin/codeteleport-server" "$@"; }
    codeteleportd() { exec nsenter --net="/proc/$EXTRA_PIDS/ns/net" "$CT_BUILD/bin/codeteleportd" "$@"; }
    # in the background, so exec takes a shell of its own: the process that is killed in the end
    python3() { exec nsenter --net="/proc/$EXTRA_PIDS/ns/net" python3 "$@"; }
    inside ip link set lo up
    start_server_behind_proxy
    unset -f python3
    printf 'correct horse battery' | inside ctctl login --register --email other@example.org \
        --password-stdin --api-url "$API"
    start_daemon
    within grep -q cloud-listed "$T/daemon.log"
    within status_is .daemon.state idle
    # Every call, for one that went well would be a sign that the network is back.
    faults 'api * * status=503 header=Retry-After:300'
    new_session
    within status_is .daemon.state offline
    jq -en "$(ctctl --json status | jq '.queue | length') == 1"
    faults
    inside ip address add 127.5.5.5/8 dev lo
    within status_is .sessions.synced 1
    grep -q network-changed "$T/daemon.log"
    # nobody listens any more: changes of the network wake nobody
    ! ss_netlink
}

# Does the daemon hold a routing socket?
ss_netlink() {
    find "/proc/$DAEMON_PID/fd" -lname 'socket:*' -printf '%l\n' | tr -dc '0-9\n' >"$T/inodes"
    inside cat /proc/net/netlink | awk '{print $NF}' | grep -qxFf "$T/inodes"
}

@test "a server whose list can't be had holds up what it may have already: offline, with the reason" {
    start_server_behind_proxy
    log_in
    new_session
    faults 'api GET */sessions* status=503 header=Retry-After:300'
    start_daemon
    within status_is .daemon.state offline
    [[ $(status .daemon.stateReason) == *503* ]]
    faults
    ctctl sync --wait
    status_is .sessions.synced 1
    within status_is .daemon.state idle
}

@test "max_upload_rate holds for all uploads together, and a reload changes those under way" {
    start_server_behind_proxy
    log_in
    conf 'quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5; max_upload_rate = "100 KB";'
    big_session 200
    big_session 200
    start_daemon
    ctctl sync --wait
    python3 -S - "$T/proxy.log" <<'PY'
import json, sys
put = [e for e in map(json.loads, open(sys.argv[1])) if e.get("side") == "store" and e.get("method") == "PUT"]
sent = sum(e["length"] for e in put if e["event"] == "request")
took = max(e["at"] for e in put) - min(e["at"] for e in put)
assert sent > 350000, sent
assert sent <= 100000 * took + 60000, (sent, took)
PY
    conf 'quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5; max_upload_rate = "16 KiB";'
    kill -HUP "$DAEMON_PID"
    within grep -q 'codeteleportd: reloaded' "$T/daemon.log"
    big_session 8000
    within proxied_more '.event == "request" and .length > 7000000' 0
    conf 'quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5;'
    kill -HUP "$DAEMON_PID"
    within versions_are "$ID" 1
}

@test "a rate that is too small is refused, and a proxy that is none" {
    conf 'max_upload_rate = "1 KB";'
    run codeteleportd -t
    [ "$status" -eq 78 ]
    [[ $output == *"at least 16 KiB for 2 uploads"* ]]
    conf 'proxy = "gopher://x";'
    run codeteleportd -t
    [ "$status" -eq 78 ]
    [[ $output == *"proxy has to be http://"* ]]
}

@test "the worker leaves processor and disk to others, the loop answers as ever" {
    local task nices
    needs_linux # where a thread's priority is its own
    start_server
    log_in
    new_session
    start_daemon
    ctctl sync --wait
    nices=$(cat "/proc/$DAEMON_PID"/task/*/stat | sed 's/.*) //' | awk '{print $17}' | sort -n | tr '\n' ' ')
    # counted from where the suite itself runs, which may be under nice
    [ "$(sed 's/.*) //' "/proc/$DAEMON_PID/stat" | awk '{print $17}')" = "$(nice)" ]
    [[ " $nices" == *" 10 "* ]]
    for task in "/proc/$DAEMON_PID"/task/*; do
        ionice -p "${task##*/}"
    done | grep -qx idle
}

said_twice() { [ "$(grep -c "$1" "$T/daemon.log")" = 2 ]; }

@test "a metered connection: large bundles wait, small ones go, sync and another connection let them go" {
    [ -x "$CT_BUILD/tests/e2e/tools/networkmanager" ] || skip "built without libsystemd"
    start_bus
    mkfifo "$T/nm"
    "$CT_BUILD/tests/e2e/tools/networkmanager" <"$T/nm" 2>"$T/nm.out" 3>&- &
    EXTRA_PIDS="$EXTRA_PIDS $!"
    exec 5>"$T/nm"
    echo 1 >&5
    start_server
    log_in
    start_daemon
    within grep -q 'network-metered metered=yes' "$T/daemon.log"
    big_session 21000
    BIG=$ID
    within status_is '.queue | length' 1
    new_session
    within versions_are "$ID" 1
    ctctl --json status | jq -e '.problems[] | select(.why == "this connection is metered")'
    status_is '.queue[0].attempts' 0
    echo 4 >&5
    within versions_are "$BIG" 1
    echo 3 >&5
    within said_twice 'network-metered metered=yes'
    exec 5>&-
}

@test "no password, token or signature in logs, files, names, arguments or environment" {
    local secret
    command -v strace >/dev/null || skip "strace is not here"
    strace -o "$T/none" true 2>/dev/null || skip "strace is not allowed here"
    start_server_behind_proxy --queries "$T/queries"
    log_in
    faults 'store PUT * reset times=1' 'store PUT * status=403 times=1 body=<Error><Code>SignatureDoesNotMatch</Code></Error>' \
        'api POST */confirm status=500 times=1 body={"error":"internal","message":"oh"}'
    codeteleportd() {
        exec strace $(stays_dumpable codeteleportd -t) -D -f -y -s 1000000 -e trace=prctl,write,pwrite64,writev,pwritev,sendto,sendmsg,openat,rename,unlink \
            -o "$T/strace" "$CT_BUILD/bin/codeteleportd" "$@"
    }
    conf 'quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5; log = "debug";'
    start_daemon
    new_session
    within versions_are "$ID" 1
    line more >>"$F"
    ctctl sync --wait
    ps -eww -o args >"$T/ps"
    { environment_of "$DAEMON_PID" && cat "/proc/$DAEMON_PID/cmdline"; } >"$T/proc"
    kill -USR1 "$DAEMON_PID"
    within grep -q 'dump status' "$T/daemon.log"
    stop_daemon
    # what goes to sockets is encrypted, or is for the user's own client
    grep -v '<\(socket\|UNIX\|TCP\|TCPv6\|NETLINK\):\?[^>]*>' "$T/strace" >"$T/strace.files"
    find "$XDG_STATE_HOME" "$XDG_RUNTIME_DIR" >"$T/names"
    jq -r .token "$CODETELEPORT_CONFIG_DIR/config.json" >"$T/secrets"
    echo 'correct horse battery' >>"$T/secrets"
    grep -o 'X-Amz-Signature=[0-9a-f]*' "$T/queries" | cut -d= -f2 | sort -u >>"$T/secrets"
    [ "$(wc -l <"$T/secrets")" -ge 4 ]
    # the search finds what is there
    grep -q "$ID" "$T/strace.files"
    grep -qF "$(head -n 1 "$T/secrets")" "$CODETELEPORT_CONFIG_DIR/config.json"
    while read -r secret; do
        ! grep -rlaF "$secret" "$T/strace.files" "$T/names" "$T/ps" "$T/proc" "$T/daemon.log" \
            "$T/login.log" "$T/server.log" "$XDG_STATE_HOME" "$XDG_RUNTIME_DIR" "$T/server" || false
    done <"$T/secrets"
    ! grep -rqaE 'X-Amz-(Signature|Credential)=' "$T/strace.files" "$T/daemon.log" "$T/server.log" "$XDG_STATE_HOME"
}
