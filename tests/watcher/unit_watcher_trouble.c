#include <sys/stat.h>

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "watcher/watcher.h"

#include "tests/watcher/watcher_picture.h"

static void unreadable_folder_is_named_and_heals(void **state)
{
    struct picture *p = picture_setup_for(state, 1);
    static const char *const own[] = {"markers", "a", "a/projects", "a/projects/x",
                                      "a/projects/x/f"};
    const char *dir = picture_path(p, 0, "projects/x");

    if (geteuid() != 0)
        skip(); /* only root can become somebody else and come back */
    picture_mkdir(dir);
    picture_put(picture_path(p, 0, "projects/x/f"), 4);
    picture_start(p);
    picture_drain(p);
    assert_int_equal(picture_check(p), 1);
    picture_stop(p);
    assert_int_equal(chown(p->dir, 65534, (gid_t)-1), 0);
    assert_int_equal(chmod(dir, 0), 0);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        assert_int_equal(chown(picture_path(p, -1, "%s", own[i]), 65534, (gid_t)-1), 0);
    assert_int_equal(seteuid(65534), 0);
    picture_start(p);
    picture_drain(p);
    assert_int_equal(picture_has(p, 0, "projects/x/f"), 4); /* not taken for gone */
    assert_int_equal(picture_untaken(p), 1);
    assert_non_null(strstr(p->untaken.v[0], "projects/x: the folder can't be read"));
    picture_degraded(p);
    assert_int_equal(p->degraded.n, 0);
    assert_int_equal(chmod(dir, 0700), 0);
    picture_append(picture_path(p, 0, "projects/x/f"), 4);
    picture_until(p, &p->changed, 2);
    picture_drain(p);
    assert_int_equal(picture_check(p), 1);
    assert_int_equal(picture_untaken(p), 0);
    assert_int_equal(seteuid(getuid()), 0);
    picture_free(p);
}

static void rescan_finds_everything_again(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/x/y"));
    for (int i = 0; i < 10; i++)
        picture_put(picture_path(p, 0, "projects/x/y/%d", i), i);
    picture_start(p);
    picture_drain(p);
    assert_int_equal(p->changed, 10);
    watcher_rescan(p->w);
    picture_drain(p);
    /* Where events are dropped on purpose, the watcher looks once more by itself for each. */
    if (getenv("CT_FSEVENTS") == NULL) {
        assert_int_equal(p->began, 2);
        assert_int_equal(p->seen, 10);
    }
    assert_true(p->began >= 2);
    assert_true(p->seen >= 10);
    assert_int_equal(p->scanned, p->began);
    assert_int_equal(p->changed, 10);
    picture_free(p);
}

static void slow_rescan_comes_by_itself(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects"));
    p->opts.rescan_ms = 20;
    picture_start(p);
    picture_until(p, &p->scanned, 4);
    assert_true(p->began >= 4);
    picture_free(p);
}

static void lost_marker_folder_does_not_stall_a_drain(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/x"));
    picture_start(p);
    picture_drain(p);
    picture_put(picture_path(p, 0, "projects/x/f"), 1);
    picture_remove(p->opts.marker_dir);
    picture_drain(p);
    assert_int_equal(picture_check(p), 1);
    picture_mkdir(p->opts.marker_dir);
    picture_append(picture_path(p, 0, "projects/x/f"), 1);
    picture_drain(p);
    assert_int_equal(picture_has(p, 0, "projects/x/f"), 2);
    picture_free(p);
}

static void very_deep_trees_do_no_harm(void **state)
{
    struct picture *p = picture_setup_for(state, 1);
    char path[PATH_MAX];
    size_t n;

    picture_mkdir(picture_path(p, 0, "projects/x"));
    n = (size_t)snprintf(path, sizeof(path), "%s", picture_path(p, 0, "projects/x"));
    while (n + 2 < 2000) {
        n += (size_t)snprintf(path + n, sizeof(path) - n, "/d");
        assert_int_equal(mkdir(path, 0700), 0);
    }
    picture_start(p);
    picture_drain(p);
    picture_put(strcat(path, "/file"), 5);
    picture_drain(p);
    assert_int_equal(picture_check(p), 1);
    picture_remove(picture_path(p, 0, "projects/x"));
    picture_drain(p);
    assert_int_equal(picture_check(p), 0);
    picture_free(p);
}

