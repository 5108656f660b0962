# A real backend of the server, started once for a file of tests by the script that the file names in
# BACKEND (SCRIPT start DIR, SCRIPT stop DIR; status 77: it can't run here, and says why).

load lib
load server_lib

MADE=none # what it has lies elsewhere

setup_file() {
    BACKEND_DIR=$(mktemp -d "${TMPDIR:-/tmp}/ct-backend.XXXXXX")
    export BACKEND_DIR
    local rc=0
    backend start >"$BACKEND_DIR/why" 2>&1 || rc=$?
    if [ $rc = 77 ]; then
        export BACKEND_SKIP="$(tail -n 1 "$BACKEND_DIR/why")"
    elif [ $rc != 0 ]; then
        cat "$BACKEND_DIR/why"
        return 1
    fi
}

teardown_file() {
    backend stop
    rm -rf "$BACKEND_DIR"
}

teardown() { [ -n "${BACKEND_SKIP:-}" ] || end_home; }

backend() { "$CT_SRC/tests/e2e/tools/$BACKEND" "$1" "$BACKEND_DIR" 3>&-; }

# home_at_backend: a home, and what the backend says of itself; skips if it can't run here
home_at_backend() {
    [ -z "${BACKEND_SKIP:-}" ] || skip "$BACKEND_SKIP"
    . "$BACKEND_DIR/env"
    make_home
}
