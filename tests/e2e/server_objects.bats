#!/usr/bin/env bats
# The embedded object store: what a presigned URL permits, and everything that it does not.

load lib
load server_lib

setup() {
    server_home
    account al@example.org
    bundle 100000
}
teardown() { end_home; }

# path: of the reserved object, from its URL
path() { sed 's|^https://[^/]*||; s|?.*||' <<<"$URL"; }

@test "a PUT by another implementation's signature is taken" {
    reserve
    store_says 200 '' put "$(sign PUT "$OBJECTS" "$(path)" "content-length=$SIZE" content-type=application/gzip)"
    expect 200 '' confirm
    store_says 200 '' object GET "$(sign GET "$OBJECTS" "$(path)")"
    cmp "$T/object" "$T/bundle"
    store_says 200 '' object HEAD "$(sign HEAD "$OBJECTS" "$(path)")" --head
    grep -qi "^content-length: $SIZE" "$T/head"
    store_says 204 '' object DELETE "$(sign DELETE "$OBJECTS" "$(path)")"
    store_says 404 NoSuchKey object GET "$(sign GET "$OBJECTS" "$(path)")"
    store_says 204 '' object DELETE "$(sign DELETE "$OBJECTS" "$(path)")"
}

@test "a URL permits one method, one key and one length" {
    reserve
    local url=$URL
    store_says 403 '' object GET "$url"
    store_says 403 '' object DELETE "$url"
    head -c 99999 "$T/bundle" >"$T/short"
    store_says 403 SignatureDoesNotMatch object PUT "$url" -T "$T/short" -H 'Content-Type: application/gzip'
    store_says 403 SignatureDoesNotMatch object PUT "$url" -T "$T/bundle" -H 'Content-Type: text/html'
    store_says 403 SignatureDoesNotMatch put "${url/.v1.tar.gz/.v2.tar.gz}"
    store_says 403 SignatureDoesNotMatch put "${url/$ID/22222222-2222-4333-8444-555555555555}"
    store_says 403 SignatureDoesNotMatch put "${url/X-Amz-Expires=300/X-Amz-Expires=301}"
    store_says 403 SignatureDoesNotMatch put "${url/X-Amz-Date=2/X-Amz-Date=1}" ||
        store_says 403 AccessDenied put "${url/X-Amz-Date=2/X-Amz-Date=1}"
    [ "$(objects)" = 0 ]
    store_says 200 '' put "$url"
    [ "$(objects)" = 1 ]
}

@test "forged, truncated, expired, future, foreign and unsigned requests are refused" {
    reserve
    local last=${URL: -1} other=0 p
    p=$(path)
    [ "$last" != 0 ] || other=1
    store_says 403 SignatureDoesNotMatch put "${URL%?}$other"
    store_says 400 AuthorizationQueryParametersError put "${URL%?}"
    store_says 400 AuthorizationQueryParametersError put "$URL&X-Amz-Date=20260101T000000Z"
    store_says 403 SignatureDoesNotMatch put "$URL&x=y"
    store_says 403 AccessDenied put "${URL%%\?*}"
    store_says 403 AccessDenied object GET "$OBJECTS$p"
    local signed=("content-length=$SIZE" content-type=application/gzip)
    store_says 403 ExpiredRequest put "$(sign PUT "$OBJECTS" "$p" "${signed[@]}" --at $(($(date +%s) - 301)))"
    store_says 200 '' put "$(sign PUT "$OBJECTS" "$p" "${signed[@]}" --at $(($(date +%s) - 200)))"
    store_says 403 ExpiredRequest object GET "$(sign GET "$OBJECTS" "$p" --at 1)"
    store_says 403 RequestTimeTooSkewed object GET "$(sign GET "$OBJECTS" "$p" --at $(($(date +%s) + 1000)))"
    store_says 403 AccessDenied object GET "$(sign GET "$OBJECTS" "$p" --region us-east-1)"
    store_says 403 AccessDenied object GET "$(sign GET "$OBJECTS" "$p" --service ec2)"
    store_says 403 AccessDenied object GET "$(sign GET "$OBJECTS" "$p" --date 20200101)"
    store_says 403 SignatureDoesNotMatch object GET "$(sign GET "https://elsewhere.example" "$p" | sed "s|https://elsewhere.example|$OBJECTS|")"
    store_says 403 InvalidAccessKeyId object GET "$(sign GET "$OBJECTS" "$p" --id someone)"
    store_says 403 SignatureDoesNotMatch object GET "$(sign GET "$OBJECTS" "$p" --secret wrong)"
    store_says 400 AuthorizationQueryParametersError object GET "$(sign GET "$OBJECTS" "$p" --expires 604801)"
    # Signed by the right key, but without the headers that bind the upload.
    store_says 403 AccessDenied put "$(sign PUT "$OBJECTS" "$p")"
}

