#!/usr/bin/env python3
"""Opens what is shared, by other means than the page's or ours.

  share_open.py LINK FILE        the text of all turns
  share_open.py LINK FILE json   what the page gets
"""
import json
import sys
import zlib
from base64 import urlsafe_b64decode

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

key = urlsafe_b64decode(sys.argv[1].split("#")[1] + "=")
with open(sys.argv[2], "rb") as f:
    sealed = f.read()
assert sealed[:8] == b"CTSHARE1" and len(key) == 32
plain = AESGCM(key).decrypt(sealed[8:20], sealed[20:], sealed[:8])
n = int.from_bytes(plain[:8], "big")
assert not any(plain[8 + n:]), "the padding is zeros"
text = zlib.decompress(plain[8:8 + n], 31).decode()
if len(sys.argv) > 3:
    print(text)
else:
    turns = json.loads(text)["turns"]
    assert all(set(t) == {"kind", "text"} for t in turns)
    sys.stdout.write("".join(t["text"] for t in turns))
