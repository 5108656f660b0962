#!/bin/sh
# Each tool that a test calls is in a package that quickstart installs, or that every Debian has: what
# stands where a command does in a test, and is one here, is asked for its package.  Prints TAP.
cd "${CT_SRC:-$(dirname "$0")/..}" || exit 1
command -v dpkg-query >/dev/null || {
    echo "1..0 # SKIP this is not a Debian"
    exit 0
}

# Shell scripts, lists of arguments in Python, what C gives to a shell; a keyword of Python is no command.
words() {
    {
        find tests -name '*.bats' -o -name '*.bash' -o -name '*.sh' | xargs sed -E 's/^[[:space:]]*#.*//
            s/(^|[[:space:]])([A-Z_]+=[^[:space:]]*|then|do|else|if|while|until|exec|env|run( -[0-9]+)?|within|inside|command -v|(timeout|nice)( [0-9]+)?) /;/g' |
            grep -oE '(^|[|&;({!`])[[:space:]]*[a-z][a-z0-9_.+-]*([ )]|$)'
        find tests -name '*.py' | xargs grep -ohE '\["[a-z][a-z0-9_.+-]*"'
        find tests -name '*.c' | xargs grep -ohE '(system|popen|execlp)\("[a-z][a-z0-9_.+-]*'
    } | grep -oE '[a-z][a-z0-9_.+-]*[") ]*$' | tr -d '") ' | sort -u | grep -vxE 'import|from|print|with'
}

# Functions of the tests hide commands of their name.
functions() { find tests -name '*.ba*' -o -name '*.sh' | xargs sed -n 's/^ *\([a-z_][a-z0-9_]*\)() {.*/\1/p'; }

paths() {
    functions | sort -u >"$lists/functions"
    words | grep -vxFf "$lists/functions" | while IFS= read -r word; do
        path=$(command -v "$word")
        [ "${path#/}" = "$path" ] || readlink -f "$path"
    done
}

# come_along PACKAGE...: they, what every Debian has, and what those depend on
come_along() {
    dpkg-query -W -f '${Package}\t${Essential} ${Priority}\t${Pre-Depends}, ${Depends}\n' |
        awk -F '\t' -v wanted="$*" '
            function take(p, list, n, i) {
                if (taken[p]++) return
                print p
                n = split(needs[p], list, / *[,|] */)
                for (i = 1; i <= n; i++) take(list[i])
            }
            {
                gsub(/ *\([^)]*\)|:any/, "", $3)
                needs[$1] = $3
                if ($2 ~ /^yes|required/) wanted = wanted " " $1
            }
            END {
                n = split(wanted, list, " ")
                for (i = 1; i <= n; i++) take(list[i])
            }'
}

lists=$(mktemp -d)
trap 'rm -rf "$lists"' EXIT
# git, for there is a clone
come_along git $(sed -n '/^build_packages=/,/^$/p' quickstart | tr -cs 'a-z0-9.+-' '\n') >"$lists/known"
# A program may be known to lie in /bin that lies in /usr/bin.
paths | sed 'p; s:^/usr::' | xargs dpkg-query -S 2>/dev/null | sed 's/[:,].* / /' | sort -u >"$lists/found"

echo 1..1
awk 'NR == FNR {known[$1] = 1; next}
    !known[$1] {print "# " $2 " is in " $1 ", which quickstart does not install"; bad = 1}
    END {if (bad || FNR < 20) printf "not "}' "$lists/known" "$lists/found"
echo "ok 1 - each tool that a test calls is in quickstart's package lists"
