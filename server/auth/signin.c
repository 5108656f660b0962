#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/str.h"

#include "server/auth/signin.h"

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#define MAX_COOKIE_BYTES 256

int signin_is_state(const char *s)
{
    size_t n = strlen(s);

    return n <= SIGNIN_STATE_MAX && strspn(s, PLAIN) == n;
}

static char *derive(const char *key, const char *what)
{
    unsigned char mac[HASH_SHA256_BYTES];

    hash_hmac_sha256(key, strlen(key), what, strlen(what), mac);
    return hash_base64url(mac, sizeof(mac));
}

char *signin_derive(const struct signin *s, const char *what)
{
    return derive(s->secret, what);
}

/* A key of this purpose alone, from the one that signs URLs. */
static char *sign(const struct keys *keys, const char *site, const char *text)
{
    char *key = derive(keys->object_secret, "sign-in"), *all = str_printf("%s:%s", site, text);
    char *mac = derive(key, all);

    str_wipe(key, strlen(key));
    free(key);
    str_wipe(all, strlen(all));
    free(all);
    return mac;
}

/* PORT.EXPIRES.SECRET.STATE.MAC: none of the parts has a full stop in it. */
char *signin_seal(const struct keys *keys, const char *site, const struct signin *s, int64_t now_ms)
{
    char *text =
        str_printf("%d.%lld.%s.%s", s->port, (long long)(now_ms / 1000 + SIGNIN_LIFETIME_S),
                   s->secret, s->client_state);
    char *mac = sign(keys, site, text), *cookie = str_printf("%s.%s", text, mac);

    str_wipe(text, strlen(text));
    free(text);
    free(mac);
    return cookie;
}

/* What was signed is of the shape that signin_seal() gave it. */
static int take_apart(const char *text, int64_t now_ms, struct signin *ret)
{
    long long expires_s;
    int at = 0;

    memset(ret, 0, sizeof(*ret));
    if (sscanf(text, "%d.%lld.%43[^.].%n", &ret->port, &expires_s, ret->secret, &at) != 3 ||
        at == 0 || !signin_is_state(text + at) || now_ms / 1000 >= expires_s)
        return -1;
    memcpy(ret->client_state, text + at, strlen(text + at) + 1);
    return 0;
}

int signin_open(const struct keys *keys, const char *site, const char *cookie, int64_t now_ms,
                struct signin *ret)
{
    const char *dot = strrchr(cookie, '.');
    char *text, *mac;
    int rc = -1;

    if (dot == NULL || strlen(cookie) > MAX_COOKIE_BYTES)
        return -1;
    text = str_printf("%.*s", (int)(dot - cookie), cookie);
    mac = sign(keys, site, text);
    if (strlen(dot + 1) == strlen(mac) && hash_equal(dot + 1, mac, strlen(mac)))
        rc = take_apart(text, now_ms, ret);
    str_wipe(text, strlen(text));
    free(text);
    free(mac);
    return rc;
}
