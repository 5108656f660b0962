noinst_LIBRARIES += daemon/libdaemon.a
daemon_libdaemon_a_SOURCES = \
  daemon/adopt.c daemon/adopt.h \
  daemon/credscan.c daemon/credscan.h \
  daemon/daemon.h \
  daemon/books.c \
  daemon/bundler.c \
  daemon/changes.c \
  daemon/cloud.c daemon/cloud.h daemon/cloud_impl.h \
  daemon/cloud_item.c \
  daemon/confine.c daemon/confine.h \
  daemon/control.c \
  daemon/daemon.c \
  daemon/exclude.c daemon/exclude.h \
  daemon/excluded.c daemon/excluded.h \
  daemon/growth.c daemon/growth.h \
  daemon/job.c daemon/job.h \
  daemon/listing.c \
  daemon/lock.c daemon/lock.h \
  daemon/login.c daemon/login.h \
  daemon/network.c \
  daemon/pause.c \
  daemon/pace.c daemon/pace.h \
  daemon/plan.c daemon/plan.h \
  daemon/process.h \
  daemon/recording.c daemon/recording.h \
  daemon/reload.c \
  daemon/report.c \
  daemon/report_line.c \
  daemon/reseal.c \
  daemon/restart.c \
  daemon/room.c daemon/room.h \
  daemon/salvage.c \
  daemon/sandbox.h \
  daemon/sealing.c daemon/sealing.h \
  daemon/sealing_report.c \
  daemon/sessions.c \
  daemon/sleep.h \
  daemon/state.c daemon/state.h \
  daemon/state_seal.c \
  daemon/suspend.c \
  daemon/uploads.c \
  daemon/waiter.c \
  daemon/woke.c
if ON_LINUX
daemon_libdaemon_a_SOURCES += daemon/process_linux.c daemon/sandbox_linux.c
else
daemon_libdaemon_a_SOURCES += daemon/process_posix.c daemon/sandbox_posix.c
endif
EXTRA_DIST += daemon/process_linux.c daemon/process_posix.c
EXTRA_DIST += daemon/sandbox_linux.c daemon/sandbox_posix.c
if WITH_SYSTEMD
daemon_libdaemon_a_SOURCES += daemon/sleep_systemd.c
else
daemon_libdaemon_a_SOURCES += daemon/sleep_none.c
endif
EXTRA_DIST += daemon/sleep_systemd.c daemon/sleep_none.c

bin_PROGRAMS += bin/codeteleportd
bin_codeteleportd_SOURCES = daemon/main.c
bin_codeteleportd_LDADD = daemon/libdaemon.a uploader/libuploader.a watcher/libwatcher.a \
  bundle/libbundle.a api/libapi.a ipc/libipc.a agents/libagents.a net/libnet.a \
  $(bundle_LIBS) $(CURL_LIBS) $(common_LIBS) $(SYSTEMD_LIBS)
