#!/usr/bin/env bats
# Weeks of a server with its users, on a clock that is moved on: nothing of it grows that shouldn't.
# (On a libSQL server: libsql.bats.)

bats_require_minimum_version 1.5.0
load lib
load server_lib

setup() { make_home; }
teardown() { end_home; }

@test "weeks of trash, rotation and purge leave no more than thirty days did" {
    local users=4
    [ "${CT_FULL:-}" != yes ] || users=200
    many_days "$users" "$T/server/server.db"
}
