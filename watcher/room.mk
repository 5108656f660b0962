noinst_LIBRARIES += watcher/libwatcher.a
watcher_libwatcher_a_SOURCES = \
  watcher/anchor.c \
  watcher/backend.h \
  watcher/chain.c watcher/chain.h \
  watcher/core.h \
  watcher/debounce.c watcher/debounce.h \
  watcher/degraded.c \
  watcher/dirtree.c watcher/dirtree.h \
  watcher/drain.c \
  watcher/fs.c watcher/fs.h \
  watcher/look.c \
  watcher/pass.c \
  watcher/poll_posix.c \
  watcher/resume.c watcher/resume.h \
  watcher/root.c \
  watcher/scan.c \
  watcher/sigs.c watcher/sigs.h \
  watcher/table.c watcher/table.h \
  watcher/watcher.c watcher/watcher.h \
  watcher/watches.c watcher/watches.h
if ON_LINUX
watcher_libwatcher_a_SOURCES += watcher/fs_linux.c watcher/resume_linux.c
else
watcher_libwatcher_a_SOURCES += watcher/fs_posix.c watcher/resume_posix.c
endif
if WITH_INOTIFY
watcher_libwatcher_a_SOURCES += watcher/inotify_linux.c
else
watcher_libwatcher_a_SOURCES += watcher/system_posix.c
endif
