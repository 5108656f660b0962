#!/usr/bin/env bats
# The same as in e2e_exact.bats, often: for ./quickstart check --full.

load lib
load exact

setup() {
    make_home
    start_server
    log_in
}

teardown() {
    end_home
}

@test "sync --wait, called after each of a thousand writes, misses none of them" {
    sync_after_each 1000
}
