#!/usr/bin/env bats
# What the shells offer after "ctctl".

load lib

setup() {
    make_home
    : >"$T/none.log"
    COMPLETION=$CT_SRC/ctctl/completion
}

teardown() {
    end_home
}

# in_bash WORDS...: what bash's completion offers for the last of them, with COMP_TYPE from $KEY
in_bash() {
    bash --norc --noprofile -c '
        . "$1"
        shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=${KEY:-9}
        "$(complete -p ctctl | sed "s/.*-F \([^ ]*\).*/\1/")"
        printf "%s\n" "${COMPREPLY[@]}"' - "$COMPLETION/ctctl" "$@"
}

with_session() {
    start_server
    log_in
    ID=$(new_id)
    line 'a title: with $signs' >"$(transcript "$ID")"
    start_daemon
    ctctl sync --wait
}

@test "bash offers verbs, and the options of each" {
    [ "$(in_bash ctctl ver | sort | tr '\n' ' ')" = 'verify versions ' ]
    [ "$(in_bash ctctl list --pro)" = --project ]
    in_bash ctctl login -- | grep -qx -- --password-stdin
    in_bash ctctl --socket /x stat | grep -qx status
    in_bash ctctl -- | grep -qx -- --version
    in_bash ctctl delete -- | grep -qx -- --older-than
    in_bash ctctl help sy | grep -qx sync
    KEY=63 in_bash ctctl ver | grep -q 'versions  (.*cloud'
}

@test "every option that is offered is one that the verb takes" {
    local verb option
    for verb in $(in_bash ctctl ''); do
        [ "$verb" != help ] || continue
        for option in $(in_bash ctctl "$verb" -); do
            case $option in -*) ;; *) continue ;; esac
            run ctctl "$verb" "$option" --help
            ! grep -q 'no option' <<<"$output" || {
                echo "$verb $option: $output"
                return 1
            }
        done
    done
}

@test "every help has examples, each of its own verb, on lines that a terminal shows" {
    local verb
    for verb in $(in_bash ctctl ''); do
        [ "$verb" != help ] || continue
        ctctl "$verb" --help | sed -n '/^Examples\?:$/,$p' >"$T/examples"
        grep -qE "ctctl( $verb|  *#)" "$T/examples" || {
            echo "$verb has no example"
            return 1
        }
        [ "$(grep -c '  # ' "$T/examples")" = "$(($(wc -l <"$T/examples") - 1))" ]
        ! ctctl "$verb" --help | awk 'length > 92' | grep . || false
    done
}

@test "bash offers sessions by their short ids, projects, files and folders" {
    with_session
    [ "$(in_bash ctctl show '')" = "${ID:0:8}" ]
    [ "$(in_bash ctctl show "${ID:0:10}")" = "$ID" ]
    [ "$(in_bash ctctl versions "${ID:0:3}")" = "${ID:0:8}" ]
    [ "$(in_bash ctctl pull '')" = "${ID:0:8}" ]
    [ "$(in_bash ctctl list --project p)" = p ]
    [ "$(in_bash ctctl list --project = p)" = p ]
    mkdir "$T/some folder" && touch "$T/some file"
    [ "$(in_bash ctctl import "$T/some fi")" = "$T/some file" ]
    [ "$(in_bash ctctl exclude "$T/some")" = "$T/some folder" ]
}

@test "without a daemon or a log-in nothing is offered, and nothing said" {
    run in_bash ctctl show ''
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    run in_bash ctctl versions ''
    [ -z "$output" ]
}

@test "fish offers verbs with what they are, options, and sessions with their titles" {
    command -v fish >/dev/null || skip "fish is not here"
    with_session
    in_fish() { fish --no-config -c "source '$COMPLETION/ctctl.fish'; complete -C '$1'"; }
    in_fish 'ctctl versi' | grep -q "^versions$(printf '\t')the versions"
    in_fish 'ctctl list --pro' | grep -q '^--project'
    in_fish 'ctctl show ' | grep -q "^${ID:0:8}$(printf '\t')a title: with"
}

# in_bash_of PROGRAM WORDS...: the same of daemon and server, whose completion is made from --help
in_bash_of() {
    sed "s/@PROGRAM@/$1/g" "$COMPLETION/help.bash" >"$T/$1.bash"
    bash --norc --noprofile -c '
        . "$1"
        shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        "_$1"
        printf "%s\n" "${COMPREPLY[@]}"' - "$T/$1.bash" "$@"
}

