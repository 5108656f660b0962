#!/usr/bin/env bats
# What the daemon does when network, API or object store fail: the real programs, with a proxy in
# between that breaks what it is told to. One server and one daemon serve all cases; each has
# sessions of its own.

load lib

setup_file() {
    make_home
    start_server_behind_proxy
    log_in
    start_daemon
    export T API OBJECTS CA DAEMON_PID SERVER_PID PROXY_PID
}

teardown_file() {
    end_home
}

setup() {
    faults
    ctctl sync --wait --timeout "$LIMIT_S" >/dev/null 2>&1
    : >"$T/proxy.log"
}

# new_session: a session that has just begun; its id in ID, its transcript in F
new_session() {
    ID=$(new_id)
    F=$(transcript "$ID")
    line hello >"$T/transcript"
    mv "$T/transcript" "$F"
}

# large_session: one whose bundle is about 10 MB
large_session() {
    ID=$(new_id)
    F=$(transcript "$ID")
    python3 -S - >"$T/large" <<'PY'
import base64, json, os
for _ in range(160):
    print(json.dumps({"type": "user", "message": {"content": base64.b64encode(os.urandom(60000)).decode()}}))
PY
    mv "$T/large" "$F"
}

is_stored() { versions_are "$1" 1 && bundle_equals "$1" "$F"; }

# requests SIDE METHOD PATH: how many of them the proxy saw
requests() {
    proxied ".event == \"request\" and .side == \"$1\" and .method == \"$2\" and (.path | test(\"$3\"))"
}

# survives FAULT...: a session gets through although this happens, each rule at least once
survives() {
    local n
    faults "$@"
    new_session
    within is_stored "$ID"
    for n in "$@"; do
        [ "$(jq -r 'select(.event != "answer") | .fault' "$T/proxy.log" | grep -cxF "$n")" -ge 1 ] || {
            echo "the proxy did not come to: $n"
            return 1
        }
    done
}

why() { ctctl --json status | jq -r '.daemon.stateReason'; }
why_says() { why | grep -q "$1"; }
last_error_says() { ctctl --json status | jq -r '.queue[].lastError' | grep -q "$1"; }
waits() { ctctl --json status | jq -e '.queue[0].nextAttemptAt != null'; }
problem_says() { ctctl --json status | jq -r '.problems[] | .what + ": " + .why + "; " + .cure' | grep -q "$1"; }

@test "a sync is three requests, on connections that are used again, without Expect" {
    local i
    for i in 1 2 3 4 5 6; do
        new_session
    done
    ctctl sync --wait
    within is_stored "$ID"
    [ "$(requests api POST '/sessions/upload$')" = 6 ]
    [ "$(requests store PUT .)" = 6 ]
    [ "$(requests api POST '/confirm$')" = 6 ]
    [ "$(proxied '.event == "accept" and .side == "store"')" -le 3 ]
    [ "$(proxied '.event == "request" and .expect')" = 0 ]
}

@test "the token goes to the API alone" {
    new_session
    within is_stored "$ID"
    [ "$(proxied '.event == "request" and .side == "api" and .authorization')" -ge 2 ]
    [ "$(proxied '.event == "request" and .side == "store" and .method == "PUT"')" = 1 ]
    [ "$(proxied '.event == "request" and .side == "store" and .authorization')" = 0 ]
}

@test "connection refused: offline, and at once when asked to sync" {
    faults 'any accept * refuse'
    within proxied_more '.event == "refusing"' 1
    new_session
    within status_is .daemon.state offline
    why_says "can't reach https://127.0.0.1"
    status_is .server.reachable false
    within waits
    within status_is '.queue | length' 1
    faults
    within proxied_more '.event == "listening"' 1
    ctctl sync --wait
    is_stored "$ID"
    status_is .daemon.state idle
}

@test "errors of the API are waited out: 500, 502 with a web page, 503, 504" {
    survives 'api POST */sessions/upload status=500 times=1 body={"error":"internal","message":"oh"}'
    survives 'api POST */sessions/upload status=502 times=1 body=<html>bad'
    survives 'api POST */confirm status=503 times=1'
    survives 'api POST */confirm status=504 times=1 body=<html>late'
}

