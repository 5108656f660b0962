#!/usr/bin/env python3
"""Make a Claude Code data folder of a given size, the same one for the same arguments.

    gen_corpus.py DIR [--sessions N] [--mb M] [--projects P] [--seed S] [--home PATH]
                      [--big MB] [--big-line MB] [--files N] [--folders N]

M megabytes are spread over N sessions as evenly as turns allow.  --big adds one session of that
size besides, --big-line puts one line of that size into its middle.  --files and --folders add tool
results until the data folder holds that many files and folders in all (for the watcher's bench).  The records have the shapes of Claude Code 2.1; their text is source code of this
machine's Python library, so that it compresses as real sessions do.  Standard library only.
"""
import argparse
import datetime
import json
import os
import random
import re
import sysconfig
import uuid

VERSION = "2.1.197"
MODEL = "claude-opus-4-8"
TOOLS = ["Bash", "Read", "Grep", "Edit", "Write", "MultiEdit"]


class Text:
    """Passages of real source code."""

    def __init__(self, rng):
        self.rng = rng
        library = sysconfig.get_paths()["stdlib"]
        names = sorted(n for n in os.listdir(library) if n.endswith(".py"))
        self.sources = []
        for name in names:
            with open(os.path.join(library, name), encoding="utf-8", errors="replace") as f:
                source = f.read()
            if len(source) > 4000:
                self.sources.append(source)

    def passage(self, longest=40000):
        """Mostly a screenful, sometimes a whole file: lengths are log-normal."""
        source = self.rng.choice(self.sources)
        length = min(max(60, int(self.rng.lognormvariate(7.0, 1.2))), longest, len(source))
        start = self.rng.randrange(len(source) - length + 1)
        return source[start:start + length]


