#include "agents/agent.h"
#include "agents/news.h"
#include "agents/transcript.h"
#include "agents/words.h"
#include "common/base/buf.h"
#include "common/base/str.h"

#include "tests/unit.h"

/* What each agent writes of words alone is its own, and says the same when it is read. */

#define ID "01a22ede-8722-7f41-b89a-2e013325bfc8"

static const struct words_part parts[] = {
    {WORDS_PERSON, "what is \"in\" /home/al/x?\n\tnext line \xf0\x9f\x98\x80", 1796007742000},
    {WORDS_MODEL, "a zebra: {\"type\":\"session.start\"}", 1796007743000},
    {WORDS_PERSON, "and `at` night: \x01\\?", 1796007744000},
    {WORDS_MODEL, "it sleeps", 1796007745000},
};

static const struct words words = {.session_id = ID,
                                   .root = "/nowhere",
                                   .cwd = "/home/bob/my \"work\"",
                                   .title = "Zebras: \"by day\" # and night",
                                   .now_ms = 1796007750000,
                                   .v = parts,
                                   .n = sizeof(parts) / sizeof(parts[0])};

struct written {
    const struct agent *agent;
    struct buf transcript;
};

static int on_file(void *arg, const char *path, const void *p, size_t n, struct ct_err *err)
{
    struct written *w = arg;
    struct agent_path place;

    (void)err;
    w->agent->classify(path, &place);
    assert_int_not_equal(place.kind, AGENT_NOTHING);
    if (place.session_id[0] != '\0')
        assert_string_equal(place.session_id, ID);
    assert_int_equal(w->transcript.len, 0); /* it comes last */
    if (place.kind == AGENT_TRANSCRIPT)
        buf_add(&w->transcript, p, n);
    return 0;
}

static void on_turn(void *arg, const struct turn *t)
{
    if (t->kind == TURN_PROMPT || t->kind == TURN_ANSWER)
        buf_printf(arg, "%s: %s\n", turns_word(t->kind), t->text);
    else
        assert_int_equal(t->kind, TURN_NOTE);
}

static void check_turns(const struct written *w)
{
    struct buf got = {0}, want = {0};
    struct turns *t = turns_new(w->agent, on_turn, &got);

    turns_feed(t, w->transcript.data, w->transcript.len);
    turns_end(t);
    assert_int_equal(turns_unread(t), 0);
    for (size_t i = 0; i < words.n; i++)
        buf_printf(&want, "%s: %s\n", parts[i].by == WORDS_PERSON ? "prompt" : "answer",
                   parts[i].text);
    buf_addc(&got, '\0');
    buf_addc(&want, '\0');
    assert_string_equal(got.data, want.data);
    turns_free(t);
    buf_free(&got);
    buf_free(&want);
}

static void check_facts(const struct written *w)
{
    struct transcript *t = transcript_new(w->agent);
    struct news *n = news_new(w->agent);
    struct transcript_facts f;

    transcript_feed(t, w->transcript.data, w->transcript.len);
    transcript_facts(t, &f);
    assert_int_equal(f.bad_lines, 0);
    assert_int_equal(f.user_messages, 2);
    assert_int_equal(f.assistant_messages, 2);
    assert_int_equal(f.tool_calls, 0);
    assert_non_null(f.title);
    assert_string_equal(f.cwd, words.cwd);
    news_feed(n, w->transcript.data, w->transcript.len);
    news_end(n);
    assert_string_equal(news_cwd(n), words.cwd);
    assert_true(news_is_something(n));
    transcript_free(t);
    news_free(n);
}

static void words_are_read_as_they_were_written_by_every_agent(void **state)
{
    const struct agent *a;
    struct ct_err err;
    size_t n = 0;

    (void)state;
    for (size_t i = 0; (a = agent_at(i)) != NULL; i++) {
        struct written w = {.agent = a};
        if (a->write_words == NULL || strcmp(a->id, "gemini") == 0 ||
            strcmp(a->id, "opencode") == 0) /* their own tests: they look into the data folder */
            continue;
        assert_int_equal(a->write_words(&words, on_file, &w, &err), 0);
        assert_true(w.transcript.len > 0);
        assert_ptr_equal(agent_by_head(w.transcript.data, w.transcript.len), a);
        check_turns(&w);
        check_facts(&w);
        buf_free(&w.transcript);
        n++;
    }
    assert_true(n >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_read_as_they_were_written_by_every_agent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
