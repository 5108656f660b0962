#!/usr/bin/env bats
# libcodeteleport, as a program of somebody else meets it: its example, built by what is installed.

load lib

# The ABI: what is here stays as long as the library is called .so.0; more may come.
EXPORTS='CODETELEPORT_0 ctl_close ctl_error ctl_event ctl_fd ctl_list ctl_open ctl_show ctl_status ctl_subscribe ctl_sync'
RESULTS='CTL_FAILED=-1 CTL_LATER=-3 CTL_NOT_FOUND=-4 CTL_NO_DAEMON=-2 CTL_OK=0'

setup_file() {
    export THERE=$BATS_FILE_TMPDIR/usr
    make -s -C "$CT_BUILD" prefix="$THERE" exec_prefix="$THERE" libdir="$THERE/lib" \
        includedir="$THERE/include" install-nodist_ctllibDATA install-ctlincludeHEADERS \
        install-nodist_pkgconfigDATA install-data-hook >"$BATS_FILE_TMPDIR/log" 2>&1
    export PKG_CONFIG_PATH=$THERE/lib/pkgconfig LD_LIBRARY_PATH=$THERE/lib
}

setup() {
    make_home
}

teardown() {
    end_home
}

flags() {
    pkg-config --define-variable=prefix="$THERE" --define-variable=exec_prefix="$THERE" \
        --define-variable=libdir="$THERE/lib" --define-variable=includedir="$THERE/include" "$@" codeteleport
}

# compiled SOURCE PROGRAM: with everything a compiler has against it
compiled() {
    # shellcheck disable=SC2046
    "${CC:-cc}" -std=c99 -pedantic -Wall -Wextra -Wstrict-prototypes -Werror "$1" $(flags --cflags --libs) -o "$2"
}

@test "the example says safe, what changes, and that nobody saves anything" {
    [ "$CT_SANITIZERS" != yes ] || skip "a sanitizer's library goes with its own programs only"
    compiled "$CT_SRC/ipc/example.c" "$T/is-it-safe"
    run "$T/is-it-safe" once
    [ "$status" = 2 ]
    [[ $output == *"nothing listens on"* ]]
    start_server
    log_in
    start_daemon
    line hello >"$(transcript "$(new_id)")"
    ctctl sync --wait
    run "$T/is-it-safe" once
    [ "$status" = 0 ]
    [ "$output" = "The only session is saved, on this machine only" ]
    "$T/is-it-safe" >"$T/out" 2>"$T/err" &
    local pid=$!
    within grep -q 'The only session' "$T/out"
    line more >"$(transcript "$(new_id)")"
    within grep -q 'All 2 sessions are saved' "$T/out"
    stop_daemon
    wait "$pid" || [ $? = 2 ]
    grep -q 'the daemon closed the connection' "$T/err"
}

@test "a session is shown by the beginning of its ID, and one that is not there is not found" {
    [ "$CT_SANITIZERS" != yes ] || skip "a sanitizer's library goes with its own programs only"
    local id
    id=$(new_id)
    cat >"$T/show.c" <<'C'
#include <stdio.h>
#include <codeteleport/ctl.h>

int main(int argc, char **argv)
{
    struct json_object *o, *v;
    struct ctl *c;
    const char *ids[1];
    int rc = ctl_open(argc > 2 ? argv[2] : NULL, &c);

    ids[0] = argv[1];
    if (rc == CTL_OK && (rc = ctl_sync(c, ids, 1, 1, 0, &o)) == CTL_OK)
        json_object_put(o);
    if (rc == CTL_OK && (rc = ctl_show(c, argv[1], 0, &o)) == CTL_OK) {
        if (json_object_object_get_ex(o, "state", &v))
            printf("%s\n", json_object_get_string(v));
        json_object_put(o);
    }
    if (rc == CTL_OK && (rc = ctl_list(c, 1, NULL, 0, &o)) == CTL_OK) {
        if (json_object_object_get_ex(o, "sessions", &v))
            printf("%d\n", (int)json_object_array_length(v));
        json_object_put(o);
    }
    if (rc == CTL_OK && (rc = ctl_subscribe(c, 0)) == CTL_OK && (rc = ctl_event(c, 1, &o)) == CTL_OK)
        json_object_put(o);
    printf("%d %s\n", rc, rc == CTL_OK ? "" : ctl_error(c));
    ctl_close(c);
    return 0;
}
C
    compiled "$T/show.c" "$T/show"
    start_server
    log_in
    start_daemon
    line hello >"$(transcript "$id")"
    ctctl sync --wait
    "$T/show" "${id:0:9}" >"$T/out"
    [ "$(head -n 2 "$T/out" | tr '\n' ' ')" = "synced 1 " ]
    grep -qE '^(0 |-3 )' "$T/out"
    run "$T/show" ffffffff
    [[ $output == "-4 no session on this machine begins with"* ]]
    run "$T/show" x "$T/nowhere"
    [[ $output == "-2 nothing listens on $T/nowhere" ]]
}

@test "what the library shows is what it promised" {
    command -v nm >/dev/null || skip "nm is not installed"
    case $(uname -s) in Linux) ;; *) skip "ELF only" ;; esac
    [ "$(nm -D --defined-only "$THERE"/lib/libcodeteleport.so.0 | awk '{ print $3 }' | sed 's/@.*//' |
        grep -v '^__\|^_[A-Z]' | sort | paste -sd ' ')" = "$EXPORTS" ]
    [ "$(sed -n 's/^ *\(CTL_[A-Z_]*\) = \(-*[0-9]*\),.*/\1=\2/p' "$THERE/include/codeteleport/ctl.h" |
        sort | paste -sd ' ')" = "$RESULTS" ]
    [ "$(readlink "$THERE/lib/libcodeteleport.so")" = libcodeteleport.so.0 ]
}
