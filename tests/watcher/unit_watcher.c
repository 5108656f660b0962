#include <sys/stat.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "watcher/watcher.h"

#include "tests/watcher/exchange.h"
#include "tests/watcher/watcher_picture.h"

static void first_scan_finds_what_is_there(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/x/s/subagents"));
    picture_mkdir(picture_path(p, 0, "debug"));
    picture_put(picture_path(p, 0, "projects/x/s.jsonl"), 100);
    picture_put(picture_path(p, 0, "projects/x/s/subagents/a.jsonl"), 7);
    picture_put(picture_path(p, 0, "projects/x/skip.tmp"), 7);
    picture_put(picture_path(p, 0, "debug/log"), 7);
    picture_start(p);
    assert_int_equal(p->changed, 0);
    picture_until(p, &p->scanned, 1);
    assert_int_equal(picture_check(p), 2);
    assert_int_equal(picture_has(p, 0, "projects/x/s.jsonl"), 100);
    assert_int_equal(p->began, 1);
    assert_int_equal(p->states, 1);
    assert_true(p->is_there);
    picture_free(p);
}

static void restart_is_silent_about_what_is_recorded(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/x"));
    for (int i = 0; i < 5; i++)
        picture_put(picture_path(p, 0, "projects/x/%d.jsonl", i), 10 + i);
    picture_start(p);
    picture_until(p, &p->scanned, 1);
    assert_int_equal(p->changed, 5);
    picture_stop(p);
    picture_append(picture_path(p, 0, "projects/x/2.jsonl"), 1);
    picture_remove(picture_path(p, 0, "projects/x/4.jsonl"));
    picture_start(p);
    picture_until(p, &p->scanned, 2);
    assert_int_equal(p->changed, 6);
    assert_int_equal(p->seen, 3);
    assert_int_equal(picture_check(p), 4);
    picture_free(p);
}

static void drain_comes_after_every_change_before_it(void **state)
{
    struct picture *p = picture_setup_for(state, 1);
    int rounds = *state != NULL ? 100 : 1000;

    picture_mkdir(picture_path(p, 0, "projects/x"));
    picture_start(p);
    picture_drain(p);
    for (int i = 0; i < rounds; i++) {
        picture_append(picture_path(p, 0, "projects/x/%d.jsonl", i % 7), 1 + i % 3);
        if (i % 50 == 0)
            picture_mkdir(picture_path(p, 0, "projects/x/d%d/e/f", i));
        if (i % 50 == 1)
            picture_put(picture_path(p, 0, "projects/x/d%d/e/f/g", i - 1), i);
        picture_drain(p);
        if (i % 10 == 0 || i % 50 < 3)
            picture_check(p);
        else
            assert_true(picture_has(p, 0, "projects/x/0.jsonl") > 0);
    }
    assert_int_equal(picture_check(p), 7 + rounds / 50);
    picture_free(p);
}

static int count_drains(const struct picture *p)
{
    return p->is_drained;
}

static void add_one(void *arg)
{
    struct picture *p = arg;

    p->is_drained++;
}

static void drains_before_the_first_scan_wait_for_it(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/x"));
    for (int i = 0; i < 2000; i++)
        picture_put(picture_path(p, 0, "projects/x/%d.jsonl", i), 1);
    picture_start(p);
    for (int i = 0; i < 3; i++)
        watcher_drain(p->w, add_one, p);
    while (count_drains(p) < 3) {
        assert_int_equal(event_base_loop(p->base, EVLOOP_ONCE), 0);
        assert_true(count_drains(p) == 0 || p->scanned > 0);
    }
    assert_int_equal(picture_check(p), 2000);
    picture_free(p);
}

static void removals_are_told(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/x/s/t"));
    picture_put(picture_path(p, 0, "projects/x/s.jsonl"), 1);
    picture_put(picture_path(p, 0, "projects/x/s/t/u"), 2);
    picture_start(p);
    picture_drain(p);
    assert_int_equal(picture_check(p), 2);
    picture_remove(picture_path(p, 0, "projects/x/s"));
    picture_drain(p);
    assert_int_equal(picture_check(p), 1);
    picture_remove(picture_path(p, 0, "projects"));
    picture_drain(p);
    assert_int_equal(picture_check(p), 0);
    picture_free(p);
}

