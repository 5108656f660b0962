#!/usr/bin/env bats
# Folders on another disk: symbolic links at projects and below it are followed, watched and restored as such;
# whatever else can't be taken is named.

load lib
load pull_lib

setup() {
    two_machines
    ID=$(new_id)
    W=$(project src/web.app)
    DISK=$T/disk
    mkdir -m 700 "$DISK"
    # another file system, where there is one to write to
    OTHER=$DISK
    if [ -w /dev/shm ]; then OTHER=$(mktemp -d /dev/shm/ct.XXXXXX); fi
}

teardown() {
    end_home
    [ "$OTHER" = "$DISK" ] || rm -rf "$OTHER"
}

is_safe() { versions_are "$1" "${2:-1}"; }

said() { grep -q "$1" "$T/daemon.log"; }

@test "a linked project folder is saved, also one that comes and goes on while the daemon runs" {
    mkdir "$DISK/one"
    mkdir -p "$CLAUDE_CONFIG_DIR/projects"
    ln -s "$DISK/one" "$CLAUDE_CONFIG_DIR/projects/-home-al-one"
    line first >"$DISK/one/$ID.jsonl"
    start_daemon
    within is_safe "$ID"
    line second >>"$DISK/one/$ID.jsonl"
    within is_safe "$ID" 2
    # one that the sandbox does not know
    local later=$(new_id)
    mkdir "$DISK/two"
    line other >"$DISK/two/$later.jsonl"
    ln -s "$DISK/two" "$CLAUDE_CONFIG_DIR/projects/-home-al-two"
    within is_safe "$later"
    within status_is '.problems | length' 0
}

@test "projects itself may be a link, and polling sees through it too" {
    conf "quiet = 0.3; turn_quiet = 0.1; distance = 0; polling = true;"
    mkdir -p "$DISK/projects/-home-al-p"
    ln -s "$DISK/projects" "$CLAUDE_CONFIG_DIR/projects"
    line first >"$DISK/projects/-home-al-p/$ID.jsonl"
    start_daemon
    within is_safe "$ID"
    line second >>"$DISK/projects/-home-al-p/$ID.jsonl"
    within is_safe "$ID" 2
}

