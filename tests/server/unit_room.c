#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/path.h"
#include "common/base/str.h"
#include "server/ledger/ledger_impl.h"
#include "server/ledger/purge.h"
#include "server/store/embedded.h"
#include "tests/server/ledger_lab.h"

/*
 * A model: one user does whatever the API lets them do, with a quota, for weeks, and what they hold
 * is looked at after each step: in the ledger's sums, in the rows, and on the disk.
 */

#define QUOTA 100000
#define MOST 1000

struct model {
    struct ledger_lab *lab;
    struct embedded *store;
    int64_t confirmed_ms[MOST]; /* by version; 0: it never was */
    int64_t left_ms[MOST];      /* let go then, 0: it is a version of the session */
    int64_t reserved[MOST], n_reserved;
    int64_t newest;
    char *body;
    unsigned seed;
    int refused, relieved;
};

static int dice(struct model *m, int n)
{
    m->seed = m->seed * 1103515245 + 12345;
    return (int)(m->seed >> 16) % n;
}

static void open_store(struct model *m)
{
    const struct sigv4_cred cred = {"id", "secret", "auto"};
    char *dir = path_join(m->lab->dir, "objects");
    struct ct_err err;

    assert_int_equal(embedded_open(dir, &cred, "http://x", &m->store, &err), 0);
    free(dir);
}

static void key_of(struct model *m, int64_t version, char key[STORE_KEY_MAX])
{
    store_key(m->lab->al.user_id, S, version, key);
}

/* All the bytes of the objects on the disk. */
static int add_size(void *arg, const char *key, int64_t size_bytes, int64_t modified_ms)
{
    (void)key;
    (void)modified_ms;
    *(int64_t *)arg += size_bytes;
    return 0;
}

static int64_t on_disk(struct model *m)
{
    int64_t n = 0;
    struct ct_err err;

    assert_int_equal(store_each(embedded_store(m->store), add_size, &n, &err), 0);
    return n;
}

static int64_t number(struct model *m, const char *sql)
{
    struct ct_err err;
    int64_t n;

    ledger_lock(m->lab->l);
    n = sql_one(m->lab->l->db, &err, sql, "s", m->lab->al.user_id);
    ledger_unlock(m->lab->l);
    assert_true(n >= 0);
    return n;
}

/* As the server does it: what nobody misses makes room, and then once more. */
static void reserve(struct model *m)
{
    const struct ledger_limits limits = {QUOTA, 0};
    struct ledger_lab *r = m->lab;
    struct api_upload_req q = lab_request();
    struct ledger_reserved res;
    struct purged freed = {0};
    struct ct_err err, why;
    int rc;

    q.size_bytes = 1 + dice(m, 20000);
    q.amend = dice(m, 2) ? m->newest : 0;
    q.pin = dice(m, 10) == 0 ? m->newest : 0;
    q.revive = 1;
    rc = ledger_reserve(r->l, &r->al, &q, &limits, r->now, &res, &err);
    if (rc != 0) {
        assert_string_equal(err.reason, "quota");
        assert_int_equal(purge_for_room(r->l, embedded_store(m->store), r->al.user_id, q.size_bytes,
                                        r->now, &freed, &why),
                         0);
        m->relieved += freed.n > 0;
        rc = ledger_reserve(r->l, &r->al, &q, &limits, r->now, &res, &err);
    }
    api_upload_req_clear(&q);
    m->refused += rc != 0;
    if (rc == 0 && res.version < MOST)
        m->reserved[m->n_reserved++] = res.version;
}

