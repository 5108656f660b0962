#!/usr/bin/env bats
# What a user, or somebody with a user's token, can do to a server and to what others have there:
# each attack with the figure that has to hold.

bats_require_minimum_version 1.5.0
load lib
load server_lib

setup() {
    make_home
    CONF=$XDG_CONFIG_HOME/codeteleport/server.conf
}
teardown() {
    [ -z "${PIDS:-}" ] || kill $PIDS 2>/dev/null || true
    end_home
    [ -z "${DISK:-}" ] || umount -l "$DISK"
}

# keep: remember what $T/bundle holds as version $VERSION
keep() { cp "$T/bundle" "$T/kept.$VERSION"; }

# give_back VERSION: as its owner would: out of the trash if it is there, then download and compare
give_back() {
    grep -qw "$1" <<<"$(listed)" ||
        expect 200 '' json POST "/sessions/$ID/undelete" -d "{\"version\":$1}"
    object GET "$(json GET "/sessions/$ID/download?version=$1" | jq -r .downloadUrl)"
    cmp "$T/object" "$T/kept.$1"
}

@test "twenty-five uploads by a stolen token erase nothing" {
    printf 'versions_per_session = 6;\n' >"$CONF"
    start_server
    account al@example.org
    TOKEN=$JWT
    expect 201 '' json POST /auth/token -d '{"name":"lap","deviceId":"lap-00000001"}'
    TOKEN=$(jq -r .token "$T/answer")
    # The owner: six versions, then a sitting that amends one.
    for n in 1 2 3 4 5 6; do
        bundle $((1000 + n))
        push ".deviceId = \"lap-00000001\" | .baseVersions = [$((n - 1))] | .baseVersions |= map(select(. > 0))"
        keep
    done
    bundle 2000
    push '.deviceId = "lap-00000001" | .baseVersions = [6] | .amend = 6'
    keep
    # The thief: each contains all there is, amends, pins and deletes what it can.
    for n in $(seq 8 32); do
        bundle $((n % 2 ? 10 : 3000))
        push ".baseVersions = [range(1; $n)] | .amend = $((n - 1))"
    done
    # It names what they all hold, and none of the machine's own is dropped for that.
    for n in 2 3 4 5 7; do grep -qw "$n" <<<"$(listed)"; done
    expect 200 '' json DELETE "/sessions/$ID"
    expect 409 deleted json POST /sessions/upload -d "$(upload_body)"
    # Nor does what has to be purged in time, were it 25 hours later.
    LD_PRELOAD=$(faketime_lib) FAKETIME=+25h codeteleport-server --data "$T/server" gc
    for n in 1 2 3 4 5 6 7; do give_back $n; done
    # And the owner can see what there is, and why it is there.
    json GET /trash | jq -e '[.versions[].why] | unique | . - ["amended", "deleted", "passing", "rotated"] == []'
}

QUOTA=10000000

# on_disk: bytes in the object store, of what is still coming in too
on_disk() { find "$T/server/objects" -type f -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }'; }

# within_quota: at this moment
within_quota() {
    local n
    n=$(on_disk)
    [ "$n" -le $((QUOTA * ${ACCOUNTS:-1})) ] || { echo "$n bytes on the disk"; return 1; }
}

# until_refused JQ-UPDATE WAY: upload 1 MB after the other, and go that way with each; % in the update
# is the version before
until_refused() {
    VERSION=0
    for ((i = 0; i < 100; i++)); do
        bundle 1000000
        request POST /sessions/upload -d "$(upload_body "${1//%/$VERSION}")"
        [ "$(cat "$T/status")" = 200 ] || break
        URL=$(jq -r .uploadUrl "$T/answer")
        VERSION=$(jq -r .version "$T/answer")
        go "$2"
        within_quota
    done
    [ "$i" -lt 30 ]
    [ "$(jq -r .error "$T/answer")" = quota ]
}

go() {
    case $1 in
        put) store_says 200 '' put "$URL" ;;
        confirm)
            store_says 200 '' put "$URL"
            expect 200 '' confirm
            ;;
        delete)
            store_says 200 '' put "$URL"
            expect 200 '' confirm
            expect 200 '' json DELETE "/sessions/$ID"
            ;;
        fail)
            head -c 1000000 /dev/urandom >"$T/bundle"
            store_says 200 '' put "$URL"
            expect 409 not_uploaded confirm
            ;;
    esac
}

