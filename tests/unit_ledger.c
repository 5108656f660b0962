#include <sys/stat.h>
#include <sys/wait.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/jdoc.h"
#include "common/path.h"
#include "common/str.h"
#include "api/api.h"

#include "server/ledger_impl.h"
#include "tests/ledger_place.h"

/* The rules of versions, on a clock of our own. */

#define HOUR_MS (3600 * 1000LL)
#define DAY_MS (24 * HOUR_MS)
#define T0 1800000000000LL
#define S "11111111-2222-4333-8444-555555555555"
#define SUM "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SUM2 "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static const struct ledger_limits no_limits = {20, 0};

struct room {
    char dir[64];
    char *path;
    struct ledger *l;
    struct ledger_who al, bo; /* two users with a token each */
    struct ledger_who al2;    /* al's second device */
    struct ledger_who al_in;  /* al by log-in */
    int64_t now;
};

static void who_of(struct room *r, const char *user_id, const char *sha, struct ledger_who *ret)
{
    struct ct_err err;
    char id[UUID_SIZE];

    assert_int_equal(ledger_token_add(r->l, user_id, sha, sha, "last", r->now, 0, id, &err), 0);
    assert_int_equal(ledger_token_find(r->l, sha, r->now, ret, &err), 0);
    assert_string_equal(ret->token_id, id);
}

static int set_up(void **state)
{
    const struct ledger_new_user new_al = {"al@example.org", "hash", 1, T0};
    const struct ledger_new_user new_bo = {"bo@example.org", "hash", 1, T0};
    struct room *r = str_calloc(1, sizeof(*r));
    char al[UUID_SIZE], bo[UUID_SIZE];
    struct ct_err err;

    strcpy(r->dir, "/tmp/ct-ledger.XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    r->path = path_join(r->dir, "server.db");
    r->now = T0;
    assert_int_equal(ledger_place_wipe(&err), 0);
    assert_int_equal(ledger_place_open(r->path, &r->l, &err), 0);
    assert_int_equal(ledger_user_add(r->l, &new_al, al, &err), 0);
    assert_int_equal(ledger_user_add(r->l, &new_bo, bo, &err), 0);
    who_of(r, al, "a1", &r->al);
    who_of(r, al, "a2", &r->al2);
    who_of(r, bo, "b1", &r->bo);
    memcpy(r->al_in.user_id, al, UUID_SIZE);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    struct room *r = *state;
    char *cmd = str_printf("rm -rf '%s'", r->dir);
    int rc;

    ledger_close(r->l);
    rc = system(cmd);
    free(cmd);
    free(r->path);
    free(r);
    return rc;
}

static struct api_upload_req request(void)
{
    struct api_upload_req q = {.session_id = str_dup(S),
                               .source_machine = str_dup("m"),
                               .source_cwd = str_dup("/home/al"),
                               .source_user_dir = str_dup("/home/al"),
                               .size_bytes = 10,
                               .base_version = -1};

    strcpy(q.checksum, SUM);
    return q;
}

/* Reserve with ${q}, which is freed; the version, or minus the error code. */
static int64_t reserve_at(struct room *r, const struct ledger_who *who, struct api_upload_req q,
                          const struct ledger_limits *limits)
{
    struct ledger_reserved res;
    struct ct_err err;
    int rc = ledger_reserve(r->l, who, &q, limits, r->now, &res, &err);

    api_upload_req_clear(&q);
    return rc == 0 ? res.version : -(int64_t)err.code;
}

static int64_t reserve_req(struct room *r, const struct ledger_who *who, struct api_upload_req q)
{
    return reserve_at(r, who, q, &no_limits);
}

static int64_t reserve(struct room *r, const struct ledger_who *who)
{
    return reserve_req(r, who, request());
}

static int confirm(struct room *r, const struct ledger_who *who, int64_t version, int keep)
{
    const struct ledger_limits limits = {keep, 0};
    struct ct_err err = {0};

    return ledger_confirm(r->l, who, S, version, &limits, r->now, &err) == 0 ? 0 : (int)err.code;
}

static int64_t push(struct room *r, const struct ledger_who *who, int keep)
{
    int64_t v = reserve(r, who);

    assert_true(v > 0);
    assert_int_equal(confirm(r, who, v, keep), 0);
    r->now += 1000;
    return v;
}

/* Which version would a confirm without a body take?  Negative: it was confirmed already. */
static int64_t newest(struct room *r, const struct ledger_who *who)
{
    struct api_confirm_req q = {0};
    struct ledger_pending p;
    struct ct_err err;

    if (ledger_pending(r->l, who, S, &q, r->now, &p, &err) != 0)
        return 0;
    return p.confirmed ? -p.version : p.version;
}

static int pending_code(struct room *r, const struct ledger_who *who, int64_t version,
                        const char *sum)
{
    struct api_confirm_req q = {.version = version};
    struct ledger_pending p;
    struct ct_err err = {0};

    strcpy(q.checksum, sum);
    return ledger_pending(r->l, who, S, &q, r->now, &p, &err) == 0 ? 0 : (int)err.code;
}

/* "3 2 1": what is listed, newest first; "" without such a session. */
static const char *listed(struct room *r, const char *user_id, char buf[256])
{
    struct json_object *o, *rows;
    struct ct_err err;

    buf[0] = '\0';
    if (ledger_versions(r->l, user_id, S, 20, &o, &err) != 0)
        return buf;
    rows = jdoc_array(o, "versions");
    for (size_t i = 0; i < json_object_array_length(rows); i++)
        sprintf(buf + strlen(buf), "%s%d", i > 0 ? " " : "",
                (int)jdoc_int(json_object_array_get_idx(rows, i), "version", 0));
    json_object_put(o);
    return buf;
}

static int64_t total(struct room *r, const char *user_id)
{
    struct ledger_filter f = {.limit = 100};
    struct json_object *o;
    struct ct_err err;
    int64_t n;

    assert_int_equal(ledger_sessions(r->l, user_id, &f, &o, &err), 0);
    n = jdoc_int(o, "total", -1);
    assert_int_equal(json_object_array_length(jdoc_array(o, "sessions")), n);
    json_object_put(o);
    return n;
}

#define assert_listed(r, want) \
    do { \
        char buf_[256]; \
        assert_string_equal(listed(r, (r)->al.user_id, buf_), want); \
    } while (0)

static void a_reservation_is_never_listed(void **state)
{
    struct room *r = *state;

    assert_int_equal(reserve(r, &r->al), 1);
    assert_listed(r, "");
    assert_int_equal(total(r, r->al.user_id), 0);
    assert_int_equal(confirm(r, &r->al, 1, 20), 0);
    assert_listed(r, "1");
    assert_int_equal(total(r, r->al.user_id), 1);
}

static void a_reservation_blocks_nothing_and_its_number_is_not_used_again(void **state)
{
    struct room *r = *state;

    assert_int_equal(reserve(r, &r->al), 1);
    assert_int_equal(reserve(r, &r->al), 2);
    assert_int_equal(confirm(r, &r->al, 2, 20), 0);
    assert_int_equal(reserve(r, &r->al), 3);
    assert_listed(r, "2");
}

static void a_reservation_lives_a_day(void **state)
{
    struct room *r = *state;
    struct ledger_object o;
    struct ct_err err;

    assert_int_equal(reserve(r, &r->al), 1);
    r->now += DAY_MS - 1;
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 0);
    assert_int_equal(pending_code(r, &r->al, 1, SUM), 0);
    r->now += 1;
    assert_int_equal(pending_code(r, &r->al, 1, SUM), ERR_CONFLICT);
    assert_int_equal(confirm(r, &r->al, 1, 20), ERR_CONFLICT);
    /* What lies there goes no sooner than what was deleted. */
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 0);
    assert_int_equal(ledger_purge_next(r->l, r->now + 30 * DAY_MS - 1, &o, &err), 0);
    assert_int_equal(ledger_purge_next(r->l, r->now + 30 * DAY_MS, &o, &err), 1);
    assert_int_equal(ledger_purged(r->l, &o, &err), 0);
    assert_int_equal(ledger_knows(r->l, r->al.user_id, S, 1), 0);
    assert_int_equal(reserve(r, &r->al), 2);
}

