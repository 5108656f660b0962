#include <sys/resource.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/log.h"
#include "common/now.h"
#include "common/path.h"
#include "common/str.h"
#include "common/strlist.h"

#include "server/app.h"
#include "server/house.h"
#include "server/keeper.h"
#include "server/objects.h"
#include "server/serve.h"
#include "server/service.h"
#include "server/tls.h"
#include "server/web.h"

#define DRAIN_MS (10 * 1000)
#define RELOAD_GRACE_MS 2000 /* for connections that came just before a reload */
#define MAX_CONNECTIONS 512
#define MAX_PER_ADDRESS 128
#define MAX_FILES 4096
#define IDLE_S 60
#define MAX_PEM_BYTES 65536

struct listener {
    int fd;
    char *url; /* "https://127.0.0.1:8787" */
    struct web *web;
};

struct server {
    const struct settings_args *args;
    const struct settings *settings;
    struct settings *reloaded; /* what settings points to after a reload */
    struct limits *limits;
    struct house house;
    struct listener api, objects;
    char *objects_url; /* as clients reach it */
    struct app *app;
    struct keeper *keeper;
    struct buf cert, key;
    char *ca; /* path of our CA, NULL if there is none */
};

char *serve_adopted(const char *name)
{
    int fd = service_socket(name);

    return fd >= 0 ? web_adopt(fd) : NULL;
}

/* On the socket that was handed over as ${name}, else on a new one. */
static int listen_on(const char *name, const char *host_port, const char *scheme,
                     struct listener *ret, struct ct_err *err)
{
    char *host, *port, *number = NULL;
    int bound = 0;

    if (web_split(host_port, &host, &port, err) != 0)
        return -1;
    ret->fd = service_socket(name);
    if (ret->fd < 0 && web_listen(host_port, &ret->fd, &bound, err) == 0)
        number = str_printf("%d", bound);
    if (ret->fd >= 0)
        ret->url = str_printf(strchr(host, ':') != NULL ? "%s://[%s]:%s" : "%s://%s:%s", scheme,
                              host, number != NULL ? number : port);
    free(number);
    free(host);
    free(port);
    return ret->fd >= 0 ? 0 : -1;
}

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

static int make_certificate(struct server *v, struct ct_err *err)
{
    const struct settings *s = v->settings;
    struct strlist hosts = {0};
    int renewed = 0, rc;

    add_host(&hosts, s->listen);
    if (s->storage == SETTINGS_EMBEDDED)
        add_host(&hosts, s->objects);
    if (s->public_objects_url != NULL)
        add_host(&hosts, s->public_objects_url);
    rc = tls_ensure(s->data, &hosts, now_wall_ms() / 1000, &renewed, err);
    strlist_free(&hosts);
    if (rc == 0 && renewed)
        log_info("certificate-made folder=%s", s->data);
    return rc;
}

/* Read the pair anew into v->cert and v->key; with the CA made here, renew it first if need be. */
static int load_certificate(struct server *v, struct ct_err *err)
{
    const struct settings *s = v->settings;
    char *cert = NULL, *key = NULL;
    int rc = 0;

    buf_reset(&v->cert);
    buf_reset(&v->key);
    if (s->tls == SETTINGS_TLS_OFF)
        return 0;
    if (s->certificate != NULL) {
        cert = str_dup(s->certificate);
        key = str_dup(s->key);
    } else {
        rc = make_certificate(v, err);
        cert = path_join(s->data, "server.pem");
        key = path_join(s->data, "server.key");
        free(v->ca);
        v->ca = path_join(s->data, "ca.pem");
    }
    if (rc == 0 && (file_read(cert, MAX_PEM_BYTES, &v->cert, err) != 0 ||
                    file_read(key, MAX_PEM_BYTES, &v->key, err) != 0 ||
                    tls_check_pair(v->cert.data, v->key.data, err) != 0))
        rc = -1;
    free(cert);
    free(key);
    return rc;
}

