noinst_LIBRARIES += net/libnet.a
net_libnet_a_SOURCES = \
  net/http.h net/http_call.h \
  net/http_call.c net/http_engine.c net/http_pool.c net/http_url.c

