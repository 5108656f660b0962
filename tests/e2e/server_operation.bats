#!/usr/bin/env bats
# Running a server: reload, proxies, backup, damage, crashes.

load lib
load server_lib

setup() { server_home; }
teardown() { end_home; }

# settings TEXT...: the server's configuration, a setting each
settings() {
    printf '%s\n' "$@" >"$XDG_CONFIG_HOME/codeteleport/server.conf"
}

# reload TEXT...: with these settings
reload() {
    settings "$@"
    kill -HUP "$SERVER_PID"
    within grep -qE ': (reloaded|reload-failed)' "$T/server.log"
}

# logged ADDRESS HEADERS...: a request with these headers is logged as one from ADDRESS. Its line is
# written once the answer is out, so this waits for it.
logged() {
    local address=$1
    shift
    : >"$T/server.log"
    expect 200 '' json GET /auth/me "${@/#/-HX-Forwarded-For: }"
    within grep -q "listener=api client=$address " "$T/server.log"
    [ "$(grep -c 'listener=api' "$T/server.log")" = 1 ]
}

@test "SIGHUP takes new settings, and an error in them changes nothing" {
    account al@example.org
    reload 'versions_per_session = 7;' 'registration = "closed";'
    [ "$(json GET /billing/usage | jq .versionsPerSession)" = 7 ]
    TOKEN= expect 403 registration_closed json POST /auth/register -d "{\"email\":\"bo@example.org\",\"password\":\"$PASSWORD\"}"
    : >"$T/server.log"
    reload 'versions_per_session = 8;' 'registration = "perhaps";'
    grep -q 'reload-failed.*server.conf:2' "$T/server.log"
    [ "$(json GET /billing/usage | jq .versionsPerSession)" = 7 ]
    : >"$T/server.log"
    reload 'tls = "off";' "data = \"$T/elsewhere\";" 'versions_per_session = 9;'
    within grep -q 'setting-needs-restart key=tls' "$T/server.log"
    [ "$(json GET /billing/usage | jq .versionsPerSession)" = 9 ]
    [ ! -e "$T/elsewhere" ]
}

# begin_put, begin_get: half of $T/bundle on its way to $URL; the object at $URL with a reader that
# has not read further than its head. Both end once $T/go is there, and leave $T/put.out, $T/got.
begin_put() {
    {
        printf 'PUT %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %s\r\n' \
            "/${URL#*://*/}" "$(cut -d/ -f3 <<<"$URL")" "$SIZE"
        printf 'Content-Type: application/gzip\r\n\r\n'
        head -c $((SIZE / 2)) "$T/bundle"
        touch "$T/begun"
        until [ -e "$T/go" ]; do sleep 0.1; done
        tail -c +$((SIZE / 2 + 1)) "$T/bundle"
    } | openssl s_client -quiet -CAfile "$CA" -connect "$(cut -d/ -f3 <<<"$URL")" \
        >"$T/put.out" 2>/dev/null 3>&- &
}
begin_get() {
    mkfifo "$T/pipe"
    { head -c 1; touch "$T/reading"; until [ -e "$T/go" ]; do sleep 0.1; done; cat; } <"$T/pipe" >"$T/got" 3>&- &
    curl -sS --cacert "$CA" -o "$T/pipe" "$1" 3>&- &
    GET=$!
}

@test "transfers outlive a reload, however long they take, and a stop that is patient" {
    account al@example.org
    bundle 20000000
    push
    cp "$T/bundle" "$T/first"
    local download
    download=$(json GET "/sessions/$ID/download" | jq -r .downloadUrl)
    bundle 3000000
    reserve
    begin_get "$download"
    begin_put
    within test -e "$T/begun"
    within test -e "$T/reading"
    within sh -c "ls '$T'/server/objects/tmp/put.*"
    reload 'stop_patience = 600;'
    grep -q ': reloaded' "$T/server.log"
    # Nothing of what was under way has ended, and what is new goes by the new settings.
    ls "$T"/server/objects/tmp/put.*
    expect 200 '' json GET /auth/me
    kill -TERM "$SERVER_PID"
    within grep -q stopping "$T/server.log"
    touch "$T/go"
    wait "$GET"
    within cmp "$T/first" "$T/got"
    within grep -q '^HTTP/1.1 200' "$T/put.out"
    grep -qi '^Connection: close' "$T/put.out"
    wait "$SERVER_PID"
    start_server
    expect 200 '' confirm
}

@test "a confirm goes by what the store saw coming in; after a restart by what it has" {
    account al@example.org
    bundle 100000
    reserve
    store_says 200 '' put "$URL"
    # Nobody reads it again: that its file was damaged afterwards is for check --full to find.
    local file
    file=$(find "$T/server/objects/bundles" -type f)
    chmod 600 "$file"
    printf xxxxxxxx | dd of="$file" conv=notrunc status=none
    expect 200 '' confirm
    reserve
    store_says 200 '' put "$URL"
    file=$(find "$T/server/objects/bundles" -type f -name "*.v$VERSION.*")
    stop_server
    printf xxxxxxxx | dd of="$file" conv=notrunc status=none
    start_server
    expect 409 not_uploaded confirm
}

