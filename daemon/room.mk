noinst_LIBRARIES += daemon/libdaemon.a
daemon_libdaemon_a_SOURCES = \
  daemon/account/allowance.c daemon/account/allowance.h \
  daemon/account/books.c daemon/account/books.h \
  daemon/account/cloud.c daemon/account/cloud.h daemon/account/cloud_impl.h \
  daemon/account/cloud_item.c \
  daemon/account/cloud_look.c \
  daemon/account/cloud_verify.c \
  daemon/account/login_view.c daemon/account/login_view.h \
  daemon/account/naming.c daemon/account/naming.h \
  daemon/account/pace.c daemon/account/pace.h \
  daemon/account/reseal.c \
  daemon/account/room.c daemon/account/room.h \
  daemon/account/salvage.c \
  daemon/account/sealing.c daemon/account/sealing.h \
  daemon/account/sealing_report.c \
  daemon/account/state.c daemon/account/state.h \
  daemon/account/state_manifest.c \
  daemon/account/state_elsewhere.c \
  daemon/account/state_seal.c \
  daemon/account/state_writer.c \
  daemon/control/apart.c daemon/control/apart.h \
  daemon/control/control.c \
  daemon/control/listing.c \
  daemon/control/pause.c \
  daemon/control/report.c \
  daemon/control/report_line.c \
  daemon/cleanup.c \
  daemon/daemon.c \
  daemon/daemon.h \
  daemon/gather.c \
  daemon/network.c \
  daemon/notify.c \
  daemon/reload.c \
  daemon/restart.c \
  daemon/session/adopt.c daemon/session/adopt.h \
  daemon/session/bundler.c \
  daemon/session/changes.c \
  daemon/session/credscan.c daemon/session/credscan.h \
  daemon/session/exclusion.c daemon/session/exclusion.h \
  daemon/session/growth.c daemon/session/growth.h \
  daemon/session/headlook.c daemon/session/headlook.h \
  daemon/session/job.c daemon/session/job.h \
  daemon/session/profile.c daemon/session/profile.h \
  daemon/session/recording.c daemon/session/recording.h \
  daemon/session/rules.c daemon/session/rules.h \
  daemon/session/sessions.c daemon/session/sessions.h \
  daemon/session/uploads.c \
  daemon/session/waiter.c \
  daemon/session/whereabouts.c daemon/session/whereabouts.h \
  daemon/session/withhold.c daemon/session/withhold.h \
  daemon/suspend.c \
  daemon/system/confine.c daemon/system/confine.h \
  daemon/system/launchd.c daemon/system/launchd.h \
  daemon/system/lock.c daemon/system/lock.h \
  daemon/system/resources.h \
  daemon/system/sandbox.h \
  daemon/system/sleep.h \
  daemon/system/desktop.h \
  daemon/system/supervise.h \
  daemon/woke.c
if ON_LINUX
daemon_libdaemon_a_SOURCES += daemon/system/resources_linux.c daemon/system/sandbox_linux.c \
  daemon/system/supervise_linux.c
else
daemon_libdaemon_a_SOURCES += daemon/system/resources_posix.c daemon/system/sandbox_posix.c \
  daemon/system/supervise_posix.c
endif
EXTRA_DIST += daemon/system/resources_linux.c daemon/system/resources_posix.c
EXTRA_DIST += daemon/system/sandbox_linux.c daemon/system/sandbox_posix.c
EXTRA_DIST += daemon/system/supervise_linux.c daemon/system/supervise_posix.c
if WITH_SYSTEMD
daemon_libdaemon_a_SOURCES += daemon/system/sleep_systemd.c daemon/system/desktop_systemd.c
else
daemon_libdaemon_a_SOURCES += daemon/system/sleep_none.c daemon/system/desktop_none.c
endif
EXTRA_DIST += daemon/system/sleep_systemd.c daemon/system/sleep_none.c \
  daemon/system/desktop_systemd.c daemon/system/desktop_none.c

bin_PROGRAMS += bin/codeteleportd
bin_codeteleportd_SOURCES = daemon/main.c
bin_codeteleportd_LDADD = daemon/libdaemon.a uploader/libuploader.a $(watcher_LIBS) \
  bundle/libbundle.a api/libapi.a ipc/libipc.a agents/libagents.a net/libnet.a \
  $(bundle_LIBS) $(CURL_LIBS) $(common_LIBS) $(SYSTEMD_LIBS)
EXTRA_DIST += daemon/README.md daemon/account/README.md daemon/control/README.md \
  daemon/session/README.md daemon/system/README.md
