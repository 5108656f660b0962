#!/usr/bin/env bats
# The API as a client meets it: the real server, over TLS, with curl.

load lib
load server_lib

setup() {
    make_home
    echo 'share = "127.0.0.1:0";' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    start_server
}
teardown() { end_home; }

@test "register, login and me agree on the account" {
    expect 201 '' json POST /auth/register -d "{\"email\":\" Al@Example.org \",\"password\":\"$PASSWORD\"}"
    local id
    id=$(jq -r .user.id "$T/answer")
    [ "$(jq -r .user.email "$T/answer")" = al@example.org ]
    expect 200 '' json POST /auth/login -d "{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\"}"
    TOKEN=$(jq -r .token "$T/answer")
    expect 200 '' json GET /auth/me
    [ "$(jq -r .id "$T/answer")" = "$id" ]
    [ "$(jq -r .plan "$T/answer")" = unlimited ]
    jq -e '.createdAt | fromdateiso8601? // (sub("\\.[0-9]+Z$"; "Z") | fromdateiso8601)' "$T/answer"
}

@test "an e-mail is taken once, and a bad password or e-mail is refused" {
    account al@example.org
    TOKEN=
    expect 409 email_taken json POST /auth/register -d "{\"email\":\"AL@example.org\",\"password\":\"$PASSWORD\"}"
    expect 422 invalid json POST /auth/register -d '{"email":"bo@example.org","password":"short"}'
    expect 422 invalid json POST /auth/register -d "{\"email\":\"bo@example.org\",\"password\":\"$(printf 'x%.0s' {1..73})\"}"
    expect 422 invalid json POST /auth/register -d "{\"email\":\"nobody\",\"password\":\"$PASSWORD\"}"
    for e in 'bo@example.org.' 'bo@.example.org' 'bo@example..org' 'b\u00a0o@example.org' 'b\u2003o@example.org' 'b\u202eo@example.org' 'b\u200bo@y.org'; do
        expect 422 invalid json POST /auth/register -d "{\"email\":\"$e\",\"password\":\"$PASSWORD\"}"
    done
    expect 201 '' json POST /auth/register -d "{\"email\":\"o'brien.mü@exämple.org\",\"password\":\"$PASSWORD\"}"
    expect 422 invalid json POST /auth/register -d '{"email":["a@b"],"password":{}}'
    expect 422 invalid json POST /auth/register -d '{}'
    expect 422 invalid json POST /auth/register -d '[]'
    expect 422 invalid json POST /auth/register
}

@test "a wrong password and an unknown account get the same answer" {
    account al@example.org
    TOKEN=
    expect 401 invalid_credentials json POST /auth/login -d '{"email":"al@example.org","password":"wrong horse"}'
    cp "$T/answer" "$T/wrong"
    expect 401 invalid_credentials json POST /auth/login -d '{"email":"no@example.org","password":"wrong horse"}'
    cmp "$T/wrong" "$T/answer"
    expect 401 invalid_credentials json POST /auth/login -d "{\"email\":\"al@example.org\",\"password\":\"$PASSWORD$(printf 'x%.0s' {1..80})\"}"
}

@test "log-in attempts are limited by account, with Retry-After" {
    account al@example.org
    TOKEN=
    for i in {1..10}; do
        expect 401 '' json POST /auth/login -d '{"email":"al@example.org","password":"wrong horse"}'
    done
    expect 429 too_many_attempts json POST /auth/login -d "{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\"}"
    [ "$(tr -d '\r' <"$T/head" | sed -n 's/^Retry-After: //Ip')" -gt 0 ]
    expect 401 '' json POST /auth/login -d '{"email":"bo@example.org","password":"wrong horse"}'
}

