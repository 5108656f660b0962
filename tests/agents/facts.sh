#!/bin/sh
# What lists say of the samples of each agent, against an independent count.  TAP.
src=${CT_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
factsone=${CT_BUILD:-$src}/tests/agents/factsone
n=0
bad=0
for agent in codex copilot gemini pi qwen; do
    n=$((n + 1))
    name="facts of the samples of $agent equal an independent count"
    files=$([ -z "${CT_SAMPLES:-}" ] || find "$CT_SAMPLES/agents" -path "*/.$agent*" -name '*.jsonl' ! -name history.jsonl ! -name session_index.jsonl 2>/dev/null)
    if ! command -v python3 >/dev/null; then
        echo "ok $n - $name # SKIP there is no python3"
    elif [ -z "$files" ]; then
        echo "ok $n - $name # SKIP CT_SAMPLES has none"
    elif out=$(echo "$files" | tr '\n' '\0' | xargs -0 python3 -S "$src/tests/agents/facts_oracle.py" "$factsone" "$agent"); then
        echo "ok $n - $name ($(echo "$out" | tail -n 1))"
    else
        echo "not ok $n - $name"
        echo "$out" | sed 's/^/# /'
        bad=1
    fi
done
echo "1..$n"
exit $bad
