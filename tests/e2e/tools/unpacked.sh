#!/bin/sh
# unpacked.sh PACKAGE...: Debian's packages, downloaded and unpacked below the build folder and not
# installed, for what they install would start a service.  Prints the folder; status 77, with a word
# why, where they can't be had.
set -eu
dir=$CT_BUILD/unpacked
mkdir -p "$dir"
command -v apt-get >/dev/null || { echo "no apt-get" >&2; exit 77; }
for package; do
    [ ! -e "$dir/$package.is-there" ] || continue
    rm -rf "$dir/debs"
    mkdir "$dir/debs"
    (cd "$dir/debs" && apt-get download -q "$package" >log 2>&1) || { echo "$package can't be downloaded" >&2; exit 77; }
    dpkg -x "$dir"/debs/"$package"_*.deb "$dir"
    rm -rf "$dir/debs"
    touch "$dir/$package.is-there"
done
echo "$dir"
