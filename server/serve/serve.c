#include <sys/resource.h>
#include <sys/time.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/sys/service.h"
#include "common/base/str.h"

#include "server/api/app.h"
#include "server/api/share_page.h"
#include "server/auth/provider.h"
#include "server/serve/certificate.h"
#include "server/upkeep/data_dir.h"
#include "server/upkeep/keeper.h"
#include "server/upkeep/members.h"
#include "server/serve/listener.h"
#include "server/serve/metrics.h"
#include "server/serve/retired.h"
#include "server/store/objects.h"
#include "server/serve/serve.h"
#include "server/web/web.h"

#define DAY_MS (24LL * 3600 * 1000)

#define STUCK_MS 60000 /* requests wait for so long and none is begun: something hangs */

struct server {
    const struct settings_args *args;
    const struct settings *settings;
    struct settings *reloaded; /* what settings points to after a reload */
    struct retired *retired;
    struct limits *limits;
    struct provider_memory *sites;
    struct data_dir house;
    struct listener api, objects, share;
    char *objects_url;    /* as clients reach it */
    char *objects_origin; /* of presigned URLs */
    char *share_url;      /* as readers reach it; NULL: sharing is off */
    struct app *app;
    struct keeper *keeper;
    struct metrics *metrics;
    _Atomic int is_stopping;
    struct certificate certificate;
};

char *serve_adopted(const char *name)
{
    int fd = service_socket(name);

    return fd >= 0 ? web_adopt(fd) : NULL;
}

static int start_listeners(struct server *v, struct ct_err *err)
{
    struct web_handler api, objects, share;

    app_handler(v->app, &api);
    if (listener_start(&v->api, "api", &api, v->settings, &v->certificate, err) != 0)
        return -1;
    share_page_handler(v->app, &share);
    if (v->share_url != NULL &&
        listener_start(&v->share, "share", &share, v->settings, &v->certificate, err) != 0)
        return -1;
    if (v->house.embedded == NULL)
        return 0;
    objects_handler(v->house.embedded, &objects);
    return listener_start(&v->objects, "objects", &objects, v->settings, &v->certificate, err);
}

static struct app *make_app(struct server *v)
{
    const struct app_config config = {
        .ledger = v->house.ledger,
        .store = v->house.store,
        .space = v->house.space,
        .keys = &v->house.keys,
        .limits = v->limits,
        .sites = v->sites,
        .settings = v->settings,
        .api_url = v->settings->public_api_url != NULL ? v->settings->public_api_url : v->api.url,
        .share_url = v->share_url,
        .objects_origin = v->objects_origin,
    };

    space_set_min(v->house.space, v->settings->min_free_space);
    ledger_limit_tokens(v->house.ledger, v->settings->max_token_days * DAY_MS,
                        v->settings->sign_in_days * DAY_MS);
    if (v->settings->tls == SETTINGS_TLS_OFF && v->settings->trusted_proxy.n == 0)
        log_warn("no-trusted-proxy effect=\"log-in attempts of all clients count as one "
                 "address's\"");
    return app_new(&config);
}

/* The new listeners are there before the old ones go: no connection is refused in between.
 * ${old_settings} go with the old ones. */