@test "10 MB are 10 MB on the disk at any moment, whatever is done with them" {
    printf 'max_bytes_per_user = %d; versions_per_session = 2;\n' "$QUOTA" >"$CONF"
    start_server
    ACCOUNTS=0
    for way in put confirm delete fail amend; do
        account "$way@example.org"
        ACCOUNTS=$((ACCOUNTS + 1))
        case $way in
            amend) until_refused 'if % > 0 then .amend = % else . end' confirm ;;
            delete) until_refused '.revive = true' delete ;;
            *) until_refused . "$way" ;;
        esac
    done
    [ "$(on_disk)" -gt $((QUOTA * 4)) ]
}

@test "one URL lets one object in at a time" {
    printf 'max_bytes_per_user = %d;\n' "$QUOTA" >"$CONF"
    start_server
    account al@example.org
    bundle 9000000
    reserve
    cp "$T/bundle" "$T/slow"
    curl -sS --cacert "$CA" -T "$T/slow" -H 'Content-Type: application/gzip' --limit-rate 300k "$URL" \
        >/dev/null 3>&- &
    PIDS=$!
    is_coming() { [ -n "$(find "$T/server/objects/tmp" -type f)" ]; }
    within is_coming
    for i in 1 2 3; do
        store_says 409 OperationAborted put "$URL"
        within_quota
    done
    kill "$PIDS"
    PIDS=
    # Who broke off may try again.
    put_works() { store_says 200 '' put "$URL" >/dev/null; }
    within put_works
    store_says 200 '' put "$URL"
    expect 200 '' confirm
    within_quota
}

@test "what comes in for a version that was given up meanwhile is not kept" {
    printf 'max_bytes_per_user = %d;\n' "$QUOTA" >"$CONF"
    start_server
    account al@example.org
    bundle 2000000
    reserve
    cp "$T/bundle" "$T/slow"
    curl -sS --cacert "$CA" -T "$T/slow" -H 'Content-Type: application/gzip' --limit-rate 700k "$URL" \
        -o "$T/said" 3>&- &
    PIDS=$!
    is_coming() { [ -n "$(find "$T/server/objects/tmp" -type f)" ]; }
    within is_coming
    # As the purge does, whoever runs it and why.
    sqlite3 "$T/server/server.db" "PRAGMA busy_timeout = 10000; UPDATE versions SET state = 'trash', purge_ms = 1"
    codeteleport-server --data "$T/server" gc | grep -q 'removed 1 versions'
    wait "$PIDS"
    PIDS=
    grep -q '<Code>ExpiredRequest<' "$T/said"
    [ "$(on_disk)" = 0 ]
}

@test "the whole server has a limit too, and says it" {
    printf 'max_bytes = 3000000;\n' >"$CONF"
    start_server
    account al@example.org
    bundle 1000000
    push
    account bo@example.org
    push
    request POST /sessions/upload -d "$(upload_body '.sizeBytes = 2000000')"
    [ "$(cat "$T/status")" = 507 ]
    jq -e '.error == "no_space"' "$T/answer"
}

