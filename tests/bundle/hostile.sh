#!/bin/sh
# Bundles that mean no good: what comes of each, and that nothing is written but into the stage.
# hostile_bundles.py makes them; the table at the end says of each what it is to come to.  TAP.
src=${CT_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
openone=${CT_BUILD:-$src}/tests/bundle/openone
n=0
bad=0

say() { # RESULT-OF-$? NAME
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $n - $2"
    else
        echo "not ok $n - $2"
        bad=1
        sed 's/^/# /' "$tmp/said"
    fi
}

rows() { sed -n '/^: <<.TABLE/,/^TABLE/p' "$src/tests/bundle/hostile.sh" | grep -E '^(refused|taken)'; }

if ! python3 -c '' 2>/dev/null || ! command -v jq >/dev/null; then
    echo "1..1"
    echo "ok 1 - hostile bundles are refused # SKIP python3 and jq are needed"
    exit 0
fi
tmp=$(mktemp -d "${TMPDIR:-/tmp}/ct-hostile.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
python3 "$src/tests/bundle/hostile_bundles.py" "$tmp/bundles" || exit 1
echo "1..$(($(rows | wc -l) + 14))"

# What lies in the stage is private, and files and folders only.
is_clean() {
    [ -z "$(find "$1" -mindepth 1 \( -type f -perm 600 -o -type d -perm 700 \) -o -print | tail -n +2)" ]
}

# judge EXPECTED TEXT STATUS: ${tmp}/said against the row
judge() {
    case $1 in
    refused)
        [ "$3" -eq 1 ] && jq -e --arg t "$2" '.error | contains($t)' "$tmp/said" >/dev/null
        ;;
    taken)
        [ "$3" -eq 0 ] && jq -e --arg t "$2" '(.leftOut | keys | length) as $n |
            (if .hasModeReset then "reset " else "" end) +
            (if $n > 0 then "less \($n)" else "whole" end) == $t' "$tmp/said" >/dev/null
        ;;
    esac
}

# Without what may differ: memory, and which of two names is in the way.
plain() { sed 's/,"maxRssKb":[0-9]*//; s/of another: .*//'; }

umask 077
: >"$tmp/done"
while read -r expected name text; do
    [ -f "$tmp/bundles/$name.tgz" ] || { echo "no such bundle" >"$tmp/said"; say 1 "$name"; continue; }
    mkdir -p "$tmp/in/stage"
    "$openone" "$tmp/bundles/$name.tgz" --stage "$tmp/in/stage" >"$tmp/said" 2>&1
    judge "$expected" "$text" $? && is_clean "$tmp/in/stage"
    ok=$?
    # A mere check says the same.  (Not of those that take long.)
    case $text in
    *its\ size) ;;
    *)
        plain <"$tmp/said" >"$tmp/first"
        "$openone" "$tmp/bundles/$name.tgz" 2>&1 | plain | diff - "$tmp/first" >"$tmp/second" || ok=1
        ;;
    esac
    say $ok "$name is $expected${text:+: $text}"
    rm -rf "$tmp/in/stage"
    echo "$name.tgz" >>"$tmp/done"
done <<EOT
$(rows)
EOT

# check NAME BUNDLE COMMAND [OPTION...]: extract it, and see that COMMAND is content with $stage
check() {
    name=$1 bundle=$2 command=$3
    shift 3
    stage=$tmp/in/stage
    mkdir -p "$stage"
    "$openone" "$tmp/bundles/$bundle.tgz" --stage "$stage" "$@" >"$tmp/said" 2>&1
    eval "$command" >"$tmp/second" 2>&1
    say $? "$name"
    rm -rf "$stage"
}

extra=extra-files/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
other=extra-files/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
check "a session of one's own keeps its permission mode if that is asked for" mode_bypass \
    '! grep -q "\"default\"" "$stage/session.jsonl" && grep -q bypass "$stage/session.jsonl"' --trust own --keep-mode
check "else it is set back as well" mode_bypass \
    'tail -n 1 "$stage/session.jsonl" | jq -e ".permissionMode == \"default\""' --trust own
