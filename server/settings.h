#ifndef SERVER_SETTINGS_H
#define SERVER_SETTINGS_H

#include "common/err.h"

enum settings_registration { SETTINGS_AUTO, SETTINGS_CLOSED, SETTINGS_OPEN };
enum settings_tls { SETTINGS_TLS_ON, SETTINGS_TLS_OFF };

/* server.conf and what the command line says over it.  Every key has a default. */
struct settings {
    char *data;               /* folder of everything that the server keeps */
    char *listen;             /* HOST:PORT of the API */
    char *objects;            /* HOST:PORT of the embedded object store */
    char *public_objects_url; /* where clients reach that, or NULL: its own address */
    char *certificate;        /* PEM files, both or neither; else a private CA makes them */
    char *key;
    char *ready_file; /* command line only, or NULL */
    int registration; /* enum settings_registration */
    int tls;          /* enum settings_tls */
    long long versions_per_session;
    long long max_bytes_per_user; /* 0: no limit */
    int log;                      /* enum log_level */
};

/**
 * settings_load(path, data, listen, objects, ret, err):
 * Read ${path} (NULL: server.conf in the default configuration folder, which may be missing), let
 * the arguments that are not NULL win, and check that it fits together.  The caller frees with
 * settings_free().
 */
int settings_load(const char *path, const char *data, const char *listen, const char *objects,
                  struct settings **ret, struct ct_err *err);

/**
 * settings_free(s):
 * Free it; NULL is harmless.
 */
void settings_free(struct settings *s);

/**
 * settings_registration_is_open(s):
 * Return whether anybody may register: as said, or on loopback only.
 */
int settings_registration_is_open(const struct settings *s);

#endif
