#ifndef BUNDLE_INSTALL_VERIFY_H
#define BUNDLE_INSTALL_VERIFY_H

#include <stddef.h>

#include "agents/trust.h"
#include "bundle/seal/seal.h"
#include "common/base/err.h"

/* How a bundle that is whole stands to the session as it lies here. */
enum verify_state {
    VERIFY_SAME,
    VERIFY_LOCAL_NEWER,
    VERIFY_CLOUD_NEWER,
    VERIFY_DIVERGED,
    VERIFY_NOT_HERE,
};

struct verify_result {
    enum verify_state state;
    size_t records, local_records;
};

struct agent;

/* Where the session lies here, and who vouches for that and for the bundle (agents/news.h). */
struct verify_here {
    /* The data folder of ${agent}, which the callee owns, or NULL. */
    const char *(*find_root)(void *arg, const struct agent *agent);
    void *arg;
    enum trust here, bundle;
};

/**
 * verify_bundle(path, session_id, here, unseal, ret, err):
 * Open the bundle ${path} of the session fully, writing nothing, and compare its records with those
 * that are here.  ERR_CORRUPT or ERR_REFUSED if it could not be installed.  ${unseal} may be NULL.
 */
int verify_bundle(const char *path, const char *session_id, const struct verify_here *here,
                  const struct unseal_opts *unseal, struct verify_result *ret, struct ct_err *err);

/**
 * verify_name(state):
 * Return a stable word: "same", "local-newer", "cloud-newer", "diverged", "not-here".
 */
const char *verify_name(enum verify_state state);

#endif