@test "tokens: shown once, listed without secret, revoked at once, no minting with them" {
    account al@example.org
    local first=$TOKEN
    [[ $first =~ ^ctk_live_[A-Za-z0-9_-]{43}$ ]]
    expect 403 login_required json POST /auth/token -d '{"name":"x","expiresIn":"never"}'
    mint 30d
    expect 200 '' json GET /auth/tokens
    [ "$(jq '.tokens | length' "$T/answer")" = 2 ]
    ! grep -q "${TOKEN#ctk_live_}" "$T/answer" || false
    [ "$(jq -r '.tokens[] | select(.current) | .last4' "$T/answer")" = "${TOKEN: -4}" ]
    jq -e '.tokens[] | select(.current) | .expiresAt != null and .lastUsedAt != null' "$T/answer"
    local id
    id=$(jq -r '.tokens[] | select(.current | not) | .id' "$T/answer")
    expect 200 '' json DELETE "/auth/tokens/$id"
    expect 404 not_found json DELETE "/auth/tokens/$id"
    TOKEN=$first expect 401 unauthorized json GET /auth/me
    TOKEN=$JWT
    for e in 0d 3651d -1d 1h d 1 '' 99999999999999999999d; do
        expect 422 invalid json POST /auth/token -d "{\"name\":\"x\",\"expiresIn\":\"$e\"}"
    done
    expect 422 invalid json POST /auth/token -d '{"name":"x","expiresIn":7}'
    expect 422 invalid json POST /auth/token -d '{"name":"","expiresIn":"never"}'
}

@test "no secret of an account is in the database" {
    account al@example.org
    kill -0 "$SERVER_PID"
    ! grep -aqF "${TOKEN#ctk_live_}" "$T"/server/server.db* || false
    ! grep -aqF "$PASSWORD" "$T"/server/server.db* || false
    ! grep -aqF "$JWT" "$T"/server/server.db*
}

@test "a bundle goes up, is listed, comes down again and goes" {
    account al@example.org
    bundle 300000
    push '.tags = ["a", "b"] | .label = "l"'
    json GET /sessions >/dev/null
    jq -e --arg id "$ID" --argjson size "$SIZE" '.total == 1 and (.sessions[0] |
        .id == $id and .label == "l" and .sourceMachine == "box" and .sourceCwd == "/home/al/p" and
        .sourceUserDir == "/home/al" and .sizeBytes == $size and .metadata.messageCount == 2 and
        .currentVersion == 1 and .versionCount == 1 and .tags == ["a", "b"] and
        (.createdAt | test("^[0-9-]+T[0-9:.]+Z$")))' "$T/answer"
    json GET "/sessions/$ID/versions" >/dev/null
    jq -e --arg id "$ID" --arg sum "$SUM" '.sessionId == $id and .currentVersion == 1 and
        .limit == 20 and (.versions[0] | .version == 1 and .checksum == $sum)' "$T/answer"
    json GET "/sessions/$ID/download" >/dev/null
    jq -e --arg id "$ID" --arg sum "$SUM" '.version == 1 and .checksum == $sum and
        (.session | .id == $id and .sourceCwd == "/home/al/p" and .metadata.messageCount == 2)' "$T/answer"
    object GET "$(jq -r .downloadUrl "$T/answer")"
    cmp "$T/object" "$T/bundle"
    expect 200 '' json DELETE "/sessions/$ID"
    jq -e '.ok' "$T/answer"
    expect 404 not_found json GET "/sessions/$ID/download"
    expect 404 not_found json GET "/sessions/$ID/versions"
    expect 404 not_found json DELETE "/sessions/$ID"
    [ "$(json GET /sessions | jq .total)" = 0 ]
}

@test "a stock client confirms without a body, and twice is harmless" {
    account al@example.org
    bundle 1000
    reserve
    [ "$(jq -c .uploadHeaders "$T/answer")" = '{}' ]
    store_says 200 '' put "$URL"
    expect 200 '' json POST "/sessions/$ID/confirm"
    expect 200 '' json POST "/sessions/$ID/confirm"
    [ "$(listed)" = 1 ]
}

@test "a reservation is not listed, not downloadable and blocks nothing" {
    account al@example.org
    bundle 1000
    reserve
    [ "$(json GET /sessions | jq .total)" = 0 ]
    expect 404 not_found json GET "/sessions/$ID/versions"
    expect 404 not_found json GET "/sessions/$ID/download"
    expect 404 not_found json GET "/sessions/$ID/download?version=1"
    push
    [ "$VERSION" = 2 ]
    [ "$(listed)" = 2 ]
    expect 404 not_found json GET "/sessions/$ID/download?version=1"
}