check "another's is set back by a record at the end" mode_torn \
    'tail -n 1 "$stage/session.jsonl" | jq -e ".type == \"permission-mode\" and .permissionMode == \"default\""'
for name in file_and_folder folder_and_file; do
    check "a file that is a folder too is refused ($name)" $name 'grep -q "in the way of another" "$tmp/said"' --trust own
done
check "memory comes along when asked for" memory 'grep -q "run this" "$stage/memory/MEMORY.md"' --with-memory
check "a bundle of another session is refused" whole 'jq -e ".code == \"refused\"" "$tmp/said"' \
    --id aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee
check "more bytes than are allowed are refused" whole 'grep -q "holds more than 1.0 kB" "$tmp/said"' --max-bytes 1000
check "copies that links make count for that too" hard_link_copies \
    'grep -q "holds more than 20.0 kB" "$tmp/said"' --max-bytes 20000
check "a hard link to what came before is a copy of it" hard_link_fine \
    'cmp "$stage/session-subdir/tool-results/v1" "$stage/session-subdir/tool-results/v2" && [ "$(cat "$stage/session-subdir/tool-results/v2")" = abc ]'
check "extra files are relocated if they say so, and nothing else of the user's" extra_rewrite \
    '[ "$(cat "$stage/$extra")" = "in /srv/w/x" ] && [ "$(cat "$stage/$other")" = "in /home/alice/p/x" ] &&
    jq -e ".extras[\"$extra\"] == \"/srv/w/a.txt\" and .extras[\"$other\"] == \"/tmp/b.txt\"" "$tmp/said"' \
    --cwd - /srv/w

# As on a file system to which two names are one.
mkdir -p "$tmp/in/stage/session-subdir/tool-results" && echo first >"$tmp/in/stage/session-subdir/tool-results/a"
check "of two files that a file system can't tell apart, the first is taken" nul_by_pax \
    'grep -qx first "$stage/session-subdir/tool-results/a" && jq -e ".leftOut | keys == [\"session-subdir/tool-results/a\"]" "$tmp/said"'

# Each has its row, and nothing but what is ours lies about.
ls "$tmp/bundles" >"$tmp/all"
sort "$tmp/done" | diff - "$tmp/all" >"$tmp/said"
say $? "every bundle has its row"
found=$(find "$tmp" -mindepth 1 -maxdepth 2 ! -path "$tmp/bundles/*" | sort)
found=$found$(ls -d /tmp/ct-evil /ct-evil 2>/dev/null)
expected=$(printf '%s\n' "$tmp"/all "$tmp"/bundles "$tmp"/done "$tmp"/first "$tmp"/in "$tmp"/said \
    "$tmp"/second)
echo "$found" >"$tmp/said"
[ "$found" = "$expected" ]
say $? "nothing was written outside the stage"
exit $bad

