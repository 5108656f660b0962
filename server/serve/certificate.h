#ifndef SERVER_SERVE_CERTIFICATE_H
#define SERVER_SERVE_CERTIFICATE_H

#include "common/base/buf.h"
#include "common/base/err.h"

#include "server/settings/settings.h"

/* What the listeners show, in PEM: from files, or made by a private CA in the data folder. */
struct certificate {
    struct buf cert, key; /* empty: plain HTTP */
    char *ca;             /* path of our CA, NULL if there is none */
};

/**
 * certificate_load(c, s, err):
 * Read the pair that ${s} says, anew if it was read before; one by our own CA is renewed first if
 * need be.
 */
int certificate_load(struct certificate *c, const struct settings *s, struct ct_err *err);

/**
 * certificate_clear(c):
 * Forget it.
 */
void certificate_clear(struct certificate *c);

#endif
