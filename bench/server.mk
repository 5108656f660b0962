check_PROGRAMS += bench/load
bench_load_SOURCES = bench/load.c
bench_load_LDADD = $(server_LIBS)
EXTRA_DIST += bench/server.sh bench/seed_server.py
