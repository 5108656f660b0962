noinst_LIBRARIES += common/libcommon.a
common_libcommon_a_CFLAGS = $(AM_CFLAGS) $(SHARED_CFLAGS)
common_libcommon_a_SOURCES = \
  common/base/buf.c common/base/buf.h \
  common/base/err.c common/base/err.h \
  common/base/fd.c common/base/fd.h \
  common/base/file.c common/base/file.h \
  common/base/hash.c common/base/hash.h \
  common/base/hashset.c common/base/hashset.h \
  common/base/heap.c common/base/heap.h \
  common/base/log.c common/base/log.h common/base/log_impl.h common/base/log_format.c \
  common/base/log_fields.c common/base/log_fields.h \
  common/base/log_journal.h \
  common/base/map.c common/base/map.h \
  common/base/now.c common/base/now.h \
  common/base/path.c common/base/path.h \
  common/base/percent.c common/base/percent.h \
  common/base/str.c common/base/str.h \
  common/base/strlist.c common/base/strlist.h \
  common/base/uuid.c common/base/uuid.h \
  common/config/account.c common/config/account.h \
  common/config/conf.c common/config/conf.h \
  common/config/config.c common/config/config.h \
  common/config/cred.c common/config/cred.h \
  common/config/device.c common/config/device.h \
  common/config/state_dir.c common/config/state_dir.h \
  common/config/key_command.c common/config/key_command.h \
  common/config/keyring.c common/config/keyring.h \
  common/config/retired.c common/config/retired.h \
  common/config/keyring_file.c common/config/keyring_file.h \
  common/config/keyring_open.c common/config/keyring_open.h \
  common/data/bech32.c common/data/bech32.h \
  common/data/db.c common/data/db.h common/data/db_impl.h common/data/db_migrate.c \
  common/data/hkdf.c common/data/hkdf.h \
  common/data/jdoc.c common/data/jdoc.h \
  common/data/names.c common/data/names.h \
  common/data/page.c common/data/page.h \
  common/data/jscan.c common/data/jscan.h \
  common/data/jtree.c common/data/jtree.h \
  common/sys/machine.h \
  common/sys/secret.c common/sys/secret.h common/sys/secret_impl.h \
  common/sys/service.h \
  common/sys/worker.c common/sys/worker.h
if ON_LINUX
common_libcommon_a_SOURCES += common/sys/secret_linux.c
else
common_libcommon_a_SOURCES += common/sys/secret_posix.c
endif
if ON_DARWIN
common_libcommon_a_SOURCES += common/base/file_darwin.c common/sys/machine_darwin.c
else
common_libcommon_a_SOURCES += common/base/file_posix.c common/sys/machine_posix.c
endif
EXTRA_DIST += common/sys/secret_linux.c common/sys/secret_posix.c common/base/file_darwin.c common/base/file_posix.c
# They link against libsystemd in the programs that name $(SYSTEMD_LIBS), and in no other.
if WITH_SYSTEMD
common_libcommon_a_SOURCES += common/base/log_journal_systemd.c common/sys/service_systemd.c
else
common_libcommon_a_SOURCES += common/base/log_journal_none.c common/sys/service_quiet.c
if ON_DARWIN
common_libcommon_a_SOURCES += common/sys/service_darwin.c
else
common_libcommon_a_SOURCES += common/sys/service_none.c
endif
endif
EXTRA_DIST += common/sys/service_systemd.c common/sys/service_none.c common/sys/service_quiet.c \
  common/sys/service_darwin.c \
  common/base/log_journal_systemd.c common/base/log_journal_none.c
common_LIBS = common/libcommon.a $(SQLITE_LIBS) $(JSONC_LIBS) $(CONFIG_LIBS) $(EVENT_LIBS) $(CRYPTO_LIBS) $(UTF8PROC_LIBS) $(ZSTD_LIBS)
EXTRA_DIST += common/README.md common/base/README.md common/config/README.md \
  common/data/README.md common/sys/README.md