@test "confirm wants the object, its size, its content and the very reservation" {
    account al@example.org
    bundle 1000
    expect 404 not_found json POST "/sessions/$ID/confirm"
    reserve
    expect 409 not_uploaded confirm
    expect 409 not_uploaded json POST "/sessions/$ID/confirm"
    SUM=sha256:$(printf '0%.0s' {1..64}) expect 409 no_reservation confirm
    VERSION=7 expect 409 no_reservation confirm
    expect 422 invalid json POST "/sessions/$ID/confirm" -d '{"version":1}'
    expect 422 invalid json POST "/sessions/$ID/confirm" -d '{"version":"1"}'
    # Something else of the same length: the signed URL lets it in, the checksum does not.
    head -c 1000 /dev/urandom >"$T/bundle"
    store_says 200 '' put "$URL"
    expect 409 not_uploaded confirm
    [ "$(json GET /sessions | jq .total)" = 0 ]
}

@test "retention: the oldest goes, pins stay, amended versions go" {
    stop_server
    printf 'versions_per_session = 3;\n' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    start_server
    account al@example.org
    bundle 1000
    push
    push '.pin = 1'
    push
    push
    push
    [ "$(listed)" = '5 4 3 1' ]
    [ "$(json GET "/sessions/$ID/versions" | jq .limit)" = 3 ]
    [ "$(json GET /billing/usage | jq .versionsPerSession)" = 3 ]
    push '.amend = 5 | .baseVersion = 5'
    [ "$(listed)" = '6 4 3 1' ]
    expect 200 '' json DELETE "/sessions/$ID/versions/3"
    [ "$(listed)" = '6 4 1' ]
    expect 404 not_found json DELETE "/sessions/$ID/versions/3"
    expect 404 not_found json DELETE "/sessions/$ID/versions/x"
}

@test "a deleted session comes back only by name" {
    account al@example.org
    bundle 1000
    push
    expect 200 '' json DELETE "/sessions/$ID"
    expect 409 deleted json POST /sessions/upload -d "$(upload_body)"
    push '.revive = true'
    [ "$(listed)" = 2 ]
    push
}

@test "the list has pages and filters" {
    account al@example.org
    bundle 100
    for i in 1 2 3; do
        ID=s$i push ".sourceMachine = \"box$i\" | .tags = [\"t$i\"] | .metadata.agentId = \"agent$i\""
    done
    [ "$(json GET '/sessions?limit=2' | jq -c '[.total, [.sessions[].id]]')" = '[3,["s3","s2"]]' ]
    [ "$(json GET '/sessions?limit=2&offset=2' | jq -c '[.total, [.sessions[].id]]')" = '[3,["s1"]]' ]
    [ "$(json GET '/sessions?machine=box2' | jq -c '[.total, .sessions[0].id]')" = '[1,"s2"]' ]
    [ "$(json GET '/sessions?tag=t1' | jq -c '[.total, .sessions[0].id]')" = '[1,"s1"]' ]
    [ "$(json GET '/sessions?agent=agent3&machine=' | jq -c '[.total, .sessions[0].id]')" = '[1,"s3"]' ]
    [ "$(json GET '/sessions?limit=100000' | jq .total)" = 3 ]
    for q in limit=0 limit=-1 limit=x offset=-1 offset=1.5 machine=%00 tag=%zz agent=%ff; do
        expect 422 invalid json GET "/sessions?$q"
    done
}

@test "usage and devices count what is there" {
    account al@example.org
    bundle 100
    push
    mint
    push '.sourceMachine = "other"'
    json GET /billing/usage >/dev/null
    jq -e '.plan == "unlimited" and .paymentStatus == null and .sessions == {used: 1, limit: null}
        and .devices == {used: 2, limit: null}' "$T/answer"
    json GET /devices >/dev/null
    jq -e '[.devices[] | .name] | sort == ["box", "other"]' "$T/answer"
    jq -e '.devices[] | select(.current) | .name == "other" and .sessionCount == 1' "$T/answer"
    expect 200 '' json DELETE "/devices/$(jq -r '.devices[] | select(.current) | .id' "$T/answer")"
    expect 401 unauthorized json GET /auth/me
}

