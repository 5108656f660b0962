# What the tests of pull share: two machines with users of other names, and sessions.

# machine NAME: from here on we are the user NAME on a machine of that name
machine() {
    M=$T/$1
    export HOME=$M/home/$1
    export CLAUDE_CONFIG_DIR=$HOME/.claude CODETELEPORT_CONFIG_DIR=$HOME/.codeteleport
    export XDG_RUNTIME_DIR=$M/run XDG_STATE_HOME=$M/state XDG_CONFIG_HOME=$M/config
    export XDG_DATA_HOME=$M/data
    [ -d "$M" ] && return
    mkdir -p "$HOME" "$XDG_CONFIG_HOME/codeteleport" "$XDG_DATA_HOME"
    mkdir -m 700 "$CLAUDE_CONFIG_DIR" "$XDG_RUNTIME_DIR"
    conf "quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5; device_name = \"$1\";"
}

# two_machines [SERVER]: alice's, where the account is made, and bob's; SERVER is the function that
# starts one
two_machines() {
    T=$(mktemp -d "${TMPDIR:-/tmp}/ct.XXXXXX")
    export NO_COLOR=1 LC_ALL=C.UTF-8 TZ=UTC
    unset NOTIFY_SOCKET CTCTL_SOCKET CODETELEPORT_API_URL CODETELEPORT_CA_FILE CODETELEPORT_CONFIG_FILE
    machine alice
    "${1:-start_server}"
    log_in
    machine bob
    printf 'correct horse battery' | ctctl login --email me@example.org --password-stdin \
        --api-url "$API" >>"$T/login.log" 2>&1
    machine alice
}

# session WHAT ARGUMENTS: -S, for what other packages bring along at each start takes longer than all else
session() { python3 -S "$CT_SRC/tests/e2e/tools/make_session.py" "$@"; }

# push: everything of this machine
push() {
    codeteleportd --once >>"$T/once.log" 2>&1 || {
        tail -n 20 "$T/once.log"
        return 1
    }
}

# project DIR: a project folder in this home
project() {
    mkdir -p "$HOME/$1"
    echo "$HOME/$1"
}

# encoded DIR: Claude Code's name of its project folder
encoded() { sed 's/[^a-zA-Z0-9]/-/g' <<<"$1"; }

# here ID: the one transcript of the session on this machine
here() {
    local all
    all=$(find "$CLAUDE_CONFIG_DIR/projects" -name "$1.jsonl" 2>/dev/null)
    [ "$(grep -c . <<<"$all")" = 1 ] || {
        echo "not one transcript: $all"
        return 1
    }
    echo "$all"
}

# pulled ARGUMENTS: ctctl --json pull, its outcome
pulled() {
    ctctl --json pull "$@" >"$T/pull.json" && jq -r .outcome "$T/pull.json"
}

# saved_by_alice: a session $ID of hers, in $W, is in the cloud; this is bob's machine, and $B is his folder
saved_by_alice() {
    two_machines
    ID=$(new_id)
    W=$(project src/web.app)
    session new "$CLAUDE_CONFIG_DIR" "$W" "$ID" 2
    push
    machine bob
    B=$(project src/web.app)
}

# talk [FILE]: a transcript without its modes, which a pull sets
talk() { grep -v '"type":"\(permission-\)\?mode"' "$@"; }

# tree: what lies in the data folder, without what nobody is to see, and without whose each session is,
# which is noted before anything else and stays
tree() { session tree "$CLAUDE_CONFIG_DIR" | sed '/ \.codeteleport\/origins\//d'; }

# third NAME: one more machine, logged in
third() {
    machine "$1"
    printf 'correct horse battery' | ctctl login --email me@example.org --password-stdin \
        --api-url "$API" >>"$T/login.log" 2>&1
}

# stock_upload ID CWD FILE: a stock client's upload of the transcript FILE, which says nothing of what it builds on
stock_upload() {
    local sum answer version
    session stock "$T/stock.tgz" "$2" "$1" "$3"
    sum=sha256:$(sha256sum "$T/stock.tgz" | cut -d' ' -f1)
    answer=$(api POST /sessions/upload -d "$(jq -nc --arg id "$1" --arg cwd "$2" --arg home "$HOME" \
        --arg sum "$sum" --argjson size "$(stat -c %s "$T/stock.tgz")" \
        '{sessionId: $id, sourceMachine: "stock", sourceCwd: $cwd, sourceUserDir: $home, checksum: $sum,
          sizeBytes: $size, metadata: {messageCount: 4}}')")
    version=$(jq .version <<<"$answer")
    curl -sS --fail-with-body --cacert "$CA" -T "$T/stock.tgz" -H 'Content-Type: application/gzip' \
        "$(jq -r .uploadUrl <<<"$answer")"
    api POST "/sessions/$1/confirm" -d "{\"version\":$version,\"checksum\":\"$sum\"}"
}
