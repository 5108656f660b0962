#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/base/strlist.h"

#include "server/serve/certificate.h"
#include "server/store/tls.h"
#include "server/web/web.h"

#define MAX_PEM_BYTES 65536

/* The host of an URL or of HOST:PORT, for the certificate; a wildcard is nobody's name. */
static void add_host(struct strlist *l, const char *url_or_host_port)
{
    const char *s = strstr(url_or_host_port, "://");
    char *text, *host, *port;

    s = s != NULL ? s + 3 : url_or_host_port;
    /* A port if there is none, so that the one parser does. */
    text = str_printf(strrchr(s, ':') == NULL || s[strlen(s) - 1] == ']' ? "%s:443" : "%s", s);
    if (web_split(text, &host, &port, NULL) == 0) {
        if (strcmp(host, "0.0.0.0") != 0 && strcmp(host, "::") != 0)
            strlist_add_once(l, host);
        free(host);
        free(port);
    }
    free(text);
}

static int make(const struct settings *s, struct ct_err *err)
{
    struct strlist hosts = {0};
    int renewed = 0, rc;

    add_host(&hosts, s->listen);
    if (s->storage == SETTINGS_EMBEDDED)
        add_host(&hosts, s->objects);
    if (s->public_objects_url != NULL)
        add_host(&hosts, s->public_objects_url);
    if (s->public_api_url != NULL)
        add_host(&hosts, s->public_api_url);
    if (s->share != NULL)
        add_host(&hosts, s->share);
    if (s->public_share_url != NULL)
        add_host(&hosts, s->public_share_url);
    rc = tls_ensure(s->data, &hosts, now_wall_ms() / 1000, &renewed, err);
    strlist_free(&hosts);
    if (rc == 0 && renewed)
        log_info("certificate-made folder=%s", s->data);
    return rc;
}

int certificate_load(struct certificate *c, const struct settings *s, struct ct_err *err)
{
    char *cert = NULL, *key = NULL;
    int rc = 0;

    buf_reset(&c->cert);
    buf_reset(&c->key);
    if (s->tls == SETTINGS_TLS_OFF)
        return 0;
    if (s->certificate != NULL) {
        cert = str_dup(s->certificate);
        key = str_dup(s->key);
    } else {
        rc = make(s, err);
        cert = path_join(s->data, "server.pem");
        key = path_join(s->data, "server.key");
        free(c->ca);
        c->ca = path_join(s->data, "ca.pem");
    }
    if (rc == 0 && (file_read(cert, MAX_PEM_BYTES, &c->cert, err) != 0 ||
                    file_read(key, MAX_PEM_BYTES, &c->key, err) != 0 ||
                    tls_check_pair(c->cert.data, c->key.data, err) != 0))
        rc = -1;
    free(cert);
    free(key);
    return rc;
}

void certificate_clear(struct certificate *c)
{
    if (c->key.data != NULL)
        str_wipe(c->key.data, c->key.cap);
    buf_free(&c->cert);
    buf_free(&c->key);
    free(c->ca);
    c->ca = NULL;
}
