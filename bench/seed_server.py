#!/usr/bin/env python3
"""Put accounts and sessions straight into a server's database: seed_server.py DB SESSIONS [USERS].

One user's token a line on the standard output.  Each session has three versions; what they say of
objects is made up.
"""
import hashlib
import json
import sqlite3
import sys
import uuid

db, n_sessions, n_users = sys.argv[1], int(sys.argv[2]), int((sys.argv[3:] or ["1000"])[0])
now = 1_800_000_000_000
meta = json.dumps({"agentId": "claude-code", "messageCount": 250, "userMessageCount": 40,
                   "assistantMessageCount": 120, "toolCallCount": 90, "projectName": "project",
                   "sessionStartedAt": "2026-11-01T10:00:00.000Z",
                   "sessionEndedAt": "2026-11-01T12:00:00.000Z", "durationSeconds": 7200,
                   "claudeModel": "claude-opus-4-1", "filesModifiedCount": 12,
                   "jsonlSizeBytes": 1048576, "hasFileHistory": True, "extraFileCount": 7})
c = sqlite3.connect(db)
c.execute("PRAGMA synchronous=OFF")
users = [str(uuid.uuid4()) for _ in range(n_users)]
tokens = ["ctk_live_" + uuid.uuid4().hex + uuid.uuid4().hex[:11] for _ in users]
token_ids = [str(uuid.uuid4()) for _ in users]
device_ids = [str(uuid.uuid4()) for _ in users]
c.executemany("INSERT INTO users(id, email, password, created_ms) VALUES (?, ?, 'x', ?)",
              [(u, f"u{i}@example.org", now) for i, u in enumerate(users)])
c.executemany(
    "INSERT INTO tokens(id, user_id, name, sha256, last4, created_ms, last_used_ms)"
    " VALUES (?, ?, 't', ?, ?, ?, ?)",
    [(i, u, hashlib.sha256(t.encode()).hexdigest(), t[-4:], now, now)
     for i, u, t in zip(token_ids, users, tokens)])
c.executemany("INSERT INTO devices VALUES (?, ?, ?, 'bench', ?, ?)",
              [(d, u, "token:" + t, now, now) for d, u, t in zip(device_ids, users, token_ids)])


def sessions():
    for i in range(n_sessions):
        yield (str(uuid.uuid4()), users[i % n_users], f"session-{i:08d}", 3, 3, 3, now + i)


def versions():
    for i in range(n_sessions):
        for v in (1, 2, 3):
            yield (users[i % n_users], f"session-{i:08d}", v, "confirmed", 100_000,
                   "sha256:" + "0" * 64, now + i, now + i, token_ids[i % n_users],
                   device_ids[i % n_users], "bench", "claude-code", int(v == 3))


def descriptions():
    for i in range(n_sessions):
        for v in (1, 2, 3):
            yield (users[i % n_users], f"session-{i:08d}", v, f"/home/al/project{i % 17}", "/home/al", meta)


c.executemany("INSERT INTO sessions(id, user_id, session_id, last_version, current_version,"
              " version_count, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?)", sessions())
c.executemany("INSERT INTO versions(user_id, session_id, version, state, size_bytes, checksum,"
              " created_ms, confirmed_ms, token_id, device_id, machine, agent, is_head)"
              " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", versions())
c.executemany("INSERT INTO descriptions(user_id, session_id, version, cwd, user_dir, metadata)"
              " VALUES (?, ?, ?, ?, ?, ?)", descriptions())
c.commit()
c.execute("ANALYZE") if "--analyze" in sys.argv else None
c.close()
print("\n".join(tokens))
