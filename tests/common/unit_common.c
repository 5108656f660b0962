#include "tests/unit.h"

#include "common/config/conf.h"
#include "common/config/config.h"
#include "common/config/cred.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/map.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/base/strlist.h"
#include "common/base/uuid.h"

static void utf8_takes_well_formed_sequences_only(void **state)
{
    (void)state;
    assert_true(str_is_utf8("h\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 10));
    assert_false(str_is_utf8("\xC0\x80", 2));         /* overlong */
    assert_false(str_is_utf8("\xED\xA0\x80", 3));     /* a surrogate */
    assert_false(str_is_utf8("\xF4\x90\x80\x80", 4)); /* beyond U+10FFFF */
    assert_false(str_is_utf8("\xE2\x82", 2));         /* cut */
}

static void escaped_text_moves_no_cursor(void **state)
{
    char buf[64];

    (void)state;
    str_escape("a\n\x1b[31m\"\\\xFFz", 11, buf, sizeof(buf));
    assert_string_equal(buf, "a\\n\\x1b[31m\\\"\\\\\\xffz");
    str_escape("\xE2\x80\xAE", 3, buf, sizeof(buf)); /* right-to-left override */
    assert_string_equal(buf, "\\u202e");
    str_escape("0123456789", 10, buf, 8);
    assert_string_equal(buf, "0123...");
    log_quote("0123456789", buf, 10);
    assert_int_equal(strlen(buf), 9);
    assert_int_equal(buf[8], '"');
}

static void a_wrong_word_gets_the_one_that_it_resembles(void **state)
{
    static const char *const words[] = {"quiet", "rescan", "distance"};

    (void)state;
    assert_string_equal(str_resembles("quite", words, 3), "quiet");
    assert_string_equal(str_resembles("rescn", words, 3), "rescan");
    assert_null(str_resembles("zebra", words, 3));
}

static void bytes_are_written_for_people(void **state)
{
    char buf[32];

    (void)state;
    assert_string_equal(str_human_bytes(0, buf, sizeof(buf)), "0 B");
    assert_string_equal(str_human_bytes(999, buf, sizeof(buf)), "999 B");
    assert_string_equal(str_human_bytes(1400000, buf, sizeof(buf)), "1.4 MB");
    assert_string_equal(str_human_bytes(999999, buf, sizeof(buf)), "1.0 MB");
    assert_string_equal(str_human_bytes(UINT64_MAX, buf, sizeof(buf)), "18.4 EB");
}

static void times_survive_the_way_to_text_and_back(void **state)
{
    static const int64_t times[] = {0, 1795464011487, 951782400000, 4102444799999, -1000};
    char buf[32];
    int64_t back;

    (void)state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        assert_int_equal(now_parse_rfc3339(now_rfc3339(times[i], buf), &back), 0);
        assert_int_equal(back, times[i]);
    }
    assert_int_equal(now_parse_rfc3339("2026-11-23T21:00:46.5+01:00", &back), 0);
    assert_string_equal(now_rfc3339(back, buf), "2026-11-23T20:00:46.500Z");
    assert_int_equal(now_parse_rfc3339("2026-11-23", &back), -1);
    assert_int_equal(now_parse_rfc3339("2026-13-23T00:00:00Z", &back), -1);
    assert_int_equal(now_parse_rfc3339("2026-11-23T00:00:00.Z", &back), -1);
    assert_int_equal(now_parse_rfc3339("2026-11-23T00:00:00Zx", &back), -1);
}

static void only_lower_case_uuids_are_session_ids(void **state)
{
    char id[UUID_SIZE];

    (void)state;
    assert_true(uuid_is_valid("be457695-37fc-41a9-a90d-363a62823032"));
    assert_false(uuid_is_valid("BE457695-37fc-41a9-a90d-363a62823032"));
    assert_false(uuid_is_valid("be457695-37fc-41a9-a90d-363a6282303"));
    assert_false(uuid_is_valid("be457695-37fc-41a9-a90d-363a62823032x"));
    assert_false(uuid_is_valid("../45769-37fc-41a9-a90d-363a62823032"));
    uuid_random(id);
    assert_true(uuid_is_valid(id));
    assert_int_equal(id[14], '4');
}

static int parses(const char *s)
{
    struct json_object *o = NULL;
    int rc = jdoc_parse(s, strlen(s), &o, NULL);

    if (rc == 0)
        json_object_put(o);
    return rc == 0;
}

static void json_is_strict_and_bounded(void **state)
{
    char deep[200];

    (void)state;
    assert_true(parses("{\"a\":[1,2,{\"b\":null}]} \n"));
    assert_true(parses("12"));
    assert_false(parses(""));
    assert_false(parses("{\"a\":1}{"));
    assert_false(parses("{\"a\":1} // x"));
    assert_false(parses("{\"a\":1,}"));
    assert_false(parses("{\"a\":"));
    assert_false(parses("{\"a\":\"\xFF\"}"));
    /* What json-c's strict mode lets pass. */
    assert_false(parses("{'a':1}"));
    assert_false(parses("{\"a\":'b'}"));
    assert_false(parses("{\"a\":\"b\nc\"}"));
    assert_false(parses("{\"a\":NaN}"));
    assert_false(parses("{\"a\":-Infinity}"));
    assert_false(parses("{\"a\":01}"));
    assert_false(parses("{\"a\":1.}"));
    assert_false(parses("{\"a\":TRUE}"));
    assert_false(parses("{\"a\":1 /* x */}"));
    assert_false(parses("1,\"a\":2"));
    assert_false(parses("1}"));
    assert_true(parses("\"\\ud83d\\ude00\""));
    assert_true(parses("null"));
    memset(deep, '[', 99);
    memset(deep + 99, ']', 99);
    deep[198] = '\0';
    assert_false(parses(deep));
}

static void a_member_of_another_type_counts_as_absent(void **state)
{
    struct json_object *o = NULL;
    const char *text = "{\"s\":\"x\",\"n\":7,\"z\":\"a\\u0000b\",\"e\":null}";

    (void)state;
    assert_int_equal(jdoc_parse(text, strlen(text), &o, NULL), 0);
    assert_string_equal(jdoc_str(o, "s"), "x");
    assert_null(jdoc_str(o, "n"));
    assert_null(jdoc_str(o, "z"));
    assert_int_equal(jdoc_int(o, "s", -1), -1);
    assert_int_equal(jdoc_int(o, "n", -1), 7);
    assert_false(jdoc_has(o, "e"));
    assert_null(jdoc_str(NULL, "s"));
    json_object_put(o);
}

static void text_that_is_not_utf8_becomes_valid_json(void **state)
{
    struct json_object *o = json_object_new_object();

    (void)state;
    jdoc_set_str(o, "a", "x\xFFy");
    assert_string_equal(jdoc_text(o), "{\"a\":\"x\xEF\xBF\xBDy\"}");
    json_object_put(o);
}

static void digests_are_the_published_ones(void **state)
{
    unsigned char mac[32];
    char hex[65];
    struct buf b = {0};
    char *s;

    (void)state;
    hash_sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    /* RFC 4231, test case 2 */
    hash_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac);
    hash_hex(mac, 32, hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    /* RFC 4648, section 10 */
    s = hash_base64("foob", 4);
    assert_string_equal(s, "Zm9vYg==");
    free(s);
    s = hash_base64url("\xFB\xEF\xFF", 3);
    assert_string_equal(s, "--__");
    assert_int_equal(hash_unbase64(s, 4, &b), 0);
    assert_memory_equal(b.data, "\xFB\xEF\xFF", 3);
    free(s);
    assert_int_equal(hash_unbase64("a", 1, &b), -1);
    assert_int_equal(hash_unbase64("ab!d", 4, &b), -1);
    buf_free(&b);
}

static int sum(void *arg, const char *key, void *value)
{
    *(int *)arg += *(int *)value;
    (void)key;
    return 0;
}

static void a_map_finds_what_was_put_there(void **state)
{
    struct map *m = map_new();
    int values[1000], total = 0;
    char key[16];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        values[i] = i;
        snprintf(key, sizeof(key), "k%d", i);
        map_put(m, key, &values[i]);
    }
    assert_int_equal(map_size(m), 1000);
    assert_ptr_equal(map_get(m, "k77"), &values[77]);
    assert_ptr_equal(map_remove(m, "k77"), &values[77]);
    assert_null(map_get(m, "k77"));
    assert_null(map_remove(m, "k77"));
    map_each(m, sum, &total);
    assert_int_equal(total, 999 * 1000 / 2 - 77);
    map_free(m);
}

