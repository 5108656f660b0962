#!/usr/bin/env python3
"""Random histories of three machines with one session, against an oracle.

    story_model.py [--server own|stock] [--sealed] [--steps N] [--seed S]

Each step is done by the real programs: a turn, records without news, a file beside the transcript
or its clean-up, a transcript that lost its end, an upload (also two at once), a pull (by itself, by
a head's number, --update, --merge), books that are lost, a machine that is put back from a backup, a server
that is killed or put back from a backup, a version that is deleted.  After each step every piece of
news that was ever confirmed has to be in the current version, in a head, pinned, in the trash
because somebody deleted it, or in a folder of kept versions; what rotation or an amend dropped
counts for nothing.  At the end a fourth machine pulls, and has it all or is told where it is.

The oracle opens no bundle: what a version holds is what lay on the machine that made it.  The seed
is printed first; the same seed takes the same steps.
"""

import argparse
import glob
import hashlib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid

PASSWORD = b"correct horse battery"
BUILD = os.environ["CT_BUILD"]
SRC = os.environ.get("CT_SRC", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))


class Wrong(Exception):
    pass


class Server:
    """Ours, or one that is not ours."""

    def __init__(self, top, kind):
        self.top, self.kind, self.process = top, kind, None
        self.data, self.ports = os.path.join(top, "server"), ["0", "0"]
        self.start()

    def start(self):
        ready = os.path.join(self.top, "ready")
        if os.path.exists(ready):
            os.unlink(ready)
        program = ["codeteleport-server"] if self.kind == "own" else \
            ["python3", os.path.join(SRC, "tests/e2e/tools/stock_server.py")]
        log = open(os.path.join(self.top, "server.log"), "ab")
        self.process = subprocess.Popen(
            program + ["--data", self.data, "--listen", "127.0.0.1:" + self.ports[0], "--objects",
                       "127.0.0.1:" + self.ports[1], "--ready-file", ready], stdout=log, stderr=log)
        for _ in range(600):
            if os.path.exists(ready) and os.path.getsize(ready) > 0:
                break
            if self.process.poll() is not None:
                raise Wrong("the server ended")
            time.sleep(0.05)
        with open(ready, encoding="utf-8") as f:
            said = dict(line.strip().split("=", 1) for line in f if "=" in line)
        self.api = said["api"]
        port = re.compile(r":(\d+)(/|$)")
        self.ports = [port.search(said["api"]).group(1),
                      port.search(said.get("objects_listen", said["objects"]) + "/").group(1)]
        os.environ["CODETELEPORT_CA_FILE"] = said["ca"]

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()

    def restart(self):
        self.stop(signal.SIGKILL)
        self.start()

    def rows(self):
        """[(version, checksum, device, is_offered, is_deleted)]"""
        if self.kind == "stock":
            with open(os.path.join(self.data, "state.json"), encoding="utf-8") as f:
                sessions = list(json.load(f)["sessions"].values())
            versions = [v for by_id in sessions for s in by_id.values() for v in s["versions"][-1:]]
            older = [v for by_id in sessions for s in by_id.values() for v in s["versions"][:-1]]
            return [(v["version"], v["checksum"], None, True, False) for v in versions] + \
                   [(v["version"], v["checksum"], None, False, False) for v in older]
        db = sqlite3.connect("file:%s/server.db?mode=ro" % self.data, uri=True)
        rows = db.execute(
            "SELECT v.version, v.checksum, v.device_id, v.state = 'confirmed' AND (v.is_head ="
            " 1 OR v.pinned = 1 OR v.version = s.current_version), v.state = 'trash' AND"
            " coalesce(v.why, 'deleted') = 'deleted' FROM versions v JOIN sessions s ON"
            " s.user_id = v.user_id AND s.session_id = v.session_id"
            " WHERE v.state = 'confirmed' OR (v.state = 'trash' AND v.confirmed_ms > 0)").fetchall()
        db.close()
        return rows

    def newest_device(self):
        if self.kind == "stock":
            return None
        db = sqlite3.connect("file:%s/server.db?mode=ro" % self.data, uri=True)
        row = db.execute("SELECT id FROM devices ORDER BY rowid DESC LIMIT 1").fetchone()
        db.close()
        return row[0] if row else None


