#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/str.h"

#include "server/store/sigv4.h"

/* 2013-05-24T00:00:00Z, the instant of Amazon's published examples. */
#define EXAMPLE_MS 1369353600000

static const struct sigv4_cred example = {"AKIAIOSFODNN7EXAMPLE",
                                          "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1"};
static const struct sigv4_cred ours = {"ctid", "secret", "auto"};

/* A request to verify: headers as "name: value" pairs. */
struct fake {
    const char *headers[6][2];
};

static const char *header(void *arg, const char *name)
{
    const struct fake *f = arg;

    for (int i = 0; i < 6 && f->headers[i][0] != NULL; i++) {
        if (strcmp(f->headers[i][0], name) == 0)
            return f->headers[i][1];
    }
    return NULL;
}

static char *presign_put(void)
{
    struct sigv4_request req = {
        .method = "PUT",
        .base_url = "https://store.example:8788",
        .path = "/codeteleport/bundles/a b/ü+%.tar.gz",
        .headers = {{"content-type", "application/gzip"}, {"content-length", "123"}},
        .n_headers = 2,
        .now_ms = EXAMPLE_MS,
        .expires_s = 300};

    return sigv4_presign(&ours, &req);
}

static struct fake put_headers(void)
{
    return (struct fake){{{"host", "store.example:8788"},
                          {"content-type", "application/gzip"},
                          {"content-length", "123"}}};
}

static enum sigv4_verdict verify(const char *target, struct fake *f, const char *method,
                                 int64_t now_ms)
{
    struct sigv4_check check = {.method = method,
                                .target = target,
                                .header = header,
                                .arg = f,
                                .must_sign = "content-length;content-type;host",
                                .now_ms = now_ms};

    return sigv4_verify(&ours, &check);
}

static const char *target_of(const char *url)
{
    return strchr(strstr(url, "://") + 3, '/');
}

