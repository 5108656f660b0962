#!/bin/sh
# Bundles that mean no good: hostile_bundles.py makes them, hostile.py says what comes of each.  TAP.
src=${CT_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}

if ! python3 -c '' 2>/dev/null; then
    echo "1..1"
    echo "ok 1 - hostile bundles are refused # SKIP python3 is needed"
    exit 0
fi
tmp=$(mktemp -d "${TMPDIR:-/tmp}/ct-hostile.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
python3 "$src/tests/bundle/hostile_bundles.py" "$tmp/bundles" || exit 1
python3 "$src/tests/bundle/hostile.py" "${CT_BUILD:-$src}/tests/bundle/openone" "$tmp"
