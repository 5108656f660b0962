#!/usr/bin/env python3
"""A server of the wire API as the public one is: none of our additions, two versions a session.

It stands in for a server that is not ours: no uploadHeaders, no pin, no checksum in a download, a
confirm whose body is not read.  API and object store are two origins, both TLS on loopback; objects
and state lie below --data and outlive a restart.  Standard library only; openssl(1) makes the
certificate.

  stock_server.py --data DIR --ready-file FILE [--listen HOST:PORT] [--objects HOST:PORT]
                  [--versions N] [--sessions N] [--faults FILE] [--url-seconds S]

The ready file has the lines api=, objects= and ca=, as codeteleport-server writes them.  Each
request is one line on stdout: "<api|object> <method> <path> <status> auth=<yes|no>".  --faults
names a file that may come and go; each of its lines "METHOD PATH-PATTERN STATUS" answers whatever
matches (the pattern is a regular expression for the whole path; status 0 cuts the connection).
"""

import argparse
import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import secrets
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}")


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())


class Service:
    """Accounts, sessions and objects; one lock, one file of state, published by rename."""

    def __init__(self, args):
        self.args = args
        self.lock = threading.RLock()
        self.dir = args.data
        os.makedirs(self.dir, mode=0o700, exist_ok=True)
        self.file = os.path.join(self.dir, "state.json")
        try:
            with open(self.file, encoding="utf-8") as f:
                self.state = json.load(f)
        except FileNotFoundError:
            self.state = {"key": secrets.token_hex(32), "users": {}, "tokens": {}, "sessions": {}}
            self.save()

    def save(self):
        with open(self.file + ".tmp", "w", encoding="utf-8") as f:
            json.dump(self.state, f)
            f.flush()
            os.fsync(f.fileno())
        os.rename(self.file + ".tmp", self.file)

    # ---- objects

    def object_path(self, key):
        return os.path.join(self.dir, "objects", key)

    def sign(self, method, key, expires):
        text = "%s\n%s\n%d" % (method, key, expires)
        return hmac.new(bytes.fromhex(self.state["key"]), text.encode(), "sha256").hexdigest()

    def presign(self, method, key):
        expires = int(time.time()) + self.args.url_seconds
        query = urllib.parse.urlencode(
            {"expires": expires, "signature": self.sign(method, key, expires)})
        return "%s/%s?%s" % (self.objects_url, urllib.parse.quote(key), query)

    def drop_object(self, key):
        try:
            os.unlink(self.object_path(key))
        except FileNotFoundError:
            pass

    # ---- accounts

    def password(self, user, given):
        return hashlib.scrypt(given.encode(), salt=bytes.fromhex(user["salt"]), n=1024, r=8,
                              p=1).hex()

    def new_token(self, kind, user_id):
        raw = {"jwt": "jwt.", "api": "ctk_live_"}[kind] + secrets.token_urlsafe(32)
        self.state["tokens"][hashlib.sha256(raw.encode()).hexdigest()] = \
            {"kind": kind, "user": user_id}
        return raw

    def user_of(self, headers):
        given = headers.get("Authorization", "")
        if not given.startswith("Bearer "):
            raise Refused(401, "unauthorized", "A token is needed")
        token = self.state["tokens"].get(hashlib.sha256(given[7:].encode()).hexdigest())
        if token is None:
            raise Refused(401, "unauthorized", "The token is not known")
        return token

    def register(self, body):
        email, given = body.get("email"), body.get("password")
        if not isinstance(email, str) or "@" not in email or not isinstance(given, str):
            raise Refused(422, "invalid", "E-mail and password are needed")
        if email in self.state["users"]:
            raise Refused(409, "email_taken", "This e-mail has an account")
        user = {"id": secrets.token_hex(8), "email": email, "salt": secrets.token_hex(16),
                "createdAt": now()}
        user["hash"] = self.password(user, given)
        self.state["users"][email] = user
        return 201, self.logged_in(user)

    def login(self, body):
        user = self.state["users"].get(body.get("email"))
        if user is None or self.password(user, str(body.get("password"))) != user["hash"]:
            raise Refused(401, "invalid_credentials", "E-mail or password is wrong")
        return 200, self.logged_in(user)

    def logged_in(self, user):
        token = self.new_token("jwt", user["id"])
        self.save()
        return {"token": token, "user": {"id": user["id"], "email": user["email"]}}

    def mint(self, token):
        if token["kind"] != "jwt":
            raise Refused(403, "forbidden", "Log in to make a token")
        raw = self.new_token("api", token["user"])
        self.save()
        return 201, {"token": raw, "id": secrets.token_hex(8)}

    def me(self, user_id):
        user = next(u for u in self.state["users"].values() if u["id"] == user_id)
        return 200, {"id": user["id"], "email": user["email"], "plan": "free",
                     "createdAt": user["createdAt"]}

    # ---- sessions

    def mine(self, user_id):
        return self.state["sessions"].setdefault(user_id, {})

    def session(self, user_id, session_id, confirmed=True):
        s = self.mine(user_id).get(session_id)
        if s is None or (confirmed and not s["versions"]):
            raise Refused(404, "not_found", "There is no such session")
        return s

    def usage(self, user_id):
        used = sum(1 for s in self.mine(user_id).values() if s["versions"])
        limit = self.args.sessions
        return 200, {"plan": "free", "paymentStatus": None,
                     "sessions": {"used": used, "limit": limit},
                     "devices": {"used": 1, "limit": 3},
                     "versionsPerSession": self.args.versions}

    def upload(self, user_id, body):
        session_id = body.get("sessionId")
        if not isinstance(session_id, str) or not UUID.fullmatch(session_id):
            raise Refused(422, "invalid", "sessionId is not a UUID")
        for name in ("sourceMachine", "sourceCwd", "sourceUserDir"):
            if not isinstance(body.get(name), str):
                raise Refused(422, "invalid", name + " is missing")
        if not isinstance(body.get("sizeBytes"), int) or body["sizeBytes"] <= 0:
            raise Refused(422, "invalid", "sizeBytes is missing")
        if not CHECKSUM.fullmatch(str(body.get("checksum"))):
            raise Refused(422, "invalid", "checksum is missing")
        sessions = self.mine(user_id)
        known = sessions.get(session_id)
        used = sum(1 for s in sessions.values() if s["versions"])
        if (known is None or not known["versions"]) and self.args.sessions is not None and \
                used >= self.args.sessions:
            raise Refused(403, "session_limit", "The plan has room for %d sessions" % used)
        s = sessions.setdefault(session_id, {"last": 0, "versions": [], "reserved": []})
        s["last"] += 1
        v = {"version": s["last"], "sizeBytes": body["sizeBytes"], "checksum": body["checksum"],
             "createdAt": now(),
             "key": "bundles/%s/%s.v%d.tar.gz" % (user_id, session_id, s["last"]),
             "item": {k: body.get(k) for k in ("sourceMachine", "sourceCwd", "sourceUserDir",
                                               "metadata", "label", "tags")}}
        s["reserved"].append(v)
        self.save()
        return 200, {"uploadUrl": self.presign("PUT", v["key"]),
                     "sessionRecordId": hashlib.sha256(v["key"].encode()).hexdigest()[:16],
                     "version": v["version"]}

    def confirm(self, user_id, session_id):
        s = self.session(user_id, session_id, confirmed=False)
        if not s["reserved"]:
            if s["versions"]:
                return 200, {"ok": True}
            raise Refused(404, "not_found", "Nothing was reserved")
        v = s["reserved"][-1]
        try:
            size = os.stat(self.object_path(v["key"])).st_size
        except FileNotFoundError:
            size = -1
        if size != v["sizeBytes"]:
            raise Refused(409, "not_uploaded", "The object is not there as it was promised")
        s["reserved"] = []
        s["versions"].append(v)
        gone = s["versions"][:-self.args.versions]
        s["versions"] = s["versions"][-self.args.versions:]
        self.save()
        for old in gone:
            self.drop_object(old["key"])
        return 200, {"ok": True}

    def download(self, user_id, session_id, query):
        s = self.session(user_id, session_id)
        wanted = query.get("version", [str(s["versions"][-1]["version"])])[0]
        for v in s["versions"]:
            if str(v["version"]) == wanted:
                item = {k: v["item"][k] for k in ("sourceCwd", "sourceUserDir", "sourceMachine",
                                                  "metadata")}
                item["id"] = session_id
                return 200, {"downloadUrl": self.presign("GET", v["key"]),
                             "version": v["version"], "session": item}
        raise Refused(404, "not_found", "There is no such version")

    def versions(self, user_id, session_id):
        s = self.session(user_id, session_id)
        return 200, {"sessionId": session_id, "currentVersion": s["versions"][-1]["version"],
                     "versions": [{k: v[k] for k in ("version", "sizeBytes", "checksum",
                                                     "createdAt")}
                                  for v in reversed(s["versions"])],
                     "limit": self.args.versions}

    def delete(self, user_id, session_id):
        s = self.session(user_id, session_id)
        for v in s["versions"] + s["reserved"]:
            self.drop_object(v["key"])
        s["versions"], s["reserved"] = [], []
        self.save()
        return 200, {"ok": True}

    def list(self, user_id, query):
        items = []
        for session_id, s in self.mine(user_id).items():
            if not s["versions"]:
                continue
            v = s["versions"][-1]
            items.append({**v["item"], "id": session_id, "tags": v["item"]["tags"] or [],
                          "sizeBytes": v["sizeBytes"], "currentVersion": v["version"],
                          "versionCount": len(s["versions"]), "createdAt": v["createdAt"]})
        for name, member in (("machine", "sourceMachine"),):
            if name in query:
                items = [i for i in items if i[member] == query[name][0]]
        items.sort(key=lambda i: i["createdAt"], reverse=True)
        offset, limit = (int(query.get(k, [d])[0]) for k, d in (("offset", 0), ("limit", 20)))
        return 200, {"sessions": items[offset:offset + min(limit, 100)], "total": len(items)}

    def answer(self, method, path, query, headers, body):
        """The whole API as one table of who answers what."""
        if method == "POST" and path == "/auth/register":
            return self.register(body)
        if method == "POST" and path == "/auth/login":
            return self.login(body)
        token = self.user_of(headers)
        user_id = token["user"]
        fixed = {
            ("POST", "/auth/token"): lambda: self.mint(token),
            ("GET", "/auth/me"): lambda: self.me(user_id),
            ("GET", "/billing/usage"): lambda: self.usage(user_id),
            ("GET", "/sessions"): lambda: self.list(user_id, query),
            ("POST", "/sessions/upload"): lambda: self.upload(user_id, body),
        }
        if (method, path) in fixed:
            return fixed[(method, path)]()
        m = re.fullmatch(r"/sessions/([^/]+)(/confirm|/download|/versions|)", path)
        one = m and {
            ("POST", "/confirm"): lambda: self.confirm(user_id, m[1]),
            ("GET", "/download"): lambda: self.download(user_id, m[1], query),
            ("GET", "/versions"): lambda: self.versions(user_id, m[1]),
            ("DELETE", ""): lambda: self.delete(user_id, m[1]),
        }.get((method, m[2]))
        if not one:
            raise Refused(404, "not_found", "There is nothing here")
        return one()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    what = ""
    service = None

    def log_message(self, *_):
        pass

    def note(self, status):
        auth = "yes" if "Authorization" in self.headers else "no"
        print(self.what, self.command, self.path.split("?")[0], status, "auth=" + auth, flush=True)

    def say(self, status, content_type, data, headers=()):
        self.note(status)
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def fault(self, path):
        """Answer as the faults file wants; return whether it did."""
        try:
            with open(self.service.args.faults or "", encoding="utf-8") as f:
                lines = [line.split() for line in f if line.strip()]
        except FileNotFoundError:
            return False
        for method, pattern, status in lines:
            if method == self.command and re.fullmatch(pattern, path):
                self.close_connection = True
                if status == "0":
                    self.note(0)
                else:
                    self.say(int(status), "application/json",
                             json.dumps({"error": "fault", "message": "A fault of the test"})
                             .encode())
                return True
        return False

    def length(self):
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isdigit() else -1

    def run(self):
        url = urllib.parse.urlsplit(self.path)
        path, query = urllib.parse.unquote(url.path), urllib.parse.parse_qs(url.query)
        if not self.fault(path):
            self.serve(path, query)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = run


