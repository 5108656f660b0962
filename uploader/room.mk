noinst_LIBRARIES += uploader/libuploader.a
uploader_libuploader_a_SOURCES = \
  uploader/backoff.c uploader/backoff.h \
  uploader/beside.c uploader/beside.h \
  uploader/keep.c uploader/keep.h \
  uploader/kept.c uploader/kept.h \
  uploader/outage.c uploader/outage.h \
  uploader/probe.c uploader/probe.h \
  uploader/queue.c uploader/queue.h \
  uploader/spoolfile.c uploader/spoolfile.h \
  uploader/transfer.c uploader/transfer.h uploader/transfer_impl.h \
  uploader/transfer_held.c uploader/transfer_stock.c \
  uploader/uploader.c uploader/uploader.h uploader/uploader_impl.h \
  uploader/uploader_fail.c \
  uploader/uploader_look.c \
  uploader/uploader_seal.c \
  uploader/verdict.c uploader/verdict.h
EXTRA_DIST += uploader/README.md
