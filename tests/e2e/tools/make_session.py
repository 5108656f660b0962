#!/usr/bin/env python3
"""Sessions as Claude Code writes them, for the tests of pull.

    make_session.py new ROOT CWD ID [TURNS]   a session with all that may lie beside it
    make_session.py add ROOT ID TEXT          one more turn, and a line of the prompt history
    make_session.py side FILE TEXT            one more turn of a subagent
    make_session.py quiet ROOT ID             records without news: mode, title, a local command
    make_session.py stock OUT CWD ID FILE [NAME=FILE...]     the bundle that a stock client makes of
                                              transcript FILE, with other files
    make_session.py records FILE              the uuids of a transcript, sorted
    make_session.py tree ROOT                 every file below ROOT with its digest, sorted

It is started hundreds of times: what only some need is imported there.
"""

import os
import sys
import zlib

if sys.argv[1:2] != ["tree"]:
    import json


def encode(cwd):
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in cwd)


def random_uuid():
    """What uuid.uuid4() makes, without the time that its module takes to load."""
    h = os.urandom(16).hex()
    return "-".join((h[:8], h[8:12], "4" + h[13:16], "89ab"[int(h[16], 16) % 4] + h[17:20], h[20:]))


def put(path, text, mode="w"):
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(path, mode, encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, 0o600)


def lines(*records):
    return "".join(json.dumps(r, separators=(",", ":"), ensure_ascii=False) + "\n" for r in records)


def turn(sid, cwd, text, n, parent=None):
    home = os.path.expanduser("~")
    u, a = random_uuid(), random_uuid()
    base = {"isSidechain": False, "cwd": cwd, "sessionId": sid, "version": "2.1.197",
            "gitBranch": "feature/ü", "userType": "external"}
    stamp = "2026-11-23T20:%02d:%02d.000Z" % (n // 60 % 60, n % 60)
    return lines(
        dict(base, type="user", uuid=u, parentUuid=parent, timestamp=stamp,
             message={"role": "user", "content": text + " in " + cwd + "/src and " + home + "/x"}),
        dict(base, type="assistant", uuid=a, parentUuid=u, timestamp=stamp, slug="calm-" + sid[:8],
             message={"id": "msg_" + a[:8], "role": "assistant", "model": "claude-opus-4-8",
                      "content": [{"type": "text", "text": "Done: " + text}]}))


def pasted(sid):
    return "pasted in %s\n" % sid


def paste_name(sid):
    """Pastes are named after what they hold."""
    import hashlib
    return hashlib.sha256(pasted(sid).encode()).hexdigest()[:16]


def prompt(sid, cwd, text, n, paste=None):
    pasted = {"1": {"id": 1, "type": "text", "contentHash": paste}} if paste else {}
    return lines({"display": text, "pastedContents": pasted, "timestamp": 1795464000000 + n,
                  "project": cwd, "sessionId": sid})


def transcript(root, sid):
    projects = os.path.join(root, "projects")
    found = [os.path.join(projects, d, sid + ".jsonl") for d in os.listdir(projects)]
    found = [path for path in found if os.path.lexists(path)]
    if len(found) != 1:
        sys.exit("%d transcripts of %s" % (len(found), sid))
    return found[0]


def last_of(text):
    ids = [json.loads(x).get("uuid") for x in text.splitlines() if '"uuid"' in x]
    return ids[-1] if ids else None


def new(root, cwd, sid, turns="3"):
    project = os.path.join(root, "projects", encode(cwd))
    text = lines({"type": "mode", "mode": "normal", "sessionId": sid})
    last = None
    for n in range(int(turns)):
        text += turn(sid, cwd, "turn %d" % n, n, last)
        last = last_of(text)
        put(os.path.join(root, "history.jsonl"), prompt(sid, cwd, "turn %d" % n, n, paste_name(sid)),
            "a")
    put(os.path.join(project, sid + ".jsonl"), text)
    own = os.path.join(project, sid)
    put(os.path.join(own, "subagents", "agent-a1.jsonl"), turn(sid, cwd, "side", 1))
    put(os.path.join(own, "tool-results", "r1.txt"), "as it was in " + cwd + "\n")
    put(os.path.join(project, "memory", "MEMORY.md"), "- uses " + os.path.basename(cwd) + "\n")
    put(os.path.join(project, "memory", "style.md"), "tabs\n")
    put(os.path.join(root, "file-history", sid, "74f89b15ace58fc9@v1"), "one\n")
    put(os.path.join(root, "tasks", sid, "1.json"), '{"id":"1","subject":"' + cwd + '"}')
    put(os.path.join(root, "todos", sid + "-agent-" + sid + ".json"), "[]")
    put(os.path.join(root, "plans", "calm-" + sid[:8] + ".md"), "# Plan\n")
    put(os.path.join(root, "paste-cache", paste_name(sid) + ".txt"), pasted(sid))


def add(root, sid, text):
    path = transcript(root, sid)
    with open(path, encoding="utf-8") as f:
        was = f.read()
    cwd = [json.loads(x) for x in was.splitlines() if '"cwd"' in x][0]["cwd"]
    n = zlib.crc32(text.encode()) % 3000 + 600
    put(path, turn(sid, cwd, text, n, last_of(was)), "a")
    put(os.path.join(root, "history.jsonl"), prompt(sid, cwd, text, n), "a")


def side(path, text):
    with open(path, encoding="utf-8") as f:
        was = f.read()
    r = json.loads(was.splitlines()[0])
    put(path, turn(r["sessionId"], r["cwd"], text, 700, last_of(was)), "a")


def quiet(root, sid):
    put(transcript(root, sid), lines(
        {"type": "mode", "mode": "normal", "sessionId": sid},
        {"type": "last-prompt", "lastPrompt": "x", "sessionId": sid},
        {"type": "custom-title", "customTitle": "A title", "sessionId": sid},
        {"type": "user", "uuid": random_uuid(), "sessionId": sid,
         "message": {"role": "user", "content": "<command-name>/cost</command-name>"}},
        {"type": "system", "subtype": "local_command", "uuid": random_uuid(), "sessionId": sid,
         "content": "<local-command-stdout>1</local-command-stdout>"}), "a")


def stock(out, cwd, sid, path, *more):
    import io
    import tarfile
    meta = {"sessionId": sid, "sourceCwd": cwd, "sourceUserDir": os.path.expanduser("~"),
            "agentId": "claude-code", "formatVersion": 2}
    with open(path, "rb") as f, tarfile.open(out, "w:gz") as tar:
        entries = [("meta.json", json.dumps(meta).encode()), ("session.jsonl", f.read())]
        for pair in more:
            name, source = pair.split("=", 1)
            with open(source, "rb") as data:
                entries.append((name, data.read()))
        for name, data in entries:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def records(path):
    with open(path, encoding="utf-8") as f:
        print("\n".join(sorted(json.loads(x)["uuid"] for x in f if '"uuid"' in x)))


def tree(root):
    import hashlib
    for d, dirs, files in os.walk(root):
        dirs.sort()
        for name in sorted(files):
            path = os.path.join(d, name)
            if os.path.islink(path):
                print("-> " + os.readlink(path), os.path.relpath(path, root))
                continue
            with open(path, "rb") as f:
                digest = hashlib.sha256(f.read()).hexdigest()[:16]
            print(digest, os.path.relpath(path, root))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
