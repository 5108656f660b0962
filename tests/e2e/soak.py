#!/usr/bin/env python3
"""What tests/e2e/soak.sh needs beside the shell.

soak.py write DIR SEED      make sessions grow below DIR until SIGTERM; prints what was written
soak.py faults SEED         a random set of rules for tests/e2e/tools/faultproxy.py
soak.py verify DIR API CA TOKEN    is everything safe? prints figures, exit status 1 if not
"""

import collections
import gzip
import hashlib
import io
import json
import os
import random
import signal
import ssl
import sys
import tarfile
import time
import urllib.request
import uuid


def record(rnd, size):
    return json.dumps({"type": "user", "uuid": str(uuid.UUID(int=rnd.getrandbits(128))),
                       "timestamp": "2026-11-23T20:00:00.000Z", "cwd": "/home/al/p",
                       "message": {"role": "user", "content": rnd.randbytes(size // 2).hex()}})


def write(directory, seed):
    """Whole lines, halves of lines, many at once; attachments; new sessions now and then."""
    rnd = random.Random(seed)
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    project = os.path.join(directory, "projects", "-home-al-p")
    os.makedirs(project, exist_ok=True)
    sessions, rest = [], {}
    lines = size = 0
    while not stop:
        if len(sessions) < 8 or (len(sessions) < 60 and rnd.random() < 0.03):
            sessions.append(str(uuid.UUID(int=rnd.getrandbits(128), version=4)))
        s = rnd.choice(sessions[-8:] if rnd.random() < 0.8 else sessions)
        with open(os.path.join(project, s + ".jsonl"), "a", encoding="utf-8") as f:
            f.write(rest.pop(s, ""))
            for _ in range(rnd.choice([1, 1, 1, 2, 5, 20])):
                line = record(rnd, rnd.choice([50, 300, 2000, 100000 if rnd.random() < 0.2 else 80]))
                f.write(line + "\n")
                lines += 1
                size += len(line) + 1
            if rnd.random() < 0.2:
                line = record(rnd, 400) + "\n"
                f.write(line[:200])
                rest[s] = line[200:]
        if rnd.random() < 0.1:
            results = os.path.join(project, s, "tool-results")
            os.makedirs(results, exist_ok=True)
            with open(os.path.join(results, "%d.txt" % rnd.randrange(5)), "a", encoding="utf-8") as f:
                f.write("x" * rnd.randrange(2000))
        time.sleep(rnd.choice([0.01, 0.1, 0.3, 0.8]))
    print(json.dumps({"sessions": len(sessions), "lines": lines, "bytes": size}))


def faults(seed):
    rnd = random.Random(seed)
    error = "<Error><Code>%s</Code></Error>"
    kinds = [
        "%s %s * reset chance=%.2f", "%s %s * close chance=%.2f", "%s %s * swallow chance=%.2f",
        "%s %s * delay=0.4 chance=%.2f", "%s %s * status=500 chance=%.2f",
        "%s %s * status=503 chance=%.2f", "%s %s * cut-down=30 chance=%.2f",
        "%s %s * status=429 header=Retry-After:1 chance=%.2f",
        "%s %s * status=200 chance=%.2f body=<html>portal", "%s %s * drip-down=2000 chance=%.2f",
        "%s accept * reset chance=%.2f%.0s", "%s accept * garbage chance=%.2f%.0s",
    ]
    store = ["store PUT * cut-up=%d chance=%.2f" % (rnd.randrange(3000), rnd.random() / 2),
             "store PUT * early status=503 chance=0.3 body=" + error % "SlowDown",
             "store PUT * status=403 chance=0.2 body=" + error % "ExpiredRequest",
             "store PUT * status=400 chance=0.2 body=" + error % "BadDigest",
             "store PUT * status=400 chance=0.2 body=" + error % "IncompleteBody"]
    for _ in range(rnd.randrange(1, 5)):
        kind = rnd.choice(kinds)
        side = rnd.choice(["api", "store"])
        chance = rnd.random() / 2
        if " accept " in kind:
            print(kind.replace("%.0s", "") % (side, chance))
        elif not (side == "store" and "portal" in kind):  # a store that says 200 has it
            print(kind % (side, "POST" if side == "api" else "PUT", chance))
    if rnd.random() < 0.7:
        print(rnd.choice(store))
    if rnd.random() < 0.1:
        print("any accept * refuse")


class Server:
    def __init__(self, api, ca, token):
        self.api, self.token = api, token
        self.tls = ssl.create_default_context(cafile=ca)

    def get(self, url, **headers):
        rq = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(rq, context=self.tls) as answer:
            return answer.read()

    def call(self, path):
        return json.loads(self.get(self.api + path, Authorization="Bearer " + self.token))

    def bundle(self, session, version):
        d = self.call("/sessions/%s/download?version=%d" % (session, version))
        return self.get(d["downloadUrl"])


def complete(path):
    with open(path, "rb") as f:
        data = f.read()
    return data[:data.rfind(b"\n") + 1]


def verify_session(server, session, path, bad, total):
    try:
        versions = server.call("/sessions/%s/versions" % session)["versions"]
    except urllib.error.HTTPError as e:
        if complete(path):
            bad.append("%s: %s" % (session, e))
        return
    previous = None
    for v in sorted(versions, key=lambda v: v["version"]):
        data = server.bundle(session, v["version"])
        total["versions"] += 1
        total["bytes stored"] += len(data)
        if "sha256:" + hashlib.sha256(data).hexdigest() != v["checksum"]:
            bad.append("%s version %d: other bytes than promised" % (session, v["version"]))
            continue
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data))) as t:
            transcript = t.extractfile("session.jsonl").read()
            content = json.load(t.extractfile("meta.json"))["contentId"]
        if content == previous:
            bad.append("%s version %d: the same as the one before" % (session, v["version"]))
        previous = content
    if transcript != complete(path):
        bad.append("%s: the newest version is not what is here" % session)


def verify(directory, api, ca, token):
    server, bad, total = Server(api, ca, token), [], collections.Counter()
    for folder, _, names in os.walk(os.path.join(directory, "projects")):
        for name in names:
            if name.endswith(".jsonl"):
                total["sessions"] += 1
                verify_session(server, name[:-6], os.path.join(folder, name), bad, total)
    for b in bad:
        print("not safe:", b)
    print(json.dumps(total))
    return 1 if bad or total["sessions"] == 0 else 0


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1] == "faults":
        faults(int(sys.argv[2]))
    else:
        sys.exit(verify(*sys.argv[2:6]))
