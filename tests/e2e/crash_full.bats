#!/usr/bin/env bats
# As e2e_crash.bats, in full; and with a server that is killed too.

load crash

setup() {
    may_trace
    crash_setup
}

teardown() {
    end_home
}

@test "killed at more than 200 steps while sessions grow: all is safe, once, and nothing is left over" {
    crash_points "${CT_CRASH_POINTS:-280}"
}

# Now and then, at some moment of the run.
kill_server() {
    if [ $(($1 % 3)) != 0 ]; then
        return 0
    fi
    {
        sleep "0.$(printf '%03d' $(($1 * 37 % 400)))"
        kill -KILL "$SERVER_PID"
    } 3>&- &
    KILLER=$!
}

restart_server() {
    if [ -n "${KILLER:-}" ]; then
        wait "$KILLER"
        wait "$SERVER_PID" || true
        start_server
    fi
    KILLER=
}

@test "killed at 60 steps while young versions are amended: all is safe, once" {
    conf 'amend = true; quiet = 0.1; turn_quiet = 0.1; distance = 0; longest_wait = 1;'
    crash_points 60
}

@test "killed at 45 steps, and the server at as many moments: all is safe, once" {
    killed_at 0
    total=$(cat "$T/count")
    for i in $(seq 45); do
        grow
        kill_server "$i"
        killed_at $((i * total / 45)) || true
        restart_server
    done
    all_is_safe
}
