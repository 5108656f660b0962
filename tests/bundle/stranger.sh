#!/bin/sh
# A stranger's bundles, each hostile thing in every place: stranger_bundles.py makes and judges them.
src=${CT_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}

if ! python3 -c '' 2>/dev/null; then
    echo "1..1"
    echo "ok 1 - a stranger's bundles are built anew # SKIP python3 is needed"
    exit 0
fi
exec python3 "$src/tests/bundle/stranger_bundles.py" "${CT_BUILD:-$src}/tests/bundle/openone"
