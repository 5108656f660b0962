#!/usr/bin/env python3
"""Make bundles that mean no good, and some that only look like it: hostile_bundles.py DIR.

One file for each in DIR, NAME.tgz; what has to come of each stands in hostile.py.
Standard library only; headers that tarfile would not write are made by hand.
"""
import gzip
import hashlib
import io
import json
import os
import struct
import sys
import tarfile
import zlib

ID = "11111111-2222-4333-8444-555555555555"
OTHER = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
META = {"sessionId": ID, "sourceCwd": "/home/alice/p", "sourceUserDir": "/home/alice",
        "agentId": "claude-code", "formatVersion": 2}
LINE = json.dumps({"type": "user", "uuid": OTHER, "cwd": "/home/alice/p", "sessionId": ID}).encode() + b"\n"
BYPASS = json.dumps({"type": "permission-mode", "permissionMode": "bypassPermissions", "sessionId": ID}).encode() + b"\n"
END = bytes(1024)
OUT = None


def header(name, size, kind=b"0", link=b"", magic=b"ustar\x0000", size_field=None, mode=0o600):
    """A ustar header; names are bytes and go in as they are."""
    name = name if isinstance(name, bytes) else name.encode()
    field = size_field if size_field is not None else b"%011o\x00" % size
    h = bytearray(512)
    h[0:len(name[:100])] = name[:100]
    h[100:108] = b"%07o\x00" % mode
    h[108:116] = h[116:124] = b"0000000\x00"
    h[124:136] = field
    h[136:148] = b"00000000000\x00"
    h[148:156] = b" " * 8
    h[156:157] = kind
    h[157:157 + len(link[:100])] = link[:100]
    h[257:265] = magic
    if kind in b"34":
        h[329:337] = h[337:345] = b"0000001\x00"
    h[148:156] = b"%06o\x00 " % sum(h)
    return bytes(h)


def padded(data):
    return data + bytes(-len(data) % 512)


def file(name, data=b"x", **more):
    return header(name, len(data), **more) + padded(data)


def special(name, kind, link=b""):
    return header(name, 0, kind=kind, link=link)


def pax(name, data=b"x", kind=b"0", **records):
    """A pax extension with those records (bytes), then the entry."""
    body = b""
    for key, value in records.items():
        record = b" " + key.replace("__", ".").encode() + b"=" + value + b"\n"
        n = len(record) + len(str(len(record)))
        n = n if n == len(record) + len(str(n)) else n + 1
        body += str(n).encode() + record
    return header("pax", len(body), kind=b"x") + padded(body) + file(name, data, kind=kind)


def gnu_long(name, data=b"x"):
    body = (name if isinstance(name, bytes) else name.encode()) + b"\x00"
    return (header("././@LongLink", len(body), kind=b"L", magic=b"ustar  \x00") + padded(body) +
            file("short", data, magic=b"ustar  \x00"))


def meta(**changes):
    m = dict(META, **changes)
    return file("meta.json", json.dumps({k: v for k, v in m.items() if v is not None}).encode())


TRANSCRIPT = file("session.jsonl", LINE * 3)


def write(name, data):
    with open(os.path.join(OUT, name + ".tgz"), "wb") as f:
        f.write(data)


def bundle(name, *entries, start=None, transcript=True, end=END):
    tar = (meta() if start is None else start) + (TRANSCRIPT if transcript else b"")
    write(name, gzip.compress(tar + b"".join(entries) + end, 6))


def repeated(head, block, times, tail):
    """gzip members, so that gigabytes take no time to make."""
    c = zlib.compressobj(9, wbits=31)
    member = c.compress(block) + c.flush()
    return gzip.compress(head) + member * times + gzip.compress(tail)