static void a_number_whose_place_is_taken_is_left_behind(void **state)
{
    struct room *r = *state;
    struct ledger_object o;
    struct ct_err err;

    push(r, &r->al, 20);
    assert_int_equal(reserve(r, &r->al), 2);
    assert_int_equal(ledger_skip(r->l, r->al.user_id, S, 2, &err), 0);
    assert_true(reserve(r, &r->al) > 100);
    /* What lies there is nobody's to purge, and a version is none that can be skipped. */
    assert_int_equal(ledger_knows(r->l, r->al.user_id, S, 2), 0);
    assert_int_equal(ledger_skip(r->l, r->al.user_id, S, 1, &err), 0);
    assert_listed(r, "1");
    r->now += DAY_MS;
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 0);
}

static void a_confirm_takes_exactly_what_it_names(void **state)
{
    struct room *r = *state;

    assert_int_equal(reserve(r, &r->al), 1);
    assert_int_equal(pending_code(r, &r->al, 1, SUM), 0);
    assert_int_equal(pending_code(r, &r->al, 1, SUM2), ERR_CONFLICT);
    assert_int_equal(pending_code(r, &r->al, 2, SUM), ERR_CONFLICT);
    assert_int_equal(pending_code(r, &r->bo, 1, SUM), ERR_GONE);
    assert_int_equal(confirm(r, &r->al, 1, 20), 0);
    assert_int_equal(confirm(r, &r->al, 1, 20), 0);
    assert_int_equal(pending_code(r, &r->al, 1, SUM), 0);
    assert_listed(r, "1");
}