@test "on a full disk uploads are refused, and deleting and purging work and are enough" {
    [ "$(id -u)" -eq 0 ] || skip "only root can mount a small disk"
    local disk="$T/server"
    mkdir -m 700 "$disk"
    mount -t tmpfs -o size=64m,mode=700 tmpfs "$disk" 2>/dev/null || skip "can't mount a tmpfs here"
    DISK=$disk
    printf 'min_free_space = "8 MB";\n' >"$CONF"
    start_server
    account al@example.org
    expect 200 '' json GET /healthz
    bundle 5000000
    push
    ID=22222222-2222-4333-8444-555555555555
    push
    within test -s "$disk/ballast"
    dd if=/dev/zero of="$disk/fill" bs=64k 2>/dev/null || true
    expect 503 no_space json GET /healthz
    jq -e '.message | contains("min_free_space")' "$T/answer"
    expect 507 no_space json POST /sessions/upload -d "$(upload_body)"
    # What the others may not take either: deleting has to be written down.
    for ((n = 0; n < 3; n++)); do dd if=/dev/zero of="$disk/fill$n" bs=4k 2>/dev/null || true; done
    expect 200 '' json DELETE "/sessions/$ID"
    [ ! -e "$disk/ballast" ]
    expect 200 '' json GET /sessions
    # It is a month later.
    sqlite3 "$disk/server.db" "UPDATE versions SET left_ms = 1, purge_ms = 1 WHERE state = 'trash'"
    codeteleport-server --data "$disk" gc
    [ "$(objects)" = 1 ]
    rm "$disk"/fill*
    expect 200 '' json GET /healthz
    push '.revive = true'
    within test -s "$disk/ballast"
    # Whoever runs the server can keep somebody out, and a whole account goes as well.
    dd if=/dev/zero of="$disk/fill" bs=64k 2>/dev/null || true
    for ((n = 0; n < 3; n++)); do dd if=/dev/zero of="$disk/fill$n" bs=4k 2>/dev/null || true; done
    codeteleport-server --data "$disk" user list
    [ -e "$disk/ballast" ] # which looking does not give up
    codeteleport-server --data "$disk" key rotate
    codeteleport-server --data "$disk" user disable al@example.org
    codeteleport-server --data "$disk" user enable al@example.org
    expect 200 '' json POST /account/logout-all -d "{\"password\":\"$PASSWORD\"}"
    # And where not even that is left, it is said what to do, and nothing is half done.
    dd if=/dev/zero of="$disk/fill3" bs=4k 2>/dev/null || true
    run codeteleport-server --data "$disk" user disable al@example.org
    [ "$status" -eq 1 ]
    [[ $output == *'nothing was done; make 16 MB free'* ]]
    expect 200 '' json GET /auth/me
    rm "$disk/fill3"
    expect 200 '' json POST /account/delete -d "{\"password\":\"$PASSWORD\",\"now\":true}"
    [ "$(objects)" = 0 ]
}

@test "a database from before that counts what is in its trash and in the database" {
    start_server
    account al@example.org
    bundle 1000
    push
    push
    expect 200 '' json DELETE "/sessions/$ID/versions/1"
    reserve
    stop_server
    mv "$T/server/server.db" "$T/new.db"
    python3 -S "$CT_SRC/tests/e2e/tools/schema.py" "$CT_SRC/server/ledger/ledger_schema.c" ledger_schema server 7 \
        "$T/server/server.db" "$T/new.db"
    start_server
    [ "$(json GET /trash | jq -c '[.versions[] | [.version, .why]]')" = '[[1,"deleted"]]' ]
    [ "$(json GET /trash | jq -r '.versions[0].deletedAt[:10]')" = "$(date -u +%F)" ]
    query() { sqlite3 "$T/server/server.db" "$1"; }
    [ "$(query 'SELECT state, n, bytes FROM usage ORDER BY state' | tr '\n' ' ')" = \
        "confirmed|1|1000 metadata|3|$(query 'SELECT sum(512 + length(cwd || user_dir || metadata))
            FROM descriptions') reserved|1|1000 trash|1|1000 " ]
    expect 200 '' json POST "/sessions/$ID/undelete" -d '{"version":1}'
    [ "$(listed)" = "2 1" ]
}

# many_fat: 100 sessions of 41 versions, all heads, each with 100 kB of metadata
many_fat() {
    bundle 1000
    head -c 75000 /dev/urandom | base64 -w 0 >"$T/fat"
    upload_body '.baseVersions = []' | jq -c --rawfile fat "$T/fat" '.metadata = {sealed: $fat, junk: $fat}' >"$T/body"
    expect 200 '' json POST /sessions/upload -d @"$T/body"
    URL=$(jq -r .uploadUrl "$T/answer")
    VERSION=$(jq -r .version "$T/answer")
    store_says 200 '' put "$URL"
    expect 200 '' confirm
    sqlite3 "$T/server/server.db" "
        CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 99)
            SELECT i FROM n;
        CREATE TEMP TABLE v AS SELECT * FROM versions; CREATE TEMP TABLE d AS SELECT * FROM descriptions;
        INSERT INTO sessions(id, user_id, session_id, last_version, current_version, version_count, updated_ms,
                changed)
            SELECT 'x' || i, user_id, 's' || i, 41, 1, 41, updated_ms, changed + i FROM sessions, n;
        UPDATE users SET changes = changes + 100;
        UPDATE v SET session_id = 's';
        INSERT INTO versions SELECT user_id, 's' || a.i, b.i, state, size_bytes, checksum, md5, created_ms,
            confirmed_ms, purge_ms, token_id, device_id, base_version, bases, amend, pins, pinned, is_head,
            machine, agent, why, left_ms, is_machines FROM v, n a, n b WHERE b.i <= 41;
        INSERT INTO descriptions SELECT user_id, 's' || a.i, b.i, cwd, user_dir, label, metadata, tags
            FROM d, n a, n b WHERE b.i <= 41 AND (b.i <= 5 OR a.i <= 5);"
}

