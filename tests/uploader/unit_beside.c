#include <string.h>

#include "common/data/jdoc.h"
#include "uploader/beside.h"

#include "tests/unit.h"

/* What a bundle is said to contain, and whether it is known what it goes on from. */

#define SUM "00000000000000000000000000000000000000000000000000000000000000aa"
#define OLD API_HAS_HEADS
#define NOW (API_HAS_HEADS | API_HAS_BASE_CHECKSUMS)
#define EXACT(n) "{\"version\":" #n ",\"checksum\":\"sha256:" SUM "\"}"

static const struct {
    const char *what;
    unsigned features;
    int64_t base, before, own, merged,
        also; /* numbers, 0: none; below 0: the digest is not known */
    int goes_on;
    const char *bases; /* NULL: none are told */
} rows[] = {
    {"nothing is known", NOW, 0, 0, 0, 0, 0, 0, "[]"},
    {"... a stock server", 0, 0, 0, 0, 0, 0, 0, NULL},
    {"a version with its digest", NOW, 3, 0, 0, 0, 0, 1, "[" EXACT(3) "]"},
    {"... an older server of ours", OLD, 3, 0, 0, 0, 0, 1, "[3]"},
    {"a number alone may be another's by now", NOW, -3, 0, 0, 0, 0, 0, "[]"},
    {"... an older server of ours", OLD, -3, 0, 0, 0, 0, 1, "[3]"},
    {"... so may what stands beside it", NOW, 3, -4, -5, -6, 0, 1, "[" EXACT(3) "]"},
    {"all of them", NOW, 3, 4, 5, 6, 7, 1,
     "[" EXACT(3) "," EXACT(4) "," EXACT(5) "," EXACT(6) "," EXACT(7) "]"},
    {"... an older server is not told what a look found", OLD, 3, 4, 5, 6, 7, 1, "[3,4,5,6]"},
};

static const char *sum_of(int64_t version)
{
    return version > 0 ? SUM : "";
}

static struct json_object *list_of(int64_t version, int is_exact)
{
    struct json_object *list, *o;

    if (version == 0)
        return NULL;
    list = json_object_new_array();
    if (is_exact) {
        o = api_base_json(version, sum_of(version), 1);
    } else {
        o = json_object_new_object();
        jdoc_set_int(o, "version", version < 0 ? -version : version);
        jdoc_set_str(o, "sha256", sum_of(version));
    }
    json_object_array_add(list, o);
    return list;
}

static void set(int64_t *version, char *sha256, int64_t what)
{
    *version = what < 0 ? -what : what;
    strcpy(sha256, sum_of(what));
}

static void what_is_certain_to_be_in_it_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct queue_item q = {0};
        struct json_object *bases;

        set(&q.base_version, q.base_sha256, rows[i].base);
        set(&q.before_version, q.before_sha256, rows[i].before);
        set(&q.facts.own_version, q.facts.own_sha256, rows[i].own);
        q.merged = list_of(rows[i].merged, 0);
        q.facts.also = list_of(rows[i].also, 1);
        bases = beside_bases(&q, rows[i].features);
        if (rows[i].bases == NULL)
            assert_null(bases);
        else if (strcmp(jdoc_text(bases), rows[i].bases) != 0)
            fail_msg("%s: %s", rows[i].what, jdoc_text(bases));
        if (beside_goes_on(&q, rows[i].features) != rows[i].goes_on)
            fail_msg("%s: goes on", rows[i].what);
        json_object_put(bases);
        json_object_put(q.merged);
        json_object_put(q.facts.also);
    }
}

/* ---- how a version of this device stands, by an item of the list --------------------------------
 */

#define ROW(n, digit) "\"version\":" #n ",\"checksum\":\"sha256:" DIGITS digit "\",\"isHead\":true"
#define DIGITS "000000000000000000000000000000000000000000000000000000000000000"
#define ITEM(current, heads) "{" current heads "}"
#define HEADS(rows) ",\"heads\":[" rows "]"

