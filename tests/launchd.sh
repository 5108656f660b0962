#!/bin/sh
# The agent for macOS, as far as it can be looked at elsewhere. Prints TAP.
build=${CT_BUILD:-$PWD}
work=$(mktemp -d "${TMPDIR:-/tmp}/ct.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
home=$work/'A & <B>'
agent=$work/agent.plist
bad=0

result() {
    if [ "$1" = 0 ]; then
        echo "ok $2"
    else
        echo "not ok $2"
        sed 's/^/# /' "$work/out"
        bad=1
    fi
}

# its_agent ARGUMENT...: of a user who has nothing yet
its_agent() {
    mkdir -p "$home"
    env -i HOME="$home" PATH="$build/bin:/usr/bin:/bin" ${ASAN_OPTIONS:+"ASAN_OPTIONS=$ASAN_OPTIONS"} codeteleportd "$@" --agent
}

echo 1..3
its_agent >"$agent" 2>"$work/out"
if command -v plistutil >/dev/null; then
    plistutil -i "$agent" -f bin -o "$work/agent.bin" >>"$work/out" 2>&1 &&
        plistutil -i "$work/agent.bin" -f xml -o "$work/agent.xml" >>"$work/out" 2>&1
    result $? "1 - the agent is a property list, as plistutil reads it"
else
    echo "ok 1 - the agent is a property list, as plistutil reads it # SKIP plistutil is not installed"
fi

python3 - "$agent" "$home" "$build/bin/codeteleportd" >>"$work/out" 2>&1 <<'PY'
import os, plistlib, stat, sys
p, home, program = plistlib.load(open(sys.argv[1], "rb")), sys.argv[2], sys.argv[3]
want = {
    "Label": "com.codeteleport.codeteleportd",
    "ProgramArguments": [program],
    "RunAtLoad": True,
    "KeepAlive": {"SuccessfulExit": False},  # so also after status 79
    "StandardErrorPath": home + "/Library/Logs/codeteleportd.log",
    "LowPriorityIO": True,
    "ProcessType": "Background",
    "Umask": 0o077,
    "HardResourceLimits": {"Core": 0},
}
for key, value in want.items():
    assert p[key] == value, (key, p.get(key))
assert 15 < p["ExitTimeOut"], p["ExitTimeOut"]
control = p["Sockets"]["control"]
assert control["SockPathMode"] == 0o600, control
assert control["SockPathName"].startswith(home + "/.local/state/codeteleport/"), control
folder = os.stat(os.path.dirname(control["SockPathName"]))
assert stat.S_IMODE(folder.st_mode) == 0o700, oct(folder.st_mode)
log = os.stat(p["StandardErrorPath"])
assert stat.S_IMODE(log.st_mode) == 0o600, oct(log.st_mode)
PY
result $? "2 - it is kept alive, stays in the background, hands over the socket, logs where only its user reads"

mkdir -p "$work/conf"
echo 'socket = "/tmp/elsewhere-ct/control.sock";' | sed "s|/tmp|$work|" >"$work/conf/ct.conf"
(cd "$work/conf" && its_agent -c ct.conf) >"$agent" 2>"$work/out"
python3 - "$agent" "$work" >>"$work/out" 2>&1 <<'PY'
import plistlib, sys
p, work = plistlib.load(open(sys.argv[1], "rb")), sys.argv[2]
assert p["ProgramArguments"][1:] == ["-c", work + "/conf/ct.conf"], p["ProgramArguments"]
assert p["Sockets"]["control"]["SockPathName"] == work + "/elsewhere-ct/control.sock", p["Sockets"]
PY
result $? "3 - it is for the configuration that is named"
exit $bad
