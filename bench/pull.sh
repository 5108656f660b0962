#!/bin/bash
# What pulling a session costs on loopback, beside curl, tar and sed doing the same by hand: wall time,
# CPU and memory, the best of some rounds.
# pull.sh BUILD-DIR [MEGABYTES [ROUNDS]]
set -eu
CT_BUILD=$(cd "$1" && pwd) mb=${2:-100} rounds=${3:-5}
CT_SRC=$(cd "$(dirname "$0")/.." && pwd)
. "$CT_SRC/tests/e2e/lib.bash"
. "$CT_SRC/tests/e2e/pull_lib.bash"

two_machines
trap end_home EXIT
python3 "$CT_SRC/bench/gen_corpus.py" "$CLAUDE_CONFIG_DIR" --sessions 1 --mb "$mb" --projects 1 \
    --home "$HOME" >/dev/null
id=$(basename "$(find "$CLAUDE_CONFIG_DIR/projects" -maxdepth 2 -name '*.jsonl')" .jsonl)
cwd=$(grep -m 1 -o '"cwd":"[^"]*"' "$(here "$id")" | cut -d '"' -f 4)
from=$HOME
push
machine bob
target=$(project work)

# best COMMAND [PREPARE]: seconds, CPU seconds and kB of the largest process, the quickest of the rounds
best() {
    python3 - "$rounds" "$1" "${2:-:}" <<'PY'
import resource, subprocess, sys, time
def once():
    subprocess.run(sys.argv[3], shell=True, check=True)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    p = subprocess.run(["bash", "-o", "pipefail", "-c", sys.argv[2]], stdout=subprocess.DEVNULL)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert p.returncode == 0, sys.argv[2]
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
runs = [once() for _ in range(int(sys.argv[1]))]
print("%.3f %.3f %d" % (*min(runs), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
PY
}

# A presigned URL lives for minutes: ask for one each time, as pull does.
by_hand="url=\$(curl -sS --fail --cacert '$CA' -H 'Authorization: Bearer $(jq -r .token \
    "$CODETELEPORT_CONFIG_DIR/config.json")' '$API/sessions/$id/download' | jq -r .downloadUrl) &&
    curl -sS --fail --cacert '$CA' \"\$url\" | tar -xzf - -C '$T/by-hand' &&
    sed -e 's|$cwd|$target|g' -e 's|$from|$HOME|g' '$T/by-hand/session.jsonl' >'$T/by-hand/moved'"
read -r hand_s hand_cpu hand_kb < <(LC_ALL=C best "$by_hand" "rm -rf '$T/by-hand' && mkdir '$T/by-hand'")
read -r pull_s pull_cpu pull_kb < <(best "ctctl pull '$id' --target-dir '$target'" \
    "rm -rf '$CLAUDE_CONFIG_DIR' '$XDG_STATE_HOME' && mkdir -m 700 '$CLAUDE_CONFIG_DIR'")
# The relocation alone: openone and sed from one file to /dev/null.
moves="s|$cwd|$target|g;s|$from|$HOME|g"
read -r sed_s sed_cpu sed_kb < <(LC_ALL=C best "sed -e '$moves' '$T/by-hand/session.jsonl'")
read -r relocate_s relocate_cpu relocate_kb < <(best "'$CT_BUILD/tests/bundle/openone' --relocate \
    --cwd '$cwd' '$target' --home '$from' '$HOME' <'$T/by-hand/session.jsonl'")
# In clear the results of tools stay out, and so may a record: what came is the same but for that.
same=$(python3 -S - "$T/by-hand/moved" "$(here "$id")" <<'PY'
import json, sys
def read(path):
    with open(path, encoding="utf-8") as f:
        records = [json.loads(line) for line in f]
    return {r["uuid"]: {k: v for k, v in r.items() if k != "toolUseResult"} for r in records if "uuid" in r}
by_hand, pulled = read(sys.argv[1]), read(sys.argv[2])
is_same = len(pulled) >= .99 * len(by_hand) and all(by_hand.get(i) == r for i, r in pulled.items())
print("yes" if is_same else "no")
PY
)

echo "Pulling a session of $mb MB on loopback, best of $rounds"
printf '  %-18s %s s, %s s CPU, %s kB\n' "ctctl pull" "$pull_s" "$pull_cpu" "$pull_kb" \
    "curl, tar, sed" "$hand_s" "$hand_cpu" "$hand_kb" \
    "relocation alone" "$relocate_s" "$relocate_cpu" "$relocate_kb" \
    "sed alone" "$sed_s" "$sed_cpu" "$sed_kb"
awk -v a="$pull_s" -v b="$hand_s" -v c="$pull_cpu" -v d="$hand_cpu" -v same="$same" 'BEGIN {
    printf("  pull takes %.2f times as long and %.2f times the CPU, checks and fsync included; same result: %s\n",
           a / b, c / d, same)
    printf("ratio name=pull.wall value=%.3f peer=curl-tar-sed\n", a / b)
    printf("ratio name=pull.cpu value=%.3f peer=curl-tar-sed\n", c / d)}'