@test "answers that are none are waited out: web pages, cut or endless JSON, garbage, silence" {
    survives 'api POST */sessions/upload status=200 times=1 body=<html>welcome'
    survives 'api POST */sessions/upload status=200 times=1 body={"uploadUrl":"https://127.'
    survives 'api POST */sessions/upload status=200 times=1 body={"version":1}'
    survives 'api POST */sessions/upload status=200 times=1 size=20000000'
    survives 'api POST */confirm close times=1'
}

@test "a connection that breaks is made anew: before, within and after a request" {
    survives 'api POST */sessions/upload reset times=1'
    survives 'store PUT * reset times=1'
    survives 'store PUT * cut-up=100 times=1'
    survives 'store PUT * cut-down=20 times=1'
    survives 'api POST */confirm cut-down=40 times=1'
}

@test "an answer that got lost makes no second version" {
    survives 'store PUT * swallow times=1'
    survives 'api POST */confirm swallow times=1'
    survives 'api POST */sessions/upload swallow times=1'
}

@test "a bundle made while the confirm of the one before got no answer builds on that one" {
    new_session
    within is_stored "$ID"
    faults 'api POST */confirm swallow times=2'
    line second >>"$F"
    within proxied_more '.event == "fault" or .fault != null' 1
    line third >>"$F"
    within bundle_equals "$ID" "$F"
    ctctl --json versions "$ID" | jq -e '.heads == [] and ([.versions[].version] | length) >= 2'
}

@test "errors of the store are waited out: 500, 503 SlowDown, 503 without a word" {
    survives 'store PUT * status=500 times=1 body=<Error><Code>InternalError</Code></Error>'
    survives 'store PUT * status=503 times=1 early body=<Error><Code>SlowDown</Code></Error>'
    survives 'store PUT * status=503 times=1'
    # the version that was reserved is still good
    [ "$(requests api POST '/sessions/upload$')" = 3 ]
}

@test "a server that answers slowly is waited for" {
    survives 'api POST *upload delay=0.5 times=1 drip-down=3000' 'store PUT * delay=0.3 drip-up=2000'
}

@test "429 and Retry-After: not before that time, and not for others either" {
    local first next
    faults 'api POST */sessions/upload status=429 header=Retry-After:3 times=1 body={"error":"rate_limited","message":"slowly"}'
    new_session
    within status_is '.queue | length' 1
    within last_error_says slowly
    new_session
    within is_stored "$ID"
    first=$(jq -s '[.[] | select(.path == "/v1/sessions/upload" and .event == "request")][0].at' "$T/proxy.log")
    next=$(jq -s '[.[] | select(.path == "/v1/sessions/upload" and .event == "request")][1].at' "$T/proxy.log")
    jq -en "$next - $first >= 3"
}

@test "401 stops uploads, bundling goes on, and new credentials let it go on" {
    faults 'api POST */sessions/upload status=401 body={"error":"unauthorized","message":"revoked"}'
    new_session
    within status_is .daemon.state auth_required
    why_says 'revoked.*ctctl login'
    new_session
    within status_is '.queue | length' 2
    [ "$(requests api POST '/sessions/upload$')" = 1 ]
    faults
    cp "$CODETELEPORT_CONFIG_DIR/config.json" "$T/config.json"
    mv "$T/config.json" "$CODETELEPORT_CONFIG_DIR/config.json"
    within is_stored "$ID"
    within status_is .daemon.state idle
}

# refused STATUS CODE SENTENCE STATE CURE: that session stops with the server's sentence, another that
# is known there goes on
refused() {
    local known known_f
    new_session
    known=$ID known_f=$F
    within is_stored "$known"
    faults "api POST */sessions/upload times=1 status=$1 body={\"error\":\"$2\",\"message\":\"$3\"}"
    new_session
    within problem_says "$3"
    status_is ".queue[0].phase" "$4"
    line more >>"$known_f"
    within versions_are "$known" 2
    bundle_equals "$known" "$known_f"
    versions_are "$ID" 0 || ! versions "$ID"
    if [ "$5" = sync ]; then
        ctctl sync
    else
        line more >>"$F"
    fi
    within is_stored "$ID"
}

