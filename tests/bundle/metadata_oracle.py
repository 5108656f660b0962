#!/usr/bin/env python3
"""The rules for metadata once more, with Python's json, to compare against what the scanner says.

    metadata_oracle.py PACKONE ROOT...     compare every session of each data folder
    metadata_oracle.py PACKONE --damaged N compare N generated transcripts full of damage

Prints one line for each difference and "N compared, M differ"; exits 1 if any differ.
"""
import datetime
import glob
import json
import os
import random
import subprocess
import sys
import tempfile
import uuid

TITLES = [("custom-title", "customTitle"), ("ai-title", "aiTitle"),
          ("last-prompt", "lastPrompt"), ("summary", "summary")]


def no_constant(name):
    raise ValueError(name)


def records(data):
    """The lines of a transcript that are complete and one JSON object each."""
    for line in data.split(b"\n")[:-1]:
        try:
            record = json.loads(line.decode("utf-8"), parse_constant=no_constant)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            yield record


def clean(text):
    """A NUL and half a surrogate pair can't be shown."""
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "\ufffd")


def string(value):
    return clean(value) if isinstance(value, str) and value else None


def cut(text, size):
    """Names that nobody gives are not kept whole."""
    return text.encode()[:size].decode(errors="ignore") if text else text


def blocks(message):
    content = message.get("content")
    return [b for b in content if isinstance(b, dict)] if isinstance(content, list) else []


def text_of(message):
    if isinstance(message.get("content"), str):
        return clean(message["content"])
    for block in blocks(message):
        if block.get("type") == "text" and string(block.get("text")):
            return string(block["text"])
    return ""


def is_prompt(record, message):
    if record.get("type") != "user":
        return False
    if any(record.get(k) is True for k in ("isMeta", "isSidechain", "isCompactSummary")):
        return False
    if any(b.get("type") == "tool_result" for b in blocks(message)):
        return False
    return not text_of(message).startswith(("<command-name>", "<local-command-stdout>"))


def parse_time(value):
    if not isinstance(value, str):
        return None
    try:
        t = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None
    return t if t.tzinfo else None


