#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/str.h"
#include "server/auth/jwt.h"

#include "server/api/call.h"

#define HEADER "X-Codeteleport-Dashboard" /* the page's half; any word where there is none yet */
#define API "/app/api/"

static int is_https(const struct call *c)
{
    return strncmp(c->config->api_url, "https:", 6) == 0;
}

/* By the first name browsers take nothing that did not come by TLS. */
static const char *cookie_name(const struct call *c)
{
    return is_https(c) ? "__Secure-ct_dashboard" : "ct_dashboard";
}

/* Is it the origin that this request was sent to, by whatever name of ours? */
static int is_ours(struct call *c, const char *origin)
{
    const char *host = web_header(c->web, "Host"), *url = c->config->api_url;
    size_t scheme = (size_t)(strstr(url, "://") + 3 - url);

    if (strcmp(origin, url) == 0)
        return 1;
    return host != NULL && strncmp(origin, url, scheme) == 0 && strcmp(origin + scheme, host) == 0;
}

int call_page_has(const char *target)
{
    return strncmp(target, API, strlen(API)) == 0;
}

int call_page_check(struct call *c)
{
    const char *key = web_header(c->web, HEADER), *origin = web_header(c->web, "Origin");
    const char *site = web_header(c->web, "Sec-Fetch-Site");

    if (key != NULL && key[0] != '\0' && (origin == NULL || is_ours(c, origin)) &&
        (site == NULL || strcmp(site, "same-origin") == 0))
        return 0;
    return call_error(c, 403, "elsewhere", "This is for the pages of this server only.");
}

/* The half of ${token} that the page keeps, or NULL. */
static char *page_half(struct call *c, const char *token)
{
    unsigned char key[JWT_KEY_BYTES], mac[HASH_SHA256_BYTES];
    char *half;

    if (call_login_key(c, "dashboard page", key) != 0)
        return NULL;
    hash_hmac_sha256(key, sizeof(key), token, strlen(token), mac);
    half = hash_base64url(mac, sizeof(mac));
    str_wipe(key, sizeof(key));
    str_wipe(mac, sizeof(mac));
    return half;
}

static int fits(struct call *c, const char *token, const char *given)
{
    char *half = page_half(c, token);
    int is_good =
        half != NULL && strlen(half) == strlen(given) && hash_equal(half, given, strlen(half));

    if (half != NULL)
        str_wipe(half, strlen(half));
    free(half);
    return is_good;
}

/* Others can have put cookies of this name beside ours: the page's half says which it is. */
char *call_page_login(struct call *c)
{
    const char *given = web_header(c->web, HEADER);
    char *token = NULL;

    for (int i = 0; given != NULL; i++) {
        token = call_cookie(c, cookie_name(c), i);
        if (token == NULL || fits(c, token, given))
            break;
        str_wipe(token, strlen(token));
        free(token);
    }
    return token;
}

static void set_cookie(struct call *c, const char *value, int max_age_s)
{
    char *text = str_printf("%s=%s; Path=" API "; Max-Age=%d; HttpOnly; SameSite=Strict%s",
                            cookie_name(c), value, max_age_s, is_https(c) ? "; Secure" : "");

    web_answer_header(c->web, "Set-Cookie", text);
    str_wipe(text, strlen(text));
    free(text);
}

char *call_page_enter(struct call *c, const char *token)
{
    char *half = page_half(c, token);

    if (half != NULL)
        set_cookie(c, token, JWT_PAGE_LIFETIME_S);
    return half;
}

void call_page_leave(struct call *c)
{
    set_cookie(c, "", 0);
}

char *call_page_url(struct call *c, const char *name, const char *value, const char *state)
{
    return str_printf("%s/app/#%s=%s.%s", c->config->api_url, name, value, state);
}
