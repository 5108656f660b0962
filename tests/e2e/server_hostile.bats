#!/usr/bin/env bats
# What no honest client sends: each has the answer that it gets, and the server goes on.

load lib
load server_lib

# One server for all of them: each is to leave it as the next one needs it.
setup_file() {
    make_home
    echo 'max_connections_per_address = 128;' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    start_server
    account al@example.org
    bundle 100
    ID=s1 push
    export T API API_PORT OBJECTS CA TOKEN JWT SERVER_PID
}
teardown_file() { end_home; }

# Whatever came: what was there is there, the database is sound, and nothing lies outside the store.
teardown() {
    local rc=0
    kill -0 "$SERVER_PID" || rc=1
    [ "$(ID=s1 listed | tr ' ' '\n' | tail -n 1)" = 1 ] || rc=1
    expect 200 '' json GET /auth/me || rc=1
    codeteleport-server --data "$T/server" check >"$T/check" || { cat "$T/check"; rc=1; }
    [ -z "$(find "$T/server/objects" -type f ! -path "$T/server/objects/bundles/*/s1.v*.tar.gz")" ] || rc=1
    ! grep -F -e "$TOKEN" -e 'DROP TABLE' -e /etc/passwd "$T/server.log" || rc=1
    return $rc
}

hostile() { python3 -S "$CT_SRC/tests/e2e/tools/hostile.py" "$1" "$API_PORT" "$CA" "${2:-$TOKEN}"; }

@test "malformed HTTP is refused, with a status each" { hostile malformed; }

@test "JSON bombs and what is nearly JSON are refused" { hostile bombs; }

@test "SQL, paths and odd bytes in every field are data or an error" { hostile fields; }

@test "the same in the names of tokens" { hostile tokens "$JWT"; }

@test "no path leads anywhere but where it says" { hostile paths; }

@test "a crowd that says nothing keeps nobody out" { hostile crowd; }
