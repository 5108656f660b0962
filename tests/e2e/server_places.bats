#!/usr/bin/env bats
# Settings of where objects and the database are: every fault is said, with its cure.

bats_require_minimum_version 1.5.0
load lib

setup() { make_home; }
teardown() { rm -rf "$T"; }

# says STATUS WORDS CONFIGURATION: what a start with it says
says() {
    printf '%s\n' "$3" >"$T/conf"
    chmod "${MODE:-600}" "$T/conf"
    run -"$1" timeout 20 codeteleport-server -c "$T/conf" --data "$T/server" --listen 127.0.0.1:0
    [[ $output == *"$2"* ]] || {
        echo "$output"
        return 1
    }
    [[ $output != *hush* ]]
}

S3='storage = "s3"; s3_endpoint = "http://127.0.0.1:1"; s3_bucket = "sessions"; s3_key_id = "id";'

@test "an S3 needs all of its settings" {
    says 78 'needs s3_endpoint, s3_bucket' 'storage = "s3";'
    says 78 'CODETELEPORT_S3_SECRET' "$S3"
    says 78 'allow_plain_http' "$S3 s3_secret = \"hush\";"
    says 78 'use https' 'storage = "s3"; s3_endpoint = "http://192.0.2.1"; s3_bucket = "sessions"; s3_key_id = "id"; s3_secret = "hush"; allow_plain_http = true;'
    says 78 'name of a bucket' 'storage = "s3"; s3_endpoint = "https://192.0.2.1"; s3_bucket = "No/Bucket"; s3_key_id = "id"; s3_secret = "hush";'
    says 78 'storage' 'storage = "tape";'
}

@test "a secret in a file that everybody can read is refused, wherever it is" {
    MODE=644 says 78 'chmod 600' "$S3 s3_secret = \"hush\"; allow_plain_http = true;"
    echo hush >"$T/secret"
    chmod 604 "$T/secret"
    says 78 "chmod 600 '$T/secret'" "$S3 s3_secret_file = \"$T/secret\"; allow_plain_http = true;"
    says 78 "chmod 600 '$T/secret'" "database = \"libsql://192.0.2.1\"; database_token_file = \"$T/secret\";"
    says 78 'not both' "$S3 s3_secret_file = \"$T/secret\"; s3_secret = \"hush\";"
    says 78 's3_secret_file' "$S3 s3_secret_file = \"$T/none\";"
}

@test "a database is SQLite or a libSQL server" {
    says 78 'libsql://' 'database = "postgres://192.0.2.1/x";'
    says 78 'allow_plain_http' 'database = "http://127.0.0.1:1";'
    says 78 'unencrypted' 'database = "http://192.0.2.1"; allow_plain_http = true;'
    says 1 "can't reach" 'database = "http://127.0.0.1:1"; allow_plain_http = true;'
    codeteleport-server -c <(echo 'database = "sqlite";') --data "$T/server" user list
    [ -s "$T/server/server.db" ]
}

@test "a store that does not answer at the start is a warning" {
    printf '%s s3_secret = "hush"; allow_plain_http = true;\n' "$S3" >"$T/conf"
    chmod 600 "$T/conf"
    rm -f "$T/ready"
    codeteleport-server -c "$T/conf" --data "$T/server" --listen 127.0.0.1:0 \
        --ready-file "$T/ready" >"$T/server.log" 2>&1 3>&- &
    SERVER_PID=$!
    within test -s "$T/ready"
    grep -q store-unreachable "$T/server.log"
    ! grep -q hush "$T/server.log" || false
    grep -qx 'objects=http://127.0.0.1:1' "$T/ready"
    kill "$SERVER_PID"
    wait "$SERVER_PID"
}

# said NAME=VALUE...: what a start with these variables says
said() { run timeout 20 env "$@" codeteleport-server --data "$T/server" --listen 127.0.0.1:0 --objects 127.0.0.1:0 user list; }

@test "every setting can come from the environment, and a fault there is said with its name" {
    local key
    # All that the manual knows, and by its own rules.
    for key in $(sed -n 's/ No .*//; s/ Pq .*//; s/^.It Ic //p' "$CT_SRC/man/codeteleport-server.conf.5" | tr , '\n' | sed 's/^ *Ic//; s/ //g'); do
        said "CODETELEPORT_SERVER_${key^^}=/no such thing"
        [[ $output != *"unknown key"* ]] || { echo "$output"; return 1; }
    done
    said CODETELEPORT_SERVER_STORAG=s3
    [ "$status" = 78 ]
    [[ $output == *"CODETELEPORT_SERVER_STORAG: unknown key 'storag'; did you mean 'storage'?"* ]]
    said CODETELEPORT_SERVER_MAX_CONNECTIONS=many
    [[ $status = 78 && $output == *"CODETELEPORT_SERVER_MAX_CONNECTIONS: 'max_connections' must be a number"* ]]
    said CODETELEPORT_SERVER_ALLOW_PLAIN_HTTP=1
    [[ $status = 78 && $output == *"must be true or false"* ]]
    said CODETELEPORT_SERVER_TRUSTED_PROXY="127.0.0.1, nobody"
    [[ $status = 78 && $output == *trusted_proxy* ]]
    # It counts before the file, and a secret in it needs no file that nobody else can read.
    mkdir -p "$XDG_CONFIG_HOME/codeteleport"
    echo 'database = "postgres://x"; max_bytes_per_user = 5;' >"$XDG_CONFIG_HOME/codeteleport/server.conf"
    said A=b
    [ "$status" = 78 ]
    said CODETELEPORT_SERVER_DATABASE=sqlite CODETELEPORT_SERVER_MAX_BYTES_PER_USER="10 GB" \
        CODETELEPORT_SERVER_TRUSTED_PROXY="127.0.0.1, 10.0.0.1" CODETELEPORT_SERVER_GITHUB_CLIENT_SECRET=hush
    [ "$status" = 0 ]
    [ -s "$T/server/server.db" ]
    said CODETELEPORT_SERVER_DATABASE=http://127.0.0.1:1 CODETELEPORT_SERVER_ALLOW_PLAIN_HTTP=true
    [[ $status = 1 && $output == *"can't reach"* ]]
}
