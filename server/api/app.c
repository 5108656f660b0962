#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/data/jdoc.h"
#include "common/data/page.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "server/api/app_impl.h"

#define MAX_VALUES 10000   /* in the body of an upload */
#define MAX_FEW_VALUES 200 /* in any other */
#define BODY_STEP (16 * 1024)
#define ASK_AGAIN_MS 1000        /* a body that took longer: is its sender still somebody? */
#define MAX_OF_ONE 24            /* requests under way of one token or log-in */
#define MAX_OF_USER 48           /* of one user */
#define SPARE 16                 /* and as many log-ins of theirs that have none */
#define HELD_OF_USER (8LL << 20) /* bytes of one user's bodies and answers, of those of all */

struct app *app_new(const struct app_config *config)
{
    struct app *a = str_calloc(1, sizeof(*a));

    a->config = *config;
    pthread_mutex_init(&a->mutex, NULL);
    return a;
}

void app_free(struct app *a)
{
    if (a == NULL)
        return;
    pthread_mutex_destroy(&a->mutex);
    free(a);
}

static int app_enter(struct app *a, struct call *c)
{
    int n = 0, n_user = 0;

    /* Whoever stole a token or a log-in, or made more of it, must not keep the holder from ending
     * that. */
    pthread_mutex_lock(&a->mutex);
    for (const struct call *o = a->calls; o != NULL; o = o->next) {
        if (memcmp(o->who.user_id, c->who.user_id, UUID_SIZE) != 0)
            continue;
        n_user++;
        n += strcmp(o->asker, c->asker) == 0;
    }
    if ((n < MAX_OF_ONE && n_user < MAX_OF_USER) ||
        (n == 0 && c->who.token_id[0] == '\0' && n_user < MAX_OF_USER + SPARE)) {
        c->next = a->calls;
        a->calls = c;
        c->is_counted = 1;
    }
    pthread_mutex_unlock(&a->mutex);
    if (c->is_counted)
        return 0;
    web_answer_header(c->web, "Retry-After", "1");
    return call_error(c, 429, "too_many_requests",
                      "Too many requests of this account are under way; try again.");
}

static void app_leave(struct app *a, struct call *c)
{
    struct call **at = &a->calls;

    if (!c->is_counted)
        return;
    pthread_mutex_lock(&a->mutex);
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    pthread_mutex_unlock(&a->mutex);
}

/* May ${n} bytes more wait?  One user's are bounded by themselves, so that others' have room; what
 * is small always may, for it can be what ends a theft. */
static int call_hold(struct call *c, size_t n)
{
    int64_t held = (int64_t)n;

    if (n <= WEB_SMALL)
        return 0;
    if (c->is_counted) {
        pthread_mutex_lock(&c->app->mutex);
        for (const struct call *o = c->app->calls; o != NULL; o = o->next) {
            if (memcmp(o->who.user_id, c->who.user_id, UUID_SIZE) == 0)
                held += web_held(o->web);
        }
        pthread_mutex_unlock(&c->app->mutex);
        if (held > HELD_OF_USER)
            return -1;
    }
    return web_hold(c->web, n);
}

static void send_answer(struct call *c, int status)
{
    const char *text;

    if (c->is_dashboard || (c->route != NULL && c->route->pages == APP_DASHBOARD)) {
        for (size_t i = 0; i < page_headers_n; i++)
            web_answer_header(c->web, page_headers[i].name, page_headers[i].value);
    } else {
        web_answer_header(c->web, "X-Content-Type-Options", "nosniff");
        /* Answers hold tokens and URLs that are as good as tokens. */
        if (status != 304)
            web_answer_header(c->web, "Cache-Control", "no-store");
    }
    if (status == 304) {
        web_answer(c->web, status, "application/json", "", 0);
        return;
    }
    if (status == 200 && c->page != NULL) {
        web_answer_static(c->web, status, c->page->type, c->page->data, c->page->size);
        return;
    }
    if (c->answer == NULL)
        status = call_error(c, 500, "internal", "The server made no answer.");
    text = jdoc_text(c->answer);
    /* Slow readers can make answers pile up. */
    if (call_hold(c, strlen(text)) != 0) {
        web_answer_header(c->web, "Retry-After", "1");
        status = call_error(c, 503, "busy", "The server is busy; try again.");
        text = jdoc_text(c->answer);
    }
    web_answer(c->web, status, "application/json", text, strlen(text));
    json_object_put(c->answer);
    c->answer = NULL;
}

/*
 * Does ${path} (${n} bytes, still encoded) fit ${pattern}?  Parameters go into ${c} decoded.  Empty
 * segments fit nothing.
 */
