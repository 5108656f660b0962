#!/usr/bin/env python3
"""A stranger's bundles, each hostile thing in every place where it can stand, opened one by one; and
what becomes of the same things in a session of one's own.

    stranger_bundles.py OPENONE
    stranger_bundles.py --combined N DIR
    stranger_bundles.py --schedule CWD TOOL...

What must not come bears the word EVIL, and is nowhere in what comes; what may comes whole, and its
chain holds.  Beside that each record is held against a list of its own, which is not the program's.
Prints TAP.  With --combined all of it goes into N bundles in DIR (0: a
plain one), and nothing is opened; --schedule prints the transcript of a session that has called those
tools, each as one schedules something.
"""

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

SID = "11111111-2222-4333-8444-555555555555"
OTHER = "99999999-2222-4333-8444-555555555555"
CWD, HOME = "/home/mallory/p", "/home/mallory"
TARGET, TARGET_HOME = "/srv/w", "/home/bo"

TYPES = {"user", "assistant", "system", "attachment", "progress", "summary", "custom-title", "ai-title",
         "last-prompt", "permission-mode"}
MEMBERS = {"type", "subtype", "uuid", "parentUuid", "logicalParentUuid", "isSidechain", "timestamp", "userType",
           "entrypoint", "cwd", "sessionId", "version", "gitBranch", "slug", "agentId", "message", "content",
           "level", "toolUseID", "parentToolUseID", "data", "attachment", "summary", "leafUuid", "customTitle",
           "aiTitle", "lastPrompt", "isCompactSummary", "sourceToolAssistantUUID", "requestId",
           "isApiErrorMessage", "durationMs", "messageCount", "compactMetadata"}
BLOCKS = {"text", "image", "document", "tool_result", "thinking", "redacted_thinking", "tool_use"}
CALLS = {"CronCreate", "CronDelete", "CronList", "ScheduleWakeup", "Monitor", "RemoteTrigger"}
TOOLS = set("""Agent AskUserQuestion Bash BashOutput Edit EnterPlanMode ExitPlanMode Glob Grep KillShell LS LSP
ListMcpResourcesTool MultiEdit NotebookEdit NotebookRead PowerShell Read ReadMcpResourceDirTool ReadMcpResourceTool Skill
SlashCommand StructuredOutput Task TaskCreate TaskGet TaskList TaskOutput TaskStop TaskUpdate TodoRead TodoWrite
ToolSearch WebFetch WebSearch Write mcp__db__query""".split())
# As somebody may spell it, or a newer one call it: a name is a name to the letter.
SPELLED = """croncreate CRONCREATE Cron_Create Loop Cron TeamCreate SetGoal Workflow SendMessage mcp__
NeverHeardOf""".split()
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")


def uid(n):
    return "aaaaaaaa-0000-4000-8000-%012d" % n


def record(n, parent, kind="user", **more):
    content = "GOOD-%d" % n if kind == "user" else [{"type": "text", "text": "GOOD-%d" % n}]
    message = {"role": kind, "content": content}
    if kind == "assistant":
        message.update(id="msg_%d" % n, type="message", model="claude-opus-4-8", stop_reason="end_turn",
                       usage={"input_tokens": 10, "output_tokens": 5})
    r = {"type": kind, "uuid": uid(n), "parentUuid": uid(parent) if parent else None, "cwd": CWD, "sessionId": SID,
         "timestamp": "2026-11-23T20:00:%02d.000Z" % n, "version": "2.1.197", "isSidechain": False,
         "userType": "external", "gitBranch": "", "message": message}
    r.update(more)
    return r


def said(content, n=50, parent=2, kind="assistant", **more):
    r = record(n, parent, kind, **more)
    return {**r, "message": {**r["message"], "content": content}}


