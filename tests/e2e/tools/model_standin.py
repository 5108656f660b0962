#!/usr/bin/env python3
"""Stands in for the model's service, on this machine: answers each request with one sentence.

    model_standin.py LOG READY     writes its port to READY, and each request as a line of JSON to LOG

In OpenAI's form too (/chat/completions).  There a prompt "CALL name {arguments}" is answered with that
call of a tool, and one with "HOLD" not before there is a file READY.go.
"""

import http.server
import json
import os
import re
import sys
import time

log, ready = sys.argv[1:]


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
        if self.path.endswith("/chat/completions"):
            return self.complete(asked)
        if not self.path.startswith("/v1/messages") or "count_tokens" in self.path:
            return self.answer(b'{"input_tokens":10}', "application/json")
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": asked.get("model", "m"),
                   "content": [{"type": "text", "text": "The model has answered."}], "stop_reason": "end_turn",
                   "stop_sequence": None, "usage": {"input_tokens": 10, "output_tokens": 5}}
        if not asked.get("stream"):
            return self.answer(json.dumps(message).encode(), "application/json")
        events = [("message_start", {"message": {**message, "content": [], "stop_reason": None}}),
                  ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
                  ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": "The model has answered."}}),
                  ("content_block_stop", {"index": 0}),
                  ("message_delta", {"delta": {"stop_reason": "end_turn", "stop_sequence": None},
                                     "usage": {"output_tokens": 5}}),
                  ("message_stop", {})]
        out = "".join("event: %s\ndata: %s\n\n" % (n, json.dumps({"type": n, **d})) for n, d in events)
        return self.answer(out.encode(), "text/event-stream")

    def complete(self, asked):
        last = asked["messages"][-1]
        words = last.get("content") or ""
        if not isinstance(words, str):
            words = " ".join(p.get("text", "") for p in words)
        wish = re.search(r"CALL (\w+) (\{.*\})", words) if last["role"] == "user" else None
        until = time.monotonic() + 60
        while last["role"] == "user" and "HOLD" in words and not os.path.exists(ready + ".go") and time.monotonic() < until:
            time.sleep(0.05)
        said = {"role": "assistant", "content": "The model has answered."}
        if wish:
            said = {"role": "assistant", "content": None, "tool_calls": [{"index": 0, "id": "call_%d" % len(asked["messages"]),
                    "type": "function", "function": {"name": wish[1], "arguments": wish[2]}}]}
        end = "tool_calls" if wish else "stop"
        base = {"id": "chatcmpl-1", "created": 1, "model": asked.get("model", "m")}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110,
                 "prompt_tokens_details": {"cached_tokens": 40}}
        if not asked.get("stream"):
            return self.answer(json.dumps({**base, "object": "chat.completion", "usage": usage, "choices": [
                {"index": 0, "message": said, "finish_reason": end}]}).encode(), "application/json")
        chunks = [{"choices": [{"index": 0, "delta": said, "finish_reason": None}]},
                  {"choices": [{"index": 0, "delta": {}, "finish_reason": end}]},
                  {"choices": [], "usage": usage}]
        out = "".join("data: %s\n\n" % json.dumps({**base, "object": "chat.completion.chunk", **c}) for c in chunks)
        return self.answer((out + "data: [DONE]\n\n").encode(), "text/event-stream")

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
