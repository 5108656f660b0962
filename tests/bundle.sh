#!/bin/sh
# Bundles and metadata of real data folders against independent programs: python3, tar, gzip.  TAP.
src=${CT_SRC:-$(cd "$(dirname "$0")/.." && pwd)}
packone=${CT_BUILD:-$src}/tests/packone
fixture=$src/tests/fixtures/claude-code-2.1.197
samples=${CT_SAMPLES:-}
n=0
bad=0

# run NAME COMMAND...
run() {
    name=$1
    shift
    n=$((n + 1))
    if out=$("$@" 2>&1); then
        echo "ok $n - $name ($(echo "$out" | tail -n 1))"
    else
        echo "not ok $n - $name"
        bad=1
        echo "$out" | tail -n 20 | sed 's/^/# /'
    fi
}

# skip NAME REASON
skip() {
    n=$((n + 1))
    echo "ok $n - $1 # SKIP $2"
}

echo "1..7"
if ! python3 -c '' 2>/dev/null; then
    for i in 1 2 3 4 5 6 7; do
        skip "bundles and metadata against python3" "there is no python3"
    done
    exit 0
fi
run "metadata of the fixture equals an independent count" \
    python3 "$src/tests/metadata_oracle.py" "$packone" "$fixture"
run "metadata of damaged transcripts equals an independent count" \
    python3 "$src/tests/metadata_oracle.py" "$packone" --damaged 300
run "bundles of the fixture hold what they should" \
    python3 "$src/tests/bundle_oracle.py" "$packone" "$fixture"
for set in claude-code-2.1.197-live real; do
    if [ -d "$samples/$set" ]; then
        run "metadata of the samples $set equals an independent count" \
            python3 "$src/tests/metadata_oracle.py" "$packone" "$samples/$set"
        run "bundles of the samples $set hold what they should" \
            python3 "$src/tests/bundle_oracle.py" "$packone" "$samples/$set"
    else
        skip "metadata of the samples $set equals an independent count" "CT_SAMPLES has no $set"
        skip "bundles of the samples $set hold what they should" "CT_SAMPLES has no $set"
    fi
done
exit $bad
