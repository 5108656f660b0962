#!/usr/bin/env bats
# The real Claude Code goes on with a stranger's sessions, each of many hostile things at once, all of
# them side by side: nothing is asked and nothing runs before a key is pressed, the model gets what was
# installed, no more, and nothing is written but what Claude Code always writes.

load lib

setup() {
    T=$(mktemp -d "${TMPDIR:-/tmp}/ct.XXXXXX")
    SID=11111111-2222-4333-8444-555555555555
    KEY=sk-ant-test-000000000000000000000000
    IDLE=5 BUNDLES=3
    [ "${CT_FULL:-}" != yes ] || IDLE=90 BUNDLES=12
}

teardown() {
    [ -z "${STANDINS:-}" ] || kill $STANDINS 2>/dev/null || true
    rm -rf "$T"
}

# the_agent SET: the program of that set, in $AGENT
the_agent() {
    local npm
    [ "$(uname -sm)" = "Linux x86_64" ] || skip "the agent that is pinned is one for Linux on x86_64"
    strace -f -o "$T/none" true 2>/dev/null || skip "strace is not here or not allowed"
    npm=$(sh "$CT_SRC/tests/npm.sh" "$1") || skip "$npm"
    AGENT=$npm/node_modules/@anthropic-ai/claude-code-linux-x64/claude
    [ -x "$AGENT" ] || chmod +x "$AGENT"
}

# a_home NAME: a new one in $T/NAME, in which Claude Code asks nothing at its start; with the model's service
a_home() {
    R=$T/$1 H=$T/$1/home W=$T/$1/home/src/p
    mkdir -p "$W" "$H/.claude" "$R/bin"
    # A program of the agent's own may ask the network for its plugins.
    printf '#!/bin/sh\ncase " $* " in *" clone "*) exit 1 ;; esac\nexec /usr/bin/git "$@"\n' >"$R/bin/git"
    chmod +x "$R/bin/git"
    jq -n --arg key "${KEY: -20}" --arg w "$W" '{hasCompletedOnboarding: true, theme: "dark",
        customApiKeyResponses: {approved: [$key], rejected: []},
        projects: {($w): {hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true}}}' >"$H/.claude.json"
    python3 -S "$CT_SRC/tests/e2e/tools/model_standin.py" "$R/log" "$R/ready" 3>&- &
    STANDINS="${STANDINS:-} $!"
    within test -s "$R/ready"
}

