#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "server/api/app_impl.h"
#include "server/api/share_page.h"
#include "server/ledger/ledger_share.h"

#define LINK "/s/"

/* Own files and the one store, nothing inline, no markup from strings, in nobody's frame; no forms,
 * windows or downloads either. */
static const char policy[] =
    "sandbox allow-scripts allow-same-origin; default-src 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self'; connect-src 'self' %s; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

static void send_text(struct app *a, struct web_req *r, int status, const char *type, const void *p,
                      size_t n)
{
    char *csp = str_printf(policy, a->config.objects_origin);

    web_answer_header(r, "Content-Security-Policy", csp);
    for (size_t i = 0; i < page_headers_n; i++) {
        if (strcmp(page_headers[i].name, "Content-Security-Policy") != 0)
            web_answer_header(r, page_headers[i].name, page_headers[i].value);
    }
    web_answer_header(r, "X-Robots-Tag", "noindex, nofollow, noarchive, nosnippet");
    web_answer(r, status, type, p, n);
    free(csp);
}

/* ${o} goes. */
static void send_json(struct app *a, struct web_req *r, int status, struct json_object *o)
{
    const char *text = jdoc_text(o);

    send_text(a, r, status, "application/json", text, strlen(text));
    json_object_put(o);
}

static void refuse(struct app *a, struct web_req *r, int status, const char *code,
                   const char *message)
{
    send_json(a, r, status, api_error_json(code, message));
}

static void send_page(struct app *a, struct web_req *r, const char *path)
{
    const struct page *page = page_find(share_pages, share_pages_n, path);

    if (page != NULL)
        send_text(a, r, 200, page->type, page->data, page->size);
    else
        refuse(a, r, 404, "not_found", "There is nothing at this path.");
}

/* May this address ask once more?  It guesses, or wears us down. */
static int may_ask(struct app *a, struct web_req *r)
{
    struct call c = {.app = a, .config = &a->config, .web = r};
    struct attempts *limit = a->config.limits->openings;
    int64_t now_ms = now_mono_ms();
    char peer[WEB_ADDRESS_SIZE], text[16];
    int wait;

    call_peer(&c, peer, sizeof(peer));
    wait = attempts_wait_s(limit, peer, now_ms);
    if (wait == 0) {
        attempts_count(limit, peer, now_ms);
        return 1;
    }
    snprintf(text, sizeof(text), "%d", wait);
    web_answer_header(r, "Retry-After", text);
    refuse(a, r, 429, "too_many_attempts",
           "Too many links were opened from here; try again later.");
    return 0;
}

static void send_place(struct app *a, struct web_req *r, const char *id,
                       const struct ledger_share *s, int64_t now_ms)
{
    struct json_object *o = json_object_new_object();
    char session_id[STORE_SHARE_SIZE], key[STORE_KEY_MAX], when[32], *url;

    store_share_session(id, session_id);
    store_key(s->user_id, session_id, 1, key);
    url = store_presign_get(a->config.store, key, now_ms);
    jdoc_set_str(o, "url", url);
    jdoc_set_int(o, "sizeBytes", s->size_bytes);
    jdoc_set_str(o, "expiresAt", now_rfc3339(s->expires_ms, when));
    str_wipe(url, strlen(url));
    free(url);
    send_json(a, r, 200, o);
}

/* Where does it lie?  Only a page of ours can send such a request, for no other origin is allowed
 * to send the header. */
static void open_share(struct app *a, struct web_req *r, const char *id)
{
    int64_t now_ms = now_wall_ms();
    struct ledger_share s;
    struct ct_err err;

    if (web_header(r, "X-Share") == NULL) {
        refuse(a, r, 403, "not_the_page", "This is for the page of the link only.");
    } else if (!may_ask(a, r)) {
        return;
    } else if (ledger_share_find(a->config.ledger, NULL, id, now_ms, &s, &err) != 0 ||
               (!s.is_open && err_set(&err, ERR_GONE, "it is not there yet") != 0)) {
        if (err.code == ERR_GONE) {
            refuse(a, r, 404, "not_found", "There is no such share, or it has ended.");
        } else {
            log_error("share-failed error=\"%s\"", err.msg);
            refuse(a, r, 503, "busy", "The server is busy; try again.");
        }
    } else {
        /* Who reads is let read all the same. */
        if (ledger_share_visited(a->config.ledger, id, now_ms, &err) != 0)
            log_warn("visit-not-counted error=\"%s\"", err.msg);
        send_place(a, r, id, &s, now_ms);
    }
}

/* Is ${target} a link?  What passes it on may have put a query behind it (${may_have_query}). */
static int is_to_share(const char *target, int may_have_query)
{
    size_t n = may_have_query ? strcspn(target, "?") : strlen(target);
    char id[UUID_SIZE];

    if (strncmp(target, LINK, strlen(LINK)) != 0 || n != strlen(LINK) + UUID_SIZE - 1)
        return 0;
    memcpy(id, target + strlen(LINK), UUID_SIZE - 1);
    id[UUID_SIZE - 1] = '\0';
    return uuid_is_valid(id);
}

/* Whose address the access log has: a trusted proxy's word, as for the API. */
static void note_client(struct app *a, struct web_req *r)
{
    struct call c = {.app = a, .config = &a->config, .web = r};
    char client[WEB_ADDRESS_SIZE];

    call_client(&c, client);
    web_set_client(r, client);
}

static void begin(void *arg, struct web_req *r)
{
    const char *target = web_target(r), *method = web_method(r);
    int is_read = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    int is_link = is_to_share(target, is_read);

    note_client(arg, r);
    web_set_route(r, is_link ? "/s/:id" : "page");
    if (is_read && strcmp(target, "/robots.txt") == 0)
        send_text(arg, r, 200, "text/plain", "User-agent: *\nDisallow: /\n", 26);
    else if (is_read)
        send_page(arg, r, is_link ? "/" : strcmp(target, "/") != 0 ? target : "");
    else if (strcmp(method, "POST") != 0 || !is_link)
        refuse(arg, r, 405, "method_not_allowed", "This path does not know this method.");
    else if (web_length(r) > 0)
        refuse(arg, r, 413, "too_large", "This request has no body.");
}

static void body(void *arg, struct web_req *r, const void *p, size_t n)
{
    (void)p;
    (void)n;
    refuse(arg, r, 413, "too_large", "This request has no body.");
}

static void end(void *arg, struct web_req *r)
{
    open_share(arg, r, web_target(r) + strlen(LINK));
}

static void done(void *arg, struct web_req *r)
{
    (void)arg;
    (void)r;
}

static void fault(void *arg, struct web_req *r, int status)
{
    refuse(arg, r, status, status >= 500 ? "internal" : "bad_request",
           "The request is not one that this page can answer.");
}

void share_page_handler(struct app *a, struct web_handler *ret)
{
    *ret = (struct web_handler){a, 0, begin, body, end, done, fault, NULL};
}