/* PUT, as far as that goes, for one of what is reserved. */
static void put(struct model *m)
{
    struct ledger_lab *r = m->lab;
    struct embedded_put *p;
    struct ledger_pending pending;
    struct api_confirm_req q = {0};
    char key[STORE_KEY_MAX];
    struct ct_err err;

    if (m->n_reserved == 0)
        return;
    q.version = m->reserved[dice(m, (int)m->n_reserved)];
    strcpy(q.checksum, SUM);
    if (ledger_pending(r->l, &r->al, S, &q, r->now, &pending, &err) != 0 || pending.confirmed)
        return;
    key_of(m, q.version, key);
    assert_int_equal(embedded_put_begin(m->store, key, pending.size_bytes, 0, &p, &err), 0);
    assert_int_equal(embedded_put_data(p, m->body, (size_t)pending.size_bytes, &err), 0);
    if (dice(m, 8) == 0)
        embedded_put_abort(p);
    else
        assert_int_equal(embedded_put_finish(p, NULL, &err), 0);
}

/* Confirm what is there, or find that it is not what was promised. */
static void confirm(struct model *m)
{
    struct ledger_lab *r = m->lab;
    char key[STORE_KEY_MAX];
    struct store_head head;
    struct ct_err err;
    int64_t v;

    if (m->n_reserved == 0)
        return;
    v = m->reserved[dice(m, (int)m->n_reserved)];
    key_of(m, v, key);
    if (m->confirmed_ms[v] != 0 || store_head(embedded_store(m->store), key, &head, &err) != 0)
        return;
    if (dice(m, 10) == 0) {
        assert_int_equal(ledger_confirm_failed(r->l, r->al.user_id, S, v, r->now, &err), 0);
    } else if (lab_confirm(r, &r->al, v, 3) == 0) {
        m->confirmed_ms[v] = r->now;
        m->newest = v;
    }
}

static void delete (struct model *m)
{
    struct ledger_lab *r = m->lab;
    struct ct_err err;
    int64_t n;

    switch (dice(m, 4)) {
    case 0:
        ledger_session_delete(r->l, &r->al, S, r->now, &err);
        break;
    case 1:
        ledger_version_delete(r->l, &r->al, S, m->newest, r->now, &err);
        break;
    case 2:
        ledger_version_delete(r->l, &r->al, S, m->newest + 1, r->now, &err);
        break;
    default:
        ledger_undelete(r->l, r->al.user_id, S, 0, r->now, &n, &err);
    }
}

static void let_time_pass(struct model *m)
{
    struct ledger_lab *r = m->lab;
    struct purged done = {0};
    struct ct_err err;

    r->now += dice(m, 3) == 0 ? dice(m, 48) * HOUR_MS : dice(m, 30) * 60000LL;
    assert_int_equal(purge_due(r->l, embedded_store(m->store), r->now, &done, &err), 0);
    assert_int_equal(done.failed, 0);
}

/* What was ever confirmed is there, or was let go for so long, or was one of many within an hour.
 */
static void look_at_versions(struct model *m)
{
    struct ledger_lab *r = m->lab;
    char key[STORE_KEY_MAX];
    struct store_head head;
    struct ct_err err;

    for (int64_t v = 1; v < MOST; v++) {
        if (m->confirmed_ms[v] == 0)
            continue;
        int known = ledger_knows(r->l, r->al.user_id, S, v);
        char *sql = str_printf("SELECT CASE WHEN state = 'confirmed' THEN 0 WHEN why = 'passing'"
                               " THEN 1 ELSE left_ms END FROM versions WHERE user_id = ?"
                               " AND version = %lld",
                               (long long)v);
        int64_t left_ms = known ? number(m, sql) : -1;
        free(sql);
        if (known) {
            m->left_ms[v] = left_ms;
            key_of(m, v, key);
            assert_int_equal(store_head(embedded_store(m->store), key, &head, &err), 0);
        } else {
            assert_int_not_equal(m->left_ms[v], 0);
            assert_true(m->left_ms[v] == 1 || m->left_ms[v] + 7 * DAY_MS <= r->now);
            m->confirmed_ms[v] = 0;
        }
    }
}

static void look(struct model *m)
{
    int64_t bytes = number(m, "SELECT sum(bytes) FROM usage WHERE user_id = ?");

    assert_true(bytes <= QUOTA);
    assert_int_equal(bytes,
                     number(m, "SELECT sum(size_bytes + 512 + length(cwd) + length(user_dir))"
                               " FROM versions NATURAL JOIN descriptions WHERE user_id = ?"));
    assert_true(on_disk(m) <= QUOTA);
    look_at_versions(m);
}

