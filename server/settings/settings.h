#ifndef SERVER_SETTINGS_SETTINGS_H
#define SERVER_SETTINGS_SETTINGS_H

#include "common/base/err.h"
#include "common/base/strlist.h"

enum settings_registration { SETTINGS_AUTO, SETTINGS_CLOSED, SETTINGS_INVITE, SETTINGS_OPEN };
enum settings_tls { SETTINGS_TLS_ON, SETTINGS_TLS_OFF };
enum settings_storage { SETTINGS_EMBEDDED, SETTINGS_S3 };
enum settings_style { SETTINGS_PATH_STYLE, SETTINGS_VIRTUAL_STYLE };

/* server.conf and what the command line says over it.  Every key has a default. */
struct settings {
    char *data;               /* folder of everything that the server keeps */
    char *listen;             /* HOST:PORT of the API */
    char *objects;            /* HOST:PORT of the embedded object store */
    char *public_objects_url; /* where clients reach that, or NULL: its own address */
    char *share;              /* HOST:PORT of the page that shows what is shared; NULL: nobody
                                 shares anything */
    char *public_share_url;   /* where readers reach that, or NULL: its own address */
    char *metrics;            /* HOST:PORT of this machine for Prometheus; NULL: nowhere */
    char *certificate;        /* PEM files, both or neither; else a private CA makes them */
    char *key;
    char *ready_file;             /* command line only, or NULL */
    struct strlist trusted_proxy; /* addresses whose X-Forwarded-For is believed */
    int registration;             /* enum settings_registration */
    int tls;                      /* enum settings_tls */
    int dashboard;                /* the pages at /app/ */
    long long versions_per_session;
    long long max_bytes_per_user; /* 0: no limit */
    long long max_bytes;          /* of all users together; 0: no limit */
    long long min_free_space;     /* of the data folder's disk */
    long long max_token_days;     /* 0: no limit */
    long long sign_in_days;       /* for who signs in elsewhere; 0: once is enough */
    long long stop_patience;      /* seconds for requests under way at a stop */
    long long max_connections;    /* of each listener */
    long long max_connections_per_address;
    int log; /* enum log_level */

    int storage; /* enum settings_storage */
    char *s3_endpoint, *s3_region, *s3_bucket, *s3_key_id;
    char *s3_secret;      /* from wherever it was found */
    char *s3_secret_file; /* or NULL */
    int s3_style;         /* enum settings_style */
    int s3_checksums;     /* it knows x-amz-checksum-* */
    char *database;       /* NULL: SQLite in the data folder; or "libsql://host" */
    char *database_token; /* from wherever it was found, or NULL */
    char *database_token_file;
    char *ca_file;        /* of a private CA of what the server itself asks, or NULL */
    int allow_plain_http; /* these two on loopback */

    char *public_api_url;       /* where clients reach the API, or NULL: its own address */
    char *github_client_id;     /* NULL: no sign-in with GitHub */
    char *github_client_secret; /* from wherever it was found */
    char *github_client_secret_file;
    char *github_url, *github_api_url; /* without a slash at the end */
    char *github_organization;         /* or NULL */
    char *github_token; /* may read its members; from wherever it was found, or NULL */
    char *github_token_file;
    char *oidc_issuer; /* as it calls itself; NULL: no sign-in with OpenID Connect */
    char *oidc_client_id;
    char *oidc_client_secret; /* from wherever it was found; NULL: a public client */
    char *oidc_client_secret_file;
    int oidc_joins_by_email;       /* its word on an e-mail is proof */
    struct strlist allowed_emails; /* addresses and "@domain"; empty: any */
};

/* What the command line says; each may be NULL. */
struct settings_args {
    const char *file; /* NULL: server.conf in the default configuration folder, if it is there */
    const char *data, *listen, *objects, *ready_file;
};

/**
 * settings_load(args, ret, err):
 * Read the file, let what ${args} say win, and check that it fits together.  The caller frees with
 * settings_free().
 */
int settings_load(const struct settings_args *args, struct settings **ret, struct ct_err *err);

/**
 * settings_check_serving(s, err):
 * See that what a server needs and a verb does not is there.  ERR_CONFIG.
 */
int settings_check_serving(const struct settings *s, struct ct_err *err);

/**
 * settings_check_way(s, err):
 * See that clients will go to where the objects are: who is reached by https can't send anybody to
 * http.  ERR_CONFIG with what to do.
 */
int settings_check_way(const struct settings *s, struct ct_err *err);

/**
 * settings_share_url(s):
 * Return where readers of what is shared go, as far as ${s} says it, which the caller frees; NULL
 * if it does not, or if nobody may share.
 */
char *settings_share_url(const struct settings *s);

/**
 * settings_keep(s, old):
 * In a running server: what can't change before the next start stays in ${s} as it is in ${old}.
 * Return the name of the first key for which that makes a difference, or NULL.
 */
const char *settings_keep(struct settings *s, const struct settings *old);

/**
 * settings_free(s):
 * Free it; NULL is harmless.
 */
void settings_free(struct settings *s);

/**
 * settings_registration(s):
 * Return who may register, as said; "auto" is open where nothing says that others than this
 * machine reach it: no listener, public URL or proxy.
 */
enum settings_registration settings_registration(const struct settings *s);

/**
 * settings_registration_name(s):
 * Return the word for that.
 */
const char *settings_registration_name(const struct settings *s);

#endif
