#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/str.h"
#include "common/base/strlist.h"

#include "server/store/tls.h"

#define DAY_S 86400

struct room {
    char dir[64];
    int64_t now_s;
};

static int set_up(void **state)
{
    struct room *r = str_calloc(1, sizeof(*r));

    strcpy(r->dir, "/tmp/ct-tls.XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    r->now_s = time(NULL);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    struct room *r = *state;
    char *cmd = str_printf("rm -rf '%s'", r->dir);
    int rc = system(cmd);

    free(cmd);
    free(r);
    return rc;
}

static int ensure(struct room *r, const char *host, int64_t now_s)
{
    struct strlist hosts = {0};
    struct ct_err err;
    int renewed = -1;

    if (host != NULL)
        strlist_add(&hosts, host);
    assert_int_equal(tls_ensure(r->dir, &hosts, now_s, &renewed, &err), 0);
    strlist_free(&hosts);
    return renewed;
}

static char *content(struct room *r, const char *name)
{
    char *path = str_printf("%s/%s", r->dir, name);
    struct buf b = {0};
    struct ct_err err;

    assert_int_equal(file_read(path, 65536, &b, &err), 0);
    free(path);
    return buf_steal(&b);
}

static void the_first_start_makes_a_pair_that_fits(void **state)
{
    struct room *r = *state;
    char *cert, *key, *ca, *path;
    struct ct_err err;
    struct stat st;

    assert_int_equal(ensure(r, NULL, r->now_s), 1);
    cert = content(r, "server.pem");
    key = content(r, "server.key");
    ca = content(r, "ca.pem");
    assert_int_equal(tls_check_pair(cert, key, &err), 0);
    assert_int_equal(tls_check_pair(ca, key, &err), -1);
    for (int i = 0; i < 2; i++) {
        path = str_printf("%s/%s", r->dir, i == 0 ? "server.key" : "ca.key");
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        free(path);
    }
    free(cert);
    free(key);
    free(ca);
}

static void openssl_agrees(void **state)
{
    struct room *r = *state;
    char *cmd;

    if (system("command -v openssl >/dev/null") != 0)
        skip();
    ensure(r, "backup.example", r->now_s);
    cmd =
        str_printf("openssl verify -x509_strict -purpose sslserver -verify_hostname backup.example"
                   " -CAfile '%s/ca.pem' '%s/server.pem' >/dev/null",
                   r->dir, r->dir);
    assert_int_equal(system(cmd), 0);
    free(cmd);
}

static void a_second_start_changes_nothing(void **state)
{
    struct room *r = *state;
    char *before, *after;

    ensure(r, NULL, r->now_s);
    before = content(r, "server.pem");
    assert_int_equal(ensure(r, NULL, r->now_s + 300 * DAY_S), 0);
    after = content(r, "server.pem");
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void it_is_renewed_30_days_before_its_end_by_the_same_ca(void **state)
{
    struct room *r = *state;
    char *ca, *ca2;

    ensure(r, NULL, r->now_s);
    ca = content(r, "ca.pem");
    assert_int_equal(ensure(r, NULL, r->now_s + 336 * DAY_S), 1);
    ca2 = content(r, "ca.pem");
    assert_string_equal(ca, ca2);
    assert_int_equal(ensure(r, NULL, r->now_s + 336 * DAY_S), 0);
    free(ca);
    free(ca2);
}

static void a_new_name_is_a_new_certificate(void **state)
{
    struct room *r = *state;

    ensure(r, NULL, r->now_s);
    assert_int_equal(ensure(r, "192.0.2.7", r->now_s), 1);
    assert_int_equal(ensure(r, "192.0.2.7", r->now_s), 0);
    assert_int_equal(ensure(r, "2001:db8::7", r->now_s), 1);
    assert_int_equal(ensure(r, "Backup.example", r->now_s), 1);
    assert_int_equal(ensure(r, "backup.example", r->now_s), 0);
}

/* A crash between the two files of a pair, or a damaged one. */
static void a_pair_that_does_not_fit_is_made_anew(void **state)
{
    struct room *r = *state;
    char *cmd;

    ensure(r, NULL, r->now_s);
    cmd = str_printf("cp '%s/ca.key' '%s/server.key'", r->dir, r->dir);
    assert_int_equal(system(cmd), 0);
    free(cmd);
    assert_int_equal(ensure(r, NULL, r->now_s), 1);
    cmd = str_printf(": >'%s/server.pem'", r->dir);
    assert_int_equal(system(cmd), 0);
    free(cmd);
    assert_int_equal(ensure(r, NULL, r->now_s), 1);
    assert_int_equal(ensure(r, NULL, r->now_s), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_start_makes_a_pair_that_fits),
        TEST(openssl_agrees),
        TEST(a_second_start_changes_nothing),
        TEST(it_is_renewed_30_days_before_its_end_by_the_same_ca),
        TEST(a_new_name_is_a_new_certificate),
        TEST(a_pair_that_does_not_fit_is_made_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
