#ifndef SERVER_SERVE_METRICS_H
#define SERVER_SERVE_METRICS_H

#include "common/base/err.h"

#include "server/ledger/ledger.h"
#include "server/settings/settings.h"
#include "server/web/web_stats.h"

/*
 * GET /metrics for Prometheus, in plain HTTP on a loopback address of its own.  Numbers of the
 * whole server only: no user is in a label.
 */
struct metrics;

/**
 * metrics_start(s, ledger, api, objects, share, ret, err):
 * Begin to answer where s->metrics says; ${ret} is NULL if it says nothing.  What is borrowed
 * outlives it.
 */
int metrics_start(const struct settings *s, struct ledger *ledger, const struct web_stats *api,
                  const struct web_stats *objects, const struct web_stats *share,
                  struct metrics **ret, struct ct_err *err);

/**
 * metrics_url(m):
 * Return where it answers, "http://127.0.0.1:9464/metrics", borrowed.
 */
const char *metrics_url(const struct metrics *m);

/**
 * metrics_stop(m):
 * Stop it; NULL is harmless.
 */
void metrics_stop(struct metrics *m);

#endif
