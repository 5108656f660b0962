#!/bin/sh
# embed.sh NAME SRCDIR FILE...: print the files as the C source of ${NAME}[] and ${NAME}_n, struct page
# (common/data/page.h).  An index.html is "/"; of the others the path below web/ counts.
set -eu
name=$1 src=$2
shift 2
echo '/* Made by web/embed.sh. */'
echo '#include "common/data/page.h"'
echo "extern const struct page $name[];"
echo "extern const size_t ${name}_n;"
n=0
for f; do
    echo "static const unsigned char page_$n[] = {"
    od -An -v -tu1 "$src/$f" | sed 's/  */,/g; s/^,//; s/$/,/'
    echo '};'
    n=$((n + 1))
done
echo "const struct page $name[] = {"
n=0
for f; do
    case $f in
    *.html) type='text/html; charset=utf-8' ;;
    *.css) type='text/css; charset=utf-8' ;;
    *.js) type='text/javascript; charset=utf-8' ;;
    *.svg) type=image/svg+xml ;;
    esac
    path=/${f#web/}
    [ "${path##*/}" != index.html ] || path=/
    echo "    {\"$path\", \"$type\", page_$n, sizeof(page_$n)},"
    n=$((n + 1))
done
echo '};'
echo "const size_t ${name}_n = sizeof($name) / sizeof($name[0]);"
