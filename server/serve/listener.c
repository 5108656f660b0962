#include <sys/resource.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/sys/service.h"
#include "common/base/str.h"

#include "server/serve/listener.h"

#define STALL_S 60
#define HEAD_MEMORY (20 * 1024) /* each connection has so much, whatever it does */
#define SHARE_CONNECTIONS 512
#define BODY_MEMORY (64 * 1024)
#define WORKERS 64 /* many wait, for a disk or a database; few compute */

static int open_unix(struct listener *l, const char *name, const char *place,
                     const char *public_url, struct ct_err *err)
{
    int none;

    l->fd = service_socket(name);
    if (l->fd < 0) {
        if (web_listen(place, &l->fd, &none, err) != 0)
            return -1;
        l->path = str_dup(web_unix_path(place));
    }
    l->url = str_dup(public_url);
    return 0;
}

int listener_open(struct listener *l, const char *name, const char *host_port, const char *scheme,
                  const char *public_url, struct ct_err *err)
{
    char *host, *port, *number = NULL;
    int bound = 0;

    if (web_unix_path(host_port) != NULL)
        return open_unix(l, name, host_port, public_url, err);
    if (web_split(host_port, &host, &port, err) != 0)
        return -1;
    l->fd = service_socket(name);
    if (l->fd < 0 && web_listen(host_port, &l->fd, &bound, err) == 0)
        number = str_printf("%d", bound);
    if (l->fd >= 0)
        l->url = str_printf(strchr(host, ':') != NULL ? "%s://[%s]:%s" : "%s://%s:%s", scheme, host,
                            number != NULL ? number : port);
    free(number);
    free(host);
    free(port);
    return l->fd >= 0 ? 0 : -1;
}

/* Readers of what is shared have places of their own, and take nobody else's. */
static long long share_connections(const struct settings *s)
{
    return s->share == NULL                         ? 0
           : s->max_connections < SHARE_CONNECTIONS ? s->max_connections
                                                    : SHARE_CONNECTIONS;
}

long long listener_files(const struct settings *s)
{
    return s->max_connections * (s->storage == SETTINGS_EMBEDDED ? 3 : 1) + share_connections(s) +
           LISTENER_SPARE_FILES;
}

/*
 * What the database needs comes before another connection.  Where there are too few descriptors for
 * all, the API has three fifths at most, for daemons wait on it; a connection of the embedded store
 * has a file too.
 */
static int most_connections(const struct settings *s, int is_store)
{
    long long most = s->max_connections, api = most, files;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= (rlim_t)listener_files(s))
        return (int)most;
    files = (long long)limit.rlim_cur - LISTENER_SPARE_FILES - share_connections(s);
    if (s->storage == SETTINGS_S3)
        api = files;
    else if (api > files * 3 / 5)
        api = files * 3 / 5;
    if (is_store)
        most = most < (files - api) / 2 ? most : (files - api) / 2;
    else
        most = api;
    return most < 16 ? 16 : (int)most;
}

int listener_start(struct listener *l, const char *name, const struct web_handler *handler,
                   const struct settings *s, const struct certificate *c, struct ct_err *err)
{
    int tls = s->tls == SETTINGS_TLS_ON;
    struct web_config config = {
        .name = name,
        .fd = l->fd,
        .cert_pem = tls ? c->cert.data : NULL,
        .key_pem = tls ? c->key.data : NULL,
        .max_connections = strcmp(name, "share") == 0 ? (int)share_connections(s)
                                                      : most_connections(s, handler->body_blocks),
        /* Without TLS there is a proxy, and perhaps none that was named. */
        .max_per_address = tls || s->trusted_proxy.n > 0 ? (int)s->max_connections_per_address : 0,
        .proxies = &s->trusted_proxy,
        .stall_s = STALL_S,
        .memory = handler->body_blocks ? BODY_MEMORY : HEAD_MEMORY,
        .workers = WORKERS,
        .stats = &l->stats,
    };

    return web_start(&config, handler, &l->web, err);
}

void listener_close(struct listener *l)
{
    if (l->fd >= 0)
        close(l->fd);
    if (l->path != NULL)
        unlink(l->path);
    free(l->path);
    free(l->url);
    l->path = NULL;
    l->fd = -1;
    l->url = NULL;
}
