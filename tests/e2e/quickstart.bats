#!/usr/bin/env bats
# ./quickstart in a folder of its own, with the programs that are built already.

load lib.bash

setup() {
    make_home
    export TMPDIR=$T
    mkdir -p "$T/top/.quickstart/build" "$T/bin"
    cp "$CT_SRC/quickstart" "$T/top/"
    # As a release tarball that was configured and built.
    touch "$T/top/configure.ac" "$T/top/configure"
    chmod +x "$T/top/configure"
    touch -d '+1 second' "$T/top/Makefile.in"
    printf 'srcdir = ../..\nall:\n' >"$T/top/.quickstart/build/Makefile"
    ln -s "$CT_BUILD/bin" "$T/top/.quickstart/build/bin"
    # Nothing is installed.
    printf '#!/bin/sh\necho install ok installed\n' >"$T/bin/dpkg-query"
    chmod +x "$T/bin/dpkg-query"
    PATH=$T/bin:$PATH
    q=$T/top/.quickstart
}

teardown() {
    kill "${QUICKSTART_PID:-}" 2>/dev/null || true
    wait "${QUICKSTART_PID:-}" 2>/dev/null || true
    end_home
}

quickstart_begins() {
    rm -f "$T/quickstart.log" # of the one before, which said it too
    (exec env --default-signal=INT setsid "$T/top/quickstart") >"$T/quickstart.log" 2>&1 </dev/null 3>&- &
    QUICKSTART_PID=$!
    within follows
}

# It has come to the point where it only shows what happens.
follows() { grep -qs 'following what happens' "$T/quickstart.log"; }

# Of all that it started nothing is left: each has its folder among its arguments.
all_gone() {
    ! kill -0 "$QUICKSTART_PID" 2>/dev/null && ! kill -0 "$worker" 2>/dev/null &&
        [ -z "$(pgrep -f "$q" || true)" ]
}

# A second does; a loaded machine gets more.  What waits for `ctctl watch` to end by itself waits for ever.
@test "a signal ends quickstart without a terminal, its server and its daemon, at once" {
    local signal worker
    for signal in TERM HUP INT; do
        quickstart_begins
        worker=$(CTCTL_SOCKET=$q/run/control.sock status .daemon.pid)
        kill -0 "$worker"
        kill -s $signal "$QUICKSTART_PID"
        LIMIT_S=20 within all_gone
    done
}

@test "ctctl with its env uses the daemon's state, and says what to type when it is stopped" {
    [ ! -e "$q/env" ]
    quickstart_begins
    . "$q/env"
    [ "$(ctctl --json doctor | jq -r '.. | strings' | grep -cF "$q/codeteleportd.conf")" -ge 1 ]
    id=$(new_id)
    line one >"$(transcript "$id")"
    ctctl sync --wait
    ctctl verify --all
    [ ! -e "$XDG_STATE_HOME" ]
    kill "$QUICKSTART_PID"
    wait "$QUICKSTART_PID" || true
    run ctctl status
    [ "$status" = 69 ]
    [[ $output == *"Start it with: $T/top/quickstart"* ]]
    run ctctl doctor
    [[ $output == *"What to do: $T/top/quickstart"* ]]
    QUICKSTART_PID=
}

@test "a clone stays as it is, and its copy follows it" {
    command -v git >/dev/null || skip "git is not here"
    sed '/^# ---- the command line/,$d' "$CT_SRC/quickstart" >"$T/functions"
    cd "$T/top"
    rm -rf .quickstart configure Makefile.in
    mkdir .quickstart "a b"
    printf '/.quickstart/\n/configure\n' >.gitignore
    printf '#!/bin/sh\ncd "$(dirname "$0")"\ntouch Makefile.in configure\nchmod +x configure\n' >autogen.sh
    chmod +x autogen.sh
    touch "a b/one" two
    git init -q . && git add -A
    touch three
    prepare() { sh -euc '. "$0"; top=$1; q=$1/.quickstart; prepare_sources; echo "$src"' "$T/functions" "$T/top"; }
    [ "$(prepare 2>/dev/null)" = ../src ]
    [ ! -e configure ]
    [ -x .quickstart/src/configure ]
    (cd .quickstart/src && [ -f "a b/one" ] && [ -f two ] && [ -f three ])
    [ ! two -nt .quickstart/src/two ] && [ ! two -ot .quickstart/src/two ]
    rm two
    echo more >"a b/one"
    touch configure
    prepare 2>/dev/null
    [ ! -e .quickstart/src/two ]
    [ -x .quickstart/src/configure ]
    cmp "a b/one" ".quickstart/src/a b/one"
}
