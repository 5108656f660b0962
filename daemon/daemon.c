#include <sys/stat.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "agents/roots.h"
#include "common/config/device.h"
#include "common/base/hash.h"
#include "common/config/state_dir.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/sys/service.h"
#include "common/base/str.h"
#include "daemon/system/lock.h"
#include "daemon/system/resources.h"

#include "daemon/account/cloud.h"
#include "daemon/system/confine.h"
#include "daemon/daemon.h"
#include "daemon/account/login_view.h"
#include "daemon/account/allowance.h"
#include "daemon/account/room.h"
#include "daemon/session/credscan.h"
#include "daemon/session/headlook.h"
#include "daemon/session/rules.h"
#include "daemon/session/whereabouts.h"
#include "daemon/account/sealing.h"

#define DRAIN_MS 15000 /* how long a stop waits for transfers */
#define DRAIN_LOOK_MS 50
#define SAME_MS 500   /* a signal to the whole group comes from supervise() once more */
#define NOTICE_MS 500 /* at most so often is the service manager told */
#define REST_S 20     /* how long after the last work memory is given back */

struct life {
    struct daemon *d;
    struct event *signals[5];
    struct event *drain;
    struct event *watchdog;
    struct event *notice;
    struct event *rest;
    int64_t stop_at_ms;
    int64_t signal_ms; /* when we were told to stop */
    int lock_fd;
    char told[300]; /* what the service manager heard last of how things stand */
};

/* ---- signals and the end ------------------------------------------------------------------------
 */

static int log_one(void *arg, const char *key, void *value)
{
    const struct session *s = value;
    int *left = arg;

    log_info("dump session=%s waiting=%d due=%d bundling=%d dirty=%llu queued=%llu safe=%llu "
             "error=\"%s\"",
             key, s->is_waiting, s->is_due, s->is_bundling, (unsigned long long)s->dirty_seq,
             (unsigned long long)s->queued_seq, (unsigned long long)s->safe_seq,
             s->err != NULL ? s->err->msg : "");
    return --*left <= 0;
}

static void dump(struct daemon *d)
{
    struct watcher_stats w;
    char line[512];
    int left = 100;

    report_line(d, line, sizeof(line));
    watcher_stats(d->watcher, &w);
    log_info("dump status=\"%s\" backend=%s watches=%lld overflows=%lld worker-jobs=%d", line,
             w.backend, (long long)w.watches, (long long)w.overflows, worker_pending(d->worker));
    sessions_each(d, log_one, &left);
}

static void look_whether_drained(evutil_socket_t fd, short what, void *arg)
{
    struct life *l = arg;
    struct timeval tv = {.tv_usec = DRAIN_LOOK_MS * 1000};
    struct uploader_stats st = {0};

    (void)fd;
    (void)what;
    if (l->d->books != NULL)
        uploader_stats(l->d->books->uploader, &st);
    if (st.active == 0 || now_mono_ms() >= l->stop_at_ms)
        event_base_loopbreak(l->d->base);
    else
        evtimer_add(l->drain, &tv);
}

void daemon_stop(struct daemon *d)
{
    struct life *l = d->life;

    if (d->is_stopping) {
        event_base_loopbreak(d->base);
        return;
    }
    d->is_stopping = 1;
    log_info("stopping");
    service_stopping(0);
    bundler_stop(d->bundler);
    if (d->books != NULL)
        uploader_stop(d->books->uploader);
    l->stop_at_ms = now_mono_ms() + DRAIN_MS;
    look_whether_drained(-1, 0, l);
}

void daemon_give_up(struct daemon *d, int status)
{
    d->exit_status = status;
    d->has_given_up = 1;
    if (!d->is_stopping)
        daemon_stop(d);
}

static void on_signal(evutil_socket_t signo, short what, void *arg)
{
    struct daemon *d = arg;
    struct ct_err err;

    (void)what;
    switch ((int)signo) {
    case SIGTERM:
    case SIGINT:
        if (d->is_stopping && now_mono_ms() - d->life->signal_ms < SAME_MS)
            break;
        d->life->signal_ms = now_mono_ms();
        if (d->is_once && !d->is_stopping)
            d->exit_status = 75;
        if (d->exit_status == DAEMON_RESTART)
            d->exit_status = 0;
        daemon_stop(d);
        break;
    case SIGHUP:
        service_reloading();
        daemon_reload(d, &err);
        d->is_ready = 0; /* it wants to hear READY again */
        daemon_notice(d);
        break;
    case SIGUSR1:
        dump(d);
        break;
    default:
        break;
    }
}

/* ---- rest ---------------------------------------------------------------------------------------
 */

/* Connections, caches and free memory go back once nothing has been on its way for a while. */
static void on_rest(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;

    (void)fd;
    (void)what;
    if (sessions_n(d) > 0)
        return;
    sessions_rest(d);
    http_engine_rest(d->engine);
    if (d->books != NULL)
        db_shrink(state_db(d->books->state));
    if (d->second != NULL && worker_pending(d->second) == 0) {
        worker_free(d->second);
        d->second = NULL;
    }
    resources_trim();
}

