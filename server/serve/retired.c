#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "server/serve/retired.h"

#define MAX_RETIRED 8 /* each has some twenty threads */
#define LOOK_EVERY_MS 100

/* What a thread waits for: that no connection is left, that no request is under way, nothing. */
enum haste { RETIRED_ALL, RETIRED_REQUESTS, RETIRED_NOW };

struct retired {
    struct retired *next; /* an older one */
    pthread_t thread;
    struct web *api, *objects, *share;
    struct app *app;
    struct settings *settings;
    _Atomic int haste; /* enum haste */
    _Atomic int is_done;
};

static void wait_a_moment(void)
{
    const struct timespec moment = {0, LOOK_EVERY_MS * 1000L * 1000L};

    nanosleep(&moment, NULL);
}

static int is_busy(struct web *w, int haste)
{
    return w != NULL && (web_active(w) > 0 || (haste == RETIRED_ALL && web_connections(w) > 0));
}

static void *run(void *arg)
{
    struct retired *r = arg;
    int haste;

    while ((haste = atomic_load(&r->haste)) != RETIRED_NOW &&
           (is_busy(r->api, haste) || is_busy(r->objects, haste) || is_busy(r->share, haste)))
        wait_a_moment();
    web_stop(r->api);
    web_stop(r->objects);
    web_stop(r->share);
    app_free(r->app);
    settings_free(r->settings);
    atomic_store(&r->is_done, 1);
    return NULL;
}

/* Free those that have ended, and return how many are left; ${ret_oldest} is one of them. */
static int reap(struct retired **list, struct retired **ret_oldest)
{
    int n = 0;

    while (*list != NULL) {
        struct retired *r = *list;
        if (atomic_load(&r->is_done)) {
            pthread_join(r->thread, NULL);
            *list = r->next;
            free(r);
        } else {
            *ret_oldest = r;
            list = &r->next;
            n++;
        }
    }
    return n;
}

static void make_place(struct retired **list)
{
    struct retired *oldest;

    while (reap(list, &oldest) >= MAX_RETIRED) {
        if (atomic_exchange(&oldest->haste, RETIRED_NOW) != RETIRED_NOW)
            log_warn("transfers-cut reason=\"they are older than the last %d reloads\"",
                     MAX_RETIRED);
        wait_a_moment();
    }
}

void retired_add(struct retired **list, struct web *api, struct web *objects, struct web *share,
                 struct app *app, struct settings *settings)
{
    struct retired *r = str_calloc(1, sizeof(*r));

    if (api != NULL)
        web_quiesce(api);
    if (objects != NULL)
        web_quiesce(objects);
    if (share != NULL)
        web_quiesce(share);
    make_place(list);
    r->api = api;
    r->objects = objects;
    r->share = share;
    r->app = app;
    r->settings = settings;
    if (pthread_create(&r->thread, NULL, run, r) != 0)
        abort();
    r->next = *list;
    *list = r;
}

static int signal_is_pending(void)
{
    sigset_t set;

    return sigpending(&set) == 0 &&
           (sigismember(&set, SIGTERM) == 1 || sigismember(&set, SIGINT) == 1);
}

static void hurry(struct retired *list, int haste)
{
    for (struct retired *r = list; r != NULL; r = r->next)
        atomic_store(&r->haste, haste);
}

void retired_end(struct retired **list, int64_t patience_ms)
{
    int64_t until = now_mono_ms() + patience_ms;
    struct retired *left;

    hurry(*list, RETIRED_REQUESTS);
    while (reap(list, &left) > 0) {
        if (now_mono_ms() >= until || signal_is_pending())
            hurry(*list, RETIRED_NOW);
        wait_a_moment();
    }
}
