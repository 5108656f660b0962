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

if ON_LINUX
systemduserunit_DATA = systemd/codeteleportd.service
endif
EXTRA_DIST += systemd/codeteleportd.service.in
CLEANFILES += systemd/codeteleportd.service systemd/codeteleportd.service.tmp
