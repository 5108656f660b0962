#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/leak/leak.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/str.h"

#include "tests/unit.h"

/* Rules found, as "rule:line " each. */
static void note(void *arg, const char *rule, int64_t line)
{
    buf_printf(arg, "%s:%lld ", rule, (long long)line);
}

static char *scan(struct leak_rules *r, const char *path, const char *p, size_t n, size_t step)
{
    struct buf b = {0};
    struct leak_scan *s = leak_scan_new(r, path, 1, note, &b);

    for (size_t i = 0; i < n; i += step)
        leak_scan_feed(s, p + i, n - i < step ? n - i : step);
    leak_scan_end(s);
    leak_scan_free(s);
    return buf_steal(&b);
}

static void finds(struct leak_rules *r, const char *text, const char *expected)
{
    char *found = scan(r, "a.jsonl", text, strlen(text), strlen(text));

    assert_string_equal(found, expected);
    free(found);
}

static struct leak_rules *own(void)
{
    struct ct_err err = {0};
    struct leak_rules *r;

    if (leak_rules_load(NULL, &r, &err) != 0)
        fail_msg("%s", err.msg);
    return r;
}

/* In two pieces each, so that nobody's scanner takes this file for a leak. */
static const struct {
    const char *rule, *hit[2], *miss[2];
} each[] = {
    {"aws-access-key-id", {"id AKIA", "Q3EGRTPLMNBV2X7Y."}, {"id AKIA", "Q3EGRTPLMNBV2X7."}},
    {"aws-secret-access-key",
     {"aws_secret_access", "_key = wJ7rXUtnFEMIaK7MDENGbPxRfiCYzq8vLp2QwE5t"},
     {"aws_secret_access", "_key = wJ7rXUtnFEMIaK7MDENGbPxRfiCYzq8vLp2Qw"}},
    {"github-token",
     {"ghp_", "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5"},
     {"ghp_", "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY"}},
    {"gitlab-token", {"glpat-", "x7Kq2mVb9TzRwP4nLs8d"}, {"glpat-", "x7Kq2mVb9TzRwP4nLs8"}},
    {"slack-token", {"xoxb-", "1234567890-abcDEF4567"}, {"xoxb-", "1234567890-abcDEF45"}},
    {"slack-webhook",
     {"https://hooks.slack.com/services/", "T0ABCDEF1/B0GHIJKL2/a1B2c3D4e5F6g7H8i9J0k1L2"},
     {"https://hooks.slack.com/services/", "T0ABCDEF1/B0GHIJKL2/"}},
    {"stripe-key", {"sk_live_", "4eC39HqLyjWDarjtT1zd"}, {"sk_test_", "4eC39HqLyjWDarjtT1zd"}},
    {"anthropic-key",
     {"sk-ant-", "api03-Zk3vQ9mW7xLp2RtY8bNc4HdJ6fGs1KaE0uTi5oPq"},
     {"sk-ant-", "api-Zk3vQ9mW7xLp2RtY8bNc4HdJ6fGs1KaE0uTi5oPq"}},
    {"openai-key",
     {"sk-proj-", "Zk3vQ9mW7xLp2RtY8bNc4HdJ6fGs1KaE0uTi5oPq"},
     {"sk-proj-", "Zk3vQ9mW7xLp2RtY8bNc4HdJ6fG"}},
    {"google-api-key",
     {"AIza", "SyB7kQ2mVx9TzRwP4nLs8dFgH1jKl3ZxC5v"},
     {"AIza", "SyB7kQ2mVx9TzRwP4nLs8dFgH1jKl3ZxC5v6"}},
    {"npm-token",
     {"npm_", "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5"},
     {"npm_", "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5z"}},
    {"private-key",
     {"-----BEGIN RSA PRIVATE ",
      "KEY-----\\nMIIEowIBAAKCAQEAx7Kq2mVb9TzRwP4nLs8dFgH1jKl3ZxC5vBnM6QwErTyUiOp\\n"},
     {"-----BEGIN RSA PRIVATE ", "KEY-----\\n...\\n-----END RSA PRIVATE KEY-----"}},
    {"jwt",
     {"eyJ", "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"},
     {"eyJ", "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0"}},
    {"url-password",
     {"postgres://bob:", "hunter2hunter9@db.internal/x"},
     {"postgres://bob:", "${PASSWORD}@db.internal/x"}},
    {"assigned-secret",
     {"{\\\"password\\\": \\\"", "kd83jf93kfQQz1\\\"}"},
     {"{\\\"password\\\": \\\"", "change_the_password\\\"}"}},
};

