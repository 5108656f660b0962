noinst_LIBRARIES += server/libserver.a
server_libserver_a_SOURCES = \
  server/app.c server/app.h server/app_impl.h \
  server/app_route.c \
  server/attempts.c server/attempts.h \
  server/backup.c server/backup.h \
  server/call.c server/call.h \
  server/call_auth.c \
  server/certificate.c server/certificate.h \
  server/email.c server/email.h \
  server/embedded.c server/embedded.h server/embedded_impl.h \
  server/embedded_put.c \
  server/gc.c server/gc.h \
  server/gc_check.c \
  server/github.c server/github.h \
  server/handle_auth.c \
  server/handle_device.c \
  server/handle_github.c \
  server/handle_misc.c \
  server/handle_session.c \
  server/handle_token.c \
  server/handle_trash.c \
  server/house.c server/house.h \
  server/hrana.c server/hrana.h \
  server/hrana_rows.c server/hrana_rows.h \
  server/hrana_wire.c server/hrana_wire.h \
  server/jwt.c server/jwt.h \
  server/jwt_key.c server/jwt_key.h \
  server/keeper.c server/keeper.h \
  server/keys.c server/keys.h \
  server/ledger.c server/ledger.h server/ledger_impl.h \
  server/ledger_confirm.c \
  server/ledger_rotate.c \
  server/ledger_invite.c \
  server/ledger_list.c \
  server/ledger_reserve.c \
  server/ledger_signin.c \
  server/ledger_token.c \
  server/ledger_trash.c \
  server/ledger_undelete.c \
  server/ledger_user.c \
  server/listener.c server/listener.h \
  server/limits.c server/limits.h \
  server/objects.c server/objects.h \
  server/password.c server/password.h \
  server/prompt.c server/prompt.h \
  server/s3.c server/s3.h server/s3_impl.h \
  server/s3_list.c \
  server/s3_xml.c server/s3_xml.h \
  server/serve.c server/serve.h \
  server/settings.c server/settings.h server/settings_impl.h \
  server/settings_github.c \
  server/settings_places.c \
  server/settings_secret.c \
  server/sigv4.c server/sigv4.h server/sigv4_impl.h \
  server/sigv4_canon.c \
  server/sigv4_verify.c \
  server/sql.c server/sql.h server/sql_impl.h \
  server/sql_sqlite.c server/sql_sqlite.h \
  server/store.c server/store.h \
  server/tls.c server/tls.h \
  server/verbs.c server/verbs.h server/verbs_impl.h \
  server/verbs_admin.c \
  server/web.c server/web.h server/web_impl.h \
  server/web_guard.c \
  server/web_listen.c \
  server/web_req.c
server_LIBS = server/libserver.a api/libapi.a net/libnet.a $(common_LIBS) $(CURL_LIBS) $(MHD_LIBS) \
  $(XCRYPT_LIBS) $(EXPAT_LIBS) $(SYSTEMD_LIBS) -lpthread

bin_PROGRAMS += bin/codeteleport-server
bin_codeteleport_server_SOURCES = server/main.c
bin_codeteleport_server_LDADD = $(server_LIBS)
