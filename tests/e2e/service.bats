#!/usr/bin/env bats
# The daemon and a service manager: a socket that is handed over, what is told, and the units themselves.
# tests/e2e/heavy_systemd.sh does it with a real one.

load lib

setup() {
    make_home
    CONTROL=$XDG_RUNTIME_DIR/codeteleport/control.sock
}

teardown() {
    end_home
}

needs_libsystemd() {
    grep -q '^SYSTEMD_LIBS = .*systemd' "$CT_BUILD/Makefile" || skip "built without libsystemd"
}

# activated SOCKET [ARGUMENTS]: the daemon, handed the socket as a unit's "control"
activated() {
    python3 -S "$CT_SRC/tests/e2e/tools/activate.py" "$T/addresses" "$T/notified" "control=$1" -- \
        codeteleportd -v "${@:2}" >>"$T/daemon.log" 2>&1 3>&- &
    DAEMON_PID=$!
    within ctctl --json status
}

told() { [ "$(grep -c "$1" "$T/notified")" -ge "$2" ]; }

@test "the control socket that is handed over is served, and is still there when the daemon ends" {
    needs_libsystemd
    activated "$CONTROL"
    local ino
    ino=$(stat -c %i "$CONTROL")
    within told '^READY=1' 1
    stop_daemon
    [ "$(stat -c %i "$CONTROL")" = "$ino" ]
    ! grep -q socket-not-taken "$T/daemon.log"
}

@test "the service manager is told: ready and how things stand, reload, end; nothing twice" {
    needs_libsystemd
    start_server
    activated "$CONTROL"
    within told '^READY=1' 1
    grep -q '^STATUS=NOT SAFE: .*ctctl login' "$T/notified"
    log_in
    line hello >"$(transcript "$(new_id)")"
    ctctl sync --wait
    within told '^STATUS=The only session is saved, on this machine only$' 1
    kill -HUP "$DAEMON_PID"
    within told '^RELOADING=1' 1
    told '^MONOTONIC_USEC=[0-9]' 1
    within told '^READY=1' 2
    stop_daemon
    told '^STOPPING=1' 1
    # A line that says READY repeats how things stand; without it that would be news that is none.
    awk '/^READY=1/ {ready = 1; next}
        /^STATUS=/ {if ($0 == last && !ready) exit 1; last = $0; ready = 0}' "$T/notified"
}

@test "the watchdog is fed as often as it wants, and by nothing where there is none" {
    needs_libsystemd
    WATCHDOG_USEC=200000 activated "$CONTROL"
    within told '^WATCHDOG=1' 3
    stop_daemon
    rm -f "$CONTROL"
    activated "$CONTROL"
    within told '^READY=1' 1
    stop_daemon
    ! told '^WATCHDOG=1' 1
}

@test "a socket that is not the configured one is not taken, and the daemon says so" {
    needs_libsystemd
    conf "socket = \"$T/run/mine/control.sock\";"
    activated "$CONTROL"
    grep -q '^.*warning: socket-not-taken ' "$T/daemon.log"
    stop_daemon
    [ -S "$CONTROL" ]
    [ ! -e "$T/run/mine/control.sock" ]
}

@test "the user's units are sound, and leave little to the daemon" {
    command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
    [ -f "$CT_BUILD/systemd/codeteleportd.service" ] || skip "no units on this system"
    sed "s|^ExecStart=[^ ]*|ExecStart=\"$CT_BUILD/bin/codeteleportd\"|" \
        "$CT_BUILD/systemd/codeteleportd.service" >"$T/codeteleportd.service"
    cp "$CT_SRC/systemd/codeteleportd.socket" "$T"
    run systemd-analyze --user verify --man=no "$T/codeteleportd.service" "$T/codeteleportd.socket"
    echo "$output"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    mkdir "$T/codeteleportd.service.d"
    cp "$CT_BUILD/systemd/strict.conf" "$T/codeteleportd.service.d"
    run systemd-analyze --user verify --man=no "$T/codeteleportd.service"
    echo "$output"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
}

@test "the version stands in one place, and Debian's changelog and the programs agree with it" {
    local v p
    v=$(sed -n 's/^AC_INIT(\[codeteleportd\], \[\(.*\)\])$/\1/p' "$CT_SRC/configure.ac")
    [ -n "$v" ]
    [ "$(sed -n '1s/^codeteleportd (\(.*\)-[^-]*) .*/\1/p' "$CT_SRC/debian/changelog")" = "$v" ]
    for p in codeteleportd ctctl codeteleport-server; do
        [ "$("$p" --version)" = "$p $v" ]
    done
}
