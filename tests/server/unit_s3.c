#include "tests/unit.h"

#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "server/store/s3.h"
#include "server/store/s3_xml.h"

/* What the S3 driver does by itself; tests/s3_*.bats have it talk to real ones. */

#define SUM "sha256:47dc540c94ceb704a23875c11273e16bb0b8a87aed84de911f2133568115f254"
#define MD5 "1B2M2Y8AsgTpgAmY7PhCfg=="

static const struct s3_place place = {.endpoint = "https://store.example",
                                      .region = "auto",
                                      .bucket = "sessions",
                                      .key_id = "ID",
                                      .secret = "SECRET"};

/* The beginning of a GET URL for the key "k", before its signature; or the error's code. */
static char *url_of(const char *endpoint, int is_virtual)
{
    struct s3_place p = place;
    struct store *s;
    struct ct_err err;
    char *url;

    p.endpoint = endpoint;
    p.is_virtual_host = is_virtual;
    p.allow_plain_http = 1;
    if (s3_open(&p, &s, &err) != 0)
        return str_dup(err_name(err.code));
    url = store_presign_get(s, "k", 1764100000000);
    url[strcspn(url, "?")] = '\0';
    store_free(s);
    return url;
}

static void the_bucket_stands_in_the_path_or_in_the_host(void **state)
{
    static const struct {
        const char *endpoint;
        int is_virtual;
        const char *url;
    } cases[] = {
        {"https://store.example", 0, "https://store.example/sessions/k"},
        {"https://store.example/", 0, "https://store.example/sessions/k"},
        {"https://store.example:443", 0, "https://store.example/sessions/k"},
        {"https://store.example:8443", 0, "https://store.example:8443/sessions/k"},
        {"https://store.example/a/b/", 0, "https://store.example/a/b/sessions/k"},
        {"https://store.example", 1, "https://sessions.store.example/k"},
        {"https://store.example:8443/a", 1, "https://sessions.store.example:8443/a/k"},
        {"http://127.0.0.1:80", 0, "http://127.0.0.1/sessions/k"},
        {"http://store.example", 0, "config"},
        {"ftp://store.example", 0, "config"},
        {"https://u:p@store.example", 0, "config"},
        {"https://store.example?x", 0, "config"},
        {"store.example", 0, "config"},
        {"", 0, "config"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *url = url_of(cases[i].endpoint, cases[i].is_virtual);
        assert_string_equal(url, cases[i].url);
        free(url);
    }
}

static void a_bucket_that_is_none_is_refused(void **state)
{
    static const char *const bad[] = {"",     "ab",  "UPPER", "a/b", "a b",
                                      "../x", "a?b", ".abc",  "-abc"};
    struct s3_place p = place;
    struct store *s;
    struct ct_err err;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        p.bucket = bad[i];
        assert_int_equal(s3_open(&p, &s, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
    }
}

static void a_put_signs_what_the_client_can_send(void **state)
{
    struct json_object *headers = json_object_new_object();
    struct store_put put = {"k", 0, SUM, MD5, 1764100000000};
    struct store *s;
    struct ct_err err;
    char *url;

    (void)state;
    assert_int_equal(s3_open(&place, &s, &err), 0);
    url = store_presign_put(s, &put, headers);
    assert_non_null(strstr(url, "X-Amz-SignedHeaders=content-length%3Bcontent-md5%3Bcontent-type"
                                "%3Bhost%3Bx-amz-checksum-sha256&"));
    assert_non_null(strstr(url, "X-Amz-Expires=300&"));
    assert_null(strstr(url, "SECRET"));
    assert_int_equal(json_object_object_length(headers), 2);
    assert_string_equal(jdoc_str(headers, "Content-MD5"), MD5);
    assert_string_equal(jdoc_str(headers, "x-amz-checksum-sha256"),
                        "R9xUDJTOtwSiOHXBEnPha7C4qHrthN6RHyEzVoEV8lQ=");
    free(url);
    json_object_put(headers);

    /* A stock client sends two headers by itself, and knows of no others. */
    headers = json_object_new_object();
    put.md5 = NULL;
    url = store_presign_put(s, &put, headers);
    assert_non_null(strstr(url, "X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost&"));
    assert_int_equal(json_object_object_length(headers), 0);
    free(url);
    json_object_put(headers);
    store_free(s);
}

struct seen {
    char text[512];
};

static void see(void *arg, const char *name, const char *text)
{
    struct seen *s = arg;
    size_t n = strlen(s->text);

    snprintf(s->text + n, sizeof(s->text) - n, "%s=%s;", name, text);
}

static int read_xml(const char *xml, struct seen *s)
{
    struct ct_err err = {0};

    s->text[0] = '\0';
    return s3_xml_read(xml, strlen(xml), see, s, &err) == 0 ? 0 : (int)err.code;
}

static void a_list_is_read_by_its_elements(void **state)
{
    struct seen s;

    (void)state;
    assert_int_equal(
        read_xml("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R xmlns=\"http://x\"><Contents>"
                 "<Key>a%2Fb&amp;c&#xe4;</Key><Size>5</Size></Contents><IsTruncated>true"
                 "</IsTruncated></R>",
                 &s),
        0);
    assert_string_equal(s.text, "Key=a%2Fb&c\xc3\xa4;Size=5;Contents=;IsTruncated=true;R=;");
}

static void what_is_no_honest_xml_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "no xml",
        "<R><Key>a</Key>",
        "<R><Key>a</R></Key>",
        "<!DOCTYPE r [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><R><Key>&b;</Key></R>",
        "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><R><Key>&x;</Key></R>",
        "<R><Key>a\x01</Key></R>",
        "<R><Key>\xff</Key></R>",
    };
    struct seen s;
    char *huge = str_calloc(1, 100000);

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(read_xml(bad[i], &s), ERR_CORRUPT);
        assert_null(strstr(s.text, "root:"));
        assert_null(strstr(s.text, "aaaa"));
    }
    /* A key is at most 1,024 bytes long. */
    memset(huge, 'x', 99999);
    memcpy(huge, "<R><Key>", 8);
    memcpy(huge + 99999 - 10, "</Key></R>", 10);
    assert_int_equal(read_xml(huge, &s), ERR_CORRUPT);
    free(huge);
}

static void a_store_that_is_not_there_can_be_tried_again(void **state)
{
    struct s3_place p = place;
    struct store_head head;
    struct store *s;
    struct ct_err err;

    (void)state;
    p.endpoint = "http://127.0.0.1:1";
    assert_int_equal(s3_open(&p, &s, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    p.allow_plain_http = 1;
    assert_int_equal(s3_open(&p, &s, &err), 0);
    assert_int_equal(store_probe(s, &err), -1);
    assert_int_equal(err.code, ERR_RETRY);
    assert_int_equal(store_head(s, "k", &head, &err), -1);
    assert_int_equal(err.code, ERR_RETRY);
    assert_int_equal(store_remove(s, "k", &err), -1);
    assert_int_equal(err.code, ERR_RETRY);
    assert_null(strstr(err.msg, "SECRET"));
    store_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bucket_stands_in_the_path_or_in_the_host),
        cmocka_unit_test(a_bucket_that_is_none_is_refused),
        cmocka_unit_test(a_put_signs_what_the_client_can_send),
        cmocka_unit_test(a_list_is_read_by_its_elements),
        cmocka_unit_test(what_is_no_honest_xml_is_refused),
        cmocka_unit_test(a_store_that_is_not_there_can_be_tried_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
