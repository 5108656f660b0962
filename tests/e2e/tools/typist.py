#!/usr/bin/env python3
"""Runs a program on a terminal of its own and types when it asks.

  typist.py [-w COLUMNS] [SEEN TYPED]... -- COMMAND...

Waits until SEEN is on the screen (behind what was there at the time before), then types TYPED, in
which \\n, \\t and \\x03 are what they are in Python; in the end waits for the program.  An empty TYPED
only waits.  A SEEN of @FILE makes FILE.waits and waits until there is a FILE, while the program stays
open.  A TYPED of ~REGEX types what that last matched on the screen, and Enter.  Prints all that the
terminal showed; the exit status is the program's, or 99 if a step took too long.
"""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

args = sys.argv[1:]
width = 100
if args[0] == "-w":
    width = int(args[1])
    args = args[2:]
at = args.index("--")
steps = [(seen, typed if typed.startswith("~") else codecs.decode(typed, "unicode_escape"))
         for seen, typed in zip(args[0:at:2], args[1:at:2])]
command = args[at + 1:]

pid, fd = pty.fork()
if pid == 0:
    # Whoever runs the tests in the background may have had these ignored.
    for sig in signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTSTP:
        signal.signal(sig, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    os.environ["TERM"] = os.environ.get("TYPIST_TERM", "xterm")
    os.execvp(command[0], command)

seen = b""


def read():
    """Return whether the program still has the terminal."""
    global seen
    if select.select([fd], [], [], 0.2)[0]:
        try:
            piece = os.read(fd, 65536)
        except OSError:
            return False
        seen += piece
        return piece != b""
    return True


def end(status):
    sys.stdout.write(seen.decode("utf-8", "replace"))
    sys.exit(status)


def is_there(wanted, start):
    return os.path.exists(wanted[1:]) if wanted.startswith("@") else wanted.encode() in seen[start:]


start = 0
for wanted, typed in steps:
    until = time.monotonic() + (600 if wanted.startswith("@") else 50)
    if wanted.startswith("@"):
        open(wanted[1:] + ".waits", "w", encoding="utf-8").close()
    while not is_there(wanted, start):
        if time.monotonic() > until or not read():
            os.kill(pid, 9)
            end(99)
    start = len(seen)
    if typed.startswith("~"):
        typed = re.findall(typed[1:], seen.decode("utf-8", "replace"))[-1] + "\n"
    os.write(fd, typed.encode())
until = time.monotonic() + 50
while read():
    if time.monotonic() > until:
        os.kill(pid, 9)
        end(99)
end(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
