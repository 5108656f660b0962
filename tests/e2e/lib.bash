# What the end-to-end tests share: a scratch home, the real server, daemon and client in it, and
# waiting for things instead of sleeping.

CT_BUILD=${CT_BUILD:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}
CT_SRC=${CT_SRC:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}
CT_SAMPLES=${CT_SAMPLES:-$CT_SRC/../shared/samples}
PATH=$CT_BUILD/bin:$PATH

# Slow machines and sanitizers: how long anything may take before it counts as stuck.
LIMIT_S=${LIMIT_S:-60}

# bats notes before each command where it is, for the case that it fails, which was a fifth of what a case
# cost.  Instead note it when one has failed.
if declare -F bats_setup_tracing bats_error_trap bats_capture_stack_trace >/dev/null &&
    [ "${BATS_TRACE_LEVEL:-0}" = 0 ]; then
    eval "stock_$(declare -f bats_setup_tracing)"
    bats_setup_tracing() {
        stock_bats_setup_tracing
        trap - DEBUG
        BATS_DEBUG_LAST_STACK_TRACE=() BATS_DEBUG_LASTLAST_STACK_TRACE=()
    }
    bats_error_trap() {
        bats_check_status_from_trap
        [[ ${FUNCNAME[1]} == bats_* ]] || bats_capture_stack_trace
        BATS_DEBUG_LAST_STACK_TRACE_IS_VALID=1
    }
fi

make_home() {
    T=$(mktemp -d "${TMPDIR:-/tmp}/ct.XXXXXX")
    export HOME=$T/home
    export CLAUDE_CONFIG_DIR=$HOME/.claude
    export CODETELEPORT_CONFIG_DIR=$HOME/.codeteleport
    export XDG_RUNTIME_DIR=$T/run XDG_STATE_HOME=$T/state XDG_CONFIG_HOME=$T/config
    export XDG_DATA_HOME=$T/data
    export NO_COLOR=1 LC_ALL=C.UTF-8 TZ=UTC
    unset NOTIFY_SOCKET CTCTL_SOCKET CODETELEPORT_API_URL CODETELEPORT_CA_FILE CODETELEPORT_CONFIG_FILE
    mkdir -p "$HOME" "$CLAUDE_CONFIG_DIR" "$XDG_CONFIG_HOME/codeteleport" "$T/data"
    mkdir -m 700 "$XDG_RUNTIME_DIR"
    conf 'quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5;'
}

# conf TEXT: the daemon's configuration; versions are counted, so each upload is to add one
conf() {
    case $1 in
    *amend*) ;;
    *) set -- "amend = false; $1" ;;
    esac
    case $1 in
    *pace*) ;;
    *) set -- "pace = false; $1" ;;
    esac
    printf '%s\n' "$1" >"$XDG_CONFIG_HOME/codeteleport/codeteleportd.conf"
}

# faketime_lib: what a program is preloaded with to have a clock of its own; "" where there is none, and
# with sanitizers, which do not go with it
faketime_lib() {
    [ "${CT_SANITIZERS:-no}" = yes ] || ls /usr/lib/*/faketime/libfaketimeMT.so.1 2>/dev/null | head -n 1
}

end_home() {
    local pid
    for pid in ${DAEMON_PID:-} ${PROXY_PID:-} ${SERVER_PID:-}; do
        kill -CONT "$pid" 2>/dev/null || true
        kill "$pid" 2>/dev/null || true
    done
    for pid in ${DAEMON_PID:-} ${PROXY_PID:-} ${SERVER_PID:-}; do
        wait "$pid" 2>/dev/null || true
    done
    # What a sanitizer reports at exit is a failure too.
    if grep -E 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$T"/*.log; then
        rm -rf "$T"
        return 1
    fi
    rm -rf "$T"
}

# Do the programs that were started still run?
alive() {
    local pid
    for pid in ${DAEMON_PID:-} ${PROXY_PID:-} ${SERVER_PID:-}; do
        kill -0 "$pid" 2>/dev/null || revive "$pid" || {
            echo "process $pid ended"
            return 1
        }
    done
}

# Start a daemon anew that asks for it by its exit status, as a service manager does; and so that it
# need not wait for long when it asks again.  And a server that is brought up, see there.
revive() {
    local status=0
    if [ "$1" = "${SERVER_PID:-}" ] && [ ${#LAUNCH_SERVER[@]} -gt 0 ]; then
        tail -n 1 "$T/server.log" | grep -q 'Address already in use' || return 1
        "${LAUNCH_SERVER[@]}"
        return
    fi
    [ "$1" = "${STARTED_PID:-}" ] || return 1
    wait "$1" || status=$?
    [ $status = 79 ] || return 1
    rm -f "$XDG_STATE_HOME"/codeteleport/*/restarted
    launch_daemon
}

