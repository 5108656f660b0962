noinst_LIBRARIES += watcher/libwatcher.a
watcher_libwatcher_a_SOURCES = \
  watcher/anchor.c \
  watcher/backend/backend.h \
  watcher/backend/fs.c watcher/backend/fs.h \
  watcher/backend/poll_posix.c \
  watcher/backend/resume.c watcher/backend/resume.h \
  watcher/chain.c watcher/chain.h \
  watcher/core.h \
  watcher/debounce.c watcher/debounce.h \
  watcher/degraded.c \
  watcher/dirtree.c watcher/dirtree.h \
  watcher/drain.c \
  watcher/links.c \
  watcher/look.c \
  watcher/pass.c \
  watcher/root.c \
  watcher/scan.c \
  watcher/sigs.c watcher/sigs.h \
  watcher/untaken.c \
  watcher/watcher.c watcher/watcher.h \
  watcher/watches.c watcher/watches.h
if ON_LINUX
watcher_libwatcher_a_SOURCES += watcher/backend/fs_linux.c watcher/backend/resume_linux.c
else
if ON_DARWIN
watcher_libwatcher_a_SOURCES += watcher/backend/fs_darwin.c watcher/backend/resume_darwin.c
else
watcher_libwatcher_a_SOURCES += watcher/backend/fs_posix.c watcher/backend/resume_posix.c
endif
endif
if WITH_INOTIFY
watcher_libwatcher_a_SOURCES += watcher/backend/inotify_linux.c
else
if WITH_FSEVENTS
watcher_libwatcher_a_SOURCES += watcher/backend/fsevents_darwin.c
else
watcher_libwatcher_a_SOURCES += watcher/backend/system_posix.c
endif
endif
watcher_LIBS = watcher/libwatcher.a $(FSEVENTS_LIBS)
EXTRA_DIST += watcher/README.md watcher/backend/README.md
