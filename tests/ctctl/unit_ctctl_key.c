#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bundle/seal/sealed.h"
#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/sys/secret.h"
#include "common/base/str.h"
#include "ctctl/key/key_account.h"
#include "ctctl/key/key_lines.h"

#define SESSION "6f1c2d3e-0a1b-4c5d-8e9f-001122334455"

/* A key whose bytes are all ${byte}, added to ${r}. */
static const struct key *key_of(struct keyring *r, int byte)
{
    unsigned char mk[KEY_BYTES];

    memset(mk, byte, sizeof(mk));
    return keyring_add(r, mk, 0, 0);
}

/* ---- text --------------------------------------------------------------------------------------
 */

static void the_text_is_shown_in_sixteen_capital_groups_that_read_back(void **state)
{
    struct keyring *r = keyring_new();
    const struct key *k = key_of(r, 0xA5);
    struct key_lines *lines = key_lines_new();
    char text[KEY_TEXT_SIZE], *rows, *copy, *save = NULL;
    unsigned char mk[KEY_BYTES];
    int groups = 0, rc = 0;

    (void)state;
    key_text(k, text);
    assert_int_equal(strlen(text), KEY_TEXT_CHARS);
    rows = key_lines_show(text, "  ");
    for (const char *p = rows; *p != '\0'; p++)
        assert_false(*p >= 'a' && *p <= 'z');
    copy = str_dup(rows);
    for (char *g = strtok_r(copy, " \n", &save); g != NULL; g = strtok_r(NULL, " \n", &save)) {
        assert_int_equal(strlen(g), KEY_GROUP);
        groups++;
    }
    assert_int_equal(groups, 16);
    free(copy);
    /* The rows as they are, one line after the other. */
    copy = str_dup(rows);
    save = NULL;
    for (char *l = strtok_r(copy, "\n", &save); l != NULL; l = strtok_r(NULL, "\n", &save)) {
        assert_int_equal(rc, 0);
        rc = key_lines_add(lines, l, mk, NULL);
    }
    assert_int_equal(rc, 1);
    assert_memory_equal(mk, k->mk, KEY_BYTES);
    assert_int_equal(key_lines_end(lines, NULL), 0);
    free(copy);
    secret_free(rows);
    key_lines_free(lines);
    keyring_free(r);
}

static void the_last_group_is_known_however_it_is_typed(void **state)
{
    static const char text[] = "ctkey1qpzry9x8gf2tv";

    (void)state;
    assert_true(key_lines_is_last_group(text, "2tv")); /* what is over four by four */
    assert_true(key_lines_is_last_group("ctkey1qpzry9x8gf", "X8GF"));
    assert_true(key_lines_is_last_group("ctkey1qpzry9x8gf", " x8-gf "));
    assert_false(key_lines_is_last_group("ctkey1qpzry9x8gf", ""));
    assert_false(key_lines_is_last_group("ctkey1qpzry9x8gf", "x8g"));
    assert_false(key_lines_is_last_group("ctkey1qpzry9x8gf", "x8gff"));
    assert_false(key_lines_is_last_group("ctkey1qpzry9x8gf", "ry9x8gf"));
}

/* ---- lines -------------------------------------------------------------------------------------
 */

static void several_texts_are_read_each_on_its_line(void **state)
{
    struct keyring *r = keyring_new();
    struct key_lines *lines = key_lines_new();
    char text[KEY_TEXT_SIZE];
    unsigned char mk[KEY_BYTES];

    (void)state;
    for (int i = 1; i <= 3; i++) {
        key_text(key_of(r, i), text);
        assert_int_equal(key_lines_add(lines, text, mk, NULL), 1);
        assert_int_equal(mk[0], i);
        assert_int_equal(key_lines_add(lines, "  ", mk, NULL), 0);
    }
    assert_int_equal(key_lines_end(lines, NULL), 0);
    key_lines_free(lines);
    keyring_free(r);
}

static void what_is_wrong_with_a_text_is_said_with_its_line_and_without_the_text(void **state)
{
    struct keyring *r = keyring_new();
    struct key_lines *lines = key_lines_new();
    char text[KEY_TEXT_SIZE], broken[KEY_TEXT_SIZE], *half;
    unsigned char mk[KEY_BYTES];
    struct ct_err e = {0};

    (void)state;
    key_text(key_of(r, 7), text);
    memcpy(broken, text, sizeof(text));
    broken[30] = broken[30] == 'q' ? 'p' : 'q';
    assert_int_equal(key_lines_add(lines, broken, mk, &e), -1);
    assert_int_equal(e.code, ERR_REFUSED);
    assert_non_null(strstr(e.msg, "line 1"));
    assert_null(strstr(e.msg, text + 40));
    /* the same line anew is fine */
    assert_int_equal(key_lines_add(lines, text, mk, &e), 1);
    /* half a text, and then another one */
    half = str_printf("%.30s", text);
    assert_int_equal(key_lines_add(lines, half, mk, &e), 0);
    assert_true(key_lines_is_within(lines));
    assert_int_equal(key_lines_add(lines, text, mk, &e), -1);
    assert_non_null(strstr(e.msg, "line 3"));
    assert_non_null(strstr(e.msg, "30 of 64"));
    assert_int_equal(key_lines_add(lines, half, mk, &e), 0);
    assert_int_equal(key_lines_end(lines, &e), -1);
    assert_non_null(strstr(e.msg, "line 5"));
    free(half);
    key_lines_free(lines);
    keyring_free(r);
}