static void a_confirm_without_a_name_takes_the_newest_once(void **state)
{
    struct room *r = *state;

    assert_int_equal(newest(r, &r->al), 0);
    assert_int_equal(reserve(r, &r->al), 1);
    assert_int_equal(reserve(r, &r->al), 2);
    assert_int_equal(newest(r, &r->al), 2);
    assert_int_equal(confirm(r, &r->al, 2, 20), 0);
    /* Again: the older, abandoned reservation is not meant. */
    assert_int_equal(newest(r, &r->al), -2);
}

static void a_confirm_without_a_name_takes_the_callers_own(void **state)
{
    struct room *r = *state;

    assert_int_equal(reserve(r, &r->al), 1);
    assert_int_equal(reserve(r, &r->al2), 2);
    assert_int_equal(newest(r, &r->al), 1);
    assert_int_equal(newest(r, &r->al2), 2);
    assert_int_equal(newest(r, &r->al_in), 2);
}

static void sql(struct room *r, const char *text)
{
    struct ct_err err;

    assert_int_equal(sql_begin(r->l->db, &err), 0);
    assert_int_equal(sql_exec(r->l->db, &err, text, ""), 0);
    assert_int_equal(sql_commit(r->l->db, &err), 0);
}

static void a_query_that_fails_is_a_failure_and_not_another_version(void **state)
{
    struct room *r = *state;
    const struct ledger_limits limits = {20, 1000};
    struct api_confirm_req q = {0};
    struct ledger_pending p;
    struct ct_err err = {0};

    push(r, &r->al, 20);
    assert_int_equal(reserve(r, &r->al), 2);
    assert_int_equal(reserve(r, &r->al2), 3);
    /* Fails where the caller's own are looked for, and nowhere else. */
    sql(r, "ALTER TABLE versions RENAME COLUMN token_id TO lost");
    assert_int_equal(ledger_pending(r->l, &r->al, S, &q, r->now, &p, &err), -1);
    assert_int_not_equal(err.code, ERR_NONE);
    assert_int_not_equal(err.code, ERR_GONE);
    assert_int_not_equal(err.code, ERR_CONFLICT);
    sql(r, "ALTER TABLE versions RENAME COLUMN lost TO token_id");
    assert_int_equal(newest(r, &r->al), 2);
    /* Nor is a quota without a sum one that is not used up. */
    sql(r, "ALTER TABLE versions RENAME COLUMN size_bytes TO lost");
    assert_int_equal(confirm(r, &r->al, 2, 20), ERR_FAIL);
    assert_int_equal(reserve_at(r, &r->al, request(), &limits), -ERR_FAIL);
    sql(r, "ALTER TABLE versions RENAME COLUMN lost TO size_bytes");
    assert_listed(r, "1");
}

static void the_oldest_versions_go_and_the_count_is_kept(void **state)
{
    struct room *r = *state;
    struct ledger_object o;
    struct ct_err err;

    for (int i = 0; i < 5; i++)
        push(r, &r->al, 3);
    assert_listed(r, "5 4 3");
    /* Their objects a little later: a presigned URL may be on its way. */
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 0);
    r->now += HOUR_MS;
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 1);
    assert_int_equal(o.version, 1);
    assert_int_equal(ledger_purged(r->l, &o, &err), 0);
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 1);
    assert_int_equal(o.version, 2);
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 0);
}

static void a_pinned_version_outlives_the_rotation(void **state)
{
    struct room *r = *state;
    struct api_upload_req q = request();

    push(r, &r->al, 2);
    q.pin = 1;
    assert_int_equal(reserve_req(r, &r->al, q), 2);
    assert_int_equal(confirm(r, &r->al, 2, 2), 0);
    for (int i = 0; i < 3; i++)
        push(r, &r->al, 2);
    assert_listed(r, "5 4 1");
}

static void each_devices_newest_version_outlives_the_rotation(void **state)
{
    struct room *r = *state;

    push(r, &r->al2, 2);
    push(r, &r->al2, 2);
    for (int i = 0; i < 4; i++)
        push(r, &r->al, 2);
    assert_listed(r, "6 5 2");
    push(r, &r->al2, 2);
    assert_listed(r, "7 6");
}

static int64_t amend(struct room *r, const struct ledger_who *who, int64_t version)
{
    struct api_upload_req q = request();
    int64_t v;

    q.amend = version;
    v = reserve_req(r, who, q);
    assert_int_equal(confirm(r, who, v, 20), 0);
    r->now += 1000;
    return v;
}

static void an_amended_version_is_dropped_at_the_confirm(void **state)
{
    struct room *r = *state;
    struct api_upload_req q = request();

    push(r, &r->al, 20);
    push(r, &r->al, 20);
    q.amend = 2;
    assert_int_equal(reserve_req(r, &r->al, q), 3);
    assert_listed(r, "2 1");
    assert_int_equal(confirm(r, &r->al, 3, 20), 0);
    assert_listed(r, "3 1");
}

