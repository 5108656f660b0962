#!/usr/bin/env python3
"""Resumes a session on a terminal, waits with folded hands, and then says one thing.

    resume.py LOG IDLE PROMPT -- COMMAND...

LOG is that of model_standin.py.  Prints as JSON: "before": requests within IDLE seconds before a key
is pressed, "requests": bodies of those after it, "programs": what else ran as its child, "screen".
Exit status 1 if it never got an answer.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

log, idle, prompt = sys.argv[1], float(sys.argv[2]), sys.argv[3]
command = sys.argv[5:]
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
    os.environ["TERM"] = "xterm-256color"
    os.execvp(command[0], command)
screen, programs = b"", set()


def requests():
    try:
        with open(log, encoding="utf-8") as f:
            return [json.loads(x) for x in f]
    except FileNotFoundError:
        return []


def children(parent):
    """What runs below it, by its command line."""
    found = {}
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % p) as f:
                up = int(f.read().rsplit(")", 1)[1].split()[1])
            with open("/proc/%s/cmdline" % p, "rb") as f:
                found[int(p)] = (up, f.read().replace(b"\0", b" ").decode(errors="replace").strip())
        except (OSError, ValueError, IndexError):
            continue
    below, grown = {parent}, True
    while grown:
        more = {p for p, (up, _) in found.items() if up in below} - below
        below |= more
        grown = bool(more)
    return {found[p][1] for p in below - {parent} if p in found}


def pump(seconds, until=None):
    """Read what it shows, for so long or until that is true."""
    global screen
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                screen += os.read(fd, 65536)
            except OSError:
                return False
        programs.update(children(pid))
        if until is not None and until():
            return True
    return until is None


def talks():
    return [r for r in requests() if "/v1/messages" in r["path"] and "count_tokens" not in r["path"]]


def is_answered():
    return b"The model has" in screen[at:] or any(prompt in json.dumps(r["body"]) for r in talks())


at = 0
pump(30, lambda: b"\xe2\x9d\xaf" in screen or b"> " in screen)
pump(idle)
before, at = talks(), len(screen)
os.write(fd, prompt.encode())
pump(1)
os.write(fd, b"\r")
answered = pump(float(os.environ.get("RESUME_WAIT", "60")), is_answered)
pump(3)
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
print(json.dumps({"before": len(before), "requests": [r["body"] for r in talks()], "programs": sorted(programs),
                  "screen": screen.decode(errors="replace")}))
sys.exit(0 if answered else 1)