@test "a signed MD5 is checked, and has to be sent" {
    reserve ".md5 = \"$MD5\""
    [ "$(jq -r '.uploadHeaders["Content-MD5"]' "$T/answer")" = "$MD5" ]
    store_says 403 SignatureDoesNotMatch put "$URL"
    head -c "$SIZE" /dev/urandom >"$T/other"
    store_says 400 BadDigest object PUT "$URL" -T "$T/other" -H 'Content-Type: application/gzip' -H "Content-MD5: $MD5"
    [ "$(objects)" = 0 ]
    store_says 200 '' put "$URL" -H "Content-MD5: $MD5"
    expect 200 '' confirm
}

@test "no path leads out of the store, signed or not" {
    local p
    for p in /../server.db /codeteleport/../server.db /codeteleport/bundles/../../../jwt.key \
        /codeteleport/%2e%2e/jwt.key /codeteleport/bundles/%2e%2e%2f%2e%2e%2fjwt.key //etc/passwd \
        /codeteleport//bundles/x /codeteleport/bundles/ /codeteleport /codeteleport/tmp/put.x / \
        /other/bundles/x '/codeteleport/bundles/a\..\b' /codeteleport/jwt.key; do
        store_says 403 AccessDenied object GET "$OBJECTS$p"
        [ ! -s "$T/object" ] || ! grep -qa SQLite "$T/object"
    done
    for p in /codeteleport/../server.db /codeteleport/bundles/../../../jwt.key //etc/passwd \
        /codeteleport//bundles/x /codeteleport/tmp/put.x /codeteleport/jwt.key \
        "/codeteleport/bundles/$ID/../x.v1.tar.gz" "/codeteleport/bundles/$ID/x.v1.tar.gz/../y" \
        "/other/bundles/$ID/x.v1.tar.gz"; do
        store_says 404 NoSuchKey object GET "$(sign GET "$OBJECTS" "$p")"
        store_says 404 NoSuchKey put "$(sign PUT "$OBJECTS" "$p" "content-length=$SIZE" content-type=application/gzip)"
        store_says 404 NoSuchKey object DELETE "$(sign DELETE "$OBJECTS" "$p")"
    done
    store_says 400 '' object GET "$OBJECTS/codeteleport/a%00b?X-Amz-Signature=0"
    [ "$(objects)" = 0 ]
    [ -s "$T/server/jwt.key" ]
}

@test "a PUT without length, with a chunked body or a silly method is refused" {
    reserve
    store_says 403 '' put "$URL" -H 'Transfer-Encoding: chunked' -H 'Content-Length:'
    store_says 400 '' put "$URL" -H 'Transfer-Encoding: chunked' -H "Content-Length: $SIZE"
    store_says 405 MethodNotAllowed object POST "$URL" -d x
    store_says 405 MethodNotAllowed object PATCH "$URL" -d x
    store_says 400 EntityTooLarge object PUT "$(sign PUT "$OBJECTS" "$(path)" content-length=99999999999 content-type=application/gzip)" \
        -H 'Content-Length: 99999999999' -H 'Content-Type: application/gzip' -H 'Expect: 100-continue' --data-binary @"$T/bundle"
    [ "$(objects)" = 0 ]
}

@test "an object never changes: the same again is fine, something else is not" {
    reserve
    store_says 200 '' put "$URL"
    store_says 200 '' put "$URL"
    head -c "$SIZE" /dev/urandom >"$T/other"
    store_says 412 PreconditionFailed object PUT "$URL" -T "$T/other" -H 'Content-Type: application/gzip'
    expect 200 '' confirm
    object GET "$(json GET "/sessions/$ID/download" | jq -r .downloadUrl)"
    cmp "$T/object" "$T/bundle"
}

@test "ranges" {
    push
    local url
    url=$(json GET "/sessions/$ID/download" | jq -r .downloadUrl)
    range() { # RANGE FIRST COUNT
        store_says 206 '' object GET "$url" -H "Range: $1"
        tail -c +$(($2 + 1)) "$T/bundle" | head -c "$3" | cmp - "$T/object"
        grep -qi "^content-range: bytes $2-$(($2 + $3 - 1))/$SIZE" "$T/head"
    }
    range bytes=0-0 0 1
    range bytes=10-19 10 10
    range bytes=99990- 99990 10
    range bytes=-7 99993 7
    range bytes=-200000 0 100000
    range bytes=5-999999 5 99995
    # HEAD tells the same and sends nothing.
    store_says 200 '' object HEAD "$(sign HEAD "$OBJECTS" "$(path)")" --head
    grep -qi "^content-length: $SIZE" "$T/head"
    grep -qi "^accept-ranges: bytes" "$T/head"
    store_says 416 InvalidRange object GET "$url" -H 'Range: bytes=100000-'
    store_says 416 InvalidRange object GET "$url" -H 'Range: bytes=-0'
    for r in bytes=9-3 bytes=x-y bytes=1-2,5-6 items=0-1 bytes=; do
        store_says 200 '' object GET "$url" -H "Range: $r"
        cmp "$T/object" "$T/bundle"
    done
}

