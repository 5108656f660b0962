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

# cpu COMMAND: CPU seconds that it and its children take; the largest of them, in kB, goes to $work/rss
cpu() {
    python3 - "$1" "$work/rss" <<'PY'
import resource, subprocess, sys
subprocess.run(sys.argv[1], shell=True, check=True, stdout=subprocess.DEVNULL)
u = resource.getrusage(resource.RUSAGE_CHILDREN)
print("%.3f" % (u.ru_utime + u.ru_stime))
open(sys.argv[2], "w").write(str(u.ru_maxrss))
PY
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf("%.1f", (b > 0) ? a / b : 0)}'; }
row() { printf '  %-22s %6s s CPU %6s kB RSS %10s bytes  %s\n' "$1" "$2" "$3" "$4" "${5:-}"; }
pack="'$build/tests/packone' '$work/data' $id"

first=$(cpu "$pack '$work/first.tgz' --cache '$work/cache'")
first_rss=$(cat "$work/rss")
gz=$(cpu "tar -C '$work/data' -cf - . | gzip -6 >'$work/gz'")
gz_rss=$(cat "$work/rss")
pigz=
if command -v pigz >/dev/null; then
    pigz=$(cpu "tar -C '$work/data' -cf - . | pigz >'$work/pigz'")
    pigz_rss=$(cat "$work/rss")
fi
{ printf '{"type":"x","x":"'; head -c 10000 /dev/urandom | base64 -w0 | head -c 10000; printf '"}\n'; } >>"$transcript"
sleep 2.2 # a file that changed a moment ago is read twice; the daemon waits for quiet first
again=$(cpu "$pack '$work/again.tgz' --cache '$work/cache'")
again_rss=$(cat "$work/rss")

size() { wc -c <"$1" | tr -d ' '; }
echo "A session of $mb MB"
row "first bundle" "$first" "$first_rss" "$(size "$work/first.tgz")"
row "tar | gzip -6" "$gz" "$gz_rss" "$(size "$work/gz")" "the first bundle is $(ratio "$gz" "$first") times cheaper"
[ -z "$pigz" ] ||
    row "tar | pigz" "$pigz" "$pigz_rss" "$(size "$work/pigz")" "$(ratio "$pigz" "$first") times"
row "after 10 kB more" "$again" "$again_rss" "$(size "$work/again.tgz")" \
    "$(ratio "$first" "$again") times cheaper than the first, $(ratio "$gz" "$again") than gzip"
