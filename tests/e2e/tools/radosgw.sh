#!/bin/sh
# A Ceph cluster of one on loopback, and its S3 gateway, for tests and by hand:
#   radosgw.sh start DIR   writes DIR/env: S3_ENDPOINT, S3_REGION, S3_BUCKET, S3_KEY_ID, S3_SECRET
#   radosgw.sh stop DIR
# Exit status 77 with a reason if it can't run here. Nothing outside of DIR is written.
set -eu

verb=${1:?start or stop}
mkdir -p "${2:?a folder}"
dir=$(cd "$2" && pwd)

free_port() {
    python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

stop() {
    for p in radosgw osd mgr mon; do
        [ -f "$dir/$p.pid" ] || continue
        kill "$(cat "$dir/$p.pid")" 2>/dev/null || true
    done
    for p in radosgw osd mgr mon; do
        [ -f "$dir/$p.pid" ] || continue
        pid=$(cat "$dir/$p.pid")
        n=0
        while kill -0 "$pid" 2>/dev/null; do
            n=$((n + 1))
            [ $n -lt 100 ] || kill -9 "$pid" 2>/dev/null || true
            sleep 0.1
        done
        rm -f "$dir/$p.pid"
    done
}

if [ "$verb" = stop ]; then
    stop
    exit 0
fi

for tool in ceph-mon ceph-osd ceph-mgr radosgw radosgw-admin monmaptool ceph-authtool; do
    command -v $tool >/dev/null || {
        echo "$tool is not installed (radosgw ceph-mon ceph-osd ceph-mgr ceph-common)"
        exit 77
    }
done

started=
trap '[ -n "$started" ] || stop' EXIT
mon=$(free_port) rgw=$(free_port) fsid=$(python3 -c 'import uuid; print(uuid.uuid4())')
cat >"$dir/ceph.conf" <<CONF
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$mon]
mon initial members = a
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
mon warn on pool no redundancy = false
mon allow pool size one = true
mon max pg per osd = 1000
osd crush chooseleaf type = 0
osd objectstore = bluestore
bluestore block size = 2147483648
bluestore fsck quick fix on mount = false
osd memory target = 939524096
run dir = $dir
admin socket = $dir/\$name.asok
pid file =
log file = $dir/\$name.log
keyring = $dir/keyring
mon data = $dir/mon
osd data = $dir/osd
mgr data = $dir/mgr
mgr initial modules =
rgw frontends = beast endpoint=127.0.0.1:$rgw
rgw gc obj min wait = 5
rgw gc processor period = 5
rgw data = $dir/rgw
rgw enable usage log = false
rgw enable ops log = false
CONF
export CEPH_CONF="$dir/ceph.conf"
mkdir -p "$dir/mon" "$dir/osd" "$dir/mgr" "$dir/rgw"

# run NAME PROGRAM...: in the background, its pid kept
run() {
    name=$1
    shift
    "$@" >>"$dir/$name.out" 2>&1 3>&- &
    echo $! >"$dir/$name.pid"
}

# within SECONDS COMMAND...
within() {
    left=$(($1 * 5))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ $left -gt 0 ] || {
            echo "radosgw: not in time: $*" >&2
            tail -n 5 "$dir"/*.out >&2
            stop
            exit 1
        }
        sleep 0.2
    done
}

{
    ceph-authtool --create-keyring "$dir/keyring" --gen-key -n mon. --cap mon 'allow *'
    ceph-authtool "$dir/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' \
        --cap mgr 'allow *'
    ceph-authtool "$dir/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' \
        --cap mgr 'allow profile osd' --cap osd 'allow *'
    ceph-authtool "$dir/keyring" --gen-key -n mgr.x --cap mon 'allow profile mgr' \
        --cap osd 'allow *'
    monmaptool --create --addv a "[v2:127.0.0.1:$mon]" --fsid "$fsid" "$dir/monmap"
    ceph-mon --mkfs -i a --monmap "$dir/monmap" --keyring "$dir/keyring"
} >"$dir/setup.out" 2>&1 || {
    tail -n 5 "$dir/setup.out" >&2
    exit 1
}
run mon ceph-mon -f -i a
within 30 ceph --connect-timeout 2 -s
ceph osd new "$fsid" >>"$dir/setup.out" 2>&1
ceph-osd -i 0 --mkfs --osd-uuid "$fsid" >>"$dir/setup.out" 2>&1
run mgr ceph-mgr -f -i x
run osd ceph-osd -f -i 0
within 60 sh -c 'ceph osd stat | grep -q "1 up"'
run radosgw radosgw -f -n client.admin
within 90 curl -sf "http://127.0.0.1:$rgw/"
radosgw-admin user create --uid=test --display-name=test --access-key=TESTKEY0 \
    --secret=testsecret0/+= >>"$dir/setup.out" 2>&1
curl -sf -X PUT "$(python3 "$(dirname "$0")/../../server/sigv4_oracle.py" --id TESTKEY0 --secret testsecret0/+= \
    --region us-east-1 PUT "http://127.0.0.1:$rgw" /sessions)" >>"$dir/setup.out"

cat >"$dir/env" <<ENV
S3_ENDPOINT=http://127.0.0.1:$rgw
S3_REGION=us-east-1
S3_BUCKET=sessions
S3_KEY_ID=TESTKEY0
S3_SECRET=testsecret0/+=
ENV
started=yes