@test "an upload that breaks off leaves nothing" {
    reserve
    python3 -S - "$URL" "$CA" "$SIZE" <<'PY'
import socket, ssl, sys
from urllib.parse import urlsplit
url, ca, size = urlsplit(sys.argv[1]), sys.argv[2], int(sys.argv[3])
s = ssl.create_default_context(cafile=ca).wrap_socket(
    socket.create_connection((url.hostname, url.port)), server_hostname=url.hostname)
s.sendall(f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {size}\r\n"
          f"Content-Type: application/gzip\r\n\r\n".encode() + b"x" * (size - 1))
s.close()
PY
    within sh -c "grep -q 'method=\"PUT\".* broken=1' '$T/server.log'"
    [ "$(objects)" = 0 ]
    [ -z "$(ls "$T/server/objects/tmp")" ]
    expect 409 not_uploaded confirm
    store_says 200 '' put "$URL"
    expect 200 '' confirm
}

@test "a GET sees a whole object or none, whatever goes on at the same time" {
    bundle 4000000
    reserve
    local get seen=0
    get=$(sign GET "$OBJECTS" "$(path)")
    curl -sS --cacert "$CA" --limit-rate 4M -T "$T/bundle" -H 'Content-Type: application/gzip' -o /dev/null "$URL" 3>&- &
    local curl=$!
    within sh -c "test -n \"\$(find '$T/server/objects/tmp' -type f -size +100k)\""
    while kill -0 "$curl" 2>/dev/null; do
        object GET "$get"
        case $(cat "$T/status") in
        404) seen=$((seen + 1)) ;;
        200) cmp "$T/object" "$T/bundle" ;;
        *) false ;;
        esac
    done
    wait "$curl"
    [ "$seen" -gt 0 ]
    store_says 200 '' object GET "$get"
    cmp "$T/object" "$T/bundle"
    # One that is being sent is sent to its end, although it is removed.
    curl -sS --cacert "$CA" --limit-rate 4M -o "$T/slow" "$get" 3>&- &
    curl=$!
    within test -s "$T/slow"
    store_says 204 '' object DELETE "$(sign DELETE "$OBJECTS" "$(path)")"
    wait "$curl"
    cmp "$T/slow" "$T/bundle"
    store_says 404 NoSuchKey object GET "$get"
}

@test "a server killed in the middle of a PUT has no object afterwards" {
    bundle 20000000
    reserve
    curl -sS --cacert "$CA" --limit-rate 2M -T "$T/bundle" -H 'Content-Type: application/gzip' -o /dev/null "$URL" 3>&- &
    local curl=$!
    within sh -c "test -n \"\$(find '$T/server/objects/tmp' -type f -size +100k)\""
    kill -KILL "$SERVER_PID"
    wait "$curl" || true
    wait "$SERVER_PID" || true
    [ "$(objects)" = 0 ]
    start_server
    [ -z "$(ls "$T/server/objects/tmp")" ]
    expect 409 not_uploaded confirm
    reserve
    store_says 200 '' put "$URL"
    expect 200 '' confirm
}

@test "600 MB go up and down in constant memory" {
    [ -z "${CT_SANITIZERS:-}" ] || [ "$CT_SANITIZERS" = no ] || skip "memory is not its own under sanitizers"
    truncate -s 600000000 "$T/bundle"
    SIZE=600000000
    SUM=sha256:$(sha256sum "$T/bundle" | cut -d' ' -f1)
    push
    object GET "$(json GET "/sessions/$ID/download" | jq -r .downloadUrl)"
    cmp "$T/object" "$T/bundle"
    [ -r "/proc/$SERVER_PID/status" ] || skip "no /proc here"
    local peak
    peak=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/$SERVER_PID/status")
    echo "VmHWM $peak kB"
    [ "$peak" -lt 100000 ]
}

@test "many at once" {
    local pids=() i
    for i in $(seq 20); do
        (
            ID=s$i
            T=$T/$i
            mkdir "$T"
            cp "$T/../bundle" "$T/bundle"
            reserve
            store_says 200 '' put "$URL"
            expect 200 '' confirm
        ) 3>&- &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        wait "$i"
    done
    [ "$(json GET /sessions | jq .total)" = 20 ]
    [ "$(objects)" = 20 ]
}