def names():
    for name, evil in {
        "up": "../evil", "up_inside": "session-subdir/../../evil", "up_memory": "memory/../../settings.json",
        "up_after_dot": "./../evil", "up_last": "session-subdir/..", "up_paste": "paste-cache/../settings.json",
        "up_extra": "extra-files/../../evil", "absolute": "/tmp/ct-evil", "absolute_twice": "//tmp/ct-evil",
        "dot_inside": "session-subdir/./x", "empty_component": "session-subdir//x",
    }.items():
        bundle(name, file(evil))
    bundle("up_by_pax", pax("session-subdir/tool-results/x", path=b"../evil"))
    bundle("up_by_gnu", gnu_long("../" * 40 + "evil"))
    bundle("absolute_by_gnu", gnu_long("/" + "tmp/" * 30 + "evil"))
    bundle("too_long", pax("x", path=b"session-subdir/" + b"a/" * 505 + b"x"))
    bundle("deep", pax("x", path=b"session-subdir/" + b"a/" * 504 + b"x"))
    bundle("nul_by_pax", pax("x", path=b"session-subdir/tool-results/a\x00/../../evil"))
    bundle("nul_hides_up", file(b"session-subdir/tool-results/a\x00/../../../evil"))
    bundle("not_utf8", file(b"session-subdir/tool-results/\xff\xfe"))
    bundle("not_utf8_by_pax", pax("x", path=b"session-subdir/tool-results/\xff\xfe"))
    bundle("utf8_by_pax", pax("x", path="session-subdir/tool-results/\u00e9\U0001f600".encode()))
    bundle("utf8_plain", file("session-subdir/tool-results/\u00e9"))
    bundle("escape_in_name", file(b"session-subdir/tool-results/\x1b[2Jx"))
    bundle("newline_in_name", file(b"session-subdir/tool-results/a\nb"))
    bundle("c1_in_name", file("session-subdir/tool-results/a\u009bb"))
    bundle("component_too_long", pax("x", path=b"session-subdir/tool-results/" + b"a" * 256))
    bundle("backslashes", file("session-subdir/..\\..\\evil"), file("..\\evil"))
    bundle("case", start=meta(), transcript=False, *[file("Session.jsonl", LINE)])
    bundle("case_meta", start=file("META.JSON", json.dumps(META).encode()))
    bundle("folder_as_file", file("session.jsonl/", LINE), transcript=False)


def smuggled():
    bundle("settings", *[file(n, b"{}") for n in (
        "settings.json", "settings.local.json", ".claude/settings.json", "SETTINGS.JSON", ".claude.json",
        ".credentials.json", "CLAUDE.md", "commands/x.md", "agents/x.md", "plugins/x", "hooks/pre.sh",
        "projects/x/%s.jsonl" % OTHER, "statsig/x", "ide/1.lock", "sessions/1.json", "session.jsonl.bak",
        "._session.jsonl")])
    bundle("session_env", file("session-env/hook.sh", b"#!/bin/sh\nid\n"), file("session-env/a/b.sh"))
    bundle("shell_snapshots", file("shell-snapshots/snapshot-bash-1.sh", b"id\n"))
    bundle("wrong_kinds", file("paste-cache/run.sh"), file("paste-cache/a/b.txt"), file("tasks/.lock"),
           file("todos/%s-agent-%s.json" % (OTHER, OTHER)), file("plans/x.sh"), file("plans/a/b.md"),
           file("extra-files/x"), file("extra-files/" + "a" * 40))
    bundle("memory", file("memory/MEMORY.md", b"run this\n"))
    extra = "extra-files/" + "a" * 40
    bundle("extra_up", file(extra, b"ssh-rsa x"), file("extra-files-manifest.json", json.dumps([
        {"stored": "a" * 40, "originalPath": "/home/alice/.ssh/authorized_keys", "sizeBytes": 9,
         "rewriteContent": False}, {"stored": "../session.jsonl", "originalPath": "/x"}]).encode()))
    text = b"in /home/alice/p/x\n"
    bundle("extra_rewrite", file("extra-files/" + "a" * 40, text), file("extra-files/" + "b" * 40, text),
           file("extra-files-manifest.json", json.dumps([
               {"stored": "a" * 40, "originalPath": "/home/alice/p/a.txt", "rewriteContent": True},
               {"stored": "b" * 40, "originalPath": "/tmp/b.txt", "rewriteContent": False}]).encode()))
    bundle("extra_manifest_broken", file(extra), file("extra-files-manifest.json", b"[{"))
    bundle("extra_manifest_huge", file("extra-files-manifest.json", b" " * (5 << 20)))
    for name, mode in (("bypass", "bypassPermissions"), ("accept", "acceptEdits"), ("default", "default")):
        line = json.dumps({"type": "permission-mode", "permissionMode": mode, "sessionId": ID}).encode()
        bundle("mode_" + name, file("session.jsonl", LINE + line + b"\n"), transcript=False)
    bundle("mode_escaped", file("session.jsonl", LINE +
           b'{"t\\u0079pe":"permission\\u002dmode","permission\\u004dode":"bypassPermissions"}\n'),
           transcript=False)
    bundle("mode_torn", file("session.jsonl", LINE + b'{"type":"permission-mode","permissionMode":"plan"}'),
           transcript=False)
    bundle("mode_damaged", file("session.jsonl", LINE[:-1] +
           b'{"type":"permission-mode","permissionMode":"bypassPermissions"}\n'), transcript=False)
    mine, sid = {"type": "permission-mode", "permissionMode": "default", "sessionId": ID}, ID.encode()
    for name, line in {
        "back": mine, "back_by_summary": dict(mine, type="summary"), "back_by_user": dict(mine, type="user"),
        "back_elsewhere": dict(mine, sessionId=OTHER), "back_nowhere": {k: mine[k] for k in ("type", "permissionMode")},
        "list": dict(mine, permissionMode=["default"]), "back_inside": {"type": "permission-mode", "x": mine},
        "back_twice": b'{"type":"permission-mode","permissionMode":"default","sessionId":"%s","type":1}' % sid,
        "back_for_long": dict(mine, permissionMode="default" + " " * 99),
    }.items():
        line = line if isinstance(line, bytes) else json.dumps(line).encode()
        bundle("mode_" + name, file("session.jsonl", LINE + BYPASS + line + b"\n"), transcript=False)
    bundle("mode_by_user", file("session.jsonl", json.dumps(mine).encode() + b"\n" + LINE[:-2] +
           b',"permissionMode":"bypassPermissions"}\n'), transcript=False)