class Api(Handler):
    what = "api"

    def serve(self, path, query):
        body = self.rfile.read(max(self.length(), 0))
        try:
            try:
                doc = json.loads(body) if body else {}
            except ValueError:
                raise Refused(400, "invalid_json", "The body is not JSON") from None
            if not isinstance(doc, dict):
                raise Refused(400, "invalid_json", "The body is no object")
            if not path.startswith("/v1/"):
                raise Refused(404, "not_found", "There is nothing here")
            with self.service.lock:
                status, answer = self.service.answer(self.command, path[3:], query, self.headers,
                                                     doc)
        except Refused as e:
            status, answer = e.status, {"error": e.code, "message": e.message}
        self.say(status, "application/json", json.dumps(answer).encode())


class Objects(Handler):
    what = "object"

    def refuse(self, status, code):
        self.close_connection = True  # a body may be on its way
        self.say(status, "application/xml",
                 ("<?xml version=\"1.0\"?><Error><Code>%s</Code></Error>" % code).encode())

    def serve(self, path, query):
        key = path[1:]
        expires = query.get("expires", ["0"])[0]
        given = query.get("signature", [""])[0]
        if "Authorization" in self.headers:
            return self.refuse(400, "InvalidArgument")
        if ".." in key or not expires.isdigit() or not hmac.compare_digest(
                given, self.service.sign(self.command, key, int(expires))):
            return self.refuse(403, "SignatureDoesNotMatch")
        if int(expires) < time.time():
            return self.refuse(403, "ExpiredRequest")
        if self.command == "PUT":
            return self.put(self.service.object_path(key))
        return self.get(self.service.object_path(key))

    def put(self, path):
        left = self.length()
        if left < 0:
            return self.refuse(411, "MissingContentLength")
        if self.headers.get("Content-Type") != "application/gzip":
            return self.refuse(403, "SignatureDoesNotMatch")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        tmp = "%s.%s" % (path, secrets.token_hex(4))
        md5 = hashlib.md5()
        with open(tmp, "wb") as f:
            while left > 0:
                data = self.rfile.read(min(left, 1 << 18))
                if not data:
                    break
                md5.update(data)
                f.write(data)
                left -= len(data)
        wanted = self.headers.get("Content-MD5")
        if left > 0 or wanted not in (None, base64.b64encode(md5.digest()).decode()):
            os.unlink(tmp)
            return self.refuse(400, "IncompleteBody" if left > 0 else "BadDigest")
        os.rename(tmp, path)
        return self.say(200, "application/xml", b"", [("ETag", '"%s"' % md5.hexdigest())])

    def get(self, path):
        try:
            with open(path, "rb") as f:
                data = f.read()
        except FileNotFoundError:
            return self.refuse(404, "NoSuchKey")
        m = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if m and int(m[1]) >= len(data):
            return self.refuse(416, "InvalidRange")
        start = int(m[1]) if m else 0
        extra = [("Content-Range", "bytes %d-%d/%d" % (start, len(data) - 1, len(data)))]
        return self.say(206 if m else 200, "application/gzip", data[start:], extra if m else ())


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def finish_request(self, request, client_address):
        # The handshake is made here, on the connection's own thread, not in accept().
        request.settimeout(60)
        with self.tls.wrap_socket(request, server_side=True) as s:
            super().finish_request(s, client_address)

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def certificate(data):
    pem = os.path.join(data, "ca.pem")
    key = os.path.join(data, "key.pem")
    if not os.path.exists(pem):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                        "/CN=stock server of the tests", "-addext",
                        "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key, "-out", pem],
                       check=True, stderr=subprocess.DEVNULL)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.load_cert_chain(pem, key)
    return pem, tls