static int replace_listeners(struct server *v, struct settings *old_settings, struct ct_err *err)
{
    struct web *api = v->api.web, *objects = v->objects.web, *share = v->share.web;
    struct app *app = v->app;

    if (certificate_load(&v->certificate, v->settings, err) != 0)
        return -1;
    v->api.web = v->objects.web = v->share.web = NULL;
    v->app = make_app(v);
    if (start_listeners(v, err) != 0) {
        web_stop(v->api.web);
        web_stop(v->share.web);
        app_free(v->app);
        v->app = app;
        v->api.web = api;
        v->objects.web = objects;
        v->share.web = share;
        return -1;
    }
    retired_add(&v->retired, api, objects, share, app, old_settings);
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
    if (replace_listeners(v, v->reloaded, &err) != 0) {
        log_error("reload-failed error=\"%s\"", err.msg);
        v->settings = old;
        settings_free(s);
        return;
    }
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
    if (v->share_url != NULL)
        buf_printf(&b, "share=%s\nshare_listen=%s\n", v->share_url, v->share.url);
    if (v->certificate.ca != NULL)
        buf_printf(&b, "ca=%s\n", v->certificate.ca);
    if (v->metrics != NULL)
        buf_printf(&b, "metrics=%s\n", metrics_url(v->metrics));
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
    if (v->share_url != NULL)
        printf("share links   %s\n", v->share_url);
    if (v->certificate.ca != NULL)
        printf("CA file       %s\n", v->certificate.ca);
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

/* From the keeper's thread too, with settings of its own: those in use go with a reload. */
static void look_at_members(void *arg)
{
    struct server *v = arg;
    struct settings *s;
    struct ct_err err;

    if (settings_load(v->args, &s, &err) != 0) {
        log_error("members-not-looked-at error=\"%s\"", err.msg);
        return;
    }
    if (members_look(s, v->house.ledger, &v->is_stopping, now_wall_ms(), &err) != 0)
        log_error("members-not-looked-at error=\"%s\"", err.msg);
    settings_free(s);
}

/* A store that can't be reached now may be there when it is needed; one that says no is a mistake
 * in the settings. */
static int open_for_service(struct store *store, const struct settings *s, const char *share_url,
                            struct ct_err *err)
{
    struct ct_err why;

    if (settings_check_way(s, &why) != 0)
        log_warn("objects-out-of-reach error=\"%s\"", why.msg);
    if (store_probe(store, err) != 0) {
        if (err->code != ERR_RETRY)
            return -1;
        log_warn("store-unreachable error=\"%s\"", err->msg);
    } else if (store_trial(store, &why) != 0) {
        log_warn("store-trial-failed error=\"%s\"", why.msg);
    }
    if (share_url != NULL && store_shows(store, share_url, &why) != 0)
        log_warn("share-not-readable error=\"%s\"", why.msg);
    /* Nobody else writes there, so whatever lies there is from a process that died. */
    return store_sweep(store, 0, now_wall_ms(), err);
}

/* Who is to be read where. */
static void set_origins(struct server *v)
{
    const struct settings *s = v->settings;
    char *url = store_presign_get(v->house.store, "any", now_wall_ms());
    const char *host = strstr(url, "://") + strlen("://");

    v->objects_origin = str_printf("%.*s", (int)(host - url + (long)strcspn(host, "/")), url);
    free(url);
    if (s->share == NULL)
        return;
    v->share_url = str_dup(s->public_share_url != NULL ? s->public_share_url : v->share.url);
    if (v->house.embedded != NULL)
        embedded_show_to(v->house.embedded, v->share_url);
}

static int start(struct server *v, struct ct_err *err)
{
    const struct settings *s = v->settings;
    const char *scheme = s->tls == SETTINGS_TLS_ON ? "https" : "http";
    int lock_fd;

    if (settings_check_serving(s, err) != 0 || data_dir_lock(s, &lock_fd, err) != 0)
        return -1;
    v->house.lock_fd = lock_fd;
    if (listener_open(&v->api, "api", s->listen, scheme, s->public_api_url, err) != 0 ||
        (s->storage == SETTINGS_EMBEDDED &&
         listener_open(&v->objects, "objects", s->objects, scheme, s->public_objects_url, err) !=
             0) ||
        (s->share != NULL &&
         listener_open(&v->share, "share", s->share, scheme, s->public_share_url, err) != 0) ||
        certificate_load(&v->certificate, v->settings, err) != 0)
        return -1;
    v->objects_url = str_dup(s->storage == SETTINGS_S3       ? s->s3_endpoint
                             : s->public_objects_url != NULL ? s->public_objects_url
                                                             : v->objects.url);
    if (data_dir_open(s, v->objects_url, &v->house, err) != 0)
        return -1;
    v->house.lock_fd = lock_fd;
    set_origins(v);
    if (open_for_service(v->house.store, s, v->share_url, err) != 0)
        return -1;
    v->limits = limits_new();
    v->sites = provider_memory_new();
    v->app = make_app(v);
    if (start_listeners(v, err) != 0 ||
        metrics_start(s, v->house.ledger, &v->api.stats, &v->objects.stats, &v->share.stats,
                      &v->metrics, err) != 0 ||
        write_ready(v, err) != 0)
        return -1;
    v->keeper = keeper_start(v->house.ledger, v->house.store, v->house.space, ask_for_reload,
                             look_at_members, v);
    return 0;
}

static void stop(struct server *v)
{
    int64_t patience_ms = v->settings->stop_patience * 1000LL;

    if (v->keeper != NULL && v->settings->ready_file != NULL)
        unlink(v->settings->ready_file);
    retired_add(&v->retired, v->api.web, v->objects.web, v->share.web, v->app, v->reloaded);
    retired_end(&v->retired, patience_ms);
    atomic_store(&v->is_stopping, 1);
    metrics_stop(v->metrics);
    keeper_stop(v->keeper);
    limits_free(v->limits);
    provider_memory_free(v->sites);
    data_dir_close(&v->house);
    listener_close(&v->api);
    listener_close(&v->objects);
    listener_close(&v->share);
    certificate_clear(&v->certificate);
    free(v->objects_url);
    free(v->objects_origin);
    free(v->share_url);
}

/* For listeners full of connections, see listener_files(); no core file, for memory holds
 * keys and passwords. */
static void raise_limits(const struct settings *s)
{
    const struct rlimit no_core = {0, 0};
    struct rlimit files;
    rlim_t want = (rlim_t)listener_files(s);

    setrlimit(RLIMIT_CORE, &no_core);
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= want)
        return;
    files.rlim_cur = files.rlim_max < want ? files.rlim_max : want;
    if (files.rlim_cur < want)
        log_warn("few-files limit=%llu wanted=%llu effect=\"fewer connections than "
                 "max_connections\"",
                 (unsigned long long)files.rlim_cur, (unsigned long long)want);
    setrlimit(RLIMIT_NOFILE, &files);
}