static void bytes_are_counted_wherever_they_are(void **state)
{
    struct model m = {.lab = *state, .body = str_calloc(1, 20001)};
    const char *full = getenv("CT_FULL");

    m.seed = full != NULL ? (unsigned)getpid() : 7;
    print_message("seed %u\n", m.seed);
    open_store(&m);
    for (int left = full != NULL ? 5000 : 700; left > 0 && m.n_reserved < MOST; left--) {
        int what = dice(&m, 16);
        if (what < 4)
            reserve(&m);
        else if (what < 8)
            put(&m);
        else if (what < 12)
            confirm(&m);
        else if (what < 13)
            delete (&m);
        else
            let_time_pass(&m);
        look(&m);
    }
    print_message("%d refused, %d had room made\n", m.refused, m.relieved);
    assert_true(m.refused > 0 && m.relieved > 0);
    store_free(embedded_store(m.store));
    free(m.body);
}

static void one_object_of_a_key_comes_in_at_a_time(void **state)
{
    struct model m = {.lab = *state};
    struct embedded_put *first, *second;
    char key[STORE_KEY_MAX];
    struct ct_err err;

    open_store(&m);
    key_of(&m, 1, key);
    assert_int_equal(embedded_put_begin(m.store, key, 3, 0, &first, &err), 0);
    assert_false(store_is_vacant(embedded_store(m.store), key));
    assert_int_equal(embedded_put_begin(m.store, key, 3, 0, &second, &err), -1);
    assert_string_equal(err.reason, "OperationAborted");
    assert_int_equal(embedded_put_data(first, "abc", 3, &err), 0);
    assert_int_equal(embedded_put_finish(first, NULL, &err), 0);
    /* Once more: the same is fine, and neither it nor another is written. */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(embedded_put_begin(m.store, key, i < 2 ? 3 : 2, 0, &second, &err), 0);
        assert_int_equal(embedded_put_data(second, i == 0 ? "abc" : "ab", i == 0 ? 3 : 2, &err), 0);
        if (i == 1)
            assert_int_equal(embedded_put_data(second, "d", 1, &err), 0);
        assert_int_equal(embedded_put_finish(second, NULL, &err), i == 0 ? 0 : -1);
        assert_true(i == 0 || err.code == ERR_CONFLICT);
        assert_int_equal(on_disk(&m), 3);
    }
    store_free(embedded_store(m.store));
}

static void what_is_coming_in_is_set_aside(void **state)
{
    struct model m = {.lab = *state};
    struct space *space = space_new(m.lab->dir, 0);
    struct embedded_put *put;
    char key[STORE_KEY_MAX];
    struct ct_err err;
    int64_t most = 1;

    open_store(&m);
    embedded_watch(m.store, space);
    /* How much is free, to within a factor of two; others may fill the disk meanwhile. */
    while (space_check(space, 4 * most, &err) == 0)
        most *= 2;
    key_of(&m, 1, key);
    assert_int_equal(embedded_put_begin(m.store, key, most, 0, &put, &err), 0);
    key_of(&m, 2, key);
    assert_int_equal(space_check(space, 3 * most, &err), -1);
    assert_int_equal(err.code, ERR_NOSPACE);
    embedded_put_abort(put);
    assert_int_equal(space_check(space, most, &err), 0);
    space_set_min(space, 1LL << 60);
    assert_int_equal(embedded_put_begin(m.store, key, 1, 0, &put, &err), -1);
    assert_int_equal(err.code, ERR_NOSPACE);
    assert_true(store_is_vacant(embedded_store(m.store), key));
    store_free(embedded_store(m.store));
    space_free(space);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_set_up, lab_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_are_counted_wherever_they_are),
        TEST(one_object_of_a_key_comes_in_at_a_time),
        TEST(what_is_coming_in_is_set_aside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
