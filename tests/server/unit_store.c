#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/base/uuid.h"
#include "api/api.h"

#include "server/store/embedded.h"
#include "server/store/store.h"

#define USER "11111111-2222-4333-8444-555555555555"
#define KEY "bundles/" USER "/s.v1.tar.gz"

struct room {
    char dir[64];
    struct embedded *e;
};

static int set_up(void **state)
{
    static const struct sigv4_cred cred = {"id", "secret", "auto"};
    struct room *r = str_calloc(1, sizeof(*r));
    struct ct_err err;

    strcpy(r->dir, "/tmp/ct-store.XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    assert_int_equal(embedded_open(r->dir, &cred, "https://localhost:1", &r->e, &err), 0);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    struct room *r = *state;
    char *cmd = str_printf("rm -rf '%s'", r->dir);
    int rc = system(cmd);

    store_free(embedded_store(r->e));
    free(cmd);
    free(r);
    return rc;
}

/* 0, or the error code; ${announced} bytes were promised. */
static int put(struct room *r, const char *key, const char *text, int64_t announced,
               const unsigned char *md5)
{
    struct embedded_put *p;
    struct ct_err err = {0};

    if (embedded_put_begin(r->e, key, announced, md5 != NULL, &p, &err) != 0)
        return (int)err.code;
    if (embedded_put_data(p, text, strlen(text), &err) != 0) {
        embedded_put_abort(p);
        return (int)err.code;
    }
    return embedded_put_finish(p, md5, &err) == 0 ? 0 : (int)err.code;
}

static int count_one(void *arg, const char *key, int64_t size_bytes, int64_t modified_ms)
{
    (void)key;
    (void)size_bytes;
    (void)modified_ms;
    ++*(int *)arg;
    return 0;
}

static int objects(struct room *r)
{
    struct ct_err err;
    int n = 0;

    assert_int_equal(store_each(embedded_store(r->e), count_one, &n, &err), 0);
    return n;
}

static int left_in_tmp(struct room *r)
{
    char *cmd = str_printf("test -z \"$(ls -A '%s/tmp')\"", r->dir);
    int rc = system(cmd);

    free(cmd);
    return rc != 0;
}

static void a_key_is_taken_apart_as_it_was_made(void **state)
{
    static const char *const ids[] = {"s", "a.v1", "x.v2.tar.gz", USER, "A_b-c.9"};
    char key[STORE_KEY_MAX], user[UUID_SIZE], id[API_SESSION_ID_MAX + 1];
    int64_t version;

    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        store_key(USER, ids[i], 7, key);
        assert_int_equal(store_key_parse(key, user, id, &version), 0);
        assert_string_equal(user, USER);
        assert_string_equal(id, ids[i]);
        assert_int_equal(version, 7);
    }
}

static void what_is_no_key_is_refused(void **state)
{
    static const char *const keys[] = {
        "",
        "bundles/",
        "bundles/" USER "/",
        "bundles/" USER "/.v1.tar.gz",
        "bundles/" USER "/s.v.tar.gz",
        "bundles/" USER "/s.v0.tar.gz",
        "bundles/" USER "/s.v01.tar.gz",
        "bundles/" USER "/s.v-1.tar.gz",
        "bundles/" USER "/s.v1.tar.gzx",
        "bundles/" USER "/s.v1.tar.gz/",
        "bundles/" USER "/s.v99999999999999999999.tar.gz",
        "bundles/" USER "/../s.v1.tar.gz",
        "bundles/" USER "/..v1.tar.gz",
        "bundles/" USER "//s.v1.tar.gz",
        "bundles/" USER "/a/s.v1.tar.gz",
        "bundles/" USER "/%2e%2e.v1.tar.gz",
        "bundles/" USER "/s\n.v1.tar.gz",
        "bundles//s.v1.tar.gz",
        "bundles/../11111-2222-4333-8444-555555555555/s.v1.tar.gz",
        "bundles/11111111-2222-4333-8444-55555555555X/s.v1.tar.gz",
        "/bundles/" USER "/s.v1.tar.gz",
        "Bundles/" USER "/s.v1.tar.gz",
        "tmp/put.abcdef",
    };
    char user[UUID_SIZE], id[API_SESSION_ID_MAX + 1], *big;
    int64_t version;

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (store_key_parse(keys[i], user, id, &version) == 0)
            fail_msg("\"%s\" was taken for a key", keys[i]);
    }
    for (int n = 120; n < 300; n++) {
        big = str_calloc(1, (size_t)n + 80);
        strcpy(big, "bundles/" USER "/");
        memset(big + strlen(big), 'a', (size_t)n);
        strcat(big, ".v1.tar.gz");
        assert_int_equal(store_key_parse(big, user, id, &version), n <= 128 ? 0 : -1);
        free(big);
    }
}

