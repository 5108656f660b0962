/* The kernel's own part: what can be seen of it without a suspend.  heavy_suspend.bats has one. */
#include <poll.h>
#include <unistd.h>

#include "watcher/backend/resume.h"

#include "tests/unit.h"

static void the_timer_is_cancelled_by_a_set_clock_and_never_runs_out(void **state)
{
    int fd = resume_system_open();
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char path[64], line[256];
    int found = 0;
    FILE *f;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(poll(&p, 1, 0), 0);
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    f = fopen(path, "r");
    if (f == NULL)
        skip();
    while (fgets(line, sizeof(line), f) != NULL) {
        found += strcmp(line, "clockid: 0\n") == 0;        /* CLOCK_REALTIME */
        found += strcmp(line, "settime flags: 03\n") == 0; /* ABSTIME, CANCEL_ON_SET */
        found += strncmp(line, "it_value: (", 11) == 0 && strtoll(line + 11, NULL, 10) > 1LL << 30;
        found += strcmp(line, "it_interval: (0, 0)\n") == 0;
    }
    fclose(f);
    assert_int_equal(found, 4);
    close(fd);
}

static void the_time_asleep_only_grows(void **state)
{
    int64_t before = resume_system_asleep_ms();

    (void)state;
    assert_true(resume_system_asleep_ms() >= before - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_timer_is_cancelled_by_a_set_clock_and_never_runs_out),
        cmocka_unit_test(the_time_asleep_only_grows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
