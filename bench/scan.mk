if ON_LINUX
check_PROGRAMS += bench/scan
bench_scan_SOURCES = bench/scan_linux.c
bench_scan_LDADD = $(watcher_LIBS) agents/libagents.a $(common_LIBS) $(EVENT_LIBS)
endif
