#!/bin/sh
# Bundles and metadata of real data folders against independent programs: python3, tar, gzip.  TAP.
src=${CT_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
packone=${CT_BUILD:-$src}/tests/bundle/packone
openone=${CT_BUILD:-$src}/tests/bundle/openone
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

# opens ROOT: every session's bundle opens again, into the files that went in
opens() {
    count=0
    for id in $("$packone" --list "$1"); do
        rm -rf "$tmp/stage"
        mkdir -m 700 "$tmp/stage"
        "$packone" "$1" "$id" "$tmp/b.tgz" >"$tmp/packed" || return 1
        "$openone" "$tmp/b.tgz" --stage "$tmp/stage" --trust own --keep-mode --id "$id" >"$tmp/opened" || {
            cat "$tmp/opened"
            return 1
        }
        python3 -c '
import json, sys
packed, opened = (json.load(open(p)) for p in sys.argv[1:])
assert opened["contentId"] == opened["saidContentId"] == packed["contentId"], opened
assert opened["leftOut"] == {}, opened["leftOut"]
assert all(e["sizeBytes"] == e["stageBytes"] for e in opened["entries"])' "$tmp/packed" "$tmp/opened" ||
            return 1
        tar -xzf "$tmp/b.tgz" -C "$tmp/out" && rm "$tmp/out/meta.json" &&
            diff -r "$tmp/out" "$tmp/stage" || return 1
        rm -rf "$tmp/out" && mkdir "$tmp/out"
        count=$((count + 1))
    done
    [ "$count" -gt 0 ] && echo "$count bundles"
}

if ! python3 -c '' 2>/dev/null; then
    skip "bundles and metadata against python3" "there is no python3"
    echo "1..$n"
    exit 0
fi
tmp=$(mktemp -d "${TMPDIR:-/tmp}/ct-bundle.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
# Copies, for files of another user are left out of bundles.
cp -R "$fixture" "$tmp/fixture" && chmod -R u+w "$tmp/fixture"
run "metadata of the fixture equals an independent count" \
    python3 "$src/tests/bundle/metadata_oracle.py" "$packone" "$tmp/fixture"
run "metadata of damaged transcripts equals an independent count" \
    python3 "$src/tests/bundle/metadata_oracle.py" "$packone" --damaged 300
run "bundles of the fixture hold what they should" \
    python3 "$src/tests/bundle/bundle_oracle.py" "$packone" "$tmp/fixture"
mkdir "$tmp/out"
run "bundles of the fixture open again" opens "$tmp/fixture"
for set in claude-code-2.1.197-live claude-code-2.1.332/.claude real; do
    if [ -d "$samples/$set" ]; then
        mkdir -p "$(dirname "$tmp/$set")"
        cp -R "$samples/$set" "$tmp/$set" && chmod -R u+w "$tmp/$set"
        run "metadata of the samples $set equals an independent count" \
            python3 "$src/tests/bundle/metadata_oracle.py" "$packone" "$tmp/$set"
        run "bundles of the samples $set hold what they should" \
            python3 "$src/tests/bundle/bundle_oracle.py" "$packone" "$tmp/$set"
        run "bundles of the samples $set open again" opens "$tmp/$set"
    else
        skip "metadata and bundles of the samples $set, against independent programs" "CT_SAMPLES has no $set"
    fi
done

# More than 130 MB, most of it in one line; all of the process, shared libraries included, must
# stay below what is allowed for its private memory.
big_line() {
    python3 "$src/bench/gen_corpus.py" "$tmp/big" --sessions 0 --big 60 --big-line 105 >/dev/null &&
        id=$("$packone" --list "$tmp/big") &&
        "$packone" "$tmp/big" "$id" "$tmp/big.tar.gz" --cache "$tmp/cache" >"$tmp/said" &&
        gzip -t "$tmp/big.tar.gz" && python3 -c '
import json, sys
said = json.load(open(sys.argv[1]))
print(said["rawBytes"] // 1000000, "MB,", said["maxRssKb"], "kB resident")
sys.exit(said["rawBytes"] < 130e6 or said["maxRssKb"] > 24 * 1024)' "$tmp/said"
}
if [ "${CT_SANITIZERS:-no}" = yes ]; then
    skip "a line of 100 MB is packed in constant memory" "sanitizers need memory of their own"
else
    run "a line of 100 MB is packed in constant memory" big_line
fi
echo "1..$n"
exit $bad
