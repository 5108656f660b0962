#!/bin/sh
# embed.sh SRCDIR FILE...: print the files as the C source of ctctl/web/pages.h.
set -eu
src=$1
shift
echo '/* Made by web/embed.sh. */'
echo '#include "ctctl/web/pages.h"'
n=0
for f; do
    echo "static const unsigned char page_$n[] = {"
    od -An -v -tu1 "$src/$f" | sed 's/  */,/g; s/^,//; s/$/,/'
    echo '};'
    n=$((n + 1))
done
echo 'const struct page pages[] = {'
n=0
for f; do
    case $f in
    *.html) type='text/html; charset=utf-8' ;;
    *.css) type='text/css; charset=utf-8' ;;
    *.js) type='text/javascript; charset=utf-8' ;;
    *.svg) type=image/svg+xml ;;
    esac
    path=/${f##*/}
    [ "$path" != /index.html ] || path=/
    echo "    {\"$path\", \"$type\", page_$n, sizeof(page_$n)},"
    n=$((n + 1))
done
echo '};'
echo 'const size_t pages_n = sizeof(pages) / sizeof(pages[0]);'
