#!/usr/bin/env python3
"""Many connections to a server, and what they cost it.

    connections.py idle N PORT CA|- PID     N that have asked something once and say nothing now
    connections.py slow N PORT CA|- PID PATH TOKEN...
                                            N that ask for PATH, with one token after the other, and
                                            do not read the answer

Prints "open N rss_kb BEFORE AFTER threads BEFORE AFTER", where open is how many are open in the end,
while another request is answered all the same; exits 1 if that is not so.
"""
import concurrent.futures
import os
import resource
import socket
import ssl
import sys
import time

WHAT, N, PORT, CA, PID = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
CONTEXT = ssl.create_default_context(cafile=CA) if CA != "-" else None
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def status(name):
    for line in open(f"/proc/{PID}/status"):
        if line.startswith(name + ":"):
            return int(line.split()[1])


def connect(small=False):
    s = socket.socket()
    if small:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(60)
    # Many at once: a full backlog is no refusal.
    s.connect(("127.0.0.1", PORT))
    return CONTEXT.wrap_socket(s, server_hostname="localhost") if CONTEXT else s


def idle(_):
    s, got = connect(), b""
    s.sendall(HEALTH)
    while not got.endswith(b"}"):
        piece = s.recv(1000)
        if not piece:
            return None
        got += piece
    return s if got.startswith(b"HTTP/1.1 200") else None


def slow(i):
    tokens = sys.argv[7:]
    s = connect(True)
    s.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n"
              % (sys.argv[6].encode(), tokens[i % len(tokens)].encode()))
    return s


def is_open(s):
    """Nothing more has come: no end either."""
    try:
        s.setblocking(False)
        return s.recv(1) != b""
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False


def main():
    rss, threads = status("VmRSS"), status("Threads")
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        held = [s for s in pool.map(idle if WHAT == "idle" else slow, range(N)) if s]
    if WHAT == "slow":
        # All have been asked when the last of them is either answered or waiting.
        time.sleep(1)
    peak, after = status("VmRSS"), status("Threads")
    beside = idle(0) is not None
    print("open", sum(map(is_open, held)), "rss_kb", rss, peak, "threads", threads, after)
    if not beside:
        print("nobody else was answered")
    sys.exit(not beside)


main()