static void only_the_newest_young_unpinned_own_version_is_amended(void **state)
{
    struct room *r = *state;
    struct api_upload_req q = request();

    push(r, &r->al, 20);
    push(r, &r->al, 20);
    assert_int_equal(amend(r, &r->al, 1), 3);
    assert_listed(r, "3 2 1");
    assert_int_equal(amend(r, &r->al2, 3), 4);
    assert_listed(r, "4 3 2 1");
    r->now += HOUR_MS;
    assert_int_equal(amend(r, &r->al2, 4), 5);
    assert_listed(r, "5 4 3 2 1");
    q.pin = 5;
    q.amend = 5;
    assert_int_equal(reserve_req(r, &r->al2, q), 6);
    assert_int_equal(confirm(r, &r->al2, 6, 20), 0);
    assert_listed(r, "6 5 4 3 2 1");
}

static void a_deleted_session_stays_away_until_it_is_asked_for(void **state)
{
    struct room *r = *state;
    struct api_upload_req q = request();
    struct ct_err err;

    push(r, &r->al, 20);
    assert_int_equal(reserve(r, &r->al), 2);
    assert_int_equal(ledger_session_delete(r->l, r->al.user_id, S, r->now, &err), 0);
    assert_int_equal(total(r, r->al.user_id), 0);
    /* An upload under way does not bring it back. */
    assert_int_equal(confirm(r, &r->al, 2, 20), ERR_CONFLICT);
    assert_int_equal(reserve(r, &r->al), -ERR_CONFLICT);
    assert_int_equal(ledger_session_delete(r->l, r->al.user_id, S, r->now, &err), -1);
    assert_int_equal(err.code, ERR_GONE);
    q.revive = 1;
    assert_int_equal(reserve_req(r, &r->al, q), 3);
    assert_int_equal(reserve(r, &r->al), -ERR_CONFLICT);
    assert_int_equal(confirm(r, &r->al, 3, 20), 0);
    assert_listed(r, "3");
    assert_int_equal(push(r, &r->al, 20), 4);
}

static void what_is_deleted_lies_in_the_trash_for_30_days(void **state)
{
    struct room *r = *state;
    struct ledger_object o;
    struct ct_err err;

    push(r, &r->al, 20);
    assert_int_equal(ledger_session_delete(r->l, r->al.user_id, S, r->now, &err), 0);
    assert_int_equal(ledger_purge_next(r->l, r->now + 30 * DAY_MS - 1, &o, &err), 0);
    assert_int_equal(ledger_purge_next(r->l, r->now + 30 * DAY_MS, &o, &err), 1);
    assert_string_equal(o.session_id, S);
    assert_int_equal(o.version, 1);
}

/* What undeleting brings back: how many versions, or minus the error code. */
static int64_t undelete(struct room *r, const char *user_id, int64_t version, int64_t max_bytes)
{
    struct ct_err err;
    int64_t n;

    if (ledger_undelete(r->l, user_id, S, version, max_bytes, r->now, &n, &err) != 0)
        return -(int64_t)err.code;
    return n;
}

static void undeleting_takes_back_the_last_deletion_and_no_reservation(void **state)
{
    struct room *r = *state;
    struct ledger_object o;
    struct ct_err err;

    push(r, &r->al, 20);
    push(r, &r->al, 20);
    push(r, &r->al, 20);
    assert_int_equal(ledger_version_delete(r->l, r->al.user_id, S, 1, r->now, &err), 0);
    r->now += 1000;
    assert_int_equal(reserve(r, &r->al), 4);
    assert_int_equal(ledger_session_delete(r->l, r->al.user_id, S, r->now, &err), 0);
    assert_int_equal(undelete(r, r->bo.user_id, 0, 0), -ERR_GONE);
    assert_int_equal(undelete(r, r->al.user_id, 4, 0), -ERR_GONE);
    assert_int_equal(undelete(r, r->al.user_id, 0, 0), 2);
    assert_listed(r, "3 2");
    assert_int_equal(total(r, r->al.user_id), 1);
    assert_int_equal(undelete(r, r->al.user_id, 1, 0), 1);
    assert_listed(r, "3 2 1");
    assert_int_equal(undelete(r, r->al.user_id, 0, 0), -ERR_GONE);
    /* It is a session like any other again: uploads go on, nothing of it is purged. */
    assert_int_equal(push(r, &r->al, 20), 5);
    assert_int_equal(ledger_purge_next(r->l, r->now + 31 * DAY_MS, &o, &err), 1);
    assert_int_equal(o.version, 4);
    assert_int_equal(ledger_purge_next(r->l, r->now + 31 * DAY_MS, &o, &err), 0);
}

static void undeleting_ends_with_the_trash_and_keeps_the_quota(void **state)
{
    struct room *r = *state;
    struct ledger_object o;
    struct ct_err err;

    push(r, &r->al, 20);
    push(r, &r->al, 20);
    assert_int_equal(ledger_version_delete(r->l, r->al.user_id, S, 1, r->now, &err), 0);
    assert_int_equal(undelete(r, r->al.user_id, 1, 19), -ERR_REFUSED);
    assert_int_equal(undelete(r, r->al.user_id, 1, 20), 1);
    assert_int_equal(ledger_version_delete(r->l, r->al.user_id, S, 1, r->now, &err), 0);
    r->now += 30 * DAY_MS;
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 1);
    assert_int_equal(undelete(r, r->al.user_id, 1, 0), -ERR_GONE);
}

