# Measurements: they print ratios against a peer run beside them on the same data, and fail nothing.
EXTRA_DIST += bench/gen_corpus.py bench/bundle.sh bench/pull.sh bench/upload.sh bench/seal.sh
# These two are the tests' as well; they need no cmocka.
check_PROGRAMS += tests/bundle/openone tests/bundle/packone
tests_bundle_openone_SOURCES = tests/bundle/openone.c
tests_bundle_openone_LDADD = $(bundle_LIBS) $(common_LIBS)
tests_bundle_packone_SOURCES = tests/bundle/packone.c
tests_bundle_packone_LDADD = $(bundle_LIBS) $(common_LIBS)
include bench/scan.mk
include bench/seal.mk
include bench/server.mk

bench: all
	$(MAKE) $(AM_MAKEFLAGS) bench/scan bench/load bench/seal tests/bundle/packone tests/bundle/openone
	$(abs_builddir)/bench/scan
	$(abs_srcdir)/bench/bundle.sh $(abs_builddir)
	$(abs_srcdir)/bench/seal.sh $(abs_builddir)
	$(abs_srcdir)/bench/pull.sh $(abs_builddir)
	$(abs_srcdir)/bench/upload.sh $(abs_builddir)
	$(abs_srcdir)/bench/server.sh $(abs_builddir)
.PHONY: bench