@test "a reload gives nobody new attempts at a password" {
    account al@example.org
    for i in {1..10}; do
        TOKEN= expect 401 '' json POST /auth/login -d '{"email":"al@example.org","password":"wrong horse"}'
    done
    reload 'versions_per_session = 7;'
    TOKEN= expect 429 too_many_attempts json POST /auth/login -d "{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\"}"
}

@test "X-Forwarded-For counts from a trusted proxy only, and only what that proxy said" {
    account al@example.org
    logged 127.0.0.1 203.0.113.9
    reload 'trusted_proxy = [ "127.0.0.1", "::ffff:192.0.2.1" ];'
    logged 203.0.113.9 203.0.113.9
    # The client's own inventions stand to the left of, or above, what the proxies add.
    logged 2001:db8::5 '198.51.100.1, 2001:DB8::5 , 192.0.2.1'
    logged 203.0.113.9 198.51.100.1 203.0.113.9
    logged 127.0.0.1 '198.51.100.1, x" y=z'
    reload 'trusted_proxy = [ "127.0.0.0/9", "2001:db8::/33" ];'
    logged 203.0.113.9 '203.0.113.9, 127.127.0.1, 2001:db8:7fff::1'
    logged 127.128.0.1 '203.0.113.9, 127.128.0.1'
    logged 2001:db8:8000::1 '203.0.113.9, 2001:db8:8000::1'
    logged 127.0.0.1
    local range
    for range in proxy.example.org 10.0.0.0/33 10.0.0.0/ 10.0.0.0/x fd00::/129 /8; do
        settings "trusted_proxy = [ \"$range\" ];"
        run codeteleport-server --data "$T/other"
        [ "$status" -eq 78 ]
        [[ $output == *trusted_proxy*"$range"* ]]
    done
}

# port NAME: of a socket that was handed over
port() { sed -n "s/^$1 //p" "$T/addresses"; }

@test "sockets that systemd hands over are the listeners, and it is told what happens" {
    "$CT_BUILD/bin/codeteleport-server" --version >/dev/null
    grep -q '^#define HAVE_LIBSYSTEMD\|SYSTEMD_LIBS = .*systemd' "$CT_BUILD/config.h" "$CT_BUILD/Makefile" || skip "built without libsystemd"
    stop_server
    settings 'listen = "127.0.0.1:1"; objects = "127.0.0.1:1";'
    rm -f "$T/ready"
    WATCHDOG_USEC=400000 python3 -S "$CT_SRC/tests/e2e/tools/activate.py" "$T/addresses" "$T/notified" objects other api -- \
        codeteleport-server --data "$T/server" --ready-file "$T/ready" >>"$T/server.log" 2>&1 3>&- &
    SERVER_PID=$!
    within test -s "$T/ready"
    [ "$(sed -n 's/^api=//p' "$T/ready")" = "https://127.0.0.1:$(port api)/v1" ]
    [ "$(sed -n 's/^objects=//p' "$T/ready")" = "https://127.0.0.1:$(port objects)" ]
    API=https://127.0.0.1:$(port api)/v1
    within grep -q '^READY=1' "$T/notified"
    account al@example.org
    bundle 1000
    push
    kill -HUP "$SERVER_PID"
    within grep -q '^RELOADING=1' "$T/notified"
    within sh -c "[ \$(grep -c ^READY=1 '$T/notified') = 2 ]"
    # After a reload too its watchdog is fed.
    within sh -c "[ \$(sed '1,/^RELOADING=1/d' '$T/notified' | grep -c ^WATCHDOG=1) -ge 2 ]"
    [ "$(listed)" = 1 ]
    kill -TERM "$SERVER_PID"
    wait "$SERVER_PID"
    grep -q '^STOPPING=1' "$T/notified"
}

@test "the system unit is sound, and little is left to it" {
    needs_linux
    command -v systemd-analyze || skip "no systemd-analyze"
    # The program is not installed where the unit says, and neither are the manual pages.
    sed "s|^ExecStart=[^ ]*|ExecStart=\"$CT_BUILD/bin/codeteleport-server\"|" \
        "$CT_BUILD/systemd/codeteleport-server.service" >"$T/codeteleport-server.service"
    cp "$CT_SRC"/systemd/codeteleport-server*.socket "$T"
    run systemd-analyze verify --man=no "$T"/codeteleport-server*
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    systemd-analyze security --offline=yes --threshold=20 "$T/codeteleport-server.service" >"$T/security" ||
        { grep -q 'unrecognized option' "$T/security" && skip "too old"; cat "$T/security"; return 1; }
}

