#!/usr/bin/env python3
"""Requests that no honest client sends, over raw sockets, each with the answer that it has to get.

    hostile.py malformed|bombs|fields|tokens|paths|crowd|drip PORT CA [TOKEN]

Says what went wrong and exits 1, or is silent.
"""
import concurrent.futures
import itertools
import json
import socket
import ssl
import sys
import time
import urllib.parse

PORT, CA = int(sys.argv[2]), sys.argv[3]
TOKEN = sys.argv[4] if len(sys.argv) > 4 else ""
HEAD = b"Host: localhost\r\nConnection: close\r\n"
JSON = b"Content-Type: application/json\r\n"
AUTH = b"Authorization: Bearer " + TOKEN.encode() + b"\r\n"
CONTEXT = ssl.create_default_context(cafile=CA)
wrong = []


def connect(limit=30):
    s = CONTEXT.wrap_socket(socket.create_connection(("127.0.0.1", PORT)), server_hostname="localhost")
    s.settimeout(limit)
    return s


def exchange(raw):
    """The whole answer; what is left when the other side closes or resets."""
    got = b""
    with connect() as s:
        try:
            s.sendall(raw)
        except OSError:
            pass
        try:
            while piece := s.recv(65536):
                got += piece
        except TimeoutError:
            return b"HTTP/1.1 000 no answer\r\n\r\n"
        except OSError:
            pass
    return got


def parts(raw):
    head, _, body = exchange(raw).partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    return int(words[1]) if len(words) > 1 else 0, head.lower(), body


def check(name, raw, wanted, is_json=True):
    """One of the wanted statuses (0: closed without a word); errors are JSON with code and sentence."""
    status, head, body = parts(raw)
    if status not in wanted:
        wrong.append(f"{name}: {status}, not {wanted}: {body[:200]!r}")
    elif is_json and status != 0:
        try:
            answer = json.loads(body)
            good = b"content-type: application/json" in head and (status < 400 or answer["error"] and answer["message"])
        except (ValueError, KeyError):
            good = False
        if not good:
            wrong.append(f"{name}: {status} is not our JSON: {head[:200]!r} {body[:200]!r}")


