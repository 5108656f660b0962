#!/usr/bin/env bats
# The real server behind Debian's nginx and Caddy, configured by the lines of README.

load lib
load server_lib

setup() {
    make_home
    PROXY=
    NAME=localhost
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$NAME" \
        -addext "subjectAltName=DNS:$NAME,DNS:share.$NAME" -keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null
    PORT=$(python3 -S -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
}

teardown() {
    if [ -n "$PROXY" ]; then
        kill "$PROXY" 2>/dev/null
        wait "$PROXY" || true
    fi
    end_home
}

# unpack PACKAGE: of Debian; it lies in UNPACKED
unpack() { UNPACKED=$("$CT_SRC/tests/e2e/tools/unpacked.sh" "$1") || skip "no $1 to be had"; }

# of_readme FIRST: the indented block that begins with a line like FIRST
of_readme() {
    awk -v first="$1" '/^    / { line = substr($0, 5); if (index(line, first) == 1) on = 1; if (on) print line; next }
        on && NF == 0 { blank = 1; next } { on = 0 }' "$CT_SRC/README.md"
}

# serve_behind [SED-SCRIPT]: the server, with README's settings
serve_behind() {
    of_readme 'tls = "off"' | sed "s/ct.example.org/$NAME:$PORT/; ${1:-}" >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    of_readme 'share = ' | sed "s/:8789/:0/; s/share.example.org/share.$NAME:$PORT/; ${1:-}" >>"$XDG_CONFIG_HOME/codeteleport/server.conf"
    echo 'registration = "open";' >>"$XDG_CONFIG_HOME/codeteleport/server.conf"
    if [ -n "${1:-}" ]; then
        # The addresses that are left are those of the settings.
        codeteleport-server --data "$T/server" --ready-file "$T/ready" >>"$T/server.log" 2>&1 3>&- &
        SERVER_PID=$!
        within test -s "$T/ready"
    else
        start_server
    fi
    API=https://$NAME:$PORT/v1
    CA=$T/cert.pem
}

# Where the server itself listens: "127.0.0.1:N" of the API, and of the objects.
api_at() { sed -n 's/.*ready api=http:\/\/\([^/]*\).*/\1/p' "$T/server.log" | tail -n 1; }
objects_at() { sed -n 's|^objects_listen=http://||p' "$T/ready"; }
share_at() { sed -n 's|^share_listen=http://||p' "$T/ready"; }

# nginx API OBJECTS [SHARE]: with README's lines
run_nginx() {
    mkdir "$T/nginx"
    {
        # Its workers are somebody else otherwise, who has no way into this folder.
        [ "$(id -u)" != 0 ] || echo 'user root;'
        echo "daemon off; pid $T/nginx/pid; error_log $T/nginx/error.log; events {} http { access_log off;"
        for kind in client_body proxy fastcgi uwsgi scgi; do
            echo "${kind}_temp_path $T/nginx/$kind;"
        done
        of_readme 'server {' | sed "s|listen 443|listen 127.0.0.1:$PORT|; s|ct.example.org|$NAME|; s|share.example.org|share.$NAME|
            s|/etc/ssl/ct/fullchain.pem|$T/cert.pem|; s|/etc/ssl/ct/privkey.pem|$T/key.pem|
            s|http://127.0.0.1:8787|$1|; s|http://127.0.0.1:8788|$2|; s|http://127.0.0.1:8789|${3:-http://$(share_at)}|"
        echo '}'
    } >"$T/nginx.conf"
    "$UNPACKED/usr/sbin/nginx" -e "$T/nginx/error.log" -c "$T/nginx.conf" 3>&- &
    PROXY=$!
    within curl -fsS --cacert "$CA" -o "$T/health" "$API/healthz"
}

# whole: what has to work through a proxy
whole() {
    local url check page
    account al@example.org
    # Larger than any buffer or default limit, there and back.
    bundle 30000000
    reserve
    [ "${URL%%/codeteleport/*}" = "https://$NAME:$PORT" ]
    store_says 200 '' put "$URL" --limit-rate 20M
    expect 200 '' confirm
    url=$(json GET "/sessions/$ID/download" | jq -r .downloadUrl)
    object GET "$url"
    cmp "$T/object" "$T/bundle"
    store_says 206 '' object GET "$url" -H 'Range: bytes=5-9'
    [ "$(stat -c %s "$T/object")" = 5 ]
    expect 405 method_not_allowed json PUT /auth/me
    grep -qi '^allow: GET, HEAD' "$T/head"
    # A wrong signature is refused here as it is without a proxy.
    store_says 403 SignatureDoesNotMatch object GET "${url%?}$([[ $url = *0 ]] && echo 1 || echo 0)"
    # The log has the client's own address.
    curl -sS --cacert "$CA" --interface 127.0.0.9 -o /dev/null "https://$NAME:$PORT/v1/auth/me" || true
    within grep -q 'listener=api client=127.0.0.9 ' "$T/server.log"
    # What is shared is read at a name of its own.
    bundle 2000
    expect 201 '' json POST /shares -d "{\"sessionId\":\"$ID\",\"sizeBytes\":$SIZE,\"checksum\":\"$SUM\",\"expiresIn\":900}"
    page=$(jq -r .url "$T/answer")
    [[ $page == "https://share.$NAME:$PORT/s/"* ]]
    store_says 200 '' put "$(jq -r .uploadUrl "$T/answer")"
    expect 200 '' json POST "/shares/$(jq -r .id "$T/answer")/confirm"
    reader() { curl -sS --fail --cacert "$CA" --resolve "share.$NAME:$PORT:127.0.0.1" --interface 127.0.0.9 "$@"; }
    reader "$page" | grep -q 'A shared session'
    url=$(reader -X POST -H 'X-Share: 1' -H 'Content-Length: 0' "$page" | jq -r .url)
    store_says 200 '' object GET "$url" -H "Origin: https://share.$NAME:$PORT"
    grep -qi "^access-control-allow-origin: https://share.$NAME:$PORT" "$T/head"
    cmp "$T/object" "$T/bundle"
    within grep -q 'listener=share client=127.0.0.9 ' "$T/server.log"
    # And the real programs.
    unset CODETELEPORT_API_URL
    conf "ca_file = \"$CA\";"
    printf '%s\n' "$PASSWORD" | ctctl login --email al@example.org --password-stdin --api-url "$API"
    ctctl doctor >"$T/doctor" || true
    for check in TLS log-in upload download; do
        grep -q "✔ $check " "$T/doctor" || { cat "$T/doctor"; return 1; }
    done
}

@test "nginx, by the lines of README" {
    unpack nginx
    serve_behind
    run_nginx "http://$(api_at)" "http://$(objects_at)"
    whole
    # Nothing of a bundle was put onto the proxy's disk.
    [ -z "$(find "$T/nginx" -type f -size +0 -name '[0-9]*')" ]
}

@test "nginx, on UNIX sockets" {
    unpack nginx
    serve_behind "s|^trusted_proxy.*|trusted_proxy = [ \"unix\" ]; listen = \"unix:$T/api\"; objects = \"unix:$T/objects\";|; s|^share = .*|share = \"unix:$T/share\";|"
    run_nginx "http://unix:$T/api:" "http://unix:$T/objects:" "http://unix:$T/share:"
    whole
    [ "$(stat -c %F "$T/api")" = socket ]
    # One that a killed server left is in nobody's way.
    kill -KILL "$SERVER_PID"
    wait "$SERVER_PID" || true
    [ -S "$T/api" ]
    rm "$T/ready"
    codeteleport-server --data "$T/server" --ready-file "$T/ready" >>"$T/server.log" 2>&1 3>&- &
    SERVER_PID=$!
    within test -s "$T/ready"
    expect 200 '' json GET /auth/me
    stop_server
    [ ! -e "$T/api" ]
}

@test "Caddy, by the lines of README" {
    unpack caddy
    serve_behind
    {
        echo "{"
        echo "admin off"
        echo "auto_https off"
        echo "}"
        of_readme 'ct.example.org {' | sed "s|^ct.example.org {|https://$NAME:$PORT {\ntls $T/cert.pem $T/key.pem|
            s|127.0.0.1:8787|$(api_at)|; s|127.0.0.1:8788|$(objects_at)|"
        of_readme 'share.example.org {' | sed "s|^share.example.org {|https://share.$NAME:$PORT {\ntls $T/cert.pem $T/key.pem|
            s|127.0.0.1:8789|$(share_at)|"
    } >"$T/Caddyfile"
    "$UNPACKED/usr/bin/caddy" run --adapter caddyfile --config "$T/Caddyfile" >"$T/caddy.log" 2>&1 3>&- &
    PROXY=$!
    within curl -fsS --cacert "$CA" -o "$T/health" "$API/healthz"
    whole
}

@test "promtool and fail2ban understand what they get" {
    echo 'metrics = "127.0.0.1:0"; registration = "open";' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    start_server
    account al@example.org
    bundle 1000
    push
    unpack prometheus
    curl -sS "$(sed -n 's/^metrics=//p' "$T/ready")" | "$UNPACKED/usr/bin/promtool" check metrics
    unpack fail2ban
    for i in 1 2 3; do
        TOKEN= expect 401 '' json POST /auth/login -d '{"email":"al@example.org","password":"wrong horse"}'
    done
    sed -n 's/^failregex = //p' "$CT_SRC/man/codeteleport-server.8" >"$T/rule"
    PYTHONPATH=$UNPACKED/usr/lib/python3/dist-packages python3 "$UNPACKED/usr/bin/fail2ban-regex" \
        -c "$UNPACKED/etc/fail2ban" "$T/server.log" "$(cat "$T/rule")" >"$T/matched"
    grep -q '3 matched' "$T/matched"
}
