#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/log.h"
#include "common/base/log_fields.h"
#include "common/base/log_impl.h"

/* Log by ${f} with stderr in a file, and return what came there; the caller frees it. */
static char *logged(void (*f)(void))
{
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    char *text = calloc(1, 1 << 16);

    assert_non_null(file);
    assert_non_null(text);
    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    f();
    log_flush();
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
    fclose(file);
    return text;
}

static int count(const char *text, const char *what)
{
    int n = 0;

    for (const char *s = text; (s = strstr(s, what)) != NULL; s += strlen(what))
        n++;
    return n;
}

static void a_storm(void)
{
    for (int i = 0; i < 512; i++)
        log_line(LOG_LEVEL_WARN, "broken pipe=1", 1000 + i);
    log_line(LOG_LEVEL_INFO, "other", 2000);
}

static void a_storm_of_one_line_is_ten_lines_and_a_number(void **state)
{
    char *text = logged(a_storm);

    (void)state;
    assert_int_equal(count(text, "broken pipe=1"), 11);
    assert_int_equal(count(text, "repeated times=502 message: broken pipe=1"), 1);
    assert_int_equal(count(text, "other"), 1);
    free(text);
}

static void two_in_turns(void)
{
    for (int i = 0; i < 100; i++) {
        log_line(LOG_LEVEL_WARN, "this", 100000 + i);
        log_line(LOG_LEVEL_WARN, "that", 100000 + i);
    }
    /* a minute later it is news again, and the number comes first */
    log_line(LOG_LEVEL_WARN, "this", 170000);
}

static void two_lines_in_turns_are_held_back_each_and_told_after_a_minute(void **state)
{
    char *text = logged(two_in_turns);
    const char *number = strstr(text, "repeated times=90 message: this");

    (void)state;
    assert_non_null(number);
    assert_non_null(strstr(text, "repeated times=90 message: that"));
    assert_non_null(strstr(number + 40, ": this\n"));
    assert_int_equal(count(text, ": this\n"), 12);
    free(text);
}

static void many_different(void)
{
    char line[32];

    for (int i = 0; i < 100; i++) {
        snprintf(line, sizeof(line), "line n=%d", i);
        log_line(LOG_LEVEL_INFO, line, 300000);
    }
}

static void different_lines_all_come(void **state)
{
    char *text = logged(many_different);

    (void)state;
    assert_int_equal(count(text, "line n="), 100);
    assert_int_equal(count(text, "repeated"), 0);
    free(text);
}

static void a_line_becomes_fields(void **state)
{
    struct log_fields f;

    (void)state;
    log_fields("upload-failed session=4f01 retry-in=12 error=\"can't: \\\"x\\\" y=1\" final=no",
               &f);
    assert_int_equal(f.n, 5);
    assert_string_equal(f.v[0], "CT_EVENT=upload-failed");
    assert_string_equal(f.v[1], "CT_SESSION=4f01");
    assert_string_equal(f.v[2], "CT_RETRY_IN=12");
    assert_string_equal(f.v[3], "CT_ERROR=can't: \\\"x\\\" y=1");
    assert_string_equal(f.v[4], "CT_FINAL=no");
}

static void formatted_into(char *line, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void formatted_into(char *line, size_t size, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_format(line, size, fmt, ap);
    va_end(ap);
}

#define formatted(line, ...) formatted_into(line, sizeof(line), __VA_ARGS__)

static void what_is_quoted_can_not_make_a_field(void **state)
{
    struct log_fields f;

    (void)state;
    log_fields("found name=\"a session=evil priority=0\" \"b session=evil\" SESSION=evil =x y", &f);
    assert_int_equal(f.n, 2);
    assert_string_equal(f.v[0], "CT_EVENT=found");
    assert_string_equal(f.v[1], "CT_NAME=a session=evil priority=0");
    log_fields("cut name=\"never ends \\", &f);
    assert_int_equal(f.n, 2);
    log_fields("", &f);
    assert_int_equal(f.n, 1);
}

static void too_many_or_too_long_fields_are_left_out(void **state)
{
    static char line[8192];
    struct log_fields f;

    (void)state;
    strcpy(line, "many");
    for (int i = 0; i < 100; i++)
        strcat(line, " k=v");
    log_fields(line, &f);
    assert_int_equal(f.n, LOG_FIELDS_MAX);
    strcpy(line, "long k=");
    memset(line + 7, 'x', 5000);
    strcpy(line + 5007, " l=1");
    log_fields(line, &f);
    assert_int_equal(f.n, 2);
    assert_string_equal(f.v[1], "CT_L=1");
}

/* A server's sentence, a file's name, a key that somebody typed: none makes a field or a line. */
static void a_text_between_quotes_in_the_format_can_not_end_them(void **state)
{
    static const char *const texts[] = {
        "bad\" final=yes priority=0 error=\"",
        "a\\\" b=\"c",
        "line\nupload-failed session=evil",
        "\033[2J\r\t\177",
        "",
        "\\",
        "quite harmless, with a \"quoted\" word",
        "\xff\xfe not UTF-8 \"",
    };
    char line[LOG_LINE_SIZE];
    struct log_fields f;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        formatted(line, "failed code=%s n=%lld error=\"%s\" why=\"%.9s\" final=no", "x", 12LL,
                  texts[i], texts[i]);
        assert_null(strpbrk(line, "\n\r\033\t\177"));
        log_fields(line, &f);
        assert_int_equal(f.n, 6);
        assert_string_equal(f.v[0], "CT_EVENT=failed");
        assert_memory_equal(f.v[3], "CT_ERROR=", 9);
        assert_memory_equal(f.v[4], "CT_WHY=", 7);
        assert_string_equal(f.v[5], "CT_FINAL=no");
    }
    formatted(line, "a d=%d u=%u ld=%ld lu=%lu lld=%lld llu=%llu zu=%zu s=%s p=%.2s 100%% x=%04x",
              -1, 2U, -3L, 4UL, -5LL, 6ULL, (size_t)7, "s", "abc", 255);
    assert_string_equal(line, "a d=-1 u=2 ld=-3 lu=4 lld=-5 llu=6 zu=7 s=s p=ab 100% x=00ff");
}

static void a_line_that_is_too_long_is_cut(void **state)
{
    char line[16];

    (void)state;
    formatted_into(line, sizeof(line), "abc error=\"%s\"", "0123456789");
    assert_string_equal(line, "abc error=\"0123");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_storm_of_one_line_is_ten_lines_and_a_number),
        cmocka_unit_test(two_lines_in_turns_are_held_back_each_and_told_after_a_minute),
        cmocka_unit_test(different_lines_all_come),
        cmocka_unit_test(a_line_becomes_fields),
        cmocka_unit_test(what_is_quoted_can_not_make_a_field),
        cmocka_unit_test(a_text_between_quotes_in_the_format_can_not_end_them),
        cmocka_unit_test(a_line_that_is_too_long_is_cut),
        cmocka_unit_test(too_many_or_too_long_fields_are_left_out),
    };

    unsetenv("JOURNAL_STREAM");
    log_init("unit_log", LOG_LEVEL_DEBUG);
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
