noinst_LIBRARIES += ipc/libipc.a
ipc_libipc_a_CFLAGS = $(AM_CFLAGS) $(SHARED_CFLAGS)
ipc_libipc_a_SOURCES = \
  ipc/client.c \
  ipc/ctl.c ipc/ctl.h ipc/ctl_impl.h \
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

# libcodeteleport, for programs of others: ctl.h, on the same objects as ctctl.  What a shared library
# is called and how it is linked differs by system: see configure.ac.
ctllibdir = $(libdir)
nodist_ctllib_DATA = ipc/$(CTL_LIB)
ctlincludedir = $(includedir)/codeteleport
ctlinclude_HEADERS = ipc/ctl.h
pkgconfigdir = $(libdir)/pkgconfig
nodist_pkgconfig_DATA = ipc/codeteleport.pc
exampledir = $(docdir)/examples
dist_example_DATA = ipc/example.c
EXTRA_DIST += ipc/ctl.map
CLEANFILES += ipc/$(CTL_LIB) ipc/$(CTL_LINK)
ipc/$(CTL_LIB): ipc/libipc.a common/libcommon.a ipc/ctl.map
	$(AM_V_CCLD)$(CCLD) $(AM_CFLAGS) $(CFLAGS) $(LDFLAGS) $(CTL_LDFLAGS) -o $@ \
	  ipc/libipc_a-ctl.$(OBJEXT) ipc/libipc.a common/libcommon.a \
	  $(JSONC_LIBS) $(CONFIG_LIBS) $(CRYPTO_LIBS)
	$(AM_V_at)rm -f ipc/$(CTL_LINK) && $(LN_S) $(CTL_LIB) ipc/$(CTL_LINK)
install-data-hook:
	cd "$(DESTDIR)$(libdir)" && rm -f $(CTL_LINK) && $(LN_S) $(CTL_LIB) $(CTL_LINK)
uninstall-hook:
	rm -f "$(DESTDIR)$(libdir)/$(CTL_LINK)"
