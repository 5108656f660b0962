#!/usr/bin/env python3
"""Kills an installation at every system call that changes something, and looks at what is left.

    kill_install.py CTCTL BUNDLE TARGET-DIR ID START WORK CALLS [OPTION...]

START is a data folder as it is before; a copy of it, WORK/data, is what `ctctl import` works on (BUNDLE
"profile": `ctctl pull --profile`, and neither folder nor session), once for each call of CALLS
(comma-separated names for strace), killed as it enters that call; "CALL=ERROR": that call fails.  After
each:
  - there is not more than one transcript of the session, and it is the old one or the new one;
  - with the new one all the rest is there;
  - what belongs into its own folder is there, beside the transcript: old or new;
  - of a profile no file is there in part: each is the old one or the new one, or not there yet;
  - of what was there before, every file is there as it was or as it is in the end, or as a backup,
    and the prompt history has lost no line;
  - importing once more ends in the same state as one that nobody killed, and leaves nothing behind.
"""

import hashlib
import os
import shutil
import subprocess
import sys

ctctl, bundle, target, sid, start, work, calls = sys.argv[1:8]
options = sys.argv[8:]
data = os.path.join(work, "data")
env = dict(os.environ, CLAUDE_CONFIG_DIR=data, ASAN_OPTIONS="detect_leaks=0")
is_profile = bundle == "profile"
command = [ctctl, "--json"] + (["pull", "--profile"] if is_profile else
                               ["import", bundle, "--target-dir", target]) + options


def tree(root):
    found = {}
    for d, _, files in os.walk(root):
        for name in files:
            path = os.path.join(d, name)
            with open(path, "rb") as f:
                found[os.path.relpath(path, root)] = f.read()
    return found


def visible(t):
    return {p: c for p, c in t.items() if not p.startswith(".codeteleport/")}


def fresh():
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(start, data, symlinks=True)


def transcripts(t):
    return [p for p in t if p.startswith("projects/") and p.endswith("/" + sid + ".jsonl")]


def fail(where, why):
    print("%s: %s" % (where, why))
    sys.exit(1)


def digests(contents):
    return {hashlib.sha256(c).hexdigest() for c in contents}


def check(where, now, old, new):
    mine = transcripts(now)
    sides = {}
    for path, content in old.items():
        if path.startswith("projects/") and path.split("/")[2] == sid:
            sides.setdefault(path.split("/", 3)[3], set()).add(content)
    if len(mine) > 1:
        fail(where, "two transcripts: %s" % mine)
    if transcripts(old) and not mine:
        fail(where, "no transcript")
    if mine:
        content = now[mine[0]]
        if content == new[transcripts(new)[0]] and mine[0] == transcripts(new)[0]:
            missing = [p for p in visible(new) if now.get(p) != new[p] and p != "history.jsonl.lock"]
            if missing:
                fail(where, "the new transcript is there, but not %s" % missing)
        elif not transcripts(old) or content != old[transcripts(old)[0]]:
            fail(where, "a transcript that is neither the old nor the new one")
        # Claude Code looks for what belongs to it beside the transcript, and nowhere else.
        beside = mine[0][:-len(".jsonl")] + "/"
        for name, contents in sides.items():
            here = beside + name
            if now.get(here) not in contents | {new.get(here)}:
                fail(where, "%s is not beside the transcript" % here)
    for path, content in visible(now).items():
        if is_profile and content not in (old.get(path), new.get(path)):
            fail(where, "%s is there in part" % path)
    everything = digests(now.values())
    for path, content in visible(old).items():
        if path.endswith(sid + ".jsonl") or path.endswith("history.jsonl"):
            continue
        if now.get(path) not in (content, new.get(path)) and not digests([content]) & everything:
            fail(where, "%s is lost" % path)
    if not set(old.get("history.jsonl", b"").split(b"\n")) <= set(
            now.get("history.jsonl", b"").split(b"\n")):
        fail(where, "a line of the prompt history is lost")


def main():
    fresh()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    old, new = tree(start), tree(data)
    kills = 0
    for call in calls.split(","):
        call, _, error = call.partition("=")
        what = "error=" + error if error else "signal=KILL"
        n = 0
        while True:
            n += 1
            fresh()
            where = "%s number %d, %s" % (call, n, what)
            trace = os.path.join(work, "trace")
            r = subprocess.run(["strace", "-f", "-o", trace, "-e", "trace=" + call, "-e",
                                "inject=%s:%s:when=%d" % (call, what, n)] + command, env=env,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
            with open(trace, encoding="utf-8", errors="replace") as f:
                was_hit = any("(INJECTED)" in line or "+++ killed by SIGKILL" in line for line in f)
            if not was_hit:
                break
            if not error and r.returncode not in (-9, 137):
                fail(where, "status %d: %s" % (r.returncode, r.stderr.decode()))
            kills += 1
            check(where, tree(data), old, new)
            again = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   check=False)
            if again.returncode != 0:
                fail(where, "the next one fails: %s" % again.stderr.decode())
            after = tree(data)
            if visible(after) != visible(new):
                fail(where, "the next one ends elsewhere: %s" % sorted(
                    set(visible(after).items()) ^ set(visible(new).items()))[:4])
            left = [p for p in after if p.startswith(".codeteleport/") and "/backups/" not in p and "/origins/" not in p]
            stages = os.path.join(data, ".codeteleport")
            if left or (os.path.isdir(stages) and set(os.listdir(stages)) - {"backups", "origins"}):
                fail(where, "left behind: %s" % (left or os.listdir(stages)))
    print("%d kills" % kills)


main()
