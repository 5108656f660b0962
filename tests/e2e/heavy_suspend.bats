#!/usr/bin/env bats
# A real suspend and a real clock step, in a virtual machine: neither may happen to this one.

load lib

setup() {
    make_home
    VM=$CT_BUILD/tests/suspend-vm
}

teardown() {
    end_home
}

# The kernel is only unpacked below the build folder; nothing is installed.
have_kernel() {
    ls "$VM"/k/boot/vmlinuz-* 2>/dev/null && return
    mkdir -p "$VM" && cd "$VM" || return 1
    apt-get download "$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: //p' |
        head -n 1)" >/dev/null 2>&1 && dpkg -x linux-image-*.deb k && rm linux-image-*.deb
    cd - >/dev/null
    ls "$VM"/k/boot/vmlinuz-*
}

# What the machine does, as its first process.
write_init() {
    cat <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
export HOME=/root XDG_RUNTIME_DIR=/tmp/run XDG_STATE_HOME=/tmp/state PATH=/bin
mkdir -m 700 /tmp/run
sh -c 'SYSTEMD_EXEC_PID=$$ exec codeteleportd -v' >/tmp/log 2>&1 &
pid=$!
count() { grep -c "$1" /tmp/log; }
switches() { cat /proc/$pid/task/*/status | awk '/ctxt_switches/ {n += $2} END {print n}'; }
i=0
while [ $i -lt 300 ] && [ "$(count scan-done)" = 0 ]; do usleep 100000; i=$((i + 1)); done
sleep 25 # it gives memory back 20 s after its last work
a=$(switches)
sleep 20
echo "RESULT idle wakeups=$(($(switches) - a))"
date -s '2030-01-01 00:00:00' >/dev/null
sleep 2
date -s '2026-11-26 00:00:00' >/dev/null
sleep 2
echo "RESULT steps resumes=$(count resumed-from-suspend) scans=$(count scan-done)"
echo +8 >/sys/class/rtc/rtc0/wakealarm
echo mem >/sys/power/state && slept=yes || slept=no
i=0
while [ $i -lt 100 ] && [ "$(count scan-done)" -le 1 ]; do usleep 100000; i=$((i + 1)); done
echo "RESULT suspend slept=$slept resumes=$(count resumed-from-suspend) scans=$(count scan-done)"
echo "RESULT end"
poweroff -f
INIT
}

@test "waking up from suspend scans everything once; a clock that is set does not; neither costs a wakeup before" {
    local kernel l ir=$T/ir
    [ "${CT_SANITIZERS:-no}" != yes ] || skip "sanitizers want more than this small machine has"
    for l in qemu-system-x86_64 busybox cpio; do
        command -v "$l" >/dev/null || skip "there is no $l"
    done
    kernel=$(have_kernel | head -n 1)
    [ -n "$kernel" ] || skip "no kernel can be had for the virtual machine"
    mkdir -p "$ir"/{bin,proc,sys,dev,tmp,etc} "$ir/root/.claude/projects/-p"
    cp "$(command -v busybox)" "$CT_BUILD/bin/codeteleportd" "$ir/bin/"
    for l in $(ldd "$CT_BUILD/bin/codeteleportd" | grep -o '/[^ ]*'); do
        mkdir -p "$ir$(dirname "$l")"
        cp -L "$l" "$ir$l"
    done
    echo 'root:x:0:0:root:/root:/bin/sh' >"$ir/etc/passwd"
    line hello >"$ir/root/.claude/projects/-p/$(new_id).jsonl"
    write_init >"$ir/init"
    chmod +x "$ir/init"
    (cd "$ir" && find . | cpio -o -H newc 2>/dev/null | gzip -1) >"$T/ir.gz"
    timeout 240 qemu-system-x86_64 -accel tcg -cpu max -m 768 -nographic -net none -no-reboot \
        -kernel "$kernel" -initrd "$T/ir.gz" -append "console=ttyS0 no_console_suspend" \
        </dev/null 2>&1 3>&- | tr -d '\r' >"$T/vm.log" || true
    grep -a '^RESULT' "$T/vm.log" | sed 's/^/# /' >&3
    grep -aq '^RESULT idle' "$T/vm.log" || skip "the virtual machine did not start here"
    grep -aqx 'RESULT idle wakeups=0' "$T/vm.log"
    grep -aqx 'RESULT steps resumes=0 scans=1' "$T/vm.log"
    grep -aq '^RESULT suspend' "$T/vm.log" || skip "the virtual machine did not wake up again"
    ! grep -aq '^RESULT suspend slept=no' "$T/vm.log" || skip "the virtual machine can't suspend"
    grep -aqx 'RESULT suspend slept=yes resumes=1 scans=2' "$T/vm.log"
}
