#!/usr/bin/env python3
"""Bundles that mean no good: what comes of each, and that nothing is written but into the stage.

    hostile.py OPENONE FOLDER

hostile_bundles.py makes them in FOLDER/bundles; the table at the end says of each what it is to come
to: refused, with these words in the error, or taken, whole or without so many entries.  TAP.
"""

import json
import os
import re
import shutil
import stat
import subprocess
import sys



class Said:
    """What openone said of a bundle, and what lies in the stage."""

    def __init__(self, stage, *args):
        self.stage = stage
        p = subprocess.run([OPENONE, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.status, self.text = p.returncode, p.stdout.decode(errors="replace")
        try:
            self.json = json.loads(self.text)
        except ValueError:
            self.json = {}
        if not isinstance(self.json, dict):
            self.json = {}

    def file(self, name):
        with open(os.path.join(self.stage, name), "rb") as f:
            return f.read()

    def lines(self):
        return self.file("session.jsonl").splitlines(True)

    def is_refused(self, words):
        return self.status == 1 and words in self.json.get("error", "")

    def is_taken(self, how):
        n = len(self.json.get("leftOut", {}))
        reset = "reset " if self.json.get("hasModeReset") else ""
        return self.status == 0 and "leftOut" in self.json and reset + ("less %d" % n if n else "whole") == how

    def plain(self):
        """Without what may differ: memory, and which of two names is in the way."""
        return re.sub(r"of another: .*", "", re.sub(r',"maxRssKb":[0-9]*', "", self.text))


def is_clean(stage):
    """What lies in the stage is private, and files and folders only."""
    for folder, folders, files in os.walk(stage):
        for name in folders + files:
            mode = os.lstat(os.path.join(folder, name)).st_mode
            if mode != stat.S_IFREG | 0o600 and mode != stat.S_IFDIR | 0o700:
                return False
    return True


class Cases:
    def __init__(self):
        self.n = self.bad = 0

    def say(self, is_ok, name, *about):
        self.n += 1
        print("%s %d - %s" % ("ok" if is_ok else "not ok", self.n, name))
        if not is_ok:
            self.bad += 1
            print("".join("# %s\n" % x for a in about for x in str(a).splitlines()), end="")


CASES = Cases()


def judge(row):
    expected, name, words = (row + " ").split(" ", 2)
    words = words.rstrip()
    bundle, stage = os.path.join("bundles", name + ".tgz"), os.path.join("in", "stage")
    title = "%s is %s%s" % (name, expected, ": " + words if words else "")
    if not os.path.exists(bundle):
        return CASES.say(False, name, "no such bundle")
    os.makedirs(stage)
    said = Said(stage, bundle, "--stage", stage)
    is_ok = (said.is_refused if expected == "refused" else said.is_taken)(words) and is_clean(stage)
    # A mere check says the same.  (Not of those that take long.)
    if not words.endswith(" its size"):
        is_ok = is_ok and Said(stage, bundle).plain() == said.plain()
    shutil.rmtree(stage)
    CASES.say(is_ok, title, said.text)


def check(name, bundle, is_fine, *options):
    """Extract it, and see that is_fine() is content."""
    stage = os.path.join("in", "stage")
    os.makedirs(stage, exist_ok=True)
    said = Said(stage, os.path.join("bundles", bundle + ".tgz"), "--stage", stage, *options)
    try:
        is_ok, why = is_fine(said), ""
    except (OSError, KeyError, ValueError, IndexError) as e:
        is_ok, why = False, e
    shutil.rmtree(stage)
    CASES.say(is_ok, name, said.text, why)


def sets_back(said):
    last = json.loads(said.lines()[-1])
    return last["permissionMode"] == "default" and last


def extras_stay_out(said):
    return (set(said.json["leftOut"]) == {"/srv/w/a.txt", "/tmp/b.txt"} and
            not os.path.exists(os.path.join(said.stage, "extra-files")))


def hard_link_is_a_copy(said):
    v1, v2 = (said.file("session-subdir/tool-results/" + v) for v in ("v1", "v2"))
    return v1 == v2 and v2.rstrip(b"\n") == b"abc"


def first_is_taken(said):
    return (b"first" in said.file("session-subdir/tool-results/a").splitlines() and
            list(said.json["leftOut"]) == ["session-subdir/tool-results/a"])


def checks():
    check("a session of one's own keeps its permission mode if that is asked for", "mode_bypass",
          lambda s: b'"default"' not in s.file("session.jsonl") and b"bypass" in s.file("session.jsonl"),
          "--trust", "own", "--keep-mode")
    check("else it is set back as well", "mode_bypass", sets_back, "--trust", "own")
    check("another's is set back by a record at the end", "mode_torn",
          lambda s: sets_back(s)["type"] == "permission-mode")
    for name in "file_and_folder", "folder_and_file":
        check("a file that is a folder too is refused (%s)" % name, name,
              lambda s: "in the way of another" in s.text, "--trust", "own")
    check("memory comes along when asked for", "memory",
          lambda s: b"run this" in s.file("memory/MEMORY.md"), "--with-memory")
    check("a bundle of another session is refused", "whole", lambda s: s.json["code"] == "refused",
          "--id", "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee")
    check("more bytes than are allowed are refused", "whole",
          lambda s: "holds more than 1.0 kB" in s.text, "--max-bytes", "1000")
    check("copies that links make count for that too", "hard_link_copies",
          lambda s: "holds more than 20.0 kB" in s.text, "--max-bytes", "20000")
    check("a hard link to what came before is a copy of it", "hard_link_fine", hard_link_is_a_copy)
    check("extra files are named by where they were, moved as paths are, and none is taken", "extra_rewrite",
          extras_stay_out, "--cwd", "-", "/srv/w")
    # As on a file system to which two names are one.
    os.makedirs("in/stage/session-subdir/tool-results")
    with open("in/stage/session-subdir/tool-results/a", "w", encoding="utf-8") as f:
        f.write("first\n")
    check("of two files that a file system can't tell apart, the first is taken", "nul_by_pax",
          first_is_taken)


def main():
    global OPENONE
    OPENONE = os.path.abspath(sys.argv[1])
    os.umask(0o077)
    os.chdir(sys.argv[2])
    rows = TABLE.split("\n")[1:-1]
    print("1..%d" % (len(rows) + 14))
    for row in rows:
        judge(row)
    checks()
    CASES.say(sorted(row.split(" ")[1] + ".tgz" for row in rows) == sorted(os.listdir("bundles")),
              "every bundle has its row")
    found = sorted(os.listdir(".")) + os.listdir("in") + [p for p in ("/tmp/ct-evil", "/ct-evil") if os.path.lexists(p)]
    CASES.say(found == ["bundles", "in"], "nothing was written outside the stage", found)
    sys.exit(CASES.bad > 0)


OPENONE = None
TABLE = """
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
taken extra_up less 1
taken extra_rewrite less 2
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
refused meta_agent_unknown \\x1b[2Jx
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
"""

main()
