#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/base/str.h"

#include "server/auth/jwt.h"

#define NOW_S 1800000000

static const unsigned char key[JWT_KEY_BYTES] = "0123456789abcdef0123456789abcde";
static const struct jwt_claims claims = {.user_id = "11111111-2222-4333-8444-555555555555",
                                         .generation = 3,
                                         .issued_s = NOW_S,
                                         .expires_s = NOW_S + JWT_LIFETIME_S};

static int code_of(const char *token, int64_t now_s)
{
    struct jwt_claims c;
    struct ct_err err = {0};

    return jwt_verify(key, token, now_s, &c, &err) == 0 ? ERR_NONE : (int)err.code;
}

/* A token of any header and body, signed with ${k}. */
static char *forge(const char *head, const char *body, const unsigned char *k)
{
    char *h = hash_base64url(head, strlen(head)), *b = hash_base64url(body, strlen(body));
    char *part = str_printf("%s.%s", h, b), *sig, *token;
    unsigned char mac[HASH_SHA256_BYTES];

    hash_hmac_sha256(k, JWT_KEY_BYTES, part, strlen(part), mac);
    sig = hash_base64url(mac, sizeof(mac));
    token = str_printf("%s.%s", part, sig);
    free(sig);
    free(part);
    free(b);
    free(h);
    return token;
}

#define BODY "{\"sub\":\"11111111-2222-4333-8444-555555555555\",\"gen\":3,\"exp\":1800000100}"

static void a_token_says_what_it_was_made_of(void **state)
{
    struct jwt_claims c;
    struct ct_err err;
    char *t = jwt_make(key, &claims, "a@example.org");

    (void)state;
    assert_int_equal(jwt_verify(key, t, NOW_S, &c, &err), 0);
    assert_string_equal(c.user_id, claims.user_id);
    assert_int_equal(c.generation, 3);
    assert_int_equal(c.expires_s, NOW_S + JWT_LIFETIME_S);
    free(t);
}

static void it_ends_after_seven_days(void **state)
{
    char *t = jwt_make(key, &claims, "a@example.org");

    (void)state;
    assert_int_equal(code_of(t, NOW_S + JWT_LIFETIME_S - 1), ERR_NONE);
    assert_int_equal(code_of(t, NOW_S + JWT_LIFETIME_S), ERR_AUTH);
    free(t);
}

static void any_changed_byte_is_refused(void **state)
{
    char *t = jwt_make(key, &claims, "a@example.org");

    (void)state;
    /* All but the last one, whose low bits base64 leaves unused. */
    for (size_t i = 0; i + 1 < strlen(t); i++) {
        char was = t[i];
        t[i] = was == 'A' ? 'B' : 'A';
        assert_int_equal(code_of(t, NOW_S), ERR_AUTH);
        t[i] = was;
    }
    assert_int_equal(code_of(t, NOW_S), ERR_NONE);
    free(t);
}

static void another_key_is_refused(void **state)
{
    static const unsigned char other[JWT_KEY_BYTES] = "another key, of the same length";
    char *t = jwt_make(other, &claims, "a@example.org");

    (void)state;
    assert_int_equal(code_of(t, NOW_S), ERR_AUTH);
    free(t);
}

static void only_hs256_is_taken_even_if_well_signed(void **state)
{
    static const char *const heads[] = {"{\"alg\":\"none\"}", "{\"alg\":\"HS512\"}", "{}",
                                        "{\"alg\":1}", "nonsense"};
    char *t = forge("{\"alg\":\"HS256\"}", BODY, key);

    (void)state;
    assert_int_equal(code_of(t, NOW_S), ERR_NONE);
    free(t);
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        t = forge(heads[i], BODY, key);
        assert_int_equal(code_of(t, NOW_S), ERR_AUTH);
        free(t);
    }
}

static void an_unsigned_token_is_refused(void **state)
{
    char *t = forge("{\"alg\":\"none\"}", BODY, key);

    (void)state;
    strrchr(t, '.')[1] = '\0';
    assert_int_equal(code_of(t, NOW_S), ERR_AUTH);
    free(t);
}

static void a_body_that_lacks_something_is_refused(void **state)
{
    static const char *const bodies[] = {
        "{}",
        "[]",
        "{\"sub\":\"11111111-2222-4333-8444-555555555555\"}",
        "{\"sub\":\"../../etc\",\"exp\":1800000100}",
        "{\"sub\":7,\"exp\":1800000100}",
        "{\"sub\":\"11111111-2222-4333-8444-555555555555\",\"exp\":\"1800000100\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        char *t = forge("{\"alg\":\"HS256\"}", bodies[i], key);
        assert_int_equal(code_of(t, NOW_S), ERR_AUTH);
        free(t);
    }
}

static void what_is_no_token_is_refused(void **state)
{
    static const char *const texts[] = {"",  ".",   "..",    "...",
                                        "a", "a.b", "a.b.c", "====.====.===="};
    char *long_one = str_calloc(1, 100001);

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(code_of(texts[i], NOW_S), ERR_AUTH);
    memset(long_one, '.', 100000);
    assert_int_equal(code_of(long_one, NOW_S), ERR_AUTH);
    free(long_one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_says_what_it_was_made_of),
        cmocka_unit_test(it_ends_after_seven_days),
        cmocka_unit_test(any_changed_byte_is_refused),
        cmocka_unit_test(another_key_is_refused),
        cmocka_unit_test(only_hs256_is_taken_even_if_well_signed),
        cmocka_unit_test(an_unsigned_token_is_refused),
        cmocka_unit_test(a_body_that_lacks_something_is_refused),
        cmocka_unit_test(what_is_no_token_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
