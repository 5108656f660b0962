#!/usr/bin/env python3
"""Push, delete and undelete without end, whatever the server does meanwhile.

    crash_client.py API CA TOKEN LOG STOP

What was answered with 200 is a line in LOG: "confirmed SESSION VERSION SUM"; what was only asked for, and
may have happened, "deleting SESSION".  Ends when the file STOP is there.
"""
import hashlib
import http.client
import json
import os
import random
import ssl
import sys
import urllib.error
import urllib.request

api, ca, token, log, stop = sys.argv[1:6]
context = ssl.create_default_context(cafile=ca)
chance = random.Random(7)


def ask(method, path, body=None):
    r = urllib.request.Request(api + path, method=method, data=None if body is None else json.dumps(body).encode(),
                               headers={"Authorization": "Bearer " + token, "Content-Type": "application/json"})
    with urllib.request.urlopen(r, context=context, timeout=10) as answer:
        return json.load(answer)


def push(session):
    data = chance.randbytes(chance.randrange(1, 200000))
    total = "sha256:" + hashlib.sha256(data).hexdigest()
    got = ask("POST", "/sessions/upload", {"sessionId": session, "sourceMachine": "m", "sourceCwd": "/x",
                                           "sourceUserDir": "/", "sizeBytes": len(data), "checksum": total, "revive": True})
    put = urllib.request.Request(got["uploadUrl"], method="PUT", data=data, headers={"Content-Type": "application/gzip"})
    urllib.request.urlopen(put, context=context, timeout=10).close()
    if chance.random() < 0.2:
        return  # a client that died here
    ask("POST", f"/sessions/{session}/confirm", {"version": got["version"], "checksum": total})
    say("confirmed", session, got["version"], total)


def say(*words):
    with open(log, "a") as f:
        print(*words, file=f)


def step():
    session = f"s{chance.randrange(4)}"
    what = chance.random()
    if what < 0.8:
        push(session)
    elif what < 0.9:
        say("deleting", session)
        ask("DELETE", f"/sessions/{session}")
    else:
        ask("POST", f"/sessions/{session}/undelete")


while not os.path.exists(stop):
    try:
        step()
    except (OSError, ValueError, http.client.HTTPException):
        pass