@test "pull writes through links, to another file system too, and leaves nothing else there" {
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 3
    push
    machine bob
    project src/web.app
    ln -s "$OTHER" "$CLAUDE_CONFIG_DIR/projects"
    [ "$(pulled "$ID")" = installed ]
    [ -L "$CLAUDE_CONFIG_DIR/projects" ]
    diff <(cd "$CLAUDE_CONFIG_DIR" && find -L . -type f -not -path "./.codeteleport/*" | sed "s|./projects/[^/]*|P|" | sort) \
        <(cd "$T/alice/home/alice/.claude" && find . -type f | sed "s|./projects/[^/]*|P|" | sort)
    [ -z "$(find "$OTHER" -name '.codeteleport*')" ]
    # and what goes on elsewhere replaces it there, with a backup where it is due
    machine alice
    session add "$CLAUDE_CONFIG_DIR" "$ID" "more"
    push
    machine bob
    [ "$(pulled "$ID")" = updated ]
    grep -q '"more"\|more' "$OTHER"/*/"$ID".jsonl
    [ "$(pulled "$ID" --force)" != "" ]
    [ -z "$(find "$OTHER" -name '.codeteleport*')" ]
    ctctl verify "$ID"
}

@test "a session moves between a linked project folder and another one, whole" {
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 3
    push
    machine bob
    local old=$(project old) name
    mkdir "$OTHER/old"
    mkdir -p "$CLAUDE_CONFIG_DIR/projects"
    name=$(encoded "$old")
    ln -s "$OTHER/old" "$CLAUDE_CONFIG_DIR/projects/$name"
    pulled "$ID" --target-dir "$old"
    [ -f "$OTHER/old/$ID.jsonl" ]
    project src/web.app
    pulled "$ID" --target-dir "$HOME/src/web.app"
    [ ! -e "$OTHER/old/$ID.jsonl" ]
    [ -z "$(find "$OTHER/old/$ID" -type f 2>/dev/null)" ]
    diff <(cd "$CLAUDE_CONFIG_DIR" && find . \( -path ./.codeteleport -o -name codeteleport-other \) -prune -o -type f -print | sed "s|./projects/[^/]*|P|" | sort) \
        <(cd "$T/alice/home/alice/.claude" && find . -type f | sed "s|./projects/[^/]*|P|" | sort)
}

@test "what can't be taken is a problem with its cure, in status and doctor, and never a green tick" {
    line one >"$(transcript "$ID")"
    mkdir "$DISK/results" "$HOME/.ssh"
    mkdir "$CLAUDE_CONFIG_DIR/projects/-home-al-p/$ID"
    ln -s "$DISK/results" "$CLAUDE_CONFIG_DIR/projects/-home-al-p/$ID/tool-results"
    ln -s "$HOME/.ssh" "$CLAUDE_CONFIG_DIR/projects/-home-al-keys"
    ln -s "$DISK/away" "$CLAUDE_CONFIG_DIR/projects/-home-al-away"
    start_daemon
    within is_safe "$ID"
    within status_is .watch.untaken 3
    run ctctl status
    [[ $output == *"NOT SAFE: 3 files or folders"* ]]
    [[ $output == *"tool-results"*"not followed there"*"What to do"* ]]
    [[ $output == *"-home-al-keys"*"credentials"* ]]
    [[ $output == *"-home-al-away"*"nothing that is there"* ]]
    ! ctctl status --check || false
    run ctctl doctor
    [ "$status" -ne 0 ]
    [[ $output == *"problems"*"can't be saved"*"2 more"* ]]
    # mended, it is over
    rm "$CLAUDE_CONFIG_DIR/projects/-home-al-p/$ID/tool-results" "$CLAUDE_CONFIG_DIR"/projects/-home-al-{keys,away}
    within status_is .watch.untaken 0
    within status_is '.problems | length' 0
}

@test "what a user may not read is NOT SAFE, by name, with the cure, and heals" {
    local somebody=() q p=$CLAUDE_CONFIG_DIR/projects
    line one >"$(transcript "$ID")"
    mkdir -p "$p/-locked" "$p/-home-al-p/$ID/tool-results"
    line hidden >"$p/-locked/$(new_id).jsonl"
    echo result >"$p/-home-al-p/$ID/tool-results/r.txt"
    chmod 000 "$p/-locked" "$p/-home-al-p/$ID/tool-results/r.txt"
    # root may read anything
    if [ "$(id -u)" = 0 ]; then
        command -v setpriv >/dev/null || skip "nobody can be somebody else here"
        chown -R 65534:65534 "$T"
        somebody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
        "${somebody[@]}" test -x "$CT_BUILD" || skip "the build folder is not everybody's to read"
    fi
    "${somebody[@]}" codeteleportd -v >>"$T/daemon.log" 2>&1 3>&- &
    DAEMON_PID=$! STARTED_PID=$!
    as_user() { "${somebody[@]}" ctctl "$@"; }
    counted() { [ "$(as_user --json status | jq .watch.untaken)" = "$1" ]; }
    within counted 2
    as_user sync --wait || true
    run as_user status
    [[ $output == *"NOT SAFE: 2 files or folders"* ]]
    [[ $output == *"-locked"*"the folder can't be read"*"chmod u+rx"* ]]
    ! as_user status --check || false
    run as_user doctor
    [[ $output == *"problems"*"can't be saved"*"1 more"* ]]
    chmod -R u+rwX "$CLAUDE_CONFIG_DIR"
    healed() { as_user sync --wait && counted 0; }
    within healed
    [ "$(as_user --json list | jq length)" = 2 ]
}
