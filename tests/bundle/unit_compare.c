#include "agents/agent.h"
#include "agents/news.h"
#include "bundle/install/local.h"

#include "tests/unit.h"

/* ---- records -----------------------------------------------------------------------------------
 */

#define A "{\"type\":\"user\",\"uuid\":\"a\",\"message\":{\"role\":\"user\",\"content\":\"x\"}}\n"
#define B "{\"uuid\":\"b\",\"type\":\"assistant\",\"cwd\":\"/p\",\"gitBranch\":\"main\"}\n"
#define C "{\"type\":\"user\",\"uuid\":\"c\"}\n"

#define QUIET_BLOCK \
    "{\"uuid\":\"z\",\"type\":\"user\",\"message\":{\"content\":[{\"type\":\"text\"," \
    "\"text\":\"<local-command-stdout>1</local-command-stdout>\"}]}}\n"

static enum news_order order_of(const char *x, const char *y)
{
    struct news *a = news_new(agent_unnamed()), *b = news_new(agent_unnamed());
    enum news_order order;

    news_feed(a, x, strlen(x));
    for (size_t i = 0; i < strlen(y); i++) /* in the smallest pieces */
        news_feed(b, y + i, 1);
    news_end(a);
    news_end(b);
    order = news_compare(a, b);
    news_free(a);
    news_free(b);
    return order;
}

static void copies_are_told_apart_by_their_records(void **state)
{
    (void)state;
    assert_int_equal(order_of(A B, B A), NEWS_SAME);
    assert_int_equal(order_of(A, A B), NEWS_BEHIND);
    assert_int_equal(order_of(A B, B), NEWS_AHEAD);
    assert_int_equal(order_of(A B, A C), NEWS_DIVERGED);
    assert_int_equal(order_of("", ""), NEWS_SAME);
    assert_int_equal(order_of("", A), NEWS_BEHIND);
}

static void what_is_no_news_does_not_count(void **state)
{
    static const char *const quiet[] = {
        "{\"type\":\"mode\",\"mode\":\"plan\"}\n",
        "{\"type\":\"permission-mode\",\"permissionMode\":\"default\"}\n",
        "{\"type\":\"last-prompt\",\"lastPrompt\":\"x\"}\n",
        "{\"type\":\"summary\",\"summary\":\"x\",\"leafUuid\":\"z\"}\n",
        "{\"type\":\"system\",\"subtype\":\"local_command\",\"uuid\":\"z\"}\n",
        "{\"type\":\"user\",\"uuid\":\"z\",\"message\":{\"content\":\"<command-name>/cost</"
        "command-name>\"}}\n",
        QUIET_BLOCK,
        "{\"type\":\"cost-state\",\"totalCostUSD\":1}\n",
        "{\"type\":\"queue-operation\",\"operation\":\"enqueue\"}\n",
        "{\"type\":\"custom-title\",\"customTitle\":\"x\"}\n",
        "{\"type\":\"nobody-knows\",\"content\":\"x\"}\n",
        "{\"type\":\"system\",\"subtype\":\"compact_boundary\",\"uuid\":\"z\"}\n",
        "{\"type\":\"progress\",\"uuid\":\"z\"}\n",
        "{\"type\":\"attachment\",\"uuid\":\"z\",\"attachment\":{\"type\":\"skill_listing\"}}\n",
        "{\"type\":\"user\",\"uuid\":\"z\",\"isMeta\":true,\"message\":{\"content\":\"x\"}}\n",
        "{\"isCompactSummary\":true,\"type\":\"user\",\"uuid\":\"z\"}\n",
        "{\"type\":\"assistant\",\"uuid\":\"z\",\"message\":{\"model\":\"<synthetic>\"}}\n",
        "{\"type\":\"user\",\"uuid\":\"z\"}{}\n",
        "{\"type\":\"user\",\"uuid\":\"z\"",
        "[\"uuid\"]\n\n",
    };
    static const char *const loud[] = {
        "{\"type\":\"user\",\"uuid\":\"z\",\"isMeta\":false,\"toolUseResult\":{\"isMeta\":true}}\n",
        "{\"type\":\"assistant\",\"uuid\":\"z\",\"message\":{\"model\":\"claude-x\"}}\n",
        "{\"type\":\"assistant\",\"message\":{\"model\":\"claude-x\"}}\n",
        "{\"type\":\"attachment\",\"uuid\":\"z\",\"attachment\":{\"type\":\"queued_command\"}}\n",
        "{\"type\":\"nobody-knows\",\"uuid\":\"z\"}\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++) {
        char text[512];
        snprintf(text, sizeof(text), A "%s", quiet[i]);
        if (order_of(A, text) != NEWS_SAME)
            fail_msg("counts: %s", quiet[i]);
    }
    /* But these do. */
    for (size_t i = 0; i < sizeof(loud) / sizeof(loud[0]); i++) {
        char text[512];
        snprintf(text, sizeof(text), A "%s", loud[i]);
        if (order_of(A, text) != NEWS_BEHIND)
            fail_msg("does not count: %s", loud[i]);
    }
    assert_int_equal(order_of(A, A "{\"type\":\"user\",\"uuid\":\"z\",\"message\":{\"content\":"
                                   "\"<bash-input>ls\"}}\n"),
                     NEWS_BEHIND);
    assert_int_equal(order_of(A, A "{\"type\":\"user\",\"message\":{\"content\":\"x\"}}\n"),
                     NEWS_BEHIND);
    assert_int_equal(order_of(A,
                              A "{\"type\":\"user\",\"uuid\":\"z\",\"toolUseResult\":{\"message\":"
                                "{\"content\":\"<command-name>\"}}}\n"),
                     NEWS_BEHIND);
}