# Every endpoint of the server has a line here, or this test fails: method, pattern, and what al's
# own thing of that kind is called when bo asks for it ("-": the answer is bo's own and empty; "page":
# see server_dashboard.bats).
isolation() {
    cat <<'TABLE'
GET /healthz nobody
GET /v1/healthz nobody
POST /v1/auth/register nobody
POST /v1/auth/login nobody
GET /v1/auth/github nobody
GET /v1/auth/github/callback nobody
GET /v1/auth/oidc nobody
GET /v1/auth/oidc/callback nobody
GET /v1/auth/me own
POST /v1/auth/token own
GET /v1/auth/tokens own
DELETE /v1/auth/tokens/:id 404
GET /v1/account own
POST /v1/account/password own
POST /v1/account/logout-all own
POST /v1/account/delete own
GET /v1/billing/usage own
GET /v1/devices own
DELETE /v1/devices/:id 404
GET /v1/sessions own
POST /v1/sessions/upload own
POST /v1/sessions/:id/confirm 404
GET /v1/sessions/:id/download 404
GET /v1/sessions/:id/versions 404
POST /v1/sessions/:id/undelete 404
GET /v1/shares own
POST /v1/shares own
POST /v1/shares/:id/confirm 404
DELETE /v1/shares/:id 404
GET /v1/trash own
DELETE /v1/sessions/:id 404
DELETE /v1/sessions/:id/versions/:version 404
GET / page
GET /app page
GET /app/ page
GET /app/:file page
GET /app/dashboard/:file page
GET /app/api/about page
POST /app/api/leave page
TABLE
}

@test "what is one user's is not there for another, at every endpoint" {
    diff <(isolation | cut -d' ' -f1,2) <("$CT_BUILD/tests/server/server_routes" | cut -d' ' -f1,2)
    account al@example.org
    local al=$TOKEN token device share before after
    bundle 1000
    push
    push
    expect 200 '' json DELETE "/sessions/$ID/versions/1"
    reserve
    token=$(json GET /auth/tokens | jq -r '.tokens[0].id')
    share=$(json POST /shares -d "{\"sessionId\":\"$ID\",\"sizeBytes\":9,\"checksum\":\"$SUM\",\"expiresIn\":900}" | jq -r .id)
    device=$(json GET /devices | jq -r '.devices[0].id')
    before=$(json GET /sessions; json GET "/sessions/$ID/versions"; json GET /trash
        json GET /auth/me; json GET /billing/usage)

    account bo@example.org
    while read -r method path what; do
        path=${path#/v1}
        case $path in
        /auth/tokens/:id) path=/auth/tokens/$token ;;
        /devices/:id) path=/devices/$device ;;
        /shares/:id*) path=${path/:id/$share} ;;
        *) path=${path//:id/$ID} path=${path//:version/2} ;;
        esac
        [ "$what" = nobody ] || [ "$what" = page ] || TOKEN= expect 401 unauthorized json "$method" "$path"
        [ "$what" != 404 ] || expect 404 not_found json "$method" "$path"
    done < <(isolation)
    expect 404 not_found confirm
    json GET /sessions | jq -e '.sessions == [] and .total == 0'
    json GET /devices | jq -e '. == {devices: []}'
    json GET /trash | jq -e '. == {versions: [], total: 0}'
    [ "$(json GET /auth/tokens | jq '.tokens | length')" = 1 ]
    # The same id is bo's own session, and al's is as it was.
    push
    [ "$VERSION" = 1 ]
    expect 200 '' json DELETE "/sessions/$ID"
    TOKEN=$al
    after=$(json GET /sessions; json GET "/sessions/$ID/versions"; json GET /trash
        json GET /auth/me; json GET /billing/usage)
    [ "$before" = "$after" ]
}

@test "forged, foreign and broken tokens are refused" {
    account al@example.org
    local head body sig forged
    IFS=. read -r head body sig <<<"$JWT"
    TOKEN=$JWT expect 200 '' json GET /auth/me
    forged=$(printf '{"alg":"none","typ":"JWT"}' | base64 -w0 | tr '+/' '-_' | tr -d =)
    for t in "$forged.$body." "$forged.$body.$sig" "$head.$body" "$head.$body.${sig}x" "x" \
        "ctk_live_" "ctk_live_$(printf 'A%.0s' {1..43})" "$(printf 'A%.0s' {1..5000})"; do
        TOKEN=$t expect 401 unauthorized json GET /auth/me
    done
    TOKEN=
    expect 401 unauthorized json GET /auth/me -H 'Authorization: Basic YWw6eA=='
    expect 400 bad_request json GET /auth/me -H "Authorization: Bearer $JWT" -H "Authorization: Bearer x"
}