class Machine:
    def __init__(self, model, name, is_first):
        self.model, self.name = model, name
        self.top = os.path.join(model.top, name)
        self.home = os.path.join(self.top, "home", name)
        self.claude = os.path.join(self.home, ".claude")
        self.cwd = os.path.join(self.home, "src/web.app")
        self.backup = None
        self.device = None
        self.has_pulled = False   # and its daemon has not run since
        self.is_doubtful = False  # ... when the server was put back
        for d in (self.cwd, os.path.join(self.top, "config/codeteleport"),
                  os.path.join(self.top, "data")):
            os.makedirs(d)
        for d in (self.claude, os.path.join(self.top, "run")):
            os.makedirs(d, mode=0o700)
        self.env = dict(os.environ, HOME=self.home, CLAUDE_CONFIG_DIR=self.claude,
                        CODETELEPORT_CONFIG_DIR=os.path.join(self.home, ".codeteleport"),
                        XDG_RUNTIME_DIR=os.path.join(self.top, "run"),
                        XDG_STATE_HOME=os.path.join(self.top, "state"),
                        XDG_CONFIG_HOME=os.path.join(self.top, "config"),
                        XDG_DATA_HOME=os.path.join(self.top, "data"), NO_COLOR="1", TZ="UTC",
                        LC_ALL="C.UTF-8")
        for v in ("NOTIFY_SOCKET", "CTCTL_SOCKET", "CODETELEPORT_API_URL",
                  "CODETELEPORT_CONFIG_FILE"):
            self.env.pop(v, None)
        with open(os.path.join(self.top, "config/codeteleport/codeteleportd.conf"), "w",
                  encoding="utf-8") as f:
            f.write("quiet = 0.3; turn_quiet = 0.1; distance = 0; longest_wait = 5; pace = false;"
                    " amend = %s; device_name = \"%s\";\n" % (model.amend, name))
        if model.key:
            os.makedirs(os.path.join(self.home, ".codeteleport"), mode=0o700)
            if is_first:
                self.run([os.path.join(BUILD, "tests/bundle/sealone"), "--key"], check=True)
                shutil.copy(os.path.join(self.home, ".codeteleport/keyring"), model.key)
            else:
                shutil.copy(model.key, os.path.join(self.home, ".codeteleport/keyring"))
                os.chmod(os.path.join(self.home, ".codeteleport/keyring"), 0o600)
        self.run(["ctctl", "login"] + (["--register"] if is_first else []) +
                 ["--email", "me@example.org", "--password-stdin", "--api-url", model.server.api],
                 check=True, given=PASSWORD)

    def run(self, argv, check=False, given=b""):
        env = dict(self.env, CODETELEPORT_CA_FILE=os.environ["CODETELEPORT_CA_FILE"])
        p = subprocess.run(argv, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           env=env, cwd=self.cwd, timeout=120, check=False)
        self.model.note("    %s: %s -> %d" % (self.name, " ".join(argv[:6]), p.returncode))
        if check and p.returncode != 0:
            raise Wrong("%s: %s" % (argv, p.stdout.decode()))
        return p.returncode, p.stdout.decode("utf-8", "replace")

    def start(self, argv):
        env = dict(self.env, CODETELEPORT_CA_FILE=os.environ["CODETELEPORT_CA_FILE"])
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)

    # ---- the session

    def path(self):
        found = glob.glob(os.path.join(glob.escape(self.claude), "projects/*",
                                       self.model.id + ".jsonl"))
        return found[0] if found else None

    def append(self, *records):
        path = self.path()
        if path is None:
            path = os.path.join(self.claude, "projects", re.sub(r"[^a-zA-Z0-9]", "-", self.cwd),
                                self.model.id + ".jsonl")
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, "a", encoding="utf-8") as f:
            for r in records:
                f.write(json.dumps(r, separators=(",", ":")) + "\n")

    def beside(self):
        path = self.path()
        return os.path.join(path[:-len(".jsonl")], "subagents") if path else None

    def news(self):
        """What lies here: uuids of conversation, and files beside it by name and content."""
        path, found = self.path(), set()
        if path is None:
            return frozenset()
        with open(path, encoding="utf-8") as f:
            for line in f:
                r = json.loads(line)
                if r.get("type") in ("user", "assistant") and not r.get("isMeta") and \
                        not str(r["message"]["content"]).startswith("<command"):
                    found.add(r["uuid"])
        for name in glob.glob(os.path.join(glob.escape(self.beside()), "*.jsonl")):
            found.add(os.path.basename(name))
        return frozenset(found)

    def drop_books(self):
        for name in glob.glob(os.path.join(self.top, "state/codeteleport/*/accounts/*/state.db*")):
            os.unlink(name)