static void a_sorted_list_has_no_doubles(void **state)
{
    struct strlist l = {0};

    (void)state;
    strlist_add(&l, "b");
    strlist_add(&l, "a");
    strlist_add(&l, "b");
    strlist_sort(&l);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.v[0], "a");
    assert_true(strlist_has(&l, "b"));
    strlist_free(&l);
}

static void a_replaced_file_is_whole_and_private(void **state)
{
    char *path = path_join(*state, "f");
    struct buf b = {0};
    struct stat st;

    assert_int_equal(file_replace(path, "one", 3, 0600, NULL), 0);
    assert_int_equal(file_replace(path, "three", 5, 0600, NULL), 0);
    assert_int_equal(file_read(path, 100, &b, NULL), 0);
    assert_string_equal(b.data, "three");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(file_read(path, 4, &b, NULL), -1);
    buf_free(&b);
    free(path);
}

static void paths_lie_below_each_other_by_component(void **state)
{
    (void)state;
    assert_true(path_is_below("/home/al/x", "/home/al"));
    assert_true(path_is_below("/home/al", "/home/al/"));
    assert_false(path_is_below("/home/alice", "/home/al"));
    assert_true(path_is_below("/x", "/"));
}

static void load_with(const char *dir, const char *text, struct ct_err *err, int want)
{
    char *path = unit_write(dir, "c.conf", text, 0600);
    struct config *c = NULL;

    memset(err, 0, sizeof(*err));
    assert_int_equal(config_load(path, &c, err), want);
    config_free(c);
    free(path);
}

