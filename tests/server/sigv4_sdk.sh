#!/bin/sh
# Our signatures against those of Amazon's own JavaScript SDK, which comes from npm.
set -eu

skip() {
    echo "1..0 # SKIP $1"
    exit 0
}
npm=${CT_NPM:-$CT_BUILD/npm}
command -v node >/dev/null || skip "node is not installed"
why=$(sh "$CT_SRC/tests/npm.sh" "$npm" @aws-sdk/client-s3 @aws-sdk/s3-request-presigner) || skip "$why"
CT_NPM=$npm exec node --no-warnings "$CT_SRC/tests/server/sigv4_sdk.mjs"