@test "bash, zsh and fish offer what daemon and server take" {
    local s
    [ "$(in_bash_of codeteleportd codeteleportd --o)" = --once ]
    [ -z "$(in_bash_of codeteleportd codeteleportd '')" ]
    [ "$(in_bash_of codeteleport-server codeteleport-server u | tr '\n' ' ')" = 'undelete user ' ]
    [ "$(in_bash_of codeteleport-server codeteleport-server --data /x user '' | tr '\n' ' ')" = \
        'add allow delete disable enable list passwd revoke show ' ]
    [ "$(in_bash_of codeteleport-server codeteleport-server --dat)" = --data ]
    [ -z "$(in_bash_of codeteleport-server codeteleport-server --data '')" ]
    # a word that is offered is one that the program knows
    for s in $(in_bash_of codeteleport-server codeteleport-server ''); do
        run codeteleport-server --data "$T/none" "$s" --no-such
        ! grep -qi 'no verb' <<<"$output" || false
    done
    if command -v fish >/dev/null; then
        sed 's/@PROGRAM@/codeteleport-server/g' "$COMPLETION/help.fish" >"$T/s.fish"
        [ "$(fish --no-config -c "source '$T/s.fish'; complete -C 'codeteleport-server us'")" = user ]
        fish --no-config -c "source '$T/s.fish'; complete -C 'codeteleport-server user '" | grep -qx passwd
        [ "$(fish --no-config -c "source '$T/s.fish'; complete -C 'codeteleport-server --dat'")" = --data ]
    fi
    if command -v zsh >/dev/null; then
        export ZDOTDIR=$T/zsh
        mkdir "$ZDOTDIR"
        sed 's/@PROGRAM@/codeteleport-server/g' "$COMPLETION/help.zsh" >"$ZDOTDIR/_codeteleport-server"
        printf '%s\n' "fpath=('$ZDOTDIR' \$fpath)" 'autoload -Uz compinit' 'compinit -u -D' \
            "PS1='READY> '" >"$ZDOTDIR/.zshrc"
        TYPIST_TERM=dumb python3 -S "$CT_SRC/tests/e2e/tools/typist.py" 'READY> ' \
            'codeteleport-server us\tpass\t' 'passwd ' '\x15exit\n' \
            -- zsh -i +o promptsp
    fi
}

@test "zsh completes verbs and sessions" {
    command -v zsh >/dev/null || skip "zsh is not here"
    with_session
    export ZDOTDIR=$T/zsh
    mkdir "$ZDOTDIR"
    printf '%s\n' "fpath=('$COMPLETION' \$fpath)" 'autoload -Uz compinit' 'compinit -u -D' \
        "PS1='READY> '" >"$ZDOTDIR/.zshrc"
    in_zsh() {
        TYPIST_TERM=dumb python3 -S "$CT_SRC/tests/e2e/tools/typist.py" 'READY> ' "$1" "$2" '\x15exit\n' \
            -- zsh -i +o promptsp
    }
    in_zsh 'ctctl versi\t' 'ctctl versions '
    in_zsh 'ctctl show \t' "ctctl show ${ID:0:8}"
    in_zsh 'ctctl ver\t\t' 'the versions of one session'
}

@test "a machine or a project that is called like a command is a word, and runs nothing" {
    local word
    export PWNED=$T/pwned
    start_server
    conf 'quiet = 0.3; device_name = "$(touch${IFS}$PWNED)";'
    log_in
    mkdir -p "$CLAUDE_CONFIG_DIR/projects/-x"
    ID=$(new_id)
    printf '{"type":"user","uuid":"%s","cwd":"/x/`touch${IFS}$PWNED`;touch${IFS}$PWNED","sessionId":"%s","message":{"role":"user","content":"word"}}\n' \
        "$(new_id)" "$ID" >"$CLAUDE_CONFIG_DIR/projects/-x/$ID.jsonl"
    start_daemon
    ctctl sync --wait
    word=$(in_bash ctctl list --machine '')
    [ -n "$word" ]
    eval "printf '%s\n' $word" | grep -qxF '$(touch${IFS}$PWNED)'
    KEY=63 in_bash ctctl list --machine '' | grep -qF '\$\(touch'
    in_bash ctctl list --project '' | while read -r word; do
        eval "printf '%s\n' $word"
    done | grep -qF '`touch'
    [ ! -e "$PWNED" ]
}
