#ifndef TESTS_SERVER_LEDGER_LAB_H
#define TESTS_SERVER_LEDGER_LAB_H

#include "api/api.h"

#include "server/ledger/ledger.h"

/* A ledger with two users, on a clock of our own, for the tests of its rules. */

#define HOUR_MS (3600 * 1000LL)
#define DAY_MS (24 * HOUR_MS)
#define T0 1800000000000LL
#define S "11111111-2222-4333-8444-555555555555"
#define SUM "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SUM2 "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

extern const struct ledger_limits lab_no_limits;

struct ledger_lab {
    char dir[64];
    char *path;
    struct ledger *l;
    struct ledger_who al, bo; /* two users with a token each */
    struct ledger_who al2;    /* al's second device */
    struct ledger_who al_in;  /* al by log-in */
    int64_t now;
};

/**
 * lab_set_up(state), lab_tear_down(state):
 * As cmocka calls them.
 */
int lab_set_up(void **state);
int lab_tear_down(void **state);

/**
 * lab_request():
 * An upload of 10 bytes of session S; the caller's.
 */
struct api_upload_req lab_request(void);

/**
 * lab_reserve_at(r, who, q, limits), lab_reserve_req(r, who, q), lab_reserve(r, who):
 * Reserve with ${q}, which is freed, or lab_request(); the version, or minus the error code.
 */
int64_t lab_reserve_at(struct ledger_lab *r, const struct ledger_who *who, struct api_upload_req q,
                       const struct ledger_limits *limits);
int64_t lab_reserve_req(struct ledger_lab *r, const struct ledger_who *who,
                        struct api_upload_req q);
int64_t lab_reserve(struct ledger_lab *r, const struct ledger_who *who);

/**
 * lab_confirm(r, who, version, keep):
 * 0, or the error code.
 */
int lab_confirm(struct ledger_lab *r, const struct ledger_who *who, int64_t version, int keep);

/**
 * lab_push(r, who, keep):
 * Reserve and confirm, and a second goes by; the version.
 */
int64_t lab_push(struct ledger_lab *r, const struct ledger_who *who, int keep);

/**
 * lab_newest(r, who):
 * Which version would a confirm without a body take?  Negative: it was confirmed already.
 */
int64_t lab_newest(struct ledger_lab *r, const struct ledger_who *who);

/**
 * lab_pending_code(r, who, version, sum):
 * What a confirm that names them would get: 0, or the error code.
 */
int lab_pending_code(struct ledger_lab *r, const struct ledger_who *who, int64_t version,
                     const char *sum);

/**
 * lab_listed(r, user_id, buf):
 * "3 2 1": what is listed, newest first; "" without such a session.
 */
const char *lab_listed(struct ledger_lab *r, const char *user_id, char buf[256]);

/**
 * lab_total(r, user_id):
 * How many sessions the user has.
 */
int64_t lab_total(struct ledger_lab *r, const char *user_id);

#define assert_listed(r, want) \
    do { \
        char buf_[256]; \
        assert_string_equal(lab_listed(r, (r)->al.user_id, buf_), want); \
    } while (0)

#endif
