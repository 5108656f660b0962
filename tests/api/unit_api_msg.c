#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "api/api.h"
#include "api/put.h"

#define SUM "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID "11111111-2222-4333-8444-555555555555"

static struct json_object *parse(const char *text)
{
    struct json_object *o;
    struct ct_err err;

    assert_int_equal(jdoc_parse(text, strlen(text), &o, &err), 0);
    return o;
}

static const char *const good_request =
    "{\"sessionId\":\"" ID "\",\"sourceMachine\":\"host\",\"sourceCwd\":\"/home/al/p\","
    "\"sourceUserDir\":\"/home/al\",\"sizeBytes\":5,\"checksum\":\"" SUM "\","
    "\"metadata\":{\"messageCount\":2},\"tags\":[\"x\",\"y\"],\"label\":\"l\","
    "\"md5\":\"1B2M2Y8AsgTpgAmY7PhCfg==\",\"amend\":3,\"pin\":2,\"baseVersion\":0,\"revive\":true}";

static void an_upload_request_survives_the_wire(void **state)
{
    struct json_object *o = parse(good_request), *again;
    struct api_upload_req r;
    struct ct_err err;

    (void)state;
    assert_int_equal(api_upload_req_parse(o, &r, &err), 0);
    assert_string_equal(r.session_id, ID);
    assert_int_equal(r.size_bytes, 5);
    assert_string_equal(r.checksum, SUM);
    assert_int_equal(r.amend, 3);
    assert_int_equal(r.pin, 2);
    assert_int_equal(r.base_version, 0);
    assert_true(r.revive);
    again = api_upload_req_json(&r);
    assert_true(json_object_equal(o, again));
    json_object_put(again);
    json_object_put(o);
    api_upload_req_clear(&r);
    assert_null(r.session_id);
}

static void a_stock_request_has_none_of_our_fields(void **state)
{
    struct json_object *o =
        parse("{\"sessionId\":\"" ID "\",\"sourceMachine\":null,\"sourceCwd\":\"/\","
              "\"sourceUserDir\":\"/\",\"sizeBytes\":1,\"checksum\":\"" SUM "\"}");
    struct json_object *again;
    struct api_upload_req r;
    struct ct_err err;

    (void)state;
    assert_int_equal(api_upload_req_parse(o, &r, &err), 0);
    assert_null(r.md5);
    assert_null(r.metadata);
    assert_int_equal(r.base_version, -1);
    assert_int_equal(r.amend, 0);
    again = api_upload_req_json(&r);
    assert_true(json_object_equal(o, again));
    json_object_put(again);
    json_object_put(o);
    api_upload_req_clear(&r);
}

/* ${key} of the good request with another value: refused, and the sentence names it. */
static void refuses(const char *key, const char *value)
{
    struct json_object *o = parse(good_request), *v = NULL;
    struct api_upload_req r;
    struct ct_err err = {0};
    char *text = str_printf("[%s]", value);

    assert_int_equal(jdoc_parse(text, strlen(text), &v, &err), 0);
    json_object_object_add(o, key, json_object_get(json_object_array_get_idx(v, 0)));
    if (api_upload_req_parse(o, &r, &err) == 0)
        fail_msg("%s = %.60s was taken", key, value);
    assert_int_equal(err.code, ERR_REFUSED);
    if (strcmp(key, "tags") != 0)
        assert_non_null(strstr(err.msg, key));
    json_object_put(v);
    json_object_put(o);
    free(text);
}

static void hostile_ids_are_refused(void **state)
{
    static const char *const ids[] = {
        "null",          "7",           "{}",        "\"\"",         "\"..\"",    "\"a/b\"",
        "\"a\\u0000b\"", "\"../../x\"", "\".x\"",    "\"-rf\"",      "\"a b\"",   "\"a%2e\"",
        "\"a..b\"",      "\"a\\\\b\"",  "\"a\\nb\"", "\"\xC3\xBC\"", "\"a';--\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        refuses("sessionId", ids[i]);
    assert_true(api_session_id_is_valid(ID));
    assert_true(api_session_id_is_valid("rollout-2026.11_x"));
}

static void hostile_numbers_are_refused(void **state)
{
    static const char *const numbers[] = {"null", "\"5\"", "1.5", "-1", "[]", "true"};
    static const char *const keys[] = {"amend", "pin"};

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        refuses("sizeBytes", numbers[i]);
    refuses("sizeBytes", "0");
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 1; i < sizeof(numbers) / sizeof(numbers[0]); i++)
            refuses(keys[k], numbers[i]);
        refuses(keys[k], "0");
        refuses(keys[k], "9223372036854775807");
    }
    refuses("baseVersion", "-1");
    refuses("revive", "1");
    refuses("revive", "\"true\"");
}