def called(name, result=None, spell=None, n=50):
    """A call in an ordinary answer, and what came of it."""
    line = json.dumps(said([{"type": "tool_use", "id": "t%d" % n, "name": name,
                             "input": {"cron": "* * * * *", "prompt": "do it", "delaySeconds": 1}}], n,
                           n - 1 if n > 50 else 2))
    if spell:
        line = line.replace('"%s"' % name, spell)
    return [line, record(n + 1, n, message={"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "t%d" % n, "content": "scheduled"}]},
        toolUseResult=result or {"id": "EVIL", "recurring": True})]


def attached(kind, **more):
    return {**record(50, 2), "type": "attachment", "message": "EVIL", "attachment": {"type": kind, "content": "EVIL", **more}}


def bare(kind, **more):
    return {"type": kind, "sessionId": SID, **more}


def snapshot(path, **more):
    return dict(type="file-history-snapshot", messageId=uid(1), isSnapshotUpdate=False, snapshot={
        "messageId": uid(1), "timestamp": "2026-11-23T20:00:00.000Z", "trackedFileBackups": {
            path: {"backupFileName": "0123456789abcdef@v1", "version": 1, "backupTime": "2026-11-23T20:00:00.000Z"}}},
        **more)


def things():
    """name: lines that come behind the second record, on which the third builds."""
    after = {"EVIL": "EVIL"}
    yield "worktree-state", bare("worktree-state", worktreeSession={"worktreePath": CWD + "/EVIL", "originalCwd": CWD})
    yield "worktree-state-null", bare("worktree-state", worktreeSession=None, **after)
    for mode in ("bypassPermissions", "acceptEdits", "plan", "auto"):
        yield "permission-mode-" + mode, bare("permission-mode", permissionMode=mode, note="EVIL")
    yield "mode-in-a-prompt", record(50, 2, permissionMode="EVIL")
    yield "snapshot-of-home", snapshot(HOME + "/EVIL.bashrc")
    yield "snapshot-above", snapshot("../EVIL")
    yield "snapshot-of-hooks", snapshot(".git/hooks/EVIL")
    yield "snapshot-below", snapshot("src/EVIL.c")
    yield "delta", bare("file-history-delta", messageId=uid(1), snapshotMessageId=uid(1),
                        trackingPath="/etc/EVIL", backup={"backupFileName": "0123456789abcdef@v1", "version": 1})
    for kind in ("relocated", "bridge-session", "agent-setting", "agent-name", "mode", "isolation-latch", "dev-mods",
                 "session-owner", "queue-operation", "api-request", "api-request-shape", "api-request-blob",
                 "content-replacement", "fork-context-ref", "memory-mode", "tag", "pr-link", "frame-link",
                 "attribution-snapshot", "artifact-comment-monitor", "artifact-autoreact-ledger", "cost-state",
                 "data-flow-records", "observer-ref", "tools-used", "atis-latch", "history-suppression",
                 "never-heard-of"):
        yield kind, bare(kind, content="EVIL", relocatedCwd="/EVIL", agentSetting="EVIL", operation="enqueue")
    for kind in ("goal_status", "session_cron_carry", "skill_listing", "invoked_skills", "nested_memory", "prompt_snapshot",
                 "hook_additional_context", "hook_success", "hook_blocking_error", "environment", "instructions",
                 "output_style", "critical_system_reminder", "mcp_resource", "plan_file_reference", "task_status", "file",
                 "edited_text_file", "projects_thread_ask", "poll_events", "never_heard_of"):
        yield "attachment-" + kind, attached(kind, condition="EVIL", met=False)
    yield "attachment-rendered", {**attached("queued_command", prompt="fine", commandMode="prompt"), "rendered": ["EVIL"],
                                  "renderedRole": "EVIL"}
    yield "queued-shell", attached("queued_command", prompt="EVIL", commandMode="bash")
    yield "hidden-prompt", record(50, 2, isMeta=True, message={"role": "user", "content": "EVIL"})
    for name in sorted(CALLS):
        yield "call-" + name, called(name)
    for name in SPELLED:
        yield "call-" + name, called(name)
    yield "call-spaced", called("CronCreate ")
    yield "call-spelled", called("CronCreate", spell='"\\u0043ronCreate"')
    yield "call-typed-twice", json.dumps(said([{"type": "text", "text": "x"}])).replace(
        '{"type": "text", "text": "x"}',
        '{"type":"text","text":"x","\\u0074ype":"tool_use","id":"t","name":"CronCreate","input":{}}')
    yield "result-data", record(50, 2, toolUseResult={"EVIL": "EVIL"})
    yield "result-text", record(50, 2, toolUseResult="EVIL")
    yield "cwd-elsewhere", record(50, 2, cwd="/EVIL")
    yield "cwd-above", record(50, 2, cwd=CWD + "/../../EVIL")
    yield "cwd-beside", record(50, 2, cwd=CWD + "-EVIL")
    yield "cwd-no-text", record(50, 2, cwd={"EVIL": 1})
    yield "cwd-twice", json.dumps(record(50, 2))[:-1] + ', "cwd": "/EVIL"}'
    yield "slug", record(50, 2, slug="EVIL-plan")
    yield "slug-up", record(50, 2, slug="../EVIL")
    yield "session-of-another", record(50, 2, sessionId="EVIL")
    yield "uuid-odd", {**record(50, 2), "uuid": "EVIL"}
    yield "parent-odd", record(50, 2, parentUuid="EVIL")
    yield "parent-list", record(50, 2, parentUuid=["EVIL"])
    yield "time-odd", record(50, 2, timestamp="EVIL' OR 1")
    yield "version-list", record(50, 2, version=["EVIL"])
    yield "agent-odd", record(50, 2, agentId="../../EVIL;")
    yield "member-unknown", record(50, 2, evil="EVIL", origin={"kind": "EVIL"}, todos=["EVIL"], thinkingMetadata="EVIL",
                                   promptSource="EVIL", permissionDecision="EVIL", isVisibleInTranscriptOnly="EVIL")
    yield "message-member", record(50, 2, message={"role": "user", "content": "x", "evil": "EVIL"})
    yield "role-system", record(50, 2, message={"role": "system", "content": "EVIL"})
    yield "role-list", record(50, 2, message={"role": ["EVIL"], "content": "EVIL"})
    yield "message-text", record(50, 2, message="EVIL")
    yield "content-number", record(50, 2, message={"role": "user", "content": {"EVIL": 1}})
    for kind in ("server_tool_use", "mcp_tool_use", "web_search_tool_result", "tool_reference", "container_upload", "EVIL"):
        yield "block-" + kind, said([{"type": "text", "text": "x"}, {"type": kind, "id": "EVIL", "name": "EVIL", "input": {}}])
    yield "block-text", said(["EVIL"])
    yield "block-cached", said([{"type": "text", "text": "x", "cache_control": {"EVIL": 1}, "citations": ["EVIL"]}])
    yield "image-by-url", said([{"type": "image", "source": {"type": "url", "url": "http://EVIL/"}}], kind="user")
    yield "image-by-file", said([{"type": "image", "source": {"type": "file", "file_id": "EVIL"}}], kind="user")
    yield "prototype", json.dumps(said([{"type": "tool_use", "id": "t", "name": "Read", "input": {"a": {"b": 1}}}])).replace(
        '{"b": 1}', '{"b":1,"__proto__":{"EVIL":1},"\\u005f_proto__":{"EVIL":1}}')
    for kind in ("api_error", "stop_hook_summary", "bridge_status", "scheduled_task_fire", "memory_saved", "file_snapshot",
                 "permission_retry", "agents_killed", "hook_started", "never_heard_of"):
        yield "system-" + kind, {**record(50, 2), "type": "system", "subtype": kind, "content": "EVIL"}
    yield "system-list", {**record(50, 2), "type": "system", "subtype": ["EVIL"], "content": "EVIL"}
    yield "boundary", {**record(50, 2), "type": "system", "subtype": "compact_boundary", "content": "Compacted",
                       "compactMetadata": {"trigger": "auto", "userContext": "EVIL", "preTokens": 1, "evil": "EVIL"}}
    yield "progress-agent", {**record(50, 2), "type": "progress", "data": {"type": "agent_progress", "message": "EVIL"}}
    yield "progress-hook", {**record(50, 2), "type": "progress", "data": {"type": "hook_progress", "command": "EVIL"}}
    yield "summary-object", {"type": "summary", "summary": {"EVIL": 1}, "leafUuid": uid(1)}
    yield "last-prompt", bare("last-prompt", lastPrompt="x", leafUuid=uid(1), explicit="EVIL")
    yield "type-twice", '{"type":"user","content":"EVIL",' + json.dumps(bare("bridge-session"))[1:]
    yield "type-spelled", json.dumps(bare("bridge-session", x="EVIL")).replace('"type"', '"\\u0074\\u0079pe"')
    yield "type-list", {"type": ["user"], "content": "EVIL"}
    yield "torn", '{"type":"user","content":"EVIL'
    yield "two-in-one", json.dumps(bare("mode", mode="EVIL")) + json.dumps(bare("mode", mode="EVIL"))
    yield "comment", "// EVIL"
    yield "list", '["EVIL"]'
    yield "nul", "\0\0\0EVIL\0"
    yield "deep", '{"type":"user","x":' + "[" * 600 + '"EVIL"' + "]" * 600 + "}"
    yield "many", '{"type":"user","x":[' + "0," * (1 << 20) + '"EVIL"]}'
    yield "not-utf8", b'{"type":"user","content":"EVIL\xff"}'
    yield "loop", [attached("a"), {**attached("a"), "uuid": uid(51), "parentUuid": uid(50)},
                   {**attached("a"), "uuid": uid(52), "parentUuid": uid(52)}]


NO_FILES = """CLAUDE.md .mcp.json .claude/settings.json settings.json .git/config session-subdir/CLAUDE.md
session-subdir/.mcp.json session-subdir/.claude/settings.json session-subdir/wt/.git/config session-subdir/wt/CLAUDE.md
session-subdir/tool-results/.git/config session-subdir/tool-results/.x session-subdir/tool-results/a/b
session-subdir/subagents/.agent-a.jsonl session-subdir/subagents/agent-a.js session-subdir/subagents/x/agent-a.jsonl
session-subdir/workflows/x.json session-subdir/subagents/agent-a.meta.json.x session-env/h.sh
shell-snapshots/s.sh agents/a.md skills/x/SKILL.md commands/x.md plugins/x hooks/h agent-memory/a/MEMORY.md
memory/MEMORY.md project-memory/MEMORY.md file-history/0123456789abcdef@v1 file-history/x@v1 tasks/.lock tasks/.x.json
plans/a/b.md plans/.x.md paste-cache/x.txt todos/x.json sessions/1.json jobs/12345678/x statsig/x ide/1.lock teams/x/config.json
.credentials.json .claude.json projects/x/y.jsonl tasks/a/1.json""".split()


def files():
    """name: entries beside a good session."""
    for name in NO_FILES:
        yield "file-" + name.replace("/", "_"), {name: b"EVIL"}
    meta = "session-subdir/subagents/agent-a1.meta.json"
    yield "meta", {meta: json.dumps({"agentType": "EVIL", "description": "x", "cwd": "/EVIL", "worktreePath": "/EVIL",
                                     "spawnMode": "EVIL", "toolUseId": "EVIL"}).encode()}
    yield "meta-list", {meta: b'["EVIL"]'}
    yield "meta-damaged", {meta: b'{"agentType":"EVIL"'}
    yield "task", {"tasks/1.json": json.dumps({"id": "1", "subject": "x", "owner": "EVIL", "metadata": {"EVIL": 1}}).encode()}
    yield "task-list", {"tasks/1.json": b'["EVIL"]'}
    yield "task-no-id", {"tasks/1.json": b'{"subject":"EVIL"}'}
    yield "todo", {"todos/%s-agent-%s.json" % (SID, SID): b'[{"content":"x","status":"pending","evil":"EVIL"},"EVIL"]'}
    for n, typed in enumerate(("!EVIL", " \\n!EVIL", "\\u00a0!EVIL", "\\u2003\\ufeff/EVIL", "/EVIL", "#EVIL")):
        yield "prompt-%d" % n, {"history.jsonl": ('{"display":"%s","pastedContents":{},"timestamp":1,"project":"%s",'
                                                 '"sessionId":"%s"}\n' % (typed, CWD, SID)).encode()}
    yield "prompt-member", {"history.jsonl": json.dumps({
        "display": "fine", "pastedContents": {"1": {"id": 1, "type": "text", "content": "x", "evil": "EVIL"}, "../EVIL": {}},
        "timestamp": 1, "project": "/EVIL", "sessionId": "EVIL", "mode": "EVIL"}).encode() + b"\n"}
    yield "paste-of-another", {"paste-cache/0123456789abcdef.txt": b"EVIL"}
    yield "paste-of-a-long-name", {"paste-cache/%s.txt" % hashlib.sha256(b"EVIL").hexdigest(): b"EVIL"}
    yield "paste-that-comes", {"paste-cache/%s.txt" % hashlib.sha256(b"fine").hexdigest()[:16]: b"fine"}
    yield "plan", {"plans/EVIL-plan.md": b"# a plan\n"}


PLACES = {"transcript": "session.jsonl", "subagent": "session-subdir/subagents/agent-a1.jsonl",
          "other": "session-subdir/codeteleport-other/00ff.jsonl"}


def text(lines):
    out = b""
    for x in lines if isinstance(lines, list) else [lines]:
        x = json.dumps(x) if isinstance(x, dict) else x
        out += (x if isinstance(x, bytes) else x.encode()) + b"\n"
    return out


def good(thing=b"", parent=2):
    """Four records, with something between them that the third builds on."""
    return (text([record(1, 0), record(2, 1, "assistant")]) + thing +
            text([record(3, parent), record(4, 3, "assistant")]))


def bundle(entries):
    b = io.BytesIO()
    with tarfile.open(fileobj=b, mode="w:gz", format=tarfile.PAX_FORMAT, compresslevel=1) as t:
        meta = {"sessionId": SID, "sourceCwd": CWD, "sourceUserDir": HOME, "agentId": "claude-code", "formatVersion": 2}
        for name, data in {"meta.json": json.dumps(meta).encode(), **entries}.items():
            i = tarfile.TarInfo(name)
            i.size = len(data)
            t.addfile(i, io.BytesIO(data))
    return b.getvalue()


def parent_of(thing):
    """On which record the third builds: the hostile one, if it has a uuid."""
    found = re.findall(rb'"uuid": ?"(aaaaaaaa[^"]*)"', thing)
    return int(found[-1][-12:]) if found else 2


def all_bundles():
    for name, lines in things():
        thing = text(lines)
        for place, entry in PLACES.items():
            mine = good(thing, parent_of(thing))
            yield name + "@" + place, {"session.jsonl": good(), entry: mine} if entry != "session.jsonl" else {entry: mine}
    for name, entries in files():
        yield name, {"session.jsonl": good(), **entries}
    yield from combined(3)


def combined(of):
    """${of} bundles with everything, each of many things at once, in the transcript and beside it."""
    lines, beside = [b""] * of, [{} for _ in range(of)]
    for i, (name, thing) in enumerate(x for x in things() if x[0] not in ("many", "last-prompt")):
        out = text(thing)
        for k in range(3):  # ids of its own
            out = out.replace(uid(50 + k).encode(), uid(100 + 3 * i + k).encode())
        lines[i % of] += out
    for i, (name, entries) in enumerate(files()):
        for entry, data in entries.items():
            beside[i % of].setdefault(entry, data)
    for i in range(of):
        yield "combined-%d" % i, {"session.jsonl": good(lines[i]), "session-subdir/subagents/agent-a1.jsonl": good(lines[i]),
                                  **beside[i]}


# ---- what came ----------------------------------------------------------------------------------

def check_content(content, wrong):
    for block in content if isinstance(content, list) else []:
        if not isinstance(block, dict) or block.get("type") not in BLOCKS:
            wrong.append("a block %r" % block)
        elif block["type"] == "tool_use" and block["name"] not in TOOLS:
            wrong.append("a call of " + block["name"])
        elif block["type"] == "tool_result":
            check_content(block.get("content"), wrong)
    if content == []:
        wrong.append("a message without content")


def check_records(path, is_broken, wrong):
    is_transcript = path.endswith("session.jsonl")
    records = []
    with open(path, "rb") as f:
        for line in f:
            records.append(json.loads(line))
    by_id = {r["uuid"]: r for r in records if "uuid" in r}
    for r in records:
        if r.get("type") not in TYPES:
            wrong.append("a record %r" % r.get("type"))
        if set(r) - MEMBERS - ({"permissionMode"} if r["type"] == "permission-mode" else set()):
            wrong.append("members %r" % sorted(set(r) - MEMBERS))
        if "uuid" in r and not UUID.match(r["uuid"]):
            wrong.append("an id %r" % r["uuid"])
        if r.get("parentUuid") is not None and r["parentUuid"] not in by_id:
            wrong.append("%s follows nothing" % r.get("uuid"))
        if r.get("sessionId", SID) != SID:
            wrong.append("session %r" % r["sessionId"])
        if not (r.get("cwd", TARGET) + "/").startswith(TARGET + "/") or ".." in r.get("cwd", ""):
            wrong.append("cwd %r" % r["cwd"])
        if isinstance(r.get("message"), dict):
            check_content(r["message"]["content"], wrong)
    modes = [r for r in records if r["type"] == "permission-mode"]
    if modes != ([{"type": "permission-mode", "permissionMode": "default", "sessionId": SID}] if is_transcript else []):
        wrong.append("modes %r" % modes)
    if is_transcript and records[-1]["type"] != "permission-mode":
        wrong.append("the mode is not last")
    if is_broken:
        return
    at, chain = by_id.get(uid(4)), []
    while at is not None and len(chain) < 99:
        chain.append(at["uuid"])
        at = by_id.get(at.get("parentUuid"))
    if [x for x in chain if int(x[-12:]) < 10] != [uid(4), uid(3), uid(2), uid(1)]:
        wrong.append("the chain is broken: %r" % chain)

def judge(openone, name, entries, tmp):
    """Open it; return what is wrong."""
    wrong, stage, path = [], os.path.join(tmp, "stage"), os.path.join(tmp, "b.tgz")
    with open(path, "wb") as f:
        f.write(bundle(entries))
    os.mkdir(stage, 0o700)
    ran = subprocess.run([openone, path, "--stage", stage, "--cwd", "-", TARGET, "--home", "-", TARGET_HOME],
                         capture_output=True, text=True)
    if ran.returncode != 0:
        return [ran.stdout + ran.stderr]
    for d, _, names in os.walk(stage):
        for n in names:
            at = os.path.join(d, n)
            with open(at, "rb") as f:
                data = f.read()
            if b"EVIL" in data or "EVIL" in at[len(stage):]:
                wrong.append("EVIL in " + at[len(stage):])
            if n.endswith(".jsonl") and n != "history.jsonl":
                # Some break the chain themselves.
                check_records(at, name.startswith(("parent-", "loop@", "combined-")), wrong)
            elif n.endswith((".json", "history.jsonl")):
                for line in data.splitlines():
                    json.loads(line)
    if not os.path.exists(os.path.join(stage, "session.jsonl")):
        wrong.append("no transcript")
    if name == "paste-that-comes" and not os.path.exists(os.path.join(stage, *[x for x in entries if x != "session.jsonl"])):
        wrong.append("it did not come")
    said_it = json.loads(ran.stdout)
    if not said_it["losses"] and not said_it["leftOut"] and b"EVIL" in b"".join(entries.values()) and "EVIL" not in \
            "".join(entries) and not any(x in b"".join(entries.values()) for x in (b'"/EVIL', b"../EVIL", b"-EVIL", b"EVIL-", b'"EVIL"')):
        wrong.append("nothing is said of what was left out")
    shutil.rmtree(stage)
    return wrong


# ---- one's own ----------------------------------------------------------------------------------

def listed(tmp, name):
    """A work tree that git here lists."""
    git, tree = os.path.join(tmp, "repo", ".git", "worktrees", name), os.path.join(tmp, "repo", "trees", name)
    os.makedirs(git)
    os.makedirs(tree)
    with open(os.path.join(git, "gitdir"), "w") as f:
        f.write(tree + "/.git\n")
    with open(os.path.join(tree, ".git"), "w") as f:
        f.write("gitdir: " + git + "\n")


def worktree(name):
    return bare("worktree-state", worktreeSession={"worktreePath": CWD + "/trees/" + name, "originalCwd": CWD})


def own():
    """name, lines between, what comes of them (None: nothing), what is beside"""
    for kind in ("relocated", "agent-setting", "mode", "queue-operation", "cost-state", "never-heard-of"):
        yield kind, bare(kind, content="as it was"), bare(kind, content="as it was")
    for kind in ("skill_listing", "prompt_snapshot", "hook_success", "never_heard_of"):
        yield "attachment-" + kind, attached(kind), attached(kind)
    yield "hidden prompt", record(50, 2, isMeta=True, toolUseResult={"a": 1}), record(
        50, 2, isMeta=True, toolUseResult={"a": 1}, cwd="/REPO")
    for kind in ("bridge-session", "artifact-comment-monitor", "artifact-autoreact-ledger"):
        yield kind, bare(kind), None
    for kind in ("goal_status", "session_cron_carry"):
        yield "attachment-" + kind, attached(kind), None
    yield "a work tree that git lists", worktree("one"), bare(
        "worktree-state", worktreeSession={"worktreePath": "/REPO/trees/one", "originalCwd": "/REPO"})
    yield "a work tree that nobody knows", worktree("two"), None
    yield "no work tree", bare("worktree-state", worktreeSession=None), bare("worktree-state", worktreeSession=None)
    for path in (HOME + "/.bashrc", "../../x", ".git/hooks/x", "/etc/x"):
        yield "snapshot of " + path, snapshot(path), {**snapshot(path), "snapshot": {
            **snapshot(path)["snapshot"], "trackedFileBackups": {}}}
    yield "snapshot of a file below", snapshot("src/a.c"), snapshot("src/a.c")
    thought = {"type": "thinking", "thinking": "in " + CWD + "/a", "signature": "x" + CWD}
    yield "signed thinking", said([thought, {"type": "text", "text": "in " + CWD}]), said(
        [thought, {"type": "text", "text": "in /REPO"}], cwd="/REPO")
    for name in ("Workflow", "croncreate", "NeverHeardOf"):
        yield "a call of " + name, called(name), [json.loads(called(name)[0]), called(name)[1]]
    unsigned = {"type": "thinking", "thinking": "in " + CWD + "/a"}
    yield "unsigned thinking", said([unsigned]), said([{**unsigned, "thinking": "in /REPO/a"}], cwd="/REPO")


def judge_own(openone, lines, wanted, tmp):
    path, stage, repo = os.path.join(tmp, "b.tgz"), os.path.join(tmp, "stage"), os.path.join(tmp, "repo")
    thing = text(lines)
    with open(path, "wb") as f:
        f.write(bundle({"session.jsonl": good(thing, parent_of(thing))}))
    os.mkdir(stage, 0o700)
    ran = subprocess.run([openone, path, "--trust", "own", "--stage", stage, "--cwd", "-", repo, "--home", "-",
                          TARGET_HOME], capture_output=True, text=True)
    if ran.returncode != 0:
        return [ran.stdout + ran.stderr]
    with open(os.path.join(stage, "session.jsonl"), encoding="utf-8") as f:
        came = [json.loads(x.replace(repo, "/REPO")) for x in f]
    shutil.rmtree(stage)
    wrong = []
    if came[-1]["type"] != "permission-mode" or came[-1]["permissionMode"] != "default":
        wrong.append("the mode %r" % came[-1])
    between = came[2:-3]
    if between != [{**w, "cwd": "/REPO"} if "cwd" in w else w for w in ([wanted] if isinstance(wanted, dict) else wanted or [])]:
        wrong.append("%r" % between)
    if came[-3]["parentUuid"] != (uid(2) if wanted is None else uid(parent_of(thing))):
        wrong.append("the third record follows %r" % came[-3]["parentUuid"])
    return wrong


def main():
    openone, bad = sys.argv[1], 0
    if openone == "--combined":
        for name, entries in combined(int(sys.argv[2])) if sys.argv[2] != "0" else ():
            with open(os.path.join(sys.argv[3], name + ".tgz"), "wb") as f:
                f.write(bundle(entries))
        if sys.argv[2] == "0":
            with open(os.path.join(sys.argv[3], "plain.tgz"), "wb") as f:
                f.write(bundle({"session.jsonl": good()}))
        return 0
    if openone == "--schedule":
        tools = sys.argv[3:]
        lines = [x for n, tool in enumerate(tools) for x in called(
            tool, {"id": "a1b2c3%02d" % n, "humanSchedule": "Every minute", "recurring": True}, n=50 + 2 * n)]
        out = good(text(lines), 49 + 2 * len(tools))
        sys.stdout.buffer.write(out.replace(CWD.encode(), sys.argv[2].encode()))
        return 0
    bundles = list(all_bundles())
    mine = list(own())
    print("1..%d" % (len(bundles) + len(mine)))
    with tempfile.TemporaryDirectory(prefix="ct-stranger.") as tmp:
        for n, (name, entries) in enumerate(bundles, 1):
            wrong = judge(openone, name, entries, tmp)
            print("%sok %d - of a stranger's bundle nothing comes but what is allowed: %s" % ("not " if wrong else "", n, name))
            for w in wrong:
                print("# " + str(w)[:300].replace("\n", " "))
            bad += bool(wrong)
            shutil.rmtree(os.path.join(tmp, "stage"), ignore_errors=True)
        listed(tmp, "one")
        for n, (name, lines, wanted) in enumerate(mine, len(bundles) + 1):
            wrong = judge_own(openone, lines, wanted, tmp)
            print("%sok %d - one's own comes whole, but for what acts by itself: %s" % ("not " if wrong else "", n, name))
            for w in wrong:
                print("# " + w[:400].replace("\n", " "))
            bad += bool(wrong)
            shutil.rmtree(os.path.join(tmp, "stage"), ignore_errors=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