class Session:
    """Writes the records of one session, turn by turn."""

    def __init__(self, rng, text, out, session_id, cwd, begins):
        self.rng, self.text, self.out = rng, text, out
        self.session_id, self.cwd, self.now = session_id, cwd, begins
        self.parent, self.size, self.turns, self.message = None, 0, 0, 0

    def ident(self):
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def write(self, record):
        line = json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n"
        data = line.encode()
        self.out.write(data)
        self.size += len(data)

    def chain(self, kind, **members):
        self.now += datetime.timedelta(milliseconds=self.rng.randrange(40, 7000))
        record = {"parentUuid": self.parent, "isSidechain": False, "type": kind,
                  "uuid": self.ident(), "timestamp": self.now.strftime("%Y-%m-%dT%H:%M:%S.")
                  + "%03dZ" % (self.now.microsecond // 1000), "userType": "external",
                  "entrypoint": "cli", "cwd": self.cwd, "sessionId": self.session_id,
                  "version": VERSION, "gitBranch": "main"}
        record.update(members)
        self.parent = record["uuid"]
        self.write(record)

    def assistant(self, block, stop):
        self.chain("assistant", message={
            "id": "msg_%s_%d" % (self.session_id[:8], self.message), "type": "message",
            "role": "assistant", "model": MODEL, "content": [block], "stop_reason": stop,
            "usage": {"input_tokens": self.rng.randrange(20000),
                      "output_tokens": self.rng.randrange(2000)}})

    def tool_call(self):
        call = "toolu_%016x" % self.rng.getrandbits(64)
        path = "%s/src/module_%d.py" % (self.cwd, self.rng.randrange(60))
        tool = self.rng.choice(TOOLS)
        self.assistant({"type": "tool_use", "id": call, "name": tool, "input": {
            "file_path": path, "old_string": self.text.passage(600),
            "new_string": self.text.passage(900)}}, "tool_use")
        result = self.text.passage()
        self.chain("user", message={"role": "user", "content": [
            {"tool_use_id": call, "type": "tool_result", "content": result}]},
            toolUseResult={"stdout": result[:len(result) // 2], "stderr": "", "interrupted": False})

    def turn(self):
        self.turns += 1
        self.message += 1
        self.chain("user", message={"role": "user", "content": "Please look at %s/src. %s"
                                    % (self.cwd, self.text.passage(300))})
        self.assistant({"type": "text", "text": self.text.passage(900)}, None)
        for _ in range(self.rng.randrange(6)):
            self.tool_call()
        self.message += 1
        self.assistant({"type": "text", "text": self.text.passage(1500)}, "end_turn")

    def big_line(self, size):
        """One tool result of many megabytes, never whole in memory."""
        head = '{"type":"user","sessionId":"%s","message":{"role":"user","content":[' \
               '{"type":"tool_result","tool_use_id":"toolu_big","content":"' % self.session_id
        self.out.write(head.encode())
        done = 0
        while done < size:
            piece = json.dumps(self.text.passage())[1:-1].encode()
            self.out.write(piece)
            done += len(piece)
        tail = '"}]},"timestamp":"2026-11-01T00:00:00.000Z"}\n'
        self.out.write(tail.encode())
        self.size += len(head) + done + len(tail)


class Corpus:
    def __init__(self, args):
        self.args = args
        self.rng = random.Random(args.seed)
        self.text = Text(self.rng)
        self.files = self.folders = self.bytes = 0
        self.sessions = []

    def folder(self, *parts):
        path = self.args.dir
        for part in parts:
            path = os.path.join(path, part)
            if not os.path.isdir(path):
                self.folders += 1
                os.mkdir(path)
        return path

    def add_file(self, folder, name, content):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(content)
        self.files += 1

    def session(self, number, size, big_line=0):
        cwd = "%s/work/project.%d" % (self.args.home, number % self.args.projects)
        project = re.sub("[^a-zA-Z0-9]", "-", cwd)
        session_id = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        begins = datetime.datetime(2026, 10, 1) + datetime.timedelta(hours=number)
        folder = self.folder("projects", project)
        with open(os.path.join(folder, session_id + ".jsonl"), "wb") as out:
            s = Session(self.rng, self.text, out, session_id, cwd, begins)
            while s.size < size:
                if big_line and s.size > size // 2:
                    s.big_line(big_line)
                    big_line = 0
                s.turn()
        self.files += 1
        self.bytes += s.size
        self.sessions.append((project, session_id))
        return s

    def history(self):
        with open(os.path.join(self.args.dir, "history.jsonl"), "w", encoding="utf-8") as f:
            for number, (_, session_id) in enumerate(self.sessions):
                json.dump({"display": self.text.passage(200), "pastedContents": {},
                           "timestamp": 1790000000000 + number, "project": self.args.home,
                           "sessionId": session_id}, f)
                f.write("\n")
        self.files += 1

    def belongings(self):
        """A subagent and a little file history for every third session."""
        for project, session_id in self.sessions[::3]:
            folder = self.folder("projects", project, session_id, "subagents")
            self.add_file(folder, "agent-%016x.jsonl" % self.rng.getrandbits(64), json.dumps(
                {"type": "assistant", "isSidechain": True, "sessionId": session_id,
                 "message": {"role": "assistant", "content": self.text.passage()}}) + "\n")
            folder = self.folder("file-history", session_id)
            for version in range(1, 4):
                self.add_file(folder, "%016x@v%d" % (self.rng.getrandbits(64), version),
                              self.text.passage())

    def fill(self):
        number = 0
        while self.folders < self.args.folders:
            project, session_id = self.sessions[number % len(self.sessions)]
            self.folder("projects", project, session_id, "tool-results", "run-%d" % number)
            number += 1
        number = 0
        while self.files < self.args.files:
            project, session_id = self.sessions[number % len(self.sessions)]
            folder = self.folder("projects", project, session_id, "tool-results",
                                 "run-%d" % (number % max(1, self.args.folders)))
            self.add_file(folder, "%d.txt" % number, "result %d\n" % number)
            number += 1

    def make(self):
        each = int(self.args.mb * 1e6 / max(1, self.args.sessions))
        for number in range(self.args.sessions):
            self.session(number, each)
        if self.args.big:
            self.session(self.args.sessions, int(self.args.big * 1e6),
                         int(self.args.big_line * 1e6))
            print("big", self.sessions[-1][1])
        if not self.sessions:
            raise SystemExit("no session asked for")
        self.history()
        self.belongings()
        self.fill()
        print(len(self.sessions), "sessions,", self.bytes, "bytes,", self.files, "files,",
              self.folders, "folders")


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("dir")
    p.add_argument("--sessions", type=int, default=20)
    p.add_argument("--mb", type=float, default=20)
    p.add_argument("--projects", type=int, default=5)
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--home", default="/home/alice")
    p.add_argument("--big", type=float, default=0)
    p.add_argument("--big-line", type=float, default=0)
    p.add_argument("--files", type=int, default=0)
    p.add_argument("--folders", type=int, default=0)
    args = p.parse_args()
    os.makedirs(args.dir, exist_ok=True)
    Corpus(args).make()


if __name__ == "__main__":
    main()
