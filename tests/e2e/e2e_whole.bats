#!/usr/bin/env bats
# All that belongs to a session is saved with it and comes home with it.

load lib
load pull_lib

setup() {
    two_machines
    conf 'quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5; device_name = "alice"; amend = false;'
}

teardown() {
    end_home
}

# talk: a new session; its id in ID, its transcript in F
talk() {
    ID=$(new_id)
    F=$(transcript "$ID")
    line hello | sed 's/"type":"user"/&,"slug":"calm-blue-fox"/' >"$F"
}

# put PATH TEXT: a file below the data folder
put() {
    mkdir -p "$(dirname "$CLAUDE_CONFIG_DIR/$1")"
    printf %s "$2" >"$CLAUDE_CONFIG_DIR/$1"
}

# comes_home PATH...: all of them are with bob after a pull of everything
comes_home() {
    local p
    ctctl sync --wait
    machine bob
    ctctl pull --all
    for p in "$@"; do
        cmp "$T/alice/home/alice/.claude/$p" "$CLAUDE_CONFIG_DIR/$p"
    done
    machine alice
}

# entries: of the newest version of ID
entries() {
    ctctl export "$ID" -o - | tar -tz
}

@test "one id in two folders: what the chosen transcript lacks is saved beside it, and stays with it" {
    local other q
    ID=$(new_id)
    F=$(transcript "$ID")
    q=$(transcript "$ID" -home-al-q)
    { line one; line two; line three; } >"$F"
    head -n 1 "$F" >"$q"
    line OTHER >>"$q"
    start_daemon
    ctctl sync --wait
    fetch "$ID" "$T/x.tgz"
    tar -xzOf "$T/x.tgz" session.jsonl | cmp - "$F"
    # so are files of one name in the folders beside them, unless one begins with the other
    put "projects/-home-al-p/$ID/subagents/agent-s.jsonl" "$(line ONESUB)"
    put "projects/-home-al-q/$ID/subagents/agent-s.jsonl" "$(line TWOSUB)"
    put "projects/-home-al-p/$ID/tool-results/t.txt" 'some of it'
    put "projects/-home-al-q/$ID/tool-results/t.txt" 'some of it and more'
    ctctl sync --wait
    fetch "$ID" "$T/x.tgz"
    [ "$(tar -xzOf "$T/x.tgz" | grep -oE 'ONESUB|TWOSUB|some of it' | sort | tr '\n' ' ')" = 'ONESUB TWOSUB some of it ' ]
    [ "$(ctctl --json show "$ID" | jq '.skipped | length')" = 0 ]
    rm -r "$CLAUDE_CONFIG_DIR/projects/-home-al-p/$ID" "$CLAUDE_CONFIG_DIR/projects/-home-al-q/$ID"
    ctctl sync --wait
    fetch "$ID" "$T/x.tgz"
    other=$(tar -tzf "$T/x.tgz" | grep codeteleport-other)
    tar -xzOf "$T/x.tgz" "$other" | cmp - <(tail -n 1 "$q")
    COLUMNS=200 ctctl show "$ID" | grep -q 'Also at .*-home-al-q.*1 record of conversation that the transcript lacks'
    [ "$(ctctl --json list | jq -r '[.[] | select(.state == "duplicate")] | length')" = 0 ]
    [ "$(ctctl --json verify "$ID" | jq -r ".. | .local? // empty")" = same ]
    # it grows beyond the chosen one, which stays chosen as long as it has what the other lacks
    for i in 1 2 3 4 5; do line "OTHER $i" >>"$q"; done
    ctctl sync --wait
    fetch "$ID" "$T/y.tgz"
    tar -xzOf "$T/y.tgz" session.jsonl | cmp - "$F"
    tar -xzOf "$T/y.tgz" "$other" | cmp - <(tail -n +2 "$q")
    # with bob it goes on, and comes back: nobody holds less, and nobody has diverged
    machine bob
    mkdir -p "$HOME/p"
    (cd "$HOME/p" && ctctl pull "$ID")
    line "bob goes on" >>"$(here "$ID")"
    grep -q 'OTHER 5' "$(dirname "$(here "$ID")")/$ID/codeteleport-other/"*
    push
    [ "$(entries | grep codeteleport-other)" = "$other" ]
    [ "$(ctctl --json verify "$ID" | jq -r ".. | .local? // empty")" = same ]
    machine alice
    [ "$(ctctl --json verify "$ID" | jq -r ".. | .local? // empty")" = cloud-newer ]
    mkdir -p "$HOME/p"
    (cd "$HOME/p" && ctctl pull "$ID")
    grep -q 'bob goes on' "$(here "$ID")"
    grep -q 'OTHER 5' "$(dirname "$(here "$ID")")/$ID/codeteleport-other/"*
}

spooled() {
    find "$XDG_STATE_HOME" -path '*/spool/*' -type f | grep -q .
}

# said CWD TEXT: one record that was said in that folder
said() { line "$2" | sed "s|\"cwd\":\"[^\"]*\"|\"cwd\":\"$1\"|"; }

# stored: all that the store holds, as text
stored() {
    find "$T" -path '*objects*' -type f -exec sh -c 'gzip -dc "$1" 2>/dev/null' - {} \;
}

# kept: every OPEN word left this machine (how many), no SECRET one did
kept() {
    stored >"$T/stored"
    grep -a -o 'SECRET[-a-z]*' "$T/stored" && return 1
    grep -a -o 'OPEN[-a-z]*' "$T/stored" | sort -u >"$T/open"
    [ "$(wc -l <"$T/open")" = "$1" ] || {
        cat "$T/open"
        return 1
    }
}

# names ID PATH: `show` names what stays here, by the end of its path
names() { [ "$(ctctl --json show "$1" | jq --arg p "$2" '[.skipped[].path | select(endswith($p))] | length')" -ge 1 ]; }

@test "what is excluded leaves by no way: by folder, by the folder that its records name, or by id" {
    local open=$HOME/open secret=$HOME/secret p s copies by_id=$(new_id) fork=$(new_id) lone=$(new_id) went=$(new_id) long=$(new_id) by late=$(new_id) by_sub=$(new_id)
    local i id word paste folder
    p=$(encoded "$open") s=$(encoded "$secret")
    copies=$(new_id) by=$(new_id)
    mkdir -p "$open" "$secret"
    conf 'quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5; device_name = "alice"; profile = true;'
    start_daemon
    ctctl exclude "$secret"
    ctctl exclude "$by_id"
    stop_daemon
    # copies of an open session, and what lies beside them: in the excluded folder's place, in a place of
    # any name, put aside
    { said "$open" OPEN-session; said "$open" OPEN-too; said "$open" OPEN-more; } >"$(transcript "$copies" "$p")"
    put "projects/$p/$copies/tool-results/t.txt" OPEN-result
    said "$secret" SECRET-folder-copy >"$(transcript "$copies" "$s")"
    put "projects/$s/$copies/tool-results/t.txt" SECRET-folder-result
    { said "$open" OPEN-session; said "$secret" SECRET-cwd-copy; } >"$(transcript "$copies" -elsewhere)"
    put "projects/-elsewhere/$copies/tool-results/t.txt" SECRET-cwd-result
    put "projects/-other/$copies/subagents/agent-a.jsonl" "$(said "$secret" SECRET-cwd-agent)
"
    put "projects/-other/$copies/tool-results/o.txt" SECRET-cwd-agents-result
    put "projects/-third/$copies/tool-results/o.txt" OPEN-elsewhere
    said "$open" OPEN-copy >"$(transcript "$copies" -fourth)"
    said "$secret/x" SECRET-cwd-aside >"$CLAUDE_CONFIG_DIR/projects/$p/$copies.jsonl.superseded-1796000000000"
    # the only one, the longest one, and one that went there
    said "$secret" SECRET-cwd-session >"$(transcript "$lone" -lone)"
    { said "$open" SECRET-begin; said "$secret" SECRET-went; } >"$(transcript "$went" -went)"
    said "$open" SECRET-short >"$(transcript "$long" "$p")"
    { said "$secret" SECRET-long; said "$secret" SECRET-longer; } >"$(transcript "$long" -long)"
    # memory, a plan, prompts, pastes and results of them with a neighbour
    put projects/-lone/memory/MEMORY.md '- SECRET-cwd-memory'
    said "$open" OPEN-neighbour >"$(transcript "$by" -lone)"
    mkdir -p "$CLAUDE_CONFIG_DIR/projects/-ids"
    said "$open" SECRET-by-id | sed 's/"type":"user"/&,"slug":"its-plan"/' >"$(transcript "$by_id" -ids)"
    put plans/its-plan.md SECRET-plan
    put projects/-ids/memory/MEMORY.md '- SECRET-id-memory'
    put "projects/-ids/$by_id/tool-results/r.txt" SECRET-id-result
    { said "$open" OPEN-fork | sed 's/"type":"user"/&,"slug":"its-plan"/'
        said "$open" "/x/$by_id/tool-results/r.txt"; } >"$(transcript "$fork" -ids)"
    # the same of one whose plan comes late, and of one that went there
    { said "$open" SECRET-late-begin
        for i in $(seq 40); do said "$open" "$(head -c 1000 /dev/zero | tr '\0' x)"; done
        said "$open" SECRET-late | sed 's/"type":"user"/&,"slug":"late-plan"/'
        said "$secret" SECRET-late-end | sed 's/"type":"user"/&,"slug":"late-plan"/'; } >"$(transcript "$late" -late)"
    put plans/late-plan.md SECRET-late-plan
    put projects/-late/memory/MEMORY.md '- SECRET-late-memory'
    put "projects/-late/$late/tool-results/r.txt" SECRET-late-result
    # and of one in an unrelated place, of which nobody has heard yet: it is the oldest, so bundled last
    { said "$secret" SECRET-far | sed 's/"type":"user"/&,"slug":"far-plan"/'; } >"$(transcript "$(new_id)" -far)"
    touch -d '-2 days' "$CLAUDE_CONFIG_DIR"/projects/-far/*.jsonl
    put plans/far-plan.md SECRET-far-plan
    # or that only its subagent names
    said "$secret" SECRET-sub >"$(transcript "$by_sub" -sub)"
    put "projects/-sub/$by_sub/subagents/agent-a1.jsonl" "$(said "$secret" SECRET-sub-agent | sed 's/"type":"user"/&,"slug":"sub-plan"/')
"
    put plans/sub-plan.md SECRET-sub-plan
    said "$open" OPEN-sub | sed 's/"type":"user"/&,"slug":"sub-plan"/' >"$(transcript "$(new_id)" "$p")"
    said "$open" OPEN-far | sed 's/"type":"user"/&,"slug":"far-plan"/' >"$(transcript "$(new_id)" "$p")"
    { said "$open" OPEN-late | sed 's/"type":"user"/&,"slug":"late-plan"/'
        said "$open" "/x/$late/tool-results/r.txt"; } >"$(transcript "$(new_id)" -late)"
    put paste-cache/aaaaaaaaaaaaaaaa.txt SECRET-paste
    put paste-cache/bbbbbbbbbbbbbbbb.txt SECRET-cwd-paste
    put paste-cache/cccccccccccccccc.txt OPEN-paste
    for i in "$by_id SECRET-id-prompt aaaaaaaaaaaaaaaa $open" "$fork SECRET-cwd-prompt bbbbbbbbbbbbbbbb $secret/y" \
        "$fork OPEN-prompt cccccccccccccccc $open"; do
        read -r id word paste folder <<<"$i"
        printf '{"display":"%s","pastedContents":{"1":{"id":1,"type":"text","contentHash":"%s"}},"timestamp":1,"project":"%s","sessionId":"%s"}\n' \
            "$word" "$paste" "$folder" "$id"
    done >"$CLAUDE_CONFIG_DIR/history.jsonl"
    start_daemon
    ctctl sync --wait
    kept 13
    names "$copies" "$s/$copies.jsonl"
    names "$copies" "$s/$copies/tool-results/t.txt"
    names "$copies" "-elsewhere/$copies.jsonl"
    names "$copies" "-elsewhere/$copies/tool-results/t.txt"
    names "$copies" "-other/$copies/subagents/agent-a.jsonl"
    names "$copies" .superseded-1796000000000
    names "$by" -lone/memory/MEMORY.md
    names "$fork" -ids/memory/MEMORY.md
    names "$fork" plans/its-plan.md
    names "$fork" tool-results/r.txt
    names "$fork" history.jsonl
    for i in "$lone" "$went" "$long" "$by_id" "$late"; do
        [ "$(ctctl --json show "$i" | jq -r .state)" = excluded ]
    done
    # what waits when it is said does not leave either
    ctctl pause
    mkdir -p "$HOME/later"
    said "$HOME/later" SECRET-later >"$(transcript "$copies" -later)"
    within spooled
    ctctl exclude "$HOME/later"
    ctctl resume
    ctctl sync --wait
    kept 13
    names "$copies" "-later/$copies.jsonl"
}

@test "a copy that is all in the other is a duplicate, and a copy put aside is saved if it has more" {
    ID=$(new_id)
    F=$(transcript "$ID")
    { line one; line two; } >"$F"
    head -n 1 "$F" >"$(transcript "$ID" -home-al-q)"
    head -n 1 "$F" >"$F.superseded-1796000000000"
    start_daemon
    ctctl sync --wait
    [ "$(entries | grep -c codeteleport-other)" = 0 ]
    [ "$(ctctl --json list | jq -r '[.[] | select(.state == "duplicate")] | length')" = 2 ]
    { head -n 1 "$F"; line ASIDE; } >"$F.superseded-1796000000001"
    within versions_are "$ID" 2
    [ "$(entries | grep -c codeteleport-other)" = 1 ]
    # a copy with more takes over once it has all
    { cat "$F"; line three; } >"$(transcript "$ID" -home-al-q)"
    within versions_are "$ID" 3
    ctctl export "$ID" -o - | tar -xzO session.jsonl | grep -q three
    ctctl export "$ID" -o - | tar -xzO --wildcards 'session-subdir/codeteleport-other/*' | grep -q ASIDE
}

# below FOLDER BRANCH: a new session of that folder; its id in ID, its transcript in F
below() {
    ID=$(new_id)
    F=$(transcript "$ID" "$(encoded "$1")")
    line hello | sed "s#/home/al/p#$1#; s/\"type\":\"user\"/&,\"gitBranch\":\"$2\"/" >"$F"
}

@test "one id in two data folders: neither is lost, and what was chosen stays chosen" {
    local r2=$HOME/r2 F2
    conf "quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5; amend = false; roots = (\"$CLAUDE_CONFIG_DIR\", \"$r2\");"
    ID=$(new_id)
    F=$(transcript "$ID")
    F2=$r2/projects/-home-al-p/$ID.jsonl
    mkdir -p -m 700 "$r2/projects/-home-al-p/$ID/subagents"
    { line R1ONLY; line x; } >"$F"
    line R2ONLY | sed 's/"type":"user"/&,"slug":"calm-blue-fox"/' >"$F2"
    mkdir -p "$r2/plans"
    echo 'of the other' >"$r2/plans/calm-blue-fox.md"
    put "projects/-home-al-p/$ID/subagents/agent-s.jsonl" "$(line ONESUB)"
    line TWOSUB >"$r2/projects/-home-al-p/$ID/subagents/agent-s.jsonl"
    mkdir -p "$r2/projects/-home-al-p/memory"
    echo '- of the other' >"$r2/projects/-home-al-p/memory/MEMORY.md"
    printf '{"display":"x","pastedContents":{},"timestamp":1,"project":"/home/al/p","sessionId":"%s"}\n' "$ID" >"$r2/history.jsonl"
    start_daemon
    ctctl sync --wait
    # what stays in the other one is named
    names "$ID" r2/projects/-home-al-p/memory/MEMORY.md
    names "$ID" r2/history.jsonl
    fetch "$ID" "$T/x.tgz"
    [ "$(tar -xzOf "$T/x.tgz" | grep -oE 'R1ONLY|R2ONLY|ONESUB|TWOSUB' | sort | tr '\n' ' ')" = 'ONESUB R1ONLY R2ONLY TWOSUB ' ]
    # plans and pastes that only the other one names come from there
    tar -xzOf "$T/x.tgz" plans/calm-blue-fox.md | cmp - "$r2/plans/calm-blue-fox.md"
    tar -xzOf "$T/x.tgz" session.jsonl | cmp - "$F"
    ctctl show "$ID" | tr -s ' \n' ' ' | grep -q "Also at .*r2/projects/-home-al-p/$ID.jsonl.*1 record of conversation"
    for i in 1 2 3 4 5; do line "MORE$i" >>"$F2"; done
    ctctl sync --wait
    fetch "$ID" "$T/x.tgz"
    tar -xzOf "$T/x.tgz" session.jsonl | cmp - "$F"
    tar -xzOf "$T/x.tgz" | grep -q MORE5
    # one that holds all of it takes its place
    cat "$F" >>"$F2"
    ctctl sync --wait
    fetch "$ID" "$T/x.tgz"
    tar -xzOf "$T/x.tgz" session.jsonl | cmp - "$F2"
}

@test "memory is kept by git root: it comes with sessions below it and goes where B's repository begins" {
    local root=$HOME/src/mono there
    start_daemon
    below "$root/app" main
    put "projects/$(encoded "$root")/memory/MEMORY.md" '- learnt'
    put "projects/$(encoded "$root")/memory/deep/er.md" 'more'
    ctctl sync --wait
    # its change alone makes a new version
    put "projects/$(encoded "$root")/memory/MEMORY.md" '- learnt more'
    within versions_are "$ID" 2
    # no repository there: as far above as it came from
    machine bob
    there=$HOME/src/mono
    mkdir -p "$there/app"
    (cd "$HOME" && ctctl pull "$ID" --target-dir "$there/app")
    grep -q 'learnt more' "$CLAUDE_CONFIG_DIR/projects/$(encoded "$there")/memory/MEMORY.md"
    grep -q 'more' "$CLAUDE_CONFIG_DIR/projects/$(encoded "$there")/memory/deep/er.md"
    [ ! -e "$CLAUDE_CONFIG_DIR/projects/$(encoded "$there/app")/memory" ]
    # a repository that begins elsewhere
    rm -rf "$CLAUDE_CONFIG_DIR/projects"
    git init -q "$there/app"
    (cd "$HOME" && ctctl pull "$ID" --target-dir "$there/app")
    grep -q 'learnt more' "$CLAUDE_CONFIG_DIR/projects/$(encoded "$there/app")/memory/MEMORY.md"
    machine alice
}

@test "memory of another folder is not a session's: outside of a repository, or beside its own" {
    local root=$HOME/src/mono
    start_daemon
    put "projects/$(encoded "$root")/memory/MEMORY.md" '- of the root'
    below "$root/app" HEAD
    ctctl sync --wait
    ctctl export "$ID" -o "$T/x.tgz"
    [ "$(tar -tzf "$T/x.tgz" | grep -c memory/)" = 0 ]
    # the one of its own folder is not given up for that of the root
    put "projects/$(encoded "$root/lib")/memory/MEMORY.md" '- of the folder'
    below "$root/lib" main
    ctctl sync --wait
    ctctl export "$ID" -o "$T/y.tgz"
    tar -xzOf "$T/y.tgz" memory/MEMORY.md | grep -q 'of the folder'
    # a system prompt that was written down says which it is; a person's words say nothing
    printf '{"type":"attachment","cwd":"%s","attachment":{"type":"prompt_snapshot","system":["at `%s/projects/%s/memory/`"]}}\n' \
        "$root/lib" "$CLAUDE_CONFIG_DIR" "$(encoded "$root")" >"$T/head"
    cat "$T/head" "$F" >"$T/both" && mv "$T/both" "$F"
    ctctl sync --wait
    ctctl export "$ID" -o "$T/z.tgz"
    tar -xzOf "$T/z.tgz" memory/MEMORY.md | grep -q 'of the root'
    tar -xzOf "$T/z.tgz" project-memory/MEMORY.md | grep -q 'of the folder'
    below "$HOME/other" main
    line '\"type\":\"prompt_snapshot\" '"/projects/$(encoded "$root")/memory/" >>"$F"
    ctctl sync --wait
    ctctl export "$ID" -o "$T/o.tgz"
    [ "$(tar -tzf "$T/o.tgz" | grep -c memory/)" = 0 ]
}

@test "memory of an excluded folder stays here when a session below it leaves" {
    local root=$HOME/src/mono
    start_daemon
    ctctl exclude "$root"
    ctctl include "$root/app"
    put "projects/$(encoded "$root")/memory/MEMORY.md" '- of the root'
    below "$root/app" main
    ctctl sync --wait
    versions_are "$ID" 1
    fetch "$ID" "$T/x.tgz"
    [ "$(tar -tzf "$T/x.tgz" | grep -c memory/)" = 0 ]
    ctctl show "$ID" | tr -s ' \n' ' ' | grep -q 'MEMORY.md: it may be the memory of an excluded folder'
}

@test "memory that an excluded session writes above it does not leave with its neighbour, whoever is first" {
    local root=$HOME/src/mono
    start_daemon
    ctctl exclude "$root/secret"
    put "projects/$(encoded "$root")/memory/MEMORY.md" '- SECRET'
    below "$root/secret" main
    below "$root/app" main
    ctctl sync --wait
    versions_are "$ID" 1
    fetch "$ID" "$T/x.tgz"
    [ "$(tar -tzf "$T/x.tgz" | grep -c memory/)" = 0 ]
    ctctl show "$ID" | tr -s ' \n' ' ' | grep -q 'MEMORY.md: sessions that are excluded can have the same memory'
    # and for good: its transcript goes, the memory stays
    rm -r "$CLAUDE_CONFIG_DIR/projects/$(encoded "$root/secret")"
    stop_daemon
    start_daemon
    line more >>"$F"
    ctctl sync --wait
    versions_are "$ID" 2
    fetch "$ID" "$T/x.tgz"
    [ "$(tar -tzf "$T/x.tgz" | grep -c memory/)" = 0 ]
}

@test "a session that was moved comes home to where it lies, and the memory of where it began to there" {
    local one=$HOME/src/one two=$HOME/src/two relocated
    ID=$(new_id)
    relocated=$(printf '{"type":"relocated","relocatedCwd":"%s","sessionId":"%s"}' "$two" "$ID")
    { said "$one" hello | sed 's/"type":"user"/&,"gitBranch":"main"/'
        echo "$relocated"
        said "$two" there
        said /elsewhere "by the way"; } >"$(transcript "$ID" "$(encoded "$two")")"
    put "projects/$(encoded "$one")/memory/MEMORY.md" '- of one'
    put "projects/$(encoded "$two")/memory/MEMORY.md" '- of two'
    printf '{"type":"attachment","attachment":{"type":"prompt_snapshot","text":"in %s/projects/%s/memory/"},"cwd":"%s"}\n' \
        "$CLAUDE_CONFIG_DIR" "$(encoded "$one")" "$one" >>"$(here "$ID")"
    start_daemon
    ctctl sync --wait
    [ "$(ctctl --json show "$ID" | jq -r .projectPath)" = "$two" ]
    machine bob
    mkdir -p "$HOME/src/two"
    ctctl pull "$ID" | grep -qF "cd $(quoted "$HOME/src/two") && claude --resume $ID"
    [ "$(here "$ID")" = "$CLAUDE_CONFIG_DIR/projects/$(encoded "$HOME/src/two")/$ID.jsonl" ]
    grep -q 'of one' "$CLAUDE_CONFIG_DIR/projects/$(encoded "$HOME/src/one")/memory/MEMORY.md"
    grep -q 'of two' "$CLAUDE_CONFIG_DIR/projects/$(encoded "$HOME/src/two")/memory/MEMORY.md"
    # it stays here for either of its folders
    machine alice
    for i in one two; do
        ctctl exclude "$HOME/src/$i"
        [ "$(ctctl --json show "$ID" | jq -r .state)" = excluded ]
        ctctl include "$HOME/src/$i"
        [ "$(ctctl --json show "$ID" | jq -r .state)" != excluded ]
    done
}

@test "a linked work tree's memory is that of its repository" {
    local main wt
    command -v git >/dev/null || skip "no git here"
    start_daemon
    below "$HOME/wt" main
    put "projects/$(encoded "$HOME/wt")/memory/MEMORY.md" '- learnt'
    ctctl sync --wait
    machine bob
    main=$HOME/repo wt=$HOME/wt
    git init -q "$main"
    git -C "$main" -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m x
    git -C "$main" worktree add -q -b wt "$wt"
    (cd "$HOME" && ctctl pull "$ID" --target-dir "$wt")
    grep -q learnt "$CLAUDE_CONFIG_DIR/projects/$(encoded "$main")/memory/MEMORY.md"
    machine alice
}

@test "what a fork's records name of the session it came from comes home with the fork alone" {
    local parent
    "$CT_BUILD/tests/bundle/sealone" --key >/dev/null
    parent=$(new_id)
    put "projects/-home-al-p/$parent/tool-results/abc.txt" 'a long result'
    put "projects/-home-al-p/$parent/tool-results/other.txt" 'that nobody names'
    put "projects/-home-al-p/$parent/subagents/agent-x1.jsonl" '{"type":"user"}'
    ID=$(new_id)
    { line "saved to: $CLAUDE_CONFIG_DIR/projects/-home-al-p/$parent/tool-results/abc.txt"
        line "see $CLAUDE_CONFIG_DIR/projects/-home-al-p/$parent/subagents/agent-x1.jsonl, and more"
    } >"$(transcript "$ID")"
    push
    ctctl export "$ID" --local -o "$T/x.tgz"
    [ "$(tar -tzf "$T/x.tgz" | grep -c '^cited/')" = 2 ]
    [ "$(tar -xzOf "$T/x.tgz" "cited/$parent/tool-results/abc.txt")" = 'a long result' ]
    machine bob
    install -D -m 600 "$T/alice/home/alice/.codeteleport/keyring" "$CODETELEPORT_CONFIG_DIR/keyring"
    mkdir -p "$HOME/p"
    (cd "$HOME/p" && ctctl pull "$ID")
    [ "$(cat "$(dirname "$(here "$ID")")/$parent/tool-results/abc.txt")" = 'a long result' ]
    [ -e "$(dirname "$(here "$ID")")/$parent/subagents/agent-x1.jsonl" ]
    machine alice
}

@test "a team's tasks, their counter, what was uploaded and the plans of subagents come home" {
    start_daemon
    talk
    put "tasks/session-${ID%%-*}/1.json" '{"id":"1","subject":"of the team"}'
    put "tasks/session-${ID%%-*}/.highwatermark" 7
    put "tasks/$ID/1.json" '{"id":"1","subject":"of its own"}'
    put "tasks/$ID/.highwatermark" 3
    put "uploads/$ID/deep/picture.png" pixels
    put plans/calm-blue-fox.md 'its plan'
    put plans/calm-blue-fox-agent-a1b2.md "its agent's plan"
    put plans/other-fox-agent-a1b2.md "somebody else's"
    comes_home "tasks/session-${ID%%-*}/1.json" "tasks/session-${ID%%-*}/.highwatermark" \
        "tasks/$ID/1.json" "tasks/$ID/.highwatermark" "uploads/$ID/deep/picture.png" \
        plans/calm-blue-fox.md plans/calm-blue-fox-agent-a1b2.md
    # each of them makes a new version when it changes alone
    put "tasks/session-${ID%%-*}/2.json" '{"id":"2","subject":"another"}'
    within versions_are "$ID" 2
    put plans/calm-blue-fox-agent-c3d4.md "another agent's plan"
    within versions_are "$ID" 3
}
