noinst_LIBRARIES += server/libserver.a
server_libserver_a_SOURCES = \
  server/admin/prompt.c server/admin/prompt.h \
  server/admin/verbs.c server/admin/verbs.h server/admin/verbs_impl.h \
  server/admin/verbs_admin.c \
  server/admin/verbs_audit.c \
  server/admin/verbs_user.c \
  server/api/app.c server/api/app.h server/api/app_impl.h \
  server/api/app_route.c \
  server/api/call.c server/api/call.h \
  server/api/call_audit.c \
  server/api/call_auth.c \
  server/api/call_page.c \
  server/api/handle_dashboard.c \
  server/api/handle_account.c \
  server/api/handle_auth.c \
  server/api/handle_device.c \
  server/api/handle_misc.c \
  server/api/handle_provider.c \
  server/api/handle_session.c \
  server/api/handle_share.c \
  server/api/handle_token.c \
  server/api/handle_trash.c \
  server/api/share_page.c server/api/share_page.h \
  server/auth/attempts.c server/auth/attempts.h \
  server/auth/github.c server/auth/github_member.h \
  server/auth/jwt.c server/auth/jwt.h \
  server/auth/jwks.c server/auth/jwks.h \
  server/auth/jwt_key.c server/auth/jwt_key.h \
  server/auth/keys.c server/auth/keys.h \
  server/auth/limits.c server/auth/limits.h \
  server/auth/oidc.c \
  server/auth/password.c server/auth/password.h \
  server/auth/provider.c server/auth/provider.h \
  server/auth/signin.c server/auth/signin.h \
  server/ledger/event.h \
  server/ledger/floods.c server/ledger/floods.h \
  server/sql/hrana.c server/sql/hrana.h \
  server/sql/hrana_rows.c server/sql/hrana_rows.h \
  server/sql/hrana_wire.c server/sql/hrana_wire.h \
  server/ledger/ledger.c server/ledger/ledger.h server/ledger/ledger_impl.h \
  server/ledger/ledger_adopt.c \
  server/ledger/ledger_audit.c \
  server/ledger/ledger_confirm.c \
  server/ledger/ledger_device.c \
  server/ledger/ledger_heads.c \
  server/ledger/ledger_identity.c \
  server/ledger/ledger_invite.c \
  server/ledger/ledger_item.c \
  server/ledger/ledger_list.c \
  server/ledger/ledger_removed.c \
  server/ledger/ledger_reserve.c \
  server/ledger/ledger_rotate.c \
  server/ledger/ledger_schema.c \
  server/ledger/ledger_share.c server/ledger/ledger_share.h \
  server/ledger/ledger_since.c \
  server/ledger/ledger_token.c \
  server/ledger/ledger_trash.c \
  server/ledger/ledger_undelete.c \
  server/ledger/ledger_user.c \
  server/ledger/purge.c server/ledger/purge.h \
  server/sql/sql.c server/sql/sql.h server/sql/sql_impl.h \
  server/sql/sql_sqlite.c server/sql/sql_sqlite.h \
  server/ledger/uses.c server/ledger/uses.h \
  server/serve/certificate.c server/serve/certificate.h \
  server/serve/listener.c server/serve/listener.h \
  server/serve/metrics.c server/serve/metrics.h \
  server/serve/retired.c server/serve/retired.h \
  server/serve/serve.c server/serve/serve.h \
  server/settings/email.c server/settings/email.h \
  server/settings/settings.c server/settings/settings.h server/settings/settings_impl.h \
  server/settings/settings_github.c \
  server/settings/settings_places.c \
  server/settings/settings_secret.c \
  server/settings/settings_share.c \
  server/store/embedded.c server/store/embedded.h server/store/embedded_impl.h \
  server/store/embedded_put.c \
  server/store/objects.c server/store/objects.h \
  server/store/s3.c server/store/s3.h server/store/s3_impl.h \
  server/store/s3_list.c \
  server/store/s3_shows.c \
  server/store/s3_trial.c \
  server/store/s3_xml.c server/store/s3_xml.h \
  server/store/sigv4.c server/store/sigv4.h server/store/sigv4_impl.h \
  server/store/sigv4_canon.c \
  server/store/sigv4_verify.c \
  server/store/space.c server/store/space.h \
  server/store/store.c server/store/store.h \
  server/store/tls.c server/store/tls.h \
  server/upkeep/adopt.c server/upkeep/adopt.h \
  server/upkeep/adopt_meta.c server/upkeep/adopt_meta.h \
  server/upkeep/backup.c server/upkeep/backup.h \
  server/upkeep/data_dir.c server/upkeep/data_dir.h \
  server/upkeep/gc.c server/upkeep/gc.h \
  server/upkeep/gc_check.c \
  server/upkeep/keeper.c server/upkeep/keeper.h \
  server/upkeep/members.c server/upkeep/members.h \
  server/web/web.c server/web/web.h server/web/web_impl.h \
  server/web/web_guard.c \
  server/web/web_listen.c \
  server/web/web_pool.c \
  server/web/web_range.c \
  server/web/web_stats.c server/web/web_stats.h \
  server/web/web_req.c
nodist_server_libserver_a_SOURCES = server/api/dashboard_pages.c server/api/share_pages.c
server_LIBS = server/libserver.a api/libapi.a net/libnet.a $(common_LIBS) $(CURL_LIBS) $(MHD_LIBS) \
  $(XCRYPT_LIBS) $(EXPAT_LIBS) $(SYSTEMD_LIBS) $(ZLIB_LIBS) -lpthread

bin_PROGRAMS += bin/codeteleport-server
bin_codeteleport_server_SOURCES = server/main.c
bin_codeteleport_server_LDADD = $(server_LIBS)
EXTRA_DIST += server/README.md server/admin/README.md server/api/README.md server/auth/README.md \
  server/ledger/README.md server/serve/README.md server/settings/README.md server/sql/README.md \
  server/store/README.md server/upkeep/README.md server/web/README.md
