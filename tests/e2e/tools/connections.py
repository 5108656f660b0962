#!/usr/bin/env python3
"""Many connections to a server, and what they cost it.

    connections.py idle N PORT CA|- PID     N that have asked something once and say nothing now
    connections.py slow N PORT CA|- PID PATH TOKEN...
                                            N that ask for PATH, with one token after the other, and
                                            do not read the answer
    connections.py active N PORT CA|- PID ROUNDS TOKEN...
                                            N daemons, each with its connections to API and store: all
                                            of them connect, and then each lists, reserves, puts and
                                            confirms in so many rounds

They come from the address CT_FROM, or 127.0.0.1.
Prints "open N rss_kb BEFORE AFTER threads BEFORE AFTER", where open is how many are open in the end,
while another request is answered all the same; exits 1 if that is not so.  Of active ones "done N
asked_again N rss_kb BEFORE AFTER threads BEFORE AFTER ms P50 P99 MAX", the milliseconds of a round;
exits 1 with the first answer that is none of the expected.
"""
import concurrent.futures
import hashlib
import http.client
import json
import os
import resource
import socket
import ssl
import sys
import threading
import time
import urllib.parse
import uuid

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
    s.bind((os.environ.get("CT_FROM", "127.0.0.1"), 0))
    # Many at once: a full backlog is no refusal.
    s.connect(("127.0.0.1", PORT))
    return CONTEXT.wrap_socket(s, server_hostname="localhost") if CONTEXT else s


def idle(_):
    """None if it was refused."""
    got = b""
    try:
        s = connect()
        s.sendall(HEALTH)
        while not got.endswith((b"}", b"ok\n")):
            piece = s.recv(1000)
            if not piece:
                return None
            got += piece
    except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return None
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


class Daemon:
    """As codeteleportd asks: on two connections that stay, again when it is told to wait."""

    def __init__(self, token):
        self.headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
        self.api, self.store, self.again, self.id, self.times = self.connection(PORT), None, 0, str(uuid.uuid4()), []
        self.api.connect()

    def connection(self, port):
        if CONTEXT:
            return http.client.HTTPSConnection("127.0.0.1", port, timeout=120, context=CONTEXT)
        return http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def ask(self, method, path, body=None):
        while True:
            self.api.request(method, "/v1" + path, json.dumps(body) if body else None, self.headers)
            answer = self.api.getresponse()
            text = answer.read()
            if answer.status == 200:
                return json.loads(text)
            if answer.status not in (429, 503):
                raise AssertionError(f"{method} {path}: {answer.status} {text[:200]!r}")
            self.again += 1
            time.sleep(int(answer.headers["Retry-After"]))

    def round(self):
        began, data = time.monotonic(), os.urandom(20000)
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        self.ask("GET", "/sessions?limit=10")
        got = self.ask("POST", "/sessions/upload", {
            "sessionId": self.id, "sourceMachine": "box", "sourceCwd": "/p", "sourceUserDir": "/home/a",
            "sizeBytes": len(data), "checksum": digest, "metadata": {"messageCount": 1}})
        url = urllib.parse.urlsplit(got["uploadUrl"])
        self.store = self.store or self.connection(url.port)
        self.store.request("PUT", f"{url.path}?{url.query}", data, {"Content-Type": "application/gzip"})
        answer = self.store.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise AssertionError(f"PUT: {answer.status} {text[:200]!r}")
        self.ask("POST", f"/sessions/{self.id}/confirm", {"version": got["version"], "checksum": digest})
        self.times.append((time.monotonic() - began) * 1000)


def active():
    rss, threads, tokens, failed = status("VmRSS"), status("Threads"), sys.argv[7:], []
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        daemons = list(pool.map(lambda i: Daemon(tokens[i % len(tokens)]), range(N)))

    def work(d):
        try:
            for _ in range(int(sys.argv[6])):
                d.round()
        except (AssertionError, OSError, http.client.HTTPException) as e:
            failed.append(repr(e))

    workers = [threading.Thread(target=work, args=(d,)) for d in daemons]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    times = sorted(t for d in daemons for t in d.times) or [0]
    print("done", len(times), "asked_again", sum(d.again for d in daemons), "rss_kb", rss, status("VmRSS"),
          "threads", threads, status("Threads"), "ms", *(round(times[int(len(times) * q)]) for q in (0.5, 0.99)),
          round(times[-1]))
    if failed:
        print(len(failed), "failed:", failed[0])
    sys.exit(bool(failed))


def main():
    if WHAT == "active":
        active()
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