static void the_trash_lists_what_can_be_undeleted(void **state)
{
    struct room *r = *state;
    struct json_object *o, *item;
    struct ct_err err;

    push(r, &r->al, 20);
    push(r, &r->al, 20);
    push(r, &r->bo, 20);
    assert_int_equal(reserve(r, &r->al), 3);
    assert_int_equal(ledger_session_delete(r->l, r->al.user_id, S, r->now, &err), 0);
    assert_int_equal(ledger_trash(r->l, r->al.user_id, 1, 1, &o, &err), 0);
    assert_int_equal(jdoc_int(o, "total", 0), 2);
    assert_int_equal(json_object_array_length(jdoc_array(o, "versions")), 1);
    item = json_object_array_get_idx(jdoc_array(o, "versions"), 0);
    assert_string_equal(jdoc_str(item, "sessionId"), S);
    assert_int_equal(jdoc_int(item, "version", 0), 1);
    assert_non_null(jdoc_str(item, "deletedAt"));
    json_object_put(o);
    assert_int_equal(ledger_trash(r->l, r->bo.user_id, 10, 0, &o, &err), 0);
    assert_int_equal(jdoc_int(o, "total", -1), 0);
    json_object_put(o);
}

static void a_purge_that_was_broken_off_is_taken_up_again(void **state)
{
    struct room *r = *state;
    struct ledger_object o;
    struct ct_err err;

    push(r, &r->al, 20);
    assert_int_equal(ledger_session_delete(r->l, r->al.user_id, S, r->now, &err), 0);
    r->now += 30 * DAY_MS;
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 1);
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 0);
    r->now += HOUR_MS;
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 1);
    assert_int_equal(ledger_knows(r->l, r->al.user_id, S, 1), 1);
    assert_int_equal(ledger_purged(r->l, &o, &err), 0);
    assert_int_equal(ledger_knows(r->l, r->al.user_id, S, 1), 0);
}

static void one_version_is_deleted_and_the_one_before_is_current(void **state)
{
    struct room *r = *state;
    struct api_download_res d;
    struct ct_err err;

    push(r, &r->al, 20);
    push(r, &r->al, 20);
    assert_int_equal(ledger_version_delete(r->l, r->al.user_id, S, 2, r->now, &err), 0);
    assert_listed(r, "1");
    assert_int_equal(ledger_download(r->l, r->al.user_id, S, 0, &d, &err), 0);
    assert_int_equal(d.version, 1);
    api_download_res_clear(&d);
    assert_int_equal(ledger_download(r->l, r->al.user_id, S, 2, &d, &err), -1);
    assert_int_equal(ledger_version_delete(r->l, r->al.user_id, S, 1, r->now, &err), 0);
    assert_int_equal(total(r, r->al.user_id), 0);
    assert_int_equal(reserve(r, &r->al), -ERR_CONFLICT);
}

static void the_same_id_of_two_users_is_two_sessions(void **state)
{
    struct room *r = *state;
    char buf[256];
    struct ct_err err;

    push(r, &r->al, 20);
    push(r, &r->al, 20);
    assert_int_equal(push(r, &r->bo, 20), 1);
    assert_int_equal(ledger_session_delete(r->l, r->bo.user_id, S, r->now, &err), 0);
    assert_listed(r, "2 1");
    assert_string_equal(listed(r, r->bo.user_id, buf), "");
}

static void a_full_account_is_refused_and_reservations_do_not_count_fully(void **state)
{
    const struct ledger_limits limits = {20, 25};
    struct room *r = *state;
    struct api_upload_req q = request();
    struct ledger_reserved res;
    struct ct_err err;

    /* 10 bytes each: room for two. */
    for (int i = 0; i < 3; i++)
        assert_int_equal(ledger_reserve(r->l, &r->al, &q, &limits, r->now, &res, &err), 0);
    assert_int_equal(ledger_confirm(r->l, &r->al, S, 1, &limits, r->now, &err), 0);
    assert_int_equal(ledger_confirm(r->l, &r->al, S, 2, &limits, r->now, &err), 0);
    assert_int_equal(ledger_confirm(r->l, &r->al, S, 3, &limits, r->now, &err), -1);
    assert_string_equal(err.reason, "quota");
    assert_int_equal(ledger_reserve(r->l, &r->al, &q, &limits, r->now, &res, &err), -1);
    assert_string_equal(err.reason, "quota");
    assert_int_equal(ledger_reserve(r->l, &r->bo, &q, &limits, r->now, &res, &err), 0);
    api_upload_req_clear(&q);
}

static struct api_upload_req sized(int64_t size_bytes, int64_t amend)
{
    struct api_upload_req q = request();

