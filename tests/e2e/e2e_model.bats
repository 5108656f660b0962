#!/usr/bin/env bats
# Random histories of three machines against an oracle (tests/e2e/tools/story_model.py): news that was
# confirmed once is in the current version, a head, the trash or a folder of kept versions, and pull
# takes it or names it.  The seed is printed; CT_SEED repeats it, or plays another.  In full 10,000 steps.

load lib

setup() {
    T=$(mktemp -d "${TMPDIR:-/tmp}/ct.XXXXXX")
    export TMPDIR=$T
    # The short form is the same each time: what random histories find is looked for by --full.
    SEED=${CT_SEED:-1000}
    [ -n "${CT_SEED:-}" ] || [ "${CT_FULL:-}" != yes ] || SEED=$((RANDOM * 32768 + RANDOM))
}

teardown() {
    rm -rf "$T"
}

# plays SHORT FULL OPTIONS...: so many steps
plays() {
    local steps=$1 runs=1 i
    [ "${CT_FULL:-}" != yes ] || runs=$(($2 / 250)) steps=250
    shift 2
    for ((i = 0; i < runs; i++)); do
        echo "# seed $((SEED + i)), $steps steps: $*" >&3
        python3 -S "$CT_SRC/tests/e2e/tools/story_model.py" --seed "$((SEED + i))" --steps "$steps" "$@" || return
    done
}

@test "three machines and a server of ours: no version that holds less hides one that holds more" {
    plays 35 4000
}

@test "... in a sealed account" {
    plays 20 2500 --sealed
}

@test "... with a server that is not ours" {
    plays 20 1000 --server stock
}

@test "... and both" {
    plays 10 500 --server stock --sealed
}

# two OPTIONS...: on a real libSQL server and a real S3, which take long to start
two() {
    [ "${CT_FULL:-}" = yes ] || skip "in full only"
    local rc=0
    plays 0 "$1" --server two "${@:2}" >"$T/out" 2>&1 || rc=$?
    cat "$T/out"
    [ "$rc" != 77 ] || skip "$(tail -n 1 "$T/out")"
    return "$rc"
}

@test "... with two processes of ours on one database" {
    two 1250
}

@test "... and in a sealed account" {
    two 750 --sealed
}
