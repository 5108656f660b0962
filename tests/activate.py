#!/usr/bin/env python3
"""Start a program as systemd's socket activation does, and write down what it notifies.

    activate.py ADDRESSES NOTIFIED NAME... -- COMMAND...

For each NAME a listening socket on a free port of loopback; "NAME PORT" lines go to the file ADDRESSES,
what comes over $NOTIFY_SOCKET to the file NOTIFIED.  SIGHUP and SIGTERM are passed on.
"""
import os
import signal
import socket
import sys
import tempfile

addresses, notified = sys.argv[1:3]
at = sys.argv.index("--")
names, command = sys.argv[3:at], sys.argv[at + 1:]

sockets = []
for name in names:
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(16)
    sockets.append(s)
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
    f.writelines(f"{n} {s.getsockname()[1]}\n" for n, s in zip(names, sockets))
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
