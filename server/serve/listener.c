#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/now.h"
#include "common/sys/service.h"
#include "common/base/str.h"

#include "server/serve/listener.h"

#define DRAIN_MS (10 * 1000)
#define MAX_CONNECTIONS 512
#define MAX_PER_ADDRESS 128
#define IDLE_S 60

int listener_open(struct listener *l, const char *name, const char *host_port, const char *scheme,
                  struct ct_err *err)
{
    char *host, *port, *number = NULL;
    int bound = 0;

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

int listener_start(struct listener *l, const char *name, const struct web_handler *handler,
                   const struct settings *s, const struct certificate *c, struct ct_err *err)
{
    int tls = s->tls == SETTINGS_TLS_ON;
    struct web_config config = {
        .name = name,
        .fd = l->fd,
        .cert_pem = tls ? c->cert.data : NULL,
        .key_pem = tls ? c->key.data : NULL,
        .max_connections = MAX_CONNECTIONS,
        /* A proxy is one address. */
        .max_per_address = tls && s->trusted_proxy.n == 0 ? MAX_PER_ADDRESS : 0,
        .idle_s = IDLE_S,
    };

    return web_start(&config, handler, &l->web, err);
}

static int signal_is_pending(void)
{
    sigset_t set;

    return sigpending(&set) == 0 &&
           (sigismember(&set, SIGTERM) == 1 || sigismember(&set, SIGINT) == 1);
}

static int is_busy(struct web *w, int counts_silent)
{
    return w != NULL && (web_active(w) > 0 || (counts_silent && web_connections(w) > 0));
}

void listener_retire(struct web *api, struct web *objects, int64_t grace_ms)
{
    const struct timespec moment = {0, 20 * 1000 * 1000};
    int64_t now_ms = now_mono_ms(), until = now_ms + DRAIN_MS, grace = now_ms + grace_ms;

    if (api != NULL)
        web_quiesce(api);
    if (objects != NULL)
        web_quiesce(objects);
    while ((is_busy(api, now_ms < grace) || is_busy(objects, now_ms < grace)) && now_ms < until &&
           !signal_is_pending()) {
        nanosleep(&moment, NULL);
        now_ms = now_mono_ms();
    }
    web_stop(api);
    web_stop(objects);
}

void listener_close(struct listener *l)
{
    if (l->fd >= 0)
        close(l->fd);
    free(l->url);
    l->fd = -1;
    l->url = NULL;
}
