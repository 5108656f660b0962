noinst_LIBRARIES += net/libnet.a
net_libnet_a_SOURCES = \
  net/http.h net/http_call.h \
  net/http_call.c net/http_engine.c net/http_library.c net/http_pool.c net/http_url.c \
  net/network.h \
  net/throttle.c net/throttle.h
if ON_LINUX
net_libnet_a_SOURCES += net/network_linux.c
else
net_libnet_a_SOURCES += net/network_posix.c
endif
EXTRA_DIST += net/network_linux.c net/network_posix.c
net_libnet_a_SOURCES += net/metered.h
if WITH_SYSTEMD
net_libnet_a_SOURCES += net/bus_systemd.c net/bus_systemd.h net/metered_systemd.c
else
net_libnet_a_SOURCES += net/metered_none.c
endif
EXTRA_DIST += net/bus_systemd.c net/bus_systemd.h net/metered_systemd.c net/metered_none.c
EXTRA_DIST += net/README.md