def listen(text, handler, service, tls):
    host, port = text.rsplit(":", 1)
    bound = type(handler.__name__, (handler,), {"service": service})
    server = Listener((host, int(port)), bound)
    server.tls = tls
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "https://%s:%d" % (host, server.server_address[1])


def main():
    p = argparse.ArgumentParser(description="a server of the wire API without our additions")
    p.add_argument("--data", required=True)
    p.add_argument("--ready-file", required=True)
    p.add_argument("--listen", default="127.0.0.1:0")
    p.add_argument("--objects", default="127.0.0.1:0")
    p.add_argument("--versions", type=int, default=2)
    p.add_argument("--sessions", type=int)
    p.add_argument("--faults")
    p.add_argument("--url-seconds", type=int, default=300)
    args = p.parse_args()
    stop = threading.Event()
    for s in (signal.SIGTERM, signal.SIGINT):
        signal.signal(s, lambda *_: stop.set())
    service = Service(args)
    pem, tls = certificate(args.data)
    service.objects_url = listen(args.objects, Objects, service, tls)
    api = listen(args.listen, Api, service, tls)
    with open(args.ready_file + ".tmp", "w", encoding="utf-8") as f:
        f.write("api=%s/v1\nobjects=%s\nca=%s\n" % (api, service.objects_url, pem))
    os.rename(args.ready_file + ".tmp", args.ready_file)
    stop.wait()


if __name__ == "__main__":
    main()
