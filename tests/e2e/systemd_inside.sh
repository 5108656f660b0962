#!/bin/bash
# What tests/e2e/heavy_systemd.sh runs as root in the container that it booted: the packages in /debs, a user
# with lingering, and systemd 252 or newer.  Prints one line a case, "ok - NAME" or "not ok - NAME", with
# what was seen before it; the last line is "end".

unit=codeteleportd
home=/home/pat
config=$home/.config/codeteleport/codeteleportd.conf

# ---- helpers -------------------------------------------------------------------------------------

# as COMMAND...: as the user, in the user's home, with what a session would set
as() {
    local uid
    uid=$(id -u pat)
    (cd $home && setpriv --reuid=pat --regid=pat --init-groups env -i HOME=$home USER=pat NO_COLOR=1 \
        LC_ALL=C.UTF-8 PATH=/usr/bin:/bin XDG_RUNTIME_DIR="/run/user/$uid" "$@" </dev/null)
}
sc() { as systemctl --user "$@"; }
show() { sc show -P "$1" $unit.service; }
journal() { journalctl -q -o cat _SYSTEMD_USER_UNIT=$unit.service + USER_UNIT=$unit.service "$@"; }

# within SECONDS COMMAND...: until it succeeds
within() {
    local until=$((SECONDS + $1))
    shift
    until "$@" >/tmp/within 2>&1; do
        if [ $SECONDS -ge $until ]; then
            echo "never: $*"
            cat /tmp/within
            return 1
        fi
        sleep 0.2
    done
}

is() { [ "$1" = "$2" ] || { echo "it is '$1', not '$2'"; return 1; }; }
show_is() { is "$(show "$1")" "$2"; }
json() { as ctctl --json status | jq_like "$1"; }
# jq_like KEY: a number or string of the document, by its name; there is no jq in here
jq_like() { tr -d '\n' | grep -o "\"$1\": *[^,}]*" | head -n 1 | sed 's/^[^:]*: *//; s/"//g'; }
is_running_anew() { [ "$(show MainPID)" != "$1" ] && show_is ActiveState active; }

transcript() {
    local id dir=$home/.claude/projects/-home-pat-p
    id=$(cat /proc/sys/kernel/random/uuid)
    as mkdir -p "$dir"
    printf '{"type":"user","uuid":"%s","timestamp":"2026-11-23T20:00:00.000Z",%s"content":"%s"}}\n' \
        "$id" '"cwd":"/home/pat/p","message":{"role":"user",' "$1" >/tmp/new
    install -o pat -g pat -m 600 /tmp/new "$dir/$id.jsonl"
}

conf() {
    as mkdir -p "$(dirname $config)"
    printf 'ca_file = "%s/ca.pem"; quiet = 0.3; distance = 0;\n%s\n' $home "$1" >$config
    chown pat: $config
}

# drop_in NAME TEXT: and what is to be read anew is
drop_in() {
    as mkdir -p $home/.config/systemd/user/$unit.service.d
    printf '[Service]\n%s\n' "$2" >"$home/.config/systemd/user/$unit.service.d/$1.conf"
    sc daemon-reload
}

# doctor CHECK: what it says of that
doctor() { as ctctl doctor 2>&1 | grep -i -A3 "$1"; }

# exposure: by systemd-analyze, in tenths
exposure() {
    as systemd-analyze --user security --no-pager $unit.service |
        sed -n 's/.*Overall exposure level for [^:]*: \([0-9]*\)\.\([0-9]\).*/\1\2/p'
}

# ---- cases ---------------------------------------------------------------------------------------