void daemon_rest_soon(struct daemon *d)
{
    struct timeval tv = {.tv_sec = REST_S};

    evtimer_add(d->life->rest, &tv);
}

/* ---- the service manager ------------------------------------------------------------------------
 */

static void on_notice(evutil_socket_t fd, short what, void *arg)
{
    struct life *l = arg;
    char line[sizeof(l->told)];

    (void)fd;
    (void)what;
    report_line(l->d, line, sizeof(line));
    if (!l->d->is_ready)
        service_ready(line);
    else if (strcmp(line, l->told) != 0)
        service_status(line);
    memcpy(l->told, line, sizeof(line));
    l->d->is_ready = 1;
}

void daemon_notice(struct daemon *d)
{
    struct timeval tv = {.tv_usec = NOTICE_MS * 1000};

    notify_look(d);
    if (service_is_there() && !evtimer_pending(d->life->notice, NULL))
        evtimer_add(d->life->notice, &tv);
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    service_alive();
}

static void life_start(struct life *l)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    struct daemon *d = l->d;
    int64_t watchdog_ms = service_watchdog_ms();
    struct timeval tv = {.tv_sec = watchdog_ms / 2000, .tv_usec = watchdog_ms / 2 % 1000 * 1000};

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        l->signals[i] = evsignal_new(d->base, signals[i], on_signal, d);
        if (l->signals[i] == NULL || event_add(l->signals[i], NULL) != 0)
            abort();
    }
    l->drain = evtimer_new(d->base, look_whether_drained, l);
    l->notice = evtimer_new(d->base, on_notice, l);
    l->rest = evtimer_new(d->base, on_rest, d);
    l->watchdog = event_new(d->base, -1, EV_PERSIST, on_watchdog, NULL);
    if (l->drain == NULL || l->notice == NULL || l->rest == NULL || l->watchdog == NULL)
        abort();
    if (watchdog_ms > 0)
        event_add(l->watchdog, &tv);
}

static void life_end(struct life *l)
{
    for (size_t i = 0; i < sizeof(l->signals) / sizeof(l->signals[0]); i++) {
        if (l->signals[i] != NULL)
            event_free(l->signals[i]);
    }
    if (l->drain != NULL)
        event_free(l->drain);
    if (l->notice != NULL)
        event_free(l->notice);
    if (l->rest != NULL)
        event_free(l->rest);
    if (l->watchdog != NULL)
        event_free(l->watchdog);
    if (l->lock_fd >= 0)
        close(l->lock_fd);
}

/* ---- start --------------------------------------------------------------------------------------
 */

static int listen_on_socket(struct daemon *d, struct ct_err *err)
{
    int fd = service_socket_unix("control", d->config->socket);

    if (fd >= 0)
        return ipc_server_new_fd(d->base, fd, control_request, d, &d->ipc, err);
    if (service_socket("control") >= 0)
        log_warn("socket-not-taken configured=%s reason=\"the service manager listens elsewhere; "
                 "systemctl --user mask codeteleportd.socket, or a new codeteleportd --agent\"",
                 d->config->socket);
    return ipc_server_new(d->base, d->config->socket, control_request, d, &d->ipc, err);
}

static int watch(struct daemon *d, struct ct_err *err)
{
    char *markers = path_join(d->config->state_dir, "drain");
    const struct agent **agents = str_calloc(d->config->roots.n + 1, sizeof(*agents));
    struct watcher_opts o = {
        .roots = &d->config->roots,
        .agents = agents,
        .marker_dir = markers,
        .rescan_ms = d->config->rescan_ms,
        .is_polling = d->config->polling,
    };
    int rc = -1;

    for (size_t i = 0; i < d->config->roots.n; i++)
        agents[i] = daemon_agent(d, (int)i);
    if (path_make_private(markers, err) == 0 &&
        watcher_new(d->base, &o, &changes_watcher_ops, d, &d->watcher, err) == 0 &&
        watcher_add_file(d->watcher, login_view_credentials_path(d->login), err) == 0 &&
        watcher_add_file(d->watcher, sealing_path(d->sealing), err) == 0 &&
        watcher_add_file(d->watcher, rules_path(d->rules), err) == 0 &&
        (d->config->ca_file == NULL ||
         watcher_add_file(d->watcher, d->config->ca_file, err) == 0) &&
        gather_watch(d, err) == 0)
        rc = 0;
    free(agents);
    free(markers);
    return rc;
}

const struct agent *daemon_agent(const struct daemon *d, int root)
{
    return roots_agent(d->config, (size_t)root);
}

static void setup(struct daemon *d)
{
    d->started_ms = now_wall_ms();
    hash_random(&d->seen_seed, sizeof(d->seen_seed));
    d->whereabouts = whereabouts_new();
    d->live = map_new();
    d->roots = str_calloc(d->config->roots.n, sizeof(*d->roots));
    d->allowance = allowance_new(d);
    d->sessions = sessions_new(d);
    d->pause = pause_new(d);
    d->restart = restart_new(d);
    d->room = room_new();
    d->damage = books_damage_event(d);
    d->reseal_timer = reseal_event(d);
    if (d->damage == NULL || d->reseal_timer == NULL)
        abort();
    d->bundler = bundler_new(d);
    d->headlook = headlook_new(d);
    d->waiters = waiters_new();
    d->cloud = cloud_new(d);
    d->login = login_view_new(d);
    d->sealing = sealing_new(d);
}

