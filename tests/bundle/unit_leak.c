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

    assert_int_equal(leak_rules_parse("f.toml", text, strlen(text), &r, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    if (strncmp(err.msg, expected, strlen(expected)) != 0)
        fail_msg("\"%s\" is not \"%s...\"", err.msg, expected);
}

#define RULE "[[rules]]\nid = 'a'\nregex = 'x'\n"

static void a_bad_rule_file_is_refused_by_its_line(void **state)
{
    (void)state;
    refuses("", "f.toml: there is no rule");
    refuses("title = 1", "f.toml: there is no rule");
    refuses("foo = 1\n", "f.toml:1: foo is not known here");
    refuses("# c\n\n[extend]\nuseDefault = true\n", "f.toml:3: [extend] is not known here");
    refuses("[[rules]]\nid = 'a'\n", "f.toml: the rule a before this has no regex");
    refuses("[[rules]]\nregex = 'a'\n", "f.toml: the rule right before this has no id");
    refuses("[[rules]]\nid = 'a'\n\n" RULE, "f.toml:4: the rule a before this has no regex");
    refuses(RULE RULE, "f.toml:5: id is that of another rule");
    refuses(RULE "regex = 'y'\n", "f.toml:4: this key is there already");
    refuses(RULE "nonsense = 'y'\n", "f.toml:4: nonsense is not known in [[rules]]");
    refuses(RULE "entropy = 'high'\n", "f.toml:4: entropy wants a number");
    refuses(RULE "entropy = 9\n", "f.toml:4: entropy wants a number from 0 to 8");
    refuses(RULE "secretGroup = 1.5\n", "f.toml:4: secretGroup wants a whole number");
    refuses(RULE "secretGroup = 2\n", "f.toml: secretGroup of the rule a is 2, its regex has 0");
    refuses(RULE "keywords = 'abc'\n", "f.toml:4: keywords wants a list of texts");
    refuses(RULE "keywords = ['ab']\n", "f.toml:4: a keyword has 3 letters");
    refuses(RULE "[rules.allowlist]\nregexTarget = 'line'\n", "f.toml:5: regexTarget is");
    refuses(RULE "[rules.allowlist]\nregexes = ['ok',\n 1]\n", "f.toml:5: regexes wants a list");
    refuses("[[rules]]\nid = 'a'\nregex = '''(x'''\n", "f.toml:3: regex can't be compiled: ");
    refuses(RULE "[rules.allowlist]\n[rules.allowlist]\n", "f.toml:5: this table is there already");
}

static void what_is_no_toml_is_refused_by_its_line(void **state)
{
    (void)state;
    refuses(RULE "x\n", "f.toml:4: a key wants =");
    refuses(RULE "x = \n", "f.toml:4: ");
    refuses(RULE "x = 'a\n", "f.toml:4: a string does not end");
    refuses(RULE "x = \"\\q\"\n", "f.toml:4: a backslash in");
    refuses(RULE "x = \"\\ud800\"\n", "f.toml:4: no such character");
    refuses(RULE "x = '''a\n\n", "f.toml:6: a string does not end");
    refuses(RULE "x = ['a' 'b']\n", "f.toml:4: a list wants a comma");
    refuses(RULE "x = {a = 1}\n", "f.toml:4: tables in braces");
    refuses(RULE "x = 1 y = 2\n", "f.toml:4: there is more on this line");
    refuses(RULE "x = 01\n", "f.toml:4: a value is");
    refuses(RULE "x = 1979-05-27\n", "f.toml:4: that is no number");
    refuses(RULE "x = 99999999999999999999\n", "f.toml:4: that is no number");
    refuses(RULE "[a b]\n", "f.toml:4: a table is");
    refuses(RULE "\xff = 1\n", "f.toml:1: this is not UTF-8");
    refuses(RULE "x = [[[[[[[[[[[[1]]]]]]]]]]]]\n", "f.toml:4: lists are nested");
}

static void all_kinds_of_strings_mean_what_toml_says(void **state)
{
    static const char text[] = "title = \"a\\tb\" # c\r\n"
                               "[[rules]]\r\n"
                               "id = \"a\\u00e9\"\n"
                               "regex = \"\"\"\nq\\\n   \\\\d\"\"\"\n"
                               "keywords = [ # one\n 'qqq', \"QQ1\",\n]\n"
                               "[[rules.allowlists]]\nstopwords = ['''3''']\n"
                               "[[rules.allowlists]]\npaths = ['\\.md$']\n";
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
    static const char text[] = "[[rules]]\nid = 'bad'\nregex = '(a+)+[bd]'\n"
                               "[[rules]]\nid = 'good'\nregex = 'zzz'\n";
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
        cmocka_unit_test(a_bad_rule_file_is_refused_by_its_line),
        cmocka_unit_test(what_is_no_toml_is_refused_by_its_line),
        cmocka_unit_test(all_kinds_of_strings_mean_what_toml_says),
        cmocka_unit_test(a_catastrophic_rule_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