: <<'TABLE'
refused up leads out of it
refused up_inside leads out of it
refused up_memory leads out of it
refused up_after_dot leads out of it
refused up_last leads out of it
refused up_paste leads out of it
refused up_extra leads out of it
refused up_by_pax leads out of it
refused up_by_gnu leads out of it
refused absolute is absolute
refused absolute_twice is absolute
refused absolute_by_gnu is absolute
refused dot_inside not in its plain form
refused empty_component not in its plain form
refused too_long is too long
taken deep less 1
taken nul_by_pax whole
taken nul_hides_up whole
taken not_utf8 less 1
taken not_utf8_by_pax less 1
taken utf8_by_pax whole
taken utf8_plain whole
taken escape_in_name less 1
taken newline_in_name less 1
taken c1_in_name less 1
taken component_too_long less 1
taken backslashes less 2
refused case no transcript
refused case_meta no meta.json
refused folder_as_file damaged
taken settings less 17
taken session_env less 2
taken shell_snapshots less 1
taken wrong_kinds less 8
taken memory less 1
taken extra_up whole
taken extra_rewrite whole
taken extra_manifest_broken less 2
refused extra_manifest_huge too large
taken mode_bypass reset whole
taken mode_accept reset whole
taken mode_default whole
taken mode_escaped reset whole
taken mode_torn reset whole
taken mode_damaged reset whole
taken mode_back whole
taken mode_back_by_summary reset whole
taken mode_back_by_user reset whole
taken mode_back_elsewhere reset whole
taken mode_back_nowhere reset whole
taken mode_back_inside reset whole
taken mode_back_twice reset whole
taken mode_back_for_long reset whole
taken mode_list reset whole
taken mode_by_user reset whole
taken symlink_folder less 2
refused symlink_transcript no transcript
taken symlink_in_subdir less 1
refused symlink_then_file two entries with one name
refused hard_link_transcript transcript is a link
taken hard_link_of_transcript less 1
taken hard_link_history less 1
taken hard_link_agent whole
taken hard_link_kind less 1
taken hard_link_copies whole
refused hard_link_bomb 200 times its size
taken hard_link_out less 1
taken hard_link_up less 1
taken hard_link_meta less 1
taken hard_link_left_out less 2
taken hard_link_to_env less 1
taken hard_link_fine whole
taken hard_link_self less 1
taken char_device less 1
taken block_device less 1
taken fifo less 1
refused fifo_transcript no transcript
refused meta_symlink meta.json is no file
refused sparse_gnu sparse
refused sparse_pax sparse
refused size_beyond damaged
refused size_huge holds more than
refused size_negative damaged
refused size_by_pax damaged
refused twice two entries with one name
refused twice_dotted two entries with one name
refused twice_left_out two entries with one name
refused meta_twice two entries with one name
taken file_and_folder less 2
taken folder_and_file less 2
refused entries more than 100000 entries
refused headers_nested damaged
refused pax_long damaged
refused meta_missing no meta.json
taken meta_last whole
refused meta_last_evil leads out of it
refused meta_large too large
refused meta_empty empty
refused meta_broken not valid JSON
refused meta_twice_in_one not valid JSON
refused meta_single_quotes not valid JSON
refused meta_comment not valid JSON
refused meta_array sessionId
refused meta_string sessionId
refused meta_not_utf8 not valid JSON
refused meta_deep nesting too deep
refused meta_id_up sessionId
refused meta_id_upper sessionId
refused meta_id_number sessionId
refused meta_id_missing sessionId
refused meta_id_long sessionId
refused meta_id_nul sessionId
refused meta_cwd_relative sourceCwd
refused meta_cwd_up sourceCwd
refused meta_cwd_missing sourceCwd
refused meta_cwd_newline sourceCwd
taken meta_cwd_windows whole
refused meta_home_empty sourceUserDir
refused meta_home_tilde sourceUserDir
refused meta_home_list sourceUserDir
refused meta_agent_unknown \x1b[2Jx
refused meta_agent_number does not know
taken meta_agent_missing whole
refused meta_format_new newer program
refused meta_format_text formatVersion
taken meta_format_missing whole
refused meta_branch_escape gitBranch
refused meta_content_short contentId
refused meta_content_wrong not what its meta.json names
refused empty it is empty
refused text does not begin as gzip
refused plain_tar does not begin as gzip
refused xz does not begin as gzip
refused zip does not begin as gzip
refused gzip_cut cut short
refused gzip_cut_trailer cut short
refused gzip_header_only cut short
refused gzip_crc incorrect data check
refused gzip_garbage something follows its end
refused gzip_garbage_zeros something follows its end
taken gzip_zeros whole
taken gzip_named whole
taken gzip_members whole
refused gzip_in_gzip damaged
refused two_tars something follows its end
refused tar_no_end cut short
refused tar_half_end cut short
refused tar_cut_in_entry damaged
refused tar_cut_in_header damaged
refused tar_nothing no meta.json
refused tar_garbage damaged
refused tar_checksum damaged
refused cpio damaged
taken whole whole
taken stock_like less 2
refused zeros_transcript 200 times its size
refused zeros_left_out 200 times its size
refused zeros_before_meta 200 times its size
refused zeros_behind 200 times its size
taken history_large less 1
refused spaces 200 times its size
refused unnamed 200 times its size
refused many_small many more files than its size
taken many_real whole
refused repetitive 200 times its size
TABLE
