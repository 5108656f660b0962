noinst_LIBRARIES += ctctl/libctctl.a
ctctl_libctctl_a_SOURCES = \
  ctctl/cli.c ctctl/cli.h \
  ctctl/verbs.c ctctl/verbs.h \
  ctctl/cloud/bare.c ctctl/cloud/bare.h \
  ctctl/cloud/choice.c ctctl/cloud/choice.h \
  ctctl/cloud/copy.c ctctl/cloud/copy.h \
  ctctl/cloud/deletion.c ctctl/cloud/deletion.h \
  ctctl/cloud/download.c ctctl/cloud/download.h \
  ctctl/cloud/heads.c ctctl/cloud/heads.h \
  ctctl/cloud/item.c ctctl/cloud/item.h \
  ctctl/cloud/resolve.c ctctl/cloud/resolve.h \
  ctctl/cloud/revocable.c ctctl/cloud/revocable.h \
  ctctl/cloud/sessions.c ctctl/cloud/sessions.h \
  ctctl/cloud/unsaved.c ctctl/cloud/unsaved.h \
  ctctl/cmd/account/verb_devices.c \
  ctctl/cmd/account/verb_key.c \
  ctctl/cmd/account/verb_login.c \
  ctctl/cmd/account/verb_account.c \
  ctctl/cmd/account/verb_logout.c \
  ctctl/cmd/account/verb_tokens.c \
  ctctl/cmd/machine/verb_doctor.c \
  ctctl/cmd/machine/verb_exclude.c \
  ctctl/cmd/machine/verb_include.c \
  ctctl/cmd/machine/verb_mcp.c \
  ctctl/cmd/machine/verb_pause.c \
  ctctl/cmd/machine/verb_plugin.c \
  ctctl/cmd/machine/verb_resume.c \
  ctctl/cmd/machine/verb_status.c \
  ctctl/cmd/machine/verb_sync.c \
  ctctl/cmd/machine/verb_watch.c \
  ctctl/cmd/session/verb_backups.c \
  ctctl/cmd/session/verb_cat.c \
  ctctl/cmd/session/verb_delete.c \
  ctctl/cmd/session/verb_diff.c \
  ctctl/cmd/session/verb_export.c \
  ctctl/cmd/session/verb_import.c \
  ctctl/cmd/session/verb_list.c \
  ctctl/cmd/session/verb_pull.c \
  ctctl/cmd/session/verb_rename.c \
  ctctl/cmd/session/verb_scan.c \
  ctctl/cmd/session/verb_seal.c \
  ctctl/cmd/session/verb_share.c \
  ctctl/cmd/session/verb_shares.c \
  ctctl/cmd/session/verb_search.c \
  ctctl/cmd/session/verb_show.c \
  ctctl/cmd/session/verb_stats.c \
  ctctl/cmd/session/verb_tag.c \
  ctctl/cmd/session/verb_undelete.c \
  ctctl/cmd/session/verb_unshare.c \
  ctctl/cmd/session/verb_verify.c \
  ctctl/cmd/session/verb_versions.c \
  ctctl/cmd/session/verb_web.c \
  ctctl/complete.c ctctl/complete.h \
  ctctl/ctx/ctx.c ctctl/ctx/ctx.h \
  ctctl/ctx/ctx_cloud.c ctctl/ctx/ctx_daemon.c \
  ctctl/ctx/manager.c ctctl/ctx/manager.h \
  ctctl/ctx/ctx_own.c \
  ctctl/ctx/ctx_root.c \
  ctctl/ctx/opts.c ctctl/ctx/opts.h \
  ctctl/ctx/verb.h \
  ctctl/doctor/doctor.h \
  ctctl/doctor/doctor_here.c \
  ctctl/doctor/doctor_keys.c \
  ctctl/doctor/doctor_launchd.c \
  ctctl/doctor/doctor_net.c \
  ctctl/doctor/doctor_service.c \
  ctctl/doctor/doctor_store.c \
  ctctl/here/current.c ctctl/here/current.h \
  ctctl/here/exclude.c ctctl/here/exclude.h \
  ctctl/here/glance.c ctctl/here/glance.h \
  ctctl/here/naming.c ctctl/here/naming.h \
  ctctl/here/plugin.c ctctl/here/plugin.h \
  ctctl/here/sync_follow.c ctctl/here/sync_follow.h \
  ctctl/here/system.c ctctl/here/system.h \
  ctctl/here/target.c ctctl/here/target.h \
  ctctl/here/unknown.c ctctl/here/unknown.h \
  ctctl/here/watched.c ctctl/here/watched.h \
  ctctl/key/key.h \
  ctctl/key/key_account.c ctctl/key/key_account.h \
  ctctl/key/key_import.c \
  ctctl/key/key_lines.c ctctl/key/key_lines.h \
  ctctl/key/key_make.c \
  ctctl/key/key_retire.c ctctl/key/key_retire.h \
  ctctl/key/key_ring.c \
  ctctl/key/key_show.c \
  ctctl/key/key_status.c \
  ctctl/key/login.c ctctl/key/login.h \
  ctctl/key/login_key.c ctctl/key/login_key.h \
  ctctl/key/login_agents.c ctctl/key/login_agents.h \
  ctctl/key/login_profile.c ctctl/key/login_profile.h \
  ctctl/key/loopback.c ctctl/key/loopback.h \
  ctctl/mcp/mcp.c ctctl/mcp/mcp.h \
  ctctl/mcp/mcp_read.c ctctl/mcp/mcp_read.h \
  ctctl/mcp/mcp_tools.c \
  ctctl/program.c ctctl/program.h \
  ctctl/pull/backups.c ctctl/pull/backups.h \
  ctctl/pull/picker.c ctctl/pull/picker.h \
  ctctl/pull/pull.c ctctl/pull/pull.h \
  ctctl/pull/pull_adopt.c ctctl/pull/pull_adopt.h \
  ctctl/pull/pull_as.c ctctl/pull/pull_as.h \
  ctctl/pull/pull_apart.c ctctl/pull/pull_apart.h ctctl/pull/pull_heads.c ctctl/pull/pull_heads.h \
  ctctl/pull/pull_fallback.c ctctl/pull/pull_fallback.h \
  ctctl/pull/pull_many.c ctctl/pull/pull_many.h \
  ctctl/pull/pull_merge.c ctctl/pull/pull_merge.h \
  ctctl/pull/pull_profile.c ctctl/pull/pull_profile.h \
  ctctl/pull/pull_lacking.c ctctl/pull/pull_lacking.h \
  ctctl/pull/pull_say.c ctctl/pull/pull_say.h \
  ctctl/read/find.c ctctl/read/find.h \
  ctctl/read/reading.c ctctl/read/reading.h \
  ctctl/read/spent.c ctctl/read/spent.h \
  ctctl/read/telling.c ctctl/read/telling.h \
  ctctl/read/search.c ctctl/read/search.h \
  ctctl/seal/seal.c ctctl/seal/seal.h \
  ctctl/seal/seal_one.c ctctl/seal/seal_one.h \
  ctctl/seal/seal_put.c ctctl/seal/seal_put.h \
  ctctl/share/shares.c ctctl/share/shares.h \
  ctctl/share/showing.c ctctl/share/showing.h \
  ctctl/share/stays.c ctctl/share/stays.h \
  ctctl/share/wrap.c ctctl/share/wrap.h \
  ctctl/ui/folder.c ctctl/ui/folder.h \
  ctctl/ui/headline.c ctctl/ui/headline.h ctctl/ui/state.c ctctl/ui/state.h \
  ctctl/ui/jout.c ctctl/ui/jout.h \
  ctctl/ui/keys.c ctctl/ui/keys.h \
  ctctl/ui/not_saved.c ctctl/ui/not_saved.h \
  ctctl/ui/pager.c ctctl/ui/pager.h \
  ctctl/ui/progress.c ctctl/ui/progress.h \
  ctctl/ui/qr.h \
  ctctl/ui/status.c ctctl/ui/status.h \
  ctctl/ui/table.c ctctl/ui/table.h \
  ctctl/ui/term.c ctctl/ui/term.h \
  ctctl/ui/text.c ctctl/ui/text.h \
  ctctl/web/asks.c \
  ctctl/web/crowd.c ctctl/web/crowd.h \
  ctctl/web/errand.c ctctl/web/errand.h \
  ctctl/web/gate.c ctctl/web/gate.h \
  ctctl/web/pages.h \
  ctctl/web/pieces.c ctctl/web/pieces.h \
  ctctl/web/reads.c \
  ctctl/web/waits.c ctctl/web/waits.h \
  ctctl/web/site.c ctctl/web/site.h ctctl/web/site_impl.h
