# The pages that programs show.  No build step: they are what they are, held by the programs.
web_pages = web/index.html web/style.css web/icon.svg web/app.js web/ask.js web/dom.js web/frame.js \
  web/item.js web/list.js web/prose.js web/session.js web/turns.js
dashboard_pages = web/dashboard/index.html web/dashboard/account.js web/dashboard/ask.js \
  web/dashboard/door.js web/dashboard/holder.js web/dashboard/main.js web/dashboard/sessions.js \
  web/dashboard/things.js web/dom.js web/frame.js web/item.js web/prose.js web/style.css web/icon.svg
share_pages = web/share/index.html web/share/share.css web/share/share.js web/dom.js web/prose.js \
  web/style.css web/icon.svg
EXTRA_DIST += $(web_pages) $(dashboard_pages) web/share/index.html web/share/share.css \
  web/share/share.js web/embed.sh web/README.md web/dashboard/README.md
CLEANFILES += ctctl/web/pages.c server/api/dashboard_pages.c server/api/share_pages.c
ctctl/web/pages.c: $(web_pages) web/embed.sh
	$(AM_V_GEN)$(MKDIR_P) ctctl/web && sh $(srcdir)/web/embed.sh pages $(srcdir) $(web_pages) >$@.tmp && mv $@.tmp $@
server/api/dashboard_pages.c: $(dashboard_pages) web/embed.sh
	$(AM_V_GEN)$(MKDIR_P) server/api && sh $(srcdir)/web/embed.sh dashboard_pages $(srcdir) $(dashboard_pages) >$@.tmp && mv $@.tmp $@
server/api/share_pages.c: $(share_pages) web/embed.sh
	$(AM_V_GEN)$(MKDIR_P) server/api && sh $(srcdir)/web/embed.sh share_pages $(srcdir) $(share_pages) >$@.tmp && mv $@.tmp $@
