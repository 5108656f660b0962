#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "server/settings/settings_impl.h"

/* As browsers spell it. */
static void as_origin(char *url)
{
    const char *port = strncmp(url, "https://", 8) == 0 ? ":443" : ":80";
    size_t n = strlen(url), p = strlen(port);

    if (n > p && strcmp(url + n - p, port) == 0)
        url[n - p] = '\0';
    for (; *url != '\0'; url++)
        *url = *url >= 'A' && *url <= 'Z' ? *url + ('a' - 'A') : *url;
}

static int is_same(const char *url, const char *other)
{
    char *spelled = other != NULL ? str_dup(other) : NULL;
    int rc;

    if (spelled != NULL)
        as_origin(spelled);
    rc = spelled != NULL && strcmp(url, spelled) == 0;
    free(spelled);
    return rc;
}

/* What is shown there was written by anybody: it is to share an origin with nothing. */
int settings_share_check(struct settings *s, struct ct_err *err)
{
    if (s->share == NULL)
        return 0;
    if (s->public_share_url == NULL)
        return settings_is_wildcard(s->share)
                   ? err_set(err, ERR_CONFIG,
                             "share listens on every address, so links can't know which to name: "
                             "set public_share_url")
                   : 0;
    if (settings_check_origin(s->public_share_url, "public_share_url", err) != 0)
        return -1;
    as_origin(s->public_share_url);
    if (is_same(s->public_share_url, s->public_api_url) ||
        is_same(s->public_share_url, s->public_objects_url))
        return err_set(err, ERR_CONFIG,
                       "public_share_url has to be an origin of its own, another host or port than "
                       "the API and the objects");
    return 0;
}

char *settings_share_url(const struct settings *s)
{
    const char *port = s->share != NULL ? strrchr(s->share, ':') : NULL;

    if (s->share != NULL && s->public_share_url != NULL)
        return str_dup(s->public_share_url);
    if (port == NULL || strcmp(port, ":0") == 0)
        return NULL;
    return str_printf("%s://%s", s->tls == SETTINGS_TLS_ON ? "https" : "http", s->share);
}