nodist_ctctl_libctctl_a_SOURCES = ctctl/web/pages.c
if ON_LINUX
ctctl_libctctl_a_SOURCES += ctctl/here/system_linux.c
else
ctctl_libctctl_a_SOURCES += ctctl/here/system_posix.c
endif
if WITH_QRENCODE
ctctl_libctctl_a_SOURCES += ctctl/ui/qr_libqrencode.c
else
ctctl_libctctl_a_SOURCES += ctctl/ui/qr_none.c
endif
EXTRA_DIST += ctctl/here/system_linux.c ctctl/here/system_posix.c ctctl/ui/qr_libqrencode.c ctctl/ui/qr_none.c
ctctl_LIBS = ctctl/libctctl.a ipc/libipc.a api/libapi.a net/libnet.a $(bundle_LIBS) $(common_LIBS) \
  $(CURL_LIBS) $(EVENT_LIBS) $(QRENCODE_LIBS)

bin_PROGRAMS += bin/ctctl
bin_ctctl_SOURCES = ctctl/front.c
bin_ctctl_CPPFLAGS = $(AM_CPPFLAGS) -DLIBEXECDIR='"$(libexecdir)"'
bin_ctctl_LDADD = ctctl/libctctl.a ipc/libipc.a net/libnet.a bundle/libbundle.a agents/libagents.a \
  common/libcommon.a $(SQLITE_LIBS) $(JSONC_LIBS) $(CONFIG_LIBS) $(CRYPTO_LIBS) $(UTF8PROC_LIBS)
