check_PROGRAMS += bench/seal
bench_seal_SOURCES = bench/seal.c
bench_seal_LDADD = $(bundle_LIBS) $(common_LIBS)