static const struct {
    const char *what;
    const char *item;
    int64_t version;
    const char *sha256;
    enum beside_standing standing;
} standings[] = {
    {"it is current", ITEM(ROW(3, "a"), HEADS("")), 3, DIGITS "a", BESIDE_STANDS},
    {"... of old books", ITEM(ROW(3, "a"), HEADS("")), 3, "", BESIDE_STANDS},
    {"... with a stock server", ITEM(ROW(3, "a"), ""), 3, DIGITS "a", BESIDE_STANDS},
    {"its number was given anew", ITEM(ROW(3, "b"), HEADS("")), 3, DIGITS "a", BESIDE_GONE},
    {"a head beside it", ITEM(ROW(5, "b"), HEADS("{" ROW(3, "a") "}")), 3, DIGITS "a",
     BESIDE_STANDS},
    {"... above the current one", ITEM(ROW(2, "b"), HEADS("{" ROW(3, "a") "}")), 3, DIGITS "a",
     BESIDE_STANDS},
    {"a head whose number was given anew", ITEM(ROW(5, "b"), HEADS("{" ROW(3, "c") "}")), 3,
     DIGITS "a", BESIDE_GONE},
    {"only less is there", ITEM(ROW(2, "b"), HEADS("{" ROW(1, "c") "}")), 3, DIGITS "a",
     BESIDE_GONE},
    {"... with a stock server", ITEM(ROW(2, "b"), ""), 3, DIGITS "a", BESIDE_GONE},
    {"something newer is there", ITEM(ROW(5, "b"), HEADS("")), 3, DIGITS "a", BESIDE_COVERED},
    {"... with a stock server", ITEM(ROW(5, "b"), ""), 3, DIGITS "a", BESIDE_UNTOLD},
    {"what is no item", "{}", 3, DIGITS "a", BESIDE_UNTOLD},
};

static struct json_object *parse(const char *text)
{
    struct json_object *o = NULL;

    assert_int_equal(jdoc_parse(text, strlen(text), &o, NULL), 0);
    return o;
}

static void what_is_safe_has_to_stand_or_to_be_covered(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(standings) / sizeof(standings[0]); i++) {
        struct json_object *item = parse(standings[i].item);
        if (beside_standing(item, standings[i].version, standings[i].sha256) !=
            standings[i].standing)
            fail_msg("%s", standings[i].what);
        json_object_put(item);
    }
}

static void a_list_has_a_version_by_its_digest(void **state)
{
    struct json_object *o = parse("{\"versions\":[{" ROW(5, "b") "},{" ROW(3, "a") "}]}");

    (void)state;
    assert_true(beside_lists(o, 3, DIGITS "a"));
    assert_true(beside_lists(o, 3, ""));
    assert_false(beside_lists(o, 3, DIGITS "b"));
    assert_false(beside_lists(o, 4, ""));
    assert_false(beside_lists(NULL, 3, DIGITS "a"));
    json_object_put(o);
}

static void a_mark_changes_with_whatever_stands(void **state)
{
    static const char *const items[] = {
        ITEM(ROW(5, "b"), HEADS("")),
        ITEM(ROW(5, "c"), HEADS("")),
        ITEM(ROW(6, "b"), HEADS("")),
        ITEM(ROW(5, "b"), HEADS("{" ROW(4, "d") "}")),
    };
    char marks[sizeof(items) / sizeof(items[0]) + 1][HASH_SHA256_HEX];
    const size_t n = sizeof(items) / sizeof(items[0]);

    (void)state;
    for (size_t i = 0; i <= n; i++) {
        struct json_object *o = parse(items[i % n]);
        beside_mark(o, i < n ? 3 : 2, DIGITS "a", marks[i]);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(marks[k], marks[i]);
        json_object_put(o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_certain_to_be_in_it_is_named),
        cmocka_unit_test(what_is_safe_has_to_stand_or_to_be_covered),
        cmocka_unit_test(a_list_has_a_version_by_its_digest),
        cmocka_unit_test(a_mark_changes_with_whatever_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