static struct news *news_of(const char *text)
{
    struct news *n = news_new(agent_unnamed());

    news_feed(n, text, strlen(text));
    news_end(n);
    return n;
}

static void who_deletes_a_copy_asks_for_every_uuid(void **state)
{
    struct news *all = news_of(A "{\"type\":\"attachment\",\"uuid\":\"s\"}\n" B);
    struct news *cleaned = news_of(A B);
    struct news *more = news_of(A B C);

    (void)state;
    assert_int_equal(news_compare(all, cleaned), NEWS_SAME);
    assert_int_equal(news_compare_all(all, cleaned), NEWS_AHEAD);
    assert_int_equal(news_compare_all(cleaned, all), NEWS_BEHIND);
    assert_int_equal(news_compare(all, more), NEWS_BEHIND);
    assert_int_equal(news_compare_all(all, more), NEWS_DIVERGED);
    assert_int_equal(news_compare_all(all, all), NEWS_SAME);
    assert_int_equal(news_lacking(all, more), 1);
    assert_int_equal(news_lacking(more, all), 0);
    news_free(all);
    news_free(cleaned);
    news_free(more);
}

static void people_count_prompts_and_answers_each_once(void **state)
{
    static const char text[] = A
        "{\"type\":\"user\",\"uuid\":\"p\",\"message\":{\"content\":\"x\"}}\n"
        "{\"type\":\"assistant\",\"uuid\":\"q\",\"message\":{\"id\":\"m\",\"content\":[{\"type\":"
        "\"text\",\"text\":\"y\"}]}}\n"
        "{\"type\":\"assistant\",\"uuid\":\"r\",\"message\":{\"id\":\"m\",\"content\":[{\"type\":"
        "\"tool_use\",\"id\":\"t\",\"name\":\"n\"}]}}\n"
        "{\"type\":\"user\",\"uuid\":\"s\",\"message\":{\"content\":[{\"type\":\"tool_result\","
        "\"tool_use_id\":\"t\",\"content\":[{\"type\":\"text\",\"text\":\"z\"}]}]}}\n"
        "{\"type\":\"user\",\"uuid\":\"t\",\"isSidechain\":true,\"message\":{\"content\":\"x\"}}\n";
    struct news *few = news_of(A), *many = news_of(text);

    (void)state;
    assert_int_equal(news_lacking(few, many), 5);
    assert_int_equal(news_messages_lacking(few, many), 2);
    assert_int_equal(news_messages_lacking(many, few), 0);
    news_free(few);
    news_free(many);
}

static void a_whole_record_without_its_newline_counts_at_the_end(void **state)
{
    static const char two[] = A "{\"type\":\"user\",\"uuid\":\"c\"}";
    struct news *n = news_new(agent_unnamed());

    (void)state;
    assert_int_equal(order_of(two, A B), NEWS_DIVERGED);
    assert_int_equal(order_of(two, A C), NEWS_SAME);
    assert_int_equal(order_of(two, A), NEWS_AHEAD);
    news_feed(n, two, strlen(two));
    assert_int_equal(news_count(n), 1); /* more may come */
    news_end(n);
    news_end(n);
    assert_int_equal(news_count(n), 2);
    news_free(n);
}

