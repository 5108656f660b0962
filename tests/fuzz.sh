#!/bin/sh
# Run each libFuzzer target in $CT_FUZZ_TARGETS for $CT_FUZZ_SECONDS, beginning with its seeds.  What
# makes one crash, hang or leak is kept beside the program and named.  Prints TAP.
: "${CT_FUZZ_SECONDS:=10}"
set -- $CT_FUZZ_TARGETS
echo "1..$#"
n=0 bad=0
for target; do
    n=$((n + 1))
    name=${target##*/fuzz_}
    program=$CT_BUILD/$target
    seeds=$CT_SRC/tests/seeds/$name
    corpus=$program.corpus
    mkdir -p "$corpus"
    if "$program" -max_total_time="$CT_FUZZ_SECONDS" -timeout=25 -rss_limit_mb=1024 -close_fd_mask=1 \
        -artifact_prefix="$program." "$corpus" "$seeds" >"$program.out" 2>&1; then
        echo "ok $n - fuzz: $name finds nothing in $CT_FUZZ_SECONDS s"
    else
        echo "not ok $n - fuzz: $name finds nothing in $CT_FUZZ_SECONDS s"
        tail -n 40 "$program.out" | sed 's/^/# /'
        bad=1
    fi
done
exit $bad