static long switches(void)
{
    struct buf text = {0};
    long n;
    char *at;

    assert_int_equal(file_read("/proc/self/status", 65536, &text, NULL), 0);
    assert_non_null(at = strstr(text.data, "\nvoluntary_ctxt_switches:"));
    n = atol(strchr(at, ':') + 1);
    buf_free(&text);
    return n;
}

static void stop_loop(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(arg);
}

static void idle_does_not_wake_up(void **state)
{
    struct picture *p = picture_setup_for(state, 1);
    struct timeval tv = {.tv_sec = 3};
    struct event *end;
    long before, woken = 0;
    char *path;

    if (access("/proc/self/status", R_OK) == -1)
        skip();
    picture_mkdir(picture_path(p, 0, "projects/x"));
    picture_mkdir(picture_path(p, 0, "debug"));
    picture_put(picture_path(p, 0, "projects/x/f"), 1);
    p->opts.rescan_ms = 1800000;
    picture_start(p);
    picture_needs_watches(p);
    path = path_join(p->dir, "cred/config.json");
    assert_int_equal(watcher_add_file(p->w, path, NULL), 0);
    picture_drain(p);
    picture_drain(p);
    end = evtimer_new(p->base, stop_loop, p->base);
    /* One sleep until the timer of this test, and nothing else; the second time, for what is told
     * late. */
    for (int i = 0; i < 2; i++) {
        event_base_loop(p->base, EVLOOP_NONBLOCK);
        evtimer_add(end, &tv);
        before = switches();
        event_base_dispatch(p->base);
        woken = switches() - before;
        if (woken <= 1)
            break;
    }
    assert_true(woken <= 1);
    event_free(end);
    free(path);
    picture_free(p);
}

static void unwanted_folders_cost_nothing(void **state)
{
    struct picture *p = picture_setup_for(state, 1);
    struct watcher_stats stats;

    picture_mkdir(picture_path(p, 0, "projects/x"));
    for (int i = 0; i < 50; i++)
        picture_mkdir(picture_path(p, 0, "debug/%d/deep", i));
    picture_start(p);
    picture_needs_watches(p);
    picture_drain(p);
    watcher_stats(p->w, &stats);
    assert_string_not_equal(stats.backend, "polling");
    /* root, projects, x; the marker; the folders above the root */
    assert_true(stats.watches < 3 + 1 + 10);
    picture_put(picture_path(p, 0, "debug/1/deep/log"), 1);
    picture_drain(p);
    assert_int_equal(p->changed, 0);
    assert_int_equal(picture_check(p), 0);
    picture_free(p);
}

static void polling_says_so(void **state)
{
    struct picture *p = picture_setup_for(state, 1);
    struct watcher_stats stats;

    picture_mkdir(picture_path(p, 0, "projects/x"));
    picture_start(p);
    picture_until(p, &p->scanned, 1);
    watcher_stats(p->w, &stats);
    assert_string_equal(stats.backend, "polling");
    assert_int_equal(stats.watches, 0);
    assert_true(stats.last_scan_wall_ms > 0);
    picture_degraded(p);
    assert_int_equal(p->degraded.n, 0);
    /* Without a drain, too. */
    picture_put(picture_path(p, 0, "projects/x/f"), 1);
    picture_until(p, &p->changed, 1);
    picture_append(picture_path(p, 0, "projects/x/f"), 1);
    picture_until(p, &p->changed, 2);
    assert_int_equal(picture_check(p), 1);
    picture_free(p);
}

static void polling_is_silent_while_nothing_changes(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/x"));
    for (int i = 0; i < 10; i++)
        picture_put(picture_path(p, 0, "projects/x/%d", i), 1);
    picture_start(p);
    for (int i = 0; i < 5; i++)
        picture_drain(p);
    assert_int_equal(p->changed, 10);
    assert_int_equal(p->scanned, 1);
    picture_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(unreadable_folder_is_named_and_heals),
        BOTH(rescan_finds_everything_again),
        BOTH(slow_rescan_comes_by_itself),
        BOTH(lost_marker_folder_does_not_stall_a_drain),
        BOTH(very_deep_trees_do_no_harm),
        cmocka_unit_test(idle_does_not_wake_up),
        cmocka_unit_test(unwanted_folders_cost_nothing),
        cmocka_unit_test_prestate(polling_says_so, PICTURE_POLLING),
        cmocka_unit_test_prestate(polling_is_silent_while_nothing_changes, PICTURE_POLLING),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