static void each_rule_hits_and_misses(void **state)
{
    struct leak_rules *r = own();

    (void)state;
    for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
        char *hit = str_printf("one\n{\"text\":\"\\n%s%s\"}\n", each[i].hit[0], each[i].hit[1]);
        char *miss = str_printf("one\n{\"text\":\"\\n%s%s\"}\n", each[i].miss[0], each[i].miss[1]);
        char *expected = str_printf("%s:2 ", each[i].rule);
        finds(r, hit, expected);
        finds(r, miss, "");
        free(expected);
        free(miss);
        free(hit);
    }
    leak_rules_free(r);
}

static void examples_are_no_secrets(void **state)
{
    struct leak_rules *r = own();

    (void)state;
    finds(r,
          "AKIA"
          "IOSFODNN7EXAMPLE",
          "");
    finds(r, "api_key = \"your_key_goes_here_1\"", "");
    finds(r, "PASSWORD=\"changeme123456\"", "");
    leak_rules_free(r);
}

/* Wherever a window ends, in whatever pieces it comes. */
static void a_line_of_any_length_is_searched_whole(void **state)
{
    static const char secret[] = " AKIA"
                                 "Q3EGRTPLMNBV2X7Y ";
    const size_t n = 3 << 20;
    struct leak_rules *r = own();
    char *text = str_calloc(1, n), *found;

    (void)state;
    for (size_t at = (256 << 10) - 4300; at < (256 << 10) + 40; at += 31) {
        memset(text, 'x', n);
        memcpy(text, "a\nb\n", 4);
        memcpy(text + at, secret, sizeof(secret) - 1);
        text[n - 100] = '\n';
        memcpy(text + n - 50, secret, sizeof(secret) - 1);
        found = scan(r, "a", text, n, 100003);
        assert_string_equal(found, "aws-access-key-id:3 aws-access-key-id:4 ");
        free(found);
    }
    free(text);
    leak_rules_free(r);
}

/* ---- rule files ---------------------------------------------------------------------------------
 */

