#include "tests/unit.h"

#include <signal.h>
#include <sys/wait.h>

#include "common/data/db.h"
#include "common/base/str.h"

static const char *const steps[] = {
    "CREATE TABLE t (a INTEGER)",
    "ALTER TABLE t ADD COLUMN b INTEGER NOT NULL DEFAULT 7; UPDATE t SET b = a * 2",
    "CREATE TABLE u (a INTEGER); INSERT INTO u SELECT b FROM t",
    "ALTER TABLE u ADD COLUMN c INTEGER",
    "ALTER TABLE u ADD COLUMN d INTEGER",
    "ALTER TABLE u ADD COLUMN e INTEGER",
};
static const char *const other[] = {"CREATE TABLE o (a INTEGER)", "CREATE TABLE p (a INTEGER)"};

/* Never ends. */
static const char *const endless[] = {
    "CREATE TABLE t (a INTEGER)",
    "ALTER TABLE t ADD COLUMN b INTEGER; UPDATE t SET a = 0;"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO t SELECT i, 1 "
    "FROM n WHERE i < 0",
};

static char *place(void **state)
{
    return str_printf("%s/x.db", (char *)*state);
}

static int is_there(const char *path, int version)
{
    char *copy = str_printf("%s.v%d.bak", path, version);
    struct stat st;
    int rc = stat(copy, &st) == 0;

    if (rc)
        assert_int_equal(st.st_mode & 0777, 0600);
    free(copy);
    return rc;
}

static void go_to(const char *path, int n)
{
    struct ct_err err = {0};
    struct db *db;

    assert_int_equal(db_open(path, DB_EXCLUSIVE, &db, &err), 0);
    assert_int_equal(db_migrate(db, steps, n, "room", &err), 0);
    if (n == 1)
        assert_int_equal(db_exec(db, &err, "INSERT INTO t(a) VALUES (21)", ""), 0);
    db_close(db);
}

static int64_t one(const char *path, const char *sql)
{
    struct ct_err err = {0};
    struct db *db;
    int64_t n;

    assert_int_equal(db_open(path, DB_EXCLUSIVE, &db, &err), 0);
    assert_int_equal(db_check(db, &err), 0);
    n = db_int(db, -1, sql, "");
    db_close(db);
    return n;
}

static void what_is_old_is_copied_before_it_changes(void **state)
{
    char *path = place(state), *copy = str_printf("%s.v1.bak", path);

    go_to(path, 1);
    assert_false(is_there(path, 0));
    go_to(path, 3);
    assert_true(is_there(path, 1));
    assert_int_equal(one(path, "SELECT a FROM u"), 42);
    assert_int_equal(one(copy, "SELECT count(*) FROM pragma_table_info('t')"), 1);
    assert_int_equal(one(copy, "SELECT a FROM t"), 21);
    go_to(copy, 3); /* an older program works with it, and a newer one brings it up to date */
    assert_int_equal(one(copy, "SELECT a FROM u"), 42);
    free(copy);
    free(path);
}

static void what_is_new_or_up_to_date_is_not_copied(void **state)
{
    char *path = place(state);
    struct ct_err err;
    struct db *db;

    assert_int_equal(db_open(path, DB_EXCLUSIVE, &db, &err), 0);
    assert_int_equal(db_migrate(db, steps, 3, "room", &err), 0);
    assert_int_equal(db_migrate(db, other, 2, "other", &err), 0);
    db_close(db);
    go_to(path, 3);
    for (int i = 0; i < 6; i++)
        assert_false(is_there(path, i));
    free(path);
}

static void two_rooms_of_one_database_make_one_copy(void **state)
{
    char *path = place(state);
    struct ct_err err;
    struct db *db;

    assert_int_equal(db_open(path, DB_EXCLUSIVE, &db, &err), 0);
    assert_int_equal(db_migrate(db, steps, 3, "room", &err), 0);
    assert_int_equal(db_migrate(db, other, 1, "other", &err), 0);
    db_close(db);
    assert_int_equal(db_open(path, DB_EXCLUSIVE, &db, &err), 0);
    assert_int_equal(db_migrate(db, steps, 4, "room", &err), 0);
    assert_int_equal(db_migrate(db, other, 2, "other", &err), 0);
    db_close(db);
    assert_true(is_there(path, 4));
    assert_false(is_there(path, 5));
    free(path);
}

static void three_copies_stay(void **state)
{
    char *path = place(state);

    for (int i = 1; i <= 6; i++)
        go_to(path, i);
    assert_false(is_there(path, 1));
    assert_false(is_there(path, 2));
    assert_true(is_there(path, 3));
    assert_true(is_there(path, 4));
    assert_true(is_there(path, 5));
    free(path);
}

static void a_newer_database_is_refused_and_left_as_it_is(void **state)
{
    char *path = place(state), *cmd;
    struct ct_err err = {0};
    struct db *db;

    go_to(path, 3);
    cmd = str_printf("cp '%s' '%s.was'", path, path);
    assert_int_equal(system(cmd), 0);
    free(cmd);
    assert_int_equal(db_open(path, DB_EXCLUSIVE, &db, &err), 0);
    assert_int_equal(db_migrate(db, steps, 2, "room", &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_string_equal(err.reason, DB_NEWER);
    assert_non_null(strstr(err.msg, "newer version of this program"));
    db_close(db);
    cmd = str_printf("cmp '%s' '%s.was'", path, path);
    assert_int_equal(system(cmd), 0);
    free(cmd);
    assert_false(is_there(path, 3));
    free(path);
}

/* Nothing sleeps here: the child is killed when the copy shows that it is at its step. */
static void a_kill_in_the_middle_leaves_the_old_database(void **state)
{
    char *path = place(state);
    struct ct_err err;
    struct db *db;
    pid_t pid;

    go_to(path, 1);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(60);
        _exit(db_open(path, DB_EXCLUSIVE, &db, &err) == 0 ? db_migrate(db, endless, 2, "room", &err)
                                                          : 2);
    }
    while (!is_there(path, 1) && waitpid(pid, NULL, WNOHANG) == 0)
        usleep(1000);
    usleep(20000); /* into the step; earlier or later, what follows holds */
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(one(path, "SELECT a FROM t"), 21);
    assert_int_equal(one(path, "SELECT version FROM schema_version"), 1);
    go_to(path, 3);
    assert_int_equal(one(path, "SELECT a FROM u"), 42);
    free(path);
}

/* For tests/e2e/e2e_update.bats, which kills it at each of its system calls. */
static int migrate_only(const char *path)
{
    struct ct_err err;
    struct db *db;
    int rc;

    if (db_open(path, DB_EXCLUSIVE, &db, &err) != 0)
        return 2;
    rc = db_migrate(db, steps, 3, "room", &err) == 0 ? 0 : 1;
    if (rc != 0)
        fprintf(stderr, "%s: %s\n", err_name(err.code), err.msg);
    db_close(db);
    return rc;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        UNIT(what_is_old_is_copied_before_it_changes),
        UNIT(what_is_new_or_up_to_date_is_not_copied),
        UNIT(two_rooms_of_one_database_make_one_copy),
        UNIT(three_copies_stay),
        UNIT(a_newer_database_is_refused_and_left_as_it_is),
        UNIT(a_kill_in_the_middle_leaves_the_old_database),
    };

    if (argc == 3 && strcmp(argv[1], "migrate") == 0)
        return migrate_only(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
