#!/usr/bin/env bats
# What the daemon does when network, API or object store fail: the real programs, with a proxy in
# between that breaks what it is told to.

load lib

setup() {
    make_home
    start_server_behind_proxy
    log_in
}

teardown() {
    end_home
}

# new_session: a session that has just begun; its id in ID, its transcript in F
new_session() {
    ID=$(new_id)
    F=$(transcript "$ID")
    line hello >"$F"
}

is_stored() { versions_are "$1" "${2:-1}" && bundle_equals "$1" "$F"; }

@test "API and store are reached through the proxy, and nothing else is" {
    new_session
    start_daemon
    within is_stored "$ID"
    [ "$(proxied '.event == "request" and .side == "api" and .path == "/v1/sessions/upload"')" = 1 ]
    [ "$(proxied '.event == "request" and .side == "store" and .method == "PUT"')" = 1 ]
}
