# The daemon is a user's: a unit, its control socket, and more walls for those who link them in.  The
# server is the machine's: a unit with an account of its own, and sockets for those who want them.
# Without libsystemd neither can say when it is ready or that it is alive, nor be handed a socket.
if WITH_SYSTEMD
systemd_edit =
else
systemd_edit = -e 's/^Type=notify$$/Type=exec/' -e '/^WatchdogSec=/d' -e '/^\# Fed by/d' \
  -e '/^\# The socket comes/,/^ExecStopPost=/d' -e '/^Also=/d'
endif
systemd_make = $(MKDIR_P) systemd && \
  $(SED) -e 's|@bindir[@]|$(bindir)|g' -e 's|@datadir[@]|$(datadir)|g' $(systemd_edit)

systemd/codeteleportd.service: systemd/codeteleportd.service.in Makefile
	$(AM_V_GEN)$(systemd_make) $(srcdir)/systemd/codeteleportd.service.in >$@.tmp && mv -f $@.tmp $@
systemd/codeteleport-server.service: systemd/codeteleport-server.service.in Makefile
	$(AM_V_GEN)$(systemd_make) $(srcdir)/systemd/codeteleport-server.service.in >$@.tmp && \
	mv -f $@.tmp $@
systemd/strict.conf: systemd/strict.conf.in Makefile
	$(AM_V_GEN)$(systemd_make) $(srcdir)/systemd/strict.conf.in >$@.tmp && mv -f $@.tmp $@

systemd_user_socket = systemd/codeteleportd.socket
systemd_sockets = systemd/codeteleport-server.socket systemd/codeteleport-server-objects.socket
if ON_LINUX
systemduserunit_DATA = systemd/codeteleportd.service
systemdsystemunit_DATA = systemd/codeteleport-server.service
strictdir = $(datadir)/codeteleport
strict_DATA = systemd/strict.conf
if WITH_SYSTEMD
systemduserunit_DATA += $(systemd_user_socket)
systemdsystemunit_DATA += $(systemd_sockets)
endif

install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(sysusersdir)'
	$(INSTALL_DATA) $(srcdir)/systemd/codeteleport-server.sysusers \
	  '$(DESTDIR)$(sysusersdir)/codeteleport-server.conf'
uninstall-local:
	rm -f '$(DESTDIR)$(sysusersdir)/codeteleport-server.conf'
endif
EXTRA_DIST += systemd/codeteleportd.service.in systemd/codeteleport-server.service.in \
  systemd/strict.conf.in $(systemd_user_socket) $(systemd_sockets) \
  systemd/codeteleport-server.sysusers
CLEANFILES += systemd/codeteleportd.service systemd/codeteleportd.service.tmp \
  systemd/codeteleport-server.service systemd/codeteleport-server.service.tmp \
  systemd/strict.conf systemd/strict.conf.tmp