def show_time(t):
    t = t.astimezone(datetime.timezone.utc)
    return t.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (t.microsecond // 1000)


def modified(block):
    tool, arguments = block.get("name"), block.get("input")
    if not isinstance(arguments, dict):
        return None
    if tool in ("Edit", "Write", "MultiEdit"):
        return string(arguments.get("file_path"))
    return string(arguments.get("notebook_path")) if tool == "NotebookEdit" else None


def whole(value):
    ok = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10 ** 12
    return value if ok else 0


def micros(value):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 10 ** 6:
        return None
    return int(float(value) * 1e6 + .5)


class Usage:
    """Tokens and cost: a message that comes several times counts once, as it came last."""

    def __init__(self):
        self.seen, self.recent, self.counters, self.spent = set(), {}, {}, 0
        self.models, self.has_cost, self.open = {}, False, False

    def model(self, name):
        name = cut(name, 127) or "unnamed"
        if name not in self.models and len(self.models) >= 11:
            name = "others"
        self.models.setdefault(name, [0, 0, 0, 0])
        return name

    def message(self, r, message, skip):
        i = message.get("id")
        is_new = i not in self.seen
        self.seen.add(i)
        if "forkedFrom" in r and isinstance(r["forkedFrom"], dict):
            return
        if message.get("model") == "<synthetic>" or i in skip:
            return
        if isinstance(message.get("usage"), dict) and (is_new or i in self.recent):
            u = message["usage"]
            now = [whole(u.get(k)) for k in ("input_tokens", "output_tokens",
                                             "cache_read_input_tokens",
                                             "cache_creation_input_tokens")]
            name, old = self.recent.get(i, (None, [0] * 4))
            if name is not None:
                self.models[name] = [a - b for a, b in zip(self.models[name], old)]
            name = self.model(string(message.get("model")))
            self.models[name] = [a + b for a, b in zip(self.models[name], now)]
            self.recent[i] = (name, now)
            while len(self.recent) > 8:
                self.recent.pop(next(iter(self.recent)))
        if is_new and micros(r.get("costUSD")) is not None:
            self.has_cost = True
            self.spent += micros(r["costUSD"])

    def read(self, data, skip=frozenset()):
        for r in records(data):
            message = r.get("message") if isinstance(r.get("message"), dict) else {}
            if r.get("type") == "cost-state" and micros(r.get("totalCostUSD")) is not None:
                self.has_cost, self.open = True, r.get("hasUnknownModelCost") is True
                start = r.get("startTime")
                known = isinstance(start, int) and not isinstance(start, bool) \
                    and 0 <= start < 10 ** 15
                self.counters[start if known else 0] = micros(r["totalCostUSD"])
            if r.get("type") == "assistant" and string(message.get("id")):
                self.message(r, message, skip)


def usage_of(data, beside):
    """Of a transcript, and of what the session's agents wrote."""
    own, theirs = Usage(), Usage()
    own.read(data)
    for other in beside:
        theirs.read(other + b"\n", own.seen)
    for name, counts in theirs.models.items():
        name = own.model(name)
        own.models[name] = [a + b for a, b in zip(own.models[name], counts)]
    out = {"models": [dict(zip(("model", "inputTokens", "outputTokens", "cacheReadTokens",
                                "cacheWriteTokens"), [name] + own.models[name]))
                      for name in sorted(own.models, key=str.encode) if any(own.models[name])]}
    if own.has_cost:
        out["costUSD"] = round((own.spent + sum(own.counters.values())) / 1e6, 6)
        if own.open:
            out["costIsAtLeast"] = True
    return out if own.has_cost or out["models"] else None


def metadata(data):
    titles, times, ids, files, prompts = {}, [], set(), set(), set()
    users = tools = 0
    model = cwd = prompt = branch = slug = None
    for r in records(data):
        message = r.get("message") if isinstance(r.get("message"), dict) else {}
        for kind, key in TITLES:
            if r.get("type") == kind and string(r.get(key)):
                titles[key] = string(r[key])
        i = string(message.get("id"))
        if is_prompt(r, message) and i not in prompts:
            users += 1
            prompt = prompt or text_of(message)
            if i:  # some agents write a prompt with its id again
                prompts.add(i)
        if r.get("type") == "assistant" and string(message.get("id")):
            ids.add(message["id"])
        for block in blocks(message):
            if block.get("type") == "tool_use":
                tools += 1
                files.add(modified(block))
        if string(message.get("model")) and message["model"] != "<synthetic>":
            model = string(message["model"])
        if parse_time(r.get("timestamp")):
            times.append(parse_time(r["timestamp"]))
        cwd = cwd or string(r.get("cwd"))
        branch = string(r.get("gitBranch")) or branch
        slug = string(r.get("slug")) or slug
    files.discard(None)
    title = next((titles[k] for _, k in TITLES if k in titles), prompt)
    out = {"messageCount": users + len(ids), "userMessageCount": users,
           "assistantMessageCount": len(ids), "toolCallCount": tools,
           "filesModified": sorted(files), "filesModifiedCount": len(files),
           "jsonlSizeBytes": data.rfind(b"\n") + 1, "claudeModel": cut(model, 127),
           "summary": title[:200] if title else None, "title": title[:200] if title else None,
           "gitBranch": cut(branch, 255), "slug": slug}
    if cwd:
        out["cwd"] = cwd
        out["projectName"] = cwd.rstrip("/").rsplit("/", 1)[-1]
    if times:
        out["sessionStartedAt"] = show_time(min(times))
        out["sessionEndedAt"] = show_time(max(times))
        out["durationSeconds"] = int((max(times) - min(times)).total_seconds())
    return out


def beside(folder, session):
    """What is JSON lines in the session's own folder, and flat sidechains that name it."""
    paths = glob.glob(f"{glob.escape(folder)}/{session}/**/*.jsonl", recursive=True)
    for path in glob.glob(f"{glob.escape(folder)}/agent-*.jsonl"):
        with open(path, "rb") as f:
            ids = [r["sessionId"] for r in records(f.read()) if string(r.get("sessionId"))]
        if ids[:1] == [session]:
            paths.append(path)
    for path in paths:
        with open(path, "rb") as f:
            yield f.read()


def subagents(root, folder, session):
    names = {os.path.basename(p)
             for p in glob.glob(f"{folder}/{session}/subagents/agent-*.jsonl")}
    for path in glob.glob(f"{folder}/agent-*.jsonl"):
        with open(path, "rb") as f:
            for record in records(f.read()):
                if string(record.get("sessionId")):
                    if record["sessionId"] == session:
                        names.add(os.path.basename(path))
                    break
    return len(names)


def compare(packone, root, session, out_dir):
    run = subprocess.run([packone, root, session, os.path.join(out_dir, "bundle")],
                         capture_output=True, text=True)
    if run.returncode != 0:
        return [f"packone failed: {run.stderr.strip()}"]
    said = json.loads(run.stdout)["metadata"]
    paths = glob.glob(f"{glob.escape(root)}/projects/*/{session}.jsonl")
    path = max(paths, key=os.path.getsize)
    with open(path, "rb") as f:
        data = f.read()
    want = metadata(data)
    want["usage"] = usage_of(data, beside(os.path.dirname(path), session))
    want["subagentCount"] = subagents(root, os.path.dirname(path), session)
    return [f"{k}: {said.get(k)!r} instead of {v!r}" for k, v in want.items() if said.get(k) != v]


# ---- damage -----------------------------------------------------------------------------------

def random_string(r):
    return r.choice(["", "plain", "<command-name>/exit", "<local-command-stdout>x", "ünï ☃ 日本語",
                     "\U0001f600 outside", "quote \" slash \\ / tab \t", "a\0b",
                     "x" * r.randrange(900),
                     "日" * r.randrange(300), "\U0001f600" * r.randrange(300), "/home/a/b.py",
                     "msg_%d" % r.randrange(9), "claude-%d" % r.randrange(3), "<synthetic>",
                     "2026-01-%02dT10:00:00.%03dZ" % (r.randrange(1, 29), r.randrange(1000)),
                     "2026-01-02T03:04:05+02:00"])


def random_value(r, depth):
    kind = r.randrange(8 if depth < 6 else 6)
    if kind < 2:
        return random_string(r)
    if kind == 2:
        return r.choice([True, False, None])
    if kind == 3:
        return r.choice([0, -1, 17, 1.5, -2.5e-7, 1e300, 10 ** 30])
    if kind < 6:
        return r.choice([{}, [], "", [[]], {"a": {}}])
    if kind == 6:
        return [random_value(r, depth + 1) for _ in range(r.randrange(4))]
    return {r.choice(["type", "message", "content", "id", "model", "text", "x", "input", "name"]):
            random_value(r, depth + 1) for _ in range(r.randrange(4))}


def random_number(r):
    return r.choice([0, 1, 7, 123456789, -3, 1.5, 0.00028000000000000003, 2.5e-7, 1e300, 10 ** 30,
                     10 ** 12, 10 ** 12 + 1, 10 ** 15, random_value(r, 3)])


def random_usage(r):
    usage = {k: random_number(r) for k in ("input_tokens", "output_tokens",
                                           "cache_read_input_tokens",
                                           "cache_creation_input_tokens")}
    usage["iterations"] = [dict(usage)]
    usage["server_tool_use"] = {"input_tokens": 9}
    return {k: usage[k] for k in usage if r.random() < .9}


def random_block(r):
    block = {"type": r.choice(["text", "tool_use", "tool_result", "image", random_value(r, 3)]),
             "text": random_string(r), "name": r.choice(["Edit", "Write", "MultiEdit", "Bash",
                                                         "NotebookEdit", random_value(r, 3)]),
             "input": r.choice([{"file_path": random_string(r), "notebook_path": random_string(r),
                                 "x": random_value(r, 3)}, random_value(r, 3)])}
    keys = list(block)
    r.shuffle(keys)
    return {k: block[k] for k in keys if r.random() < .9}


def random_record(r):
    content = r.choice([random_string(r), [random_block(r) for _ in range(r.randrange(4))],
                        [random_value(r, 2), random_block(r)], random_value(r, 2)])
    message = {"id": random_string(r), "model": random_string(r), "content": content,
               "role": "user", "extra": random_value(r, 1),
               "usage": r.choice([random_usage(r), random_usage(r), random_value(r, 2)])}
    record = {"costUSD": r.choice([.25, random_value(r, 3)]), "totalCostUSD": random_number(r),
              "startTime": r.choice([1, 2, 3, 1796008434259, random_value(r, 3)]),
              "hasUnknownModelCost": r.choice([False, True]),
              "forkedFrom": r.choice([None, None, None, {"sessionId": "x"}]),
              "type": r.choice(["user", "user", "assistant", "assistant", "system", "summary",
                                "cost-state",
                                "custom-title", "ai-title", "last-prompt", random_value(r, 2)]),
              "message": r.choice([message, message, message, random_value(r, 1)]),
              "timestamp": random_string(r), "cwd": r.choice(["/home/u/my.app", random_string(r)]),
              "gitBranch": random_string(r), "slug": r.choice(["quiet-fox", ""]),
              "isMeta": r.choice([False, False, True, "true"]),
              "isSidechain": r.choice([False, False, True, 1]),
              "isCompactSummary": r.choice([False, True]),
              "summary": random_string(r), "customTitle": random_string(r),
              "aiTitle": random_string(r), "lastPrompt": random_string(r), "more": random_value(r, 0)}
    keys = [k for k in record if r.random() < .8]
    r.shuffle(keys)
    return {k: record[k] for k in keys}


def encode(r, record):
    """One line in one of the many spellings of JSON."""
    text = json.dumps(record, ensure_ascii=r.random() < .5,
                      separators=r.choice([(",", ":"), (", ", ": "), (" ,\t", " : ")]))
    if r.random() < .1:
        text = text.replace('"type"', '"\\u0074ype"')
    if r.random() < .1:  # a member twice: the last one counts
        twice = r.choice(["type", "message", "timestamp", "cwd", "costUSD", "startTime"])
        text = "{" + json.dumps(twice) + ":" + json.dumps(random_value(r, 1)) + "," + text[1:] \
            if len(record) else text
    if r.random() < .05:
        text = text.replace("plain", "\\ud83d lone")
    return text.encode("utf-8", "surrogatepass")


def damage(r, line):
    kind = r.randrange(12)
    at = r.randrange(len(line) + 1)
    if kind == 0:
        return line[:at]
    if kind == 1:
        return line[:at] + line
    if kind == 2:
        return line + line
    if kind == 3:
        return b"\0" * r.randrange(1, 5000) + line
    if kind == 4:
        return b"// " + line
    if kind == 5:
        return line[:at] + bytes([r.randrange(256)]) + line[at + 1:]
    if kind == 6:
        return line.replace(b"true", b"NaN").replace(b"null", b"Infinity")
    if kind == 7:
        return b"  " + line + b" \r"
    if kind == 8:
        return b"[" * 400 + b"]" * 400
    if kind == 9:
        return b'{"type":"user","deep":' + b'{"a":[' * 150 + b"1" + b"]}" * 150 + b"}"
    if kind == 10:
        return r.choice([b"", b"{}", b"[]", b"null", b'"x"', b"{} {}", b'{"a":01}', b'{"a":1.}',
                         b'{"a":-}', b'{"a":.5}', b'{"a":1e}', b'{"a":1e+5}', b'{"a":tru}',
                         b'{"a":1,}',
                         b'{,}', b'{"a"}', b"{'a':1}", b'{"a":"\t"}', b'{"a":"\\x"}',
                         b'{"a":"\\u12g4"}',
                         b"\xef\xbb\xbf{}"])
    return line[:at] + b"\xed\xa0\x80\xc0\xaf\xff" + line[at:]


def damaged(r):
    out = []
    for _ in range(r.randrange(1, 60)):
        line = encode(r, random_record(r))
        if r.random() < .3:
            line = damage(r, line)
        out.append(line.replace(b"\n", b" "))
    return b"\n".join(out) + (b"\n" if r.random() < .7 else b"")


def main():
    packone, what = sys.argv[1], sys.argv[2:]
    compared = different = 0
    with tempfile.TemporaryDirectory() as scratch:
        roots = what
        if what[0] == "--damaged":
            r = random.Random(20261123)
            roots = [os.path.join(scratch, "root")]
            os.makedirs(roots[0] + "/projects/-p")
            for _ in range(int(what[1])):
                name = uuid.UUID(int=r.getrandbits(128), version=4)
                with open(f"{roots[0]}/projects/-p/{name}.jsonl", "wb") as f:
                    f.write(damaged(r))
        for root in roots:
            ids = subprocess.run([packone, "--list", root], stdout=subprocess.PIPE, text=True,
                                 check=True)
            for session in ids.stdout.split():
                compared += 1
                differences = compare(packone, root, session, scratch)
                different += bool(differences)
                for d in differences:
                    print(f"{os.path.basename(root)} {session}: {d}")
    print(f"{compared} compared, {different} differ")
    return 1 if different or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
