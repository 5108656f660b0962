#!/usr/bin/env python3
"""Start a program as systemd's socket activation does, and write down what it notifies.

    activate.py ADDRESSES NOTIFIED NAME[=PATH]... -- COMMAND...

For each NAME a listening socket on a free port of loopback, or at PATH; "NAME PORT" lines of the former go
to the file ADDRESSES, what comes over $NOTIFY_SOCKET to the file NOTIFIED.  SIGHUP and SIGTERM are passed on.
"""
import os
import signal
import socket
import sys
import tempfile

addresses, notified = sys.argv[1:3]
at = sys.argv.index("--")
names, command = sys.argv[3:at], sys.argv[at + 1:]


def listening(path):
    s = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    if path:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        os.umask(0o177)
    s.bind(path or ("127.0.0.1", 0))
    s.listen(16)
    return s


paths = [name.partition("=")[2] for name in names]
names = [name.partition("=")[0] for name in names]
umask = os.umask(0)
os.umask(umask)
sockets = [listening(path) for path in paths]
os.umask(umask)
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
path = os.path.join(tempfile.mkdtemp(dir=os.path.dirname(notified)), "notify")
notify.bind(path)

child = os.fork()
if child == 0:
    high = [os.dup2(s.fileno(), 50 + i, False) for i, s in enumerate(sockets)]
    for i, fd in enumerate(high):
        os.dup2(fd, 3 + i)
        os.close(fd)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(names)),
                      LISTEN_FDNAMES=":".join(names), NOTIFY_SOCKET=path)
    os.execvp(command[0], command)

with open(addresses, "w") as f:
    f.writelines(f"{n} {s.getsockname()[1]}\n" for n, p, s in zip(names, paths, sockets) if not p)
for sig in (signal.SIGHUP, signal.SIGTERM):
    signal.signal(sig, lambda number, frame: os.kill(child, number))
notify.settimeout(0.2)
with open(notified, "w") as f:
    while True:
        try:
            f.write(notify.recv(4096).decode() + "\n")
            f.flush()
        except TimeoutError:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                sys.exit(os.waitstatus_to_exitcode(status))
