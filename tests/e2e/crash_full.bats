#!/usr/bin/env bats
# As e2e_crash.bats, at more steps, with CT_FULL at all that the daemon comes to; while versions are
# amended, and with a server that is killed too.

load crash

setup() {
    may_trace
    crash_setup
}

teardown() {
    end_home
}

# full N M: N, or M for the short form
full() { [ -n "${CT_FULL:-}" ] && echo "$1" || echo "$2"; }

@test "killed at many steps while sessions grow: all is safe, once, and nothing is left over" {
    crash_points "${CT_CRASH_POINTS:-$(full 280 40)}"
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

@test "killed at many steps while young versions are amended: all is safe, once" {
    conf 'amend = true; quiet = 0.1; turn_quiet = 0.1; distance = 0; longest_wait = 1;'
    crash_points "$(full 60 12)"
}

@test "killed at many steps, and the server at as many moments: all is safe, once" {
    local points
    points=$(full 45 12)
    killed_at 0
    total=$(cat "$T/count")
    for i in $(seq "$points"); do
        grow
        kill_server "$i"
        killed_at $((i * total / points)) || true
        restart_server
    done
    all_is_safe
}