    q.size_bytes = size_bytes;
    q.amend = amend;
    return q;
}

static int confirm_at(struct room *r, int64_t version, const struct ledger_limits *limits)
{
    struct ct_err err = {0};
    int rc = ledger_confirm(r->l, &r->al, S, version, limits, r->now, &err);

    return rc == 0 ? 0 : (int)err.code;
}

static void what_an_amend_drops_makes_room_in_a_full_account(void **state)
{
    const struct ledger_limits limits = {20, 100};
    struct room *r = *state;

    assert_int_equal(reserve_at(r, &r->al, sized(60, 0), &limits), 1);
    assert_int_equal(confirm_at(r, 1, &limits), 0);
    assert_int_equal(reserve_at(r, &r->al, sized(61, 0), &limits), -ERR_REFUSED);
    assert_int_equal(reserve_at(r, &r->al2, sized(61, 1), &limits), -ERR_REFUSED);
    assert_int_equal(reserve_at(r, &r->al, sized(101, 1), &limits), -ERR_REFUSED);
    assert_int_equal(reserve_at(r, &r->al, sized(61, 1), &limits), 2);
    assert_int_equal(confirm_at(r, 2, &limits), 0);
    assert_listed(r, "2");
    /* It was to be dropped and is not any more: all stays as it was. */
    assert_int_equal(reserve_at(r, &r->al, sized(62, 2), &limits), 3);
    r->now += 2 * HOUR_MS;
    assert_int_equal(confirm_at(r, 3, &limits), ERR_REFUSED);
    assert_listed(r, "2");
    assert_int_equal(pending_code(r, &r->al, 3, SUM), 0);
}

static void what_is_rotated_out_makes_room_in_a_full_account(void **state)
{
    const struct ledger_limits limits = {3, 100};
    struct room *r = *state;
    struct api_upload_req q;

    for (int i = 1; i <= 3; i++) {
        assert_int_equal(reserve_at(r, &r->al, sized(30, 0), &limits), i);
        assert_int_equal(confirm_at(r, i, &limits), 0);
    }
    assert_int_equal(reserve_at(r, &r->al, sized(41, 0), &limits), -ERR_REFUSED);
    assert_int_equal(reserve_at(r, &r->al, sized(40, 0), &limits), 4);
    assert_int_equal(confirm_at(r, 4, &limits), 0);
    assert_listed(r, "4 3 2");
    /* What is to be pinned does not go, and what is amended counts once. */
    q = sized(30, 0);
    q.pin = 2;
    assert_int_equal(reserve_at(r, &r->al, q, &limits), -ERR_REFUSED);
    assert_int_equal(reserve_at(r, &r->al, sized(41, 4), &limits), -ERR_REFUSED);
    assert_int_equal(reserve_at(r, &r->al, sized(40, 4), &limits), 5);
    assert_int_equal(confirm_at(r, 5, &limits), 0);
    assert_listed(r, "5 3 2");
}

static int64_t log_in_push(struct room *r, const char *machine, int64_t base, int64_t amend,
                           int64_t *ret_elsewhere)
{
    struct api_upload_req q = sized(10, amend);
    struct ledger_reserved res;
    struct ct_err err;

    free(q.source_machine);
    q.source_machine = str_dup(machine);
    q.base_version = base;
    assert_int_equal(ledger_reserve(r->l, &r->al_in, &q, &no_limits, r->now, &res, &err), 0);
    assert_int_equal(confirm(r, &r->al_in, res.version, 20), 0);
    api_upload_req_clear(&q);
    *ret_elsewhere = res.elsewhere;
    return res.version;
}

static void two_machines_with_a_log_in_do_not_amend_each_other(void **state)
{
    struct room *r = *state;
    int64_t elsewhere;

    assert_int_equal(log_in_push(r, "a", -1, 0, &elsewhere), 1);
    assert_int_equal(log_in_push(r, "b", 0, 1, &elsewhere), 2);
    assert_int_equal(elsewhere, 1);
    assert_listed(r, "2 1");
    assert_int_equal(log_in_push(r, "b", 1, 2, &elsewhere), 3);
    assert_int_equal(elsewhere, 0);
    assert_listed(r, "3 2 1");
}

static void a_token_ends_at_once_when_revoked_and_in_time_when_it_expires(void **state)
{
    struct room *r = *state;
    struct ledger_who who;
    char id[UUID_SIZE];
    struct ct_err err;

    assert_int_equal(
        ledger_token_add(r->l, r->al.user_id, "t", "x1", "last", T0, T0 + DAY_MS, id, &err), 0);
    assert_int_equal(ledger_token_find(r->l, "x1", T0 + DAY_MS - 1, &who, &err), 0);
    assert_int_equal(ledger_token_find(r->l, "x1", T0 + DAY_MS, &who, &err), -1);
    assert_int_equal(err.code, ERR_AUTH);
    assert_int_equal(ledger_token_revoke(r->l, r->bo.user_id, r->al.token_id, &err), -1);
    assert_int_equal(err.code, ERR_GONE);
    assert_int_equal(ledger_token_find(r->l, "a1", T0, &who, &err), 0);
    assert_int_equal(ledger_token_revoke(r->l, r->al.user_id, r->al.token_id, &err), 0);
    assert_int_equal(ledger_token_find(r->l, "a1", T0, &who, &err), -1);
}

