# The pages that ctctl web shows.  No build step: they are what they are, held by the program.
web_pages = web/index.html web/style.css web/icon.svg web/app.js web/ask.js web/dom.js web/list.js \
  web/prose.js web/session.js web/turns.js
EXTRA_DIST += $(web_pages) web/embed.sh web/README.md
CLEANFILES += ctctl/web/pages.c
ctctl/web/pages.c: $(web_pages) web/embed.sh
	$(AM_V_GEN)$(MKDIR_P) ctctl/web && sh $(srcdir)/web/embed.sh $(srcdir) $(web_pages) >$@.tmp && mv $@.tmp $@
