#include "server/api/call.h"

/* Whoever adds a line here adds one to the table of the isolation test too; it fails otherwise. */
static const struct app_route routes[] = {
    {"GET", "/healthz", APP_NOBODY, handle_misc_health},
    {"GET", "/v1/healthz", APP_NOBODY, handle_misc_health},
    {"POST", "/v1/auth/register", APP_NOBODY, handle_auth_register},
    {"POST", "/v1/auth/login", APP_NOBODY, handle_auth_login},
    {"GET", "/v1/auth/github", APP_NOBODY, handle_provider_begin},
    {"GET", "/v1/auth/github/callback", APP_NOBODY, handle_provider_callback},
    {"GET", "/v1/auth/oidc", APP_NOBODY, handle_provider_begin},
    {"GET", "/v1/auth/oidc/callback", APP_NOBODY, handle_provider_callback},
    {"GET", "/v1/auth/me", APP_ANY, handle_auth_me},
    {"POST", "/v1/auth/token", APP_LOGIN, handle_token_create},
    {"GET", "/v1/auth/tokens", APP_ANY, handle_token_list},
    {"DELETE", "/v1/auth/tokens/:id", APP_ANY, handle_token_revoke},
    {"GET", "/v1/account", APP_ANY, handle_account_show},
    {"POST", "/v1/account/password", APP_ANY, handle_account_password},
    {"POST", "/v1/account/logout-all", APP_ANY, handle_account_logout},
    {"POST", "/v1/account/delete", APP_ANY, handle_account_delete},
    {"GET", "/v1/billing/usage", APP_ANY, handle_misc_usage},
    {"GET", "/v1/devices", APP_ANY, handle_device_list},
    {"DELETE", "/v1/devices/:id", APP_ANY, handle_device_delete},
    {"GET", "/v1/sessions", APP_ANY, handle_session_list},
    {"POST", "/v1/sessions/upload", APP_ANY, handle_session_upload},
    {"POST", "/v1/sessions/:id/confirm", APP_ANY, handle_session_confirm},
    {"GET", "/v1/sessions/:id/download", APP_ANY, handle_session_download},
    {"GET", "/v1/sessions/:id/versions", APP_ANY, handle_session_versions},
    {"POST", "/v1/sessions/:id/undelete", APP_ANY, handle_trash_undelete},
    {"GET", "/v1/shares", APP_ANY, handle_share_list},
    {"POST", "/v1/shares", APP_ANY, handle_share_create},
    {"POST", "/v1/shares/:id/confirm", APP_ANY, handle_share_confirm},
    {"DELETE", "/v1/shares/:id", APP_ANY, handle_share_end},
    {"GET", "/v1/trash", APP_ANY, handle_trash_list},
    {"DELETE", "/v1/sessions/:id", APP_ANY, handle_session_delete},
    {"DELETE", "/v1/sessions/:id/versions/:version", APP_ANY, handle_session_delete_version},
};

const struct app_route *app_routes(size_t *ret_n)
{
    *ret_n = sizeof(routes) / sizeof(routes[0]);
    return routes;
}