static void refuses(const char *text, const char *expected)
{
    struct ct_err err = {0};
    struct leak_rules *r;

    assert_int_equal(leak_rules_parse("f.json", text, strlen(text), &r, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    if (strncmp(err.msg, expected, strlen(expected)) != 0)
        fail_msg("\"%s\" is not \"%s...\"", err.msg, expected);
}

/* One rule with more members, and beside it. */
#define WITH(more) "{\"rules\":[{\"id\":\"a\",\"regex\":\"x\"" more "}]}"

static void a_bad_rule_file_is_refused_by_its_rule(void **state)
{
    (void)state;
    refuses("{}", "f.json: there is no rule");
    refuses("{\"title\":\"t\"}", "f.json: there is no rule");
    refuses("{\"rules\":[]}", "f.json: there is no rule");
    refuses("{\"rules\":{}}", "f.json: rules wants a list");
    refuses("{\"rules\":[1]}", "f.json: rules wants a list");
    refuses("{\"foo\":1}", "f.json: foo is not known here");
    refuses("{\"extend\":{\"useDefault\":true}}", "f.json: extend is not known here");
    refuses("{\"rules\":[{\"id\":\"a\"}]}", "f.json: rule 1 (a): it has no regex");
    refuses("{\"rules\":[{\"regex\":\"a\"}]}", "f.json: rule 1 (without id): it has no id");
    refuses("{\"rules\":[{\"id\":\"a\",\"regex\":\"x\"},{\"id\":\"a\",\"regex\":\"x\"}]}",
            "f.json: rule 2 (a): id is that of another rule");
    refuses(WITH(",\"nonsense\":\"y\""), "f.json: rule 1 (a): nonsense is not known in a rule");
    refuses(WITH(",\"entropy\":\"high\""), "f.json: rule 1 (a): entropy wants a number");
    refuses(WITH(",\"entropy\":9"), "f.json: rule 1 (a): entropy wants a number from 0 to 8");
    refuses(WITH(",\"secretGroup\":1.5"), "f.json: rule 1 (a): secretGroup wants a whole number");
    refuses(WITH(",\"secretGroup\":2"), "f.json: rule 1 (a): secretGroup is 2, its regex has 0");
    refuses(WITH(",\"keywords\":\"abc\""), "f.json: rule 1 (a): keywords wants a list of texts");
    refuses(WITH(",\"keywords\":[\"ab\"]"), "f.json: rule 1 (a): a keyword has 3 letters");
    refuses(WITH(",\"path\":null"), "f.json: rule 1 (a): path wants a text");
    refuses(WITH(",\"path\":\"a\\u0000b\""), "f.json: rule 1 (a): path wants a text");
    refuses(WITH(",\"allowlist\":[]"), "f.json: rule 1 (a): allowlist wants {...}");
    refuses(WITH(",\"allowlists\":{}"), "f.json: rule 1 (a): allowlists wants a list");
    refuses(WITH(",\"allowlist\":{\"regexTarget\":\"line\"}"),
            "f.json: rule 1 (a): regexTarget is");
    refuses(WITH(",\"allowlist\":{\"regexTarget\":null}"), "f.json: rule 1 (a): regexTarget is");
    refuses(WITH(",\"allowlist\":{\"regexes\":[\"ok\",1]}"),
            "f.json: rule 1 (a): regexes wants a list");
    refuses(WITH(",\"allowlist\":{\"x\":1}"), "f.json: rule 1 (a): x is not known in an allowlist");
    refuses("{\"rules\":[{\"id\":\"a\",\"regex\":\"(x\"}]}",
            "f.json: rule 1 (a): regex can't be compiled: ");
}

static void what_is_no_json_is_refused(void **state)
{
    (void)state;
    refuses("", "f.json: ");
    refuses("[]", "f.json: it has to be an object");
    refuses("{\"rules\":", "f.json: ");
    refuses("{\"rules\":[{\"id\":\"a\",\"regex\":\"x\"}]} x", "f.json: ");
    refuses("{\"t\xff\":1}", "f.json: ");
}

static void toml_is_refused_with_the_way_to_make_json_of_it(void **state)
{
    (void)state;
    refuses("[[rules]]\nid = 'a'\n", "f.json: this is TOML");
    refuses("\n# c\ntitle = 'x'\n", "f.json: this is TOML");
    refuses("title = 'x'\n[[rules]]\n", "f.json: this is TOML");
}

static void every_member_counts(void **state)
{
    static const char text[] =
        "{\"title\":\"a\\tb\",\"rules\":[{\"id\":\"a\\u00e9\",\"regex\":\"q\\\\d\",\"tags\":[\"t\"]"
        ","
        "\"keywords\":[\"qqq\",\"QQ1\"],\"allowlists\":[{\"stopwords\":[\"3\"]},"
        "{\"paths\":[\"\\\\.md$\"]}]}]}";
    struct ct_err err = {0};
    struct leak_rules *r;
    char *found;

    (void)state;
    assert_int_equal(leak_rules_parse("f", text, sizeof(text) - 1, &r, &err), 0);
    finds(r, "q1\nq2 q3\nqq1 q3", "a\xc3\xa9:1 a\xc3\xa9:2 a\xc3\xa9:3 ");
    finds(r, "q1\nq2", "");
    found = scan(r, "x/y.md", "qq1", 3, 3);
    assert_string_equal(found, "");
    free(found);
    leak_rules_free(r);
}

/* A regex that backtracks without end is given up, and said so. */
static void a_catastrophic_rule_ends(void **state)
{
    static const char text[] = "{\"rules\":[{\"id\":\"bad\",\"regex\":\"(a+)+[bd]\"},"
                               "{\"id\":\"good\",\"regex\":\"zzz\"}]}";
    struct ct_err err = {0};
    struct leak_rules *r;
    struct buf b = {0};
    struct leak_scan *s;
    char *p = str_calloc(1, 1 << 20);

    (void)state;
    memset(p, 'a', 1 << 20);
    memcpy(p + (1 << 20) - 3, "zzz", 3);
    assert_int_equal(leak_rules_parse("f", text, sizeof(text) - 1, &r, &err), 0);
    s = leak_scan_new(r, "x", 1, note, &b);
    leak_scan_feed(s, p, 1 << 20);
    leak_scan_end(s);
    assert_string_equal(leak_scan_gave_up(s), "bad");
    assert_string_equal(b.data, "good:1 ");
    leak_scan_free(s);
    leak_rules_free(r);
    buf_free(&b);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_hits_and_misses),
        cmocka_unit_test(examples_are_no_secrets),
        cmocka_unit_test(a_line_of_any_length_is_searched_whole),
        cmocka_unit_test(a_bad_rule_file_is_refused_by_its_rule),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(toml_is_refused_with_the_way_to_make_json_of_it),
        cmocka_unit_test(every_member_counts),
        cmocka_unit_test(a_catastrophic_rule_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