# all_pages PATH MEMBER: how many items there are behind all pages, each within a megabyte and a half
all_pages() {
    local n=0 page
    while
        expect 200 '' json GET "$1?offset=$n"
        [ "$(stat -c %s "$T/answer")" -le 1500000 ] || { stat -c %s "$T/answer"; return 1; }
        page=$(jq "$2 | length" "$T/answer")
        n=$((n + page))
        [ "$page" -gt 0 ] && [ "$n" -lt "$(jq .total "$T/answer")" ]
    do :; done
    echo $n
}

@test "an answer has a bound, and pages lead to all there is" {
    start_server
    account al@example.org
    many_fat
    [ "$(all_pages /sessions .sessions)" = 100 ]
    [ "$(all_pages /sessions/s3/versions .versions)" = 41 ]
    # What clients don't know is not kept.
    jq -e '[.versions[] | select(.metadata) | .metadata | keys] | unique == [["sealed"]]' "$T/answer"
    local cursor=0 n=0
    while
        expect 200 '' json GET "/sessions?since=$cursor"
        [ "$(stat -c %s "$T/answer")" -le 1500000 ]
        cursor=$(jq -r .cursor "$T/answer")
        n=$((n + $(jq '.sessions | length' "$T/answer")))
        [ "$(jq .more "$T/answer")" = true ]
    do :; done
    [ "$n" = 100 ]
    request GET "/sessions?since=$cursor"
    [ "$(cat "$T/status")" = 304 ]
}

# connections WHAT N CA|- [ARGUMENT...]: sets OPEN, GREW (in kB), THREADS (more than before)
connections() {
    local what=$1 n=$2 ca=$3 said
    shift 3
    said=$(python3 -S "$CT_SRC/tests/e2e/tools/connections.py" "$what" "$n" "$API_PORT" "$ca" "$SERVER_PID" "$@")
    echo "$what $n: $said"
    read -r _ OPEN _ before after _ t1 t2 <<<"$said"
    GREW=$((after - before))
    THREADS=$((t2 - t1))
}

few_or_many() { [ "${CT_FULL:-}" = yes ] && echo "$2" || echo "$1"; }

has_memory_of_its_own() { [ "${CT_SANITIZERS:-no}" != yes ]; }

# ticks: the server's processor time so far, in hundredths of a second
ticks() {
    local stat
    read -r -a stat <"/proc/$SERVER_PID/stat"
    echo $((stat[13] + stat[14]))
}

