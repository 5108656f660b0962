#include "tests/unit.h"

#include <pthread.h>
#include <sys/wait.h>

#include "common/base/path.h"
#include "common/base/str.h"

#include "server/sql/sql.h"
#include "server/sql/sql_sqlite.h"
#include "tests/server/ledger_place.h"

/* What the ledger builds on, with both drivers. */

struct room {
    char *path;
    struct sql *db;
};

static int open_db(const char *path, struct sql **ret, struct ct_err *err)
{
    struct hrana_place place = ledger_place();

    return ledger_place_is_remote() ? hrana_open(&place, ret, err)
                                    : sql_sqlite_open(path, ret, err);
}

static int set_up(void **state)
{
    static const char *const steps[] = {
        "CREATE TABLE parents(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
        "CREATE TABLE children(id INTEGER PRIMARY KEY, parent INTEGER NOT NULL"
        " REFERENCES parents(id) ON DELETE CASCADE, data BLOB);",
        "INSERT INTO parents VALUES (1, 'one');"};
    struct room *r = str_calloc(1, sizeof(*r));
    struct ct_err err;
    void *dir;

    assert_int_equal(unit_setup(&dir), 0);
    r->path = path_join(dir, "x.db");
    free(dir);
    assert_int_equal(ledger_place_wipe(&err), 0);
    assert_int_equal(open_db(r->path, &r->db, &err), 0);
    assert_int_equal(sql_migrate(r->db, steps, 2, "test", &err), 0);
    assert_int_equal(sql_migrate(r->db, steps, 2, "test", &err), 0);
    assert_int_equal(sql_migrate(r->db, steps, 1, "test", &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    struct room *r = *state;
    void *dir = path_parent(r->path);

    sql_close(r->db);
    free(r->path);
    free(r);
    return unit_teardown(&dir);
}

/* Outside of a transaction. */
static int64_t one(struct sql *db, const char *sql)
{
    int64_t n;

    sql_hold(db);
    n = sql_one(db, NULL, sql, "");
    sql_release(db);
    return n;
}

static void values_come_back_as_they_went(void **state)
{
    static const char text[] = "it's \"so\"\n\t\\ \xc3\xa4 \xf0\x9f\x98\x80 ?1 -- ;";
    static const char blob[] = "\0\x01\xff\xfe\0zz";
    struct room *r = *state;
    struct sql_rows *rows;
    struct ct_err err;

    sql_hold(r->db);
    assert_int_equal(sql_query(r->db, &err, &rows,
                               "SELECT ?1, ?2, ?3, ?4, hex(?5), ?6, ?1 = ?7, 1.5, typeof(?5)"
                               " UNION ALL SELECT 2, NULL, '', 0, '', '', 0, 0, ''",
                               "siisbss", text, INT64_MAX, INT64_MIN, NULL, blob, sizeof(blob) - 1,
                               "", text),
                     0);
    assert_int_equal(sql_step(rows, &err), 1);
    assert_string_equal(sql_text(rows, 0), text);
    assert_true(sql_int64(rows, 1) == INT64_MAX);
    assert_true(sql_int64(rows, 2) == INT64_MIN);
    assert_true(sql_is_null(rows, 3));
    assert_string_equal(sql_text(rows, 3), "");
    assert_int_equal(sql_int64(rows, 3), 0);
    assert_string_equal(sql_text(rows, 4), "0001FFFE007A7A");
    assert_false(sql_is_null(rows, 5));
    assert_int_equal(sql_int64(rows, 6), 1);
    assert_int_equal(sql_int64(rows, 7), 1);
    assert_string_equal(sql_text(rows, 8), "blob");
    assert_int_equal(sql_step(rows, &err), 1);
    assert_true(sql_is_null(rows, 1));
    assert_int_equal(sql_step(rows, &err), 0);
    sql_done(rows);
    sql_release(r->db);
}

static void a_transaction_sees_itself_and_counts_its_changes(void **state)
{
    struct room *r = *state;
    struct ct_err err;

    assert_int_equal(sql_begin(r->db, &err), 0);
    assert_int_equal(sql_exec(r->db, &err, "INSERT INTO parents VALUES (2, ?)", "s", "two"), 0);
    assert_int_equal(
        sql_exec(r->db, &err, "INSERT INTO children VALUES (1, 2, ?)", "b", "x", (size_t)1), 0);
    assert_int_equal(sql_one(r->db, NULL, "SELECT count(*) FROM parents", ""), 2);
    assert_int_equal(sql_exec(r->db, &err, "UPDATE parents SET name = name || '!'", ""), 0);
    assert_int_equal(sql_changes(r->db), 2);
    assert_int_equal(sql_exec(r->db, &err, "DELETE FROM parents WHERE id = 99", ""), 0);
    assert_int_equal(sql_changes(r->db), 0);
    assert_int_equal(sql_commit(r->db, &err), 0);
    assert_int_equal(one(r->db, "SELECT count(*) FROM parents WHERE name LIKE '%!'"), 2);

    /* Foreign keys are on. */
    assert_int_equal(sql_begin(r->db, &err), 0);
    assert_int_equal(sql_exec(r->db, &err, "DELETE FROM parents WHERE id = 2", ""), 0);
    assert_int_equal(sql_commit(r->db, &err), 0);
    assert_int_equal(one(r->db, "SELECT count(*) FROM children"), 0);
}

static void what_is_rolled_back_never_was(void **state)
{
    struct room *r = *state;
    struct ct_err err;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(sql_begin(r->db, &err), 0);
        assert_int_equal(sql_exec(r->db, &err, "DELETE FROM parents", ""), 0);
        if (i == 1)
            assert_int_equal(sql_changes(r->db), 1);
        sql_rollback(r->db);
        assert_int_equal(one(r->db, "SELECT count(*) FROM parents"), 1);
    }
    /* And one in which nothing happens is fine. */
    assert_int_equal(sql_begin(r->db, &err), 0);
    assert_int_equal(sql_commit(r->db, &err), 0);
    assert_int_equal(sql_begin(r->db, &err), 0);
    sql_rollback(r->db);
}

static void after_a_failure_nothing_of_a_transaction_is_committed(void **state)
{
    static const char *const bad[] = {"INSERT INTO parents VALUES (3, 'one')",
                                      "INSERT INTO children VALUES (1, 99, NULL)",
                                      "INSERT INTO nowhere VALUES (1)", "this is no SQL"};
    struct room *r = *state;
    struct ct_err err;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(sql_begin(r->db, &err), 0);
        assert_int_equal(sql_exec(r->db, &err, "INSERT INTO parents VALUES (2, 'two')", ""), 0);
        sql_exec(r->db, NULL, bad[i], ""); /* may tell now or later */
        sql_exec(r->db, NULL, "INSERT INTO parents VALUES (4, 'four')", "");
        if (i % 2 == 1)
            assert_int_equal(sql_changes(r->db), -1);
        err.code = ERR_NONE;
        assert_int_equal(sql_commit(r->db, &err), -1);
        assert_int_not_equal(err.code, ERR_NONE);
        assert_int_equal(one(r->db, "SELECT count(*) FROM parents"), 1);
    }
    /* A number that can't be had counts as a failure too. */
    assert_int_equal(sql_begin(r->db, &err), 0);
    assert_int_equal(sql_exec(r->db, &err, "INSERT INTO parents VALUES (2, 'two')", ""), 0);
    assert_int_equal(sql_one(r->db, &err, "SELECT count(*) FROM nowhere", ""), -1);
    assert_int_equal(sql_commit(r->db, &err), -1);
    assert_int_equal(one(r->db, "SELECT count(*) FROM parents"), 1);
    assert_int_equal(one(r->db, "SELECT count(*) FROM nowhere"), -1);
}

