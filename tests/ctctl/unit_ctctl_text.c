#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "ctctl/cli.h"
#include "ctctl/verbs.h"
#include "ctctl/ui/jout.h"
#include "ctctl/ctx/opts.h"
#include "ctctl/cloud/sessions.h"
#include "ctctl/ui/table.h"
#include "ctctl/ui/state.h"
#include "ctctl/ui/text.h"

static const struct text_style wide = {.width = 80, .is_utf8 = 1};
static const struct text_style ascii = {.width = 80};

#define HAN "\xE6\xBC\xA2" /* two columns */
#define ELLIPSIS "\xE2\x80\xA6"

static void assert_lines_fit(const char *text, size_t width)
{
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        char *line = str_printf("%.*s", (int)n, text);
        if (text_columns(line) > width)
            fail_msg("wider than %zu columns: %s", width, line);
        free(line);
        text += n + (text[n] == '\n');
    }
}

static void a_cjk_character_takes_two_columns(void **state)
{
    (void)state;
    assert_int_equal(text_columns("abc"), 3);
    assert_int_equal(text_columns(HAN HAN HAN), 6);
    assert_int_equal(text_columns("e\xCC\x81"), 1); /* with a combining accent */
}

static void a_cut_never_splits_a_wide_character_and_shows(void **state)
{
    char *s;

    (void)state;
    s = text_fit(&wide, HAN HAN HAN, 6);
    assert_string_equal(s, HAN HAN HAN);
    free(s);
    s = text_fit(&wide, HAN HAN HAN, 5);
    assert_string_equal(s, HAN HAN ELLIPSIS);
    free(s);
    s = text_fit(&wide, HAN HAN HAN, 4);
    assert_string_equal(s, HAN ELLIPSIS);
    free(s);
    s = text_fit(&ascii, "abcdefgh", 6);
    assert_string_equal(s, "abc...");
    free(s);
    s = text_fit(&ascii, "abcdefgh", 2);
    assert_string_equal(s, "ab");
    free(s);
}

static void what_moves_the_cursor_does_not_get_through(void **state)
{
    char *s;

    (void)state;
    s = text_clean(&wide, "a\033[31mb\nc\r\xC2\x9B"
                          "d\xE2\x80\xAE"
                          "e\xff");
    for (const char *p = s; *p != '\0'; p++)
        assert_true((unsigned char)*p >= 0x20);
    assert_null(strstr(s, "\xC2\x9B"));
    assert_null(strstr(s, "\xE2\x80\xAE"));
    free(s);
    s = text_clean(&ascii, "caf\xC3\xA9 " HAN);
    assert_string_equal(s, "caf? ?");
    free(s);
    s = text_clean(&wide, NULL);
    assert_string_equal(s, "");
    free(s);
}

static void what_belongs_on_one_line_has_blanks_for_new_lines(void **state)
{
    char *s = text_line(&wide, "\n one\n\n\ttwo\r\nthree  four\x1b");

    (void)state;
    assert_string_equal(s, " one two three  four\xEF\xBF\xBD");
    free(s);
    s = text_line(&wide, NULL);
    assert_string_equal(s, "");
    free(s);
}

static void wrapping_breaks_at_spaces_and_long_words_anywhere(void **state)
{
    struct text_style st = {.width = 20, .is_utf8 = 1};
    struct buf b = {0};

    (void)state;
    text_wrap(&b, &st, TEXT_PLAIN, "one: ", "  ", "alpha beta gamma delta");
    assert_string_equal(b.data, "one: alpha beta\n  gamma delta\n");
    buf_reset(&b);
    text_wrap(&b, &st, TEXT_PLAIN, "", "", "/a/very/long/path/without/any/space/in/it");
    assert_lines_fit(b.data, 20);
    assert_non_null(strchr(b.data, '\n'));
    buf_reset(&b);
    text_wrap(&b, &st, TEXT_PLAIN, "", "", HAN HAN HAN HAN HAN HAN HAN HAN HAN HAN HAN);
    assert_lines_fit(b.data, 20);
    buf_reset(&b);
    st.width = 0;
    text_wrap(&b, &st, TEXT_PLAIN, "", "",
              "no limit means one line, however long it is, with no break");
    assert_ptr_equal(strchr(b.data, '\n'), b.data + b.len - 1);
    buf_free(&b);
}

