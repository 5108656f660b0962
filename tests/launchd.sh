#!/bin/sh
# The agent for macOS, as far as it can be looked at elsewhere. Prints TAP.
cd "${CT_SRC:-$(dirname "$0")/..}" || exit 1
src=$PWD build=${CT_BUILD:-$PWD}
agent=com.codeteleport.codeteleportd.plist
plist=$build/launchd/$agent
work=$(mktemp -d "${TMPDIR:-/tmp}/ct.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
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

echo 1..3
if command -v plistutil >/dev/null; then
    plistutil -i "$plist" -f bin -o "$work/agent.bin" >"$work/out" 2>&1 &&
        plistutil -i "$work/agent.bin" -f xml -o "$work/agent.xml" >>"$work/out" 2>&1
    result $? "1 - the agent is a property list, as plistutil reads it"
else
    echo "ok 1 - the agent is a property list, as plistutil reads it # SKIP plistutil is not installed"
fi

python3 - "$plist" >"$work/out" 2>&1 <<'PY'
import plistlib, sys
p = plistlib.load(open(sys.argv[1], "rb"))
want = {
    "Label": "com.codeteleport.codeteleportd",
    "RunAtLoad": True,
    "KeepAlive": {"SuccessfulExit": False},  # so also after status 79
    "LowPriorityIO": True,
    "ProcessType": "Background",
    "Umask": 0o077,
    "HardResourceLimits": {"Core": 0},
}
for key, value in want.items():
    assert p[key] == value, (key, p.get(key))
shell, c, line = p["ProgramArguments"]
assert (shell, c) == ("/bin/sh", "-c"), p["ProgramArguments"]
assert line.startswith('exec "/') and "/bin/codeteleportd\"" in line, line
assert "$HOME/Library/Logs/codeteleportd.log" in line, line
assert 15 < p["ExitTimeOut"], p["ExitTimeOut"]
PY
result $? "2 - it is kept alive, stays in the background, logs where logs are on macOS"

# What `make install` does on Darwin, from a configuration for it; nothing is compiled.  By a relative
# name, for configure takes no absolute one with a space in it.
mkdir "$work/darwin" && ln -s "$src" "$work/src" && (
    cd "$work/darwin" &&
        ../src/configure --host=x86_64-apple-darwin20 --disable-linux CC="${CC:-gcc}" &&
        make install-launchagentDATA DESTDIR="$work/root" prefix=/opt/ct &&
        test -s "$work/root/opt/ct/Library/LaunchAgents/$agent" &&
        ! ls "$work/root/opt/ct/lib/systemd" 2>/dev/null
) >"$work/out" 2>&1
result $? "3 - make install on Darwin puts it into Library/LaunchAgents"
exit $bad