static void amazons_example_gives_amazons_signature(void **state)
{
    struct sigv4_request req = {.method = "GET",
                                .base_url = "https://examplebucket.s3.amazonaws.com",
                                .path = "/test.txt",
                                .now_ms = EXAMPLE_MS,
                                .expires_s = 86400};
    char *url = sigv4_presign(&example, &req);

    (void)state;
    assert_string_equal(
        url, "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
             "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
             "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
             "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    free(url);
}

static void what_is_presigned_verifies(void **state)
{
    struct fake f = put_headers();
    char *url = presign_put();

    (void)state;
    assert_non_null(strstr(url, "/codeteleport/bundles/a%20b/%C3%BC%2B%25.tar.gz?"));
    assert_int_equal(verify(target_of(url), &f, "PUT", EXAMPLE_MS), SIGV4_OK);
    assert_true(sigv4_is_signed(url, "content-length"));
    assert_false(sigv4_is_signed(url, "content-md5"));
    free(url);
}

static void header_values_are_compared_with_blanks_folded(void **state)
{
    struct fake f = put_headers();
    char *url = presign_put();

    (void)state;
    f.headers[1][1] = "  application/gzip \t";
    assert_int_equal(verify(target_of(url), &f, "PUT", EXAMPLE_MS), SIGV4_OK);
    f.headers[1][1] = "application/ gzip";
    assert_int_equal(verify(target_of(url), &f, "PUT", EXAMPLE_MS), SIGV4_MISMATCH);
    free(url);
}

static void another_method_length_type_or_host_does_not_match(void **state)
{
    struct fake f;
    char *url = presign_put();

    (void)state;
    f = put_headers();
    assert_int_equal(verify(target_of(url), &f, "DELETE", EXAMPLE_MS), SIGV4_MISMATCH);
    f.headers[2][1] = "124";
    assert_int_equal(verify(target_of(url), &f, "PUT", EXAMPLE_MS), SIGV4_MISMATCH);
    f = put_headers();
    f.headers[1][1] = "text/html";
    assert_int_equal(verify(target_of(url), &f, "PUT", EXAMPLE_MS), SIGV4_MISMATCH);
    f = put_headers();
    f.headers[0][1] = "other.example";
    assert_int_equal(verify(target_of(url), &f, "PUT", EXAMPLE_MS), SIGV4_MISMATCH);
    f = put_headers();
    f.headers[2][0] = NULL;
    assert_int_equal(verify(target_of(url), &f, "PUT", EXAMPLE_MS), SIGV4_MISMATCH);
    free(url);
}

/* Every single character of the URL counts: changed, it never verifies. */
static void any_changed_byte_of_the_url_is_refused(void **state)
{
    struct fake f = put_headers();
    char *url = presign_put(), *target = str_dup(target_of(url));
    size_t n = strlen(target);

    (void)state;
    for (size_t i = 1; i < n; i++) {
        char was = target[i];
        /* Escapes may be written in lower case too; that is the same URL. */
        if (target[i] == '%' || (i > 1 && target[i - 1] == '%') || (i > 2 && target[i - 2] == '%'))
            continue;
        target[i] = was == 'x' ? 'y' : 'x';
        assert_int_not_equal(verify(target, &f, "PUT", EXAMPLE_MS), SIGV4_OK);
        target[i] = was;
    }
    assert_int_equal(verify(target, &f, "PUT", EXAMPLE_MS), SIGV4_OK);
    free(target);
    free(url);
}

static void any_truncated_url_is_refused(void **state)
{
    struct fake f = put_headers();
    char *url = presign_put(), *target = str_dup(target_of(url));

    (void)state;
    for (size_t n = strlen(target); n-- > 0;) {
        target[n] = '\0';
        assert_int_not_equal(verify(target, &f, "PUT", EXAMPLE_MS), SIGV4_OK);
    }
    free(target);
    free(url);
}

static void a_url_lives_exactly_as_long_as_it_says(void **state)
{
    struct fake f = put_headers();
    char *url = presign_put();

    (void)state;
    assert_int_equal(verify(target_of(url), &f, "PUT", EXAMPLE_MS + 300000), SIGV4_OK);
    assert_int_equal(verify(target_of(url), &f, "PUT", EXAMPLE_MS + 300001), SIGV4_EXPIRED);
    assert_int_equal(verify(target_of(url), &f, "PUT", EXAMPLE_MS - 15 * 60000), SIGV4_OK);
    assert_int_equal(verify(target_of(url), &f, "PUT", EXAMPLE_MS - 15 * 60000 - 1), SIGV4_FUTURE);
    free(url);
}

static void a_forged_url_never_learns_of_its_expiry(void **state)
{
    struct fake f = put_headers();
    char *url = presign_put(), *target = str_dup(target_of(url));
    char *last = target + strlen(target) - 1;

    (void)state;
    *last = *last == '0' ? '1' : '0';
    assert_int_equal(verify(target, &f, "PUT", EXAMPLE_MS + 3600000), SIGV4_MISMATCH);
    free(target);
    free(url);
}

static void what_must_be_signed_has_to_be(void **state)
{
    struct sigv4_request req = {.method = "PUT",
                                .base_url = "https://store.example:8788",
                                .path = "/codeteleport/k",
                                .now_ms = EXAMPLE_MS,
                                .expires_s = 300};
    struct fake f = put_headers();
    char *url = sigv4_presign(&ours, &req);

    (void)state;
    assert_int_equal(verify(target_of(url), &f, "PUT", EXAMPLE_MS), SIGV4_HEADERS);
    free(url);
}

static void other_keys_regions_and_secrets_are_told_apart(void **state)
{
    struct fake f = put_headers();
    char *url = presign_put();
    struct sigv4_check check = {.method = "PUT",
                                .target = target_of(url),
                                .header = header,
                                .arg = &f,
                                .must_sign = "host",
                                .now_ms = EXAMPLE_MS};
    struct sigv4_cred c = ours;

    (void)state;
    c.key_id = "ctid2";
    assert_int_equal(sigv4_verify(&c, &check), SIGV4_KEY);
    c = ours;
    c.region = "us-east-1";
    assert_int_equal(sigv4_verify(&c, &check), SIGV4_SCOPE);
    c = ours;
    c.secret = "other";
    assert_int_equal(sigv4_verify(&c, &check), SIGV4_MISMATCH);
    free(url);
}

static void what_is_no_presigned_request_is_told_as_such(void **state)
{
    struct fake f = put_headers();
    static const char *const malformed[] = {
        "/k?X-Amz-Algorithm=AWS4-HMAC-SHA256",
        "/k?X-Amz-Signature=0&X-Amz-Signature=0",
        "/k?a=%zz",
        "/k?a=%00",
        "/k%00",
        "/k%4",
        "",
        "k",
        "/k?=x",
        ("/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Date=20130524T000000Z"
         "&X-Amz-Expires=99999999999999999999&X-Amz-SignedHeaders=host&X-Amz-Signature=0"),
        "/k?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q&r&s&t&u&v&w&x&y&z&aa&bb",
    };

    (void)state;
    assert_int_equal(verify("/k", &f, "GET", EXAMPLE_MS), SIGV4_ABSENT);
    assert_int_equal(verify("/k?x=1", &f, "GET", EXAMPLE_MS), SIGV4_ABSENT);
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
        assert_int_equal(verify(malformed[i], &f, "GET", EXAMPLE_MS), SIGV4_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amazons_example_gives_amazons_signature),
        cmocka_unit_test(what_is_presigned_verifies),
        cmocka_unit_test(header_values_are_compared_with_blanks_folded),
        cmocka_unit_test(another_method_length_type_or_host_does_not_match),
        cmocka_unit_test(any_changed_byte_of_the_url_is_refused),
        cmocka_unit_test(any_truncated_url_is_refused),
        cmocka_unit_test(a_url_lives_exactly_as_long_as_it_says),
        cmocka_unit_test(a_forged_url_never_learns_of_its_expiry),
        cmocka_unit_test(what_must_be_signed_has_to_be),
        cmocka_unit_test(other_keys_regions_and_secrets_are_told_apart),
        cmocka_unit_test(what_is_no_presigned_request_is_told_as_such),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
