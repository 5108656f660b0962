#!/usr/bin/env bats
# database = "libsql://...": sqld, the libSQL server that Turso runs.

bats_require_minimum_version 1.5.0
BACKEND=sqld.sh
load backend

setup() {
    home_at_backend
    printf '%s\n' "$CT_LIBSQL_TOKEN" >"$T/token"
    chmod 600 "$T/token"
    cat >"$XDG_CONFIG_HOME/codeteleport/server.conf" <<CONF
database = "$CT_LIBSQL_URL"; database_token_file = "$T/token"; allow_plain_http = true;
CONF
}

# unit NAME: one of the unit tests, on the server
unit() {
    export CT_LIBSQL_URL CT_LIBSQL_TOKEN
    CMOCKA_MESSAGE_OUTPUT=TAP run -0 "$CT_BUILD/tests/server/$1"
    [[ $output == *"ok 1 - "* ]]
}

@test "the database's own tests hold on a libSQL server" { unit unit_sql; }
@test "the ledger's tests hold on a libSQL server" {
    unit unit_ledger
    unit unit_ledger_trash
    unit unit_ledger_who
    unit unit_ledger_file
    unit unit_heads
    unit unit_share
}
@test "the tests of accounts hold on a libSQL server" { unit unit_accounts; }
@test "processes side by side race on a libSQL server" { unit unit_race; }

@test "weeks of trash, rotation and purge leave no more than thirty days did on a libSQL server" {
    local users=1
    [ "${CT_FULL:-}" != yes ] || users=200
    many_days "$users" "$CT_LIBSQL_URL" "$CT_LIBSQL_TOKEN"
}

# second: a second API process, on the same database; its address is API2
second() {
    mkdir -m 700 "$T/server2"
    cp "$T/server/jwt.key" "$T/server2/"
    codeteleport-server --data "$T/server2" --listen 127.0.0.1:0 --objects 127.0.0.1:0 \
        --ready-file "$T/ready2" >>"$T/server2.log" 2>&1 3>&- &
    DAEMON_PID=$! # ended by end_home
    within test -s "$T/ready2"
    API2=$(sed -n 's/^api=//p' "$T/ready2")
    cat "$T/server2/ca.pem" >>"$T/server/ca.pem"
}

@test "two API processes on one libSQL database are one server" {
    start_server
    second
    account two@example.org
    first=$API
    API=$API2
    expect 200 '' json GET /auth/me
    TOKEN=$JWT expect 200 '' json GET /auth/me
    API=$first
    bundle 1000
    push
    API=$API2
    [ "$(listed)" = 1 ]
    # Reservations at both at once: no number twice.
    for i in 1 2 3 4 5 6 7 8; do
        for api in "$first" "$API2"; do
            curl -sS --cacert "$CA" -H "Authorization: Bearer $TOKEN" -d "$(upload_body)" \
                -H 'Content-Type: application/json' "$api/sessions/upload" \
                >"$T/reserved.$i.${api//[^0-9]/}" 3>&- &
            pids+=($!)
        done
    done
    wait "${pids[@]}"
    [ "$(cat "$T"/reserved.* | jq .version | sort -n | uniq | tr '\n' ' ')" = "$(seq 2 17 | tr '\n' ' ')" ]
    # What is revoked here is refused there, at once.
    id=$(json GET /auth/tokens | jq -r '.tokens[0].id')
    expect 200 '' json DELETE "/auth/tokens/$id"
    API=$first
    expect 401 '' json GET /auth/me
}

@test "a libSQL server that goes away is no 404, and all is well when it is back" {
    start_server
    account gone@example.org
    bundle 1000
    push
    backend stop
    expect 503 '' json GET "/sessions/$ID/versions"
    expect 503 '' json GET "/sessions/$ID/download"
    expect 503 '' json DELETE "/sessions/$ID"
    expect 503 '' confirm
    # An API token that can't be looked up is not refused: clients would log themselves out.
    TOKEN=${TOKEN%?}_ expect 503 '' json GET /sessions
    expect 503 unhealthy json GET /healthz
    backend start
    within expect 200 '' json GET "/sessions/$ID/versions"
    [ "$(listed)" = 1 ]
    # No secret in what was logged.
    run ! grep -F "$CT_LIBSQL_TOKEN" "$T/server.log"
}

@test "a token that others can read is refused, and one that the server refuses is told" {
    chmod 644 "$T/token"
    run -78 codeteleport-server --data "$T/server" user list
    [[ $output == *"chmod 600"* ]]
    chmod 600 "$T/token"
    echo nonsense >"$T/token"
    run -78 codeteleport-server --data "$T/server" user list
    [[ $output == *database_token* ]]
    : >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    printf 'database = "%s"; allow_plain_http = true;\n' "$CT_LIBSQL_URL" \
        >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    CODETELEPORT_DATABASE_TOKEN=$CT_LIBSQL_TOKEN run -0 codeteleport-server --data "$T/server" user list
}
