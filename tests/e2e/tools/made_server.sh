#!/bin/bash
# made_server.sh FOLDER: make the data folders of servers that ran once, for lib.bash to copy, so that not
# every case pays for keys, a database and a password's hash.  FOLDER/empty has no account;
# FOLDER/server has me@example.org, whose password is hashed in 4 rounds and not in 1024.
set -euo pipefail
. "$CT_SRC/tests/e2e/lib.bash"

made=$1
rm -rf "$made"
mkdir -p "$made"
make_home
trap end_home EXIT
start_server
within test -s "$T/server/ballast" # is made beside the first requests
stop_server
mv "$T/server/ballast" "$made/"
cp -Rp "$T/server" "$made/empty"
printf 'correct horse battery' | codeteleport-server --data "$T/server" user add me@example.org >/dev/null
command -v sqlite3 >/dev/null && sqlite3 "$T/server/server.db" "UPDATE users SET password =
    '\$2b\$04\$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS'" || true
cp -Rp "$T/server" "$made/server"
touch "$made/stamp"