# import NAME BUNDLE: into the home of that name
import() {
    a_home "$1"
    HOME=$H XDG_STATE_HOME=$R/xdg XDG_CONFIG_HOME=$R/xdg CLAUDE_CONFIG_DIR=$H/.claude \
        ctctl import "$2" --target-dir "$W" >"$R/said" 2>&1 || {
        cat "$R/said"
        return 1
    }
    jq -c '.. | strings' "$H/.claude/projects"/*/"$SID.jsonl" | same "$1" >"$R/installed"
}

# resume NAME: idle for so long, say one thing; what came of it in its out.json
resume() {
    R=$T/$1 H=$T/$1/home W=$T/$1/home/src/p
    cd "$W"
    env -i HOME="$H" PATH="$R/bin:/usr/bin:/bin" SHELL=/bin/bash LANG=C.UTF-8 \
        ANTHROPIC_BASE_URL="http://127.0.0.1:$(cat "$R/ready")" ANTHROPIC_API_KEY="$KEY" DISABLE_TELEMETRY=1 \
        DISABLE_ERROR_REPORTING=1 DISABLE_AUTOUPDATER=1 CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 \
        python3 -S "$CT_SRC/tests/e2e/tools/resume.py" "$R/log" "$IDLE" "what is next" -- "$AGENT" --resume "$SID" \
        >"$R/out.json" 2>"$R/err" 3>&- || touch "$R/failed"
}

# all_at_once NAME...: in as many homes
all_at_once() {
    local name pids=
    for name; do
        (resume "$name") &
        pids="$pids $!"
    done
    wait $pids
    for name; do
        [ ! -e "$T/$name/failed" ] || {
            echo "$name got no answer"
            cat "$T/$name/err"
            jq -r .screen "$T/$name/out.json" | tail -c 2000
            return 1
        }
    done
}

# same NAME: lines, without what differs between two homes in which the same happens
same() { sed -E "s,$T/$1(/|\\b),@\\1,g; s,$(sed 's/[^a-zA-Z0-9]/-/g' <<<"$T/$1")(-|\\b),@\\1,g" "${@:2}"; }

# received NAME: every string that the model got, one a line; programs, written NAME: likewise
received() { jq -c '[.requests[] | (.messages, .system) | .. | strings] | unique[]' "$T/$1/out.json" | same "$1"; }

programs() { jq -r '.programs[]' "$T/$1/out.json" | same "$1"; }

# Numbers and what is random in names don't count.
written() {
    jq -r '.written[], .connected[]' "$T/$1/out.json" | same "$1" |
        sed -E 's,^/tmp/(cc-socks|claude-[^/]*)(/.*)?$,/tmp/claude,; s,[0-9a-f]{8}[0-9a-f]*|[0-9]+,N,g; s,(N-)*N,N,g' | sort -u
}

# usual NAME: what Claude Code does by itself is seen with a session in which there is nothing
usual() {
    received "$1" >"$T/usual-received"
    (programs "$1"; echo none) >"$T/usual-programs"
    written "$1" >"$T/usual-written"
}

# harmless NAME: nothing was asked before a key was pressed, nothing ran or was written that isn't usual, nothing
# hostile is anywhere, and each text that the model got is one that was installed, or one that it always gets
harmless() {
    local out=$T/$1/out.json
    [ "$(jq .before "$out")" = 0 ]
    # It looks for git, editors and a key for GitHub by itself.
    programs "$1" | grep -vxF -f "$T/usual-programs" |
        grep -Ev '^(/bin/sh @/bin/git|(@/bin/|/usr/bin/)?git|[s]sh -T|/bin/sh -c ps aux|ps|grep|which|uname|rg) ?' >"$T/more" || true
    written "$1" | grep -vxF -f "$T/usual-written" >>"$T/more" || true
    received "$1" | grep -vxF -f "$T/usual-received" | grep -vxF -f "$T/$1/installed" >>"$T/more" || true
    cat "$T/more"
    [ ! -s "$T/more" ]
    ! jq 'del(.screen)' "$out" | grep EVIL || false
    ! find "$T/$1" | grep EVIL || false
    ! grep -rlE 'EVIL' "$T/$1/home/.claude/projects" "$T/$1/home/.claude/plans" "$T/$1/home/.claude/tasks" 2>/dev/null || false
    received "$1" | grep -q GOOD-4
}

# tell NAME: what was seen, for whoever reads the log
tell() {
    echo "# $1: $(jq .before "$T/$1/out.json") requests in ${IDLE}s, $(jq '.requests | length' "$T/$1/out.json") after a key;" \
        "$(programs "$1" | wc -l) programs and $(written "$1" | wc -l) places, all usual; of the session the model got" \
        "$(received "$1" | grep -xF -f "$T/$1/installed" | grep -vxF -f "$T/usual-received-of-all" | cut -c 1-60 | paste -sd ' ')" >&3
}

# go_through SET: all of them with that agent
go_through() {
    local n names=
    the_agent "$1"
    mkdir "$T/bundles"
    python3 -S "$CT_SRC/tests/bundle/stranger_bundles.py" --combined "$BUNDLES" "$T/bundles"
    python3 -S "$CT_SRC/tests/bundle/stranger_bundles.py" --combined 0 "$T/bundles"
    for n in plain $(seq -f combined-%g 0 $((BUNDLES - 1))); do
        import "$n" "$T/bundles/$n.tgz"
        names="$names $n"
    done
    if [ "${CT_FULL:-}" = yes ]; then
        schedule acts CronCreate
        # A tool's name is a name to the letter.
        schedule spelled croncreate CRONCREATE "CronCreate " Cron_Create mcp__x__CronCreate Loop Cron TeamCreate SetGoal
    fi
    all_at_once $names ${SCHEDULES:-}
    usual plain
    printf '"role"\n"user"\n"text"\n' >"$T/usual-received-of-all"
    for n in $names; do
        harmless "$n" || {
            echo "$n"
            return 1
        }
        tell "$n"
    done
    # A schedule that was not taken out would have been seen.
    for n in ${SCHEDULES:-}; do
        echo "# $n: $(jq .before "$T/$n/out.json") requests in ${IDLE}s" >&3
    done
    [ -z "${SCHEDULES:-}" ] || [ "$(jq .before "$T/acts/out.json")" -gt 0 ]
    [ -z "${SCHEDULES:-}" ] || [ "$(jq .before "$T/spelled/out.json")" = 0 ]
}

# schedule NAME TOOL...: a home with a session that called these, and that nobody opened
schedule() {
    local project
    SCHEDULES="${SCHEDULES:-} $1"
    a_home "$1"
    project=$H/.claude/projects/$(sed 's/[^a-zA-Z0-9]/-/g' <<<"$W")
    mkdir -p "$project"
    python3 -S "$CT_SRC/tests/bundle/stranger_bundles.py" --schedule "$W" "${@:2}" >"$project/$SID.jsonl"
}

@test "Claude Code 2.1.197 goes on with a stranger's session, and nothing runs or asks" {
    go_through claude-old
}

@test "Claude Code 2.1.332 goes on with a stranger's session, and nothing runs or asks" {
    go_through claude-new
}