static void moved_trees_are_followed(void **state)
{
    struct picture *p = picture_setup_for(state, 1);
    const char *out = picture_path(p, -1, "out");

    picture_mkdir(picture_path(p, 0, "projects/x/s/t"));
    picture_mkdir(picture_path(p, 0, "projects/y"));
    picture_put(picture_path(p, 0, "projects/x/s/t/u"), 2);
    picture_put(picture_path(p, 0, "projects/x/s/v"), 3);
    picture_start(p);
    picture_drain(p);
    assert_int_equal(rename(picture_path(p, 0, "projects/x/s"), picture_path(p, 0, "projects/y/s")),
                     0);
    picture_drain(p);
    assert_int_equal(picture_check(p), 2);
    picture_append(picture_path(p, 0, "projects/y/s/t/u"), 2);
    picture_drain(p);
    assert_int_equal(picture_has(p, 0, "projects/y/s/t/u"), 4);
    assert_int_equal(rename(picture_path(p, 0, "projects/y/s"), out), 0);
    picture_drain(p);
    assert_int_equal(picture_check(p), 0);
    picture_append(picture_path(p, -1, "out/t/u"), 2);
    assert_int_equal(rename(out, picture_path(p, 0, "projects/x/again")), 0);
    picture_drain(p);
    assert_int_equal(picture_check(p), 2);
    assert_int_equal(picture_has(p, 0, "projects/x/again/t/u"), 6);
    picture_free(p);
}

static void exchanged_folders_are_told_apart(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/x/a"));
    picture_mkdir(picture_path(p, 0, "projects/x/b"));
    picture_put(picture_path(p, 0, "projects/x/a/one"), 1);
    picture_put(picture_path(p, 0, "projects/x/b/two"), 2);
    picture_start(p);
    picture_drain(p);
    assert_int_equal(
        exchange(picture_path(p, 0, "projects/x/a"), picture_path(p, 0, "projects/x/b")), 0);
    picture_drain(p);
    assert_int_equal(picture_check(p), 2);
    picture_append(picture_path(p, 0, "projects/x/a/two"), 2);
    picture_append(picture_path(p, 0, "projects/x/b/one"), 5);
    picture_drain(p);
    assert_int_equal(picture_check(p), 2);
    picture_free(p);
}

/* A file system gives the number of a folder that went to the next one, soon.  What is in that one
 * while the old watch still tells must not be vouched for by it: nobody would tell that it went. */