static void an_object_is_there_whole_with_its_size_and_sum(void **state)
{
    struct room *r = *state;
    struct store *s = embedded_store(r->e);
    struct store_head head;
    char hex[HASH_SHA256_HEX], *sum;
    struct ct_err err;

    assert_int_equal(put(r, KEY, "hello", 5, NULL), 0);
    assert_int_equal(store_head(s, KEY, &head, &err), 0);
    assert_int_equal(head.size_bytes, 5);
    hash_sha256_hex("hello", 5, hex);
    sum = str_printf("sha256:%s", hex);
    assert_int_equal(store_check(s, KEY, sum, &err), 0);
    sum[10] = sum[10] == '0' ? '1' : '0';
    assert_int_equal(store_check(s, KEY, sum, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_false(left_in_tmp(r));
    free(sum);
}

static void a_broken_upload_leaves_nothing(void **state)
{
    struct room *r = *state;
    struct embedded_put *p;
    struct ct_err err;
    unsigned char md5[HASH_MD5_BYTES];

    assert_int_equal(put(r, KEY, "hell", 5, NULL), ERR_CORRUPT);
    assert_int_equal(put(r, KEY, "hello!", 5, NULL), ERR_CORRUPT);
    hash_md5("other", 5, md5);
    assert_int_equal(put(r, KEY, "hello", 5, md5), ERR_CORRUPT);
    assert_int_equal(embedded_put_begin(r->e, KEY, 5, 0, &p, &err), 0);
    assert_true(left_in_tmp(r));
    embedded_put_abort(p);
    assert_int_equal(objects(r), 0);
    assert_false(left_in_tmp(r));
    hash_md5("hello", 5, md5);
    assert_int_equal(put(r, KEY, "hello", 5, md5), 0);
    assert_int_equal(objects(r), 1);
}

static void an_object_never_changes(void **state)
{
    struct room *r = *state;
    char text[6] = "";
    int64_t size;
    struct ct_err err;
    int fd;

    assert_int_equal(put(r, KEY, "hello", 5, NULL), 0);
    assert_int_equal(put(r, KEY, "hello", 5, NULL), 0);
    assert_int_equal(put(r, KEY, "HELLO", 5, NULL), ERR_CONFLICT);
    assert_int_equal(put(r, KEY, "hello!", 6, NULL), ERR_CONFLICT);
    assert_int_equal(embedded_open_object(r->e, KEY, &fd, &size, &err), 0);
    assert_int_equal(read(fd, text, 5), 5);
    close(fd);
    assert_string_equal(text, "hello");
    assert_false(left_in_tmp(r));
}

static void removing_is_harmless_twice(void **state)
{
    struct room *r = *state;
    struct store *s = embedded_store(r->e);
    struct store_head head;
    struct ct_err err;

    assert_int_equal(put(r, KEY, "hello", 5, NULL), 0);
    assert_int_equal(store_remove(s, KEY, &err), 0);
    assert_int_equal(store_remove(s, KEY, &err), 0);
    assert_int_equal(store_head(s, KEY, &head, &err), -1);
    assert_int_equal(err.code, ERR_GONE);
}

static void no_key_leads_out_of_the_folder(void **state)
{
    struct room *r = *state;
    struct store_head head;
    struct ct_err err;

    assert_int_equal(put(r, "../escape", "x", 1, NULL), ERR_GONE);
    assert_int_equal(put(r, "bundles/" USER "/../../x.v1.tar.gz", "x", 1, NULL), ERR_GONE);
    assert_int_equal(store_head(embedded_store(r->e), "../../etc/passwd", &head, &err), -1);
    assert_int_equal(store_remove(embedded_store(r->e), "tmp", &err), -1);
    assert_int_equal(objects(r), 0);
}

static void a_sweep_takes_only_what_is_old(void **state)
{
    struct room *r = *state;
    struct store *s = embedded_store(r->e);
    struct ct_err err;
    char *cmd = str_printf("touch -d @1000 '%s/tmp/put.old'; touch -d @5000 '%s/tmp/put.new'",
                           r->dir, r->dir);

    assert_int_equal(system(cmd), 0);
    free(cmd);
    assert_int_equal(store_sweep(s, 3000000, 5000000, &err), 0);
    cmd = str_printf("test ! -e '%s/tmp/put.old' -a -e '%s/tmp/put.new'", r->dir, r->dir);
    assert_int_equal(system(cmd), 0);
    free(cmd);
    assert_int_equal(store_sweep(s, 0, 5000000, &err), 0);
    assert_false(left_in_tmp(r));
}

static void a_sweep_by_a_clock_that_jumped_leaves_what_is_coming_in(void **state)
{
    struct room *r = *state;
    struct embedded_put *p;
    struct ct_err err;

    assert_int_equal(embedded_put_begin(r->e, KEY, 5, 0, &p, &err), 0);
    assert_int_equal(embedded_put_data(p, "he", 2, &err), 0);
    assert_int_equal(store_sweep(embedded_store(r->e), 1000, INT64_MAX, &err), 0);
    assert_int_equal(embedded_put_data(p, "llo", 3, &err), 0);
    assert_int_equal(embedded_put_finish(p, NULL, &err), 0);
    assert_int_equal(objects(r), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_taken_apart_as_it_was_made),
        cmocka_unit_test(what_is_no_key_is_refused),
        TEST(an_object_is_there_whole_with_its_size_and_sum),
        TEST(a_broken_upload_leaves_nothing),
        TEST(an_object_never_changes),
        TEST(removing_is_harmless_twice),
        TEST(no_key_leads_out_of_the_folder),
        TEST(a_sweep_takes_only_what_is_old),
        TEST(a_sweep_by_a_clock_that_jumped_leaves_what_is_coming_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