static void what_is_no_recovery_text_is_told_at_once(void **state)
{
    static const char *const lines[] = {
        "hello",
        "ctkez1qqqqqq",
        "c t k e y 2",
        "ctkey1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
        "qqqqqq"
        "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq",
    };
    unsigned char mk[KEY_BYTES];
    struct ct_err e = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct key_lines *k = key_lines_new();
        assert_int_equal(key_lines_add(k, lines[i], mk, &e), -1);
        assert_int_equal(e.code, ERR_REFUSED);
        assert_false(key_lines_is_within(k));
        key_lines_free(k);
    }
}

/* ---- the account -------------------------------------------------------------------------------
 */

/* An item of the server's list, sealed with the last key of ${r} and named by its first. */
static struct json_object *item_of(const struct keyring *r, const char *session_id)
{
    struct sealed_facts f = {.gzip_bytes = 100, .generation = 1};
    struct json_object *item = json_object_new_object(), *metadata;
    char wire[UUID_SIZE];
    struct ct_err e = {0};

    snprintf(f.session_id, sizeof(f.session_id), "%s", session_id);
    f.source_machine = str_dup("m");
    f.source_cwd = str_dup("/p");
    f.source_user_dir = str_dup("/h");
    f.metadata = json_object_new_object();
    memset(f.content_id, 'a', sizeof(f.content_id) - 1);
    snprintf(f.ids_key, sizeof(f.ids_key), "%s", keyring_first(r)->id_hex);
    if (sealed_make(r, &f, &metadata, &e) != 0)
        fail_msg("%s", e.msg);
    sealed_facts_clear(&f);
    assert_int_equal(keyring_opaque_id(r, session_id, wire), 0);
    jdoc_set_str(item, "id", wire);
    json_object_object_add(item, "metadata", metadata);
    return item;
}

static void count(struct key_account *a, const struct keyring *here, const struct keyring *by)
{
    struct json_object *item = item_of(by, SESSION);

    key_account_add(a, here, item);
    json_object_put(item);
}

static void an_account_without_sealed_sessions_takes_any_key(void **state)
{
    struct keyring *r = keyring_new();
    struct json_object *plain = json_object_new_object();
    struct key_account a = {0};

    (void)state;
    key_of(r, 1);
    jdoc_set_str(plain, "id", SESSION);
    key_account_add(&a, r, plain);
    json_object_object_add(plain, "metadata", json_object_new_object());
    key_account_add(&a, r, plain);
    assert_int_equal(a.plain, 2);
    assert_int_equal(a.sealed, 0);
    assert_int_equal(key_account_judge(&a, r), KEY_FITS);
    assert_int_equal(key_account_n_missing(&a), 0);
    assert_null(key_account_first(&a));
    json_object_put(plain);
    key_account_clear(&a);
    keyring_free(r);
}

static void a_key_that_opens_nothing_there_is_foreign(void **state)
{
    struct keyring *mine = keyring_new(), *theirs = keyring_new();
    struct key_account a = {0};

    (void)state;
    key_of(mine, 1);
    key_of(theirs, 2);
    count(&a, mine, theirs);
    assert_int_equal(a.sealed, 1);
    assert_int_equal(a.opened, 0);
    assert_int_equal(key_account_judge(&a, mine), KEY_IS_FOREIGN);
    assert_int_equal(key_account_n_missing(&a), 1);
    assert_string_equal(a.newest, keyring_first(theirs)->id_hex);
    key_account_clear(&a);
    keyring_free(mine);
    keyring_free(theirs);
}

static void a_later_key_wants_the_first_one_too(void **state)
{
    struct keyring *whole = keyring_new(), *later = keyring_new();
    struct key_account a = {0};

    (void)state;
    key_of(whole, 1);
    key_of(whole, 2);
    key_of(later, 2);
    count(&a, later, whole);
    assert_int_equal(a.opened, 1);
    assert_int_equal(key_account_judge(&a, later), KEY_FIRST_IS_AWAY);
    assert_string_equal(key_account_first(&a), keyring_first(whole)->id_hex);
    assert_int_equal(key_account_n_missing(&a), 1);
    key_account_clear(&a);
    memset(&a, 0, sizeof(a));
    count(&a, whole, whole);
    assert_int_equal(key_account_judge(&a, whole), KEY_FITS);
    assert_int_equal(key_account_n_missing(&a), 0);
    key_account_clear(&a);
    keyring_free(whole);
    keyring_free(later);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_shown_in_sixteen_capital_groups_that_read_back),
        cmocka_unit_test(the_last_group_is_known_however_it_is_typed),
        cmocka_unit_test(several_texts_are_read_each_on_its_line),
        cmocka_unit_test(what_is_wrong_with_a_text_is_said_with_its_line_and_without_the_text),
        cmocka_unit_test(what_is_no_recovery_text_is_told_at_once),
        cmocka_unit_test(an_account_without_sealed_sessions_takes_any_key),
        cmocka_unit_test(a_key_that_opens_nothing_there_is_foreign),
        cmocka_unit_test(a_later_key_wants_the_first_one_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
