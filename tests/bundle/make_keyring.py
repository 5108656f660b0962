#!/usr/bin/env python3
"""A keyring, by other means than ours.

    make_keyring.py FILE WORD...

writes FILE with a key for each WORD (the SHA-256 of it), oldest first, in one step.
"""

import hashlib
import hmac
import json
import os
import sys

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def expand(prk, info, n):
    """HKDF-Expand with SHA-512 (RFC 5869, 2.3)."""
    t = out = b""
    i = 1
    while len(out) < n:
        t = hmac.new(prk, t + info + bytes([i]), hashlib.sha512).digest()
        out += t
        i += 1
    return out[:n]


def polymod(values):
    c = 1
    for x in values:
        b = c >> 25
        c = (c & 0x1FFFFFF) << 5 ^ x
        for i, g in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            c ^= g if (b >> i) & 1 else 0
    return c


def bech32m(hrp, data):
    """BIP 350."""
    bits = "".join("{:08b}".format(b) for b in data)
    bits += "0" * (-len(bits) % 5)
    groups = [int(bits[i:i + 5], 2) for i in range(0, len(bits), 5)]
    head = [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp]
    check = polymod(head + groups + [0] * 6) ^ 0x2BC830A3
    groups += [check >> 5 * (5 - i) & 31 for i in range(6)]
    return hrp + "1" + "".join(ALPHABET[g] for g in groups)


def main():
    path, keys = sys.argv[1], []
    for word in sys.argv[2:]:
        mk = hashlib.sha256(word.encode()).digest()
        keys.append({"id": expand(mk, b"codeteleport/1 key-id", 16).hex(),
                     "key": bech32m("ctkey", mk), "created": "2026-11-23T20:00:00Z"})
    os.umask(0o077)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as f:
        json.dump({"format": "codeteleport-keyring-1", "keys": keys}, f)
    os.rename(path + ".new", path)


if __name__ == "__main__":
    main()
