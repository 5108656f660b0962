#!/usr/bin/env bats
# The real Claude Code goes on with a stranger's sessions, each of many hostile things at once: nothing
# is asked and nothing runs before a key is pressed, and the model gets what was installed, no more.

load lib

setup() {
    T=$(mktemp -d "${TMPDIR:-/tmp}/ct.XXXXXX")
    SID=11111111-2222-4333-8444-555555555555
    H=$T/home/bo W=$T/home/bo/src/p
    IDLE=5 BUNDLES=3
    [ "${CT_FULL:-}" != yes ] || IDLE=90 BUNDLES=12
}

teardown() {
    [ -z "${STANDIN:-}" ] || kill "$STANDIN" 2>/dev/null || true
    rm -rf "$T"
}

# the_agent SET: the program of that set, in $AGENT
the_agent() {
    local npm
    [ "$(uname -sm)" = "Linux x86_64" ] || skip "the agent that is pinned is one for Linux on x86_64"
    npm=$(sh "$CT_SRC/tests/npm.sh" "$1") || skip "$npm"
    AGENT=$npm/node_modules/@anthropic-ai/claude-code-linux-x64/claude
    [ -x "$AGENT" ] || chmod +x "$AGENT"
}

# a_home: a new one, in which Claude Code asks nothing at its start; and the model's service
a_home() {
    local key=sk-ant-test-000000000000000000000000
    [ -z "${STANDIN:-}" ] || kill "$STANDIN"
    rm -rf "$T/home" "$T/log" "$T/ready" "$T/xdg"
    mkdir -p "$W" "$H/.claude" "$T/bin"
    # A program of the agent's own may ask the network for its plugins.
    printf '#!/bin/sh\ncase " $* " in *" clone "*) exit 1 ;; esac\nexec /usr/bin/git "$@"\n' >"$T/bin/git"
    chmod +x "$T/bin/git"
    jq -n --arg key "${key: -20}" --arg w "$W" '{hasCompletedOnboarding: true, theme: "dark",
        customApiKeyResponses: {approved: [$key], rejected: []},
        projects: {($w): {hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true}}}' >"$H/.claude.json"
    python3 "$CT_SRC/tests/e2e/tools/model_standin.py" "$T/log" "$T/ready" 3>&- &
    STANDIN=$!
    within test -s "$T/ready"
    KEY=$key
}

# import BUNDLE: into that home
import() {
    HOME=$H XDG_STATE_HOME=$T/xdg XDG_CONFIG_HOME=$T/xdg CLAUDE_CONFIG_DIR=$H/.claude \
        ctctl import "$1" --target-dir "$W" >"$T/said" 2>&1 || {
        cat "$T/said"
        return 1
    }
}

# resume SECONDS: idle for so long, say one thing; what came of it in $T/out.json
resume() {
    (cd "$W" && env -i HOME="$H" PATH="$T/bin:/usr/bin:/bin" SHELL=/bin/bash LANG=C.UTF-8 \
        ANTHROPIC_BASE_URL="http://127.0.0.1:$(cat "$T/ready")" ANTHROPIC_API_KEY="$KEY" DISABLE_TELEMETRY=1 \
        DISABLE_ERROR_REPORTING=1 DISABLE_AUTOUPDATER=1 CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 \
        python3 "$CT_SRC/tests/e2e/tools/resume.py" "$T/log" "$1" "what is next" -- "$AGENT" --resume "$SID") \
        >"$T/out.json" || {
        jq -r .screen "$T/out.json" | tail -c 2000
        return 1
    }
}

# texts: every string of the requests' messages, one a line
texts() { jq -c '[.requests[].messages[].content | .. | strings] | unique[]' "$T/out.json"; }

# harmless: nothing was asked before a key was pressed, nothing but git ran, nothing hostile is anywhere
harmless() {
    [ "$(jq .before "$T/out.json")" = 0 ]
    # It looks for git, editors and a key for GitHub by itself.
    jq -r '.programs[]' "$T/out.json" | grep -v '^$' | grep -vxF -f "$T/usual-programs" |
        grep -Ev '^(/bin/sh [^ ]*/bin/git|([^ ]*/)?git|[s]sh -T|ps|grep|/bin/sh -c ps aux|(which|uname|rg)) ?' >"$T/programs" || true
    [ ! -s "$T/programs" ] || {
        cat "$T/programs"
        return 1
    }
    ! jq '.requests' "$T/out.json" | grep -q EVIL
    ! find "$T/home" | grep EVIL
    ! grep -rlE 'EVIL' "$H/.claude/projects" "$H/.claude/plans" "$H/.claude/tasks" 2>/dev/null
    # Each text that the model got is one that was installed, or one that it always gets.
    texts | grep -vxF -f "$T/usual" | while IFS= read -r text; do
        jq -e --argjson t "$text" -s 'any(.[] | .. | strings; . == $t)' "$H/.claude/projects"/*/"$SID.jsonl" >/dev/null ||
            echo "$text"
    done >"$T/more"
    cat "$T/more"
    [ ! -s "$T/more" ]
}

# go_through SET: all of them with that agent
go_through() {
    local n
    the_agent "$1"
    mkdir "$T/bundles" "$T/plain"
    python3 "$CT_SRC/tests/bundle/stranger_bundles.py" --combined "$BUNDLES" "$T/bundles"
    python3 "$CT_SRC/tests/bundle/stranger_bundles.py" --combined 0 "$T/plain"
    # What it does by itself is seen with a session in which there is nothing.
    a_home
    import "$T/plain/plain.tgz"
    resume 3
    texts >"$T/usual"
    jq -r '.programs[], "none"' "$T/out.json" | grep -v '^$' >"$T/usual-programs"
    for n in $(seq 0 $((BUNDLES - 1))); do
        a_home
        import "$T/bundles/combined-$n.tgz"
        resume "$IDLE"
        harmless || {
            echo "combined-$n"
            return 1
        }
        texts | grep -q GOOD-4
    done
}

@test "Claude Code 2.1.197 goes on with a stranger's session, and nothing runs or asks" {
    go_through claude-old
}

@test "Claude Code 2.1.332 goes on with a stranger's session, and nothing runs or asks" {
    go_through claude-new
}

@test "a schedule that was not taken out would have asked, so this would be seen" {
    [ "${CT_FULL:-}" = yes ] || skip "it takes more than a minute: CT_FULL=yes"
    the_agent claude-new
    a_home
    mkdir -p "$T/b" "$H/.claude/projects/$(sed 's/[^a-zA-Z0-9]/-/g' <<<"$W")"
    python3 "$CT_SRC/tests/bundle/stranger_bundles.py" --schedule "$W" \
        >"$H/.claude/projects/$(sed 's/[^a-zA-Z0-9]/-/g' <<<"$W")/$SID.jsonl"
    resume 90
    [ "$(jq .before "$T/out.json")" -gt 0 ]
}