static int start_web(struct server *v, struct listener *l, const char *name,
                     const struct web_handler *handler, struct ct_err *err)
{
    int tls = v->settings->tls == SETTINGS_TLS_ON;
    struct web_config config = {
        .name = name,
        .fd = l->fd,
        .cert_pem = tls ? v->cert.data : NULL,
        .key_pem = tls ? v->key.data : NULL,
        .max_connections = MAX_CONNECTIONS,
        /* A proxy is one address. */
        .max_per_address = tls && v->settings->trusted_proxy.n == 0 ? MAX_PER_ADDRESS : 0,
        .idle_s = IDLE_S,
    };

    return web_start(&config, handler, &l->web, err);
}

static int start_listeners(struct server *v, struct ct_err *err)
{
    struct web_handler api, objects;

    app_handler(v->app, &api);
    if (start_web(v, &v->api, "api", &api, err) != 0)
        return -1;
    if (v->house.embedded == NULL)
        return 0;
    objects_handler(v->house.embedded, &objects);
    return start_web(v, &v->objects, "objects", &objects, err);
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

/* No new connections; requests under way may end, until the time or somebody's patience is over.
 * Connections that have asked nothing yet, such as one in its handshake, get ${grace_ms}. */
static void retire(struct web *api, struct web *objects, int64_t grace_ms)
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

static struct app *make_app(struct server *v)
{
    const struct app_config config = {
        .ledger = v->house.ledger,
        .store = v->house.store,
        .keys = &v->house.keys,
        .limits = v->limits,
        .settings = v->settings,
        .api_url = v->settings->public_api_url != NULL ? v->settings->public_api_url : v->api.url,
    };

    if (v->settings->tls == SETTINGS_TLS_OFF && v->settings->trusted_proxy.n == 0)
        log_warn("no-trusted-proxy effect=\"log-in attempts of all clients count as one "
                 "address's\"");
    return app_new(&config);
}

/* The new listeners are there before the old ones go: no connection is refused in between. */
static int replace_listeners(struct server *v, struct ct_err *err)
{
    struct web *api = v->api.web, *objects = v->objects.web;
    struct app *app = v->app;

    if (load_certificate(v, err) != 0)
        return -1;
    v->api.web = v->objects.web = NULL;
    v->app = make_app(v);
    if (start_listeners(v, err) != 0) {
        web_stop(v->api.web);
        app_free(v->app);
        v->app = app;
        v->api.web = api;
        v->objects.web = objects;
        return -1;
    }
    retire(api, objects, RELOAD_GRACE_MS);
    app_free(app);
    return 0;
}

static void reload(struct server *v)
{
    const struct settings *old = v->settings;
    struct settings *s;
    const char *kept;
    struct ct_err err;

    service_reloading();
    if (settings_load(v->args, &s, &err) != 0) {
        log_error("reload-failed error=\"%s\"", err.msg);
        return;
    }
    if (settings_check_serving(s, &err) != 0) {
        log_error("reload-failed error=\"%s\"", err.msg);
        settings_free(s);
        return;
    }
    kept = settings_keep(s, old);
    if (kept != NULL)
        log_warn("setting-needs-restart key=%s", kept);
    v->settings = s;
    if (replace_listeners(v, &err) != 0) {
        log_error("reload-failed error=\"%s\"", err.msg);
        v->settings = old;
        settings_free(s);
        return;
    }
    settings_free(v->reloaded);
    v->reloaded = s;
    log_set_level((enum log_level)s->log);
    log_info("reloaded");
}

static int write_ready(struct server *v, struct ct_err *err)
{
    const char *path = v->settings->ready_file;
    struct buf b = {0};
    int rc = 0;

    buf_printf(&b, "api=%s/v1\nobjects=%s\n", v->api.url, v->objects_url);
    if (v->objects.url != NULL)
        buf_printf(&b, "objects_listen=%s\n", v->objects.url);
    if (v->ca != NULL)
        buf_printf(&b, "ca=%s\n", v->ca);
    if (path != NULL)
        rc = file_replace(path, b.data, b.len, 0644, err);
    buf_free(&b);
    return rc;
}

/* After a reload that failed too: it goes on as before. */
static void tell_ready(struct server *v)
{
    char *line = str_printf("API at %s/v1, objects at %s", v->api.url, v->objects_url);

    service_ready(line);
    free(line);
}

static void announce(struct server *v)
{
    const char *registration = settings_registration_name(v->settings);

    printf("API           %s/v1\n", v->api.url);
    printf("object store  %s\n", v->objects_url);
    if (v->ca != NULL)
        printf("CA file       %s\n", v->ca);
    printf("registration  %s\n", registration);
    fflush(stdout);
    tell_ready(v);
    log_info("ready api=%s/v1 objects=%s registration=%s", v->api.url, v->objects_url,
             registration);
}

/* From the keeper's thread: the main thread does it, as for a SIGHUP from outside. */
static void ask_for_reload(void *arg)
{
    (void)arg;
    kill(getpid(), SIGHUP);
}

/* A store that can't be reached now may be there when it is needed; one that says no is a mistake
 * in the settings. */
static int open_for_service(struct store *store, struct ct_err *err)
{
    if (store_probe(store, err) != 0) {
        if (err->code != ERR_RETRY)
            return -1;
        log_warn("store-unreachable error=\"%s\"", err->msg);
    }
    /* Nobody else writes there, so whatever lies there is from a process that died. */
    return store_sweep(store, 0, now_wall_ms(), err);
}

static int start(struct server *v, struct ct_err *err)
{
    const struct settings *s = v->settings;
    const char *scheme = s->tls == SETTINGS_TLS_ON ? "https" : "http";
    int lock_fd;

    if (settings_check_serving(s, err) != 0 || house_lock(s, &lock_fd, err) != 0)
        return -1;
    v->house.lock_fd = lock_fd;
    if (listen_on("api", s->listen, scheme, &v->api, err) != 0 ||
        (s->storage == SETTINGS_EMBEDDED &&
         listen_on("objects", s->objects, scheme, &v->objects, err) != 0) ||
        load_certificate(v, err) != 0)
        return -1;
    v->objects_url = str_dup(s->storage == SETTINGS_S3       ? s->s3_endpoint
                             : s->public_objects_url != NULL ? s->public_objects_url
                                                             : v->objects.url);
    if (house_open(s, v->objects_url, &v->house, err) != 0)
        return -1;
    v->house.lock_fd = lock_fd;
    if (open_for_service(v->house.store, err) != 0)
        return -1;
    v->limits = limits_new();
    v->app = make_app(v);
    if (start_listeners(v, err) != 0 || write_ready(v, err) != 0)
        return -1;
    v->keeper = keeper_start(v->house.ledger, v->house.store, ask_for_reload, NULL);
    return 0;
}

static void stop(struct server *v)
{
    if (v->keeper != NULL && v->settings->ready_file != NULL)
        unlink(v->settings->ready_file);
    retire(v->api.web, v->objects.web, 0);
    keeper_stop(v->keeper);
    app_free(v->app);
    limits_free(v->limits);
    house_close(&v->house);
    if (v->api.fd >= 0)
        close(v->api.fd);
    if (v->objects.fd >= 0)
        close(v->objects.fd);
    if (v->key.data != NULL)
        str_wipe(v->key.data, v->key.cap);
    buf_free(&v->cert);
    buf_free(&v->key);
    free(v->api.url);
    free(v->objects.url);
    free(v->objects_url);
    free(v->ca);
    settings_free(v->reloaded);
}

int serve_run(const struct settings_args *args, const struct settings *s, struct ct_err *err)
{
    struct server v = {
        .args = args, .settings = s, .api.fd = -1, .objects.fd = -1, .house.lock_fd = -1};
    const struct rlimit no_core = {0, 0};
    struct rlimit files;
    sigset_t set;
    int sig, rc;

    /* Blocked before any thread is there, so that all inherit it and only sigwait() sees them. */
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    /* Memory holds keys and passwords: no core file. */
    setrlimit(RLIMIT_CORE, &no_core);
    /* Two listeners full of connections, with a file for each. */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < MAX_FILES) {
        files.rlim_cur = files.rlim_max < MAX_FILES ? files.rlim_max : MAX_FILES;
        setrlimit(RLIMIT_NOFILE, &files);
    }

    rc = start(&v, err);
    if (rc == 0) {
        announce(&v);
        while (sigwait(&set, &sig) == 0 && sig == SIGHUP) {
            reload(&v);
            tell_ready(&v);
        }
        service_stopping();
        log_info("stopping");
    }
    stop(&v);
    return rc;
}
