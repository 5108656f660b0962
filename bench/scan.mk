check_PROGRAMS += bench/scan
bench_scan_SOURCES = bench/scan.c
bench_scan_LDADD = watcher/libwatcher.a agents/libagents.a $(common_LIBS) $(EVENT_LIBS)
