#include "server/api/call.h"

/* Whoever adds a line here adds one to the table of the isolation test too; it fails otherwise. */
static const struct app_route routes[] = {
    {"GET", "/healthz", APP_NOBODY, handle_misc_health, APP_V1},
    {"GET", "/v1/healthz", APP_NOBODY, handle_misc_health, APP_V1},
    {"POST", "/v1/auth/register", APP_NOBODY, handle_auth_register, APP_PAGES},
    {"POST", "/v1/auth/login", APP_NOBODY, handle_auth_login, APP_PAGES},
    {"GET", "/v1/auth/github", APP_NOBODY, handle_provider_begin, APP_V1},
    {"GET", "/v1/auth/github/callback", APP_NOBODY, handle_provider_callback, APP_V1},
    {"GET", "/v1/auth/oidc", APP_NOBODY, handle_provider_begin, APP_V1},
    {"GET", "/v1/auth/oidc/callback", APP_NOBODY, handle_provider_callback, APP_V1},
    {"GET", "/v1/auth/me", APP_ANY, handle_auth_me, APP_PAGES},
    {"POST", "/v1/auth/token", APP_LOGIN, handle_token_create, APP_HOLDER},
    {"GET", "/v1/auth/tokens", APP_ANY, handle_token_list, APP_PAGES},
    {"DELETE", "/v1/auth/tokens/:id", APP_ANY, handle_token_revoke, APP_HOLDER},
    {"GET", "/v1/account", APP_ANY, handle_account_show, APP_PAGES},
    {"POST", "/v1/account/password", APP_ANY, handle_account_password, APP_PAGES},
    {"POST", "/v1/account/logout-all", APP_ANY, handle_account_logout, APP_PAGES},
    {"POST", "/v1/account/delete", APP_ANY, handle_account_delete, APP_PAGES},
    {"GET", "/v1/billing/usage", APP_ANY, handle_misc_usage, APP_PAGES},
    {"GET", "/v1/devices", APP_ANY, handle_device_list, APP_PAGES},
    {"DELETE", "/v1/devices/:id", APP_ANY, handle_device_delete, APP_HOLDER},
    {"GET", "/v1/sessions", APP_ANY, handle_session_list, APP_PAGES},
    {"POST", "/v1/sessions/upload", APP_ANY, handle_session_upload, APP_V1},
    {"POST", "/v1/sessions/:id/confirm", APP_ANY, handle_session_confirm, APP_V1},
    {"GET", "/v1/sessions/:id/download", APP_ANY, handle_session_download, APP_V1},
    {"GET", "/v1/sessions/:id/versions", APP_ANY, handle_session_versions, APP_PAGES},
    {"POST", "/v1/sessions/:id/undelete", APP_ANY, handle_trash_undelete, APP_PAGES},
    {"GET", "/v1/shares", APP_ANY, handle_share_list, APP_PAGES},
    {"POST", "/v1/shares", APP_ANY, handle_share_create, APP_V1},
    {"POST", "/v1/shares/:id/confirm", APP_ANY, handle_share_confirm, APP_V1},
    {"DELETE", "/v1/shares/:id", APP_ANY, handle_share_end, APP_PAGES},
    {"GET", "/v1/trash", APP_ANY, handle_trash_list, APP_PAGES},
    {"DELETE", "/v1/sessions/:id", APP_ANY, handle_session_delete, APP_PAGES},
    {"DELETE", "/v1/sessions/:id/versions/:version", APP_ANY, handle_session_delete_version,
     APP_PAGES},
    {"GET", "/", APP_NOBODY, handle_dashboard_home, APP_DASHBOARD},
    {"GET", "/app", APP_NOBODY, handle_dashboard_home, APP_DASHBOARD},
    {"GET", "/app/", APP_NOBODY, handle_dashboard_page, APP_DASHBOARD},
    {"GET", "/app/:file", APP_NOBODY, handle_dashboard_page, APP_DASHBOARD},
    {"GET", "/app/dashboard/:file", APP_NOBODY, handle_dashboard_page, APP_DASHBOARD},
    {"GET", "/app/api/about", APP_NOBODY, handle_dashboard_about, APP_DASHBOARD},
    {"POST", "/app/api/leave", APP_LOGIN, handle_dashboard_leave, APP_DASHBOARD},
};

const struct app_route *app_routes(size_t *ret_n)
{
    *ret_n = sizeof(routes) / sizeof(routes[0]);
    return routes;
}