@test "403 over a plan's limit, 413, 422: that session waits for a change or for sync, others go on" {
    refused 403 plan_limit 'Your plan keeps 25 sessions.' limit sync
    refused 413 too_large 'That is too much.' failed change
    refused 422 invalid 'sourceCwd is missing.' failed sync
}

@test "403 for want of bytes stops the session that does not fit, and no other new one" {
    local full
    faults 'api POST */sessions/upload times=1 status=403 body={"error":"quota","message":"No space left."}'
    new_session
    full=$ID
    within problem_says 'No space left'
    status_is '.queue[0].phase' failed
    new_session
    within is_stored "$ID"
    status_is .sessions.limit 0
    ctctl sync --wait
    versions_are "$full" 1
}

@test "an address that expired is asked for anew at once" {
    survives 'store PUT * status=403 times=1 body=<Error><Code>ExpiredRequest</Code></Error>'
    [ "$(requests api POST '/sessions/upload$')" = 2 ]
    ! grep -q "upload-failed session=$ID" "$T/daemon.log"
}

@test "a signature that does not match: a new address, and then whoever runs the server has to look" {
    faults 'store PUT * status=403 body=<Error><Code>SignatureDoesNotMatch</Code><CanonicalRequest>SECRETCANON</CanonicalRequest></Error>'
    new_session
    within last_error_says "keys or its address are wrong"
    [ "$(requests api POST '/sessions/upload$')" = 2 ]
    status_is .daemon.state degraded
    ! grep -q SECRETCANON "$T/daemon.log" || false
    ! ctctl --json status | grep -q SECRETCANON || false
    faults
    ctctl sync --wait
    is_stored "$ID"
}

@test "what the store's operator has to mend is said, waits, and goes with sync" {
    local code
    for code in AccessDenied InvalidAccessKeyId NoSuchBucket; do
        faults "store PUT * status=403 body=<Error><Code>$code</Code></Error>"
        new_session
        within status_is .daemon.state degraded
        status .daemon.cure | grep -q 'whoever runs the server'
        status_is '.queue[0].phase' failed
        ctctl --json status | jq -e '.queue[0].nextAttemptAt | sub("[.][0-9]+";"") | fromdate > now + 60'
        run ctctl sync --wait --timeout 20
        [ "$status" -eq 1 ]
        faults
        ctctl sync --wait
        is_stored "$ID"
        within status_is .daemon.state idle
    done
}

@test "clocks that differ are measured and named" {
    faults 'store PUT * status=403 header="Date:Wed, 01 Jan 2031 00:00:00 GMT" body=<Error><Code>RequestTimeTooSkewed</Code></Error>'
    new_session
    within last_error_says "object store's clock is .* ahead of the server's"
    problem_says "the object store's clock is wrong: it is .* ahead of the server's"
    faults
    ctctl sync --wait
    is_stored "$ID"
    ! problem_says clock
}

@test "BadDigest: the file is checked, and if it is sound the bundle goes again" {
    survives 'store PUT * status=400 times=1 body=<Error><Code>BadDigest</Code></Error>'
    ! grep -q "bundle-damaged session=$ID" "$T/daemon.log" || false
    [ "$(requests store PUT .)" = 2 ]
}

@test "an object that is there already is confirmed, not sent again" {
    # the first PUT gets through without an answer; the store refuses the second
    faults 'store PUT * swallow times=1' 'store PUT * status=412 body=<Error><Code>PreconditionFailed</Code></Error>'
    new_session
    within is_stored "$ID"
}

@test "redirects are not followed" {
    local n
    faults "api POST */sessions/upload status=307 header=Location:$API/evil times=1"
    new_session
    within last_error_says 'status 307'
    faults "store PUT * status=307 header=Location:$OBJECTS/evil times=1"
    ctctl sync
    within last_error_says 'the store answered with status 307'
    ctctl sync --wait
    is_stored "$ID"
    [ "$(proxied '.event == "request" and (.path | test("evil"))')" = 0 ]
}

