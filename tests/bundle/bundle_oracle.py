#!/usr/bin/env python3
"""What a bundle must hold, worked out once more from the data folder with Python's tar and gzip.

    bundle_oracle.py PACKONE ROOT...

Packs every session of each data folder and compares entries, contents, headers, gzip framing,
digests and the content id.  Prints differences and "N compared, M differ"; exits 1 if any differ.
"""
import glob
import gzip
import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zlib

MIB = 1 << 20


def whole_lines(data):
    return data[:data.rfind(b"\n") + 1]


def read(path):
    with open(path, "rb") as f:
        return f.read()


def records(data):
    for line in whole_lines(data).split(b"\n"):
        try:
            record = json.loads(line.decode())
        except ValueError:
            continue
        if isinstance(record, dict):
            yield line, record


def hashes(value):
    if isinstance(value, dict):
        for key, below in value.items():
            if key == "contentHash" and isinstance(below, str):
                yield below
            yield from hashes(below)
    elif isinstance(value, list):
        for below in value:
            yield from hashes(below)


def add_tree(entries, folder, prefix):
    for above, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(above, name)
            entries[prefix + os.path.relpath(path, folder)] = read(path)


def expected(root, session):
    """Entries of the bundle, less meta.json."""
    transcripts = glob.glob(f"{glob.escape(root)}/projects/*/{session}.jsonl")
    transcript = max(transcripts, key=lambda p: (os.path.getsize(p), os.path.getmtime(p)))
    project = os.path.dirname(transcript)
    entries = {"session.jsonl": whole_lines(read(transcript))}
    for folder in glob.glob(f"{glob.escape(root)}/projects/*/{session}"):
        add_tree(entries, folder, "session-subdir/")
    for path in glob.glob(glob.escape(project) + "/agent-*.jsonl"):
        parents = [r["sessionId"] for _, r in records(read(path)) if r.get("sessionId")]
        if parents and parents[0] == session:
            entries["session-subdir/subagents/" + os.path.basename(path)] = read(path)
    add_tree(entries, project + "/memory", "memory/")
    add_tree(entries, f"{root}/file-history/{session}", "file-history/")
    for path in glob.glob(f"{glob.escape(root)}/tasks/{session}/*.json"):
        entries["tasks/" + os.path.basename(path)] = read(path)
    for path in glob.glob(f"{glob.escape(root)}/todos/{session}-agent-*.json"):
        entries["todos/" + os.path.basename(path)] = read(path)
    names, plans, prompts = set(), set(), b""
    for _, record in records(entries["session.jsonl"]):
        names.update(hashes(record))
        plans.add(record.get("slug"))
    if os.path.exists(root + "/history.jsonl"):
        for line, record in records(read(root + "/history.jsonl")):
            if record.get("sessionId") == session:
                prompts += line + b"\n"
                names.update(hashes(record))
    if prompts:
        entries["history.jsonl"] = prompts
    for folder, suffix, wanted in (("paste-cache", ".txt", names), ("plans", ".md", plans)):
        for name in wanted - {None}:
            path = f"{root}/{folder}/{name}{suffix}"
            if os.path.exists(path):
                entries[f"{folder}/{name}{suffix}"] = read(path)
    return entries


def content_id(entries):
    whole = hashlib.sha256()
    for name in sorted(entries, key=os.fsencode):
        data = entries[name]
        over_blocks = hashlib.sha256()
        for at in range(0, len(data), MIB):
            over_blocks.update(hashlib.sha256(data[at:at + MIB]).digest())
        whole.update(os.fsencode(name) + b"\0" + len(data).to_bytes(8, "big"))
        whole.update(over_blocks.digest())
    return whole.hexdigest()


def members(data):
    """The gzip members one by one: header bytes and raw lengths."""
    while data:
        d = zlib.decompressobj(wbits=31)
        raw = d.decompress(data)
        yield data[:10], len(raw), d.eof
        data = d.unused_data


def check(said, bundle, entries):
    data = read(bundle)
    if hashlib.sha256(data).hexdigest() != said["sha256"] or len(data) != said["sizeBytes"]:
        yield "digest or size of the bundle"
    if hashlib.md5(data).hexdigest() != said["md5"]:
        yield "MD5 of the bundle"
    for head, length, is_whole in members(data):
        if head != b"\x1f\x8b\x08\0\0\0\0\0\0\xff" or length > MIB or not is_whole:
            yield f"a gzip member: {head.hex()} {length}"
    if len(gzip.decompress(data)) != said["rawBytes"]:
        yield "raw length"
    if content_id(entries) != said["contentId"]:
        yield "content id"
    found = {}
    with tarfile.open(bundle, "r:gz") as tar:
        infos = tar.getmembers()
        for info in infos:
            if not info.isreg() or info.mode != 0o600 or info.uid or info.gid or info.uname:
                yield f"header of {info.name!r}"
            if info.mtime != infos[0].mtime:
                yield f"time of {info.name!r}"
            found[info.name] = tar.extractfile(info).read()
    names = [i.name for i in infos]
    if names[:2] != ["meta.json", "session.jsonl"] or len(names) != len(set(names)):
        yield f"order of entries: {names}"
    if names[2:] != sorted(names[2:], key=os.fsencode):
        yield "entries are not sorted"
    meta = json.loads(found.pop("meta.json"))
    # Only an absolute path is a folder that a session can come from.
    cwd = said["metadata"]["cwd"]
    cwd = cwd if cwd.startswith("/") or cwd[1:3] == ":\\" else "/home/alice"
    for key, value in (("formatVersion", 2), ("agentId", "claude-code"),
                       ("sourceUserDir", "/home/alice"), ("contentId", said["contentId"]),
                       ("sourceCwd", cwd)):
        if meta.get(key) != value:
            yield f"meta.json: {key} is {meta.get(key)!r}"
    if found != entries:
        yield f"entries: {sorted(set(found) ^ set(entries)) or 'contents'}"


def run(*command):
    return subprocess.run(command, capture_output=True, text=True)


def main():
    packone = sys.argv[1]
    compared = different = 0
    with tempfile.TemporaryDirectory() as scratch:
        for root in sys.argv[2:]:
            for session in run(packone, "--list", root).stdout.split():
                bundle = os.path.join(scratch, "bundle.tar.gz")
                packed = run(packone, root, session, bundle)
                compared += 1
                if packed.returncode != 0:
                    differences = [packed.stderr.strip()]
                else:
                    said, entries = json.loads(packed.stdout), expected(root, session)
                    differences = list(check(said, bundle, entries))
                    for tool in (["gzip", "-t", bundle], ["tar", "tzf", bundle]):
                        if run(*tool).returncode != 0:
                            differences.append(" ".join(tool[:2]))
                different += bool(differences)
                for d in differences:
                    print(f"{os.path.basename(root)} {session}: {d}")
    print(f"{compared} compared, {different} differ")
    return 1 if different or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
