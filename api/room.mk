noinst_LIBRARIES += api/libapi.a
api_libapi_a_SOURCES = \
  api/api.h \
  api/client.c api/client.h \
  api/msg.c api/msg.h \
  api/msg_download.c \
  api/msg_head.c \
  api/msg_share.c \
  api/msg_upload.c \
  api/put.c api/put.h \
  api/store_error.c api/store_error.h
EXTRA_DIST += api/README.md
