# Bare trees of Debian, in which a test can be on a machine of its own. For bash, as root.
#
# The test sets $trees, a folder below the build folder, and skip MESSAGE, which ends it; and it calls
# needs_trees "$@" before anything else.

# needs_trees [in-namespace]: everything that is mounted is mounted in a mount namespace of the test's
# own, in which it starts anew, and goes when the test ends.
needs_trees() {
    [ "${1:-}" != in-namespace ] || return 0
    [ "$(id -u)" = 0 ] || skip "a tree of Debian needs root"
    for p in debootstrap apt-get; do
        command -v $p >/dev/null || skip "there is no $p"
    done
    unshare -m true 2>/dev/null || skip "no mount namespaces here"
    exec unshare -m --propagation private bash "$0" in-namespace
}

# make_base: the bare tree in $trees/base, of the release that this machine has, from where this
# machine's apt gets it. It stays for the next time; whoever comes meanwhile waits.
make_base() {
    local codename mirror
    mkdir -p "$trees"
    exec {base_lock}>"$trees/base.lock"
    flock "$base_lock"
    if [ ! -d "$trees/base" ]; then
        codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
        # shellcheck disable=SC2016
        mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
            awk -v c="$codename" '$2 == c && $3 == "main" {print $1; exit}')
        [ -n "$mirror" ] || skip "apt knows no mirror of $codename"
        rm -rf "$trees/base.new"
        nice debootstrap --variant=minbase --include=ca-certificates \
            "$codename" "$trees/base.new" "$mirror" >"$trees/debootstrap.log" 2>&1 ||
            skip "debootstrap failed: $(tail -n 1 "$trees/debootstrap.log")"
        mkdir -p "$trees/archives"
        rm -f "$trees"/base.new/var/cache/apt/archives/*.deb
        mv "$trees/base.new" "$trees/base"
    fi
    exec {base_lock}>&-
}

# layer NAME LOWER: a tree of its own on top of another, in $trees/NAME
layer() {
    umount -R "$trees/$1" 2>/dev/null
    rm -rf --one-file-system "$trees/$1.up" "$trees/$1.work"
    mkdir -p "$trees/$1" "$trees/$1.up" "$trees/$1.work"
    mount -t overlay overlay -o "lowerdir=$2,upperdir=$trees/$1.up,workdir=$trees/$1.work" "$trees/$1" ||
        skip "no overlay file system here"
    cp /etc/resolv.conf "$trees/$1/etc/resolv.conf"
}

# in_tree NAME COMMAND...
in_tree() {
    local root=$trees/$1
    shift
    nice chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@" </dev/null
}

apt_in() {
    local tree=$1
    shift
    in_tree "$tree" apt-get -q -y -o DPkg::Options::=--force-unsafe-io -o APT::Sandbox::User=root \
        --no-install-recommends "$@"
}

# take_debs NAME, keep_debs NAME: what was downloaded for one tree is there for the next
take_debs() { cp -n "$trees"/archives/*.deb "$trees/$1/var/cache/apt/archives/" 2>/dev/null || true; }
keep_debs() { cp -n "$trees/$1"/var/cache/apt/archives/*.deb "$trees/archives/" 2>/dev/null || true; }
