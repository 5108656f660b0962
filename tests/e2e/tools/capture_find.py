#!/usr/bin/env python3
"""Which of some texts can be read in a capture of faultproxy.py?

    capture_find.py DIR TEXT...

prints those that can, one a line: as they are (in any case), percent-encoded, in hexadecimal, in
base64 at any offset, a UUID also without dashes or as 16 bytes; and all of that in whatever gzip
stream begins anywhere in it.
"""

import base64
import os
import re
import sys
import urllib.parse
import uuid
import zlib


def forms(text):
    raw = [text.encode()]
    if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text):
        u = uuid.UUID(text)
        raw += [u.hex.encode(), u.bytes]
    for r in raw:
        yield r
        yield r.hex().encode()
        yield urllib.parse.quote_from_bytes(r, safe="").encode()
        yield "".join("%%%02x" % b for b in r).encode()
        for skip in range(3):
            # What stands before and after it decides on the first and the last characters.
            for code in (base64.b64encode, base64.urlsafe_b64encode):
                b = code(b"\0" * skip + r)
                yield b[(0, 2, 3)[skip]:-4 if (skip + len(r)) % 3 else len(b)]


def inflated(data):
    for m in re.finditer(b"\x1f\x8b\x08", data):
        out, at = b"", m.start()
        while data[at:at + 3] == b"\x1f\x8b\x08":
            d = zlib.decompressobj(31)
            try:
                out += d.decompress(data[at:])
            except zlib.error:
                break
            if not d.eof:
                break
            at = len(data) - len(d.unused_data)
        if out:
            yield out


def main():
    data = []
    for name in sorted(os.listdir(sys.argv[1])):
        with open(os.path.join(sys.argv[1], name), "rb") as f:
            data.append(f.read())
    data += [d for whole in list(data) for d in inflated(whole)]
    lower = [d.lower() for d in data]
    for text in sys.argv[2:]:
        if any(f in d for f in forms(text) for d in data) or any(
                f.lower() in d for f in (text.encode(),) for d in lower):
            print(text)


if __name__ == "__main__":
    main()