# within COMMAND...: until it succeeds; its last output when it never does.  What takes long is
# asked for less often, and a sanitizer doesn't search for leaks after each question: that is a
# third of what a question costs.
within() {
    local until=$((SECONDS + LIMIT_S)) out pauses=(0.05 0.05 0.1 0.1 0.2)
    local -x ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
    while ! out=$("$@" 2>&1); do
        if [ $SECONDS -ge $until ] || ! alive; then
            echo "not within $LIMIT_S s: $*"
            echo "$out"
            tail -n 20 "$T"/daemon.log "$T"/server.log 2>/dev/null
            return 1
        fi
        sleep "${pauses[0]}"
        [ ${#pauses[@]} = 1 ] || pauses=("${pauses[@]:1}")
    done
}

# lay_server: where there is no data folder yet, copy one of those that `make check` made, see
# made_server.sh: MADE says which, "none" for a server that has never run.  HAS_ACCOUNT is set if
# me@example.org can log in.  In a build folder without them all is done anew, which takes longer.
lay_server() {
    local made=$CT_BUILD/tests/e2e/made
    [ ! -e "$T/server" ] && [ "$made/stamp" -nt "$CT_BUILD/bin/codeteleport-server" ] &&
        [ -d "$made/${MADE:-server}" ] || return 0
    cp -Rp "$made/${MADE:-server}" "$T/server"
    ln "$made/ballast" "$T/server/" 2>/dev/null || true
    [ "${MADE:-server}" != server ] || HAS_ACCOUNT=yes
}

# start_server: at API_HOST and OBJECTS_HOST, 127.0.0.1 by default
start_server() {
    lay_server
    bring_up launch_server
}

launch_server() {
    codeteleport-server --data "$T/server" --listen "${API_HOST:-127.0.0.1}:${API_PORT:-0}" \
        --objects "${OBJECTS_HOST:-127.0.0.1}:${OBJECTS_PORT:-0}" --ready-file "$T/ready" \
        >>"$T/server.log" 2>&1 3>&- &
    SERVER_PID=$!
}

# start_stock_server [OPTIONS]: a server that is not ours, see stock_server.py; what "$T/faults"
# says goes wrong
start_stock_server() {
    bring_up launch_stock_server "$@"
}

launch_stock_server() {
    python3 -S "$CT_SRC/tests/e2e/tools/stock_server.py" --data "$T/server" \
        --listen "127.0.0.1:${API_PORT:-0}" --objects "127.0.0.1:${OBJECTS_PORT:-0}" \
        --ready-file "$T/ready" --faults "$T/faults" "$@" >>"$T/server.log" 2>&1 3>&- &
    SERVER_PID=$!
}

# bring_up COMMAND...: launch a server, and do it again while one of the ports that it had before is some
# program's way out
bring_up() {
    LAUNCH_SERVER=("$@")
    rm -f "$T/ready"
    "$@"
    server_is_ready
    LAUNCH_SERVER=()
}

server_is_ready() {
    within test -s "$T/ready"
    API=$(sed -n 's/^api=//p' "$T/ready")
    OBJECTS=$(sed -n 's/^objects=//p' "$T/ready")
    CA=$(sed -n 's/^ca=//p' "$T/ready")
    API_PORT=$(port_of "$API")
    OBJECTS_PORT=$(port_of "$(sed -n 's/^objects_listen=//p' "$T/ready")")
    OBJECTS_PORT=${OBJECTS_PORT:-$(port_of "$OBJECTS")}
    [ -z "${PROXY_PID:-}" ] || API=$(sed -n 's/^api=//p' "$T/proxy.ready")
    export CODETELEPORT_CA_FILE=$CA
}

# start_server_behind_proxy [OPTIONS OF THE PROXY]: the same with tests/e2e/tools/faultproxy.py before both
# listeners; see `faults`.  SERVER_CONF is more of the server's settings.
start_server_behind_proxy() {
    rm -f "$T/proxy.ready"
    faults
    python3 -S "$CT_SRC/tests/e2e/tools/faultproxy.py" --ready "$T/proxy.ready" --upstream "$T/ready" \
        --faults "$T/faults" --log "$T/proxy.log" "$@" >>"$T/proxy.out" 2>&1 3>&- &
    PROXY_PID=$!
    within test -s "$T/proxy.ready"
    OBJECTS=$(sed -n 's/^objects=//p' "$T/proxy.ready")
    printf 'public_objects_url = "%s"; %s\n' "$OBJECTS" "${SERVER_CONF:-}" >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    start_server
}

# faults RULE...: what the proxy breaks from now on; none: nothing
faults() {
    printf '%s\n' "$@" >"$T/faults.new"
    mv "$T/faults.new" "$T/faults"
}

# proxied JQ-EXPRESSION: how many lines of the proxy's log it is true of
proxied() { jq -c "select($1)" "$T/proxy.log" | wc -l; }

# proxied_more JQ-EXPRESSION N: more than N lines
proxied_more() { [ "$(proxied "$1")" -gt "$2" ]; }

port_of() { sed 's|^https\{0,1\}://[^/]*:\([0-9]*\).*|\1|' <<<"$1"; }

stop_server() {
    kill "${1:--TERM}" "$SERVER_PID"
    wait "$SERVER_PID" || true
    SERVER_PID=
}

# log_in [EMAIL]: register where there is no such account
log_in() {
    local email=${1:-me@example.org} register=--register
    [ "$email ${HAS_ACCOUNT:-no}" != 'me@example.org yes' ] || register=
    # shellcheck disable=SC2086
    printf 'correct horse battery' | ctctl login $register --email "$email" --password-stdin \
        --api-url "$API" >>"$T/login.log" 2>&1
}

start_daemon() {
    DAEMON_ARGS=("$@")
    launch_daemon
    within ctctl --json status
}

# as_service COMMAND...: run it in place of this shell, as a service manager would: the daemon is then
# one process, and what has to start it anew is `revive`. A function of that name replaces the shell by
# itself.
as_service() {
    export SYSTEMD_EXEC_PID=$BASHPID
    if declare -F "$1" >/dev/null; then "$@"; else exec "$@"; fi
}

launch_daemon() {
    as_service codeteleportd -v "${DAEMON_ARGS[@]}" >>"$T/daemon.log" 2>&1 3>&- &
    DAEMON_PID=$! STARTED_PID=$!
}

# stays_dumpable PROGRAM [OPTION]: options for strace, with prctl among what it traces. Only root can read, by
# strace too, what a process that is not dumpable has in memory; so for others that prctl does nothing.
stays_dumpable() {
    [ "$(id -u)" != 0 ] || return 0
    ASAN_OPTIONS=detect_leaks=0 strace -o "$T/prctl" -e trace=prctl "$CT_BUILD/bin/$1" ${2:---help} >/dev/null
    echo "-e inject=prctl:retval=0:when=$(grep -n PR_SET_DUMPABLE "$T/prctl" | cut -d: -f1)"
}

# environment_of PID: what it was started with, a line each; nothing where nobody but root can read that
environment_of() {
    [ "$(id -u)" != 0 ] && [ "$(stat -c %u "/proc/$1/environ")" = 0 ] || tr '\0' '\n' <"/proc/$1/environ"
}

stop_daemon() {
    kill "${1:--TERM}" "$DAEMON_PID"
    wait "$DAEMON_PID" || true
    DAEMON_PID=
}

# start_bus: a system bus of its own, for who plays a service on it; adds to EXTRA_PIDS
start_bus() {
    command -v dbus-daemon >/dev/null || skip "dbus-daemon is not here"
    export DBUS_SYSTEM_BUS_ADDRESS=unix:path=${T// /%20}/bus
    dbus-daemon --session --nofork --nosyslog --address="$DBUS_SYSTEM_BUS_ADDRESS" \
        2>"$T/bus.out" 3>&- &
    EXTRA_PIDS="${EXTRA_PIDS:-} $!"
    within test -S "$T/bus"
}

# needs_linux: skip what a build for other systems (configure --disable-linux) does not do
needs_linux() {
    ! grep -q "^ON_LINUX_TRUE='#'" "$CT_BUILD/config.log" || skip "this build is not for Linux"
}

# needs_watches: skip what is about the kernel's watches where the running daemon can only poll
needs_watches() {
    [ "$(status .watch.backend)" != polling ] || skip "this build can only poll"
}

# gojq says what jq does, and starts ten times as fast as jq 1.6.  It writes the members of an object sorted.
! command -v gojq >/dev/null || jq() { gojq "$@"; }

# quoted TEXT: as in a command that a person is to paste into a shell
quoted() {
    case $1 in
    *[!A-Za-z0-9_./-]*) printf "'%s'" "${1//\'/\'\\\'\'}" ;;
    *) printf '%s' "$1" ;;
    esac
}

# status JQ-EXPRESSION: of the status document
status() { ctctl --json status | jq -r "$1"; }

# status_is JQ-EXPRESSION VALUE
status_is() {
    local is
    is=$(status "$1")
    [ "$is" = "$2" ] || {
        echo "$1 is '$is', not '$2'"
        return 1
    }
}

# versions ID: how many versions of the session the server lists
versions() { ctctl --json versions "$1" | jq '.versions | length'; }

# versions_are ID N
versions_are() { [ "$(versions "$1")" = "$2" ]; }

# new_id: a random session id
new_id() {
    local id
    { read -r id </proc/sys/kernel/random/uuid && echo "$id"; } 2>/dev/null || python3 -S -c 'import uuid; print(uuid.uuid4())'
}

# line TEXT: one record of a transcript
line() {
    # one write, and soon after the redirection made the file: nobody sees half a line
    printf '{"type":"user","uuid":"%s","timestamp":"2026-11-23T20:00:00.000Z",%s"content":"%s"}}\n' \
        "$(new_id)" '"cwd":"/home/al/p","message":{"role":"user",' "$1"
}

# transcript ID [PROJECT]: its path
transcript() {
    mkdir -p "$CLAUDE_CONFIG_DIR/projects/${2:--home-al-p}"
    echo "$CLAUDE_CONFIG_DIR/projects/${2:--home-al-p}/$1.jsonl"
}

# api METHOD PATH [CURL ARGUMENTS]: as the logged-in user
api() {
    local method=$1 path=$2 token
    shift 2
    token=$(sed -n 's/.*"token": *"\([^"]*\)".*/\1/p' "$CODETELEPORT_CONFIG_DIR/config.json")
    curl -sS --fail-with-body --cacert "$CA" -X "$method" -H "Authorization: Bearer $token" \
        -H 'Content-Type: application/json' "$API$path" "$@"
}

# fetch ID FILE [VERSION]: the bundle, straight from the object store
fetch() {
    local url
    url=$(api GET "/sessions/$1/download${3:+?version=$3}" | jq -r .downloadUrl)
    curl -sS --fail --cacert "$CA" -o "$2" "$url"
}

# complete FILE: its content up to its last newline
complete() { head -n "$(wc -l <"$1")" "$1"; }

# bundle_equals ID TRANSCRIPT: the newest stored bundle holds the transcript up to its last newline
bundle_equals() {
    fetch "$1" "$T/b.tar.gz" && gzip -t "$T/b.tar.gz" &&
        tar -xzOf "$T/b.tar.gz" session.jsonl >"$T/b.jsonl" &&
        complete "$2" >"$T/want.jsonl" && cmp "$T/b.jsonl" "$T/want.jsonl"
}
