#!/usr/bin/env python3
"""Resumes a session on a terminal, waits with folded hands, and then says one thing.

    resume.py LOG IDLE PROMPT -- COMMAND...

LOG is that of model_standin.py; LOG.trace is strace's.  Prints as JSON: "before": requests within IDLE
seconds before a key is pressed, "requests": bodies of those after it, "programs": every program that
ran beside it, "written": every file that was made, written, renamed or removed, "connected": every
address but this machine's, "screen".
Exit status 1 if it never showed its prompt, or never got an answer.
"""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

log, idle, prompt = sys.argv[1], float(sys.argv[2]), sys.argv[3]
wait = float(os.environ.get("RESUME_WAIT", "180"))
trace = log + ".trace"
CHANGES = ("creat,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,symlink,symlinkat,link,linkat,"
           "chmod,fchmodat,truncate,mknod,mknodat")
command = ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-s", "4096", "-o", trace, "-e",
           "trace=execve,execveat,connect,open,openat," + CHANGES, "--"] + sys.argv[5:]
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
    os.environ["TERM"] = "xterm-256color"
    os.execvp(command[0], command)
screen = b""


def requests():
    try:
        with open(log, encoding="utf-8") as f:
            return [json.loads(x) for x in f if x.endswith("\n")]  # the last one may be on its way
    except FileNotFoundError:
        return []


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
        if until is not None and until():
            return True
    return until is None


def talks():
    return [r for r in requests() if "/v1/messages" in r["path"] and "count_tokens" not in r["path"]]


def is_answered():
    return b"The model has" in screen[at:] or any(prompt in json.dumps(r["body"]) for r in talks())


STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
CALL = re.compile(r"^\d+ +(\w+)\((.*)\) = (-?\d+)(.*)$")


def plain(text):
    """What strace has between quotes, as it was."""
    return text.encode("latin-1", "replace").decode("unicode_escape").encode("latin-1", "replace").decode(errors="replace")


def place(call, arguments):
    """The paths that a call names, absolute where strace knows the folder."""
    folders = re.findall(r"(?:AT_FDCWD|\d+)<([^>]*)>", arguments)
    for n, name in enumerate(STRING.findall(arguments)):
        name = plain(name)
        yield os.path.normpath(os.path.join(folders[min(n, len(folders) - 1)], name)) if folders else name


def calls():
    """Every call of the trace, those that were interrupted by another one too."""
    begun = {}
    with open(trace, encoding="utf-8", errors="replace") as f:
        for line in f:
            who = line.split(" ", 1)[0]
            if line.endswith("<unfinished ...>\n"):
                begun[who] = line[:-len("<unfinished ...>\n")]
                continue
            resumed = re.match(r"^\d+ +<\.\.\. \w+ resumed>(.*)$", line)
            if resumed:
                line = begun.pop(who, "") + resumed.group(1)
            found = CALL.match(line.rstrip())
            if found:
                yield found.group(1), found.group(2), int(found.group(3)), found.group(4)


def seen():
    """(programs, written, connected) of the trace."""
    programs, written, connected = [], set(), set()
    for call, arguments, result, why in calls():
        if call == "connect":
            if "sa_family=AF_INET" in arguments and not re.search(r'inet_addr\("127\.|"::1"', arguments):
                connected.add(arguments.split("{", 1)[-1])
        elif result < 0:
            continue
        elif call in ("execve", "execveat"):
            programs.append(" ".join(plain(x) for x in STRING.findall(arguments.split("[", 1)[-1])))
        elif call not in ("open", "openat") or re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", arguments):
            written.update(place(call, arguments))
    return programs[1:], written, connected


at = 0
shown = pump(wait, lambda: b"\xe2\x9d\xaf" in screen or b"> " in screen)
pump(idle)
before, at = talks(), len(screen)
os.write(fd, prompt.encode())
pump(1)
os.write(fd, b"\r")
answered = pump(wait, is_answered)
pump(3)
with open(trace, encoding="utf-8", errors="replace") as f:
    os.kill(int(f.read(20).split()[0]), signal.SIGKILL)  # the program; strace ends with it
os.close(fd)
os.waitpid(pid, 0)
programs, written, connected = seen()
print(json.dumps({"before": len(before), "requests": [r["body"] for r in talks()], "programs": sorted(set(programs)),
                  "written": sorted(written), "connected": sorted(connected), "screen": screen.decode(errors="replace")}))
sys.exit(0 if shown and answered else 1)
