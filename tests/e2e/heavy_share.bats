#!/usr/bin/env bats
# What is shared, in a real browser: Debian's chromium, driven by playwright-core from npm.

load lib
load pull_lib

setup() {
    CHROMIUM=$(command -v chromium || true)
    [ -n "$CHROMIUM" ] || skip 'chromium is not installed'
    NPM=$(sh "$CT_SRC/tests/npm.sh" browser) || skip "$NPM"
    make_home
    echo 'share = "127.0.0.1:0";' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    W=$(project src/web.app)
    P=$CLAUDE_CONFIG_DIR/projects/$(encoded "$W")
    mkdir -p "$P"
}

teardown() {
    [ -z "${OTHER_PID:-}" ] || kill "$OTHER_PID" 2>/dev/null || true
    [ -z "${T:-}" ] || end_home
}

@test "a link opens in a browser, for everybody; twenty hostile ones run nothing; other pages get nothing" {
    local id name
    mkdir "$T/other"
    echo '<!doctype html><title>x</title><body>' >"$T/other/index.html"
    python3 -u -m http.server --bind 127.0.0.1 --directory "$T/other" 0 >"$T/other.log" 2>&1 3>&- &
    OTHER_PID=$!
    within grep -q 'port [0-9]' "$T/other.log"
    OTHER=http://127.0.0.1:$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$T/other.log")
    start_server
    log_in
    cp "$CT_SRC"/tests/fixtures/claude-code-*/projects/-home-alice-src-web-app/29221bf7*.jsonl "$P/"
    id=$(basename "$P"/29221bf7*.jsonl .jsonl)
    line 'why does the Quittenparser loop? `code` and **more**' >>"$P/$id.jsonl"
    ctctl key init --no-confirm >"$T/key" 2>&1
    echo "$(ctctl share "$id" --yes --thinking 2>/dev/null) ordinary" >"$T/links"
    ENDED=$(ctctl share "$id" --yes 2>/dev/null)
    ctctl unshare "$(sed 's|.*/s/\(.*\)#.*|\1|' <<<"$ENDED")"
    python3 -S "$CT_SRC/tests/e2e/tools/hostile_transcripts.py" "$P" "$W" "$OTHER" >"$T/hostile"
    while read -r id name; do
        echo "$(ctctl share "$id" --yes --tools --thinking --despite-credentials 2>/dev/null) $name"
    done <"$T/hostile" | grep '#' >>"$T/links"
    [ "$(wc -l <"$T/links")" -ge 18 ]
    SHOTS=${CT_FULL:+$CT_BUILD/web-pictures}
    [ -z "$SHOTS" ] || mkdir -p "$SHOTS"
    run env HOME="$T" LINKS="$(cat "$T/links")" ENDED="$ENDED" OTHER="$OTHER" SHOTS="$SHOTS" OBJECTS="$OBJECTS" \
        CHROMIUM="$CHROMIUM" LIMIT_S="$LIMIT_S" timeout 500 node "$CT_SRC/tests/e2e/tools/browse_share.mjs" "$NPM"
    echo "$output"
    [ "$status" = 0 ]
    grep -qx done <<<"$output"
    # Its own page and its picture in the tab; nothing that a transcript named.
    if grep -vE '"GET /(favicon.ico)? ' "$T/other.log" | grep '"GET /'; then false; fi
    ctctl shares --json | jq -e '[.shares[].visits] | max >= 2 and min >= 1'
}
