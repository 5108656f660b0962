#!/bin/sh
# Sealed objects against the public vectors of Cobblestone-256 and against python3-cryptography, and
# sealed bundles from a data folder and back.  TAP.
src=${CT_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${CT_BUILD:-$src}
packone=$build/tests/bundle/packone
openone=$build/tests/bundle/openone
cobbleone=$build/tests/bundle/cobbleone
vectors=${CT_SAMPLES:-$src/../shared/samples}/../vectors/cobblestone256-wycheproof.json
key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
other=0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20
n=0
bad=0

# Debian's interpreter is the one that has Debian's modules.
python=
for p in python3 /usr/bin/python3; do
    if [ -z "$python" ] && "$p" -c 'import cryptography' 2>/dev/null; then
        python=$p
    fi
done
oracle() { "$python" "$src/tests/bundle/seal_oracle.py" "$@"; }

if [ -z "$python" ]; then
    echo "1..1"
    echo "ok 1 - sealed objects agree with python3-cryptography # SKIP it is not installed"
    exit 0
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# many COUNT COMMAND...: its lines, numbered; as many as it says
many() {
    upto=$((n + $1))
    shift
    "$@" >"$tmp/lines" 2>"$tmp/err"
    while IFS= read -r line; do
        n=$((n + 1))
        case $line in
        ok*) echo "ok $n${line#ok}" ;;
        *) echo "not ok $n${line#not ok}" && bad=1 ;;
        esac
    done <"$tmp/lines"
    if [ "$n" -ne "$upto" ]; then
        sed 's/^/# /' "$tmp/err"
        n=$((n + 1))
        echo "not ok $n - the oracle came to its end"
        bad=1
    fi
}

# holds NAME COMMAND...
holds() {
    name=$1
    shift
    n=$((n + 1))
    if "$@" >"$tmp/out" 2>&1; then
        echo "ok $n - $name"
    else
        echo "not ok $n - $name"
        tail -n 20 "$tmp/out" | sed 's/^/# /'
        bad=1
    fi
}

if [ -f "$vectors" ]; then
    many 36 oracle vectors "$cobbleone" "$vectors"
else
    n=$((n + 1))
    echo "ok $n - public vectors of Cobblestone-256 # SKIP they are not here ($vectors)"
fi
many 10 oracle streams "$cobbleone"

# ---- bundles ----

mkdir "$tmp/data"
cp -R "$src/tests/fixtures/claude-code-2.1.197/." "$tmp/data"
find "$tmp/data" -type f -exec touch -d '1 hour ago' {} + 2>/dev/null
id=$("$packone" --list "$tmp/data" | head -n 1)
oracle keyring $key "$tmp/keyring"
oracle keyring $other "$tmp/other"

# field FILE NAME
field() { "$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"; }

packs() {
    "$packone" "$tmp/data" "$id" "$tmp/plain.tgz" >"$tmp/plain.json" &&
        "$packone" "$tmp/data" "$id" "$tmp/sealed" --seal "$tmp/keyring" 3 >"$tmp/sealed.json" &&
        [ "$(field "$tmp/plain.json" contentId)" = "$(field "$tmp/sealed.json" contentId)" ]
}
says_what_it_is() {
    [ "$(field "$tmp/sealed.json" sizeBytes)" = "$(wc -c <"$tmp/sealed" | tr -d ' ')" ] &&
        [ "$(field "$tmp/sealed.json" sha256)" = "$(sha256sum <"$tmp/sealed" | cut -d' ' -f1)" ] &&
        [ "$(field "$tmp/sealed.json" md5)" = "$(md5sum <"$tmp/sealed" | cut -d' ' -f1)" ] &&
        [ "$(field "$tmp/sealed.json" gzipBytes)" = "$(wc -c <"$tmp/plain.tgz" | tr -d ' ')" ]
}
oracle_opens() {
    oracle bundle $key "$tmp/sealed" "$tmp/opened" >"$tmp/head.json" || return 1
    gz=$(wc -c <"$tmp/plain.tgz" | tr -d ' ')
    head -c "$gz" "$tmp/opened" | cmp - "$tmp/plain.tgz" || return 1
    [ "$(tail -c +$((gz + 1)) "$tmp/opened" | tr -d '\0' | wc -c)" -eq 0 ] &&
        [ "$(field "$tmp/head.json" plainBytes)" = "$(oracle padme $key "$gz")" ] &&
        [ "$(field "$tmp/head.json" flags)" = 1 ] && [ "$(field "$tmp/head.json" generation)" = 3 ] &&
        [ "$(field "$tmp/head.json" objectId)" = "$(field "$tmp/sealed.json" objectId)" ]
}
# opens FILE OPTION...: into the same files as the plain bundle
opens() {
    rm -rf "$tmp/a" "$tmp/b"
    mkdir -m 700 "$tmp/a" "$tmp/b"
    file=$1
    shift
    "$openone" "$tmp/plain.tgz" --stage "$tmp/a" --trust own &&
        "$openone" "$file" --stage "$tmp/b" --trust own --keyring "$tmp/keyring" "$@" && diff -r "$tmp/a" "$tmp/b"
}
# refused WHY FILE OPTION...: and nothing of it comes out
refused() {
    why=$1
    file=$2
    shift 2
    rm -rf "$tmp/b"
    mkdir -m 700 "$tmp/b"
    ! "$openone" "$file" --stage "$tmp/b" "$@" >"$tmp/said" || return 1
    cat "$tmp/said"
    grep -q -- "$why" "$tmp/said" && [ -z "$(find "$tmp/b" -type f)" ]
}
theirs() {
    oracle seal $key "$tmp/plain.tgz" "$tmp/theirs" 9 00112233445566778899aabbccddeeff &&
        opens "$tmp/theirs" --generation 9 --object 00112233445566778899aabbccddeeff
}

holds "the same session is sealed as it is packed in clear" packs
holds "size, digests and length before padding are those of the file" says_what_it_is
holds "python opens it: the very same gzip, then zeros up to the padded size" oracle_opens
holds "it opens into the same files, knowing what is to be known" \
    opens "$tmp/sealed" --sealed --generation 3 --object "$(field "$tmp/sealed.json" objectId)" \
    --gzip-bytes "$(field "$tmp/sealed.json" gzipBytes)"
holds "what python sealed opens here" theirs
holds "without the key it says which one is missing" \
    refused "key 54205523f9681711ea3597ae1f41871d not on this device" "$tmp/sealed"
holds "with another key too" refused no_key "$tmp/sealed" --keyring "$tmp/other"
holds "another object is refused" \
    refused "another sealed object" "$tmp/sealed" --keyring "$tmp/keyring" --object 00112233445566778899aabbccddeeff
holds "another generation is refused" refused "of generation 3" "$tmp/sealed" --keyring "$tmp/keyring" --generation 4
holds "a bundle in clear is refused where a sealed one is due" \
    refused "not sealed" "$tmp/plain.tgz" --keyring "$tmp/keyring" --sealed
holds "another length than the description says fails" \
    sh -c "! '$openone' '$tmp/sealed' --keyring '$tmp/keyring' --gzip-bytes 77"

echo "1..$n"
exit $bad
