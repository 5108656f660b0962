#include "agents/agent.h"
#include "agents/body.h"
#include "agents/news.h"

#include "tests/unit.h"

/* What one conversation holds of another, if somebody vouches for less in one of them: an id is
 * anybody's to write, so that the words count too. */

#define RECORD(type, content) \
    "{\"type\":\"" type "\",\"uuid\":\"u1\",\"cwd\":\"/home/alice/app\",\"sessionId\":\"s\"," \
    "\"message\":{\"role\":\"" type "\",\"content\":" content "},\"toolUseResult\":\"any\"}\n"
#define BLOCK(block) "[{\"type\":\"text\",\"text\":\"see\"}," block "]"
#define RESULT(content) \
    RECORD("user", \
           BLOCK("{\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"content\":" content "}"))

static struct news *news_of(const char *text, size_t piece, enum trust trust)
{
    struct news *n = news_new(agent_unnamed());
    size_t len = strlen(text);

    news_vouch(n, trust);
    for (size_t at = 0; at < len; at += piece)
        news_feed(n, text + at, len - at < piece ? len - at : piece);
    news_end(n);
    return n;
}

/* What is true, and what is told instead under its id. */
static const struct {
    const char *truth, *other;
    int is_same; /* it says the same, on another machine or with less around it */
} cases[] = {
    {RECORD("user", "\"do that\""), RECORD("user", "\"do this\""), 0},
    {RECORD("user", "\"do that\""), RECORD("assistant", "\"do that\""), 0},
    {RECORD("user", "\"do that\""), RECORD("user", "\"do that\",\"content\":\"do this\""), 0},
    {RECORD("user", "\"do that\""), RECORD("user", "[{\"type\":\"text\",\"text\":\"do that\"}]"),
     0},
    {RECORD("user", "\"a\\nb\""), RECORD("user", "\"a\\nc\""), 0},
    {RECORD("user", "\"a\""), RECORD("user", "\"a\"},\"isSidechain\":true,\"x\":{\"y\":1"), 0},
    {RECORD("user", "\"and/or\""), RECORD("user", "\"and/if\""), 0},
    {RECORD("user", "\"in /tmp/a b\""), RECORD("user", "\"in /tmp/a c\""), 0},
    {RECORD("user", "\"in /tmp/a\""), RECORD("user", "\"in\""), 0},
    {RECORD("user", "\"data:x;base64,/9j/4AAQ==\""), RECORD("user", "\"data:y;base64,/9j/4AAQ==\""),
     0},
    {RECORD("assistant", BLOCK("{\"type\":\"text\",\"text\":\"yes\"}")),
     RECORD("assistant", BLOCK("{\"type\":\"text\",\"text\":\"no\"}")), 0},
    {RECORD("assistant", BLOCK("{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"x\"}")),
     RECORD("assistant", BLOCK("{\"type\":\"thinking\",\"thinking\":\"ha\",\"signature\":\"x\"}")),
     0},
    {RECORD("assistant", BLOCK("{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"Bash\",\"input\":{"
                               "\"command\":\"ls\"}}")),
     RECORD("assistant", BLOCK("{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"Bash\",\"input\":{"
                               "\"command\":\"rm\"}}")),
     0},
    {RECORD("assistant", BLOCK("{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"Bash\",\"input\":{"
                               "\"command\":\"ls\"}}")),
     RECORD("assistant", BLOCK("{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"Read\",\"input\":{"
                               "\"command\":\"ls\"}}")),
     0},
    {RESULT("\"1\""), RESULT("\"2\""), 0},
    {RESULT("[{\"type\":\"text\",\"text\":\"1\"}]"), RESULT("[{\"type\":\"text\",\"text\":\"2\"}]"),
     0},
    {RESULT("[{\"type\":\"image\",\"source\":{\"data\":\"AA\"}}]"),
     RESULT("[{\"type\":\"image\",\"source\":{\"data\":\"AB\"}}]"), 0},
    {"{\"type\":\"attachment\",\"uuid\":\"u1\",\"attachment\":{\"type\":\"queued_command\","
     "\"prompt\":\"a\"}}\n",
     "{\"type\":\"attachment\",\"uuid\":\"u1\",\"attachment\":{\"type\":\"queued_command\","
     "\"prompt\":\"b\"}}\n",
     0},
    {"{\"type\":\"system\",\"uuid\":\"u1\",\"content\":\"a\"}\n",
     "{\"type\":\"system\",\"uuid\":\"u1\",\"content\":\"b\"}\n", 0},
    {"{\"type\":\"user\",\"timestamp\":\"t\",\"message\":{\"content\":\"a\"}}\n",
     "{\"type\":\"user\",\"timestamp\":\"t\",\"message\":{\"content\":\"b\"}}\n", 0},

    {RECORD("user", "\"do that\""), RECORD("user", "\"do that\""), 1},
    {RECORD("user", "\"in /home/alice/app, \\\"/home/alice/app/x\\\"\""),
     RECORD("user", "\"in /srv/bob, \\\"/srv/bob/x\\\"\""), 1},
    {RECORD("user", "\"in \\/home\\/alice\\/x\""), RECORD("user", "\"in \\/srv\\/x\""), 1},
    {RECORD("user", "\"file:///home/alice/a%20b\""), RECORD("user", "\"file:///srv/a%20b\""), 1},
    {RECORD("assistant", BLOCK("{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"Read\",\"input\":{"
                               "\"file_path\":\"/home/alice/app/x\"},"
                               "\"caller\":{\"type\":\"direct\"}}")),
     RECORD("assistant", BLOCK("{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"Read\",\"input\":{"
                               "\"file_path\":\"/srv/x\"}}")),
     1},
    {RECORD("user", "\"do that\",\"usage\":{\"x\":1}"), RECORD("user", "\"do that\""), 1},
};

