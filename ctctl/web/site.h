#ifndef CTCTL_WEB_SITE_H
#define CTCTL_WEB_SITE_H

#include "ctctl/ctx/ctx.h"

struct site_opts {
    int has_browser; /* start it */
    int idle_s;      /* end after so many seconds without a request */
};

/**
 * site_run(c, opts, err):
 * Show the sessions to this user's browser on 127.0.0.1 until SIGINT, SIGTERM, SIGHUP, or until
 * nobody has asked for ${opts}->idle_s.  ERR_REFUSED if the link was followed a second time.
 */
int site_run(struct ctx *c, const struct site_opts *opts, struct ct_err *err);

#endif