def links():
    agent = file("session-subdir/subagents/agent-a.jsonl", LINE + BYPASS)
    bundle("hard_link_transcript", agent, special("session.jsonl", b"1", b"session-subdir/subagents/agent-a.jsonl"), transcript=False)
    bundle("hard_link_of_transcript", special("session-subdir/subagents/agent-b.jsonl", b"1", b"session.jsonl"))
    bundle("hard_link_history", agent, special("history.jsonl", b"1", b"session-subdir/subagents/agent-a.jsonl"))
    bundle("hard_link_agent", agent, special("session-subdir/subagents/agent-b.jsonl", b"1", b"session-subdir/subagents/agent-a.jsonl"))
    bundle("hard_link_kind", file("session-subdir/tool-results/v1"), special("paste-cache/a.txt", b"1", b"session-subdir/tool-results/v1"))
    bundle("hard_link_copies", file("session-subdir/tool-results/v1", bytes(8000)),
           *[special("session-subdir/tool-results/v%d" % v, b"1", b"session-subdir/tool-results/v1") for v in range(2, 5)])
    bundle("hard_link_bomb", file("session-subdir/tool-results/v1", bytes(16 << 20)),
           *[special("session-subdir/tool-results/v%d" % v, b"1", b"session-subdir/tool-results/v1") for v in range(2, 42)])
    bundle("symlink_folder", special("session-subdir", b"2", b"/tmp"), file("session-subdir/ct-evil"))
    bundle("symlink_transcript", special("session.jsonl", b"2", b"/etc/passwd"), transcript=False)
    bundle("symlink_in_subdir", special("session-subdir/tool-results/x", b"2", b"../../../settings.json"))
    bundle("symlink_then_file", special("session-subdir/tool-results/x", b"2", b"/tmp/ct-evil"), file("session-subdir/tool-results/x"))
    bundle("hard_link_out", special("session-subdir/tool-results/x", b"1", b"/etc/passwd"))
    bundle("hard_link_up", special("session-subdir/tool-results/x", b"1", b"../../x"))
    bundle("hard_link_meta", special("session-subdir/tool-results/x", b"1", b"meta.json"))
    bundle("hard_link_left_out", file("settings.json"), special("session-subdir/tool-results/x", b"1", b"settings.json"))
    bundle("hard_link_to_env", special("session-env/x", b"1", b"session.jsonl"))
    bundle("hard_link_fine", file("session-subdir/tool-results/v1", b"abc"), special("session-subdir/tool-results/v2", b"1", b"session-subdir/tool-results/v1"))
    bundle("hard_link_self", special("session-subdir/tool-results/x", b"1", b"session-subdir/tool-results/x"))
    bundle("char_device", special("session-subdir/null", b"3"))
    bundle("block_device", special("session-subdir/sda", b"4"))
    bundle("fifo", special("session-subdir/fifo", b"6"))
    bundle("fifo_transcript", special("session.jsonl", b"6"), transcript=False)
    bundle("meta_symlink", start=special("meta.json", b"2", b"/etc/passwd"))
    gnu = bytearray(header("session-subdir/s", 512, kind=b"S", magic=b"ustar  \x00"))
    gnu[386:398] = b"%011o\x00" % (1 << 30)          # one piece of data, a gigabyte in
    gnu[398:410] = b"%011o\x00" % 512
    gnu[483:495] = b"%011o\x00" % ((1 << 30) + 512)  # real size
    gnu[148:156] = b" " * 8
    gnu[148:156] = b"%06o\x00 " % sum(gnu)
    bundle("sparse_gnu", bytes(gnu) + bytes(512))
    body = b"1\n1099511627776\n1\n"
    bundle("sparse_pax", pax("session-subdir/s", padded(body) + b"x" * 512, GNU__sparse__major=b"1",
           GNU__sparse__minor=b"0", GNU__sparse__name=b"session-subdir/s",
           GNU__sparse__realsize=b"1099511627777"))