static void configuration_faults_name_line_and_cure(void **state)
{
    struct ct_err err;

    load_with(*state, "quiet = 2.5;\nroots = [ \"~/a\", \"/b\" ];\nspool_limit = \"2 GiB\";\n",
              &err, 0);
    load_with(*state, "quiet = 1;\nquite = 2;\n", &err, -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.msg, "c.conf:2: unknown key 'quite'; did you mean 'quiet'?"));
    load_with(*state, "quiet = \"x\";\nlog = \"loud\";\nconcurrency = 99;\n", &err, -1);
    assert_non_null(strstr(err.msg, ":1: 'quiet' must be a number of seconds"));
    assert_non_null(strstr(err.msg, ":2: 'log' must be one of \"error\""));
    assert_non_null(strstr(err.msg, ":3: 'concurrency' must be from 1 to 16"));
    load_with(*state, "quiet = ;\n", &err, -1);
    assert_non_null(strstr(err.msg, "c.conf:1: syntax error"));
    load_with(*state, "roots = [ \"/a\", \"/a/b\" ];", &err, -1);
    assert_non_null(strstr(err.msg, "overlap"));
    load_with(*state, "roots = [ \"/a\" ]; state_dir = \"/a/state\";", &err, -1);
    assert_non_null(strstr(err.msg, "state_dir"));
}

