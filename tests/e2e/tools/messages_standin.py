#!/usr/bin/env python3
"""messages_standin.py READY LOG: as much of the Messages API, on a port of 127.0.0.1 that goes to the
file READY, as a coding agent needs.  The texts of each conversation go to LOG, a JSON array a line.  A
prompt "WRITE path words" has the agent write that file, "MATE name words" has it start a mate of that
name and say these words to it; an answer ends with the last
word of the prompt's first line, in capitals.
"""

import http.server
import json
import os
import re
import sys

count = 0


def blocks(message):
    content = message.get("content") or []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def text_of(message):
    return "\n".join(b["text"] for b in blocks(message) if b.get("type") == "text"
                     and not b["text"].lstrip().startswith("<system-reminder"))


def answer(request):
    """By what came since the last words of the model: a prompt, and what the agent adds to it."""
    new = []
    for message in reversed(request.get("messages", [])):
        if message.get("role") == "assistant" and new:
            break
        new.insert(0, message)
    results = [b for m in new for b in blocks(m) if b.get("type") == "tool_result"]
    order = re.search(r"^WRITE (\S+) ([^\n]+)$", "\n".join(map(text_of, new)), re.M)
    if order and request.get("tools") and not results:
        return {"type": "tool_use", "id": "toolu_%d" % count, "name": "Write",
                "input": {"file_path": order.group(1), "content": order.group(2) + "\n"}}
    mate = re.search(r"^MATE (\S+) ([^\n]+)$", "\n".join(map(text_of, new)), re.M)
    if mate and request.get("tools") and not results:
        return {"type": "tool_use", "id": "toolu_%d" % count, "name": "Agent",
                "input": {"description": "x", "prompt": mate.group(2), "name": mate.group(1),
                          "subagent_type": "general-purpose"}}
    if results: # of what it was told to write
        new = [m for m in request["messages"] if m.get("role") == "user" and "WRITE " in text_of(m)][-1:]
    words = next((t for t in map(text_of, new) if t.strip()), "you").split("\n")[0].split()
    return {"type": "text", "text": "Answer-%d-to-%s" % (count, words[-1].upper())}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.reply("application/json", b"{}")

    do_HEAD = do_GET

    def do_POST(self):
        global count
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = json.loads(body or b"{}")
        if not self.path.startswith("/v1/messages") or "count_tokens" in self.path:
            return self.reply("application/json", b'{"input_tokens": 10}')
        count += 1
        if request.get("tools"):
            with open(sys.argv[2], "a", encoding="utf-8") as log:
                log.write(json.dumps([text_of(m) for m in request["messages"]]) + "\n")
        block = answer(request)
        stop = "tool_use" if block["type"] == "tool_use" else "end_turn"
        usage = {"input_tokens": 10, "output_tokens": 5, "cache_creation_input_tokens": 0,
                 "cache_read_input_tokens": 0}
        message = {"id": "msg_%d" % count, "type": "message", "role": "assistant",
                   "model": request.get("model", "m"), "content": [block], "stop_reason": stop,
                   "stop_sequence": None, "usage": usage}
        if not request.get("stream"):
            return self.reply("application/json", json.dumps(message).encode())
        events = [("message_start", {"message": dict(message, content=[], stop_reason=None)})]
        if block["type"] == "text":
            begin, delta = dict(block, text=""), {"type": "text_delta", "text": block["text"]}
        else:
            begin = dict(block, input={})
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        events += [("content_block_start", {"index": 0, "content_block": begin}),
                   ("content_block_delta", {"index": 0, "delta": delta}),
                   ("content_block_stop", {"index": 0}),
                   ("message_delta", {"delta": {"stop_reason": stop, "stop_sequence": None},
                                      "usage": {"output_tokens": 5}}),
                   ("message_stop", {})]
        return self.reply("text/event-stream", "".join(
            "event: %s\ndata: %s\n\n" % (name, json.dumps(dict(data, type=name)))
            for name, data in events).encode())

    def reply(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1] + ".new", "w", encoding="utf-8") as f:
    f.write("http://127.0.0.1:%d\n" % server.server_address[1])
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
