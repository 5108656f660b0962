#ifndef SERVER_API_APP_H
#define SERVER_API_APP_H

#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/str.h"

#include "server/auth/keys.h"
#include "server/ledger/ledger.h"
#include "server/auth/limits.h"
#include "server/settings/settings.h"
#include "server/store/space.h"
#include "server/store/store.h"
#include "server/web/web.h"

/*
 * The API as its handlers see it: one struct app for the server, one struct call for a request.
 * app.c turns HTTP into calls and calls into HTTP; app_auth.c knows who asks; handlers live in
 * handle_*.c, one file for a subject, and answer JSON only.
 */

#define APP_MAX_BODY (1 << 20) /* of an upload, which brings metadata; of all else: */
#define APP_SMALL_BODY (16 * 1024)

struct app;

struct provider_memory;

struct app_config {
    struct ledger *ledger;
    struct store *store;
    struct space *space;
    const struct keys *keys;
    struct limits *limits;
    struct provider_memory *sites;
    const struct settings *settings;
    const char *api_url;        /* where clients reach the API, without "/v1" */
    const char *share_url;      /* where readers of what is shared go; NULL: sharing is off */
    const char *objects_origin; /* where the objects are */
};

/**
 * app_new(config):
 * Make the API on top of ${config}, whose members stay the caller's and outlive it.
 */
struct app *app_new(const struct app_config *config);

/**
 * app_free(a):
 * Free it, after its listener has stopped; NULL is harmless.
 */
void app_free(struct app *a);

/**
 * app_handler(a, ret):
 * Fill ${ret} for a listener that serves the API.
 */
void app_handler(struct app *a, struct web_handler *ret);

enum app_auth {
    APP_NOBODY, /* no token needed */
    APP_ANY,    /* a log-in or an API token */
    APP_LOGIN,  /* a log-in only */
};

/* May the dashboard's pages ask it, below /app/api/ in place of /v1/? */
enum app_pages {
    APP_V1,     /* no */
    APP_PAGES,  /* yes */
    APP_HOLDER, /* with the password once more: it can't be undone, or lasts longer than a log-in */
    APP_DASHBOARD, /* it is the dashboard's own, and not there where that is off */
};

struct call;

struct app_route {
    const char *method;
    const char *pattern; /* "/v1/sessions/:id"; ":name" takes one segment */
    enum app_auth auth;
    int (*handle)(struct call *c); /* returns the HTTP status, with c->answer set */
    enum app_pages pages;
};

/**
 * app_routes(ret_n):
 * Return the table of all endpoints.
 */
const struct app_route *app_routes(size_t *ret_n);

#endif