static void what_a_dead_process_began_is_undone(void **state)
{
    struct room *r = *state;
    struct ct_err err;
    int status;
    pid_t pid;

    sql_close(r->db);
    r->db = NULL;
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct sql *db;
        if (open_db(r->path, &db, &err) != 0 || sql_begin(db, &err) != 0 ||
            sql_exec(db, &err, "INSERT INTO parents VALUES (2, 'two')", "") != 0 ||
            sql_changes(db) != 1)
            _exit(1);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(open_db(r->path, &r->db, &err), 0);
    assert_int_equal(one(r->db, "SELECT count(*) FROM parents"), 1);
    /* And its lock is gone, at the latest when the server has had enough of it. */
    assert_int_equal(sql_begin(r->db, &err), 0);
    assert_int_equal(sql_exec(r->db, &err, "INSERT INTO parents VALUES (2, 'two')", ""), 0);
    assert_int_equal(sql_commit(r->db, &err), 0);
    assert_int_equal(one(r->db, "SELECT count(*) FROM parents"), 2);
}

static void *add_many(void *arg)
{
    struct sql *db = arg;

    for (int i = 0; i < 20; i++) {
        int64_t n;
        if (sql_begin(db, NULL) != 0)
            return NULL;
        n = sql_one(db, NULL, "SELECT count(*) FROM children", "");
        sql_exec(db, NULL, "INSERT INTO children VALUES (?, 1, NULL)", "i", n);
        if (sql_commit(db, NULL) != 0)
            return NULL;
        sql_hold(db);
        n = sql_one(db, NULL, "SELECT count(*) FROM children", "");
        sql_release(db);
        if (n <= 0)
            return NULL;
    }
    return arg;
}

static void many_threads_share_a_handle(void **state)
{
    struct room *r = *state;
    pthread_t t[8];
    void *ok;

    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&t[i], NULL, add_many, r->db), 0);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(t[i], &ok), 0);
        assert_non_null(ok);
    }
    assert_int_equal(one(r->db, "SELECT count(*) FROM children"), 160);
}

static void a_server_that_is_not_there_or_says_no_is_told(void **state)
{
    struct hrana_place place = {.url = "http://127.0.0.1:1", .allow_plain_http = 1};
    struct ct_err err;
    struct sql *db;

    (void)state;
    assert_int_equal(hrana_open(&place, &db, &err), 0);
    assert_int_equal(sql_begin(db, &err), 0);
    assert_int_equal(sql_exec(db, &err, "DELETE FROM parents", ""), 0);
    assert_int_equal(sql_commit(db, &err), -1);
    assert_int_equal(err.code, ERR_RETRY);
    sql_close(db);
    place.allow_plain_http = 0;
    assert_int_equal(hrana_open(&place, &db, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    if (!ledger_place_is_remote())
        return;
    place = ledger_place();
    place.token = "nonsense";
    assert_int_equal(hrana_open(&place, &db, &err), 0);
    assert_int_equal(sql_begin(db, &err), 0);
    assert_int_equal(sql_exec(db, &err, "DELETE FROM parents", ""), 0);
    assert_int_equal(sql_commit(db, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_null(strstr(err.msg, "nonsense"));
    sql_close(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_come_back_as_they_went),
        TEST(a_transaction_sees_itself_and_counts_its_changes),
        TEST(what_is_rolled_back_never_was),
        TEST(after_a_failure_nothing_of_a_transaction_is_committed),
        TEST(what_a_dead_process_began_is_undone),
        TEST(many_threads_share_a_handle),
        TEST(a_server_that_is_not_there_or_says_no_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
