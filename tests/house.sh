#!/bin/sh
# The house of DESIGN.md: what each room and each of its sub-rooms may include, where each file lies,
# and that each has its line in the README of its folder.  Prints TAP.
cd "${CT_SRC:-$(dirname "$0")/..}" || exit 1

# A room, the rooms below it, and its sub-rooms in order: one includes itself and what stands left of
# it; "." is the room's own folder.
layout() {
    cat <<'TEXT'
common : : base sys data config
net : common : .
agents : common : disk . lines claude codex copilot gemini opencode pi qwen
ipc : common : .
api : net common : .
bundle : agents common : format seal relocate leak pack open compare install
watcher : agents common : backend .
uploader : api net bundle common : .
server : api net common : web settings store sql ledger auth api upkeep serve admin .
ctctl : ipc api net bundle agents common : ui ctx cloud here read key pull seal share doctor mcp web cmd/session cmd/account cmd/machine .
daemon : watcher uploader ipc bundle api agents net common : system account session control .
TEXT
}

# Includes that climb all the same, until the work on the inside of the house ends them: struct daemon
# is divided, and an agent becomes a row that is passed in.  The list may only get shorter: lower the
# number below with it.
most_exceptions=26
exceptions() {
    cat <<'TEXT'
agents/agent.c agents/claude/history.h
daemon/account/allowance.c daemon/daemon.h
daemon/account/books.c daemon/daemon.h
daemon/account/books.c daemon/session/credscan.h
daemon/account/books.c daemon/session/exclusion.h
daemon/account/cloud_impl.h daemon/daemon.h
daemon/account/login_view.c daemon/daemon.h
daemon/account/reseal.c daemon/daemon.h
daemon/account/room.c daemon/daemon.h
daemon/account/room.c daemon/session/job.h
daemon/account/salvage.c daemon/daemon.h
daemon/account/sealing.c daemon/daemon.h
daemon/account/sealing_report.c daemon/daemon.h
daemon/control/control.c daemon/daemon.h
daemon/control/listing.c daemon/daemon.h
daemon/control/pause.c daemon/daemon.h
daemon/control/report.c daemon/daemon.h
daemon/control/report_line.c daemon/daemon.h
daemon/session/bundler.c daemon/daemon.h
daemon/session/changes.c daemon/daemon.h
daemon/session/credscan.h daemon/daemon.h
daemon/session/exclusion.c daemon/daemon.h
daemon/session/job.h daemon/daemon.h
daemon/session/sessions.c daemon/daemon.h
daemon/session/uploads.c daemon/daemon.h
daemon/session/waiter.c daemon/daemon.h
TEXT
}

n=0
bad=0
# holds NAME FAULTS: one test, which fails if there are any faults, a line each
holds() {
    n=$((n + 1))
    if [ -z "$2" ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        printf '%s\n' "$2" | sed 's/^/# /'
        bad=1
    fi
}

files() { find $(layout | cut -d: -f1) -name '*.[ch]' ! -name leak_default.c | sort; }

# Every file with its includes, judged by the layout: "OUTSIDE file", "ROOM file include", "CLIMBS file
# include".
judged=$(
    {
        layout | sed 's/^/L:/'
        files | sed 's/^/F:/'
        files | xargs grep -H '^#include "' | sed 's/:#include "/ /; s/".*//; s/^/I:/'
    } | awk '
    function room(p) { sub(/\/.*/, "", p); return p }
    function sub_room(p) {
        if (!sub(/^[^\/]*\//, "", p) || !sub(/\/?[^\/]*$/, "", p)) return "."
        return p == "" ? "." : p
    }
    /^L:/ {
        split(substr($0, 3), part, / *: */)
        below[part[1]] = " " part[1] " " part[2] " "
        k = split(part[3], s, " ")
        for (i = 1; i <= k; i++) rank[part[1] "/" s[i]] = i
    }
    /^F:/ { f = substr($0, 3); if (!(room(f) "/" sub_room(f) in rank)) print "OUTSIDE " f }
    /^I:/ {
        f = substr($1, 3); t = $2
        if (index(below[room(f)], " " room(t) " ") == 0) print "ROOM " f " " t
        else if (room(f) == room(t) && rank[room(t) "/" sub_room(t)] > rank[room(f) "/" sub_room(f)])
            print "CLIMBS " f " " t
    }'
)
which() { printf '%s\n' "$judged" | sed -n "s/^$1 //p" | sort; }

holds "every file lies in a room" "$(which OUTSIDE)"
for room in $(layout | cut -d: -f1); do
    holds "$room includes only the rooms below it" "$(which ROOM | grep "^$room/")"
done
known=$(exceptions | sort)
holds "a sub-room includes only those left of it" \
    "$(which CLIMBS | while IFS= read -r line; do
        printf '%s\n' "$known" | grep -qxF -- "$line" || echo "$line"
    done)"
holds "every exception is still one" \
    "$(printf '%s\n' "$known" | while IFS= read -r line; do
        [ -z "$line" ] || which CLIMBS | grep -qxF -- "$line" || echo "$line"
    done)"
holds "the exceptions get fewer" \
    "$([ "$(exceptions | grep -c .)" -le $most_exceptions ] || echo "more than $most_exceptions")"
# A header and its source are one, and so are the headers of its inside.
holds "no two files need each other" \
    "$(files | xargs grep -H '^#include "' | sed 's/:#include "/ /; s/".*//' |
        grep -v '^daemon/\|^agents/' |
        sed 's/\(_impl\|_inside\)*\.[ch]\( \|$\)/\2/g; s|watcher/core|watcher/watcher|; s|server/api/call|server/api/app|' |
        awk '$1 != $2' | tsort 2>&1 >/dev/null | sed 's/^tsort: //; /^-:/d')"
holds "fewer than 40 files in each folder" \
    "$(files | sed 's|/[^/]*$||' | sort | uniq -c | awk '$1 >= 40 { print $2 " has " $1 }')"
holds "the README of its folder has a line for every file" \
    "$(files | while IFS= read -r f; do
        stem=${f##*/}
        stem=${stem%.*}
        grep -q "^| \`$stem\` |" "${f%/*}/README.md" 2>/dev/null || echo "$f"
    done)"
holds "no README has a line for a file that is gone" \
    "$(for d in $(files | sed 's|/[^/]*$||' | uniq); do
        sed -n 's/^| `\([a-z0-9_]*\)` |.*/\1/p' "$d/README.md" 2>/dev/null | while IFS= read -r stem; do
            ls "$d/$stem".[ch] >/dev/null 2>&1 || echo "$d/README.md: $stem"
        done
    done)"
# bash does not end a case for a command with "!" before it; "|| false" behind it does.
holds "what a test says is not so is asserted: \"! command || false\" where more comes after it" \
    "$(find tests -name '*.bats' -exec awk '
        FNR == 1 { was = "" }
        was != "" && !/^ *}/ { print was }
        { was = "" }
        /^ *! / && !/ \|\| / && !/(\\|&&|\||\{|\(|; (do|then))$/ { was = FILENAME ":" FNR ": " $0 }
    ' {} +)"
# The server takes the structures of api, not its client.
holds "server uses api's structures only" "$(grep -rn '#include "api/client.h"' server)"
echo "1..$n"
exit $bad
