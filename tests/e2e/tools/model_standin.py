#!/usr/bin/env python3
"""Stands in for the services of models, on this machine: answers each request with one sentence.

    model_standin.py LOG READY     writes its port to READY, and each request as a line of JSON to LOG

It speaks as Anthropic (/v1/messages), OpenAI (/chat/completions, /responses) and Google (generateContent) do.
But as Anthropic: a prompt "CALL name {arguments}" is answered with that call of a tool, and one with "HOLD" not
before there is a file READY.go.
"""

import http.server
import json
import os
import re
import sys
import time

log, ready = sys.argv[1:]
SAYS = "The model has answered."


def texts(content):
    """All text of a message, whatever wire it is on."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(p.get("text") or p.get("input_text") or "" for p in parts if isinstance(p, dict))


def wanted(asked, prompt, is_result):
    """The name and the arguments of the call that the prompt wants, or None; not before it may go on.
    Who offers no tools asks for something beside the conversation."""
    if not asked.get("tools"):
        return None
    until = time.monotonic() + 60
    while not is_result and "HOLD" in prompt and not os.path.exists(ready + ".go") and time.monotonic() < until:
        time.sleep(0.05)
    found = None if is_result else re.search(r"CALL (\w+) (\{.*\})", prompt)
    if not found:
        return None
    try:
        return found[1], json.loads(found[2])
    except ValueError:  # opencode quotes what it is given
        return found[1], json.loads(found[2].replace('\\"', '"'))


def newest(messages, is_prompt, content):
    return next((texts(m.get(content)) for m in reversed(messages) if is_prompt(m)), "")


def chat(asked):
    """The answer, and its pieces, as /chat/completions has them."""
    messages = asked.get("messages") or [{}]
    call = wanted(asked, newest(messages, lambda m: m.get("role") == "user", "content"), messages[-1].get("role") == "tool")
    base = {"id": "chatcmpl-1", "created": 1, "model": asked.get("model")}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110,
             "prompt_tokens_details": {"cached_tokens": 40}}
    said = {"role": "assistant", "content": None if call else SAYS}
    if call:
        said["tool_calls"] = [{"index": 0, "id": "call_%d" % len(messages), "type": "function",
                               "function": {"name": call[0], "arguments": json.dumps(call[1])}}]
    why = "tool_calls" if call else "stop"
    whole = {**base, "object": "chat.completion", "usage": usage,
             "choices": [{"index": 0, "message": said, "finish_reason": why}]}
    chunk = {**base, "object": "chat.completion.chunk"}
    return whole, [{**chunk, "choices": [{"index": 0, "delta": said, "finish_reason": None}]},
                   {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": why}]},
                   {**chunk, "choices": [], "usage": usage}]


def responses(asked):
    """The same as /responses has them."""
    items = asked.get("input") if isinstance(asked.get("input"), list) else []
    call = wanted(asked, newest(items, lambda m: m.get("role") == "user", "content"),
                  bool(items) and str(items[-1].get("type")).endswith("_output"))
    if call:
        item = {"type": "function_call", "id": "fc_%d" % len(items), "call_id": "call_%d" % len(items),
                "name": call[0], "arguments": json.dumps(call[1]), "status": "completed"}
    else:
        item = {"type": "message", "id": "msg_%d" % len(items), "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": SAYS, "annotations": []}]}
    usage = {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 5,
             "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 15}
    whole = {"id": "resp_%d" % len(items), "object": "response", "status": "completed", "model": asked.get("model"),
             "output": [item], "usage": usage}
    begun = {**item, "status": "in_progress", **({"arguments": ""} if call else {"content": []})}
    events = [("response.created", {"response": {**whole, "status": "in_progress", "output": []}}),
              ("response.output_item.added", {"output_index": 0, "item": begun})]
    if not call:
        at = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        events += [("response.content_part.added", {**at, "part": {"type": "output_text", "text": "", "annotations": []}}),
                   ("response.output_text.delta", {**at, "delta": SAYS}),
                   ("response.output_text.done", {**at, "text": SAYS})]
    return whole, events + [("response.output_item.done", {"output_index": 0, "item": item}),
                            ("response.completed", {"response": whole})]


def generate(asked):
    """The answer as generateContent has it; where JSON is asked for, of all that Gemini CLI may want to know."""
    contents = asked.get("contents") or [{}]
    call = wanted(asked, newest(contents, lambda m: m.get("role") == "user" and texts(m.get("parts")), "parts"),
                  any("functionResponse" in p for p in contents[-1].get("parts") or []))
    config = asked.get("generationConfig") or {}
    said = SAYS
    if config.get("responseMimeType") == "application/json" or config.get("responseJsonSchema"):
        said = json.dumps({"reasoning": "x", "model_choice": "flash", "next_speaker": "user", "complexity_score": 1,
                           "complexity_reasoning": "x", "summary": "A summary"})
    parts = [{"functionCall": {"name": call[0], "args": call[1]}}] if call else [{"text": said}]
    return {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}],
            "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
            "modelVersion": "standin", "responseId": "r%d" % len(contents)}


def told(events):
    return "".join("event: %s\ndata: %s\n\n" % (n, json.dumps({"type": n, **d})) for n, d in events)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            asked = json.loads(body)
        except ValueError:
            asked = None
        with open(log, "a", encoding="utf-8") as f:
            f.write(json.dumps({"path": self.path, "body": asked}) + "\n")
        path = self.path.split("?")[0]
        if path.endswith("/chat/completions"):
            whole, pieces = chat(asked)
            return self.whole_or_stream(asked, whole, "".join("data: %s\n\n" % json.dumps(p) for p in pieces) +
                                        "data: [DONE]\n\n")
        if path.endswith("/responses"):
            whole, events = responses(asked)
            return self.whole_or_stream(asked, whole, told(events))
        if path.endswith("enerateContent"):
            whole = generate(asked)
            return self.whole_or_stream({"stream": "stream" in path}, whole, "data: %s\r\n\r\n" % json.dumps(whole))
        if not path.startswith("/v1/messages") or "count_tokens" in self.path:
            return self.answer(b'{"input_tokens":10}', "application/json")
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": asked.get("model", "m"),
                   "content": [{"type": "text", "text": SAYS}], "stop_reason": "end_turn",
                   "stop_sequence": None, "usage": {"input_tokens": 10, "output_tokens": 5}}
        events = [("message_start", {"message": {**message, "content": [], "stop_reason": None}}),
                  ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
                  ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": SAYS}}),
                  ("content_block_stop", {"index": 0}),
                  ("message_delta", {"delta": {"stop_reason": "end_turn", "stop_sequence": None},
                                     "usage": {"output_tokens": 5}}),
                  ("message_stop", {})]
        return self.whole_or_stream(asked, message, told(events))

    def whole_or_stream(self, asked, whole, stream):
        if asked.get("stream"):
            return self.answer(stream.encode(), "text/event-stream")
        return self.answer(json.dumps(whole).encode(), "application/json")

    def do_GET(self):
        with open(log, "a", encoding="utf-8") as f:
            f.write(json.dumps({"path": self.path, "body": None}) + "\n")
        self.answer(b"{}", "application/json")

    do_HEAD = do_GET

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(ready + ".new", "w") as f:
    f.write("%d\n" % server.server_address[1])
os.rename(ready + ".new", ready)
server.serve_forever()