class Model:
    def __init__(self, args):
        self.args = args
        self.random = random.Random(args.seed)
        self.top = tempfile.mkdtemp(prefix="ct-model.")
        self.id = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        self.log = open(os.path.join(self.top, "steps"), "w", encoding="utf-8")
        self.amend = self.random.choice(["true", "false"])
        self.key = os.path.join(self.top, "keyring") if args.sealed else None
        self.server = Server(self.top, args.server)
        self.machines = []
        for i, name in enumerate(("alice", "bob", "carol")):
            before = self.devices()
            self.machines.append(Machine(self, name, i == 0))
            new = self.devices() - before
            self.machines[-1].device = new.pop() if new else None
        self.held = {}        # checksum of an object -> what it holds
        self.confirmed = set()
        self.server_backup = None
        self.clock = 0
        self.turns = 0

    def note(self, text):
        self.log.write(text + "\n")
        self.log.flush()

    def devices(self):
        if self.args.server == "stock":
            return set()
        db = sqlite3.connect("file:%s/server.db?mode=ro" % self.server.data, uri=True)
        rows = {r[0] for r in db.execute("SELECT id FROM devices")}
        db.close()
        return rows

    # ---- the oracle

    def learn(self, makers):
        """Versions that are new: made of what lies on ${makers}, by device."""
        for row in self.server.rows():
            if row[1] in self.held:
                continue
            maker = [m for m in makers if m[0].device == row[2]] if row[2] else makers
            if len(maker) != 1:
                raise Wrong("nobody knows who made version %d" % row[0])
            self.held[row[1]] = maker[0][1]
            self.note("    version %d of %s holds %d" % (row[0], maker[0][0].name,
                                                        len(maker[0][1])))

    def kept(self):
        sums = set()
        for name in glob.glob(os.path.join(self.top, "*/state/codeteleport/*/accounts/*/kept/*.gz")):
            with open(name, "rb") as f:
                sums.add("sha256:" + hashlib.sha256(f.read()).hexdigest())
        return sums

    def offered(self):
        found = set()
        for _, checksum, _, is_offered, is_deleted in self.server.rows():
            if is_offered or is_deleted:
                found |= self.held.get(checksum, frozenset())
        for checksum in self.kept():
            found |= self.held.get(checksum, frozenset())
        return found

    def check(self):
        for row in self.server.rows():
            if row[3]:
                self.confirmed |= self.held[row[1]]
        missing = self.confirmed - self.offered()
        if missing:
            raise Wrong("%d pieces of news are nowhere: %s" % (len(missing), sorted(missing)[:4]))

    # ---- the steps

    def message(self, kind, text):
        self.clock += 1
        stamp = "2026-11-23T%02d:%02d:%02d.000Z" % (self.clock // 3600 % 24, self.clock // 60 % 60,
                                                    self.clock % 60)
        content = text if kind == "user" else [{"type": "text", "text": text}]
        return {"type": kind, "uuid": str(uuid.UUID(int=self.random.getrandbits(128), version=4)),
                "parentUuid": None, "isSidechain": False, "timestamp": stamp,
                "sessionId": self.id, "cwd": "/", "version": "2.1.197", "userType": "external",
                "message": {"role": kind, "model": "claude-opus-4-8", "content": content}}

    def here(self):
        return [m for m in self.machines if m.path()]

    def turn(self):
        m = self.random.choice(self.here() or self.machines[:1])
        self.turns += 1
        records = [self.message("user", "turn %d" % self.turns),
                   self.message("assistant", "done %d" % self.turns)]
        for r in records:
            r["cwd"] = m.cwd
        m.append(*records)
        return m.name

    def quiet(self):
        m = self.random.choice(self.here() or self.machines[:1])
        if m.path():
            m.append({"type": "mode", "mode": "normal", "sessionId": self.id},
                     dict(self.message("user", "<command-name>/exit</command-name>"), cwd=m.cwd))
        return m.name

    def attach(self):
        m = self.random.choice(self.here() or self.machines[:1])
        if m.path():
            os.makedirs(m.beside(), mode=0o700, exist_ok=True)
            name = "agent-%08x.jsonl" % self.random.getrandbits(32)
            with open(os.path.join(m.beside(), name), "w", encoding="utf-8") as f:
                f.write(json.dumps(dict(self.message("user", name), cwd=m.cwd, isSidechain=True)) +
                        "\n")
        return m.name

    def clean_up(self):
        m = self.random.choice(self.here() or self.machines[:1])
        files = sorted(glob.glob(os.path.join(glob.escape(m.beside()), "*"))) if m.path() else []
        if files:
            os.unlink(self.random.choice(files))
        return m.name

    def truncate(self):
        m = self.random.choice(self.here() or self.machines[:1])
        if m.path():
            with open(m.path(), encoding="utf-8") as f:
                lines = f.readlines()
            if len(lines) > 3:
                with open(m.path(), "w", encoding="utf-8") as f:
                    f.writelines(lines[:-2])
        return m.name

    def upload(self, machines):
        # What was pulled of a version that the server lost before the daemon looked at it is found
        # missing when the list is read the next time.
        doubtful = [m for m in machines if m.is_doubtful]
        for m in machines:
            m.has_pulled = m.is_doubtful = False
        makers = [(m, m.news()) for m in machines]
        running = [(m, m.start(["codeteleportd", "--once"])) for m in machines]
        for m, p in running:
            out = p.communicate(timeout=120)[0].decode("utf-8", "replace")
            self.note("    %s: --once -> %d\n%s" % (m.name, p.returncode, out))
            if p.returncode != 0:
                raise Wrong("%s could not upload: %s" % (m.name, out[-800:]))
        self.learn(makers)
        if doubtful:
            self.upload(machines)
            return
        union = self.offered()
        for m, news in makers:
            # What a deletion in the cloud holds up is not called safe.
            if news - union:
                raise Wrong("%s is told that all is safe, and %d pieces of news are nowhere: %s" %
                            (m.name, len(news - union), sorted(news - union)[:4]))
            self.confirmed |= news

    def push(self):
        m = self.random.choice(self.here() or self.machines[:1])
        if m.path():
            self.upload([m])
        return m.name

    def push_two(self):
        here = self.here()
        if len(here) < 2 or self.args.server == "stock":
            return self.push()
        two = self.random.sample(here, 2)
        self.upload(two)
        return " and ".join(m.name for m in two)

    def pull(self):
        m = self.random.choice(self.machines)
        m.has_pulled = True
        m.run(["ctctl", "pull", self.id, "--target-dir", m.cwd])
        return m.name

    def pull_update(self):
        m = self.random.choice(self.machines)
        m.has_pulled = True
        m.run(["ctctl", "pull", "--update"])
        return m.name

    def pull_head(self):
        m = self.random.choice(self.machines)
        m.has_pulled = True
        offered = [r[0] for r in self.server.rows() if r[3]]
        if offered:
            m.run(["ctctl", "pull", self.id, "--version", str(self.random.choice(offered)),
                   "--force", "--target-dir", m.cwd])
        return m.name

    def merge(self):
        m = self.random.choice(self.machines)
        m.has_pulled = True
        m.run(["ctctl", "pull", self.id, "--merge", "--yes"])
        return m.name

    def lose_books(self):
        m = self.random.choice(self.machines)
        m.drop_books()
        return m.name

    def machine_backup(self):
        m = self.random.choice(self.machines)
        m.backup = os.path.join(self.top, "backup-" + m.name)
        shutil.rmtree(m.backup, ignore_errors=True)
        shutil.copytree(m.top, m.backup, symlinks=True)
        return m.name

    def machine_restore(self):
        m = self.random.choice(self.machines)
        if m.backup:
            # A restore does not take back what a server dropped for good.
            kept = glob.glob(os.path.join(m.top, "state/codeteleport/*/accounts/*/kept"))
            for d in kept:
                to = m.backup + d[len(m.top):]
                if os.path.isdir(os.path.dirname(to)):
                    shutil.copytree(d, to, dirs_exist_ok=True)
                elif os.listdir(d):
                    return m.name + " (not: it keeps versions)"
            shutil.rmtree(m.top)
            shutil.copytree(m.backup, m.top, symlinks=True)
        return m.name

    def server_restart(self):
        self.server.restart()
        return ""

    def back_up_server(self):
        self.server.stop()
        self.server_backup = os.path.join(self.top, "backup-server")
        shutil.rmtree(self.server_backup, ignore_errors=True)
        shutil.copytree(self.server.data, self.server_backup)
        self.server.start()
        return ""

    def restore_server(self):
        if self.server_backup:
            self.server.stop()
            shutil.rmtree(self.server.data)
            shutil.copytree(self.server_backup, self.server.data)
            self.server.start()
            # What it lost and nobody has is lost; what somebody has comes again.
            self.confirmed &= self.offered()
            for m in self.machines:
                m.is_doubtful = m.has_pulled
        return ""

    def delete_version(self):
        offered = [r[0] for r in self.server.rows() if r[3]]
        m = self.random.choice(self.machines)
        if len(offered) > 1 and self.args.server == "own":
            m.run(["ctctl", "delete", self.id, "--version", str(self.random.choice(offered)),
                   "--yes"])
        return m.name

    def steps(self):
        own = self.args.server == "own"
        return [(self.turn, 10), (self.quiet, 6), (self.attach, 2), (self.clean_up, 2),
                (self.truncate, 1), (self.push, 14), (self.push_two, 4), (self.pull, 6),
                (self.pull_update, 3), (self.pull_head, 2), (self.merge, 3), (self.lose_books, 1),
                (self.machine_backup, 1), (self.machine_restore, 1 if own else 0),
                (self.server_restart, 1), (self.back_up_server, 1),
                (self.restore_server, 1 if own else 0), (self.delete_version, 1)]

    def ask_fourth(self):
        m = Machine(self, "dora", False)
        rc, said = m.run(["ctctl", "pull", self.id, "--target-dir", m.cwd])
        if rc != 0 and not self.server.rows():
            return
        got = set(m.news())
        text = re.sub(r"\s+", " ", said)
        named = {int(n) for n in re.findall(r"--version (\d+)", text)}
        for version, checksum, _, is_offered, _ in self.server.rows():
            if is_offered and self.held[checksum] - got and version not in named:
                raise Wrong("version %d has %d pieces of news that pull neither takes nor names: %s"
                            % (version, len(self.held[checksum] - got), said))

    def play(self):
        choices = self.steps()
        self.machines[0].append(*[dict(self.message(k, "hello"), cwd=self.machines[0].cwd)
                                  for k in ("user", "assistant")])
        for n in range(self.args.steps):
            step = self.random.choices([c[0] for c in choices], [c[1] for c in choices])[0]
            self.note("%d %s" % (n, step.__name__))
            who = step()
            self.note("  by %s" % who)
            self.check()
        self.ask_fourth()

    def end(self):
        self.server.process.kill()
        self.server.process.wait()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--server", choices=("own", "stock"), default="own")
    p.add_argument("--sealed", action="store_true")
    p.add_argument("--steps", type=int, default=60)
    p.add_argument("--seed", type=int, default=None)
    p.add_argument("--keep", action="store_true", help="leave the folder")
    args = p.parse_args()
    if args.seed is None:
        args.seed = int.from_bytes(os.urandom(4), "big")
    print("seed %d: %s%s, %d steps" % (args.seed, args.server, ", sealed" if args.sealed else "",
                                       args.steps), flush=True)
    began = time.time()
    model = Model(args)
    try:
        model.play()
    except Wrong as e:
        model.log.close()
        with open(os.path.join(model.top, "steps"), encoding="utf-8") as f:
            sys.stdout.write("".join(f.readlines()[-120:]))
        print("WRONG (seed %d): %s" % (args.seed, e))
        print("left: %s" % model.top)
        model.end()
        return 1
    model.end()
    print("%d steps, %d turns, %.0f s" % (args.steps, model.turns, time.time() - began))
    if not args.keep:
        shutil.rmtree(model.top, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
