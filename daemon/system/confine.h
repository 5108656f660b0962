#ifndef DAEMON_SYSTEM_CONFINE_H
#define DAEMON_SYSTEM_CONFINE_H

#include <json-c/json.h>

#include "common/config/config.h"
#include "common/base/err.h"

/*
 * What this daemon may touch once it runs.  It reads the watched folders, its configuration and
 * credentials, and what the C library and TLS need of the system; it writes to its state folder;
 * it executes nothing.  So nothing in a watched folder can be written, made, moved, linked or
 * removed, and nothing else of the home folder can be read, whatever a bundle or an answer of a
 * server might bring it to try.
 *
 * The kernel holds on to files and folders, not to names.  What is put in the place of one of them
 * later, or was not there yet, can't be read: see restart.c.
 */
struct confine;

struct confine_places {
    const struct config *config;
    const char *config_path; /* as for config_file() */
    const char *credentials; /* the file */
};

/**
 * confine_enter(places, ret, err):
 * Enter the sandbox as the configuration wishes.  Before any thread is started, and after all that
 * has to be done outside.  Without a sandbox that works it goes on, unless the configuration
 * requires one: then ERR_CONFIG.  The caller frees with confine_free().
 */
int confine_enter(const struct confine_places *places, struct confine **ret, struct ct_err *err);

/**
 * confine_free(c):
 * Free the record; the process stays confined.  NULL is harmless.
 */
void confine_free(struct confine *c);

/**
 * confine_bars(c, path):
 * Return whether it is the sandbox that keeps us from reading ${path}.  ${c} may be NULL: no.
 */
int confine_bars(const struct confine *c, const char *path);

/**
 * confine_report(c):
 * What `status` says of it.  ${c} may be NULL.  The caller owns the object.
 */
struct json_object *confine_report(const struct confine *c);

#endif
