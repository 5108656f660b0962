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

# clients: the addresses in the access log of the API, newest last
clients() { sed -n 's/.*listener=api client=\([^ ]*\) .*/\1/p' "$T/server.log"; }

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
    grep -q 'setting-needs-restart key=tls' "$T/server.log"
    [ "$(json GET /billing/usage | jq .versionsPerSession)" = 9 ]
    [ ! -e "$T/elsewhere" ]
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
    expect 200 '' json GET /auth/me -H 'X-Forwarded-For: 203.0.113.9'
    [ "$(clients | tail -n 1)" = 127.0.0.1 ]
    reload 'trusted_proxy = [ "127.0.0.1", "::ffff:192.0.2.1" ];'
    expect 200 '' json GET /auth/me -H 'X-Forwarded-For: 203.0.113.9'
    [ "$(clients | tail -n 1)" = 203.0.113.9 ]
    # The client's own inventions stand to the left of, or above, what the proxies add.
    expect 200 '' json GET /auth/me -H 'X-Forwarded-For: 198.51.100.1, 2001:DB8::5 , 192.0.2.1'
    [ "$(clients | tail -n 1)" = 2001:db8::5 ]
    expect 200 '' json GET /auth/me -H 'X-Forwarded-For: 198.51.100.1' -H 'X-Forwarded-For: 203.0.113.9'
    [ "$(clients | tail -n 1)" = 203.0.113.9 ]
    expect 200 '' json GET /auth/me -H 'X-Forwarded-For: 198.51.100.1, x" y=z'
    [ "$(clients | tail -n 1)" = 127.0.0.1 ]
    expect 200 '' json GET /auth/me
    [ "$(clients | tail -n 1)" = 127.0.0.1 ]
    settings 'trusted_proxy = [ "proxy.example.org" ];'
    run codeteleport-server --data "$T/other"
    [ "$status" -eq 78 ]
}