def claims():
    bundle("size_beyond", header("session-subdir/tool-results/x", 1 << 30) + b"x" * 512, end=b"")
    bundle("size_huge", header("session-subdir/tool-results/x", 0, size_field=b"\x80" + bytes(3) + struct.pack(">Q", 1 << 62)))
    bundle("size_negative", header("session-subdir/tool-results/x", 0, size_field=b"\xff" * 12))
    bundle("size_by_pax", pax("session-subdir/tool-results/x", size=b"9223372036854775807"))
    bundle("twice", TRANSCRIPT)
    bundle("twice_dotted", file("./session.jsonl", b""))
    bundle("twice_left_out", file("settings.json"), file("settings.json"))
    bundle("meta_twice", meta(sessionId=OTHER))
    bundle("file_and_folder", file("session-subdir/a"), file("session-subdir/a/b"))
    bundle("folder_and_file", file("session-subdir/a/b"), file("session-subdir/a"))
    bundle("entries", *([special("session-subdir/d/", b"5")] * 100001))
    bundle("headers_nested", *([header("././@LongLink", 2, kind=b"L", magic=b"ustar  \x00") + padded(b"x\x00")] * 200))
    bundle("pax_long", header("pax", 64 << 20, kind=b"x") + b"x" * (64 << 20))


def metas():
    bundle("meta_missing", start=b"")
    bundle("meta_last", meta(), start=b"")
    bundle("meta_last_evil", file("../evil"), meta(), start=b"")
    bundle("meta_large", start=meta(gitBranch="x" * 70000))
    bundle("meta_empty", start=file("meta.json", b""))
    text = json.dumps(META)
    for name, data in {"broken": text[:-1], "twice_in_one": text + text, "single_quotes": text.replace('"', "'"),
                       "comment": "/* x */" + text, "array": "[" + text + "]", "string": '"x"',
                       "not_utf8": text[:-1] + ', "x": "\xff"}', "deep": "[" * 100 + "]" * 100}.items():
        bundle("meta_" + name, start=file("meta.json", data.encode("latin-1")))
    for name, changes in {
        "id_up": {"sessionId": "../../../evil"}, "id_upper": {"sessionId": OTHER.upper()}, "id_number": {"sessionId": 7},
        "id_missing": {"sessionId": None}, "id_long": {"sessionId": ID + "x"}, "id_nul": {"sessionId": ID + "\x00"},
        "cwd_relative": {"sourceCwd": "p"}, "cwd_up": {"sourceCwd": "/home/alice/../../etc"},
        "cwd_missing": {"sourceCwd": None}, "cwd_newline": {"sourceCwd": "/home/a\nb"},
        "cwd_windows": {"sourceCwd": "C:\\Users\\a\\p", "sourceUserDir": "C:\\Users\\a"},
        "home_empty": {"sourceUserDir": ""}, "home_tilde": {"sourceUserDir": "~"}, "home_list": {"sourceUserDir": []},
        "agent_unknown": {"agentId": "\x1b[2Jx"}, "agent_number": {"agentId": 1}, "agent_missing": {"agentId": None},
        "format_new": {"formatVersion": 99}, "format_text": {"formatVersion": "2"}, "format_missing": {"formatVersion": None},
        "branch_escape": {"gitBranch": "\x1b]0;x\x07"}, "content_short": {"contentId": "abc"},
        "content_wrong": {"contentId": "0" * 64},
    }.items():
        bundle("meta_" + name, start=meta(**changes))


