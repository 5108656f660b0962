#!/usr/bin/env bats
# A connection that is open and says nothing for a minute. Heavy: it takes that minute.

load lib

setup() {
    make_home
    start_server_behind_proxy
    log_in
}

teardown() {
    end_home
}

@test "a transfer that stalls for 60 s is given up and made anew; the daemon answers meanwhile" {
    local id f
    LIMIT_S=150
    faults 'store PUT * silent times=1'
    start_daemon
    id=$(new_id) f=$(transcript "$id")
    line hello >"$f"
    within proxied_more '.event == "request" and .side == "store"' 0
    status_is '.queue[0].phase' uploading
    within versions_are "$id" 1
    bundle_equals "$id" "$f"
    [ "$(proxied '.event == "request" and .method == "PUT"')" = 2 ]
    grep -q "upload-failed session=$id .*did not answer in time" "$T/daemon.log"
}

@test "a server that takes connections and never shakes hands is given up, too" {
    local id f
    LIMIT_S=150
    faults 'api accept * silent times=2'
    id=$(new_id) f=$(transcript "$id")
    line hello >"$f"
    start_daemon
    within status_is .daemon.state offline
    within versions_are "$id" 1
}
