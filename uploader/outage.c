#include <stdio.h>
#include <string.h>

#include "uploader/backoff.h"

#include "uploader/outage.h"

/* How often to look whether somebody mended what only they can mend, give or take a half. */
#define SLOW_S (10 * 60)

static void wait_alone(struct outage_wait *w, int at_least_s, const struct outage_moment *m)
{
    w->failures++;
    w->next_ms = m->now_ms + backoff_ms(w->failures, m->is_waited, at_least_s, m->dice);
}

/* Nobody else's bundle would fare better now: one clock for all, and the next one tries for all,
 * lest one that can't get through holds up the others. */
static int wait_together(struct outage *o, int at_least_s, const struct outage_moment *m)
{
    o->is_on = 1;
    o->next_ms = m->now_ms + backoff_ms(o->failures, m->is_waited, at_least_s, m->dice);
    return 1;
}

/* Those that tried together and failed together count once. */
static void count_failure(struct outage *o, const char *session_id, const struct ct_err *err,
                          const struct outage_moment *m)
{
    if (o->failures == 0 || o->next_ms <= m->now_ms)
        o->failures++;
    o->is_alive = 0;
    o->err = *err;
    snprintf(o->session, sizeof(o->session), "%s", session_id);
}

static int wait_for_better(struct outage *o, struct outage_wait *w, const char *session_id,
                           const struct ct_err *err, int at_least_s, const struct outage_moment *m)
{
    int is_second = o->failures > 0 && strcmp(o->session, session_id) != 0;

    count_failure(o, session_id, err, m);
    wait_alone(w, at_least_s, m);
    return is_second || o->is_on ? wait_together(o, at_least_s, m) : 0;
}

int outage_failed(struct outage *o, struct outage_wait *w, const char *session_id,
                  enum verdict verdict, const struct ct_err *err, const struct outage_moment *m)
{
    int at_least_s = err->retry_after_s;

    switch (verdict) {
    case VERDICT_SLOW:
        at_least_s = SLOW_S / 2 + (int)(m->dice % SLOW_S);
        return wait_for_better(o, w, session_id, err, at_least_s, m);
    case VERDICT_BACK_OFF:
        return wait_for_better(o, w, session_id, err, at_least_s, m);
    case VERDICT_AWAY:
        count_failure(o, session_id, err, m);
        w->failures++;
        /* Who asks for patience gets some, also without a number. */
        return wait_together(o, err->http_status != 0 && at_least_s == 0 ? 1 : at_least_s, m);
    default:
        wait_alone(w, at_least_s, m);
        return 0;
    }
}

void outage_hurry(struct outage *o)
{
    o->next_ms = 0;
    o->failures = o->failures > 1 ? 1 : o->failures;
}