@test "a backup is whole, private and taken while the server writes" {
    account al@example.org
    bundle 1000
    ID=s0 push
    (
        i=1
        until [ -e "$T/enough" ]; do
            ID=s$i reserve
            i=$((i + 1))
        done
    ) >/dev/null 2>&1 3>&- &
    local pid=$! n
    for n in 1 2 3; do
        codeteleport-server --data "$T/server" backup "$T/copy.db"
    done
    touch "$T/enough"
    wait "$pid"
    [ "$(stat -c %a "$T/copy.db")" = 600 ]
    [ "$(ls -d "$T"/copy.db*)" = "$T/copy.db" ]
    # A server goes on from it.
    stop_server
    rm "$T"/server/server.db*
    cp "$T/copy.db" "$T/server/server.db"
    start_server
    [ "$(json GET /sessions | jq -r '.sessions[].id')" = s0 ]
    ID=s0 push
    codeteleport-server --data "$T/server" check --full
}

@test "a backup that can't be made leaves the last one as it is" {
    account al@example.org
    codeteleport-server --data "$T/server" backup "$T/copy.db"
    cp "$T/copy.db" "$T/before"
    stop_server
    printf garbage-garbage-garbage >"$T/server/server.db"
    rm -f "$T"/server/server.db-*
    run codeteleport-server --data "$T/server" backup "$T/copy.db"
    [ "$status" -eq 1 ]
    [[ $output == *damaged* ]]
    cmp "$T/copy.db" "$T/before"
    run codeteleport-server --data "$T/server" backup "$T/server/server.db"
    [ "$status" -eq 1 ]
    run codeteleport-server --data "$T/nothing" backup "$T/copy.db"
    [ "$status" -eq 1 ]
    cmp "$T/copy.db" "$T/before"
    [ ! -e "$T/nothing" ]
    run codeteleport-server --data "$T/server" backup
    [ "$status" -eq 64 ]
}

@test "a damaged database is told at the start and left as it is" {
    account al@example.org
    stop_server
    local db=$T/server/server.db
    printf 'SELECT 1' | dd of="$db" bs=1 conv=notrunc status=none
    cp "$db" "$T/before"
    run codeteleport-server --data "$T/server" --listen 127.0.0.1:0 --objects 127.0.0.1:0
    [ "$status" -eq 1 ]
    [[ $output == *"server.db is damaged"* ]]
    cmp "$db" "$T/before"
}

@test "a database that is damaged while the server runs ends no connection and is not replaced" {
    account al@example.org
    bundle 100
    push
    sqlite3 "$T/server/server.db" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
    local size
    size=$(stat -c %s "$T/server/server.db")
    # Every page but the first; what the server has in its cache does not count for long.
    dd if=/dev/urandom of="$T/server/server.db" bs=4096 seek=1 count=$((size / 4096 - 1)) conv=notrunc status=none
    cp "$T/server/server.db" "$T/before"
    for i in 1 2 3; do
        ID=s$i json POST /sessions/upload -d "$(upload_body)" >/dev/null
        jq -e '.error or .uploadUrl' "$T/answer"
    done
    within sh -c "curl -sS --cacert '$CA' '${API%/v1}/healthz' | jq -e '.error == \"unhealthy\"'"
    within grep -q 'call-failed.*damaged\|ledger.*damaged' "$T/server.log"
    run codeteleport-server --data "$T/server" check
    [ "$status" -eq 1 ]
    echo "$output"
    [[ $output == *damaged* ]]
}

# certificate NAME: a pair of files for that name
certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
        -addext 'subjectAltName=IP:127.0.0.1' -keyout "$T/key.pem.new" -out "$T/cert.pem.new" 2>/dev/null
    mv "$T/key.pem.new" "$T/key.pem"
    mv "$T/cert.pem.new" "$T/cert.pem"
}

# served: the name in the certificate that a client gets to see
served() {
    openssl s_client -connect "127.0.0.1:$API_PORT" </dev/null 2>/dev/null | openssl x509 -noout -subject
}

@test "a certificate from files is taken anew by SIGHUP, and a broken one changes nothing" {
    stop_server
    certificate first
    settings "certificate = \"$T/cert.pem\"; key = \"$T/key.pem\";"
    start_server
    [ -z "$CA" ]
    [[ $(served) == *first ]]
    CA=$T/cert.pem
    account al@example.org
    : >"$T/server.log"
    certificate second
    kill -HUP "$SERVER_PID"
    within grep -q ': reloaded' "$T/server.log"
    [[ $(served) == *second ]]
    expect 200 '' json GET /auth/me
    : >"$T/server.log"
    cp "$T/cert.pem" "$T/good.pem"
    certificate third
    cp "$T/good.pem" "$T/cert.pem"
    kill -HUP "$SERVER_PID"
    within grep -q 'reload-failed.*do not belong together' "$T/server.log"
    [[ $(served) == *second ]]
    expect 200 '' json GET /auth/me
}
