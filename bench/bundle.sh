#!/bin/sh
# What a bundle costs, beside what people would use instead, on the same data: CPU seconds and bytes.
# bundle.sh BUILD-DIR [MEGABYTES]
set -eu
build=$1 mb=${2:-100}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/ct-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

python3 "$here/gen_corpus.py" "$work/data" --sessions 1 --mb "$mb" --projects 1 >/dev/null
transcript=$(find "$work/data/projects" -maxdepth 2 -name '*.jsonl' | head -n 1)
id=$(basename "$transcript" .jsonl)

# cpu COMMAND: CPU seconds that it and its children take
cpu() {
    python3 - "$1" <<'PY'
import resource, subprocess, sys
subprocess.run(sys.argv[1], shell=True, check=True, stdout=subprocess.DEVNULL)
u = resource.getrusage(resource.RUSAGE_CHILDREN)
print("%.3f" % (u.ru_utime + u.ru_stime))
PY
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf("%.1f", (b > 0) ? a / b : 0)}'; }
row() { printf '  %-18s %6s s CPU %10s bytes  %s\n' "$1" "$2" "$3" "${4:-}"; }
# pack FILE: bundle the session as the daemon would; its CPU seconds and its largest size in kB
pack() {
    "$build/tests/bundle/packone" "$work/data" "$id" "$1" --cache "$work/cache" >"$work/json"
    python3 -c 'import json, sys
j = json.load(open(sys.argv[1]))
print("%.3f %d" % (j["cpuMs"] / 1000, j["maxRssKb"]))' "$work/json"
}

sleep 2.2 # a file that changed a moment ago is read twice; the daemon waits for quiet first
first=$(pack "$work/first.tgz")
first_kb=${first#* } first=${first% *}
gz=$(cpu "tar -C '$work/data' -cf - . | gzip -6 >'$work/gz'")
pigz=
if command -v pigz >/dev/null; then
    pigz=$(cpu "tar -C '$work/data' -cf - . | pigz >'$work/pigz'")
fi
{ printf '{"type":"x","x":"'; head -c 10000 /dev/urandom | base64 -w0 | head -c 10000; printf '"}\n'; } >>"$transcript"
sleep 2.2
again=$(pack "$work/again.tgz")
again_kb=${again#* } again=${again% *}
# What no bundle can do without, by other means: read and digest the transcript, write the bundle,
# digest that twice.
floor=$(cpu "openssl dgst -sha256 '$transcript' && cat '$work/again.tgz' >'$work/copy' &&
    openssl dgst -sha256 '$work/again.tgz' && openssl dgst -md5 '$work/again.tgz'")

size() { wc -c <"$1" | tr -d ' '; }
echo "A session of $mb MB"
row "first bundle" "$first" "$(size "$work/first.tgz")" "$first_kb kB of memory"
row "tar | gzip -6" "$gz" "$(size "$work/gz")" "the first bundle is $(ratio "$gz" "$first") times cheaper"
[ -z "$pigz" ] ||
    row "tar | pigz" "$pigz" "$(size "$work/pigz")" "$(ratio "$pigz" "$first") times"
row "after 10 kB more" "$again" "$(size "$work/again.tgz")" \
    "$(ratio "$first" "$again") times cheaper than the first, $(ratio "$gz" "$again") than gzip, $again_kb kB"
row "openssl dgst" "$floor" "" "the same reading and digests; the bundle costs $(ratio "$again" "$floor") times that"

# said NAME OURS PEERS PEER: see HACKING.md, "Measuring"
said() {
    awk -v n="$1" -v a="$2" -v b="$3" -v p="$4" \
        'BEGIN { if (b > 0) printf("ratio name=%s value=%.3f peer=%s\n", n, a / b, p) }'
}
said bundle.first "$first" "$gz" gzip
[ -z "$pigz" ] || said bundle.first "$first" "$pigz" pigz
said bundle.again "$again" "$gz" gzip
said bundle.again "$again" "$floor" openssl-dgst
