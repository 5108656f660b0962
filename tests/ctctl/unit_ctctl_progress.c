/* How far a transfer is, on a terminal and in a pipe. */
#include "tests/unit.h"

#include <fcntl.h>
#include <locale.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/str.h"
#include "ctctl/ui/progress.h"

static const struct text_style terminal = {.width = 100, .is_terminal = 1, .is_utf8 = 1};
static const struct text_style tube = {.is_utf8 = 1};

static void a_line_tells_percent_bytes_speed_and_time_left(void **state)
{
    struct buf b = {0};

    (void)state;
    progress_line(&terminal, "Downloading", 25000000, 100000000, 5000000, 16, &b);
    assert_non_null(strstr(b.data, "Downloading  \xE2\x96\x88"));
    assert_non_null(strstr(b.data, " 25 %  25.0 MB of 100 MB  5.0 MB/s  16 s left"));
    assert_true(text_columns(b.data) < 100);
    buf_free(&b);
}

static void an_unknown_total_shows_no_percent(void **state)
{
    struct buf b = {0};

    (void)state;
    progress_line(&terminal, "Downloading", 25000000, 0, 5000000, -1, &b);
    assert_string_equal(b.data, "Downloading  25.0 MB  5.0 MB/s");
    buf_free(&b);
}

static void a_line_is_never_wider_than_the_terminal(void **state)
{
    (void)state;
    for (int width = 1; width < 120; width++) {
        struct text_style st = terminal;
        struct buf b = {0};
        st.width = width;
        progress_line(&st, "\xE4\xBC\x9A\xE8\xA9\xB1 a long name for a session", 1, 3, 1, 2, &b);
        assert_true(width < 2 || text_columns(b.data) < (size_t)width);
        assert_null(strchr(b.data, '\n'));
        buf_free(&b);
    }
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
    struct buf b = {0};

    (void)state;
    progress_line(&terminal, "a\033[31mb\r", 1, 3, 1, 2, &b);
    assert_null(strchr(b.data, '\033'));
    assert_null(strchr(b.data, '\r'));
    buf_free(&b);
}

/* What goes to stderr meanwhile. */
static void transfer(const char *dir, const struct text_style *st, int64_t step_ms, struct buf *ret)
{
    char *path = str_printf("%s/err", dir);
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600), was;
    struct progress *p;
    int64_t now = 1000;

    fflush(stderr);
    was = dup(STDERR_FILENO);
    assert_true(dup2(fd, STDERR_FILENO) >= 0);
    p = progress_new(st, "Downloading", now);
    for (int i = 0; i <= 100; i++, now += step_ms)
        progress_to(p, i * 1000000, 100000000, now);
    progress_free(p);
    fflush(stderr);
    assert_true(dup2(was, STDERR_FILENO) >= 0);
    close(was);
    close(fd);
    assert_int_equal(file_read(path, 1 << 20, ret, NULL), 0);
    buf_addstr(ret, "");
    free(path);
}

static int count(const char *s, const char *what)
{
    int n = 0;

    while ((s = strstr(s, what)) != NULL) {
        n++;
        s++;
    }
    return n;
}

static void a_terminal_gets_one_line_that_is_gone_in_the_end(void **state)
{
    struct buf b = {0};

    transfer(*state, &terminal, 10, &b);
    assert_int_equal(count(b.data, "\n"), 0);
    assert_in_range(count(b.data, "Downloading"), 8, 13); /* of 101: ten a second */
    assert_non_null(strstr(b.data, "100 %"));
    assert_string_equal(b.data + b.len - 4, "\r\033[K");
    buf_free(&b);
}

static void a_pipe_gets_plain_lines_and_few(void **state)
{
    struct buf b = {0};

    transfer(*state, &tube, 400, &b); /* 40 s */
    assert_null(strchr(b.data, '\033'));
    assert_null(strchr(b.data, '\r'));
    assert_in_range(count(b.data, "\n"), 3, 5);
    assert_non_null(strstr(b.data, " of 100 MB  2.5 MB/s"));
    buf_free(&b);
}

/* Steps of any size, at any pace: what is said of the time left follows from what was measured. */
static void the_time_left_does_not_jump(void **state)
{
    char *path = str_printf("%s/err", (const char *)*state), *at;
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600), was;
    int64_t now = 1000, done = 0, last = -1;
    struct progress *p;
    struct buf b = {0};

    fflush(stderr);
    was = dup(STDERR_FILENO);
    assert_true(dup2(fd, STDERR_FILENO) >= 0);
    p = progress_new(&terminal, "Saving", now);
    progress_of(p, 3, 12);
    /* 5 MB/s on average, in bursts: a second of 10 MB, a second of nothing */
    for (int i = 0; i < 600; i++, now += 100) {
        done += i / 10 % 2 == 0 ? 1000000 : 0;
        progress_to(p, done, 400000000, now);
    }
    progress_free(p);
    fflush(stderr);
    assert_true(dup2(was, STDERR_FILENO) >= 0);
    close(was);
    close(fd);
    assert_int_equal(file_read(path, 1 << 22, &b, NULL), 0);
    buf_addstr(&b, "");
    assert_non_null(strstr(b.data, "Saving 3 of 12  "));
    for (at = strtok(b.data, "\r"); at != NULL; at = strtok(NULL, "\r")) {
        char *left = strstr(at, " left"), *unit;
        int64_t s;
        if (left == NULL)
            continue;
        *left = '\0';
        unit = strrchr(at, ' ');
        *unit = '\0';
        s = strtoll(strrchr(at, ' '), NULL, 10) * (strcmp(unit + 1, "min") == 0 ? 60 : 1);
        assert_true(last < 0 || (s <= last + 60 && s >= last - 60));
        assert_true(s >= 10 && s <= 120);
        last = s;
    }
    assert_true(last > 0);
    buf_free(&b);
    free(path);
}

static void what_is_done_in_a_moment_is_not_worth_a_line(void **state)
{
    struct buf b = {0};

    transfer(*state, &tube, 20, &b);
    assert_int_equal(b.len, 0);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_tells_percent_bytes_speed_and_time_left),
        cmocka_unit_test(an_unknown_total_shows_no_percent),
        cmocka_unit_test(a_line_is_never_wider_than_the_terminal),
        cmocka_unit_test(control_characters_do_not_reach_the_terminal),
        cmocka_unit_test_setup_teardown(a_terminal_gets_one_line_that_is_gone_in_the_end,
                                        unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(the_time_left_does_not_jump, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_pipe_gets_plain_lines_and_few, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(what_is_done_in_a_moment_is_not_worth_a_line, unit_setup,
                                        unit_teardown),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
