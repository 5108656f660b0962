#!/bin/sh
# npm.sh FOLDER PACKAGE...: install packages there unless they are, without running their scripts.
# Exit status 77 with a reason if they can't be had.
set -eu

dir=$1
shift
command -v npm >/dev/null || {
    echo "npm is not installed"
    exit 77
}
mkdir -p "$dir"
# One at a time: several tests may come for theirs at once.
exec 9>"$dir/lock"
! command -v flock >/dev/null || flock 9
missing=
for p in "$@"; do
    [ -d "$dir/node_modules/$(echo "$p" | sed 's/\(.\)@.*/\1/')" ] || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
[ -f "$dir/package.json" ] || echo '{"private": true}' >"$dir/package.json"
# shellcheck disable=SC2086
if ! (cd "$dir" && npm_config_cache=$dir/cache npm install --ignore-scripts --no-audit --no-fund --loglevel=error \
    "$@") >"$dir/npm.log" 2>&1; then
    echo "npm can't install$missing: $(tail -n 1 "$dir/npm.log")"
    exit 77
fi