def streams():
    whole = meta() + TRANSCRIPT + END
    packed = gzip.compress(whole)
    write("empty", b"")
    write("text", b"hello\n" * 100)
    write("plain_tar", whole)
    write("xz", __import__("lzma").compress(whole))
    write("zip", b"PK\x03\x04" + bytes(100))
    write("gzip_cut", packed[:-9])
    write("gzip_cut_trailer", packed[:-3])
    write("gzip_header_only", packed[:10])
    write("gzip_crc", packed[:-8] + bytes(4) + packed[-4:])
    write("gzip_garbage", packed + b"garbage")
    write("gzip_garbage_zeros", packed + bytes(512) + b"x")
    write("gzip_zeros", packed + bytes(16384))
    write("gzip_named", packed[:3] + b"\x08" + packed[4:10] + b"../../evil\x00" + packed[10:])
    write("gzip_members", b"".join(gzip.compress(whole[i:i + 100]) for i in range(0, len(whole), 100)))
    write("gzip_in_gzip", gzip.compress(packed))
    write("two_tars", packed + gzip.compress(file("session-subdir/tool-results/x") + END))
    write("tar_no_end", gzip.compress(whole[:-1024]))
    write("tar_half_end", gzip.compress(whole[:-512]))
    write("tar_cut_in_entry", gzip.compress(meta() + TRANSCRIPT[:600]))
    write("tar_cut_in_header", gzip.compress(meta() + TRANSCRIPT + file("x")[:100]))
    write("tar_nothing", gzip.compress(END))
    write("tar_garbage", gzip.compress(meta() + os.urandom(512) + TRANSCRIPT + END))
    bad = bytearray(TRANSCRIPT)
    bad[148:154] = b"000000"
    write("tar_checksum", gzip.compress(meta() + bytes(bad) + END))
    write("cpio", gzip.compress(b"070707" + b"0" * 200))
    write("whole", packed)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as t:
        for name, data in (("./", None), ("./memory", None), ("./memory/MEMORY.md", b"- x\n"),
                           ("./meta.json", json.dumps(META, indent=2).encode()),
                           ("./session-env", None), ("./session-env/x.sh", b"id\n"), ("./session.jsonl", LINE)):
            i = tarfile.TarInfo(name)
            i.mtime = 1700000000.5
            i.type, i.size = (tarfile.DIRTYPE, 0) if data is None else (tarfile.REGTYPE, len(data))
            t.addfile(i, io.BytesIO(data or b""))
    write("stock_like", buffer.getvalue())


def bombs():
    zeros, mib64 = bytes(64 << 20), 64 << 20
    size = 2 << 30
    write("zeros_transcript", repeated(meta() + header("session.jsonl", size), zeros, 32, END))
    write("zeros_left_out", repeated(meta() + TRANSCRIPT + header("session-env/x", size), zeros, 32, END))
    write("zeros_before_meta", repeated(header("a", size), zeros, 32, meta() + TRANSCRIPT + END))
    write("zeros_behind", repeated(meta() + TRANSCRIPT + END, zeros, 32, END))
    write("history_large", repeated(meta() + TRANSCRIPT + header("history.jsonl", 2 * mib64), zeros, 2, END))
    spaces = b'{"a":"' + b" " * (mib64 - 9) + b'"}\n'
    write("spaces", repeated(meta() + header("session.jsonl", len(spaces) * 8), spaces, 8, END))
    record = LINE + bytes(b"")
    block = record * (mib64 // len(record))
    n = 5 * len(block)
    unnamed = (b'{"type":"user","x":"%s"}\n' % (b"-" * 105)) * (mib64 // 128)
    write("unnamed", repeated(meta() + header("session.jsonl", mib64 * 5), unnamed, 5, END))
    bundle("many_small", *(file("session-subdir/tool-results/%05d" % n) for n in range(20000)))
    # As many as that may be real: small versions of files, each with a name and a content of its own.
    digests = [hashlib.sha256(b"%d" % n).hexdigest() for n in range(6000)]
    bundle("many_real", *(file("session-subdir/tool-results/" + d[:24], d.encode()) for d in digests))
    write("repetitive", repeated(meta() + header("session.jsonl", n), block, 5, bytes(-n % 512) + END))


def main():
    global OUT
    OUT = sys.argv[1]
    os.makedirs(OUT, exist_ok=True)
    for make in (names, smuggled, links, claims, metas, streams, bombs):
        make()


main()
