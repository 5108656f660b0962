#!/bin/sh
# Sealing beside OpenSSL's AES-256-GCM on blocks of the same size, both by processor time, in turns.
# seal.sh BUILD-DIR
set -eu
build=$1

echo "Sealing, in MB a second of processor time"
for turn in 1 2 3; do
    peer=$(openssl speed -mr -seconds 1 -bytes 16384 -evp aes-256-gcm 2>/dev/null |
        awk -F: '/^\+F:/ {print $NF}')
    ours=$("$build/bench/seal")
    awk -v t="$turn" -v p="$peer" -v o="$ours" \
        'BEGIN {printf "  %s  openssl speed %6.0f  sealed %6.0f  ratio %.2f\n", t, p / 1e6, o / 1e6, o / p
            printf "ratio name=seal.%s value=%.3f peer=openssl-speed\n", t, p / o}'
done
