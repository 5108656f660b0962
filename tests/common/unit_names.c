#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/data/jdoc.h"
#include "common/data/names.h"

#define NOW 1800000000000LL

static struct json_object *doc(void)
{
    return names_merge(NULL, NULL, NOW);
}

static void is(struct json_object *got, const char *want)
{
    assert_string_equal(json_object_to_json_string_ext(got, JSON_C_TO_STRING_PLAIN), want);
}

/* The same of both, in either order, and of that with either again. */
static struct json_object *merged(struct json_object *a, struct json_object *b)
{
    struct json_object *ab = names_merge(a, b, NOW), *ba = names_merge(b, a, NOW);
    struct json_object *aba = names_merge(ab, a, NOW), *bab = names_merge(b, ab, NOW);

    is(ba, jdoc_text(ab));
    is(aba, jdoc_text(ab));
    is(bab, jdoc_text(ab));
    json_object_put(ba);
    json_object_put(aba);
    json_object_put(bab);
    return ab;
}

static void two_at_once_lose_neither_word(void **state)
{
    struct json_object *a = doc(), *b, *ab;
    struct ct_err err;

    (void)state;
    assert_int_equal(names_set_title(a, "first", "alice", NOW - 100, &err), 0);
    b = names_merge(a, NULL, NOW);
    assert_int_equal(names_set_title(a, "hers", "alice", NOW - 50, &err), 0);
    assert_int_equal(names_set_tag(a, "red", 1, "alice", NOW - 50, &err), 0);
    assert_int_equal(names_set_title(b, "his", "bob", NOW - 40, &err), 0);
    assert_int_equal(names_set_tag(b, "blue", 1, "bob", NOW - 40, &err), 0);
    ab = merged(a, b);
    assert_string_equal(names_title(ab), "his");
    assert_string_equal(jdoc_str(jdoc_obj(jdoc_obj(ab, "title"), "before"), "text"), "hers");
    assert_true(names_has_tag(ab, "red") && names_has_tag(ab, "blue"));
    json_object_put(a);
    json_object_put(b);
    json_object_put(ab);
}

static void who_knew_the_old_title_leaves_nothing_of_it(void **state)
{
    struct json_object *a = doc(), *b, *ab;
    struct ct_err err;

    (void)state;
    names_set_title(a, "old", "alice", NOW, &err);
    b = names_merge(a, NULL, NOW);
    /* A clock that goes behind is no matter. */
    names_set_title(b, "new", "bob", NOW - 5000, &err);
    names_set_tag(b, "x", 1, "bob", NOW, &err);
    ab = merged(a, b);
    assert_string_equal(names_title(ab), "new");
    assert_null(jdoc_obj(jdoc_obj(ab, "title"), "before"));
    names_set_title(ab, "", "bob", NOW, &err);
    names_set_tag(ab, "x", 0, "bob", NOW, &err);
    json_object_put(b);
    b = merged(ab, a);
    assert_null(names_title(b));
    assert_false(names_has_tag(b, "x"));
    json_object_put(a);
    json_object_put(b);
    json_object_put(ab);
}

static struct json_object *random_doc(void)
{
    static const char *const words[] = {"a", "b", "c", "d"};
    struct json_object *o = doc();
    struct ct_err err;

    for (int i = rand() % 5; i > 0; i--) {
        if (rand() % 2)
            names_set_title(o, words[rand() % 4], words[rand() % 4], NOW - rand() % 6, &err);
        else
            names_set_tag(o, words[rand() % 4], rand() % 2, words[rand() % 2], NOW - rand() % 6,
                          &err);
    }
    return o;
}

/* Whatever the order in which machines hear of each other, they come to say the same. */
static void the_order_is_no_matter(void **state)
{
    (void)state;
    srand(7);
    for (int i = 0; i < 5000; i++) {
        struct json_object *a = random_doc(), *b = random_doc(), *c = random_doc();
        struct json_object *ab = names_merge(a, b, NOW), *bc = names_merge(b, c, NOW);
        struct json_object *x = names_merge(ab, c, NOW), *y = names_merge(a, bc, NOW);
        if (names_title(x) != NULL || names_title(y) != NULL)
            assert_string_equal(names_title(x), names_title(y));
        assert_string_equal(jdoc_obj(x, "tags") ? jdoc_text(jdoc_obj(x, "tags")) : "",
                            jdoc_obj(y, "tags") ? jdoc_text(jdoc_obj(y, "tags")) : "");
        json_object_put(a);
        json_object_put(b);
        json_object_put(c);
        json_object_put(ab);
        json_object_put(bc);
        json_object_put(x);
        json_object_put(y);
    }
}

static void what_is_no_name_counts_for_nothing(void **state)
{
    static const char *const documents[] = {
        "{\"title\":7,\"tags\":[]}",
        "{\"title\":{\"text\":\"later than all\",\"at\":9000000000000000}}",
        "{\"title\":{\"text\":\"x\",\"at\":-1},\"tags\":{\"a "
        "b\":{\"at\":1},\"c\":7,\"-d\":{\"at\":1}}}",
        "{\"title\":{\"text\":\"two\\nlines\",\"at\":5},\"tags\":{\"\\u0007\":{\"at\":5},\"\":{"
        "\"at\":5}}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        struct json_object *o, *m;
        assert_int_equal(jdoc_parse(documents[i], strlen(documents[i]), &o, NULL), 0);
        m = names_merge(o, NULL, NOW);
        is(m, "{}");
        assert_null(names_title(m));
        json_object_put(m);
        json_object_put(o);
    }
}

static void there_are_limits(void **state)
{
    struct json_object *o = doc(), *m;
    char word[80];
    struct ct_err err;

    (void)state;
    memset(word, 'x', sizeof(word));
    word[NAMES_TAG + 1] = '\0';
    assert_int_equal(names_set_tag(o, word, 1, "a", NOW, &err), -1);
    assert_int_equal(names_set_tag(o, "+x", 1, "a", NOW, &err), -1);
    assert_int_equal(names_set_title(o, "a\tb", "a", NOW, &err), -1);
    assert_int_equal(names_set_title(o, "  ", "a", NOW, &err), -1);
    assert_int_equal(names_set_title(o, "a\u202Eb", "a", NOW, &err), -1);
    assert_int_equal(names_set_tag(o, "\u2066x", 1, "a", NOW, &err), -1);
    assert_int_equal(names_set_tag(o, "x\u200B", 1, "a", NOW, &err), -1);
    for (int i = 0; i < 300; i++) {
        snprintf(word, sizeof(word), "t%d", i);
        assert_int_equal(names_set_tag(o, word, 1, "a", NOW + i, &err), 0);
        assert_int_equal(names_set_tag(o, word, i % 20 == 0, "a", NOW + i, &err), 0);
    }
    m = names_merge(o, NULL, NOW);
    assert_true(json_object_object_length(jdoc_obj(m, "tags")) <= NAMES_ENTRIES);
    assert_true(names_has_tag(m, "t0"));
    for (int i = 0; i < NAMES_TAGS - 15; i++) {
        snprintf(word, sizeof(word), "u%d", i);
        assert_int_equal(names_set_tag(m, word, 1, "a", NOW, &err), 0);
    }
    assert_int_equal(names_set_tag(m, "one-more", 1, "a", NOW, &err), -1);
    json_object_put(m);
    json_object_put(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_at_once_lose_neither_word),
        cmocka_unit_test(who_knew_the_old_title_leaves_nothing_of_it),
        cmocka_unit_test(the_order_is_no_matter),
        cmocka_unit_test(what_is_no_name_counts_for_nothing),
        cmocka_unit_test(there_are_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