fulldir = $(libexecdir)/codeteleport
full_PROGRAMS = libexec/codeteleport/ctctl
libexec_codeteleport_ctctl_SOURCES = ctctl/main.c
libexec_codeteleport_ctctl_LDADD = $(ctctl_LIBS)

# Where the shells look for completions of others (fish: see configure.ac).  ctctl offers what it
# knows; those of daemon and server are out of what --help prints.
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = ctctl/completion/ctctl
nodist_bashcompletion_DATA = ctctl/completion/codeteleportd ctctl/completion/codeteleport-server
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = ctctl/completion/_ctctl
nodist_zshcompletion_DATA = ctctl/completion/_codeteleportd ctctl/completion/_codeteleport-server
dist_fishcompletion_DATA = ctctl/completion/ctctl.fish
nodist_fishcompletion_DATA = ctctl/completion/codeteleportd.fish \
  ctctl/completion/codeteleport-server.fish
completion_from = ctctl/completion/help.bash ctctl/completion/help.zsh ctctl/completion/help.fish
EXTRA_DIST += $(completion_from)
CLEANFILES += $(nodist_bashcompletion_DATA) $(nodist_zshcompletion_DATA) \
  $(nodist_fishcompletion_DATA)
completion_make = $(AM_V_GEN)$(MKDIR_P) ctctl/completion && program=$(@F) && program=$${program\#_} && \
  $(SED) "s/@PROGRAM[@]/$${program%.fish}/g"
$(nodist_bashcompletion_DATA): ctctl/completion/help.bash Makefile
	$(completion_make) $(srcdir)/ctctl/completion/help.bash >$@
$(nodist_zshcompletion_DATA): ctctl/completion/help.zsh Makefile
	$(completion_make) $(srcdir)/ctctl/completion/help.zsh >$@
$(nodist_fishcompletion_DATA): ctctl/completion/help.fish Makefile
	$(completion_make) $(srcdir)/ctctl/completion/help.fish >$@
EXTRA_DIST += ctctl/README.md ctctl/cloud/README.md ctctl/cmd/account/README.md \
  ctctl/cmd/machine/README.md ctctl/cmd/session/README.md ctctl/ctx/README.md \
  ctctl/doctor/README.md ctctl/here/README.md ctctl/key/README.md ctctl/mcp/README.md \
  ctctl/pull/README.md ctctl/read/README.md ctctl/seal/README.md ctctl/share/README.md \
  ctctl/ui/README.md ctctl/web/README.md
