#!/bin/sh
# A transcript of 2 GiB comes out of its bundle, with its paths moved, in constant memory.  TAP.
src=${CT_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
openone=${CT_BUILD:-$src}/tests/bundle/openone
limit_kb=24576
name="2 GiB are opened and relocated within 24 MB of private memory, to the byte"

echo "1..1"
if [ "${CT_SANITIZERS:-no}" = yes ]; then
    echo "ok 1 - $name # SKIP sanitizers need memory of their own"
    exit 0
fi
if [ ! -r /proc/self/smaps_rollup ]; then
    echo "ok 1 - $name # SKIP this system does not tell what memory is private"
    exit 0
fi
tmp=$(mktemp -d "${TMPDIR:-/tmp}/ct-big.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
if [ "$(df -Pk "$tmp" | awk 'NR == 2 {print $4}')" -lt 3000000 ]; then
    echo "ok 1 - $name # SKIP there is no room for it"
    exit 0
fi

# One piece of 64 MiB, compressed once and put into the bundle 32 times.
python3 - "$tmp/bundle" <<'PY' || exit 1
import gzip, json, random, sys, tarfile, zlib
sid, cwd, n = "11111111-2222-4333-8444-555555555555", "/home/alice/w", 32
random.seed(1)
words = [random.randbytes(5).hex() for _ in range(5000)] + [cwd + "/src", "/home/alice", "/home/alicex"] * 50
lines, size = [], 0
while size < 64 << 20:
    text = " ".join(random.choices(words, k=200))
    line = json.dumps({"type": "user", "cwd": cwd, "sessionId": sid, "text": text}).encode() + b"\n"
    lines.append(line)
    size += len(line)
block = b"".join(lines)[:64 << 20]
block = block[:block.rindex(b"\n") + 1]
c = zlib.compressobj(1, wbits=31)
member = c.compress(block) + c.flush()
def header(name, size):
    t = tarfile.TarInfo(name)
    t.size = size
    return t.tobuf(tarfile.USTAR_FORMAT)
meta = json.dumps({"sessionId": sid, "sourceCwd": cwd, "sourceUserDir": "/home/alice",
                   "agentId": "claude-code", "formatVersion": 2}).encode()
total = len(block) * n
with open(sys.argv[1], "wb") as f:
    f.write(gzip.compress(header("meta.json", len(meta)) + meta + bytes(-len(meta) % 512) +
                          header("session.jsonl", total)))
    for _ in range(n):
        f.write(member)
    f.write(gzip.compress(bytes(-total % 512) + bytes(1024)))
PY

mkdir -m 700 "$tmp/stage"
"$openone" "$tmp/bundle" --stage "$tmp/stage" --trust own --keep-mode --cwd - /srv/w --home - /Users/bob >"$tmp/said" &
pid=$!
max=0
while kill -0 "$pid" 2>/dev/null; do
    kb=$(awk '/^Private_Dirty/ {n += $2} END {print n + 0}' "/proc/$pid/smaps_rollup" 2>/dev/null)
    [ "${kb:-0}" -le "$max" ] || max=$kb
    sleep 0.05
done
wait "$pid"
status=$?
gzip -dc "$tmp/bundle" | tar -xOf - session.jsonl |
    LC_ALL=C sed -E 's|/home/alice/w\b|/srv/w|g; s|/home/alice\b|/Users/bob|g' |
    cmp - "$tmp/stage/session.jsonl" >"$tmp/cmp" 2>&1 && [ "$status" -eq 0 ] && [ "$max" -gt 0 ] &&
    [ "$max" -le "$limit_kb" ]
if [ $? -eq 0 ]; then
    echo "ok 1 - $name ($max kB)"
else
    echo "not ok 1 - $name ($max kB)"
    cat "$tmp/said" "$tmp/cmp" | cut -c 1-300 | sed 's/^/# /'
    exit 1
fi