static void a_deleted_device_ends_its_token_and_keeps_its_uploads(void **state)
{
    struct room *r = *state;
    struct json_object *o;
    struct ledger_who who;
    char *id;
    struct ct_err err;

    push(r, &r->al, 20);
    assert_int_equal(ledger_devices(r->l, &r->al, &o, &err), 0);
    id = str_dup(jdoc_str(json_object_array_get_idx(jdoc_array(o, "devices"), 0), "id"));
    json_object_put(o);
    assert_int_equal(ledger_device_delete(r->l, r->bo.user_id, id, &err), -1);
    assert_int_equal(ledger_device_delete(r->l, r->al.user_id, id, &err), 0);
    assert_int_equal(ledger_token_find(r->l, "a1", r->now, &who, &err), -1);
    assert_int_equal(ledger_token_find(r->l, "a2", r->now, &who, &err), 0);
    assert_listed(r, "1");
    free(id);
}

static void a_deleted_user_leaves_only_trash(void **state)
{
    struct room *r = *state;
    struct ledger_who who;
    struct ledger_object o;
    struct ct_err err;

    push(r, &r->al, 20);
    assert_int_equal(ledger_user_delete(r->l, "al@example.org", r->now, &err), 0);
    assert_int_equal(ledger_token_find(r->l, "a1", r->now, &who, &err), -1);
    assert_listed(r, "");
    assert_int_equal(ledger_purge_next(r->l, r->now + 30 * DAY_MS, &o, &err), 1);
    assert_int_equal(ledger_token_find(r->l, "b1", r->now, &who, &err), 0);
}

static void filters_and_pages_tell_the_whole_number(void **state)
{
    struct room *r = *state;
    struct ledger_filter f = {.limit = 2, .machine = "m1"};
    struct json_object *o;
    struct ct_err err;

    for (int i = 0; i < 6; i++) {
        struct api_upload_req q = request();
        struct ledger_reserved res;
        free(q.session_id);
        free(q.source_machine);
        q.session_id = str_printf("s%d", i);
        q.source_machine = str_printf("m%d", i % 2);
        q.tags = json_object_new_array();
        json_object_array_add(q.tags, json_object_new_string(i == 5 ? "it's" : "t"));
        assert_int_equal(ledger_reserve(r->l, &r->al, &q, &no_limits, r->now, &res, &err), 0);
        assert_int_equal(ledger_confirm(r->l, &r->al, q.session_id, 1, &no_limits, r->now++, &err),
                         0);
        api_upload_req_clear(&q);
    }
    assert_int_equal(ledger_sessions(r->l, r->al.user_id, &f, &o, &err), 0);
    assert_int_equal(jdoc_int(o, "total", 0), 3);
    assert_int_equal(json_object_array_length(jdoc_array(o, "sessions")), 2);
    assert_string_equal(jdoc_str(json_object_array_get_idx(jdoc_array(o, "sessions"), 0), "id"),
                        "s5");
    json_object_put(o);
    f.tag = "it's";
    f.agent = "claude-code";
    assert_int_equal(ledger_sessions(r->l, r->al.user_id, &f, &o, &err), 0);
    assert_int_equal(jdoc_int(o, "total", 0), 1);
    json_object_put(o);
    f.machine = "' OR 1=1 --";
    assert_int_equal(ledger_sessions(r->l, r->al.user_id, &f, &o, &err), 0);
    assert_int_equal(jdoc_int(o, "total", -1), 0);
    json_object_put(o);
}

struct racer {
    struct ledger *l;
    const struct ledger_who *who;
    int64_t now;
    int64_t got[50];
};

static void *race(void *arg)
{
    const struct ledger_limits five = {5, 0};
    struct racer *a = arg;
    struct api_upload_req q = request();
    struct ledger_reserved res;
    struct ct_err err;

    for (int i = 0; i < 50; i++) {
        a->got[i] = 0;
        if (ledger_reserve(a->l, a->who, &q, &no_limits, a->now, &res, &err) == 0 &&
            ledger_confirm(a->l, a->who, S, res.version, &five, a->now, &err) == 0)
            a->got[i] = res.version;
    }
    api_upload_req_clear(&q);
    return NULL;
}

