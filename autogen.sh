#!/bin/sh
# Makes ./configure from configure.ac in a git checkout. A release tarball has it already.
set -e
cd "$(dirname "$0")"
exec autoreconf -fi
