#!/bin/sh
# The agent that HACKING.md adds as an example compiles, without a warning, against the house as it is.  TAP.
src=${CT_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${CT_BUILD:-$src}
echo 1..1
tmp=$(mktemp -d "${TMPDIR:-/tmp}/ct-hacking.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
sed -n '/compiles this -->/,/^```$/p' "$src/HACKING.md" | sed '/^```/d; /-->$/d' >"$tmp/droid.c"
# As make compiles all else.
cat >"$tmp/rule" <<E
droid:
	@\$(COMPILE) -Werror -c -o "$tmp/droid.o" "$tmp/droid.c"
E
if [ -s "$tmp/droid.c" ] && (cd "$build" && make -s -f Makefile -f "$tmp/rule" droid) >"$tmp/said" 2>&1; then
    echo "ok 1 - the agent of HACKING.md compiles"
else
    echo "not ok 1 - the agent of HACKING.md compiles"
    sed 's/^/# /' "$tmp/said"
    exit 1
fi
