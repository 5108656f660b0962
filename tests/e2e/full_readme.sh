#!/bin/sh
# tests/e2e/heavy_readme.sh with the whole suite by README's test command, as root and as a user.  Prints TAP.
CT_README=full exec bash "${CT_SRC:-$(dirname "$0")/../..}/tests/e2e/heavy_readme.sh" "$@"
