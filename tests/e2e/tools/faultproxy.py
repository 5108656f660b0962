#!/usr/bin/env python3
"""A proxy between a client and codeteleport-server that breaks things as it is told.

    faultproxy.py --ready FILE --upstream FILE --faults FILE --log FILE [--queries FILE]
                  [--capture DIR]

It listens on two free ports of 127.0.0.1, one before the API and one before the object store, and
writes them to the --ready file as the server does (api=..., objects=...).  --upstream is the ready
file of the server, read anew for each request, so the server may start later (with
public_objects_url set to where this listens, for the host is part of what is signed) and may come
back elsewhere.  TLS ends here on both sides; the certificate is the server's own, which lies beside
the CA file that its ready file names.

The --faults file holds one rule a line, and is read again whenever it was replaced; the first rule
that fits counts.  A line that begins with '#' is a comment.

    SIDE METHOD PATH FAULT... [times=N] [skip=N] [chance=P]

SIDE is api, store or any; METHOD one of HTTP or *; PATH a pattern as in the shell, of the path
without its query.  times: for the first N fits only; skip: but not for the first N; chance: with
this probability.  Faults of a request:

    delay=S           wait before anything else
    status=N          answer this without asking the server; with header=Name:Value, size=N (a body
                      of N bytes of JSON that does not end) or body=TEXT (to the line's end)
    replace           ask the server, but answer that (status, header, body)
    early             answer without having read the body, and close
    reset, close      end the connection instead of an answer, with RST or in peace
    silent            never answer
    swallow           let the server do it, and reset the connection instead of passing its answer
    cut-up=N          pass N bytes of the body on, then reset both connections
    cut-down=N        pass N bytes of the answer, then reset
    drip-up=N, drip-down=N    at most N bytes a second

METHOD may be `accept`, for a connection before any request (PATH is * then):

    refuse            do not listen at all; connections that are open are reset
    silent, reset     accept, and then never say anything; or reset
    garbage           answer the handshake with something that is not TLS
    tls=1.1           speak no newer TLS
    cert=FILE         show this certificate (PEM, its key in the same file)

The --log file gets a JSON document a line for each connection and each request, without queries,
which hold signatures.  Those are written to the --queries file, for a test that looks for them.
The --capture folder gets a file for each connection, with every byte that went either way in it, as
it was before TLS.
"""

import argparse
import fnmatch
import json
import os
import random
import shlex
import signal
import socket
import ssl
import struct
import sys
import threading
import time
from urllib.parse import urlsplit

CHUNK = 65536
WORDS = ("replace", "early", "reset", "close", "silent", "swallow", "refuse", "garbage")
VALUES = ("delay", "status", "header", "size", "cut-up", "cut-down", "drip-up", "drip-down",
          "times", "skip", "chance", "tls", "cert")


class Gone(Exception):
    """The connection ended."""


class Rule:
    def __init__(self, line):
        self.text = line.strip()
        head, has_body, body = self.text.partition(" body=")
        words = shlex.split(head)
        self.side, self.method, self.path = words[:3]
        self.headers, self.values, self.hits = [], {}, 0
        for w in words[3:]:
            key, eq, value = w.partition("=")
            if key not in (VALUES if eq else WORDS):
                raise ValueError("unknown fault: " + w)
            if key == "header":
                self.headers.append(value.split(":", 1))
            else:
                self.values[key] = value if eq else True
        if has_body:
            self.values["body"] = body

    def __contains__(self, key):
        return key in self.values

    def get(self, key, default=0.0):
        return float(self.values.get(key, default))

    def text_of(self, key, default=""):
        return self.values.get(key, default)

    def fits(self, side, method, path):
        if self.side not in (side, "any") or self.method not in (method, "*"):
            return False
        if (self.method == "*" and method == "accept") or not fnmatch.fnmatch(path, self.path):
            return False
        if random.random() >= self.get("chance", 1):
            return False
        self.hits += 1
        n = self.hits - self.get("skip")
        return n > 0 and ("times" not in self or n <= self.get("times"))


