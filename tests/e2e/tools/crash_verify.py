#!/usr/bin/env python3
"""crash_verify.py API CA CREDENTIALS PROJECTS STATE: after whatever happened, is everything there?

Every complete line of every transcript is in the newest version of its session; every version that
the server lists downloads, has its checksum and is a readable bundle; no session has two versions
with the same content in a row; nothing is left over in the spool.  Prints what is not so; exit
status 1 then.
"""
import gzip
import hashlib
import io
import json
import os
import ssl
import sys
import tarfile
import urllib.request


class Server:
    def __init__(self, api, ca, credentials):
        self.api = api
        self.context = ssl.create_default_context(cafile=ca)
        with open(credentials) as f:
            self.token = json.load(f)["token"]

    def fetch(self, url, headers=None):
        request = urllib.request.Request(url, headers=headers or {})
        with urllib.request.urlopen(request, context=self.context, timeout=60) as answer:
            return answer.read()

    def get(self, path):
        return json.loads(self.fetch(self.api + path, {"Authorization": "Bearer " + self.token}))

    def versions(self, session):
        listed = self.get(f"/sessions/{session}/versions")["versions"]
        return sorted(listed, key=lambda v: v["version"])

    def bundle(self, session, version):
        url = self.get(f"/sessions/{session}/download?version={version}")["downloadUrl"]
        return self.fetch(url)


def open_bundle(data):
    """Return the content id and the transcript."""
    meta = transcript = None
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data))) as tar:
        for member in tar:
            content = tar.extractfile(member).read()
            if member.name == "meta.json":
                meta = json.loads(content)
            elif member.name == "session.jsonl":
                transcript = content
    return meta["contentId"], transcript


def check_session(server, session, path, wrong):
    with open(path, "rb") as f:
        on_disk = f.read()
    complete = on_disk[:on_disk.rfind(b"\n") + 1]
    previous = transcript = None
    for v in server.versions(session):
        name = f"{session} version {v['version']}"
        data = server.bundle(session, v["version"])
        if "sha256:" + hashlib.sha256(data).hexdigest() != v["checksum"]:
            wrong.append(f"{name}: the checksum is another")
            continue
        content, transcript = open_bundle(data)
        if content == previous:
            wrong.append(f"{name}: the same content as the version before")
        previous = content
    if transcript != complete:
        have = -1 if transcript is None else len(transcript)
        wrong.append(f"{session}: {len(complete)} bytes on disk, {have} in the newest version")


def left_over(state):
    for folder, _, files in os.walk(state):
        for name in files:
            if name.endswith(".tmp") or os.path.basename(folder) == "spool":
                yield os.path.join(folder, name)


def main():
    api, ca, credentials, projects, state = sys.argv[1:]
    server = Server(api, ca, credentials)
    wrong = []
    sessions = 0
    for folder, _, files in os.walk(projects):
        for name in files:
            if os.path.dirname(folder) == projects.rstrip("/") and name.endswith(".jsonl"):
                check_session(server, name[:-len(".jsonl")], os.path.join(folder, name), wrong)
                sessions += 1
    wrong += [f"left over: {path}" for path in left_over(state)]
    for line in wrong:
        print(line)
    print(f"{sessions} sessions, {len(wrong)} wrong")
    return 1 if wrong or sessions == 0 else 0


sys.exit(main())
