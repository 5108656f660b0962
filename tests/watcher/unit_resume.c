/* A system whose sleep the test decides: resume_system_*() here are in place of resume_linux.c.
 * No test sets this machine's clock. */
#include <fcntl.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/base/fd.h"
#include "common/base/str.h"
#include "watcher/backend/resume.h"

#include "tests/unit.h"
#include "tests/watcher/watcher_picture.h"

static struct {
    int has_none; /* a system that tells of no suspend */
    int fd;       /* what wakes the loop is written here */
    int64_t asleep_ms;
    int asked; /* for that */
} machine = {.fd = -1};

int resume_system_open(void)
{
    int fds[2];

    if (machine.has_none)
        return -1;
    assert_int_equal(fd_pipe(fds), 0);
    assert_int_equal(fd_no_wait(fds[0]) | fd_no_wait(fds[1]), 0);
    machine.fd = fds[1];
    return fds[0];
}

int64_t resume_system_asleep_ms(void)
{
    machine.asked++;
    return machine.asleep_ms;
}

/* The wall clock was set, be it by somebody or by waking up. */
static void clock_was_set(void)
{
    assert_int_equal(write(machine.fd, "x", 1), 1);
}

static int start_machine(void **state)
{
    (void)state;
    machine.asleep_ms = 7777; /* it had slept before we came */
    machine.has_none = 0;
    return 0;
}

static int stop_machine(void **state)
{
    (void)state;
    if (machine.fd != -1)
        close(machine.fd);
    machine.fd = -1;
    return 0;
}

static void count(void *arg)
{
    ++*(int *)arg;
}

static void only_sleep_counts_as_a_suspend(void **state)
{
    struct event_base *base = event_base_new();
    struct resume *r;
    int woke = 0;

    (void)state;
    assert_int_equal(resume_new(base, count, &woke, &r, NULL), 0);
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(woke, 0);
    clock_was_set();
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(woke, 0);
    machine.asleep_ms += 60000;
    clock_was_set();
    clock_was_set();
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(woke, 1);
    clock_was_set(); /* by NTP, once the network is back */
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(woke, 1);
    resume_free(r);
    event_base_free(base);
}

static void nothing_is_left_to_read_so_the_loop_sleeps(void **state)
{
    struct event_base *base = event_base_new();
    struct resume *r;
    int woke = 0;

    (void)state;
    assert_int_equal(resume_new(base, count, &woke, &r, NULL), 0);
    machine.asleep_ms += 60000;
    for (int i = 0; i < 200; i++)
        clock_was_set();
    machine.asked = 0;
    for (int i = 0; i < 10; i++)
        event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(machine.asked, 1);
    assert_int_equal(woke, 1);
    resume_free(r);
    event_base_free(base);
}

static void short_sleeps_add_up(void **state)
{
    struct event_base *base = event_base_new();
    struct resume *r;
    int woke = 0;

    (void)state;
    assert_int_equal(resume_new(base, count, &woke, &r, NULL), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(woke, 0);
        machine.asleep_ms += 900;
        resume_look(r);
    }
    assert_int_equal(woke, 1);
    resume_free(r);
    event_base_free(base);
}

static void waking_up_scans_everything_once(void **state)
{
    struct picture *p = picture_setup(2);

    (void)state;
    picture_mkdir(picture_path(p, 0, "projects/x"));
    picture_put(picture_path(p, 0, "projects/x/s.jsonl"), 3);
    picture_mkdir(picture_path(p, 1, "projects"));
    picture_start(p);
    picture_drain(p);
    assert_int_equal(p->scanned, 2);
    clock_was_set();
    picture_drain(p);
    assert_int_equal(p->scanned, 2);
    machine.asleep_ms += 3600 * 1000;
    clock_was_set();
    picture_until(p, &p->scanned, 4);
    picture_drain(p);
    assert_int_equal(p->scanned, 4);
    assert_int_equal(p->resumed, 1);
    picture_free(p);
}

static void a_system_that_tells_nothing_is_asked_on_occasion(void **state)
{
    struct picture *p = picture_setup(1);

    (void)state;
    machine.has_none = 1;
    picture_mkdir(picture_path(p, 0, "projects/x"));
    picture_start(p);
    picture_drain(p);
    machine.asleep_ms += 3600 * 1000;
    picture_put(picture_path(p, 0, "projects/x/s.jsonl"), 3);
    picture_until(p, &p->scanned, 2);
    assert_int_equal(p->resumed, 1);
    picture_free(p);
}

#define MACHINE(f) cmocka_unit_test_setup_teardown(f, start_machine, stop_machine)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MACHINE(only_sleep_counts_as_a_suspend),
        MACHINE(nothing_is_left_to_read_so_the_loop_sleeps),
        MACHINE(short_sleeps_add_up),
        MACHINE(waking_up_scans_everything_once),
        MACHINE(a_system_that_tells_nothing_is_asked_on_occasion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