/* A server in which nothing moves any more is better ended and started anew. */
static void feed_watchdog(struct server *v)
{
    if (web_waits_ms(v->api.web) < STUCK_MS &&
        (v->objects.web == NULL || web_waits_ms(v->objects.web) < STUCK_MS) &&
        (v->share.web == NULL || web_waits_ms(v->share.web) < STUCK_MS))
        service_alive();
}

/* SIGALRM at half the interval in which the service manager wants to hear from us. */
static void start_watchdog(void)
{
    int64_t ms = service_watchdog_ms() / 2;
    const struct timeval every = {.tv_sec = ms / 1000, .tv_usec = (int)(ms % 1000) * 1000};
    const struct itimerval timer = {every, every};

    if (ms > 0)
        setitimer(ITIMER_REAL, &timer, NULL);
}

/* Until one asks to stop. */
static void serve(struct server *v, const sigset_t *set)
{
    int sig;

    start_watchdog();
    while (sigwait(set, &sig) == 0 && (sig == SIGHUP || sig == SIGALRM)) {
        if (sig == SIGALRM) {
            feed_watchdog(v);
        } else {
            reload(v);
            tell_ready(v);
        }
    }
}

int serve_run(const struct settings_args *args, const struct settings *s, struct ct_err *err)
{
    struct server v = {.args = args,
                       .settings = s,
                       .api = LISTENER_INIT,
                       .objects = LISTENER_INIT,
                       .share = LISTENER_INIT,
                       .house.lock_fd = -1};
    sigset_t set;
    int rc;

    /* Blocked before any thread is there, so that all inherit it and only sigwait() sees them. */
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    raise_limits(s);

    rc = start(&v, err);
    if (rc == 0) {
        announce(&v);
        serve(&v, &set);
        service_stopping(v.settings->stop_patience * 1000LL);
        log_info("stopping");
    }
    stop(&v);
    return rc;
}
