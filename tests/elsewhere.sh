#!/bin/sh
# What is for other places than this one says the same as what is tried here: the workflow for a public
# CI, the formula for Homebrew, and README's commands for macOS.  Prints TAP.
cd "${CT_SRC:-$(dirname "$0")/..}" || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/ct.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
bad=0

result() {
    if [ "$1" = 0 ]; then
        echo "ok $2"
    else
        echo "not ok $2"
        sed 's/^/# /' "$work/out"
        bad=1
    fi
}

# lists NAME TEXT...: each formula that configure asks for, and others, stand in TEXT
lists() {
    where=$1
    shift
    for f in $(sed -n 's/.*CT_NEED(.*, \[\([a-z0-9@-]*\)\]).*/\1/p' configure.ac) autoconf automake pkgconf \
        libdeflate qrencode; do
        case " $* " in
        *" $f "*) ;;
        *) echo "$where does not have $f" ;;
        esac
    done
}

echo 1..3
# shellcheck disable=SC2046
{
    lists README $(.github/block '### On macOS' 1 | sed -n '/^brew/,/[^\\]$/p')
    lists "the formula" $(sed -n 's/.*depends_on "\([^"]*\)".*/\1/p' Formula/codeteleportd.rb)
} >"$work/out"
[ ! -s "$work/out" ]
result $? "1 - README and the formula name what configure asks for"

grep -o "block '[^']*' [0-9]*" .github/workflows/ci.yml | sort -u >"$work/blocks"
while IFS= read -r line; do
    eval "set -- $line"
    .github/block "$2" "$3" >"$work/commands" && bash -n "$work/commands" || echo "README has no $line"
done <"$work/blocks" >"$work/out" 2>&1
[ -s "$work/blocks" ] && [ ! -s "$work/out" ]
result $? "2 - each block of README that the workflow runs is there"

if command -v ruby >/dev/null; then
    ruby -c Formula/codeteleportd.rb >"$work/out" 2>&1
    result $? "3 - the formula is Ruby"
else
    echo "ok 3 - the formula is Ruby # SKIP ruby is not installed"
fi
exit $bad
