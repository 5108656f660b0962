#!/usr/bin/env python3
"""Types into an interactive zsh that has the completion of ctctl, and prints what it shows.

  zsh_complete.py FOLDER-OF-_ctctl TEXT WANTED

TEXT is typed as it stands (a tab completes); the exit status is 0 as soon as WANTED is on the screen.
"""

import os
import pty
import select
import sys
import time

folder, text, wanted = sys.argv[1:4]
home = os.environ["HOME"]
with open(os.path.join(home, ".zshrc"), "w", encoding="utf-8") as f:
    f.write(f"fpath=({folder} $fpath)\nautoload -Uz compinit\ncompinit -u -D\nPS1='READY> '\n")
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "dumb"
    os.environ["ZDOTDIR"] = home
    os.execvp("zsh", ["zsh", "-i", "+o", "promptsp"])
seen, sent, until = "", False, time.monotonic() + 50
while time.monotonic() < until and wanted not in seen.partition("READY> ")[2]:
    if select.select([fd], [], [], 0.2)[0]:
        try:
            seen += os.read(fd, 4096).decode("utf-8", "replace")
        except OSError:
            break
    if not sent and "READY> " in seen:
        os.write(fd, text.encode())
        sent = True
print(seen)
os.kill(pid, 9)
sys.exit(0 if wanted in seen.partition("READY> ")[2] else 1)