static void hostile_texts_are_refused(void **state)
{
    static const char *const not_texts[] = {"7", "[]", "{}", "true", "\"a\\u0000b\""};
    static const char *const keys[] = {"sourceMachine", "sourceCwd", "sourceUserDir", "label"};
    char *big = str_calloc(1, 70000);

    (void)state;
    for (size_t k = 0; k < 4; k++) {
        for (size_t i = 0; i < sizeof(not_texts) / sizeof(not_texts[0]); i++)
            refuses(keys[k], not_texts[i]);
    }
    memset(big, 'x', 69999);
    big[0] = big[69998] = '"';
    for (size_t k = 0; k < 4; k++)
        refuses(keys[k], big);
    free(big);
    refuses("sourceCwd", "null");
    refuses("metadata", "[]");
    refuses("metadata", "\"x\"");
}

static void hostile_sums_are_refused(void **state)
{
    static const char *const sums[] = {
        "\"\"",
        "\"sha256:\"",
        "\"sha256:0123\"",
        "null",
        "7",
        "\"SHA256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"",
        "\"sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\"",
        "\"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0\"",
        "\"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde/\"",
    };
    static const char *const md5s[] = {
        "\"\"",
        "7",
        "\"1B2M2Y8AsgTpgAmY7PhCfg\"",
        "\"1B2M2Y8AsgTpgAmY7PhCfh==\"",
        "\"1B2M2Y8AsgTpgAmY7PhC\\r\\nX: y\"",
        "\"MUIyTTJZOEFzZ1RwZ0FtWTdQaENmZw==\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
        refuses("checksum", sums[i]);
    for (size_t i = 0; i < sizeof(md5s) / sizeof(md5s[0]); i++)
        refuses("md5", md5s[i]);
}

static void hostile_tags_are_refused(void **state)
{
    struct json_object *many = json_object_new_array();

    (void)state;
    refuses("tags", "{}");
    refuses("tags", "\"x\"");
    refuses("tags", "[1]");
    refuses("tags", "[null]");
    refuses("tags", "[\"a\\u0000\"]");
    for (int i = 0; i < 51; i++)
        json_object_array_add(many, json_object_new_string("t"));
    refuses("tags", jdoc_text(many));
    json_object_put(many);
}

static void what_is_no_object_is_refused(void **state)
{
    struct json_object *list = json_object_new_array();
    struct api_upload_req r;
    struct api_upload_res a;
    struct api_download_res d;
    struct api_confirm_req c;
    struct ct_err err;

    (void)state;
    assert_int_equal(api_upload_req_parse(NULL, &r, &err), -1);
    assert_int_equal(api_upload_req_parse(list, &r, &err), -1);
    assert_int_equal(api_upload_res_parse(list, &a, &err), -1);
    assert_int_equal(api_download_res_parse(NULL, &d, &err), -1);
    assert_int_equal(api_confirm_req_parse(list, &c, &err), -1);
    json_object_put(list);
}

static int res_code(const char *text)
{
    struct json_object *o = parse(text);
    struct api_upload_res r;
    struct ct_err err = {0};
    int rc = api_upload_res_parse(o, &r, &err);

    json_object_put(o);
    if (rc != 0)
        return (int)err.code;
    api_upload_res_clear(&r);
    return 0;
}

static void an_upload_answer_is_read_whoever_made_it(void **state)
{
    struct json_object *o = parse("{\"uploadUrl\":\"https://s/k?x=1\",\"sessionRecordId\":\"r\","
                                  "\"version\":4,\"uploadHeaders\":{\"Content-MD5\":\"x\"}}");
    struct json_object *again;
    struct api_upload_res r;
    struct ct_err err;

    (void)state;
    assert_int_equal(api_upload_res_parse(o, &r, &err), 0);
    assert_int_equal(r.version, 4);
    again = api_upload_res_json(&r);
    assert_true(json_object_equal(o, again));
    json_object_put(again);
    json_object_put(o);
    api_upload_res_clear(&r);
    assert_int_equal(res_code("{\"uploadUrl\":\"https://s/k\",\"version\":1,\"new\":[1]}"), 0);
}

static void hostile_upload_answers_are_refused(void **state)
{
    static const char *const texts[] = {
        "{}",
        "{\"uploadUrl\":\"https://s/k\"}",
        "{\"uploadUrl\":\"file:///etc/passwd\",\"version\":1}",
        "{\"uploadUrl\":\"https://s/k\\r\\nX: y\",\"version\":1}",
        "{\"uploadUrl\":\"https://s/ k\",\"version\":1}",
        "{\"uploadUrl\":\"https://s/k\",\"version\":0}",
        "{\"uploadUrl\":\"https://s/k\",\"version\":\"1\"}",
        "{\"uploadUrl\":\"https://s/k\",\"version\":1,\"uploadHeaders\":[]}",
        "{\"uploadUrl\":\"https://s/k\",\"version\":1,\"uploadHeaders\":{\"a\":1}}",
        "{\"uploadUrl\":\"https://s/k\",\"version\":1,\"uploadHeaders\":{\"a b\":\"c\"}}",
        "{\"uploadUrl\":\"https://s/k\",\"version\":1,\"uploadHeaders\":{\"a:\":\"c\"}}",
        "{\"uploadUrl\":\"https://s/k\",\"version\":1,\"uploadHeaders\":{\"a\":\"c\\nd: e\"}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(res_code(texts[i]), ERR_REFUSED);
}

static void a_server_names_no_header_but_those_that_bind_the_body(void **state)
{
    struct json_object *o =
        parse("{\"uploadUrl\":\"https://s/"
              "k\",\"version\":4,\"uploadHeaders\":{\"Authorization\":\"Bearer x\","
              "\"Content-MD5\":\"m\",\"If-None-Match\":\"*\",\"Content-Type\":\"text/"
              "html\",\"Cookie\":\"c\","
              "\"x-amz-checksum-sha256\":\"s\",\"Transfer-Encoding\":\"chunked\"}}");
    struct api_upload_res r;
    struct api_put p;
    struct ct_err err;

    (void)state;
    assert_int_equal(api_upload_res_parse(o, &r, &err), 0);
    api_put_begin("https://api", &r, &p);
    assert_int_equal(p.headers.n, 4);
    assert_string_equal(p.headers.v[0], "Content-Type: application/gzip");
    assert_string_equal(p.headers.v[1], "Content-MD5: m");
    assert_string_equal(p.headers.v[2], "x-amz-checksum-sha256: s");
    assert_string_equal(p.headers.v[3], "If-None-Match: *");
    api_put_end(&p);
    api_upload_res_clear(&r);
    json_object_put(o);
}

static void a_confirm_names_both_or_nothing(void **state)
{
    struct api_confirm_req r;
    struct ct_err err;
    struct json_object *o;

    (void)state;
    assert_int_equal(api_confirm_req_parse(NULL, &r, &err), 0);
    assert_int_equal(r.version, 0);
    o = parse("{}");
    assert_int_equal(api_confirm_req_parse(o, &r, &err), 0);
    json_object_put(o);
    o = parse("{\"version\":3,\"checksum\":\"" SUM "\"}");
    assert_int_equal(api_confirm_req_parse(o, &r, &err), 0);
    assert_int_equal(r.version, 3);
    json_object_put(o);
    o = parse("{\"version\":3}");
    assert_int_equal(api_confirm_req_parse(o, &r, &err), -1);
    json_object_put(o);
    o = parse("{\"checksum\":\"" SUM "\"}");
    assert_int_equal(api_confirm_req_parse(o, &r, &err), -1);
    json_object_put(o);
    o = parse("{\"version\":0,\"checksum\":\"" SUM "\"}");
    assert_int_equal(api_confirm_req_parse(o, &r, &err), -1);
    json_object_put(o);
}

static void a_download_answer_is_read_whoever_made_it(void **state)
{
    struct json_object *o =
        parse("{\"downloadUrl\":\"https://s/k\",\"version\":2,\"session\":{\"id\":\"" ID "\","
              "\"sourceCwd\":\"/p\",\"sourceUserDir\":\"/\",\"sourceMachine\":null,"
              "\"metadata\":null}}");
    struct json_object *again;
    struct api_download_res r;
    struct ct_err err;

    (void)state;
    assert_int_equal(api_download_res_parse(o, &r, &err), 0);
    assert_int_equal(r.size_bytes, -1);
    assert_string_equal(r.checksum, "");
    again = api_download_res_json(&r);
    assert_true(json_object_equal(o, again));
    json_object_put(again);
    json_object_put(o);
    api_download_res_clear(&r);
}

static void a_download_answer_can_not_name_a_path_as_session(void **state)
{
    static const char *const ids[] = {"../x", "/etc/passwd", "", "a/b"};

    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        char *text = str_printf("{\"downloadUrl\":\"https://s/k\",\"version\":2,"
                                "\"session\":{\"id\":\"%s\"}}",
                                ids[i]);
        struct json_object *o = parse(text);
        struct api_download_res r;
        struct ct_err err;
        assert_int_equal(api_download_res_parse(o, &r, &err), -1);
        assert_int_equal(err.code, ERR_REFUSED);
        json_object_put(o);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_upload_request_survives_the_wire),
        cmocka_unit_test(a_stock_request_has_none_of_our_fields),
        cmocka_unit_test(hostile_ids_are_refused),
        cmocka_unit_test(hostile_numbers_are_refused),
        cmocka_unit_test(hostile_texts_are_refused),
        cmocka_unit_test(hostile_sums_are_refused),
        cmocka_unit_test(hostile_tags_are_refused),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(an_upload_answer_is_read_whoever_made_it),
        cmocka_unit_test(hostile_upload_answers_are_refused),
        cmocka_unit_test(a_server_names_no_header_but_those_that_bind_the_body),
        cmocka_unit_test(a_confirm_names_both_or_nothing),
        cmocka_unit_test(a_download_answer_is_read_whoever_made_it),
        cmocka_unit_test(a_download_answer_can_not_name_a_path_as_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