def post(path, body, headers=b""):
    return (b"POST " + path + b" HTTP/1.1\r\n" + HEAD + AUTH + JSON + headers
            + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def malformed():
    get, login = b"GET /healthz HTTP/1.1\r\n", b"POST /v1/auth/login HTTP/1.1\r\n" + HEAD + JSON
    ours = {
        "no host": (b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        "two hosts": (get + b"Host: a\r\n" + HEAD + b"\r\n", 400),
        "blank before the colon": (get + HEAD + b"X : y\r\n\r\n", 400),
        "hidden transfer encoding": (login + b"Content-Length: 2\r\nTransfer-Encoding : chunked\r\n\r\n{}", 400),
        "length and encoding": (login + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        "two lengths": (login + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", 400),
        "unknown encoding": (login + b"Transfer-Encoding: gzip\r\n\r\nx", 400),
        "encodings in a list": (login + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        "two authorizations": (b"GET /v1/auth/me HTTP/1.1\r\n" + HEAD + AUTH + AUTH + b"\r\n", 400),
        "control character in a header": (get + HEAD + b"X: a\x01b\r\n\r\n", 400),
        "blank in the path": (b"GET /heal thz HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        "bytes in the path": (b"GET /\xff\xfe HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        "bytes in the method": (b"G\xffT /healthz HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        "another server": (b"GET http://evil.example/healthz HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        "CONNECT": (b"CONNECT evil.example:443 HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        "TRACE": (b"TRACE /healthz HTTP/1.1\r\n" + HEAD + b"\r\n", 405),
        "long method": (b"A" * 5000 + b" /healthz HTTP/1.1\r\n" + HEAD + b"\r\n", 405),
        "a form": (b"POST /v1/auth/login HTTP/1.1\r\n" + HEAD
                   + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b", 415),
        "many parts": (b"POST /v1/auth/login HTTP/1.1\r\n" + HEAD
                       + b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 3\r\n\r\n--x", 415),
        "a longer type": (b"POST /v1/auth/login HTTP/1.1\r\n" + HEAD
                          + b"Content-Type: application/jsonp\r\nContent-Length: 2\r\n\r\n{}", 415),
        "HTTP/1.0": (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
    }
    # What the library finds before it hands on a request it answers in its own words, or closes.
    its_own = {
        "no version": (b"GET /healthz\r\n\r\n", (400,)),
        "no line": (b"nonsense\r\n\r\n", (0, 400)),
        "another version": (get.replace(b"1.1", b"9.9") + HEAD + b"\r\n", (505,)),
        "no colon": (get + HEAD + b"Xy\r\n\r\n", (400,)),
        "negative length": (login + b"Content-Length: -1\r\n\r\n", (400,)),
        "length that is none": (login + b"Content-Length: 1x\r\n\r\n", (400,)),
        "length beyond all": (login + b"Content-Length: 99999999999999999999999\r\n\r\n", (413,)),
        "chunk that is none": (login + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", (400,)),
        "chunk that ends late": (login + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n", (400,)),
        "chunk beyond all": (login + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n", (413,)),
        "long path": (b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n", (0, 414)),
        "long header": (get + HEAD + b"X: " + b"a" * 200000 + b"\r\n\r\n", (0, 431)),
        "many headers": (get + HEAD + b"".join(b"X%d: y\r\n" % i for i in range(20000)) + b"\r\n", (0, 431)),
    }
    for name, (raw, status) in ours.items():
        check(name, raw, (status,))
    for name, (raw, statuses) in its_own.items():
        check(name, raw, statuses, is_json=False)


def bombs():
    upload = b"/v1/sessions/upload"
    texts = {
        "arrays in arrays": (b"[" * 500000, 400),
        "closed arrays in arrays": (b"[" * 500000 + b"]" * 500000, 400),
        "objects in objects": (b'{"a":' * 150000 + b"1" + b"}" * 150000, 400),
        "33 levels": (b'{"metadata":' + b"[" * 32 + b"]" * 32 + b"}", 400),
        "many members": (b"{" + b",".join(b'"k%d":1' % i for i in range(80000)) + b"}", 400),
        "one member many times": (b"{" + b",".join([b'"a":1'] * 150000) + b"}", 400),
        "a long number": (b'{"sizeBytes":' + b"9" * 500000 + b"}", 422),
        "a large exponent": (b'{"sizeBytes":1e999999999}', 422),
        "single quotes": (b"{'email':'x'}", 400),
        "a name in single quotes": (b"{'a':1}", 400),
        "a comment": (b'{"a":1/**/}', 400),
        "NaN": (b'{"a":NaN}', 400),
        "a comma too much": (b'{"a":1,}', 400),
        "bytes": (b'{"a":"\xc0\x80"}', 400),
        "a raw line end in a string": (b'{"a":"b\nc"}', 400),
        "two documents": (b"{}{}", 400),
        "blanks only": (b" " * 1000, 400),
        "a mark": (b"\xef\xbb\xbf{}", 400),
        "UTF-16": ('{"a":1}'.encode("utf-16"), 400),
        "null": (b"null", 422),
        "an array": (b"[1,2]", 422),
        "a megabyte and one": (b'{"a":"' + b"x" * (1 << 20) + b'"}', 413),
    }
    for name, (text, status) in texts.items():
        check(name, post(upload, text), (status,))
    check("a megabyte in small chunks", b"POST " + upload + b" HTTP/1.1\r\n" + HEAD + AUTH + JSON
          + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * ((1 << 20) + 10) + b"0\r\n\r\n", (413,))


NASTY = ["'; DROP TABLE users; --", "\" OR 1=1", "../../etc/passwd", "..%2f..%2f", "%00", "a\0b", "\x01\x1f",
         "\u202e\u0000", "${jndi:ldap://x}", "<script>", "a" * 70000, "\ud83d\ude00" * 20, "//", ".", "..", "-x",
         "%s%n%x", "\\", "\r\nX: y", "C:\\x", "/dev/null", "*", "?"]


OTHERS = [None, True, 0, -1, 1.5, 2**63, -2**63, [], {}, [[]], [None], {"a": {}}]


def small(value):
    """What does not fit into the small body that all but an upload has."""
    return (413,) if isinstance(value, str) and len(value) > 16 * 1024 else None


def fields():
    good = {"sessionId": "s1", "sourceMachine": "m", "sourceCwd": "/x", "sourceUserDir": "/x", "sizeBytes": 10,
            "checksum": "sha256:" + "0" * 64, "metadata": {"agentId": "claude-code"}, "tags": ["t"], "label": "l",
            "md5": "1B2M2Y8AsgTpgAmY7PhCfg==", "amend": 1, "pin": 1, "baseVersion": 1, "baseVersions": [1], "revive": False}
    strict = {"sessionId", "checksum", "md5", "sizeBytes", "amend", "pin", "baseVersion", "baseVersions", "revive"}
    jobs = []
    for field in good:
        for value in NASTY + OTHERS:
            bad = field in strict and not (value is None and field not in ("sessionId", "checksum", "sizeBytes"))
            jobs.append((f"{field}={value!r:.40}", post(b"/v1/sessions/upload", json.dumps({**good, field: value}).encode()),
                         (422, 413, 200) if not bad else (422, 413, 200 if _fits(field, value) else 422)))
    for name, value in itertools.product(("email", "password"), NASTY + OTHERS):
        body = {"email": "al@example.org", "password": "12345678", name: value}
        jobs.append((f"register {name}={value!r:.40}", post(b"/v1/auth/register", json.dumps(body).encode()),
                     small(value) or ((409, 422) if name == "password" else (422,))))
    for value in NASTY + OTHERS:
        jobs.append((f"confirm {value!r:.40}", post(b"/v1/sessions/s1/confirm", json.dumps({"version": value, "checksum": value}).encode()),
                     small(value) or (404, 409, 422)))
        jobs.append((f"undelete {value!r:.40}", post(b"/v1/sessions/s1/undelete", json.dumps({"version": value}).encode()), small(value) or (404, 422)))
    run(jobs)


def tokens():
    """With a log-in as TOKEN: names and expiries of API tokens."""
    jobs = []
    for name, value in itertools.product(("name", "expiresIn"), NASTY + OTHERS):
        body = {"name": "n", "expiresIn": "1d", name: value}
        short = isinstance(value, str) and 0 < len(value) < 200 and "\0" not in value
        jobs.append((f"token {name}={value!r:.40}", post(b"/v1/auth/token", json.dumps(body).encode()),
                     small(value) or ((201,) if value is None or (name == "name" and short) else (422,))))
    run(jobs)


def _fits(field, value):
    """Of the nasty values the few that such a field may have."""
    if field == "sessionId":
        return value in ("a" * 0,)
    if field == "revive":
        return value in (True, False)
    if field == "baseVersions":
        return value == []
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**12


def paths():
    jobs = []
    for value in NASTY:
        q = urllib.parse.quote(value, safe="").encode()[:8000] if not value.startswith("\ud83d") else b"%F0%9F%98%80"
        for pattern in (b"/v1/sessions/%s/versions", b"/v1/sessions/%s/download", b"/v1/sessions/%s", b"/v1/auth/tokens/%s",
                        b"/v1/devices/%s", b"/v1/sessions/s1/versions/%s"):
            method = b"GET" if pattern.count(b"/") == 4 and b"sessions" in pattern and b"s1" not in pattern else b"DELETE"
            jobs.append((f"{method.decode()} {pattern % q[:30]!r}", method + b" " + pattern % q + b" HTTP/1.1\r\n" + HEAD + AUTH + b"\r\n", (404, 405)))
        for key in (b"machine", b"tag", b"agent", b"limit", b"offset"):
            jobs.append((f"list {key.decode()}={value!r:.30}", b"GET /v1/sessions?" + key + b"=" + q + b" HTTP/1.1\r\n" + HEAD + AUTH + b"\r\n",
                         (200, 422)))
    for raw in (b"/v1//sessions", b"//v1/sessions", b"/v1/sessions/", b"/v1/./sessions", b"/v1/../v1/sessions", b"/v1/%2e%2e/v1/sessions",
                b"/V1/sessions", b"/v1/sessions%00", b"/v1/sessions%2f", b"/v1%2fsessions", b"/v1/sessions;x=y", b"/v1/sessions/%2e%2e/versions",
                b"/v1/sessions/%2e/versions", b"/v1/sessions/s1%2f..%2f/versions", b"/v1/sessions/%zz/versions", b"/v1/sessions/%/versions",
                b"/v1/sessions/%c0%af/versions"):
        jobs.append((raw.decode(), b"GET " + raw + b" HTTP/1.1\r\n" + HEAD + AUTH + b"\r\n", (404,)))
    run(jobs)


def run(jobs):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda job: check(*job), jobs))


def crowd():
    """Many who say nothing, or half a thing, keep nobody out."""
    idle = []
    for start in (b"", b"GET /heal", b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"POST /v1/auth/login HTTP/1.1\r\n" + HEAD + JSON + b"Content-Length: 10\r\n\r\n{"):
        for _ in range(25):
            s = connect()
            s.sendall(start)
            idle.append(s)
    for _ in range(5):
        check("beside a crowd", b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\n", (200,))
    # One address has at most 128 connections, as the settings say; who comes then is sent away, and the others stay.
    refused = 0
    for _ in range(60):
        try:
            s = connect(5)
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            refused += not s.recv(1)
            idle.append(s)
        except OSError:
            refused += 1
    if not 20 <= refused < 60:
        wrong.append(f"{refused} of 60 connections beyond the limit were refused")
    for s in idle:
        s.close()
    until = time.monotonic() + 30
    while True:
        try:
            if parts(b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\n")[0] == 200:
                break
        except OSError:
            pass
        if time.monotonic() > until:
            wrong.append("the server does not come back after the crowd")
            break
        time.sleep(0.1)


def drip():
    """A connection that says nothing, a head and a body that drip: all are closed within two minutes."""
    kinds = {"silent": (b"", b""), "head": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ", b"y"),
             "body": (b"POST /v1/auth/login HTTP/1.1\r\n" + HEAD + JSON + b"Content-Length: 10000\r\n\r\n{", b" "),
             "chunks": (b"POST /v1/auth/login HTTP/1.1\r\n" + HEAD + JSON + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n")}
    open_ones = {name: connect(0.01) for name in kinds}
    for name, s in open_ones.items():
        s.sendall(kinds[name][0])
    until = time.monotonic() + 120
    while open_ones and time.monotonic() < until:
        for name in list(open_ones):
            s = open_ones[name]
            try:
                if kinds[name][1]:
                    s.sendall(kinds[name][1])
                if s.recv(1000) == b"":
                    del open_ones[name]
            except TimeoutError:
                pass
            except OSError:
                del open_ones[name]
        time.sleep(0.5)
    wrong.extend(f"{name} is still open after two minutes" for name in open_ones)


globals()[sys.argv[1]]()
print("\n".join(wrong), end="\n" if wrong else "")
sys.exit(1 if wrong else 0)
