#!/usr/bin/env python3
"""Stands in for the model's service, on this machine: answers each request with one sentence.

    model_standin.py LOG READY     writes its port to READY, and each request as a line of JSON to LOG
"""

import http.server
import json
import os
import sys

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
