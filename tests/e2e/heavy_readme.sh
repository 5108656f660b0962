#!/bin/bash
# README is true on a fresh machine: what stands in its sections "Try it" and "Installing" is taken out
# of it and run in bare trees of Debian, as root and as a user with sudo.  Prints TAP.  The trees lie
# below the build folder, in tests/systemd-trees/, with a log for each case.
# CI runs a few test files by README's test command, as the user, and makes packages as root;
# tests/e2e/full_readme.sh does all of it as both, CT_README=full.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -u
CT_BUILD=${CT_BUILD:-$PWD}
CT_SRC=${CT_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
trees=$CT_BUILD/tests/systemd-trees
readme=$CT_SRC/README.md

skip() {
    echo "1..0 # SKIP $*"
    exit 0
}

[ "${CT_SANITIZERS:-no}" != yes ] || skip "what README builds has no sanitizers"
. "$CT_SRC/tests/e2e/trees.bash"
needs_trees "$@"

n=0
failed=0
# verdict NAME LOG STATUS
verdict() {
    n=$((n + 1))
    [ "$3" != 0 ] || { echo "ok $n - $1" && return; }
    failed=1
    echo "not ok $n - $1"
    tail -n 40 "$2" | sed 's/^/# /'
}

# ---- README --------------------------------------------------------------------------------------

# block SECTION N: the Nth indented block below the heading "## SECTION"
block() {
    awk -v heading="## $1" -v want="$2" '
        /^##/ {inside = $0 == heading}
        !inside {next}
        /^    / {if (!on) n++; on = 1; if (n == want) print substr($0, 5); next}
        {on = 0}' "$readme"
}

test_command() { sed -n 's/^\*\*The test command is `\([^`]*\)`.*/\1/p' "$readme"; }

# Blocks that no case runs, or that no longer begin as the cases below expect, are found here.
blocks_are_known() {
    local got
    got=$(for s in "Try it" Installing; do
        for i in 1 2 3 4; do block "$s" $i | awk -v s="$s" 'NR == 1 {$1 = $1; print s ": " $1 (NF > 1 ? " " $2 : "")}'; done
    done)
    diff - <(echo "$got") <<'TEXT' && [ "$(test_command)" = "./quickstart check" ]
Try it: ./quickstart --once
Try it: ./quickstart
Try it: . .quickstart/env
Installing: sudo apt-get
Installing: sudo apt-get
Installing: ctctl login
TEXT
}

# ---- machines ------------------------------------------------------------------------------------

# machine NAME: a bare tree with git, a clone and a session of Claude Code, for root and for pat, who
# has sudo. What is tried is the files that git knows, as they are now.
machine() {
    layer "$1" "$trees/base"
    printf '#!/bin/sh\nexit 101\n' >"$trees/$1/usr/sbin/policy-rc.d"
    chmod 755 "$trees/$1/usr/sbin/policy-rc.d"
    mount -t proc proc "$trees/$1/proc" && mount --rbind /dev "$trees/$1/dev" &&
        mount -t tmpfs -o mode=1777 tmpfs "$trees/$1/tmp" || return 1
    cp /etc/hosts "$trees/$1/etc/hosts"
    take_debs "$1"
    in_tree "$1" apt-get -q update && apt_in "$1" install git || return 1
    if [ "$1" = user ]; then
        apt_in "$1" install sudo && in_tree "$1" useradd -m -s /bin/bash pat || return 1
        echo 'pat ALL=(ALL) NOPASSWD: ALL' >"$trees/$1/etc/sudoers.d/pat"
    fi
    local home=$trees/$1$(home_of "$1")
    mkdir -p "$home/clone" "$home/.claude/projects/-p"
    git -C "$CT_SRC" ls-files -z | tar -C "$CT_SRC" --null -T - -c | tar -C "$home/clone" -x || return 1
    printf '{"type":"user","uuid":"%s","timestamp":"2026-11-23T20:00:00.000Z","cwd":"/p",%s}\n' \
        6d0c1a52-7a3f-4c1e-9d55-0d7c3f0a1b2c '"message":{"role":"user","content":"hello"}' \
        >"$home/.claude/projects/-p/6d0c1a52-7a3f-4c1e-9d55-0d7c3f0a1b2c.jsonl"
    chown -R --reference="$home" "$home"
    as "$1" 'git init -q . && git add -A && git -c user.name=pat -c user.email=pat@example.org commit -qm all'
}

home_of() { if [ "$1" = user ]; then echo /home/pat; else echo /root; fi; }

# as NAME SCRIPT: in the clone, as who uses that machine. Root has no sudo, and README says so.
# Packages are asked for without questions; the compiler does not optimise, for that is not tried.
as() {
    local script=$2 who=root
    if [ "$1" = user ]; then
        who=pat
    else
        script=$(printf '%s\n' "$script" | sed 's/^sudo //')
    fi
    script=$(printf '%s\n' "$script" | sed 's/apt-get \(install\|build-dep\)/& -q -y/')
    in_tree "$1" setpriv --reuid=$who --regid=$who --init-groups env HOME="$(home_of "$1")" USER=$who \
        CFLAGS=-O0 MAKEFLAGS="${makeflags:-}" bash -ec "cd ~/clone
$script"
}

# ---- cases ---------------------------------------------------------------------------------------

once() { as "$1" "$(block "Try it" 1)"; }

# As once(), where one of the libraries that may be missing can't be had.
without_a_library() {
    local pin=$trees/$1/etc/apt/preferences.d/none status=0
    printf 'Package: libqrencode-dev\nPin: version *\nPin-Priority: -1\n' >"$pin"
    once "$1" >"$trees/$1.without" 2>&1 || status=$?
    rm "$pin"
    cat "$trees/$1.without"
    [ $status = 0 ] && grep 'Goes on without: *libqrencode-dev' "$trees/$1.without" || return 1
    as "$1" 'rm -r .quickstart'
}

# The live form stays until it is told to stop; meanwhile env brings ctctl to another shell.
live() {
    as "$1" "$(block "Try it" 2) >~/live.log 2>&1 & pid=\$!
        n=0
        until grep -q 'In another terminal' ~/live.log; do
            kill -0 \$pid && [ \$n -lt 600 ] || { cat ~/live.log; exit 1; }
            n=\$((n + 1)); sleep 0.1
        done
        status=0
        ($(block "Try it" 3) && ctctl list --json | grep -q synced) || status=\$?
        kill -TERM \$pid
        n=0
        while kill -0 \$pid 2>/dev/null; do
            n=\$((n + 1))
            [ \$n -lt 300 ] || { echo 'SIGTERM did not end it'; kill -KILL \$pid; exit 1; }
            sleep 0.1
        done
        exit \$status"
}

# What a test may not find here is what the kernel, the user or the samples don't give. A skip of cmocka
# has no reason: these are cases that need root, or a limit that the kernel keeps to itself.
may_be_skipped="kernel|Landlock|namespaces|strace (may not|is not allowed)|can.t be traced|can.t mount|IPv6"
may_be_skipped="$may_be_skipped|only root|needs root|sample data|CT_SAMPLES|public vectors|max_queued_events"
may_be_skipped="$may_be_skipped|nothing can be mounted|not allowed here|another_user|change_hands"
may_be_skipped="$may_be_skipped|unreadable_folder|small_queue|reached_watch_limit"

check() {
    local log=$trees/$1.check.out makeflags=
    [ "${CT_README:-short}" = full ] ||
        makeflags='-- TESTS=tests/house.sh\ tests/packages.sh\ tests/e2e/completion.bats\ tests/e2e/service.bats'
    as "$1" "$(test_command)" >"$log" 2>&1 || { cat "$log" && return 1; }
    cat "$log"
    tail -n 1 "$log" | grep -E '^[1-9][0-9]* passed, 0 failed, [0-9]+ skipped$' || return 1
    ! grep '^SKIP:' "$log" | grep -vE "$may_be_skipped"
}

installing() {
    as "$1" "$(block Installing 1)" && as "$1" 'cd / && codeteleportd --version && ctctl --version' || return 1
    as "$1" 'git status --porcelain' | tee "$trees/$1.dirty"
    [ ! -s "$trees/$1.dirty" ]
}

packages() {
    as "$1" "export DEB_CFLAGS_APPEND=-O0
$(block Installing 2)" && as "$1" 'cd / && /usr/bin/codeteleportd --version && /usr/bin/ctctl --version'
}

# ---- run -----------------------------------------------------------------------------------------

# try NAME FUNCTION MACHINE
try() {
    "$2" "${3:-}" >"$trees/${3:-readme}.$2.log" 2>&1
    verdict "$1" "$trees/${3:-readme}.$2.log" $?
}

main() {
    [ -e "$CT_SRC/.git" ] || skip "this is not a clone"
    make_base
    local all=${CT_README:-short}
    if [ "$all" = full ]; then echo 1..14; else echo 1..11; fi
    try "README has the commands that are tried here, and no others" blocks_are_known
    for m in root user; do
        try "$m: a bare machine gets git and a clone" machine $m
        [ $m = user ] ||
            try "$m: a library that may be missing is missing, and that is said" without_a_library $m
        try "$m: README's first command saves what is there" once $m
        try "$m: the live form stays, and env brings ctctl to another shell" live $m
        [ $m-$all = root-short ] ||
            try "$m: README's test command fails nowhere, and skips only what can't be had here" check $m
        [ $m-$all = user-short ] || try "$m: README makes Debian's packages, and they install" packages $m
        [ $m-$all = root-short ] ||
            try "$m: README builds and installs in the same clone, and leaves it clean" installing $m
        keep_debs $m
        umount -R "$trees/$m" && rm -rf --one-file-system "$trees/$m.up" "$trees/$m.work"
    done
    exit $failed
}

main # read whole before it begins: the file may change meanwhile