static void a_folder_with_the_number_of_one_that_went_is_another(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/x"));
    picture_start(p);
    for (int i = 0; i < 20; i++) {
        picture_put(picture_path(p, 0, "projects/x/f"), 1);
        picture_drain(p);
        for (int k = 0; k < 5; k++) /* so that it has nothing left to do */
            event_base_loop(p->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        picture_remove(picture_path(p, 0, "projects/x"));
        picture_mkdir(picture_path(p, 0, "projects/x"));
        picture_put(picture_path(p, 0, "projects/x/f"), 2);
        event_base_loop(p->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        picture_remove(picture_path(p, 0, "projects/x"));
        picture_drain(p);
        assert_int_equal(picture_check(p), 0);
        picture_mkdir(picture_path(p, 0, "projects/x"));
        picture_drain(p);
    }
    picture_free(p);
}

static void files_replaced_by_rename_are_told(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/x"));
    picture_put(picture_path(p, 0, "projects/x/s.jsonl"), 5);
    picture_start(p);
    picture_drain(p);
    for (int i = 0; i < 20; i++) {
        picture_put(picture_path(p, 0, "projects/x/s.tmp"), i);
        assert_int_equal(rename(picture_path(p, 0, "projects/x/s.tmp"),
                                picture_path(p, 0, "projects/x/s.jsonl")),
                         0);
        picture_drain(p);
        assert_int_equal(picture_check(p), 1);
    }
    picture_free(p);
}

static void special_files_count_as_empty(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/x"));
    assert_int_equal(symlink("/etc", picture_path(p, 0, "projects/x/link")), 0);
    picture_start(p);
    picture_drain(p);
    assert_int_equal(mkfifo(picture_path(p, 0, "projects/x/fifo"), 0600), 0);
    assert_int_equal(symlink("/etc/passwd", picture_path(p, 0, "projects/x/s.jsonl")), 0);
    picture_drain(p);
    assert_int_equal(picture_check(p), 3);
    assert_int_equal(picture_has(p, 0, "projects/x/link"), 0);
    assert_int_equal(picture_has(p, 0, "projects/x/fifo"), 0);
    assert_int_equal(picture_has(p, 0, "projects/x/s.jsonl"), 0);
    picture_free(p);
}

static void files_that_change_hands_are_found_by_a_rescan(void **state)
{
    struct picture *p = picture_setup_for(state, 1);
    const char *path = picture_path(p, 0, "projects/x/s.jsonl");

    picture_mkdir(picture_path(p, 0, "projects/x"));
    picture_put(path, 9);
    if (chown(path, 12345, (gid_t)-1) != 0) {
        print_message("only root can give files away\n");
        picture_free(p);
        skip();
    }
    picture_start(p);
    picture_drain(p);
    assert_int_equal(picture_has(p, 0, "projects/x/s.jsonl"), 0);
    assert_int_equal(chown(path, geteuid(), (gid_t)-1), 0);
    watcher_rescan(p->w);
    picture_drain(p);
    assert_int_equal(picture_has(p, 0, "projects/x/s.jsonl"), 9);
    assert_int_equal(chown(path, 12345, (gid_t)-1), 0);
    watcher_rescan(p->w);
    picture_drain(p);
    assert_int_equal(picture_has(p, 0, "projects/x/s.jsonl"), 0);
    assert_int_equal(picture_check(p), 1);
    picture_free(p);
}

static void folder_in_place_of_a_file_is_its_end(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/x"));
    picture_put(picture_path(p, 0, "projects/x/s"), 5);
    picture_start(p);
    picture_drain(p);
    picture_remove(picture_path(p, 0, "projects/x/s"));
    picture_mkdir(picture_path(p, 0, "projects/x/s"));
    picture_put(picture_path(p, 0, "projects/x/s/t"), 6);
    picture_drain(p);
    assert_int_equal(picture_check(p), 1);
    picture_remove(picture_path(p, 0, "projects/x/s"));
    picture_put(picture_path(p, 0, "projects/x/s"), 7);
    picture_drain(p);
    assert_int_equal(picture_check(p), 1);
    picture_free(p);
}

static void any_bytes_in_names_are_fine(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/x\n\x80\xff/ \x1b[31m"));
    picture_start(p);
    picture_drain(p);
    picture_put(picture_path(p, 0, "projects/x\n\x80\xff/ \x1b[31m/\"\\\x01"), 3);
    picture_mkdir(picture_path(p, 0, "projects/\xc3\x28"));
    picture_put(picture_path(p, 0, "projects/\xc3\x28/%%s%%n"), 4);
    picture_drain(p);
    assert_int_equal(picture_check(p), 2);
    picture_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(first_scan_finds_what_is_there),
        BOTH(restart_is_silent_about_what_is_recorded),
        BOTH(drain_comes_after_every_change_before_it),
        BOTH(drains_before_the_first_scan_wait_for_it),
        BOTH(removals_are_told),
        BOTH(moved_trees_are_followed),
        BOTH(exchanged_folders_are_told_apart),
        BOTH(a_folder_with_the_number_of_one_that_went_is_another),
        BOTH(files_replaced_by_rename_are_told),
        BOTH(special_files_count_as_empty),
        BOTH(files_that_change_hands_are_found_by_a_rescan),
        BOTH(folder_in_place_of_a_file_is_its_end),
        BOTH(any_bytes_in_names_are_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
