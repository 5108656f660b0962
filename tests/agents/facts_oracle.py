#!/usr/bin/env python3
"""What lists say of a session, counted once more with Python's json.

    facts_oracle.py FACTSONE AGENT FILE...

Prints one line for each difference and "N compared"; exits 1 if any differ.
"""
import datetime
import json
import subprocess
import sys


def ms(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def first(texts):
    return next((t[:200] for t in texts if t), None)


def last(values):
    return next((v for v in reversed(list(values)) if v), None)


def tokens_of(list_of):
    """[(model, input, output, cache read, cache write)] as the list prints it."""
    models = {}
    for model, *counts in list_of:
        models[model] = [a + b for a, b in zip(models.get(model, [0] * 4), counts)]
    return {m: c for m, c in sorted(models.items()) if any(c)}


def pi(records):
    messages = [r["message"] for r in records if r["type"] == "message"]
    answers = [m for m in messages if m["role"] == "assistant"]
    calls = [b for m in answers for b in m["content"] if b["type"] == "toolCall"]
    words = [m["content"] if isinstance(m["content"], str) else first(b.get("text") for b in m["content"])
             for m in messages if m["role"] == "user"]
    return {
        "prompts": len(words), "answers": len(answers), "calls": len(calls),
        "files": len({c["arguments"]["path"] for c in calls if c["name"] in ("write", "edit")}),
        "title": last(r.get("name") for r in records if r["type"] == "session_info") or first(words),
        "cwd": records[0]["cwd"], "branch": None, "id": records[0]["id"],
        "model": last(m.get("model") for m in answers),
        "tokens": tokens_of((m["model"], m["usage"]["input"], m["usage"]["output"], m["usage"]["cacheRead"],
                             m["usage"]["cacheWrite"]) for m in answers if "usage" in m),
    }


def codex(records):
    said = [r["payload"] for r in records if r["type"] == "event_msg"]
    items = [p["item"] for p in said if p["type"] == "item_completed"]
    prompts = [i["content"][0].get("text") for i in items if i["type"] == "UserMessage"] + [
        p["message"] for p in said if p["type"] == "user_message"]
    calls = [r["payload"] for r in records if r["type"] == "response_item" and r["payload"]["type"].endswith("_call")]
    patches = "\n".join(c.get("input", "") for c in calls if c.get("name") == "apply_patch")
    meta, model, tokens, seen = records[0]["payload"], None, [], [0] * 4
    for r in records:
        p = r["payload"]
        model = p.get("model") or p.get("thread_settings", {}).get("model") or model
        if p.get("type") == "token_count" and p["info"]:
            all = p["info"]["total_token_usage"]
            cached, made = all["cached_input_tokens"], all.get("cache_write_input_tokens", 0)
            now = [all["input_tokens"] - cached - made, all["output_tokens"], cached, made]
            tokens.append((model, *(a - b for a, b in zip(now, seen))))
            seen = now
    return {
        "prompts": len(prompts),
        "answers": sum(i["type"] == "AgentMessage" for i in items) + sum(p["type"] == "agent_message" for p in said),
        "calls": len(calls),
        "files": len({l.split(": ", 1)[1] for l in patches.split("\n")
                      if l.startswith(("*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: "))}),
        "title": first(prompts), "cwd": meta["cwd"], "branch": meta.get("git", {}).get("branch"), "id": meta["id"],
        "model": model, "tokens": tokens_of(tokens),
    }


def qwen(records):
    prompts = [r for r in records if r["type"] == "user" and r["provenance"] == "real_user"]
    answers = [r for r in records if r["type"] == "assistant"]
    calls = [p["functionCall"] for r in answers for p in r["message"]["parts"] if "functionCall" in p]
    titles = [r["systemPayload"]["customTitle"] for r in records if r.get("subtype") == "custom_title"]
    used = [(r["model"], r["usageMetadata"]) for r in answers if "usageMetadata" in r]
    return {
        "prompts": len(prompts), "answers": len({r["uuid"] for r in answers}), "calls": len(calls),
        "files": len({c["args"]["file_path"] for c in calls if c["name"] in ("write_file", "edit")}),
        "title": last(titles) or first(p.get("text") for r in prompts for p in r["message"]["parts"]),
        "cwd": records[0]["cwd"], "branch": last(r.get("gitBranch") for r in records),
        "id": records[0]["sessionId"], "model": last(r.get("model") for r in answers),
        "tokens": tokens_of((m, u["promptTokenCount"] - u["cachedContentTokenCount"],
                             u["totalTokenCount"] - u["promptTokenCount"], u["cachedContentTokenCount"], 0)
                            for m, u in used),
    }


def copilot(records):
    prompts = [r["data"] for r in records if r["type"] == "user.message" and "source" not in r["data"]]
    answers = [r["data"] for r in records if r["type"] == "assistant.message"]
    calls = [c for a in answers for c in a["toolRequests"]]
    used = [r["data"]["usage"] for r in records if r["type"] == "session.usage_record"]
    contexts = [r["data"]["context"] for r in records if "context" in r["data"]]
    return {
        "prompts": len(prompts), "answers": len(answers), "calls": len(calls),
        "files": len({c["arguments"]["path"] for c in calls if c["name"] in ("create", "edit")}),
        "title": last(r["data"]["title"] for r in records if r["type"] == "session.title_changed") or
        first(p["content"] for p in prompts),
        "cwd": contexts[0]["cwd"], "branch": last(c.get("branch") for c in contexts),
        "id": records[0]["data"]["sessionId"], "model": last(a.get("model") for a in answers),
        "tokens": tokens_of((u["model"], u["inputTokens"] - u["cacheReadTokens"], u["outputTokens"],
                             u["cacheReadTokens"], u["cacheWriteTokens"]) for u in used),
    }


def gemini(records):
    """A message comes again under its id; those that are set anew say when they were set."""
    lines = [r for r in records if "id" in r]
    every = [m for r in records for m in r.get("$set", {}).get("messages", [r] if "id" in r else [])]
    parts = {id(m): m["content"] if isinstance(m["content"], list) else [{"text": m["content"]}] for m in every}
    context = [t for m in every for t in [parts[id(m)][0].get("text") or ""] if t.startswith("<session_context>")]
    prompts = {}
    for m in every:
        if m["type"] == "user" and not any("functionResponse" in p or p.get("text", "").startswith("<session_context>")
                                           for p in parts[id(m)]):
            prompts.setdefault(m["id"], first(p.get("text") for p in parts[id(m)]))
    answers = [m for m in every if m["type"] == "gemini"]
    calls = {c["id"]: c for m in answers for c in m.get("toolCalls", []) +
             [p["functionCall"] for p in parts[id(m)] if "functionCall" in p]}
    used = {m["id"]: m for m in answers if m.get("tokens")}
    times = [m["timestamp"] for m in lines] + [r["startTime"] for r in records if "startTime" in r] + [
        r["$set"]["lastUpdated"] for r in records if "lastUpdated" in r.get("$set", {})]
    return {
        "prompts": len(prompts), "answers": len({m["id"] for m in answers}), "calls": len(calls),
        "files": len({c["args"]["file_path"] for c in calls.values() if c["name"] in ("write_file", "replace")}),
        "title": last(r.get("$set", {}).get("summary") for r in records) or first(prompts.values()),
        "cwd": context[0].split("**Workspace Directories:**\n  - ")[1].split("\n")[0], "branch": None,
        "id": records[0]["sessionId"], "model": last(m.get("model") for m in answers),
        "tokens": tokens_of((m["model"], t["input"] - t["cached"], t["output"] + t["thoughts"], t["cached"], 0)
                            for m in used.values() for t in [m["tokens"]]),
        "started": min(map(ms, times)), "ended": max(map(ms, times)),
    }


AGENTS = {"codex": codex, "copilot": copilot, "gemini": gemini, "pi": pi, "qwen": qwen}


def main():
    factsone, agent, *files = sys.argv[1:]
    differ = 0
    for path in files:
        data = open(path, "rb").read()
        records = [json.loads(line) for line in data.splitlines()]
        times = [ms(r["timestamp"]) for r in records if "timestamp" in r]
        want = {"lines": len(records), "started": min(times), "ended": max(times), **AGENTS[agent](records)}
        got = json.loads(subprocess.run([factsone, agent], input=data, check=True, capture_output=True).stdout)
        models = (got.pop("usage", None) or {}).get("models", [])
        got["tokens"] = {m["model"]: [m["inputTokens"], m["outputTokens"], m["cacheReadTokens"],
                                      m["cacheWriteTokens"]] for m in models}
        for key in sorted(want.keys() | got.keys()):
            if want.get(key) != got.get(key):
                print(f"{path}: {key} is {got.get(key)!r}, but {want.get(key)!r} was counted")
                differ += 1
    print(f"{len(files)} compared")
    sys.exit(differ > 0 or not files)


main()