@test "idle TLS connections cost no thread and 150 kB each, and keep nobody out" {
    local n before
    n=$(few_or_many 300 2000)
    [ "$(ulimit -Hn)" -ge $((n * 3 + 300)) ] || skip "too few files are allowed here"
    printf 'max_connections_per_address = 3000;\n' >"$CONF"
    start_server
    connections idle "$n" "$CA"
    [ "$OPEN" -eq "$n" ] || [ "$n" -gt 300 ] # the first may have been idle for long enough by now
    [ "$THREADS" -eq 0 ]
    ! has_memory_of_its_own || [ "$GREW" -le $((n * 150)) ]
    # After ten seconds they are gone. So is one that stops within its first message, and nobody asks
    # it for the rest again and again.
    before=$(ticks)
    exec 7<>"/dev/tcp/127.0.0.1/$API_PORT"
    printf '\x16\x03\x01\x02\x00' >&7
    none_is_open() { [ "$(find "/proc/$SERVER_PID/fd" -lname 'socket:*' | wc -l)" -lt 20 ]; }
    within none_is_open
    run -0 timeout 60 cat <&7
    echo "$(($(ticks) - before)) ticks"
    [ $(($(ticks) - before)) -lt 30 ]
}

@test "behind a proxy a connection in clear costs 30 kB" {
    local n
    n=$(few_or_many 1000 $((($(ulimit -Hn) - 1000) * 3 / 5)))
    [ "$n" -le 10000 ] || n=10000
    [ "$n" -ge 1000 ] || skip "too few files are allowed here"
    # The embedded store has its part of the descriptors, and the API enough all the same.
    printf 'tls = "off"; max_connections = 12000; trusted_proxy = [ "127.0.0.1" ];\n' >"$CONF"
    start_server
    connections idle "$n" -
    [ "$OPEN" -eq "$n" ] || [ "$n" -gt 1000 ]
    [ "$THREADS" -eq 0 ]
    ! has_memory_of_its_own || [ "$GREW" -le $((n * 30)) ]
}

@test "500 slow readers take at most 100 MB" {
    printf 'tls = "off"; trusted_proxy = [ "127.0.0.1" ]; registration = "open";\n' >"$CONF"
    start_server
    CA=/dev/null
    account al@example.org
    many_fat
    local tokens=$TOKEN
    sqlite3 "$T/server/server.db" "SELECT id FROM users" >"$T/al"
    # Of many users: what one may ask for at a time has a bound of its own.
    for n in $(seq 20); do
        account "u$n@example.org"
        tokens="$tokens $TOKEN"
        for table in sessions versions descriptions; do
            sqlite3 "$T/server/server.db" "
                CREATE TEMP TABLE t AS SELECT * FROM $table WHERE user_id = '$(cat "$T/al")'
                    $([ $table = sessions ] || echo "AND version <= 2");
                UPDATE t SET user_id = (SELECT id FROM users WHERE email = 'u$n@example.org')
                    $([ $table != sessions ] || echo ", id = 'u$n.' || id");
                INSERT INTO $table SELECT * FROM t;"
        done
    done
    connections slow 500 - "/v1/sessions" $tokens
    ! has_memory_of_its_own || [ "$GREW" -le 100000 ]
    # Who asks for little is answered meanwhile, and who asks for much as soon as they are gone.
    expect 200 '' json GET /auth/me
    much() { request GET /sessions && [ "$(cat "$T/status")" = 200 ]; }
    within much
}

