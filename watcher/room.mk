noinst_LIBRARIES += watcher/libwatcher.a
watcher_libwatcher_a_SOURCES =
