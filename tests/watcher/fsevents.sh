#!/bin/bash
# The watcher's suite on the backend for macOS and a stand-in for FSEvents that behaves as Apple
# documents it (fake_fsevents.c).  In full in each of its ways by itself, and with more storms.
# Prints TAP.
programs="fsevents_watcher fsevents_watcher_roots fsevents_watcher_links fsevents_watcher_trouble"
all="late coarse dropped wrapped deaf"
runs=("$programs|$all")
if [ -n "${CT_FULL:-}" ]; then
    runs+=("$programs fsevents_watcher_storm|")
    for word in $all; do
        runs+=("$programs fsevents_watcher_storm|$word")
    done
    runs+=("fsevents_watcher_storm|$all")
fi
export CT_STORM_ROUNDS="${CT_STORM_ROUNDS:-${CT_FULL:+5}}"
: "${CT_STORM_ROUNDS:=1}"
out=$(mktemp "${TMPDIR:-/tmp}/ct.XXXXXX") || exit 1
trap 'rm -f "$out"' EXIT
n=0 bad=0
for run in "${runs[@]}"; do
    for program in ${run%|*}; do
        n=$((n + 1))
        CT_FSEVENTS=${run#*|} CMOCKA_MESSAGE_OUTPUT=TAP "$CT_BUILD/tests/watcher/$program" >"$out" 2>&1
        failed=$(grep -E '^not ok [0-9]' "$out" | grep -vc '# SKIP')
        if [ "$failed" = 0 ] && grep -q '^ok ' "$out"; then
            echo "ok $n - $program, events ${run#*|}"
        else
            echo "not ok $n - $program, events ${run#*|}"
            sed 's/^/# /' "$out"
            bad=1
        fi
    done
done
echo "1..$n"
exit $bad