static void colour_is_for_terminals(void **state)
{
    struct text_style st = wide;
    struct buf b = {0};

    (void)state;
    text_add(&b, &st, TEXT_RED, "x");
    assert_string_equal(b.data, "x");
    st.has_colour = 1;
    text_add(&b, &st, TEXT_RED, "y");
    assert_string_equal(b.data, "x\033[1;31my\033[0m");
    buf_free(&b);
}

static void times_are_relative(void **state)
{
    struct text_style st = wide;
    char buf[64];

    (void)state;
    st.now_ms = 1000000000;
    assert_string_equal(text_ago(&st, st.now_ms - 1000, buf, sizeof(buf)), "just now");
    assert_string_equal(text_ago(&st, st.now_ms - 180000, buf, sizeof(buf)), "3 min ago");
    assert_string_equal(text_ago(&st, st.now_ms + 7200000, buf, sizeof(buf)), "in 2 h");
    assert_string_equal(text_ago(&st, st.now_ms + 7199000, buf, sizeof(buf)), "in 2 h");
    assert_string_equal(text_ago_of(&st, NULL, buf, sizeof(buf)), "never");
    assert_string_equal(text_ago_of(&st, "garbage", buf, sizeof(buf)), "never");
    assert_string_equal(text_ago_of(&st, "1970-01-12T13:41:40Z", buf, sizeof(buf)), "5 min ago");
}

/* ---- tables -----------------------------------------------------------------------------------
 */

static const struct table_column columns[] = {
    {"ID", 0, 0, 0}, {"TITLE", 0, 16, 0}, {"SIZE", 1, 0, 0}};

static char *sample_table(const struct text_style *st)
{
    static const char *const rows[][3] = {
        {"3f2a9c1b", "A title that is much longer than what a narrow terminal can show", "1.2 MB"},
        {"77777777", HAN HAN HAN HAN HAN HAN HAN HAN HAN HAN HAN HAN HAN HAN HAN HAN HAN, "9 B"},
        {"88888888", "evil\033]0;title\007\nnew line", NULL},
    };
    struct table *t = table_new(st, columns, 3);
    struct buf b = {0};

    for (size_t i = 0; i < 3; i++)
        table_row(t, rows[i]);
    table_print(t, &b);
    table_free(t);
    return buf_steal(&b);
}

static void a_table_fits_any_width(void **state)
{
    struct text_style st = wide;

    (void)state;
    for (st.width = 12; st.width <= 120; st.width++) {
        for (st.is_utf8 = 0; st.is_utf8 <= 1; st.is_utf8++) {
            char *s = sample_table(&st);
            size_t lines = 0;
            assert_lines_fit(s, (size_t)st.width);
            assert_null(strchr(s, '\033'));
            for (const char *p = s; *p != '\0'; p++)
                lines += *p == '\n';
            assert_int_equal(lines, 4);
            free(s);
        }
    }
}

static void only_elastic_columns_are_cut_while_they_can_give(void **state)
{
    struct text_style st = wide;
    char *s;

    (void)state;
    st.width = 40;
    s = sample_table(&st);
    assert_non_null(strstr(s, "3f2a9c1b  "));
    assert_non_null(strstr(s, "  1.2 MB\n"));
    assert_non_null(strstr(s, ELLIPSIS));
    free(s);
    st.width = 0;
    s = sample_table(&st);
    assert_null(strstr(s, ELLIPSIS));
    free(s);
}