/* Two handles are two processes as far as SQLite goes. */
static void two_processes_never_get_the_same_number(void **state)
{
    struct room *r = *state;
    struct ledger *second;
    struct racer a = {.l = r->l, .who = &r->al, .now = r->now}, b;
    char seen[101] = {0}, buf[256];
    struct ct_err err;
    pthread_t t;

    assert_int_equal(ledger_place_open(r->path, &second, &err), 0);
    b = a;
    b.l = second;
    assert_int_equal(pthread_create(&t, NULL, race, &b), 0);
    race(&a);
    pthread_join(t, NULL);
    ledger_close(second);
    for (int i = 0; i < 50; i++) {
        assert_in_range(a.got[i], 1, 100);
        assert_in_range(b.got[i], 1, 100);
        assert_int_equal(seen[a.got[i]]++, 0);
        assert_int_equal(seen[b.got[i]]++, 0);
    }
    assert_string_equal(listed(r, r->al.user_id, buf), "100 99 98 97 96");
}

/* Locks belong to the process, and closing any descriptor of the file would drop them. */
static void another_process_that_ends_does_not_take_the_log_away(void **state)
{
    struct room *r = *state;
    char *wal = str_printf("%s-wal", r->path);
    struct stat before, after;
    struct ledger *l;
    struct ct_err err;
    int status;
    pid_t pid;

    if (ledger_place_is_remote()) {
        free(wal);
        skip(); /* about files */
    }
    assert_int_equal(total(r, r->al.user_id), 0);
    assert_int_equal(stat(wal, &before), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "exec sqlite3 \"$0\" 'SELECT count(*) FROM users' >/dev/null",
              r->path, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        skip();
    assert_int_equal(status, 0);
    assert_int_equal(stat(wal, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    push(r, &r->al, 20);
    assert_int_equal(ledger_place_open(r->path, &l, &err), 0);
    assert_int_equal(ledger_knows(l, r->al.user_id, S, 1), 1);
    ledger_close(l);
    free(wal);
}

static void a_newer_builds_database_is_left_alone(void **state)
{
    struct room *r = *state;
    struct ledger *l;
    struct ct_err err;
    char *cmd = str_printf("sqlite3 '%s' 'UPDATE schema_version SET version = 99'", r->path);

    if (ledger_place_is_remote() || system("command -v sqlite3 >/dev/null") != 0) {
        free(cmd);
        skip();
    }
    assert_int_equal(system(cmd), 0);
    assert_int_equal(ledger_place_open(r->path, &l, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    free(cmd);
}

static void a_damaged_database_is_told_and_left_as_it_is(void **state)
{
    struct room *r = *state;
    char *path = path_join(r->dir, "bad.db"), text[32] = "";
    struct ledger *l;
    struct ct_err err;
    FILE *f = fopen(path, "w");

    if (ledger_place_is_remote()) {
        fclose(f);
        free(path);
        skip(); /* about files */
    }
    fputs("this is not a database, but it is somebody's", f);
    fclose(f);
    assert_int_equal(ledger_place_open(path, &l, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    f = fopen(path, "r");
    assert_non_null(fgets(text, sizeof(text), f));
    fclose(f);
    assert_string_equal(text, "this is not a database, but it ");
    free(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reservation_is_never_listed),
        TEST(a_reservation_blocks_nothing_and_its_number_is_not_used_again),
        TEST(a_reservation_lives_a_day),
        TEST(a_number_whose_place_is_taken_is_left_behind),
        TEST(a_confirm_takes_exactly_what_it_names),
        TEST(a_confirm_without_a_name_takes_the_newest_once),
        TEST(a_confirm_without_a_name_takes_the_callers_own),
        TEST(a_query_that_fails_is_a_failure_and_not_another_version),
        TEST(the_oldest_versions_go_and_the_count_is_kept),
        TEST(a_pinned_version_outlives_the_rotation),
        TEST(each_devices_newest_version_outlives_the_rotation),
        TEST(an_amended_version_is_dropped_at_the_confirm),
        TEST(only_the_newest_young_unpinned_own_version_is_amended),
        TEST(a_deleted_session_stays_away_until_it_is_asked_for),
        TEST(what_is_deleted_lies_in_the_trash_for_30_days),
        TEST(undeleting_takes_back_the_last_deletion_and_no_reservation),
        TEST(undeleting_ends_with_the_trash_and_keeps_the_quota),
        TEST(the_trash_lists_what_can_be_undeleted),
        TEST(a_purge_that_was_broken_off_is_taken_up_again),
        TEST(one_version_is_deleted_and_the_one_before_is_current),
        TEST(the_same_id_of_two_users_is_two_sessions),
        TEST(a_full_account_is_refused_and_reservations_do_not_count_fully),
        TEST(what_an_amend_drops_makes_room_in_a_full_account),
        TEST(what_is_rotated_out_makes_room_in_a_full_account),
        TEST(two_machines_with_a_log_in_do_not_amend_each_other),
        TEST(a_token_ends_at_once_when_revoked_and_in_time_when_it_expires),
        TEST(a_deleted_device_ends_its_token_and_keeps_its_uploads),
        TEST(a_deleted_user_leaves_only_trash),
        TEST(filters_and_pages_tell_the_whole_number),
        TEST(two_processes_never_get_the_same_number),
        TEST(another_process_that_ends_does_not_take_the_log_away),
        TEST(a_newer_builds_database_is_left_alone),
        TEST(a_damaged_database_is_told_and_left_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