static void only_the_same_words_stand_for_what_is_vouched_for_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int t = 0; t < 9; t++) {
            enum trust here = (enum trust)(t / 3), came = (enum trust)(t % 3);
            struct news *a = news_of(cases[i].other, 1 << 20, here);
            struct news *b = news_of(cases[i].truth, 1, came);
            int is_held = here >= came || cases[i].is_same;
            size_t all = news_count(b), lacks = is_held ? 0 : all;
            enum news_order order = news_compare_all(a, b);
            if (news_has_bodies(a, b) != cases[i].is_same ||
                (order == NEWS_SAME || order == NEWS_AHEAD) != is_held ||
                news_lacking(a, b) != lacks)
                fail_msg("case %zu, %s here and %s came: order %d, lacking %zu, words %d", i,
                         trust_name(here), trust_name(came), (int)order, news_lacking(a, b),
                         news_has_bodies(a, b));
            news_free(a);
            news_free(b);
        }
    }
}

static void a_truth_beside_the_lie_is_there(void **state)
{
    struct news *a =
        news_of(RECORD("user", "\"lie\"") RECORD("user", "\"truth\""), 7, TRUST_STRANGER);
    struct news *b = news_of(RECORD("user", "\"truth\""), 7, TRUST_OWN);

    (void)state;
    assert_int_equal(news_compare(a, b), NEWS_SAME);
    assert_int_equal(news_count(a), 1);
    news_free(a);
    news_free(b);
}

static void digest(const char *text, size_t piece, unsigned char ret[HASH_SHA256_BYTES])
{
    struct body *b = body_new();
    size_t len = strlen(text);

    body_begin(b, "x");
    for (size_t at = 0; at < len; at += piece)
        body_feed(b, text + at, len - at < piece ? len - at : piece);
    body_final(b, ret);
    body_free(b);
}

static void pieces_of_any_size_make_one_digest(void **state)
{
    static const char *const texts[] = {
        "\"a /b/c d\\n/e\\/f \\\\ /g\\u0041 h/i\"", "/", "//", "\\/a b", "\\", "a\\", "/a/\\/b c/d",
    };
    unsigned char whole[HASH_SHA256_BYTES], parts[HASH_SHA256_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        digest(texts[i], 1 << 20, whole);
        for (size_t piece = 1; piece < 9; piece++) {
            digest(texts[i], piece, parts);
            assert_memory_equal(whole, parts, sizeof(whole));
        }
    }
}

/* A picture begins like a path, and is more than that. */
static void what_is_too_long_for_a_path_counts(void **state)
{
    unsigned char x[HASH_SHA256_BYTES], y[HASH_SHA256_BYTES];
    char *text = calloc(1, 8193);

    (void)state;
    memset(text, 'A', 8192);
    text[0] = '/';
    digest(text, 100, x);
    text[8000] = 'B';
    digest(text, 100, y);
    assert_memory_not_equal(x, y, sizeof(x));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_same_words_stand_for_what_is_vouched_for_more),
        cmocka_unit_test(a_truth_beside_the_lie_is_there),
        cmocka_unit_test(pieces_of_any_size_make_one_digest),
        cmocka_unit_test(what_is_too_long_for_a_path_counts),
    };

    return cmocka_run_group_tests_name("news", tests, NULL, NULL);
}