/* ${n} messages without a uuid, and one with. */
static struct news *unnamed(size_t n)
{
    static const char line[] = "{\"type\":\"user\"}\n";
    struct news *ret = news_new(agent_unnamed());

    for (size_t i = 0; i < n; i++)
        news_feed(ret, line, strlen(line));
    news_feed(ret, A, strlen(A));
    return ret;
}

static void of_messages_without_a_uuid_too_many_are_news(void **state)
{
    enum { LIMIT = 65536 };
    struct news *none = unnamed(0), *some = unnamed(LIMIT), *many = unnamed(LIMIT + 1),
                *more = unnamed(LIMIT * 3);

    (void)state;
    assert_int_equal(news_count(some), LIMIT + 1);
    assert_int_equal(news_count(more), LIMIT + 1);
    assert_int_equal(news_compare(some, some), NEWS_SAME);
    assert_int_equal(news_compare(none, some), NEWS_BEHIND);
    assert_int_equal(news_compare(some, many), NEWS_BEHIND);
    assert_int_equal(news_compare(many, some), NEWS_AHEAD);
    assert_int_equal(news_compare(many, more), NEWS_DIVERGED);
    assert_int_equal(news_compare(many, many), NEWS_DIVERGED);
    news_free(none);
    news_free(some);
    news_free(many);
    news_free(more);
}

static void a_glance_finds_the_branch_and_counts_nothing(void **state)
{
    static const char text[] =
        A B "{\"type\":\"user\",\"timestamp\":\"2026-11-23T20:00:00.500Z\",\"gitBranch\":\"f\"}\n";
    struct news *n = news_new_glance(agent_unnamed());

    (void)state;
    news_feed(n, text, strlen(text));
    assert_string_equal(news_cwd(n), "/p");
    assert_string_equal(news_git_branch(n), "f");
    assert_int_equal(news_count(n), 0);
    assert_false(news_has_time(n, INT64_C(1795464000500)));
    news_free(n);
}

static void a_set_knows_folder_branch_and_times(void **state)
{
    static const char text[] =
        "{\"type\":\"mode\",\"timestamp\":\"2026-11-23T20:00:00.500Z\"}\n" A B
        "{\"type\":\"user\",\"uuid\":\"d\",\"cwd\":\"/q\",\"gitBranch\":\"f\"}\n";
    struct news *n = news_new(agent_unnamed());

    (void)state;
    news_feed(n, text, strlen(text));
    assert_string_equal(news_cwd(n), "/p");
    assert_string_equal(news_git_branch(n), "f");
    assert_int_equal(news_count(n), 3);
    assert_string_equal(news_project_cwd(n), "");
    assert_true(news_has_time(n, INT64_C(1795464000500)));
    assert_false(news_has_time(n, INT64_C(1795464000501)));
    news_free(n);
}

static void of_several_folders_the_last_that_the_project_is_named_after_counts(void **state)
{
    static const char text[] = "{\"type\":\"user\",\"uuid\":\"a\",\"cwd\":\"/h/a\"}\n"
                               "{\"type\":\"user\",\"uuid\":\"b\",\"cwd\":\"/h/b.c\"}\n"
                               "{\"type\":\"user\",\"uuid\":\"c\",\"cwd\":\"/h/b-c\"}\n"
                               "{\"type\":\"user\",\"uuid\":\"d\",\"cwd\":\"/h/b-c/sub\"}\n";
    struct news *n = news_new(agent_unnamed());

    (void)state;
    news_look_for(n, "-h-b-c");
    news_feed(n, text, strlen(text));
    assert_string_equal(news_cwd(n), "/h/a");
    assert_string_equal(news_project_cwd(n), "/h/b-c");
    news_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_are_told_apart_by_their_records),
        cmocka_unit_test(what_is_no_news_does_not_count),
        cmocka_unit_test(who_deletes_a_copy_asks_for_every_uuid),
        cmocka_unit_test(people_count_prompts_and_answers_each_once),
        cmocka_unit_test(a_whole_record_without_its_newline_counts_at_the_end),
        cmocka_unit_test(of_messages_without_a_uuid_too_many_are_news),
        cmocka_unit_test(a_glance_finds_the_branch_and_counts_nothing),
        cmocka_unit_test(a_set_knows_folder_branch_and_times),
        cmocka_unit_test(of_several_folders_the_last_that_the_project_is_named_after_counts),
    };

    return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