static void columns_to_do_without_go_before_a_title_becomes_useless(void **state)
{
    static const struct table_column ranked[] = {
        {"ID", 0, 0, 0}, {"TITLE", 0, 16, 0}, {"MSGS", 1, 0, 2}, {"SIZE", 1, 0, 1}};
    static const char *const cells[] = {"3f2a9c1b", "A title of thirty-one columns.", "12", "1 kB"};
    static const struct {
        int width, has_msgs, has_size;
    } cases[] = {{80, 1, 1}, {42, 1, 1}, {38, 1, 1}, {37, 0, 1},
                 {32, 0, 1}, {31, 0, 0}, {20, 0, 0}};
    struct text_style st = wide;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf b = {0};
        struct table *t;
        st.width = cases[i].width;
        t = table_new(&st, ranked, 4);
        table_row(t, cells);
        table_print(t, &b);
        table_free(t);
        assert_lines_fit(b.data, (size_t)st.width);
        assert_int_equal(strstr(b.data, "MSGS") != NULL, cases[i].has_msgs);
        assert_int_equal(strstr(b.data, "1 kB") != NULL, cases[i].has_size);
        assert_non_null(strstr(b.data, "3f2a9c1b"));
        buf_free(&b);
    }
}

static void numbers_stand_at_the_right(void **state)
{
    char *s = sample_table(&wide);

    (void)state;
    assert_non_null(strstr(s, "    9 B\n"));
    free(s);
}

/* ---- JSON, options, verbs ----------------------------------------------------------------------
 */

static void json_on_a_terminal_is_escaped_and_stays_the_same_document(void **state)
{
    struct json_object *o = json_object_new_object(), *again;
    struct buf b = {0};

    (void)state;
    jdoc_set_str(o, "t",
                 "a\033\xC2\x9B"
                 "b\xE2\x80\xAE\x7f" HAN "\xF0\x9F\x98\x80/");
    for (int pretty = 0; pretty <= 1; pretty++) {
        jout_add(&b, o, pretty);
        assert_null(strchr(b.data, '\033'));
        assert_null(strstr(b.data, "\xC2\x9B"));
        assert_null(strstr(b.data, "\xE2\x80\xAE"));
        assert_null(strchr(b.data, '\x7f'));
        assert_int_equal(jdoc_parse(b.data, b.len, &again, NULL), 0);
        assert_true(json_object_equal(o, again));
        json_object_put(again);
        buf_reset(&b);
    }
    buf_free(&b);
    json_object_put(o);
}

static void durations_have_units(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {
        {"30s", 30},        {"2h", 7200},      {"90m", 5400},     {"1d", 86400},
        {"45s", 45},        {"1h30m", 5400},   {"1d12h", 129600}, {"2w", 1209600},
        {"400d", 34560000}, {"6mo", 15552000}, {"1y", 31536000},  {"1mo1d", 2678400},
    };
    static const char *const bad[] = {
        "",       "90",  "h",  "-1h",    "1.5h", "1h ", "2x", "0m", "99999999999999999999h",
        "99999d", " 1h", "1M", "6months"};
    const int64_t century_s = 36600LL * 86400;
    struct ctx c;
    int64_t s;

    (void)state;
    ctx_init(&c);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(opts_duration(&c, "x", good[i].text, OPTS_MINUTES, century_s, &s), -1);
        assert_int_equal(s, good[i].seconds);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(opts_duration(&c, "x", bad[i], OPTS_MINUTES, century_s, &s), CTX_USAGE);
    ctx_clear(&c);
}

static void a_misspelt_verb_is_recognised(void **state)
{
    (void)state;
    assert_string_equal(verbs_resembles("sttus"), "status");
    assert_string_equal(verbs_resembles("lst"), "list");
    assert_string_equal(verbs_resembles("logn"), "login");
    assert_string_equal(verbs_resembles("version"), "versions");
    assert_null(verbs_resembles("xyzzyplugh"));
}

static void what_other_programs_call_it_is_recognised(void **state)
{
    (void)state;
    assert_string_equal(verbs_resembles("push"), "sync");
    assert_string_equal(verbs_resembles("restore"), "pull");
    assert_string_equal(verbs_resembles("ls"), "list");
    assert_string_equal(verbs_resembles("log"), "show");
}

