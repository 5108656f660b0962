#!/usr/bin/env python3
"""A small GitHub: the three pages and calls that a sign-in needs, for whoever tests/people.json says.

    github_provider.py PEOPLE

PEOPLE is a JSON file, read at every request: {"who": {"id", "emails", "orgs"}, "deny": bool,
"status": int}.  The port goes to stdout.  It checks what a real provider checks: client id and secret,
the redirect URI, a code used once, and the PKCE verifier.
"""
import base64
import hashlib
import json
import secrets
import sys
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CLIENT_ID, CLIENT_SECRET = "client-1", "hush-hush"
codes, tokens = {}, {}


def play():
    with open(sys.argv[1]) as f:
        return json.load(f)


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def answer(self, status, body, location=None):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/login/oauth/authorize":
            return self.authorize(query)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token == "operator":
            return self.members(url.path)
        if token not in tokens:
            return self.answer(401, {"message": "Bad credentials"})
        who = tokens[token]
        if play().get("status"):
            return self.answer(play()["status"], {"message": "broken"})
        if url.path == "/api/user":
            return self.answer(200, {"id": who["id"], "login": "x"})
        if url.path == "/api/user/emails":
            return self.answer(200, who["emails"])
        if url.path.startswith("/api/user/memberships/orgs/"):
            state = who.get("orgs", {}).get(url.path.rsplit("/", 1)[1])
            return self.answer(200, {"state": state}) if state else self.answer(404, {})
        return self.answer(404, {})

    # For the operator's token: everybody is called "n" and their number; "members" has who is one.
    def members(self, path):
        if play().get("status"):
            return self.answer(play()["status"], {"message": "broken"})
        if path.startswith("/api/user/"):
            return self.answer(200, {"login": "n" + path.rsplit("/", 1)[1]})
        is_member = path.startswith("/api/orgs/acme/memberships/n") and \
            int(path.rsplit("/n", 1)[1]) in play().get("members", [])
        return self.answer(200, {"state": "active"}) if is_member else self.answer(404, {})

    def authorize(self, q):
        assert q["client_id"] == CLIENT_ID and q["code_challenge_method"] == "S256", q
        back = {"state": q["state"]}
        if play().get("deny"):
            back["error"] = "access_denied"
        else:
            back["code"] = secrets.token_urlsafe(16)
            codes[back["code"]] = (q, play()["who"])
        self.answer(302, {}, q["redirect_uri"] + "?" + urllib.parse.urlencode(back))

    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        q, who = codes.pop(form.get("code"), (None, None))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (self.path != "/login/oauth/access_token" or q is None or form["client_id"] != CLIENT_ID
                or form["client_secret"] != CLIENT_SECRET or form["redirect_uri"] != q["redirect_uri"]
                or challenge != q["code_challenge"]):
            return self.answer(200, {"error": "bad_verification_code"})
        token = "gho_" + secrets.token_hex(18)
        tokens[token] = who
        self.answer(200, {"access_token": token, "token_type": "bearer", "scope": q["scope"]})


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
