noinst_LIBRARIES += ipc/libipc.a
ipc_libipc_a_SOURCES = \
  ipc/client.c \
  ipc/ipc.h \
  ipc/listen.c ipc/listen.h \
  ipc/message.c ipc/message.h \
  ipc/peer.h \
  ipc/server.c \
  ipc/stream.c ipc/stream.h
if ON_LINUX
ipc_libipc_a_SOURCES += ipc/peer_linux.c
else
ipc_libipc_a_SOURCES += ipc/peer_posix.c
endif
EXTRA_DIST += ipc/README.md