class Faults:
    def __init__(self, path):
        self.path, self.stamp, self.rules = path, None, []
        self.lock = threading.Lock()

    def refresh(self):
        try:
            st = os.stat(self.path)
        except OSError:
            return
        stamp = (st.st_ino, st.st_mtime_ns)
        if stamp == self.stamp:
            return
        self.stamp = stamp
        with open(self.path, encoding="utf-8") as f:
            self.rules = [Rule(line) for line in f
                          if line.strip() and not line.startswith("#")]

    def find(self, side, method, path):
        with self.lock:
            self.refresh()
            for r in self.rules:
                if r.fits(side, method, path):
                    return r
        return None

    def refuses(self, side):
        with self.lock:
            self.refresh()
            return any(r.method == "accept" and "refuse" in r and r.side in (side, "any")
                       for r in self.rules)


class Wire:
    """A socket with a buffer in front; what goes through it goes to ${capture} too."""

    def __init__(self, sock, capture=None):
        self.sock, self.buf, self.capture = sock, bytearray(), capture

    def more(self):
        try:
            d = self.sock.recv(CHUNK)
        except OSError as e:
            raise Gone from e
        self.buf += d
        self.note(d)
        return len(d)

    def note(self, d):
        if self.capture is not None:
            self.capture.write(d)
            self.capture.flush()

    def head(self):
        seen = 0 # some of our cases send heads of megabytes
        while (end := self.buf.find(b"\r\n\r\n", max(0, seen - 3))) < 0:
            seen = len(self.buf)
            if self.more() == 0:
                raise Gone
        head = self.buf[:end].decode("latin-1")
        del self.buf[:end + 4]
        return head.split("\r\n")

    def take(self, most):
        if not self.buf and self.more() == 0:
            raise Gone
        d = bytes(self.buf[:most])
        del self.buf[:most]
        return d

    def send(self, data):
        self.note(data)
        try:
            self.sock.sendall(data)
        except OSError as e:
            raise Gone from e

    def close(self):
        self.sock.close()

    def reset(self):
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.sock.close()

    def abort(self):
        """From another thread than the one that reads it."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def paced(data, rate):
    """Pieces of data, at most rate bytes a second; 0: at once."""
    if rate <= 0:
        yield data
        return
    step = max(1, int(rate / 10))
    for i in range(0, len(data), step):
        yield data[i:i + step]
        time.sleep(min(step, len(data) - i) / rate)


def fields(lines):
    return {k.strip().lower(): v.strip() for k, v in (ln.split(":", 1) for ln in lines[1:] if ":" in ln)}


class Request:
    def __init__(self, lines):
        self.lines = lines
        self.method, self.target = lines[0].split(" ")[:2]
        self.path = self.target.split("?", 1)[0]
        self.fields = fields(lines)
        self.length = int(self.fields.get("content-length", "0"))


class Side:
    def __init__(self, proxy, name):
        self.proxy, self.name = proxy, name
        with socket.socket() as probe:  # a number of its own, so that it stays ours while refusing
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.sock, self.wires = None, set()
        self.listen()

    def listen(self):
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(("127.0.0.1", self.port))
        self.sock.listen(64)
        threading.Thread(target=self.serve, args=(self.sock,), daemon=True).start()

    def serve(self, sock):
        while True:
            try:
                c, _ = sock.accept()
            except OSError:
                return
            threading.Thread(target=self.connection, args=(c,), daemon=True).start()

    def mind_refusal(self):
        refuses = self.proxy.faults.refuses(self.name)
        if refuses and self.sock is not None:
            # Not listening, but bound: nobody else gets the port.
            self.sock.shutdown(socket.SHUT_RDWR)
            self.held, self.sock = self.sock, None
            for w in list(self.wires):
                w.abort()
            self.proxy.log(event="refusing", side=self.name)
        elif not refuses and self.sock is None:
            self.held.close()
            self.listen()
            self.proxy.log(event="listening", side=self.name)

    def context(self, rule):
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        cert, key = self.proxy.certificate()
        if rule is not None and "cert" in rule:
            cert = key = rule.text_of("cert")
        c.load_cert_chain(cert, key)
        if rule is not None and "tls" in rule:
            c.set_ciphers("ALL:@SECLEVEL=0")
            c.minimum_version = ssl.TLSVersion.TLSv1
            c.maximum_version = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1,
                                 "1.2": ssl.TLSVersion.TLSv1_2}[rule.text_of("tls")]
        return c

    def connection(self, sock):
        number = self.proxy.next_number()
        rule = self.proxy.faults.find(self.name, "accept", "*")
        self.proxy.log(event="accept", side=self.name, conn=number, fault=rule and rule.text)
        capture = self.proxy.capture_of(self.name, number)
        wire = Wire(sock, capture)
        self.wires.add(wire)
        try:
            if rule is not None and "reset" in rule:
                wire.reset()
                return
            if rule is not None and "silent" in rule:
                self.proxy.hold(sock)
                return
            if rule is not None and "garbage" in rule:
                wire.send(b"220 mail.example.org ESMTP\r\n")
                wire.more()
                wire.close()
                return
            wire.sock = self.context(rule).wrap_socket(sock, server_side=True)
            while self.request(wire, number):
                pass
        except (Gone, ssl.SSLError, OSError):
            pass
        self.wires.discard(wire)
        wire.close()

    def request(self, wire, number):
        rq = Request(wire.head())
        rule = self.proxy.faults.find(self.name, rq.method, rq.path)
        self.proxy.log(event="request", side=self.name, conn=number, method=rq.method, path=rq.path,
                       length=rq.length, host=rq.fields.get("host"), fault=rule and rule.text,
                       authorization="authorization" in rq.fields, expect="expect" in rq.fields)
        self.proxy.note_query(rq.target)
        if rule is None:
            return self.answer(wire, number, rq, None, self.forward(wire, rq, None))
        time.sleep(rule.get("delay"))
        if "early" in rule:
            wire.send(self.made_up(rule, b"Connection: close\r\n"))
            wire.sock.shutdown(socket.SHUT_WR)
            return False
        if "silent" in rule:
            while wire.more() > 0:
                wire.buf.clear()
            return False
        if "reset" in rule or "close" in rule:
            wire.reset() if "reset" in rule else wire.close()
            return False
        if "status" in rule and "replace" not in rule:
            self.pass_body(wire, rq, None, rule)
            return self.answer(wire, number, rq, rule, self.made_up(rule))
        answer = self.forward(wire, rq, rule)
        if "swallow" in rule or answer is None:
            self.proxy.log(event="reset", side=self.name, conn=number)
            wire.reset()
            return False
        if "replace" in rule:
            answer = self.made_up(rule)
        return self.answer(wire, number, rq, rule, answer)

    def pass_body(self, wire, rq, up, rule):
        """Pass the body on; False when it was cut."""
        left, sent = rq.length, 0
        most = int(rule.get("cut-up")) if rule is not None and "cut-up" in rule else None
        while left > 0:
            d = wire.take(min(left, CHUNK))
            left -= len(d)
            if most is not None and sent + len(d) >= most:
                up.send(d[:most - sent])
                return False
            for piece in paced(d, rule.get("drip-up") if rule is not None else 0):
                if up is not None:
                    up.send(piece)
            sent += len(d)
        return True

    def forward(self, wire, rq, rule):
        up = Wire(self.proxy.connect(self.name))
        head = [rq.lines[0]] + [ln for ln in rq.lines[1:] if not ln.lower().startswith("connection:")]
        try:
            up.send("\r\n".join(head + ["Connection: close", "", ""]).encode("latin-1"))
            try:
                if not self.pass_body(wire, rq, up, rule):
                    up.reset()
                    return None
            except Gone:
                if not up.buf and up.more() == 0:
                    raise
            while up.more() > 0:
                pass
        finally:
            up.close()
        head, body = up.buf.split(b"\r\n\r\n", 1)
        lines = [ln for ln in head.split(b"\r\n")
                 if not ln.lower().startswith((b"connection:", b"content-length:"))]
        length = len(body)
        if rq.method == "HEAD":
            length = int(fields(head.decode("latin-1").split("\r\n")).get("content-length", "0"))
        return b"\r\n".join(lines + [b"Content-Length: %d" % length, b"", body])

    def answer(self, wire, number, rq, rule, answer):
        self.proxy.log(event="answer", side=self.name, conn=number, method=rq.method, path=rq.path,
                       status=int(answer.split(b" ", 2)[1]))
        if rule is not None and "cut-down" in rule:
            wire.send(answer[:int(rule.get("cut-down"))])
            wire.reset()
            return False
        for piece in paced(answer, rule.get("drip-down") if rule is not None else 0):
            wire.send(piece)
        return True

    @staticmethod
    def made_up(rule, extra=b""):
        body = rule.text_of("body").encode()
        if "size" in rule:
            body = b'{"a":"' + b"x" * int(rule.get("size"))
        head = "".join("%s: %s\r\n" % (k, v.strip()) for k, v in rule.headers)
        if not any(k.lower() == "content-type" for k, _ in rule.headers):
            kind = ("application/xml" if body.startswith(b"<Error") else
                    "text/html" if body.startswith(b"<") else "application/json")
            head += "Content-Type: %s\r\n" % kind
        return b"HTTP/1.1 %d Faulty\r\n%sContent-Length: %d\r\n%s\r\n%s" % (
            int(rule.get("status", 200)), head.encode(), len(body), extra, body)


class Proxy:
    def __init__(self, args):
        self.args, self.lock = args, threading.Lock()
        self.held, self.number = [], 0
        self.faults = Faults(args.faults)
        self.out = open(args.log, "a", encoding="utf-8")
        self.sides = [Side(self, "api"), Side(self, "store")]

    def capture_of(self, side, number):
        """A file for each connection, so that what belongs together stays together."""
        if not self.args.capture:
            return None
        os.makedirs(self.args.capture, exist_ok=True)
        return open(os.path.join(self.args.capture, "%05d.%s" % (number, side)), "wb")

    def next_number(self):
        with self.lock:
            self.number += 1
            return self.number

    def log(self, **what):
        with self.lock:
            self.out.write(json.dumps({"at": round(time.monotonic(), 3), **what}) + "\n")
            self.out.flush()

    def note_query(self, target):
        if self.args.queries and "?" in target:
            with self.lock, open(self.args.queries, "a", encoding="utf-8") as f:
                f.write(target.split("?", 1)[1] + "\n")

    def hold(self, sock):
        with self.lock:
            self.held.append(sock)

    def upstream(self):
        with open(self.args.upstream, encoding="utf-8") as f:
            return dict(ln.strip().split("=", 1) for ln in f if "=" in ln)

    def certificate(self):
        home = os.path.dirname(self.upstream()["ca"])
        return os.path.join(home, "server.pem"), os.path.join(home, "server.key")

    def connect(self, side):
        up = self.upstream()
        # The server says where it is; what it calls the object store may be this proxy.
        url = urlsplit(up["api"] if side == "api" else up.get("objects_listen", up["objects"]))
        sock = socket.create_connection((url.hostname, url.port or 443))
        if url.scheme == "http":
            return sock
        return ssl.create_default_context(cafile=up["ca"]).wrap_socket(
            sock, server_hostname=url.hostname)

    def run(self):
        ready = "api=https://127.0.0.1:%d/v1\nobjects=https://127.0.0.1:%d\n" % tuple(
            s.port for s in self.sides)
        with open(self.args.ready + ".new", "w", encoding="utf-8") as f:
            f.write(ready)
        os.rename(self.args.ready + ".new", self.args.ready)
        while True:
            for s in self.sides:
                s.mind_refusal()
            time.sleep(0.05)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    for name in ("ready", "upstream", "faults", "log"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--queries")
    p.add_argument("--capture")
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    Proxy(p.parse_args()).run()


if __name__ == "__main__":
    sys.exit(main())
