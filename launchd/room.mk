# The agent for launchd.  Nothing can be installed into the homes of users: each user links or copies
# it to ~/Library/LaunchAgents.  Elsewhere it lies with the data, for those who share a prefix.
if ON_DARWIN
launchagentdir = $(prefix)/Library/LaunchAgents
else
launchagentdir = $(datadir)/codeteleport
endif
launchagent_DATA = launchd/com.codeteleport.codeteleportd.plist

launchd/com.codeteleport.codeteleportd.plist: launchd/com.codeteleport.codeteleportd.plist.in Makefile
	$(AM_V_GEN)$(MKDIR_P) launchd && \
	$(SED) -e 's|@bindir[@]|$(bindir)|g' \
	  $(srcdir)/launchd/com.codeteleport.codeteleportd.plist.in >$@.tmp && mv -f $@.tmp $@

EXTRA_DIST += launchd/com.codeteleport.codeteleportd.plist.in
CLEANFILES += launchd/com.codeteleport.codeteleportd.plist \
  launchd/com.codeteleport.codeteleportd.plist.tmp