/* A folder that is there when the sandbox closes can be read when a log-in fills it. */
static void make_credentials_folder(struct daemon *d)
{
    char *dir = path_parent(login_view_credentials_path(d->login));
    struct ct_err err;

    if (path_make_dirs(dir, 0700, &err) != 0)
        log_debug("credentials-folder error=\"%s\"", err.msg);
    free(dir);
}

/* What has to be done outside of the sandbox: to execute something, to make what lies elsewhere
 * than below the state folder.  No thread yet. */
static int start_outside(struct daemon *d, struct ct_err *err)
{
    if (path_make_private(d->config->state_dir, err) != 0 ||
        lock_take(d->config->state_dir, &d->life->lock_fd, err) != 0 ||
        state_dir_mark(d->config->state_dir, err) != 0 ||
        path_make_private(d->config->shared_dir, err) != 0 ||
        rules_new(d->config, &d->rules, err) != 0 || credscan_configure(d, d->config, err) != 0 ||
        listen_on_socket(d, err) != 0)
        return -1;
    make_credentials_folder(d);
    gather_first(d);
    d->cleanup = cleanup_new(d);
    if (device_id(d->config->state_dir, d->device_id, NULL) != 0)
        d->device_id[0] = '\0';
    sealing_start(d->sealing); /* a key_command */
    return 0;
}

static int start(struct daemon *d, struct ct_err *err)
{
    struct http_policy policy = daemon_policy(d->config);
    struct confine_places places = {
        .config = d->config,
        .config_path = d->config_path,
        .credentials = login_view_credentials_path(d->login),
    };

    if (start_outside(d, err) != 0 || confine_enter(&places, &d->confine, err) != 0)
        return -1;
    if (worker_new(d->base, resources_be_polite, &d->worker, err) != 0 ||
        http_engine_new(d->base, &policy, &d->engine, err) != 0)
        return -1;
    pause_restore(d);
    daemon_mind_metered(d);
    suspend_begin(d);
    notify_begin(d);
    login_view_refresh(d->login);
    return watch(d, err);
}

/* In the order of who holds on to whom. */
static void teardown(struct daemon *d)
{
    bundler_stop(d->bundler);
    waiters_free(d->waiters);
    d->waiters = NULL;
    ipc_server_free(d->ipc);
    d->ipc = NULL;
    login_view_free(d->login);
    cloud_forget(d->cloud);
    headlook_forget(d->headlook);
    allowance_forget(d->allowance);
    watcher_free(d->watcher);
    books_close(d);
    worker_free(d->worker);
    gathering_free(d->gathering);
    worker_free(d->second);
    daemon_network_end(d);
    notify_end(d);
    suspend_end(d);
    http_engine_free(d->engine);
    bundler_free(d->bundler);
    headlook_free(d->headlook);
    cloud_free(d->cloud);
    allowance_free(d->allowance);
    sealing_free(d->sealing);
    sessions_free(d->sessions);
    whereabouts_free(d->whereabouts);
    map_free_all(d->live);
    for (size_t i = 0; i < d->config->roots.n; i++) {
        buf_free(&d->roots[i].seen);
        strlist_free(&d->roots[i].unreadable);
    }
    free(d->roots);
    strlist_free(&d->clashes);
    restart_free(d->restart);
    room_free(d->room);
    confine_free(d->confine);
    pause_free(d->pause);
    event_free(d->damage);
    event_free(d->reseal_timer);
    life_end(d->life);
    event_base_free(d->base);
    rules_free(d->rules);
    cleanup_free(d->cleanup);
    credscan_end(d);
    config_free(d->config);
    free(d->config_path);
}

int daemon_run(struct config *config, const char *config_path, int is_once, int is_verbose)
{
    struct daemon d = {.config = config, .is_once = is_once, .is_verbose = is_verbose};
    struct life life = {.d = &d, .lock_fd = -1};
    struct ct_err err;

    resources_tidy_heap();
    signal(SIGPIPE, SIG_IGN);
    umask(077);
    d.life = &life;
    d.config_path = config_path != NULL ? str_dup(config_path) : NULL;
    d.base = event_base_new();
    if (d.base == NULL)
        abort();
    setup(&d);
    life_start(&life);
    if (start(&d, &err) != 0) {
        log_error("start-failed error=\"%s\"", err.msg);
        d.exit_status = err.code == ERR_CONFIG ? 78 : 1;
    } else {
        log_info("started version=%s state=%s socket=%s", PACKAGE_VERSION, d.config->state_dir,
                 d.config->socket);
        daemon_notice(&d);
        if (is_once)
            waiter_sync(&d, NULL, 0, NULL, 1);
        if (!event_base_got_break(d.base))
            event_base_dispatch(d.base);
    }
    teardown(&d);
    return d.exit_status;
}
