noinst_LIBRARIES += common/libcommon.a
common_libcommon_a_SOURCES = \
  common/account.c common/account.h \
  common/bech32.c common/bech32.h \
  common/buf.c common/buf.h \
  common/conf.c common/conf.h \
  common/config.c common/config.h \
  common/cred.c common/cred.h \
  common/db.c common/db.h common/db_impl.h common/db_migrate.c \
  common/err.c common/err.h \
  common/fd.c common/fd.h \
  common/file.c common/file.h \
  common/hash.c common/hash.h \
  common/heap.c common/heap.h \
  common/hkdf.c common/hkdf.h \
  common/jdoc.c common/jdoc.h \
  common/jscan.c common/jscan.h \
  common/key_command.c common/key_command.h \
  common/keyring.c common/keyring.h common/keyring_inside.h \
  common/keyring_file.c \
  common/log.c common/log.h common/log_impl.h \
  common/log_fields.c common/log_fields.h \
  common/log_journal.h \
  common/map.c common/map.h \
  common/now.c common/now.h \
  common/path.c common/path.h \
  common/secret.c common/secret.h common/secret_impl.h \
  common/service.h \
  common/str.c common/str.h \
  common/strlist.c common/strlist.h \
  common/toml.c common/toml.h \
  common/uuid.c common/uuid.h \
  common/worker.c common/worker.h
if ON_LINUX
common_libcommon_a_SOURCES += common/secret_linux.c
else
common_libcommon_a_SOURCES += common/secret_posix.c
endif
if ON_DARWIN
common_libcommon_a_SOURCES += common/file_darwin.c
else
common_libcommon_a_SOURCES += common/file_posix.c
endif
EXTRA_DIST += common/secret_linux.c common/secret_posix.c common/file_darwin.c common/file_posix.c
# They link against libsystemd in the programs that name $(SYSTEMD_LIBS), and in no other.
if WITH_SYSTEMD
common_libcommon_a_SOURCES += common/log_journal_systemd.c common/service_systemd.c
else
common_libcommon_a_SOURCES += common/log_journal_none.c common/service_none.c
endif
EXTRA_DIST += common/service_systemd.c common/service_none.c \
  common/log_journal_systemd.c common/log_journal_none.c
common_LIBS = common/libcommon.a $(SQLITE_LIBS) $(JSONC_LIBS) $(CONFIG_LIBS) $(EVENT_LIBS) $(CRYPTO_LIBS) $(UTF8PROC_LIBS)
