#!/bin/sh
# Our signatures against those of Amazon's own JavaScript SDK, which comes from npm.
set -eu

skip() {
    echo "1..0 # SKIP $1"
    exit 0
}
command -v node >/dev/null || skip "node is not installed"
npm=$(sh "$CT_SRC/tests/npm.sh" sdk) || skip "$npm"
NPM=$npm exec node --no-warnings "$CT_SRC/tests/server/sigv4_sdk.mjs"