@test "a new password ends log-ins and keeps API tokens; a deleted account ends both" {
    account al@example.org
    printf 'another horse battery' | codeteleport-server --data "$T/server" user passwd al@example.org
    TOKEN=$JWT expect 401 unauthorized json GET /auth/me
    expect 200 '' json GET /auth/me
    codeteleport-server --data "$T/server" user delete al@example.org </dev/null
    expect 401 unauthorized json GET /auth/me
}

@test "hostile requests get a JSON answer each" {
    account al@example.org
    expect 404 not_found json GET /nothing
    expect 404 not_found json GET //sessions
    expect 404 not_found json GET /sessions/
    expect 404 not_found json GET "/sessions/%2e%2e%2f%2e%2e/versions"
    expect 404 not_found json GET "/sessions/a%00b/versions"
    expect 404 not_found json GET "/sessions/%zz/versions"
    expect 404 not_found json GET "/sessions/$(printf 'a%.0s' {1..2000})/versions"
    expect 404 not_found json GET "/sessions/'%20OR%201=1--/versions"
    expect 404 not_found json GET /auth/../auth/me --path-as-is
    expect 405 method_not_allowed json PUT /sessions
    expect 405 method_not_allowed json POST /auth/me
    expect 400 bad_json json POST /sessions/upload -d '{'
    expect 400 bad_json json POST /sessions/upload -d '{} x'
    expect 400 bad_json json POST /sessions/upload -d $'{"a":"\xff"}'
    expect 400 bad_json json POST /sessions/upload -d "{\"a\":'b'}"
    expect 422 invalid json POST /sessions/upload -d 'null'
    TYPE=text/plain expect 415 unsupported_media_type json POST /sessions/upload -d 'a=b'
    expect 501 not_configured json GET '/auth/github?cli_port=1'
    expect 501 not_configured json GET '/auth/oidc?cli_port=1'
}

@test "a JSON bomb and a body over 1 MiB are refused without growing" {
    account al@example.org
    python3 -S -c 'print("[" * 500000)' >"$T/deep"
    expect 400 bad_json json POST /sessions/upload --data-binary "@$T/deep"
    python3 -S -c 'print("{\"a\":" * 200000 + "1" + "}" * 200000)' | head -c 1048576 >"$T/deep"
    expect 400 bad_json json POST /sessions/upload --data-binary "@$T/deep"
    python3 -S -c 'print("{\"a\":\"" + "x" * 1048600 + "\"}")' >"$T/big"
    expect 413 too_large json POST /sessions/upload --data-binary "@$T/big"
    expect 413 too_large json POST /sessions/upload --data-binary "@$T/big" -H 'Expect:'
    expect 413 too_large json POST /sessions/upload --data-binary "@$T/big" -H 'Transfer-Encoding: chunked'
    head -c 30000000 /dev/zero >"$T/big"
    json POST /sessions/upload --data-binary "@$T/big" >/dev/null || true
    rm "$T/big"
    expect 200 '' json GET /auth/me
}

