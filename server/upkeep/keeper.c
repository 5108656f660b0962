#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "server/ledger/purge.h"
#include "server/upkeep/keeper.h"

#define PURGE_EVERY_S 300
#define WRITE_NOTES_EVERY_S 60
#define LOOK_EVERY_S 10
#define ROOM_BYTES (1LL << 30) /* at a time */
#define HOUR_MS (3600LL * 1000)
#define JUMP_MS (2 * DAY_MS)
#define DAY_MS (24LL * 3600 * 1000)

struct keeper {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    int stopping;
    struct ledger *ledger;
    struct store *store;
    struct space *space;
    void (*daily)(void *arg), (*hourly)(void *arg);
    void *arg;
    int64_t wall_ms, mono_ms; /* when the clock was looked at last */
    int64_t held_until_ms;    /* nothing is purged */
};

/*
 * What no version knows is left to the verb gc: a store meets such objects when a database was lost
 * or put back from a backup, and then they are what is to be saved.
 */
static void tidy(struct keeper *k, int all)
{
    struct purged r = {0};
    struct ct_err err;

    if (purge_due(k->ledger, k->store, now_wall_ms(), &r, &err) != 0 ||
        (all && store_sweep(k->store, DAY_MS, now_wall_ms(), &err) != 0))
        log_error("gc-failed error=\"%s\"", err.msg);
    if (all && !ledger_purges_are_held(k->ledger) &&
        ledger_audit_forget(k->ledger, now_wall_ms(), &err) != 0)
        log_error("audit-not-tidied error=\"%s\"", err.msg);
    if (r.n + r.failed > 0)
        log_info("gc purged=%ld failed=%ld", r.n, r.failed);
}

/* The disk has less room than it is to have: what has been in the trash for long goes sooner. */
static void make_room(struct keeper *k)
{
    struct purged r = {0};
    struct ct_err err;

    if (!space_tend(k->space))
        return;
    if (purge_for_room(k->ledger, k->store, NULL, ROOM_BYTES, now_wall_ms(), &r, &err) != 0)
        log_error("gc-failed error=\"%s\"", err.msg);
    log_warn("disk-low purged=%ld failed=%ld bytes=%lld", r.n, r.failed, (long long)r.bytes);
}

/* Nothing hangs on these times: if they can't be written now, they are not.  Traces wait. */
static void write_notes(struct keeper *k)
{
    struct ct_err err;

    if (ledger_write_uses(k->ledger, &err) != 0)
        log_warn("uses-not-written error=\"%s\"", err.msg);
    if (ledger_audit_floods(k->ledger, &err) != 0)
        log_error("audit-not-written error=\"%s\"", err.msg);
}

/*
 * What is due is due by the clock, and a clock can be wrong: one that jumped, or the one of a
 * machine that was off for days, is believed after a day on which it went as it should.  (The verb
 * gc doesn't wait.)
 */
static void look_at_clock(struct keeper *k)
{
    int64_t now_ms = now_wall_ms(), mono_ms = now_mono_ms(), seen_ms = k->wall_ms, ran_ms;
    struct ct_err err;

    if (k->wall_ms == 0 && ledger_clock(k->ledger, now_ms, &seen_ms, &err) != 0) {
        log_warn("clock-not-noted error=\"%s\"", err.msg);
        return;
    }
    ran_ms = k->wall_ms != 0 ? mono_ms - k->mono_ms : 0;
    if (seen_ms != 0 &&
        (now_ms - seen_ms - ran_ms > JUMP_MS || now_ms - seen_ms - ran_ms < -HOUR_MS)) {
        log_warn("clock-jumped seconds=%lld effect=\"nothing is purged for a day\"",
                 (long long)((now_ms - seen_ms - ran_ms) / 1000));
        k->held_until_ms = mono_ms + DAY_MS;
    }
    ledger_hold_purges(k->ledger, mono_ms < k->held_until_ms);
    k->wall_ms = now_ms;
    k->mono_ms = mono_ms;
}

/* For the next start. */
static void note_clock(struct keeper *k)
{
    int64_t seen_ms;
    struct ct_err err;

    if (ledger_clock(k->ledger, now_wall_ms(), &seen_ms, &err) != 0)
        log_warn("clock-not-noted error=\"%s\"", err.msg);
}

static void *run(void *arg)
{
    struct keeper *k = arg;
    int64_t last_ms = 0, hour_ms = 0;
    int round = 0;

    pthread_mutex_lock(&k->mutex);
    while (!k->stopping) {
        struct timespec until;
        int day_has_passed = last_ms == 0 || now_wall_ms() - last_ms >= DAY_MS;

        pthread_mutex_unlock(&k->mutex);
        look_at_clock(k);
        make_room(k);
        if (round % (WRITE_NOTES_EVERY_S / LOOK_EVERY_S) == 0)
            write_notes(k);
        if (round++ % (PURGE_EVERY_S / LOOK_EVERY_S) == 0 || day_has_passed) {
            tidy(k, day_has_passed);
            note_clock(k);
        }
        if (hour_ms == 0 || now_mono_ms() - hour_ms >= HOUR_MS) {
            k->hourly(k->arg);
            hour_ms = now_mono_ms();
        }
        if (day_has_passed) {
            if (last_ms != 0)
                k->daily(k->arg);
            last_ms = now_wall_ms();
        }
        pthread_mutex_lock(&k->mutex);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += LOOK_EVERY_S;
        if (!k->stopping)
            pthread_cond_timedwait(&k->wake, &k->mutex, &until);
    }
    pthread_mutex_unlock(&k->mutex);
    return NULL;
}

struct keeper *keeper_start(struct ledger *l, struct store *s, struct space *space,
                            void (*daily)(void *arg), void (*hourly)(void *arg), void *arg)
{
    struct keeper *k = str_calloc(1, sizeof(*k));

    k->ledger = l;
    k->store = s;
    k->space = space;
    k->daily = daily;
    k->hourly = hourly;
    k->arg = arg;
    pthread_mutex_init(&k->mutex, NULL);
    pthread_cond_init(&k->wake, NULL);
    if (pthread_create(&k->thread, NULL, run, k) != 0)
        abort();
    return k;
}

void keeper_stop(struct keeper *k)
{
    if (k == NULL)
        return;
    pthread_mutex_lock(&k->mutex);
    k->stopping = 1;
    pthread_cond_signal(&k->wake);
    pthread_mutex_unlock(&k->mutex);
    pthread_join(k->thread, NULL);
    pthread_cond_destroy(&k->wake);
    pthread_mutex_destroy(&k->mutex);
    free(k);
}
