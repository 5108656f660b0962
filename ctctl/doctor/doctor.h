#ifndef CTCTL_DOCTOR_DOCTOR_H
#define CTCTL_DOCTOR_DOCTOR_H

#include <json-c/json.h>

#include "ctctl/ctx/ctx.h"

/*
 * `ctctl doctor`: one function for each thing that could be wrong.  A check says what it found and,
 * if that is not fine, the exact cure.  Checks run in the order of their table, so that one may
 * lean on what an earlier one has learnt.
 */
enum doctor_verdict {
    DOCTOR_OK,
    DOCTOR_NOTE, /* fine, with something worth knowing; the cure is advice */
    DOCTOR_BAD,
    DOCTOR_SKIPPED, /* could not be looked at, because of what another check says */
};

struct doctor_finding {
    enum doctor_verdict verdict;
    char detail[768];
    char cure[512]; /* or "" */
};

struct doctor {
    struct ctx *c;
    struct json_object *status; /* the daemon's, or NULL: it does not run */
    struct http_policy policy;
    int has_config;    /* configuration and policy could be read */
    int is_logged_in;  /* c->cred is there */
    int is_reachable;  /* the server answers */
    int is_accepted;   /* and takes the token */
    int64_t date_ms;   /* the server's clock when it answered, 0: it sent none */
    int64_t answer_ms; /* and ours */
};

struct doctor_check {
    const char *name;
    void (*run)(struct doctor *d, struct doctor_finding *f);
};

/**
 * doctor_say(f, verdict, cure, fmt, ...):
 * Fill in ${f}; ${cure} may be NULL.
 */
void doctor_say(struct doctor_finding *f, enum doctor_verdict verdict, const char *cure,
                const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/**
 * doctor_is_barred(d, f):
 * Return whether the server can't be asked for the account's things, with the reason in ${f}.
 */
int doctor_is_barred(const struct doctor *d, struct doctor_finding *f);

/* doctor_here.c: files of this machine */
void doctor_configuration(struct doctor *d, struct doctor_finding *f);
void doctor_data_folder(struct doctor *d, struct doctor_finding *f);
void doctor_watched_folder(struct doctor *d, struct doctor_finding *f);
void doctor_unknown(struct doctor *d, struct doctor_finding *f);
void doctor_cleanup(struct doctor *d, struct doctor_finding *f);
void doctor_credentials(struct doctor *d, struct doctor_finding *f);
void doctor_space(struct doctor *d, struct doctor_finding *f);

/* doctor_service.c: the daemon and what it needs of the system */
void doctor_daemon(struct doctor *d, struct doctor_finding *f);
void doctor_service(struct doctor *d, struct doctor_finding *f);
void doctor_lingering(struct doctor *d, struct doctor_finding *f);
void doctor_watches(struct doctor *d, struct doctor_finding *f);
void doctor_sandbox(struct doctor *d, struct doctor_finding *f);
void doctor_problems(struct doctor *d, struct doctor_finding *f);

/* doctor_launchd.c: doctor_service() where there is launchd */
void doctor_launchd(struct doctor *d, struct doctor_finding *f);

/* doctor_keys.c: the keys, and what they open */
void doctor_keyring(struct doctor *d, struct doctor_finding *f);
void doctor_sealed(struct doctor *d, struct doctor_finding *f);

/* doctor_net.c: the way to the server */
void doctor_dns(struct doctor *d, struct doctor_finding *f);
void doctor_tls(struct doctor *d, struct doctor_finding *f);
void doctor_clock(struct doctor *d, struct doctor_finding *f);
void doctor_login(struct doctor *d, struct doctor_finding *f);

/* doctor_store.c: the way to the object store */
void doctor_put(struct doctor *d, struct doctor_finding *f);
void doctor_get(struct doctor *d, struct doctor_finding *f);

#endif
