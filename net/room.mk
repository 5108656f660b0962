noinst_LIBRARIES += net/libnet.a
net_libnet_a_SOURCES =
