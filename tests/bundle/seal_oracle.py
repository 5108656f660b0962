#!/usr/bin/env python3
"""Sealed objects by other means: python3-cryptography's HKDFExpand and AESGCM, and nothing of ours.

  seal_oracle.py vectors COBBLEONE FILE       the public vectors, as lines of TAP without numbers
  seal_oracle.py streams COBBLEONE            both ways, many lengths
  seal_oracle.py bundle KEY FILE OUT          open a sealed bundle; its header as JSON on stdout
  seal_oracle.py seal KEY FILE OUT GENERATION OBJECT    seal a gzip file as a bundle, padded
  seal_oracle.py metadata KEY                 open what metadata.sealed holds, from stdin
  seal_oracle.py keyring KEY FILE             write a keyring
"""
import base64, hashlib, json, os, struct, subprocess, sys, zlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

CHUNK, TAG = 16384, 16


def expand(key, info, n):
    return HKDFExpand(hashes.SHA512(), n, info).derive(key)


def keys(key, salt, context):
    okm = expand(key, b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + context, 76)
    return AESGCM(okm[:32]), int.from_bytes(okm[32:44], "big"), okm[44:]


def nonce(base, i):
    return (base ^ i).to_bytes(12, "big")


def seal(key, context, plain, salt=None):
    salt = salt or os.urandom(24)
    aes, base, commitment = keys(key, salt, context)
    parts = [plain[i:i + CHUNK] for i in range(0, len(plain), CHUNK)]
    if len(plain) % CHUNK == 0:
        parts.append(b"")
    return salt + commitment + b"".join(aes.encrypt(nonce(base, i), p, b"") for i, p in enumerate(parts))


def unseal(key, context, sealed):
    aes, base, commitment = keys(key, sealed[:24], context)
    assert sealed[24:56] == commitment
    body, out, i = sealed[56:], [], 0
    while True:
        part, body = body[:CHUNK + TAG], body[CHUNK + TAG:]
        out.append(aes.decrypt(nonce(base, i), part, b""))
        i += 1
        if len(part) < CHUNK + TAG:
            assert body == b""
            return b"".join(out)


def unseal_object(mk, sealed, kind):
    head, body = sealed[:48], sealed[48:]
    magic, version, suite, k, flags, key_id, object_id, generation = struct.unpack(">4s4B16s16sQ", head)
    assert (magic, version, suite, k) == (b"CTS1", 1, 1, kind) and flags in (0, 1)
    assert key_id == expand(mk, b"codeteleport/1 key-id", 16)
    info = b"codeteleport/1 bundle" if kind == 1 else b"codeteleport/1 metadata"
    plain = unseal(expand(mk, info, 32), head, body)
    return plain, {"flags": flags, "objectId": object_id.hex(), "generation": generation}


def padme(n):
    if n <= 16384:
        return 16384
    e = n.bit_length() - 1
    s = e.bit_length()
    mask = (1 << (e - s)) - 1
    return (n + mask) & ~mask


def run(program, verb, key, context, data, piece=65536):
    p = subprocess.run([program, verb, key.hex(), context.hex(), str(piece)], input=data,
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return p.returncode, p.stdout


def tap(is_good, text):
    print("%s - %s" % ("ok" if is_good else "not ok", text))
    return 0 if is_good else 1


def vectors(program, path):
    bad = n = 0
    for group in json.load(open(path))["testGroups"]:
        for t in group["tests"]:
            n += 1
            data = zlib.decompress(bytes.fromhex(t["ct"]))
            key, context = bytes.fromhex(t["key"]), bytes.fromhex(t["ctx"])
            good = True
            for piece in (65536, 1000):
                rc, out = run(program, "open", key, context, data, piece)
                good = good and (rc == 0) == (t["result"] == "valid")
                if "HeaderFailure" in t["flags"]:
                    good = good and out == b""
                # The verified beginning and not a byte more.
                good = good and len(out) == t.get("msgLength", 0)
                if "msgSha512" in t:
                    good = good and hashlib.sha512(out).hexdigest() == t["msgSha512"]
            bad += tap(good, "vector %d: %s" % (t["tcId"], t["comment"].replace("#", "")))
    return bad + tap(n == 35, "there are 35 of them")


def streams(program):
    bad = 0
    key, context = os.urandom(32), b"a context"
    for n in (0, 1, 16383, 16384, 16385, 32767, 32768, 32769, 1000000, 16384 * 300 + 5):
        plain = os.urandom(n)
        rc, sealed = run(program, "seal", key, context, plain, 777 if n < 40000 else 70001)
        ours = rc == 0 and unseal(key, context, sealed) == plain
        rc, out = run(program, "open", key, context, seal(key, context, plain))
        bad += tap(ours and rc == 0 and out == plain, "%d bytes go both ways" % n)
    return bad


def text_of(key):
    charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

    def polymod(values):
        c = 1
        for v in values:
            top = c >> 25
            c = (c & 0x1ffffff) << 5 ^ v
            for i, g in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)):
                c ^= g if top >> i & 1 else 0
        return c

    bits = "".join("%08d" % int(bin(b)[2:]) for b in key)
    bits += "0" * (-len(bits) % 5)
    data = [int(bits[i:i + 5], 2) for i in range(0, len(bits), 5)]
    human = [ord(c) >> 5 for c in "ctkey"] + [0] + [ord(c) & 31 for c in "ctkey"]
    p = polymod(human + data + [0] * 6) ^ 0x2bc830a3
    return "ctkey1" + "".join(charset[v] for v in data + [p >> 5 * (5 - i) & 31 for i in range(6)])


def main():
    verb, args = sys.argv[1], sys.argv[2:]
    if verb == "vectors":
        return 1 if vectors(*args) else 0
    if verb == "streams":
        return 1 if streams(*args) else 0
    mk = bytes.fromhex(args[0])
    if verb == "bundle":
        plain, head = unseal_object(mk, open(args[1], "rb").read(), 1)
        open(args[2], "wb").write(plain)
        head["plainBytes"] = len(plain)
        print(json.dumps(head))
    elif verb == "seal":
        plain = open(args[1], "rb").read()
        head = struct.pack(">4s4B16s16sQ", b"CTS1", 1, 1, 1, 1, expand(mk, b"codeteleport/1 key-id", 16),
                           bytes.fromhex(args[4]), int(args[3]))
        plain += bytes(padme(len(plain)) - len(plain))
        open(args[2], "wb").write(head + seal(expand(mk, b"codeteleport/1 bundle", 32), head, plain))
    elif verb == "padme":
        print(padme(int(args[1])))
    elif verb == "metadata":
        plain, head = unseal_object(mk, base64.b64decode(sys.stdin.read()), 2)
        assert len(plain) % 4096 == 0
        head["facts"] = json.loads(plain)
        print(json.dumps(head))
    elif verb == "keyring":
        with open(args[1], "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            json.dump({"format": "codeteleport-keyring-1", "keys": [
                {"id": expand(mk, b"codeteleport/1 key-id", 16).hex(), "key": text_of(mk)}]}, f)
    else:
        return 64
    return 0


sys.exit(main())