static void every_verb_has_help_that_fits(void **state)
{
    char *all = cli_help(NULL);
    const struct verb *v;

    (void)state;
    for (size_t i = 0; (v = verbs_at(i)) != NULL; i++) {
        char *help = cli_help(v), *line = str_printf("\n  %-9s %s", v->name, v->summary);
        assert_ptr_equal(verbs_find(v->name), v);
        assert_non_null(strstr(help, v->help));
        assert_non_null(strstr(help, v->name));
        assert_lines_fit(help, 90);
        assert_non_null(strstr(all, line));
        free(line);
        free(help);
    }
    assert_lines_fit(all, 90);
    free(all);
}

/* The manual names every state, with the word that JSON has for it if that is another one. */
static void the_manual_has_the_table_of_states(void **state)
{
    const char *src = getenv("CT_SRC");
    char *path = str_printf("%s/man/ctctl.1", src != NULL ? src : "..");
    const struct state_word *w;
    struct buf b = {0};

    (void)state;
    assert_int_equal(file_read(path, 1 << 20, &b, NULL), 0);
    buf_addc(&b, '\0');
    for (size_t i = 0; (w = state_word(i)) != NULL; i++) {
        char *item = strcmp(w->json, w->word) == 0
                         ? str_printf("\n.It Dq %s\n", w->word)
                         : str_printf("\n.It Dq %s Pq %s\n", w->word, w->json);
        if (strcmp(w->json, STATE_HERE_ONLY) != 0 && strstr(b.data, item) == NULL)
            fail_msg("ctctl.1 lacks the state \"%s\"", w->word);
        assert_ptr_equal(state_find(w->json), w);
        free(item);
    }
    buf_free(&b);
    free(path);
}

static void a_session_on_this_machine_only_is_never_called_safe(void **state)
{
    static const char *const states[] = {"synced",   "archived",  "pending",  "uploading", "failed",
                                         "excluded", "duplicate", "diverged", "limit"};
    struct json_object *o = json_object_new_object();
    enum text_colour colour;

    (void)state;
    jdoc_set_str(o, "state", "synced");
    jdoc_set_str(o, "place", "cloud");
    assert_string_equal(sessions_state(o, &colour), "safe");
    assert_int_equal(colour, TEXT_GREEN);
    jdoc_set_str(o, "place", "this machine only");
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        jdoc_set_str(o, "state", states[i]);
        assert_null(strstr(sessions_state(o, &colour), "safe"));
        assert_int_not_equal(colour, TEXT_GREEN);
        if (i < 2)
            assert_string_equal(sessions_state(o, &colour), "this machine only");
    }
    json_object_put(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cjk_character_takes_two_columns),
        cmocka_unit_test(a_cut_never_splits_a_wide_character_and_shows),
        cmocka_unit_test(what_moves_the_cursor_does_not_get_through),
        cmocka_unit_test(what_belongs_on_one_line_has_blanks_for_new_lines),
        cmocka_unit_test(wrapping_breaks_at_spaces_and_long_words_anywhere),
        cmocka_unit_test(colour_is_for_terminals),
        cmocka_unit_test(times_are_relative),
        cmocka_unit_test(a_table_fits_any_width),
        cmocka_unit_test(only_elastic_columns_are_cut_while_they_can_give),
        cmocka_unit_test(columns_to_do_without_go_before_a_title_becomes_useless),
        cmocka_unit_test(numbers_stand_at_the_right),
        cmocka_unit_test(json_on_a_terminal_is_escaped_and_stays_the_same_document),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(a_misspelt_verb_is_recognised),
        cmocka_unit_test(what_other_programs_call_it_is_recognised),
        cmocka_unit_test(every_verb_has_help_that_fits),
        cmocka_unit_test(the_manual_has_the_table_of_states),
        cmocka_unit_test(a_session_on_this_machine_only_is_never_called_safe),
    };

    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL && setlocale(LC_CTYPE, "en_US.UTF-8") == NULL)
        fputs("# no UTF-8 locale here: widths can't be told\n", stderr);
    return cmocka_run_group_tests_name("ctctl text", tests, NULL, NULL);
}