static int fits(struct call *c, const char *pattern, const char *path, size_t n)
{
    const char *end = path + n;
    int k = 0;

    while (*pattern == '/' && path < end && *path == '/') {
        size_t p = strcspn(++pattern, "/"), s;
        char *value;
        path++;
        for (s = 0; path + s < end && path[s] != '/'; s++)
            ;
        if (pattern[0] == ':') {
            value = s > 0 && k < CALL_MAX_PARAMS ? call_decode(path, s) : NULL;
            if (value == NULL || strlen(value) >= CALL_PARAM_SIZE) {
                free(value);
                return 0;
            }
            memcpy(c->params[k++], value, strlen(value) + 1);
            free(value);
        } else if (p != s || strncmp(pattern, path, s) != 0) {
            return 0;
        }
        pattern += p;
        path += s;
    }
    return *pattern == '\0' && path == end;
}

/* What a route for GET answers to HEAD is the same; the library leaves the body away. */
static int answers(const struct app_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static int refuse_method(struct call *c, struct buf *allowed)
{
    web_answer_header(c->web, "Allow", allowed->data);
    buf_free(allowed);
    return call_error(c, 405, "method_not_allowed", "This path does not know this method.");
}

/* The dashboard's pages ask for /app/api/... what others do for /v1/... */
static int leads_to(struct call *c, const struct app_route *route, const char *target, size_t n)
{
    if (route->pages == APP_DASHBOARD)
        return c->config->settings->dashboard && fits(c, route->pattern, target, n);
    if (!c->is_dashboard)
        return fits(c, route->pattern, target, n);
    return route->pages != APP_V1 && fits(c, route->pattern + strlen("/v1"),
                                          target + strlen("/app/api"), n - strlen("/app/api"));
}

/* 0 with c->route, or the status of the answer that refuses. */
static int find_route(struct call *c)
{
    const char *target = web_target(c->web);
    size_t n = strcspn(target, "?"), n_routes;
    const struct app_route *routes = app_routes(&n_routes);
    struct buf allowed = {0};

    for (size_t i = 0; i < n_routes; i++) {
        if (!leads_to(c, &routes[i], target, n))
            continue;
        if (answers(&routes[i], web_method(c->web))) {
            c->route = &routes[i];
            web_set_route(c->web, routes[i].pattern);
            buf_free(&allowed);
            return 0;
        }
        buf_printf(&allowed, "%s%s%s", allowed.len > 0 ? ", " : "", routes[i].method,
                   strcmp(routes[i].method, "GET") == 0 ? ", HEAD" : "");
    }
    if (allowed.len > 0)
        return refuse_method(c, &allowed);
    return call_error(c, 404, "not_found", "There is nothing at this path.");
}

static size_t max_body(const struct call *c)
{
    return c->route->handle == handle_session_upload ? APP_MAX_BODY : APP_SMALL_BODY;
}

/* A value takes some 300 bytes once it is read, whatever it took on the wire. */
static int has_too_many_values(const struct call *c)
{
    return jdoc_count(c->raw.data, c->raw.len) >
           (max_body(c) == APP_MAX_BODY ? MAX_VALUES : MAX_FEW_VALUES);
}

static int too_large(struct call *c)
{
    return call_error(c, 413, "too_large",
                      max_body(c) == APP_MAX_BODY ? "The request is larger than 1 MiB."
                                                  : "The request is larger than 16 KiB.");
}

/* Bodies are JSON and say so; a request without one may say what it likes. */
static int check_body(struct call *c)
{
    int64_t n = web_length(c->web);
    const char *type = web_header(c->web, "Content-Type");
    size_t len = type != NULL ? strcspn(type, "; \t") : 0;
    int chunked = web_header(c->web, "Transfer-Encoding") != NULL;

    if (n > (int64_t)max_body(c))
        return too_large(c);
    if ((n > 0 || chunked) && type != NULL &&
        (len != strlen("application/json") || strncasecmp(type, "application/json", len) != 0))
        return call_error(c, 415, "unsupported_media_type",
                          "The body of a request has to be application/json.");
    return 0;
}

static void begin(void *arg, struct web_req *r)
{
    struct app *a = arg;
    struct call *c = str_calloc(1, sizeof(*c));
    char client[WEB_ADDRESS_SIZE];
    int status;

    c->app = a;
    c->config = &a->config;
    c->web = r;
    c->now_ms = now_wall_ms();
    c->began_ms = now_mono_ms();
    web_set_data(r, c);
    c->is_dashboard = a->config.settings->dashboard && call_page_has(web_target(r));
    call_client(c, client);
    web_set_client(r, client);
    if ((status = find_route(c)) != 0 || (status = check_body(c)) != 0 ||
        (c->is_dashboard && (status = call_page_check(c)) != 0) ||
        (c->route->auth != APP_NOBODY &&
         ((status = call_authenticate(c)) != 0 || (status = app_enter(a, c)) != 0)))
        send_answer(c, status);
    else if (c->route->auth != APP_NOBODY)
        web_keep(r, 1);
}

/* So many steps begin within ${n} bytes, the first of which is everybody's. */
static size_t steps_of(size_t n)
{
    return n > 0 ? (n - 1) / BODY_STEP : 0;
}

/*
 * What is gathered counts with the answers that wait: both are held for others.  What anybody may
 * send, APP_SMALL_BODY, does not, or whoever leaves many such unfinished would keep the answers
 * back of those who are known; as many as there are connections is the bound of that.
 */
static int hold(struct call *c, size_t n)
{
    size_t steps = steps_of(c->raw.len + n) - steps_of(c->raw.len);

    return steps > 0 ? call_hold(c, steps * BODY_STEP) : 0;
}

static void body(void *arg, struct web_req *r, const void *p, size_t n)
{
    struct call *c = web_data(r);

    (void)arg;
    if (n > max_body(c) - c->raw.len) {
        send_answer(c, too_large(c));
    } else if (hold(c, n) != 0) {
        web_answer_header(r, "Retry-After", "1");
        send_answer(c, call_error(c, 503, "busy", "The server is busy; try again."));
    } else {
        buf_add(&c->raw, p, n);
    }
}

/* So does what contains a thief. */
static int frees_room(const struct app_route *r)
{
    return strcmp(r->method, "DELETE") == 0 ||
           (strcmp(r->method, "POST") == 0 && strncmp(r->pattern, "/v1/account/", 12) == 0);
}

/* On a full disk what makes room has to be written down too. */
static int handle(struct call *c)
{
    int status;

    if (c->is_dashboard && c->route->pages == APP_HOLDER && (status = call_confirm_holder(c)) != 0)
        return status;
    status = c->route->handle(c);
    if (status != 507 || !frees_room(c->route) || !space_relieve(c->config->space))
        return status;
    json_object_put(c->answer);
    c->answer = NULL;
    return c->route->handle(c);
}

/* Who let the body drip in may have been let out meanwhile: 0, or the status of the answer. */
static int authenticate_again(struct call *c)
{
    if (c->route->auth == APP_NOBODY || now_mono_ms() - c->began_ms < ASK_AGAIN_MS)
        return 0;
    c->now_ms = now_wall_ms();
    return call_authenticate(c);
}

static void end(void *arg, struct web_req *r)
{
    struct call *c = web_data(r);
    struct ct_err err;
    int status;

    (void)arg;
    /* Who reads a page slowly is nobody to keep a place for. */
    if (c->route->pages != APP_DASHBOARD)
        web_keep(r, 0);
    if ((status = authenticate_again(c)) != 0)
        send_answer(c, status);
    else if (has_too_many_values(c))
        send_answer(c, call_error(c, 400, "bad_json", "The request has too many values."));
    else if (c->raw.len > 0 && (strcmp(c->route->method, "POST") == 0 || c->is_dashboard) &&
             jdoc_parse(c->raw.data, c->raw.len, &c->body, &err) != 0)
        send_answer(c, call_error(c, 400, "bad_json", err.msg));
    else
        send_answer(c, handle(c));
}

static void done(void *arg, struct web_req *r)
{
    struct call *c = web_data(r);

    (void)arg;
    if (c == NULL)
        return;
    app_leave(c->app, c);
    call_note_access(c);
    if (c->raw.data != NULL)
        str_wipe(c->raw.data, c->raw.len); /* passwords come this way */
    buf_free(&c->raw);
    json_object_put(c->body);
    json_object_put(c->answer);
    free(c);
}

static void fault(void *arg, struct web_req *r, int status)
{
    struct json_object *o = api_error_json(status >= 500 ? "internal" : "bad_request",
                                           status >= 500 ? "The server made no answer."
                                                         : "The request is not well-formed HTTP.");
    const char *text = jdoc_text(o);

    (void)arg;
    web_answer(r, status, "application/json", text, strlen(text));
    json_object_put(o);
}

void app_handler(struct app *a, struct web_handler *ret)
{
    *ret = (struct web_handler){a, 0, begin, body, end, done, fault, NULL};
}