@test "every field of an upload may be hostile" {
    account al@example.org
    bundle 100
    for u in '.sessionId = "../../x"' '.sessionId = "a/b"' '.sessionId = ""' '.sizeBytes = -1' \
        '.sizeBytes = 1.5' '.sizeBytes = "100"' '.checksum = "sha256:x"' '.checksum = 1' \
        '.metadata = []' '.tags = "x"' '.tags = [1]' '.md5 = "x"' '.amend = "1"' '.pin = -1' \
        '.sourceCwd = null' '.sourceMachine = {}' '.label = 1' '.revive = "yes"'; do
        expect 422 invalid json POST /sessions/upload -d "$(upload_body "$u")"
    done
    expect 413 too_large json POST /sessions/upload -d "$(upload_body '.sizeBytes = 5368709121')"
    push '.sourceMachine = "'"'"'; DROP TABLE users; --" | .label = "<script>\u202e" | .tags = ["%00", "\"", "\\"]'
    [ "$(json GET /sessions | jq -r '.sessions[0].tags[2]')" = '\' ]
    [ "$(json GET '/sessions?machine=%27%3B%20DROP%20TABLE%20users%3B%20--' | jq .total)" = 1 ]
}

@test "a slow or silly peer does not keep others out" {
    account al@example.org
    python3 -S - "$API_PORT" <<'PY'
import socket, sys
port = int(sys.argv[1])
for junk in (b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET / HTTP/1.1\r\n\r\n",
             b"\x00" * 1000, b"\xff" * 70000):
    s = socket.create_connection(("127.0.0.1", port))
    try:
        s.sendall(junk)
    except OSError:
        pass
    s.close()
PY
    expect 200 '' json GET /auth/me
}

@test "malformed HTTP inside TLS is refused and the server goes on" {
    account al@example.org
    python3 -S - "$API_PORT" "$CA" <<'PY'
import socket, ssl, sys
port, ca = int(sys.argv[1]), sys.argv[2]
ctx = ssl.create_default_context(cafile=ca)
def talk(raw):
    s = ctx.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost")
    s.settimeout(20)
    got = b""
    try:
        s.sendall(raw)
        while True:
            d = s.recv(65536)
            if not d:
                break
            got += d
    except OSError:
        pass
    s.close()
    return got.split(b"\r\n")[0]
close = b"Connection: close\r\n"
head = b"Host: localhost\r\n" + close
cases = [
    (b"GET /v1/auth/me HTTP/1.1\r\n" + close + b"\r\n", (b" 400",)),                   # no Host
    (b"GET /v1/auth/me HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n", (b" 400",)),
    (b"POST /v1/auth/login HTTP/1.1\r\n" + head + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", (b" 400",)),
    (b"POST /v1/auth/login HTTP/1.1\r\n" + head + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (b" 400",)),
    (b"POST /v1/auth/login HTTP/1.1\r\n" + head + b"Content-Length: -1\r\n\r\n", (b" 400", b"")),
    (b"POST /v1/auth/login HTTP/1.1\r\n" + head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", (b" 400", b"")),
    (b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\n" + head + b"\r\n", (b" 414", b" 431", b"")),
    (b"GET / HTTP/1.1\r\n" + head + b"X: " + b"a" * 200000 + b"\r\n\r\n", (b" 431", b" 413", b"")),
    (b"GET / HTTP/1.1\r\n" + head + b"".join(b"X%d: y\r\n" % i for i in range(20000)) + b"\r\n", (b" 431", b" 413", b"")),
    (b"nonsense\r\n\r\n", (b" 400", b"")),
]
for raw, want in cases:
    line = talk(raw)
    assert any((w in line) if w else line == b"" for w in want), (raw[:60], line)
PY
    expect 200 '' json GET /auth/me
}

@test "TLS 1.2 and 1.3 are spoken, older ones and plain HTTP are not" {
    local version
    for version in 1.2 1.3; do
        curl -sS --cacert "$CA" --tlsv$version --tls-max $version "${API%/v1}/healthz" | jq -e .ok
    done
    ! curl -sS --cacert "$CA" --tlsv1.0 --tls-max 1.1 --ciphers DEFAULT:@SECLEVEL=0 "${API%/v1}/healthz" || false
    ! curl -sS "http://127.0.0.1:$API_PORT/healthz" || false
    ! curl -sS "https://127.0.0.1:$API_PORT/healthz" || false
    for host in localhost '[::1]'; do
        curl -sS --cacert "$CA" --connect-to "$host:$API_PORT:127.0.0.1:$API_PORT" \
            "https://$host:$API_PORT/healthz" | jq -e .ok
    done
}

@test "the access log has every request and no secret" {
    account al@example.org
    bundle 1000
    push
    object GET "$(json GET "/sessions/$ID/download" | jq -r .downloadUrl)"
    stop_server
    grep -q "session=$ID method=\"POST\" route=/v1/sessions/upload status=200" "$T/server.log"
    grep -q "listener=objects client=127.0.0.1 .*session=$ID method=\"PUT\" route=object status=200" "$T/server.log"
    ! grep -F -e "$TOKEN" -e "$JWT" -e "$PASSWORD" -e X-Amz "$T/server.log"
}

@test "a second server on the same data says so and exits 1" {
    run codeteleport-server --data "$T/server" --listen 127.0.0.1:0 --objects 127.0.0.1:0
    [ "$status" -eq 1 ]
    [[ $output == *"runs on the data folder"* ]]
}

@test "SIGTERM ends it with 0 and removes the ready file; what it kept is there again" {
    account al@example.org
    bundle 1000
    push
    kill "$SERVER_PID"
    wait "$SERVER_PID"
    [ ! -e "$T/ready" ]
    start_server
    [ "$(listed)" = 1 ]
}

@test "SIGHUP opens the listeners anew while requests go on" {
    account al@example.org
    kill -HUP "$SERVER_PID"
    within grep -q ': reloaded' "$T/server.log"
    expect 200 '' json GET /auth/me
    kill -HUP "$SERVER_PID"
    for i in 1 2 3 4 5 6 7 8 9 10; do
        expect 200 '' json GET /auth/me
    done
}

@test "accounts by verb, beside the running server" {
    printf '%s\n' "$PASSWORD" | codeteleport-server --data "$T/server" user add Bo@example.org
    expect 200 '' json POST /auth/login -d "{\"email\":\"bo@example.org\",\"password\":\"$PASSWORD\"}"
    codeteleport-server --data "$T/server" user list | grep -q '^bo@example.org '
    run codeteleport-server --data "$T/server" user add bo@example.org <<<"$PASSWORD"
    [ "$status" -eq 1 ]
    run codeteleport-server --data "$T/server" user add eve@example.org <<<short
    [ "$status" -eq 1 ]
    run codeteleport-server --data "$T/server" user frobnicate
    [ "$status" -eq 64 ]
    run codeteleport-server --data "$T/server" frobnicate
    [ "$status" -eq 64 ]
    codeteleport-server --data "$T/server" user delete bo@example.org </dev/null
    [ -z "$(codeteleport-server --data "$T/server" user list)" ]
}

@test "check finds what is missing, changed and unknown; gc keeps what is needed" {
    account al@example.org
    bundle 1000
    push
    push
    push
    codeteleport-server --data "$T/server" check --full | grep -q match
    codeteleport-server --data "$T/server" gc
    [ "$(objects)" = 3 ]
    local dir
    dir=$(dirname "$(find "$T/server/objects/bundles" -type f | head -1)")
    rm "$dir/$ID.v1.tar.gz"
    printf x >>"$dir/$ID.v2.tar.gz"
    printf yyyyyyyy | dd of="$dir/$ID.v3.tar.gz" conv=notrunc status=none
    printf z >"$dir/$ID.v9.tar.gz"
    touch -d '3 days ago' "$dir/$ID.v9.tar.gz"
    run codeteleport-server --data "$T/server" check
    [ "$status" -eq 1 ]
    [[ $output == *"missing "*v1.tar.gz* && $output == *"size "*v2.tar.gz* && $output == *"unknown "*v9.tar.gz* ]]
    [[ $output != *v3.tar.gz* ]]
    run codeteleport-server --data "$T/server" check --full
    [[ $output == *"checksum "*v3.tar.gz* ]]
    codeteleport-server --data "$T/server" gc
    [ -e "$dir/$ID.v9.tar.gz" ]
    codeteleport-server --data "$T/server" gc --orphans
    [ ! -e "$dir/$ID.v9.tar.gz" ]
    [ -e "$dir/$ID.v3.tar.gz" ]
}

@test "a database that knows none of the objects removes none, at the start or by gc" {
    account al@example.org
    bundle 1000
    push
    stop_server
    find "$T/server/objects/bundles" -type f -exec touch -d '3 days ago' {} +
    mkdir "$T/lost"
    mv "$T"/server/server.db* "$T/lost/"
    start_server
    codeteleport-server --data "$T/server" gc
    [ "$(objects)" = 1 ]
    run codeteleport-server --data "$T/server" gc --orphans
    [ "$status" -eq 1 ]
    [[ $output == *"is it the right one"* ]]
    run codeteleport-server --data "$T/server" check
    [[ $output == *"unknown "*v1.tar.gz* ]]
    [ "$(objects)" = 1 ]
    # The right one is found again, and all of it is there.
    stop_server
    rm -f "$T"/server/server.db*
    mv "$T"/lost/* "$T/server/"
    start_server
    codeteleport-server --data "$T/server" check --full | grep -q match
}

@test "registration can be closed, and is on more than loopback" {
    stop_server
    printf 'registration = "closed";\n' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    start_server
    expect 403 registration_closed json POST /auth/register -d "{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\"}"
    stop_server
    printf 'listen = "0.0.0.0:0";\n' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    codeteleport-server --data "$T/server" --objects 127.0.0.1:0 --ready-file "$T/ready" >>"$T/server.log" 2>&1 3>&- &
    SERVER_PID=$!
    within test -s "$T/ready"
    API=https://127.0.0.1:$(port_of "$(sed -n 's/^api=//p' "$T/ready")")/v1
    expect 403 registration_closed json POST /auth/register -d "{\"email\":\"al@example.org\",\"password\":\"$PASSWORD\"}"
}

@test "a quota is kept, and said" {
    stop_server
    printf 'max_bytes_per_user = 25000;\n' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    start_server
    account al@example.org
    bundle 10000
    push
    push
    expect 403 quota json POST /sessions/upload -d "$(upload_body)"
    # What is in the trash is on the disk; after a week it makes room.
    expect 200 '' json DELETE "/sessions/$ID/versions/1"
    expect 403 quota json POST /sessions/upload -d "$(upload_body)"
    sqlite3 "$T/server/server.db" "UPDATE versions SET purge_ms = purge_ms - 7 * 86400000,
        left_ms = left_ms - 7 * 86400000 WHERE state = 'trash'"
    push
    [ "$(objects)" = 2 ]
}

@test "settings that can't be are refused with the place" {
    local conf=$XDG_CONFIG_HOME/codeteleport/server.conf
    for c in 'lisen = "127.0.0.1:0";' 'listen = "nonsense";' 'versions_per_session = 0;' \
        'registration = "maybe";' 'certificate = "/x";' 'objects = "0.0.0.0:0";' \
        'public_objects_url = "ftp://x";' 'public_objects_url = "https://x/y";' 'listen = 7;' 'x'; do
        printf '%s\n' "$c" >"$conf"
        run codeteleport-server --data "$T/other" --ready-file "$T/x"
        [ "$status" -eq 78 ] || { echo "$c: $status $output"; return 1; }
    done
    printf 'lisen = "127.0.0.1:0";\n' >"$conf"
    run codeteleport-server --data "$T/other"
    [[ $output == *"server.conf:1"*"did you mean 'listen'"* ]]
    printf 'tls = "off";\n' >"$conf"
    run codeteleport-server --data "$T/other" --listen 0.0.0.0:0
    [ "$status" -eq 78 ]
    [ ! -e "$T/other/server.db" ]
}

@test "plain HTTP on loopback, by option only" {
    stop_server
    printf 'tls = "off";\n' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    unset API_PORT OBJECTS_PORT
    start_server
    [[ $API == http://127.0.0.1:* && $OBJECTS == http://127.0.0.1:* && -z $CA ]]
    CA=/dev/null
    account al@example.org
    bundle 1000
    push
    [ "$(listed)" = 1 ]
}

@test "IPv6 works like IPv4" {
    stop_server
    codeteleport-server --data "$T/server" --listen '[::1]:0' --objects '[::1]:0' --ready-file "$T/ready" >>"$T/server.log" 2>&1 3>&- &
    SERVER_PID=$!
    within sh -c "test -s '$T/ready' || ! kill -0 $SERVER_PID"
    kill -0 "$SERVER_PID" 2>/dev/null || skip "no IPv6 here"
    API=$(sed -n 's/^api=//p' "$T/ready")
    [[ $API == 'https://[::1]:'* ]]
    account al@example.org
    bundle 1000
    push
}

@test "secrets that others can read are refused" {
    stop_server
    chmod 644 "$T/server/jwt.key"
    run codeteleport-server --data "$T/server" --listen 127.0.0.1:0 --objects 127.0.0.1:0
    [ "$status" -eq 78 ]
    [[ $output == *"chmod 600"* ]]
    chmod 600 "$T/server/jwt.key"
    [ "$(stat -c %a "$T/server")" = 700 ]
}
