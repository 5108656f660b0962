noinst_LIBRARIES += ctctl/libctctl.a
ctctl_libctctl_a_SOURCES = \
  ctctl/cli.c ctctl/cli.h \
  ctctl/complete.c ctctl/complete.h \
  ctctl/copy.c ctctl/copy.h \
  ctctl/ctx.c ctctl/ctx.h \
  ctctl/ctx_own.c \
  ctctl/current.c ctctl/current.h \
  ctctl/deletion.c ctctl/deletion.h \
  ctctl/doctor.h \
  ctctl/doctor_here.c \
  ctctl/doctor_keys.c \
  ctctl/doctor_net.c \
  ctctl/doctor_service.c \
  ctctl/doctor_store.c \
  ctctl/download.c ctctl/download.h \
  ctctl/headline.c ctctl/headline.h \
  ctctl/item.c ctctl/item.h \
  ctctl/jout.c ctctl/jout.h \
  ctctl/login.c ctctl/login.h \
  ctctl/key.h \
  ctctl/key_account.c ctctl/key_account.h \
  ctctl/key_import.c \
  ctctl/key_lines.c ctctl/key_lines.h \
  ctctl/key_make.c \
  ctctl/key_ring.c \
  ctctl/key_show.c \
  ctctl/key_status.c \
  ctctl/login_key.c ctctl/login_key.h \
  ctctl/loopback.c ctctl/loopback.h \
  ctctl/mcp.c ctctl/mcp.h \
  ctctl/mcp_tools.c \
  ctctl/opts.c ctctl/opts.h \
  ctctl/picker.c ctctl/picker.h \
  ctctl/place.c ctctl/place.h \
  ctctl/progress.c ctctl/progress.h \
  ctctl/pull.c ctctl/pull.h \
  ctctl/pull_many.c ctctl/pull_many.h \
  ctctl/pull_say.c ctctl/pull_say.h \
  ctctl/qr.h \
  ctctl/reseal.c ctctl/reseal.h \
  ctctl/reseal_one.c ctctl/reseal_one.h \
  ctctl/reseal_put.c ctctl/reseal_put.h \
  ctctl/rules.c ctctl/rules.h \
  ctctl/sessions.c ctctl/sessions.h \
  ctctl/status.c ctctl/status.h \
  ctctl/sync_follow.c ctctl/sync_follow.h \
  ctctl/system.c ctctl/system.h \
  ctctl/table.c ctctl/table.h \
  ctctl/target.c ctctl/target.h \
  ctctl/term.c ctctl/term.h \
  ctctl/text.c ctctl/text.h \
  ctctl/things.c ctctl/things.h \
  ctctl/verb.h \
  ctctl/verb_delete.c \
  ctctl/verb_devices.c \
  ctctl/verb_doctor.c \
  ctctl/verb_exclude.c \
  ctctl/verb_export.c \
  ctctl/verb_import.c \
  ctctl/verb_include.c \
  ctctl/verb_key.c \
  ctctl/verb_list.c \
  ctctl/verb_login.c \
  ctctl/verb_logout.c \
  ctctl/verb_mcp.c \
  ctctl/verb_pause.c \
  ctctl/verb_pull.c \
  ctctl/verb_resume.c \
  ctctl/verb_scan.c \
  ctctl/verb_show.c \
  ctctl/verb_status.c \
  ctctl/verb_sync.c \
  ctctl/verb_tokens.c \
  ctctl/verb_verify.c \
  ctctl/verb_undelete.c \
  ctctl/verb_versions.c \
  ctctl/verb_watch.c \
  ctctl/watched.c ctctl/watched.h \
  ctctl/which.c ctctl/which.h
if ON_LINUX
ctctl_libctctl_a_SOURCES += ctctl/system_linux.c
else
ctctl_libctctl_a_SOURCES += ctctl/system_posix.c
endif
if WITH_QRENCODE
ctctl_libctctl_a_SOURCES += ctctl/qr_libqrencode.c
else
ctctl_libctctl_a_SOURCES += ctctl/qr_none.c
endif
EXTRA_DIST += ctctl/system_linux.c ctctl/system_posix.c ctctl/qr_libqrencode.c ctctl/qr_none.c
ctctl_LIBS = ctctl/libctctl.a ipc/libipc.a api/libapi.a net/libnet.a $(bundle_LIBS) $(common_LIBS) \
  $(CURL_LIBS) $(EVENT_LIBS) $(QRENCODE_LIBS)

bin_PROGRAMS += bin/ctctl
bin_ctctl_SOURCES = ctctl/main.c
bin_ctctl_LDADD = $(ctctl_LIBS)

# Where the shells look for completions of others.
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = ctctl/completion/ctctl
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = ctctl/completion/_ctctl
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_fishcompletion_DATA = ctctl/completion/ctctl.fish
