#ifndef SERVER_SETTINGS_IMPL_H
#define SERVER_SETTINGS_IMPL_H

#include "server/settings.h"

/* What settings*.c share; nobody else includes it. */

/**
 * settings_places_check(s, config, err):
 * Where objects and the database are: see that all of it is there, and gather the secrets.
 * ${config} is the file that was read, or NULL.
 */
int settings_places_check(struct settings *s, const char *config, struct ct_err *err);

#endif
