#!/usr/bin/env python3
"""Many days of a server with its users, and whether anything of it grows that shouldn't.

    week.py USERS DAYS API PID DATA OFFSET DATABASE [TOKEN] -- GC...

Each day every user adds versions that rotate old ones out, amends, deletes and saves again, gives
reservations up, sends an object that is never confirmed, and asks for lists; once a week they log in
anew.  The clock of the server (PID, with its data folder DATA) is moved on by the file OFFSET, which
libfaketime reads, and GC is run.  DATABASE is SQLite's file or a libSQL server's URL.  The trash is
full after 30 days; what there is at two thirds of the time is compared with what there is at the end.
Prints a table; exits 1 if a line of it has grown.
"""
import concurrent.futures
import hashlib
import http.client
import json
import os
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import urllib.request

split = sys.argv.index("--")
USERS, DAYS, API, PID, DATA, OFFSET, DATABASE = sys.argv[1:8]
SECRET, GC = sys.argv[8:split], sys.argv[split + 1:]
USERS, DAYS = int(USERS), int(DAYS)
PASSWORD = "correct horse battery"
# Kept for longer than this runs, and so no fault: traces for 400 days.
GROWS = {"audit"}


class User:
    def __init__(self, n):
        self.n, self.jwt, self.token, self.version, self.links = n, None, None, {}, {}

    def ask(self, method, path, body=None, token=None, wanted=(200, 201)):
        headers = {"Content-Type": "application/json", "X-Forwarded-For": f"10.0.{self.n // 250}.{self.n % 250}"}
        if token:
            headers["Authorization"] = "Bearer " + token
        status, text = self.send(API, method, "/v1" + path, json.dumps(body) if body else None, headers)
        if status not in wanted:
            raise AssertionError(f"{method} {path}: {status} {text[:200]!r}")
        return json.loads(text)

    def send(self, base, method, path, body, headers):
        netloc = urllib.parse.urlsplit(base).netloc
        for again in (False, True):
            link = self.links.setdefault(netloc, http.client.HTTPConnection(netloc, timeout=120))
            try:
                link.request(method, path, body, headers)
                answer = link.getresponse()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException):
                # It has been idle for too long.
                self.links.pop(netloc).close()
                if again:
                    raise

    def log_in(self):
        who = {"email": f"u{self.n}@example.org", "password": PASSWORD}
        self.jwt = self.ask("POST", "/auth/login" if self.jwt else "/auth/register", who)["token"]
        self.token = self.ask("POST", "/auth/token", {"name": "box", "expiresIn": "30d",
                                                     "deviceId": f"machine-of-{self.n}"}, self.jwt)["token"]

    def push(self, session, day, last="confirm", **more):
        data = os.urandom(600)
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        got = self.ask("POST", "/sessions/upload", {
            "sessionId": session, "sourceMachine": "box", "sourceCwd": "/home/al/p", "sourceUserDir": "/home/al",
            "sizeBytes": len(data), "checksum": digest, "metadata": {"messageCount": day}, **more}, self.token)
        if last == "reserve":
            return
        url = urllib.parse.urlsplit(got["uploadUrl"])
        status, text = self.send(got["uploadUrl"], "PUT", f"{url.path}?{url.query}", data,
                                 {"Content-Type": "application/gzip"})
        if status != 200:
            raise AssertionError(f"PUT: {status} {text[:200]!r}")
        if last == "confirm":
            self.ask("POST", f"/sessions/{session}/confirm", {"version": got["version"], "checksum": digest}, self.token)
            self.version[session] = got["version"]

    def bases(self, session):
        return [self.version[session]] if session in self.version else []

    def day(self, day):
        if day % 7 == 0:
            self.log_in()
        for _ in range(2):
            self.push("rotates", day, baseVersions=self.bases("rotates"))
        self.push("amended", day, baseVersions=self.bases("amended"))
        self.push("amended", day, baseVersions=self.bases("amended"), amend=self.version["amended"])
        if day % 3 == 0:
            self.push("deleted", day, baseVersions=self.bases("deleted"), revive=True)
        elif day % 3 == 2:
            self.ask("DELETE", "/sessions/deleted", None, self.token)
        self.push("rotates", day, "reserve", baseVersions=self.bases("rotates"))
        self.push("rotates", day, "put", baseVersions=self.bases("rotates"))
        self.ask("GET", "/sessions", None, self.token)


def rows_sqlite():
    db = sqlite3.connect(f"file:{DATABASE}?mode=ro", uri=True)
    names = [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {n: db.execute(f"SELECT count(*) FROM {n}").fetchone()[0] for n in names}


def query(sql):
    headers = {"Content-Type": "application/json", **({"Authorization": "Bearer " + SECRET[0]} if SECRET else {})}
    body = {"requests": [{"type": "execute", "stmt": {"sql": sql}}, {"type": "close"}]}
    request = urllib.request.Request(DATABASE + "/v2/pipeline", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        rows = json.load(answer)["results"][0]["response"]["result"]["rows"]
    return [row[0]["value"] for row in rows]


def rows_libsql():
    names = query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%libsql%'")
    return {n: int(query(f"SELECT count(*) FROM {n}")[0]) for n in names}


def descriptors():
    return len(os.listdir(f"/proc/{PID}/fd"))


def hang_up(users):
    """Their connections are no growth: until the server has seen the end of all of them."""
    for u in users:
        for link in u.links.values():
            link.close()
        u.links.clear()
    fewest, since = descriptors(), 0
    while since < 5:
        time.sleep(0.2)
        now = descriptors()
        since = since + 1 if now >= fewest else 0
        fewest = min(now, fewest)


def measure(users):
    hang_up(users)
    now = {f"rows {n}": c for n, c in (rows_libsql if "://" in DATABASE else rows_sqlite)().items()}
    sizes = [os.lstat(os.path.join(d, f)).st_size for d, _, files in os.walk(DATA) for f in files if f != "ballast"]
    now["files"], now["bytes in files"] = len(sizes), sum(sizes)
    now["descriptors"] = descriptors()
    now["memory kB"] = next(int(x.split()[1]) for x in open(f"/proc/{PID}/status") if x.startswith("VmRSS"))
    return now


def has_grown(what, before, after):
    if what.removeprefix("rows ") in GROWS:
        return False
    slack = {"memory kB": 4000 + before // 5, "descriptors": 10, "bytes in files": 300000 + before // 10}
    return after > before + slack.get(what, 2 + before // 50)


def main():
    users = [User(n) for n in range(USERS)]
    before = None
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for day in range(DAYS):
            with open(OFFSET + ".new", "w") as f:
                f.write(f"+{day}d\n")
            os.rename(OFFSET + ".new", OFFSET)
            list(pool.map(lambda u: u.day(day), users))
            subprocess.run(GC, check=True, stdout=subprocess.DEVNULL)
            # The same day of the week and of the three.
            if day == DAYS - 1 - 21:
                before = measure(users)
    after, grown = measure(users), 0
    for what in sorted(after):
        bad = has_grown(what, before.get(what, 0), after[what])
        grown += bad
        print(f"{what:22} {before.get(what, 0):9} {after[what]:9}{'  HAS GROWN' if bad else ''}")
    sys.exit(grown > 0)


main()
