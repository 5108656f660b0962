#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/str.h"

#include "server/auth/attempts.h"
#include "server/settings/email.h"
#include "server/auth/password.h"

static void the_limit_holds_for_its_window(void **state)
{
    struct attempts *a = attempts_new(3, 60000);

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(attempts_wait_s(a, "al", 1000 + i), 0);
        attempts_count(a, "al", 1000 + i);
    }
    assert_int_equal(attempts_wait_s(a, "al", 1000), 60);
    assert_int_equal(attempts_wait_s(a, "al", 60999), 1);
    assert_int_equal(attempts_wait_s(a, "al", 61000), 0);
    attempts_free(a);
}

static void one_name_does_not_count_for_another(void **state)
{
    struct attempts *a = attempts_new(1, 60000);

    (void)state;
    attempts_count(a, "al", 1000);
    assert_int_not_equal(attempts_wait_s(a, "al", 1000), 0);
    assert_int_equal(attempts_wait_s(a, "bo", 1000), 0);
    attempts_forget(a, "al");
    assert_int_equal(attempts_wait_s(a, "al", 1000), 0);
    attempts_free(a);
}

static void a_flood_of_names_only_forgets_old_ones(void **state)
{
    struct attempts *a = attempts_new(1, 60000);

    (void)state;
    for (int i = 0; i < 100000; i++) {
        char *name = str_printf("name %d", i);
        attempts_count(a, name, 1000 + i / 10);
        assert_int_not_equal(attempts_wait_s(a, name, 1000 + i / 10), 0);
        free(name);
    }
    attempts_free(a);
}

static void passwords_have_two_ends(void **state)
{
    struct ct_err err;
    char text[74] = "";

    (void)state;
    assert_int_equal(password_check("1234567", &err), -1);
    assert_int_equal(err.code, ERR_REFUSED);
    assert_int_equal(password_check("12345678", &err), 0);
    memset(text, 'x', 72);
    assert_int_equal(password_check(text, &err), 0);
    text[72] = 'x';
    assert_int_equal(password_check(text, &err), -1);
}

static void a_hash_is_bcrypt_and_fits_one_password(void **state)
{
    struct ct_err err;
    char *hash, *again;

    (void)state;
    assert_int_equal(password_hash("correct horse", &hash, &err), 0);
    assert_int_equal(strncmp(hash, "$2b$10$", 7), 0);
    assert_true(password_verify("correct horse", hash));
    assert_false(password_verify("correct horsf", hash));
    assert_false(password_verify("", hash));
    assert_false(password_verify("correct horse", NULL));
    assert_false(password_verify("correct horse", "$2b$10$damaged"));
    assert_int_equal(password_hash("correct horse", &again, &err), 0);
    assert_string_not_equal(hash, again);
    free(hash);
    free(again);
}

static void an_email_is_kept_in_one_form(void **state)
{
    static const char *const bad[] = {"",        "a",     "@",      "a@",
                                      "@b",      "a@b@c", "a b@c",  "a@b\n\nc",
                                      "a@b,c@d", "<a@b>", "a@\x01", "a@b;drop x"};
    char *out, *big;
    struct ct_err err;

    (void)state;
    assert_int_equal(email_normal("  Al@Example.ORG\n", &out, &err), 0);
    assert_string_equal(out, "al@example.org");
    free(out);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(email_normal(bad[i], &out, &err), -1);
    big = str_calloc(1, 300);
    memset(big, 'a', 299);
    big[5] = '@';
    assert_int_equal(email_normal(big, &out, &err), -1);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_holds_for_its_window),
        cmocka_unit_test(one_name_does_not_count_for_another),
        cmocka_unit_test(a_flood_of_names_only_forgets_old_ones),
        cmocka_unit_test(passwords_have_two_ends),
        cmocka_unit_test(a_hash_is_bcrypt_and_fits_one_password),
        cmocka_unit_test(an_email_is_kept_in_one_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
