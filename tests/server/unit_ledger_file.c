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

#include "common/base/path.h"
#include "common/base/str.h"
#include "tests/server/ledger_lab.h"
#include "tests/server/ledger_place.h"

/* Several processes on one database, and a database that is not as it should be. */

struct racer {
    struct ledger *l;
    const struct ledger_who *who;
    int64_t now;
    int64_t got[50];
};

static void *race(void *arg)
{
    struct racer *a = arg;
    struct api_upload_req q = lab_request();
    struct ledger_reserved res;
    struct ct_err err;

    for (int i = 0; i < 50; i++) {
        a->got[i] = 0;
        if (ledger_reserve(a->l, a->who, &q, &lab_no_limits, a->now, &res, &err) == 0 &&
            ledger_confirm(a->l, a->who, S, res.version, 5, a->now, &err) == 0)
            a->got[i] = res.version;
    }
    api_upload_req_clear(&q);
    return NULL;
}

/* Two handles are two processes as far as SQLite goes. */
static void two_processes_never_get_the_same_number(void **state)
{
    struct ledger_lab *r = *state;
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
    assert_string_equal(lab_listed(r, r->al.user_id, buf), "100 99 98 97 96");
}

/* Locks belong to the process, and closing any descriptor of the file would drop them. */
static void another_process_that_ends_does_not_take_the_log_away(void **state)
{
    struct ledger_lab *r = *state;
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
    assert_int_equal(lab_total(r, r->al.user_id), 0);
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
    lab_push(r, &r->al, 20);
    assert_int_equal(ledger_place_open(r->path, &l, &err), 0);
    assert_int_equal(ledger_knows(l, r->al.user_id, S, 1), 1);
    ledger_close(l);
    free(wal);
}

static void a_newer_builds_database_is_left_alone(void **state)
{
    struct ledger_lab *r = *state;
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
    struct ledger_lab *r = *state;
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_set_up, lab_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_processes_never_get_the_same_number),
        TEST(another_process_that_ends_does_not_take_the_log_away),
        TEST(a_newer_builds_database_is_left_alone),
        TEST(a_damaged_database_is_told_and_left_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
