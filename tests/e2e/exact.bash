# sync_after_each N: after each of N writes `ctctl sync --wait` is called, and the stored bundle has the
# line that was just written
sync_after_each() {
    local id f i stored
    conf 'quiet = 600; longest_wait = 6000; distance = 600;'
    id=$(new_id) f=$(transcript "$id")
    start_daemon
    for ((i = 1; i <= $1; i++)); do
        printf '{"type":"user","message":{"role":"user","content":"round %d"}}\n' "$i" >>"$f"
        ctctl sync --wait >"$T/sync.out"
        stored=$(tar -xzOf "$T"/server/objects/bundles/*/"$id.v$i.tar.gz" session.jsonl | tail -n 1)
        [[ $stored == *"\"round $i\""* ]]
    done
    [ "$(ctctl --json versions "$id" | jq .currentVersion)" = "$1" ]
}
