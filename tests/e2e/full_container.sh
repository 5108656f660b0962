#!/bin/bash
# The lines of Containerfile, as they stand there, in bare trees of Debian: what RUN builds and installs,
# and then the server as ENV, USER and ENTRYPOINT say, with a user made as its comment says.  Prints TAP.
# Trees lie below the build folder, in tests/systemd-trees/.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -u
CT_BUILD=${CT_BUILD:-$PWD}
CT_SRC=${CT_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
trees=$CT_BUILD/tests/systemd-trees

skip() {
    echo "1..0 # SKIP $*"
    exit 0
}

. "$CT_SRC/tests/e2e/trees.bash"
needs_trees "$@"

n=0
failed=0
# verdict NAME STATUS: with the end of the log
verdict() {
    n=$((n + 1))
    if [ "$2" = 0 ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        tail -n 30 "$trees/container.log" | sed 's/^/# /'
        failed=1
    fi
}

# lines: the instructions, each on one line
lines() { sed -e '/^#/d' -e ':a;/\\$/{N;s/\\\n *//;ba}' -e '/^$/d' "$CT_SRC/Containerfile"; }

# run_in TREE FOLDER COMMAND: as a RUN, with what it wants mounted from the tree before
run_in() {
    local tree=$1 folder=$2 command=$3
    if [[ $command == --mount=type=bind,from=build,source=/src,target=/src\ * ]]; then
        command=${command#* }
        mkdir -p "$trees/$tree/src"
        mount --bind "$trees/ctbuild/src" "$trees/$tree/src"
    fi
    in_tree "$tree" sh -ec "cd $folder && $command" >>"$trees/container.log" 2>&1
}

# What is to be there before any line: a container's root has its own way to the network.
stage() {
    layer "$1" "$trees/base"
    echo 'APT::Sandbox::User "root";' >"$trees/$1/etc/apt/apt.conf.d/99tree"
    mkdir -p "$trees/$1/dev/shm" && mount --bind /dev "$trees/$1/dev"
    mount -t proc proc "$trees/$1/proc"
    take_debs "$1"
}

# build: all lines; what ENV, USER and ENTRYPOINT say is in $settings, $user and $entry
build() {
    local word rest tree= folder=/ stages=(ctbuild ctfinal)
    settings=() user=root entry=()
    while read -r word rest; do
        case $word in
        FROM)
            tree=${stages[0]} folder=/
            stages=("${stages[@]:1}")
            stage "$tree"
            ;;
        COPY)
            mkdir -p "$trees/$tree/src/codeteleport"
            tar -C "$CT_SRC" -c --exclude=./build --exclude=.git --exclude=./.quickstart . |
                tar -C "$trees/$tree/src/codeteleport" -x
            ;;
        WORKDIR) folder=$rest ;;
        RUN) run_in "$tree" "$folder" "$rest" || return 1 ;;
        ENV) read -r -a settings <<<"$rest" ;;
        USER) user=$rest ;;
        ENTRYPOINT) mapfile -t entry < <(jq -r '.[]' <<<"$rest") ;;
        EXPOSE | VOLUME | STOPSIGNAL) ;;
        *) echo "what is $word?" >>"$trees/container.log" && return 1 ;;
        esac
    done < <(lines)
}

# as_user COMMAND...: in the image, as its user and with its environment, and what a user of it adds;
# instead of this shell, for in the background that is one of its own, and is told to end
as_user() {
    exec nice chroot --userspec="$user" "$trees/ctfinal" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ \
        "${settings[@]}" CODETELEPORT_SERVER_LISTEN=127.0.0.1:0 CODETELEPORT_SERVER_OBJECTS=127.0.0.1:0 "$@"
}

# serve: it comes up, a user is made, and logs in; it ends by itself when it is told to
serve() {
    local ready=$trees/ctfinal/tmp/ready pid api
    as_user "${entry[@]}" --ready-file /tmp/ready >>"$trees/container.log" 2>&1 3>&- &
    pid=$!
    for _ in $(seq 600); do
        [ ! -s "$ready" ] || break
        sleep 0.1
    done
    api=$(sed -n 's/^api=//p' "$ready") || return 1
    # As what stands behind a pipe is one.
    echo 'correct horse battery' | as_user "${entry[@]}" user add al@example.org >>"$trees/container.log" 2>&1 || return 1
    cp "$trees/ctfinal/$(sed -n 's/^ca=//p' "$ready")" "$trees/ct.pem" || return 1
    curl -sS --cacert "$trees/ct.pem" -H 'Content-Type: application/json' \
        -d '{"email":"al@example.org","password":"correct horse battery"}' "$api/auth/login" | grep -q '"token"' || return 1
    # Nobody else gets in.
    curl -sS --cacert "$trees/ct.pem" -H 'Content-Type: application/json' \
        -d '{"email":"eve@example.org","password":"correct horse battery"}' "$api/auth/register" |
        grep -q registration_closed || return 1
    kill "$pid"
    wait "$pid"
}

make_base
: >"$trees/container.log"
echo 1..2
build
verdict "the Containerfile's lines build an image" $?
serve
verdict "the server in it comes up as its own user, closed, and the first user logs in" $?
umount -R "$trees/ctbuild" "$trees/ctfinal" 2>/dev/null
rm -rf --one-file-system "$trees"/ctbuild* "$trees"/ctfinal*
exit $failed
