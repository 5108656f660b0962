#!/bin/bash
# A release tarball builds in a bare Debian with nothing but what the README names; Debian's packages are
# built from it there; and in a container with a real systemd an ordinary user installs and uses them
# (tests/e2e/systemd_inside.sh).  Prints TAP.  All trees lie below the build folder, in tests/systemd-trees/.
# With CT_DEBS=DIR packages that are there already are used, and only the container is tried.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -u
CT_BUILD=${CT_BUILD:-$PWD}
CT_SRC=${CT_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
trees=$CT_BUILD/tests/systemd-trees
inside_names=$(sed -n 's/^try "\([^"]*\)" .*/\1/p' "$CT_SRC/tests/e2e/systemd_inside.sh")

# ---- can it be done here? ------------------------------------------------------------------------

skip() {
    echo "1..0 # SKIP $*"
    exit 0
}

if [ "${1:-}" != in-namespace ]; then
    [ "${CT_SANITIZERS:-no}" != yes ] || skip "the packages are built without sanitizers anyway"
    for p in systemd-nspawn lintian dpkg-deb; do
        command -v $p >/dev/null || skip "there is no $p"
    done
fi
. "$CT_SRC/tests/e2e/trees.bash"
needs_trees "$@"

n=0
failed=0
lintian=
ok() { n=$((n + 1)) && echo "ok $n - $*"; }
not_ok() {
    n=$((n + 1)) failed=1
    echo "not ok $n - $1"
    tail -n 40 "$2" | sed 's/^/# /'
}
# verdict NAME LOG STATUS
verdict() { if [ "$3" = 0 ]; then ok "$1"; else not_ok "$1" "$2"; fi; }

# ---- build ---------------------------------------------------------------------------------------

readme_packages() {
    sed -n '/^build_packages="/,/"$/p; /^optional_packages=/p' "$CT_SRC/quickstart" |
        sed 's/^[a-z]*_packages=//' | tr '"\n' '  ' |
        sed 's/\<autoconf\>//; s/\<automake\>//'
}

# What a clone needs besides is autoconf and automake: a tarball does not.
build_tarball() {
    # shellcheck disable=SC2046
    apt_in build install xz-utils $(readme_packages) || return 1
    rm -rf "$trees/build/src" && mkdir "$trees/build/src"
    tar -C "$trees/build/src" --strip-components=1 -xf "$tarball" || return 1
    ! in_tree build which autoconf automake || return 1
    in_tree build sh -ec 'mkdir /src/b && cd /src/b && ../configure CFLAGS=-O0 --enable-werror &&
        make -j"$(nproc)" && make install DESTDIR=/tmp/installed &&
        /tmp/installed/usr/local/bin/ctctl --version && rm -rf /src/b'
}

build_packages() {
    rm -rf "$trees/debs" && mkdir "$trees/debs"
    apt_in build install debhelper || return 1
    # Not all of build-essential is there, for it has a C++ compiler: hence -I and -d.
    in_tree build env DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=$(nproc)" \
        DEB_BUILD_PROFILES=nocheck sh -ec 'cd /src && dpkg-checkbuilddeps -I &&
            dpkg-buildpackage -d -us -uc -b' || return 1
    mv "$trees"/build/*.deb "$trees"/build/*.changes \
        "$trees"/build/*.buildinfo "$trees/debs"
}

# each_has: the files that people look for are in the package where they look
each_has() {
    local want
    for d in codeteleportd ctctl codeteleport-server; do
        dpkg-deb -c "$trees/debs/${d}"_*.deb | awk '{print $6}' >"$trees/$d.list" || return 1
    done
    for want in codeteleportd:usr/bin/codeteleportd codeteleportd:usr/lib/systemd/user/codeteleportd.service \
        codeteleportd:usr/lib/systemd/user/codeteleportd.socket codeteleportd:usr/share/codeteleport/strict.conf \
        codeteleportd:usr/share/man/man8/codeteleportd.8.gz codeteleportd:usr/share/man/man5/codeteleportd.conf.5.gz \
        codeteleportd:usr/share/bash-completion/completions/codeteleportd \
        codeteleport-server:usr/share/fish/vendor_completions.d/codeteleport-server.fish \
        ctctl:usr/bin/ctctl ctctl:usr/libexec/codeteleport/ctctl ctctl:usr/share/man/man1/ctctl.1.gz \
        ctctl:usr/share/bash-completion/completions/ctctl ctctl:usr/share/zsh/vendor-completions/_ctctl \
        ctctl:usr/share/fish/vendor_completions.d/ctctl.fish \
        codeteleport-server:usr/bin/codeteleport-server \
        codeteleport-server:lib/systemd/system/codeteleport-server.service \
        codeteleport-server:usr/lib/sysusers.d/codeteleport-server.conf \
        codeteleport-server:usr/share/man/man8/codeteleport-server.8.gz; do
        grep -qx "./${want#*:}" "$trees/${want%%:*}.list" || {
            echo "missing: $want"
            return 1
        }
    done
}

# ---- the container -------------------------------------------------------------------------------

# systemd wants cgroups of version 2; they are mounted for this namespace, and end with the container.
own_cgroup() {
    umount -l /sys/fs/cgroup/* 2>/dev/null
    mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null || return 1
    group=/sys/fs/cgroup/codeteleport-test.$$
    mkdir "$group"
}

boot() {
    apt_in machine install --download-only $(cd "$trees/machine" && ls ./debs/*.deb) >"$trees/download.log" 2>&1 ||
        return 1
    install -m 755 "$CT_SRC/tests/e2e/systemd_inside.sh" "$trees/machine/test.sh"
    cat >"$trees/machine/etc/systemd/system/test.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
ExecStart=/bin/bash -c "exec /test.sh >/test.out 2>&1"
ExecStopPost=systemctl poweroff --force --force
TimeoutStartSec=infinity
[Install]
WantedBy=default.target
UNIT
    in_tree machine systemctl enable test.service >/dev/null 2>&1
    in_tree machine systemctl mask apt-daily.timer apt-daily-upgrade.timer >/dev/null 2>&1
    : >"$trees/machine/test.out"
    (
        echo "$BASHPID" >"$group/cgroup.procs"
        SYSTEMD_SECCOMP=0 exec timeout -k 10 "${CT_SYSTEMD_S:-480}" nice systemd-nspawn -q --register=no \
            --keep-unit --private-network --console=pipe -D "$trees/machine" -b
    ) </dev/null >"$trees/nspawn.log" 2>&1
    find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null
    return 0
}

report() {
    local line
    grep -q . "$trees/machine/test.out" || {
        echo "# $(tail -n 1 "$trees/nspawn.log")"
        echo "$inside_names" | while IFS= read -r line; do
            echo "ok - $line # SKIP the container did not boot here"
        done >"$trees/machine/test.out"
        echo end >>"$trees/machine/test.out"
    }
    while IFS= read -r line; do
        case $line in
        "ok - "*) ok "${line#ok - }" ;;
        "not ok - "*) n=$((n + 1)) failed=1 && echo "not ok $n - ${line#not ok - }" ;;
        end) ;;
        *) echo "# ${line#\# }" ;;
        esac
    done <"$trees/machine/test.out"
    [ "$(tail -n 1 "$trees/machine/test.out")" = end ] || {
        echo "# what was to come after this never came"
        failed=1
    }
}

# ---- run -----------------------------------------------------------------------------------------

build_all() {
    make -C "$CT_BUILD" dist >"$trees/dist.log" 2>&1
    verdict "make dist makes a tarball" "$trees/dist.log" $?
    tarball=$(ls "$CT_BUILD"/codeteleportd-*.tar.xz | head -n 1)
    layer build "$trees/base"
    printf '#!/bin/sh\nexit 101\n' >"$trees/build/usr/sbin/policy-rc.d"
    chmod 755 "$trees/build/usr/sbin/policy-rc.d"
    mount -t proc proc "$trees/build/proc"
    take_debs build
    build_tarball >"$trees/tarball.log" 2>&1
    verdict "it builds in a bare Debian with what the README names, less autoconf and automake" \
        "$trees/tarball.log" $?
    build_packages >"$trees/packages.log" 2>&1
    verdict "Debian's packages are built from it" "$trees/packages.log" $?
    keep_debs build
    nice lintian --fail-on error --allow-root "$trees"/debs/*.changes >"$trees/lintian.log" 2>&1 &
    lintian=$! # it works while the container mostly waits
    each_has >"$trees/each.log" 2>&1
    verdict "each package has what people look for in it" "$trees/each.log" $?
}

main() {
    make_base
    layer machine "$trees/base"
    apt_in machine install systemd systemd-sysv dbus dbus-user-session libpam-systemd procps \
        >"$trees/systemd.log" 2>&1 || skip "systemd does not install: $(tail -n 1 "$trees/systemd.log")"
    rm -f "$trees"/machine/var/cache/apt/archives/*.deb
    if [ -n "${CT_DEBS:-}" ]; then
        echo "1..$(echo "$inside_names" | wc -l)"
        rm -rf "$trees/debs" && cp -r "$CT_DEBS" "$trees/debs"
    else
        echo "1..$((5 + $(echo "$inside_names" | wc -l)))"
        build_all
    fi

    cp -r "$trees/debs" "$trees/machine/debs"
    if own_cgroup; then boot; fi
    report
    if [ -n "$lintian" ]; then
        wait "$lintian"
        verdict "lintian has no errors" "$trees/lintian.log" $?
    fi
    umount -R "$trees/machine" "$trees/build" 2>/dev/null
    rm -rf --one-file-system "$trees"/machine.* "$trees"/build.* # the bare tree stays for the next time
    exit $failed
}

main # read whole before it begins: the file may change meanwhile