@test "TLS: garbage, resets, versions before 1.2, other names and other CAs are refused" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=stranger \
        -addext subjectAltName=IP:127.0.0.1 -keyout "$T/stranger.pem" -out "$T/stranger.crt" 2>/dev/null
    cat "$T/stranger.crt" >>"$T/stranger.pem"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other -keyout "$T/other.pem" \
        -out "$T/other.csr" 2>/dev/null
    printf 'subjectAltName=DNS:other.example\n' >"$T/other.ext"
    openssl x509 -req -in "$T/other.csr" -CA "$T/server/ca.pem" -CAkey "$T/server/ca.key" -days 2 \
        -extfile "$T/other.ext" -out "$T/other.crt" 2>/dev/null
    cat "$T/other.crt" >>"$T/other.pem"
    drop_connections
    faults 'any accept * tls=1.1'
    new_session
    within why_says 'protocol'
    faults "any accept * cert=$(quoted "$T/stranger.pem")"
    ctctl sync
    within why_says "can't be trusted.*ca_file"
    faults "any accept * cert=$(quoted "$T/other.pem")"
    ctctl sync
    within why_says "no alternative certificate subject name matches"
    faults 'any accept * garbage'
    ctctl sync
    within why_says "can't reach"
    [ "$(proxied '.event == "request"')" = 0 ]
    faults
    ctctl sync --wait
    is_stored "$ID"
}

# The next request of the daemon needs a new connection.
drop_connections() {
    faults 'any accept * refuse'
    within proxied_more '.event == "refusing"' 1
    faults
    within proxied_more '.event == "listening"' 1
    : >"$T/proxy.log"
}

@test "a damaged bundle in the spool is made anew, and that is logged; a lost one too" {
    local spool
    ctctl pause
    new_session
    within status_is '.queue | length' 1
    spool=$(echo "$XDG_STATE_HOME"/codeteleport/*/accounts/*/spool/"$ID".*)
    printf 'XXXX' | dd of="$spool" bs=1 seek=30 conv=notrunc status=none
    ctctl resume
    within is_stored "$ID"
    grep -q "bundle-damaged session=$ID.*cure=rebuild" "$T/daemon.log"
    ctctl pause
    line more >>"$F"
    within status_is '.queue | length' 1
    rm "$XDG_STATE_HOME"/codeteleport/*/accounts/*/spool/"$ID".*
    ctctl resume
    within versions_are "$ID" 2
    bundle_equals "$ID" "$F"
}

@test "a version that a newer one replaced while it waited is never uploaded" {
    ctctl pause
    new_session
    within status_is '.queue | length' 1
    line more >>"$F"
    within bundled_times "$ID" 2
    ctctl resume
    within is_stored "$ID"
    [ "$(requests store PUT "$ID")" = 1 ]
}

bundled_times() { [ "$(grep -c "bundled session=$1" "$T/daemon.log")" = "$2" ]; }

@test "never two uploads of a session at once, at most as many as configured, large ones aside" {
    local i big
    faults 'store PUT * delay=0.5'
    large_session
    big=$ID
    within versions_under_way "$big"
    for i in 1 2 3 4; do
        new_session
        line more >>"$F"
    done
    faults 'store PUT * delay=0.2'
    ctctl sync --wait
    bundle_equals "$ID" "$F"
    python3 -S - "$T/proxy.log" <<'PY'
import json, sys
open_puts, most = {}, 0
for ln in open(sys.argv[1]):
    e = json.loads(ln)
    if e.get("side") != "store" or e.get("method") != "PUT":
        continue
    session = e["path"].rsplit("/", 1)[1].split(".")[0]
    if e["event"] == "request":
        assert session not in open_puts, "two uploads of " + session
        open_puts[session] = e["conn"]
        most = max(most, len(open_puts))
    elif e["event"] == "answer":
        open_puts.pop(session, None)
assert most <= 2, most
PY
}

versions_under_way() {
    [ "$(proxied ".event == \"request\" and .side == \"store\" and (.path | test(\"$1\"))")" -ge 1 ]
}

@test "a large bundle that is tried again holds up no small one once its bytes move" {
    local large
    faults 'store PUT * times=1 status=503' 'store PUT * times=1 drip-up=100000'
    large_session
    large=$ID
    within grep -q "upload-failed session=$large" "$T/daemon.log"
    within status_is '.uploads[0].sessionId' "$large"
    new_session
    within is_stored "$ID"
    status_is '.uploads[0].sessionId' "$large"
    # enough of that
    faults 'store accept * refuse'
    within status_is '.uploads | length' 0
    faults
    ctctl sync --wait
    versions_are "$large" 1
}