static void a_missing_configuration_that_was_named_is_an_error(void **state)
{
    char *path = path_join(*state, "none.conf");
    struct config *c = NULL;
    struct ct_err err;

    assert_int_equal(config_load(path, &c, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    setenv("CODETELEPORT_CONFIG_FILE", path, 1);
    assert_int_equal(config_load(NULL, &c, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    unsetenv("CODETELEPORT_CONFIG_FILE");
    free(path);
}

static void the_environment_says_where_the_configuration_is(void **state)
{
    char *said = unit_write(*state, "said.conf", "state_dir = \"/said\";\n", 0600);
    char *given = unit_write(*state, "given.conf", "state_dir = \"/given\";\n", 0600);
    struct config *c;

    setenv("CODETELEPORT_CONFIG_FILE", said, 1);
    assert_int_equal(config_load(NULL, &c, NULL), 0);
    assert_string_equal(c->state_dir, "/said");
    config_free(c);
    assert_int_equal(config_load(given, &c, NULL), 0);
    assert_string_equal(c->state_dir, "/given");
    config_free(c);
    unsetenv("CODETELEPORT_CONFIG_FILE");
    free(given);
    free(said);
}

static void credentials_keep_what_we_do_not_know(void **state)
{
    struct cred c = {.token = "ctk_live_x",
                     .api_url = "https://h/v1",
                     .device_name = "desk",
                     .email = "a@example.org"},
                *got;
    char *path =
        unit_write(*state, "config.json", "{\"agent\":\"claude-code\",\"token\":\"old\"}", 0600);
    struct buf b = {0};

    assert_int_equal(cred_save(path, &c, NULL), 0);
    assert_int_equal(file_read(path, 4096, &b, NULL), 0);
    assert_non_null(strstr(b.data, "claude-code"));
    assert_int_equal(cred_load(path, &got, NULL), 0);
    assert_string_equal(got->token, "ctk_live_x");
    assert_string_equal(got->device_name, "desk");
    cred_free(got);
    assert_int_equal(cred_forget(path, NULL), 0);
    buf_reset(&b);
    assert_int_equal(file_read(path, 4096, &b, NULL), 0);
    assert_null(strstr(b.data, "ctk_live_x"));
    assert_non_null(strstr(b.data, "claude-code"));
    /* What the next log-in begins with, and nothing that opens anything. */
    assert_int_equal(cred_recall(path, &got, NULL), 0);
    assert_null(got->token);
    assert_string_equal(got->api_url, "https://h/v1");
    assert_string_equal(got->email, "a@example.org");
    cred_free(got);
    buf_free(&b);
    free(path);
}

static void credentials_that_are_no_good_say_what_to_do(void **state)
{
    struct cred *c = NULL;
    struct ct_err err;
    char *path = path_join(*state, "none.json");

    assert_int_equal(cred_load(path, &c, &err), -1);
    assert_int_equal(err.code, ERR_AUTH);
    free(path);
    path = unit_write(*state, "loose.json", "{\"token\":\"t\"}", 0644);
    assert_int_equal(cred_load(path, &c, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.msg, "chmod 600"));
    free(path);
    path = unit_write(*state, "bad.json", "{\"token\":", 0600);
    assert_int_equal(cred_load(path, &c, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    free(path);
    path = unit_write(*state, "split.json", "{\"token\":\"secret\\r\\nX: y\"}", 0600);
    assert_int_equal(cred_load(path, &c, &err), -1);
    assert_null(strstr(err.msg, "secret"));
    free(path);
}

static void an_api_url_ends_in_v1(void **state)
{
    char *u;

    (void)state;
    u = cred_normal_url("https://h");
    assert_string_equal(u, "https://h/v1");
    free(u);
    u = cred_normal_url("https://h/v1//");
    assert_string_equal(u, "https://h/v1");
    free(u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_takes_well_formed_sequences_only),
        cmocka_unit_test(escaped_text_moves_no_cursor),
        cmocka_unit_test(a_wrong_word_gets_the_one_that_it_resembles),
        cmocka_unit_test(bytes_are_written_for_people),
        cmocka_unit_test(times_survive_the_way_to_text_and_back),
        cmocka_unit_test(only_lower_case_uuids_are_session_ids),
        cmocka_unit_test(json_is_strict_and_bounded),
        cmocka_unit_test(a_member_of_another_type_counts_as_absent),
        cmocka_unit_test(text_that_is_not_utf8_becomes_valid_json),
        cmocka_unit_test(digests_are_the_published_ones),
        cmocka_unit_test(a_map_finds_what_was_put_there),
        cmocka_unit_test(a_sorted_list_has_no_doubles),
        UNIT(a_replaced_file_is_whole_and_private),
        cmocka_unit_test(paths_lie_below_each_other_by_component),
        UNIT(configuration_faults_name_line_and_cure),
        UNIT(a_missing_configuration_that_was_named_is_an_error),
        UNIT(the_environment_says_where_the_configuration_is),
        UNIT(credentials_keep_what_we_do_not_know),
        UNIT(credentials_that_are_no_good_say_what_to_do),
        cmocka_unit_test(an_api_url_ends_in_v1),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
