#ifndef SERVER_SETTINGS_SETTINGS_IMPL_H
#define SERVER_SETTINGS_SETTINGS_IMPL_H

#include "server/settings/settings.h"

/* What settings*.c share; nobody else includes it. */

#define SETTINGS_VARIABLES "CODETELEPORT_SERVER_" /* a key in capitals follows; before the file */

/**
 * settings_places_check(s, config, err):
 * Where objects and the database are: see that all of it is there, and gather the secrets.
 * ${config} is the file that was read, or NULL.
 */
int settings_places_check(struct settings *s, const char *config, struct ct_err *err);

/**
 * settings_find_secret(member, file, config, name, variable, err):
 * A secret of up to three places: what stands in the configuration ${config} already (${member}; a
 * file that everybody can read is refused), the first line of ${file} (the key "${name}_file"), the
 * environment's ${variable}.  ${member} stays NULL if it is nowhere.
 */
int settings_find_secret(char **member, const char *file, const char *config, const char *name,
                         const char *variable, struct ct_err *err);

/**
 * settings_github_check(s, config, err):
 * Sign-in with GitHub: see that all of it is there, and gather the secret.  ${config} is the file
 * that was read.
 */
int settings_github_check(struct settings *s, const char *config, struct ct_err *err);

/**
 * settings_share_check(s, err):
 * See that the page of what is shared has an origin of its own.
 */
int settings_share_check(struct settings *s, struct ct_err *err);

/**
 * settings_is_wildcard(place), settings_check_origin(url, name, err):
 * Does it listen on every address?  See that ${url}, the key ${name}, is an origin and nothing
 * more; slashes at its end go.
 */
int settings_is_wildcard(const char *place);
int settings_check_origin(char *url, const char *name, struct ct_err *err);

#endif