@test "500 slow readers of an object take at most 100 MB" {
    printf 'tls = "off"; trusted_proxy = [ "127.0.0.1" ]; registration = "open";\n' >"$CONF"
    start_server
    CA=/dev/null
    account al@example.org
    bundle 20000000
    push
    local url=$(json GET "/sessions/$ID/download" | jq -r .downloadUrl) port
    port=${url#http://127.0.0.1:}
    API_PORT=${port%%/*} connections slow 500 - "/${port#*/}" none
    ! has_memory_of_its_own || [ "$GREW" -le 100000 ]
    [ "$OPEN" -eq 500 ]
    # Others get all of it meanwhile.
    object GET "$url"
    cmp "$T/object" "$T/bundle"
}

@test "all daemons of an office upload from behind one address" {
    local n said
    n=$(few_or_many 60 500)
    [ "$(ulimit -Hn)" -ge $((n * 6 + 300)) ] || skip "too few files are allowed here"
    printf 'registration = "open";\n' >"$CONF"
    start_server
    local tokens= i
    for i in $(seq $((n / 20))); do
        account "u$i@example.org"
        tokens="$tokens $TOKEN"
    done
    said=$(python3 -S "$CT_SRC/tests/e2e/tools/connections.py" active "$n" "$API_PORT" "$CA" "$SERVER_PID" 3 $tokens) ||
        { echo "$said"; return 1; }
    echo "$said"
    read -r _ DONE _ _ _ before after _ t1 t2 _ <<<"$said"
    [ "$DONE" -eq $((n * 3)) ]
    [ "$t1" -eq "$t2" ]
    ! has_memory_of_its_own || [ $((after - before)) -le $((50000 + n * 2 * 150)) ]
    ! grep -q connections-refused "$T/server.log"
}

@test "one address has so many connections and no more, a proxy as many as it needs" {
    local how
    for how in on off; do
        : >"$T/server.log"
        printf 'tls = "%s"; max_connections_per_address = 40; trusted_proxy = [ "127.0.0.8/30" ];\n' $how >"$CONF"
        start_server
        [ $how = on ] || CA=-
        CT_FROM=127.0.0.9 connections idle 100 "$CA"
        [ "$(grep -c connections-refused "$T/server.log")" = 0 ]
        # Others have a limit all the same, and the log counts those that are refused.
        connections idle 100 "$CA" || true
        [ "$OPEN" -le 40 ]
        within grep -q 'connections-refused listener=api n=[0-9]* last=127.0.0.1 ' "$T/server.log"
        CT_FROM=127.0.0.9 connections idle 10 "$CA"
        stop_server
    done
}

@test "who holds all connections and asks nothing keeps nobody out, from few addresses or many" {
    local pid from
    printf 'max_connections = 40; max_connections_per_address = 20;\n' >"$CONF"
    start_server
    account al@example.org
    # Half of them before a handshake, and half within the body of a request that anybody may make.
    for from in 127.0.0.%d 127.0.%d.2; do
        rm -f "$T/held"
        python3 - "$API_PORT" "$T/held" "$CA" $from <<'PY' 3>&- &
import os, socket, ssl, sys, time
held = []
for n in range(40):
    s = socket.socket()
    s.bind((sys.argv[4] % (2 + (n if ".2" in sys.argv[4] else n % 2)), 0))
    s.connect(("127.0.0.1", int(sys.argv[1])))
    if n % 2:
        s = ssl.create_default_context(cafile=sys.argv[3]).wrap_socket(s, server_hostname="localhost")
        s.sendall(b"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n ")
    held.append(s)
open(sys.argv[2], "w").close()
time.sleep(60)
PY
        pid=$!
        within test -e "$T/held"
        # One of each network goes for a newcomer when it has had a while to speak.
        for n in 1 2 3 4 5; do
            within request GET /sessions
            [ "$(cat "$T/status")" = 200 ]
        done
        kill "$pid"
        wait "$pid" || true
    done
}

@test "unfinished bodies of nobody keep no answer back" {
    [ "$(ulimit -Hn)" -ge 8000 ] || skip "too few files are allowed here"
    printf 'tls = "off"; registration = "open"; max_connections = 2500;\n' >"$CONF"
    start_server
    account al@example.org
    bundle 100
    push '.metadata.summary = ("x" * 5000)'
    # Each is as long as anybody's may be, and lacks its end.
    python3 - "$API_PORT" "$T/held" <<'PY' 3>&- &
import resource, socket, sys, time
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
held = []
for n in range(2100):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.sendall(b"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
              b"Transfer-Encoding: chunked\r\n\r\n4000\r\n" + b" " * 16384 + b"\r\n")
    held.append(s)
open(sys.argv[2], "w").close()
time.sleep(60)
PY
    local pid=$!
    within test -e "$T/held"
    expect 200 '' json GET /sessions
    [ "$(stat -c %s "$T/answer")" -gt 4096 ]
    kill "$pid"
}
