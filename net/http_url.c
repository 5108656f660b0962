#include <arpa/inet.h>
#include <netinet/in.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/buf.h"
#include "common/base/str.h"

#include "net/http_call.h"

struct parts {
    char *scheme;
    char *host;
    char *port;
    int has_user; /* or a password */
};

static void parts_free(struct parts *p)
{
    curl_free(p->scheme);
    curl_free(p->host);
    curl_free(p->port);
}

static int has_part(CURLU *u, CURLUPart what)
{
    char *s = NULL;
    int has = curl_url_get(u, what, &s, 0) == CURLUE_OK && s != NULL;

    curl_free(s);
    return has;
}

/* curl's own parser, so that what we judge is what curl will connect to. */
static int parts_of(const char *url, struct parts *ret)
{
    CURLU *u = http_library(NULL) == 0 ? curl_url() : NULL;
    int rc = -1;

    memset(ret, 0, sizeof(*ret));
    if (u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_SCHEME, &ret->scheme, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_HOST, &ret->host, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_PORT, &ret->port, CURLU_DEFAULT_PORT) == CURLUE_OK)
        rc = 0;
    ret->has_user = rc == 0 && (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD));
    curl_url_cleanup(u);
    if (rc != 0) {
        parts_free(ret);
        memset(ret, 0, sizeof(*ret));
    }
    return rc;
}

static int host_is_loopback(const char *host)
{
    struct in6_addr a6;
    struct in_addr a4;
    char bare[64];
    size_t n = strlen(host);

    if (strcasecmp(host, "localhost") == 0)
        return 1;
    if (inet_pton(AF_INET, host, &a4) == 1)
        return ntohl(a4.s_addr) >> 24 == 127;
    if (n > 2 && n < sizeof(bare) && host[0] == '[') {
        memcpy(bare, host + 1, n - 2);
        bare[n - 2] = '\0';
        return inet_pton(AF_INET6, bare, &a6) == 1 && IN6_IS_ADDR_LOOPBACK(&a6);
    }
    return 0;
}

int http_url_is_loopback(const char *url)
{
    struct parts p;
    int yes;

    if (parts_of(url, &p) != 0)
        return 0;
    yes = host_is_loopback(p.host);
    parts_free(&p);
    return yes;
}

char *http_url_origin(const char *url)
{
    struct parts p;
    char *s;

    if (parts_of(url, &p) != 0)
        return NULL;
    s = str_printf("%s://%s:%s", p.scheme, p.host, p.port);
    for (char *c = s; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    parts_free(&p);
    return s;
}

int http_url_allowed(const char *url, const struct http_policy *policy, struct ct_err *err)
{
    struct parts p;
    int rc = -1;

    if (strstr(url, "://") == NULL && strpbrk(url, "@?#") == NULL)
        return err_set(err, ERR_CONFIG,
                       "the server's address has to be a URL; write it as: https://%.200s", url);
    if (parts_of(url, &p) != 0)
        return err_set(err, ERR_CONFIG, "the server's address is not a valid URL");
    if (p.has_user)
        err_set(err, ERR_CONFIG,
                "a user's name or password in the server's address is not supported: before an @ "
                "it looks like a host, and it would be in every log; leave it out");
    else if (strcasecmp(p.scheme, "https") == 0)
        rc = 0;
    else if (strcasecmp(p.scheme, "http") != 0)
        err_set(err, ERR_CONFIG, "%.20s:// is not supported; use https://", p.scheme);
    else if (!host_is_loopback(p.host))
        err_set(err, ERR_CONFIG, "http://%.200s would send everything unencrypted; use https://",
                p.host);
    else if (!policy->allow_plain_http)
        err_set(err, ERR_CONFIG,
                "http://%.200s is not encrypted; for a server on this machine set "
                "allow_plain_http = true in the configuration",
                p.host);
    else
        rc = 0;
    parts_free(&p);
    return rc;
}

int http_url_may_follow(const char *url, const char *from, struct ct_err *err)
{
    struct parts a, b;
    int is_worse;

    if (parts_of(from, &a) != 0)
        return err_set(err, ERR_CONFIG, "the server's address is not a valid URL");
    if (parts_of(url, &b) != 0) {
        parts_free(&a);
        return err_set(err, ERR_REFUSED, "the server hands out an address that is not a valid URL");
    }
    is_worse = strcasecmp(a.scheme, "https") == 0 && strcasecmp(b.scheme, "https") != 0;
    if (is_worse)
        err_set(err, ERR_REFUSED,
                "%.200s is reached by https and hands out an address with %.20s://, which would "
                "send everything unencrypted; its operator has to mend that",
                a.host, b.scheme);
    parts_free(&a);
    parts_free(&b);
    return is_worse ? -1 : 0;
}
