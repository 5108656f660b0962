#!/bin/sh
# Run each libFuzzer target in $CT_FUZZ_TARGETS for $CT_FUZZ_SECONDS, two at a time, beginning with its
# seeds.  What makes one crash, hang or leak is kept beside the program and named.  Prints TAP.
[ -n "${CT_FUZZ_SECONDS:-}" ] || CT_FUZZ_SECONDS=${CT_FULL:+300}
: "${CT_FUZZ_SECONDS:=10}"
set -- $CT_FUZZ_TARGETS
echo "1..$#"

# start TARGET: its process id in $pid
start() {
    program=$CT_BUILD/$1
    mkdir -p "$program.corpus"
    "$program" -max_total_time="$CT_FUZZ_SECONDS" -timeout=25 -rss_limit_mb=1024 -close_fd_mask=1 \
        -artifact_prefix="$program." "$program.corpus" "$CT_SRC/tests/seeds/${1##*/fuzz_}" \
        >"$program.out" 2>&1 &
    pid=$!
}

# judge TARGET PID: its line
judge() {
    n=$((n + 1))
    if wait "$2"; then
        echo "ok $n - fuzz: ${1##*/fuzz_} finds nothing in $CT_FUZZ_SECONDS s"
    else
        echo "not ok $n - fuzz: ${1##*/fuzz_} finds nothing in $CT_FUZZ_SECONDS s"
        tail -n 40 "$CT_BUILD/$1.out" | sed 's/^/# /'
        bad=1
    fi
}

n=0 bad=0
while [ $# -gt 0 ]; do
    start "$1"
    first=$pid
    if [ $# -gt 1 ]; then
        start "$2"
        judge "$1" "$first"
        shift
    fi
    judge "$1" "$pid"
    shift
done
exit $bad
