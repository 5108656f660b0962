#!/usr/bin/env bats
# Killed at some steps of the way, nothing is lost and nothing is uploaded twice.

load crash

setup() {
    may_trace
    crash_setup
}

teardown() {
    end_home
}

@test "killed at 15 steps while sessions grow: all is safe, once, and nothing is left over" {
    crash_points 15
}
