#!/bin/sh
# The house of DESIGN.md: a room includes only what its row of the table allows, and no file of the
# tree is a leftover.  Prints TAP.
cd "${CT_SRC:-$(dirname "$0")/..}" || exit 1

may() {
    case $1 in
    common) echo "common" ;;
    net | agents | ipc) echo "$1 common" ;;
    api) echo "api net common" ;;
    bundle | watcher) echo "$1 agents common" ;;
    uploader) echo "uploader api net bundle common" ;;
    server) echo "server api net common" ;;
    ctctl) echo "ctctl ipc api net bundle agents common" ;;
    daemon) echo "daemon watcher uploader ipc bundle api agents net common" ;;
    esac
}

rooms="common net agents ipc api bundle watcher uploader server ctctl daemon"
n=0
bad=0
echo "1..$(($(echo $rooms | wc -w) + 1))"
for room in $rooms; do
    n=$((n + 1))
    allowed=" $(may "$room") "
    wrong=$(grep -n '^#include "' "$room"/*.c "$room"/*.h 2>/dev/null |
        while IFS= read -r line; do
            target=${line#*\"}
            target=${target%%/*}
            case $allowed in
            *" $target "*) ;;
            *) echo "$line" ;;
            esac
        done)
    if [ -z "$wrong" ] && ls "$room"/*.c >/dev/null 2>&1; then
        echo "ok $n - $room includes only the rooms below it"
    else
        echo "not ok $n - $room includes only the rooms below it"
        echo "$wrong" | sed 's/^/# /'
        bad=1
    fi
done

# The server takes the structures of api, not its client.
n=$((n + 1))
if grep -n '#include "api/client.h"' server/*.[ch]; then
    echo "not ok $n - server uses api's structures only"
    bad=1
else
    echo "ok $n - server uses api's structures only"
fi
exit $bad
