# The daemon is killed at one step after another while sessions grow. What the short and the full
# run share.

load lib

crash_setup() {
    make_home
    conf 'quiet = 0.1; turn_quiet = 0.1; distance = 0; longest_wait = 1; workers = "two";'
    start_server
    log_in
    mapfile -t IDS < <(for _ in 1 2 3; do new_id; done)
    grow
}

# grow: a line more for two sessions, now and then a new session
grow() {
    GROWN=$((${GROWN:-0} + 1))
    line "grown $GROWN" >>"$(transcript "${IDS[0]}")"
    line "grown $GROWN" >>"$(transcript "${IDS[GROWN % 2 + 1]}")"
    if [ $((GROWN % 10)) = 0 ]; then
        line new >"$(transcript "$(new_id)")"
    fi
}

# killed_at N: one run of the daemon, killed before its Nth call that changes something, while one
# of the sessions goes on growing. Its exit status.
killed_at() {
    local rc=0 pid
    while :; do
        line meanwhile >>"$(transcript "${IDS[0]}")"
        sleep 0.03
    done 3>&- &
    pid=$!
    ASAN_OPTIONS=detect_leaks=0 KILLAT_COUNT=$T/count timeout 120 \
        "$CT_BUILD/tests/e2e/tools/killat" "$1" codeteleportd --once >>"$T/daemon.log" 2>&1 3>&- || rc=$?
    kill "$pid"
    wait "$pid" 2>/dev/null || true
    return "$rc"
}

# may_trace: skip where processes can't be traced
may_trace() {
    "$CT_BUILD/tests/e2e/tools/killat" 0 true || skip "processes can't be traced here"
}

verify() {
    python3 -S "$CT_SRC/tests/e2e/tools/crash_verify.py" "$API" "$CA" "$CODETELEPORT_CONFIG_DIR/config.json" \
        "$CLAUDE_CONFIG_DIR/projects" "$XDG_STATE_HOME"
}

# all_is_safe: after the last crash the daemon may run as long as it needs
all_is_safe() {
    local rc=0
    codeteleportd --once >>"$T/daemon.log" 2>&1 || rc=$?
    [ "$rc" = 0 ] || {
        echo "the last run ended with $rc"
        tail -n 20 "$T/daemon.log"
        return 1
    }
    verify
}

# crash_points N: N points, spread over a whole run
crash_points() {
    local n=$1 i rc total at killed=0
    killed_at 0
    total=$(cat "$T/count")
    for ((i = 0; i < n; i++)); do
        grow
        at=$((1 + i * total / n))
        rc=0
        killed_at "$at" || rc=$?
        case $rc in
        137) killed=$((killed + 1)) ;;
        0 | 75) ;;
        *)
            echo "killed at $at of $total: exit status $rc"
            tail -n 20 "$T/daemon.log"
            return 1
            ;;
        esac
        if [ $((i % 25)) = 24 ]; then
            all_is_safe
        fi
    done
    echo "# $killed of $n runs were killed, of $total calls each" >&3
    [ "$killed" -ge $((n * 3 / 4)) ]
    all_is_safe
}
