#!/usr/bin/env python3
"""Random histories of three machines with one session, against an oracle.

    story_model.py [--server own|two|stock] [--sealed] [--rough] [--steps N] [--seed S]

Each step is done by the real programs: a turn, records without news, a file beside the transcript
or its clean-up, a transcript that lost its end, an upload (also two at once), a pull (by itself, by
a head's number, --update, --merge), books that are lost, a machine that is put back from a backup, a
server that is killed or put back from a backup (its database alone, or with its objects), a version
or the whole session that is deleted, brought back, or asked for again by name.  After each step every
piece of news that was ever confirmed has to be in the current version, in a head, pinned, in the
trash because somebody deleted it, or in a folder of kept versions; what rotation or an amend dropped
counts for nothing.  Whenever what is offered has changed a fourth machine, which has nothing, asks
what a pull would take: that, and the versions that it names, have to hold all that is offered; and
now and then it takes each of them, and looks at what it got.

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
import subprocess
import sys
import tempfile
import time
import uuid

from story_servers import KINDS, SRC, Unable, Wrong

PASSWORD = b"correct horse battery"
BUILD = os.environ["CT_BUILD"]

class Machine:
    def __init__(self, model, name, i):
        self.model, self.name, is_first = model, name, i == 0
        self.top = os.path.join(model.top, name)
        self.home = os.path.join(self.top, "home", name)
        self.claude = os.path.join(self.home, ".claude")
        self.cwd = os.path.join(self.home, "src/web.app")
        self.backup = None
        self.had_deleted = False  # has_deleted, when the backup was made
        self.device = None
        self.has_pulled = False   # and its daemon has not run since
        self.is_doubtful = False  # ... when the server was put back
        self.has_deleted = False  # the session in the cloud, and nobody asked for it by name here since
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
                    " profile = false;"
                    " amend = %s; device_name = \"%s\"; allow_plain_http = true;\n" %
                    (model.amend, name))
        if model.key:
            os.makedirs(os.path.join(self.home, ".codeteleport"), mode=0o700)
            if is_first:
                self.run([os.path.join(BUILD, "tests/bundle/sealone"), "--key"], check=True)
                shutil.copy(os.path.join(self.home, ".codeteleport/keyring"), model.key)
            else:
                shutil.copy(model.key, os.path.join(self.home, ".codeteleport/keyring"))
                os.chmod(os.path.join(self.home, ".codeteleport/keyring"), 0o600)
        self.run(["ctctl", "login"] + (["--register"] if is_first else []) +
                 ["--email", "me@example.org", "--password-stdin", "--api-url", model.server.api(i)],
                 check=True, given=PASSWORD)

    def run(self, argv, check=False, given=b""):
        env = self.env_now()
        p = subprocess.run(argv, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           env=env, cwd=self.cwd, timeout=120, check=False)
        self.model.note("    %s: %s -> %d" % (self.name, " ".join(argv[:6]), p.returncode))
        if check and p.returncode != 0:
            raise Wrong("%s: %s" % (argv, p.stdout.decode()))
        return p.returncode, p.stdout.decode("utf-8", "replace")

    def start(self, argv):
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                env=self.env_now())

    def env_now(self):
        ca = os.environ.get("CODETELEPORT_CA_FILE")
        return dict(self.env, CODETELEPORT_CA_FILE=ca) if ca else self.env

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

    def forget_session(self):
        """As on a machine that never had it."""
        shutil.rmtree(os.path.join(self.claude, "projects"), ignore_errors=True)
        shutil.rmtree(os.path.join(self.claude, ".codeteleport"), ignore_errors=True)
        for name in glob.glob(os.path.join(self.top, "state/codeteleport/*/accounts/*/adopted")):
            shutil.rmtree(name)

    def forget_seen(self):
        """Nothing that a server hands out is a step back."""
        for name in glob.glob(os.path.join(self.top, "state/codeteleport/*/accounts/*/seen")):
            shutil.rmtree(name)

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
        self.server = KINDS[args.server](self.top)
        self.machines = []
        for i, name in enumerate(("alice", "bob", "carol", "dora")):
            before = self.server.devices()
            self.machines.append(Machine(self, name, i))
            new = self.server.devices() - before
            self.machines[-1].device = new.pop() if new else None
        self.asker = self.machines.pop()
        self.asked = None
        self.held = {}        # checksum of an object -> what it holds
        self.confirmed = set()
        self.clock = 0
        self.turns = 0

    def note(self, text):
        self.log.write(text + "\n")
        self.log.flush()

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

    def kept_files(self):
        return glob.glob(os.path.join(self.top, "*/state/codeteleport/*/accounts/*/kept/*.gz"))

    def kept(self):
        sums = set()
        for name in self.kept_files():
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

    def is_deleted(self):
        rows = self.server.rows()
        return bool(rows) and not any(r[3] for r in rows)

    def check(self):
        for row in self.server.rows():
            if row[3]:
                self.confirmed |= self.held[row[1]]
        missing = self.confirmed - self.offered()
        if missing:
            raise Wrong("%d pieces of news are nowhere: %s" % (len(missing), sorted(missing)[:4]))
        offered = sorted(r[:2] for r in self.server.rows() if r[3])
        if offered and offered != self.asked:
            self.ask(offered)
            self.asked = offered

    def ask(self, offered):
        """What a pull would take, and what it names."""
        m = self.asker
        rc, said = m.run(["ctctl", "--json", "pull", self.id, "--dry-run", "--target-dir", m.cwd])
        if rc != 0:
            raise Wrong("a new machine can't pull: %s" % said)
        answer = json.loads(said[said.index("{"):])
        named = {h["version"]: h for h in answer.get("heads", [])}
        sums = dict(offered)
        got = self.held[sums[answer["version"]]]
        for version, checksum in offered:
            lacking = self.held[checksum] - got
            head = named.get(version, {})
            if lacking and not head.get("recordsLacking") and not head.get("filesLacking"):
                raise Wrong("version %d has %d pieces of news, and pull neither takes nor names it: "
                            "%s" % (version, len(lacking), said))
        if self.random.random() < 0.1:
            self.take(offered)

    def take(self, offered):
        """Each of them by its number, on a machine that has nothing."""
        m = self.asker
        for version, checksum in offered:
            rc, said = m.run(["ctctl", "pull", self.id, "--version", str(version), "--target-dir",
                              m.cwd])
            lacking = self.held[checksum] - m.news()
            m.forget_session()
            if rc != 0 or lacking:
                raise Wrong("version %d can't be pulled, or lacks %d pieces of news: %s" %
                            (version, len(lacking), said))
        for name in self.kept_files()[:3]:
            rc, said = m.run(["ctctl", "import", name, "--dry-run", "--target-dir", m.cwd])
            if rc != 0:
                raise Wrong("what is kept can't be imported: %s" % said)

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
        makers, held_up = [(m, m.news()) for m in machines], set()
        running = [(m, m.start(["codeteleportd", "--once"])) for m in machines]
        for m, p in running:
            out = p.communicate(timeout=120)[0].decode("utf-8", "replace")
            self.note("    %s: --once -> %d\n%s" % (m.name, p.returncode, out))
            # A state older than one that was seen waits for a word, and says so.
            held_up.update({m.name} if p.returncode != 0 and " rollback session=" in out else ())
            if p.returncode != 0 and not self.is_deleted() and m.name not in held_up:
                raise Wrong("%s could not upload: %s" % (m.name, out[-800:]))
        self.learn(makers)
        # Nobody calls safe what was deleted in the cloud, or is to stay out of it.
        makers = [x for x in makers if not x[0].has_deleted and not self.is_deleted() and
                  x[0].name not in held_up]
        if doubtful:
            self.upload(machines)
            return
        union = self.offered()
        for m, news in makers:
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
        m.had_deleted = m.has_deleted
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
            m.has_deleted = m.had_deleted
        return m.name

    def server_restart(self):
        self.server.restart(self.random.randrange(2))
        return ""

    def back_up_server(self):
        self.server.back_up()
        return ""

    def restore_server(self):
        if self.server.has_backup():
            self.server.put_back(self.random.random() < 0.5)
            # What it lost and nobody has is lost; what somebody has comes again.
            self.confirmed &= self.offered()
            self.asker.forget_seen()
            for m in self.machines:
                m.is_doubtful = m.has_pulled
        return ""

    def delete_version(self):
        offered = [r[0] for r in self.server.rows() if r[3]]
        m = self.random.choice(self.machines)
        if len(offered) > 1:
            m.run(["ctctl", "delete", self.id, "--version", str(self.random.choice(offered)),
                   "--yes"])
            self.asker.forget_seen()
        return m.name

    def delete_session(self):
        m = self.random.choice(self.machines)
        if m.run(["ctctl", "delete", self.id, "--yes"])[0] == 0:
            m.has_deleted = True
            self.asker.forget_seen()
        return m.name

    def undelete(self):
        m = self.random.choice(self.machines)
        m.run(["ctctl", "undelete", self.id])
        return m.name

    def undelete_version(self):
        m = self.random.choice(self.machines)
        gone = [r[0] for r in self.server.rows() if r[4]]
        if gone:
            m.run(["ctctl", "undelete", self.id, "--version", str(self.random.choice(gone))])
        return m.name

    def ask_again(self):
        """By name, on a machine that has it: what was deleted in the cloud comes back."""
        here = self.here()
        who = [m for m in here if m.has_deleted] or here
        if not who or not (self.is_deleted() or who[0].has_deleted):
            return ""
        m = self.random.choice(who)
        m.has_pulled = m.is_doubtful = False
        makers = [(m, m.news())]
        daemon = m.start(["codeteleportd"])
        try:
            for _ in range(200):
                rc, said = m.run(["ctctl", "sync", "--wait", self.id])
                if rc != 69:  # no daemon yet
                    break
                time.sleep(0.05)
            if rc == 1:  # deleted elsewhere, it says, and what to type
                rc, said = m.run(["ctctl", "sync", "--wait", self.id])
        finally:
            daemon.terminate()
            self.note(daemon.communicate()[0].decode("utf-8", "replace"))
        if rc != 0:
            raise Wrong("%s asked for it by name, and it is not saved: %s" % (m.name, said))
        m.has_deleted = False
        self.learn(makers)
        return m.name

    def steps(self):
        own, back = int(self.server.has_heads), int(self.server.can_be_put_back)
        rough = 4 if self.args.rough else 1
        return [(self.turn, 6 + 4 * rough), (self.quiet, 6), (self.attach, 2 * rough),
                (self.clean_up, 2 * rough), (self.truncate, rough), (self.push, 14),
                (self.push_two, 4 * own), (self.pull, 6), (self.pull_update, 3),
                (self.pull_head, 2 * rough), (self.merge, 3), (self.lose_books, rough),
                (self.machine_backup, rough), (self.machine_restore, back * rough),
                (self.server_restart, 1), (self.back_up_server, rough),
                (self.restore_server, back * rough), (self.delete_version, own * rough),
                (self.delete_session, own), (self.undelete, own), (self.undelete_version, own * rough),
                (self.ask_again, 3 * own)]

    def ask_fourth(self):
        """Without a rehearsal, at the end: in words."""
        m = self.asker
        rc, said = m.run(["ctctl", "pull", self.id, "--target-dir", m.cwd])
        offered = [r for r in self.server.rows() if r[3]]
        if rc != 0 and not offered:
            return
        got = set(m.news())
        text = re.sub(r"\s+", " ", said)
        named = {int(n) for n in re.findall(r"--version (\d+)", text)}
        for version, checksum, _, _, _ in offered:
            if self.held[checksum] - got and version not in named:
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
        self.server.end()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--server", choices=sorted(KINDS), default="own")
    p.add_argument("--sealed", action="store_true")
    p.add_argument("--rough", action="store_true", help="losses and restores as often as turns")
    p.add_argument("--steps", type=int, default=60)
    p.add_argument("--seed", type=int, default=None)
    p.add_argument("--keep", action="store_true", help="leave the folder")
    args = p.parse_args()
    if args.seed is None:
        args.seed = int.from_bytes(os.urandom(4), "big")
    print("seed %d: %s%s%s, %d steps" % (args.seed, args.server, ", sealed" if args.sealed else "",
                                         ", rough" if args.rough else "", args.steps), flush=True)
    began = time.time()
    try:
        model = Model(args)
    except Unable as e:
        print("skipped: %s" % e)
        return 77
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
