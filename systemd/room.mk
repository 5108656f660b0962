# The user unit.  Without libsystemd the daemon can't say when it is ready, nor that it is alive.
if WITH_SYSTEMD
systemd_edit =
else
systemd_edit = -e 's/^Type=notify$$/Type=exec/' -e '/^WatchdogSec=/d'
endif

systemd/codeteleportd.service: systemd/codeteleportd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && \
	$(SED) -e 's|@bindir[@]|$(bindir)|g' $(systemd_edit) \
	  $(srcdir)/systemd/codeteleportd.service.in >$@.tmp && mv -f $@.tmp $@

# The server is the machine's: a unit with an account of its own, and sockets for those who want them.
systemd/codeteleport-server.service: systemd/codeteleport-server.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && \
	$(SED) -e 's|@bindir[@]|$(bindir)|g' $(systemd_edit) \
	  $(srcdir)/systemd/codeteleport-server.service.in >$@.tmp && mv -f $@.tmp $@

systemd_sockets = systemd/codeteleport-server.socket systemd/codeteleport-server-objects.socket
if ON_LINUX
systemduserunit_DATA = systemd/codeteleportd.service
systemdsystemunit_DATA = systemd/codeteleport-server.service
if WITH_SYSTEMD
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
  $(systemd_sockets) systemd/codeteleport-server.sysusers
CLEANFILES += systemd/codeteleportd.service systemd/codeteleportd.service.tmp \
  systemd/codeteleport-server.service systemd/codeteleport-server.service.tmp