packages_install() {
    systemctl is-system-running --wait
    # There is no network in here: what the packages depend on was downloaded before.
    DEBIAN_FRONTEND=noninteractive dpkg -i /var/cache/apt/archives/*.deb /debs/*.deb || return 1
    useradd -m -s /bin/bash pat && loginctl enable-linger pat || return 1
    within 30 sc is-system-running
}

nothing_runs_unasked() {
    is "$(sc is-enabled $unit.service)" disabled && is "$(sc is-enabled $unit.socket)" disabled &&
        ! pgrep -x $unit
}

the_server_runs() {
    systemctl is-enabled codeteleport-server.service &&
        within 30 systemctl is-active codeteleport-server.service &&
        is "$(systemctl is-enabled codeteleport-server.socket)" disabled &&
        is "$(stat -c '%U %a' /var/lib/codeteleport-server)" 'codeteleport-server 700' &&
        is "$(stat -c '%U %a' /run/codeteleport-server)" 'codeteleport-server 755' &&
        tr '\0' '\n' <"/proc/$(systemctl show -P MainPID codeteleport-server)/environ" | grep -x MALLOC_ARENA_MAX=4
}

# As README's proxies reach it: by sockets in the folder that the unit makes, which the proxy's user may enter.
a_proxy_reaches_it() {
    local conf=/etc/codeteleport/server.conf
    # There is no curl here, and perl-base is everywhere.
    healthy() {
        runuser -u nobody -- perl -MIO::Socket::UNIX -e '
            $s = IO::Socket::UNIX->new(Peer => "/run/codeteleport-server/api") or exit 1;
            print $s "GET /v1/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
            exit(<$s> =~ / 200 / ? 0 : 1)'
    }
    mkdir -p ${conf%/*}
    cat >$conf <<CONF
listen = "unix:/run/codeteleport-server/api"; objects = "unix:/run/codeteleport-server/objects";
public_api_url = "https://tele.example.org"; public_objects_url = "https://objects.example.org";
tls = "off"; trusted_proxy = [ "unix" ];
CONF
    systemctl restart codeteleport-server && within 20 healthy || return 1
    systemctl reload codeteleport-server && within 20 healthy || return 1
    rm $conf
    systemctl restart codeteleport-server
}

# Its own watchdog, shortened: it is fed, and a server that hangs is ended and started anew.
a_server_that_hangs_comes_back() {
    local dir=/run/systemd/system/codeteleport-server.service.d pid first
    server_is() { [ "$(systemctl show -P "$1" codeteleport-server)" = "$2" ]; }
    server_fed() { [ "$(systemctl show -P WatchdogTimestampMonotonic codeteleport-server)" -gt "$1" ]; }
    server_is_anew() { systemctl is-active -q codeteleport-server && ! server_is MainPID "$1"; }
    server_is WatchdogUSec 3min || return 1
    mkdir -p $dir
    printf '[Service]\nWatchdogSec=2s\nTimeoutAbortSec=1s\n' >$dir/watchdog.conf
    systemctl daemon-reload
    systemctl restart codeteleport-server
    pid=$(systemctl show -P MainPID codeteleport-server)
    first=$(systemctl show -P WatchdogTimestampMonotonic codeteleport-server)
    within 20 server_fed "$first" || return 1
    kill -STOP "$pid"
    within 40 server_is_anew "$pid" || return 1
    rm -r $dir
    systemctl daemon-reload
    systemctl restart codeteleport-server
}

units_are_sound() {
    local said
    said=$(systemd-analyze verify --man=no codeteleport-server.service codeteleport-server.socket \
        codeteleport-server-objects.socket 2>&1
        as systemd-analyze --user verify --man=no $unit.service $unit.socket 2>&1)
    is "$said" ''
}

doctor_before() {
    doctor daemon | grep -F 'it does not run' && doctor service | grep -F 'is disabled' &&
        doctor service | grep -F "systemctl --user enable --now $unit"
}

enable_now() {
    sc enable --now $unit || return 1
    show_is ActiveState active && show_is SubState running && is "$(sc is-enabled $unit.socket)" enabled &&
        is "$(sc is-active $unit.socket)" active || return 1
    is "$(stat -c '%a %U' "/run/user/$(id -u pat)/codeteleport/control.sock")" '600 pat' &&
        is "$(stat -c '%a %U' "/run/user/$(id -u pat)/codeteleport")" '700 pat' &&
        within 10 sh -c "$(declare -f as sc show); unit=$unit home=$home; show StatusText | grep 'ctctl login'"
}

# Lingering is a file; taken away for real, the user's manager would end here, with all that it runs.
doctor_after() {
    local mark=/var/lib/systemd/linger/pat
    doctor service | grep -F 'is enabled' && doctor lingering | grep -F 'on: the daemon runs' || return 1
    mv $mark /tmp/linger
    doctor lingering | grep -F 'loginctl enable-linger'
    local status=$?
    mv /tmp/linger $mark
    return $status
}

a_session_is_synced() {
    install -o pat -g pat -m 644 /var/lib/codeteleport-server/ca.pem $home/ca.pem || return 1
    conf ''
    sc restart $unit || return 1
    echo correct horse battery >/tmp/password
    chmod 644 /tmp/password
    # As README says: the package lets nobody register.
    as sh -c 'ctctl login --register --email pat@example.org --password-stdin \
        --api-url https://127.0.0.1:8787/v1 </tmp/password' && return 1
    runuser -u codeteleport-server -- env XDG_CONFIG_HOME=/etc \
        codeteleport-server --data /var/lib/codeteleport-server user add pat@example.org \
        </tmp/password || return 1
    as sh -c 'ctctl login --email pat@example.org --password-stdin \
        --api-url https://127.0.0.1:8787/v1 </tmp/password' || return 1
    transcript one && transcript two && transcript three
    # a daemon for which ~/.claude is new comes anew, and may do so while it is asked
    as timeout 60 ctctl sync --wait || as timeout 60 ctctl sync --wait || return 1
    within 10 status_text_is 'All 3 sessions are saved, on this machine only'
}
status_text_is() { show_is StatusText "$1"; }

walls_stand() {
    local pid
    pid=$(show MainPID)
    grep -E '^(NoNewPrivs|Seccomp):' "/proc/$pid/status"
    grep -q '^NoNewPrivs:[[:space:]]*1' "/proc/$pid/status" &&
        grep -q '^Seccomp:[[:space:]]*2' "/proc/$pid/status" &&
        grep -q '^Max core file size *0 *0' "/proc/$pid/limits" && is "$(ps -o ni= -p "$pid" | tr -d ' ')" 10
}

killed_comes_back() {
    local pid n
    pid=$(show MainPID)
    n=$(show NRestarts) # not 0: the sandbox can't follow a data folder that appears
    drop_in quick 'RestartSec=100ms'
    kill -9 "$pid"
    within 20 is_running_anew "$pid" && show_is NRestarts $((n + 1)) || return 1
    transcript 'after the kill'
    as timeout 60 ctctl sync --wait
}

hung_is_restarted() {
    local pid
    drop_in watchdog $'WatchdogSec=2s\nTimeoutAbortSec=1s'
    sc restart $unit
    pid=$(show MainPID)
    kill -STOP "$pid"
    within 40 is_running_anew "$pid" || return 1
    journal | grep -F 'Watchdog timeout' || return 1
    rm $home/.config/systemd/user/$unit.service.d/watchdog.conf
    sc daemon-reload
    sc restart $unit
    is "$(show WatchdogUSec)" 5min
}

# In a container the watchdog of two seconds has to be fed for a while, or it proves nothing above.
alive_is_left_alone() {
    local pid
    drop_in watchdog 'WatchdogSec=1s'
    sc restart $unit
    pid=$(show MainPID)
    local first
    first=$(show WatchdogTimestampMonotonic)
    within 20 fed_after "$first" || return 1
    within 20 fed_after "$(show WatchdogTimestampMonotonic)" && is "$(show MainPID)" "$pid" || return 1
    rm $home/.config/systemd/user/$unit.service.d/watchdog.conf
    sc daemon-reload
    sc restart $unit
}
fed_after() { [ "$(show WatchdogTimestampMonotonic)" -gt "$1" ]; }

reload_keeps_it_running() {
    local pid
    pid=$(show MainPID)
    conf 'log = "debug";'
    sc reload $unit && within 10 show_is ActiveState active && is "$(show MainPID)" "$pid" || return 1
    within 10 logged_debug || return 1
    conf 'roots = "soon";'
    sc reload $unit && within 10 show_is ActiveState active && is "$(show MainPID)" "$pid" || return 1
    within 10 sh -c 'journalctl -q -o cat -p warning | grep -F codeteleportd.conf:' || return 1
    conf ''
    sc reload $unit
}
logged_debug() { as ctctl status && journal -p debug | grep -q . && [ "$(journal PRIORITY=7 | wc -l)" -gt 0 ]; }

stops_with_an_upload_in_flight() {
    local t
    conf 'max_upload_rate = "64 KB";'
    sc restart $unit
    transcript "$(head -c 6000000 /dev/urandom | base64 -w 0)"
    as ctctl sync
    within 60 is_uploading || return 1
    t=$SECONDS
    sc stop $unit || return 1
    echo "stopped after $((SECONDS - t)) s"
    [ $((SECONDS - t)) -le 25 ] && show_is Result success && show_is ActiveState inactive || return 1
    conf ''
    sc start $unit && as timeout 60 ctctl sync --wait
}
is_uploading() { as ctctl --json status | grep -F '"phase": "uploading"\|"uploading"' || as ctctl --json list | grep -F uploading; }

is_stopped() { show_is ActiveState inactive && is "$(sc is-active $unit.socket)" inactive; }

who_is_stopped_stays_stopped() {
    sc restart $unit && is "$(sc is-active $unit.socket)" active || return 1
    sc stop $unit && within 10 is_stopped || return 1
    as timeout 30 ctctl status 2>/tmp/said
    is $? 69 && grep -q "systemctl --user .* codeteleportd" /tmp/said && is_stopped || return 1
    sc start $unit && is "$(sc is-active $unit.socket)" active && as timeout 30 ctctl status
}

# It ended by itself, and nobody stopped it.
asking_starts_it() {
    local pid
    pid=$(show MainPID)
    [ "$pid" -gt 1 ] && kill "$pid" || return 1
    within 30 show_is ActiveState inactive && is "$(sc is-active $unit.socket)" active || return 1
    as timeout 30 ctctl status || return 1
    within 10 show_is ActiveState active && show_is NRestarts 0 || return 1
    sc stop $unit.socket $unit.service
    # and without the socket's unit the daemon makes its own
    sc mask --runtime $unit.socket && sc start $unit && as timeout 30 ctctl status || return 1
    sc stop $unit
    sc unmask --runtime $unit.socket
    sc start $unit && is "$(sc is-active $unit.socket)" active
}

# ctctl reads the same file and would say so itself; a script may ask the socket all the same.
a_broken_configuration_hangs_nobody() {
    local status
    sc stop $unit && within 10 is_stopped && sc start $unit.socket || return 1
    conf 'roots = "soon";'
    as timeout 30 ctctl status
    is $? 78 || return 1
    as env XDG_CONFIG_HOME=$home/none timeout 60 ctctl status
    status=$?
    echo "ctctl's exit status: $status"
    is "$(show ExecMainStatus)" 78 || return 1
    [ $status != 0 ] && [ $status != 124 ] || return 1
    conf ''
    sc reset-failed $unit.service $unit.socket
    sc restart $unit && as timeout 30 ctctl status
}

crash_loop_ends() {
    drop_in broken $'ExecStart=\nExecStart=/bin/false\nRestartSec=10ms'
    sc stop $unit.socket $unit
    sc start $unit
    within 30 show_is Result exit-code && within 30 show_is ActiveState failed || return 1
    show NRestarts
    rm $home/.config/systemd/user/$unit.service.d/broken.conf
    sc daemon-reload
    sc reset-failed $unit.service $unit.socket
    sc start $unit && as timeout 30 ctctl status
}

base_exposure() {
    local e
    e=$(exposure)
    echo "exposure in tenths: $e"
    [ -n "$e" ] && [ "$e" -le 66 ]
}

strict_works() {
    local pid e
    as mkdir -p $home/.ssh && as sh -c "echo secret >$home/.ssh/id"
    as ln -s /usr/share/codeteleport/strict.conf $home/.config/systemd/user/$unit.service.d/
    sc daemon-reload && sc restart $unit && show_is ActiveState active || return 1
    transcript 'behind more walls'
    as timeout 60 ctctl sync --wait || return 1
    pid=$(show MainPID)
    inside() { nsenter -t "$pid" -m -- setpriv --reuid=pat --regid=pat --clear-groups "$@"; }
    inside test -r $home/.claude/projects || return 1
    ! inside touch $home/.claude/new && ! inside touch $home/new && ! inside cat $home/.ssh/id || return 1
    ! inside test -e $home/.claude/new && inside touch $home/.local/state/codeteleport/new || return 1
    is "$(as systemctl --user show -P PrivateUsers $unit)" yes || return 1
    e=$(exposure)
    echo "exposure in tenths: $e"
    [ -n "$e" ] && [ "$e" -le 25 ] || return 1
    is "$(as systemd-analyze --user verify --man=no $unit.service 2>&1)" ''
}

journal_has_priorities() {
    journal -p info | grep -q '^started ' && ! journal -p warning | grep -q '^started ' &&
        journal -p warning | grep -q . && ! journal | grep -q '^<[0-9]>'
}

purge_leaves_no_unit() {
    rm -r $home/.config/systemd/user/$unit.service.d
    DEBIAN_FRONTEND=noninteractive apt-get purge -q -y codeteleportd ctctl codeteleport-server || return 1
    sc disable $unit.service
    sc daemon-reload
    systemctl daemon-reload
    ! ls /usr/lib/systemd/user/codeteleport* /lib/systemd/system/codeteleport* /usr/share/codeteleport \
        /etc/systemd/system/*/codeteleport* /etc/systemd/user/*/codeteleport* 2>/dev/null &&
        ! systemctl is-active codeteleport-server && [ -d /var/lib/codeteleport-server/objects ] &&
        [ -d $home/.local/state/codeteleport ] && [ -f $home/.codeteleport/config.json ]
}

# ---- run -----------------------------------------------------------------------------------------

try() {
    local name=$1 t=$SECONDS
    shift
    if "$@" >/tmp/case 2>&1; then
        sed 's/^/# /' /tmp/case | grep -E 'exposure|stopped after|exit status' || true
        echo "ok - $name ($((SECONDS - t)) s)"
    else
        tail -n 30 /tmp/case | sed 's/^/# /'
        journal -n 8 | sed 's/^/# journal: /'
        echo "not ok - $name"
        return 1
    fi
}

try "the packages install" packages_install || exit
try "nothing of a user's runs before it is asked for" nothing_runs_unasked
try "the server runs, for it works without settings" the_server_runs
try "a proxy reaches it by sockets in its folder, after a reload too" a_proxy_reaches_it
try "a server that hangs is ended and comes back" a_server_that_hangs_comes_back
try "all units are sound" units_are_sound
try "doctor says that the service is not enabled, and the cure" doctor_before
try "enable --now is all there is to do" enable_now
try "doctor sees the enabled service, and whether there is lingering" doctor_after
try "sessions are synced, and the unit's status says so" a_session_is_synced
try "system calls are filtered, and there are no core dumps" walls_stand
try "a killed daemon comes back" killed_comes_back
try "a watchdog is fed, and fed again" alive_is_left_alone
try "a daemon that hangs is ended and comes back" hung_is_restarted
try "reload takes a new configuration, and leaves the old one if that is broken" reload_keeps_it_running
try "a stop with an upload in flight is clean and in time, and nothing is lost" stops_with_an_upload_in_flight
try "a daemon that somebody stopped stays stopped, whoever asks" who_is_stopped_stays_stopped
try "ctctl starts a daemon that ended through its socket" asking_starts_it
try "a broken configuration hangs nobody who asks" a_broken_configuration_hangs_nobody
try "a daemon that fails again and again is given up" crash_loop_ends
try "the base unit is not exposed more than it was" base_exposure
try "strict.conf works, and shuts what it says" strict_works
try "the journal has priorities" journal_has_priorities
try "a purge leaves no unit, and all that people stored" purge_leaves_no_unit
echo end
