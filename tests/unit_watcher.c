#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <event2/event.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/map.h"
#include "common/path.h"
#include "common/str.h"
#include "watcher/watcher.h"

#include "watcher_picture.h"

/* Every test runs once with the system's backend and once polling. */
static struct picture *setup(void **state, int roots)
{
    struct picture *p = picture_setup(roots);

    p->opts.is_polling = *state != NULL;
    return p;
}

static void first_scan_finds_what_is_there(void **state)
{
    struct picture *p = setup(state, 1);

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
    struct picture *p = setup(state, 1);

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
    struct picture *p = setup(state, 1);
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
    struct picture *p = setup(state, 1);

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
    struct picture *p = setup(state, 1);

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
    struct picture *p = setup(state, 1);
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
    struct picture *p = setup(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/x/a"));
    picture_mkdir(picture_path(p, 0, "projects/x/b"));
    picture_put(picture_path(p, 0, "projects/x/a/one"), 1);
    picture_put(picture_path(p, 0, "projects/x/b/two"), 2);
    picture_start(p);
    picture_drain(p);
    assert_int_equal(renameat2(AT_FDCWD, picture_path(p, 0, "projects/x/a"), AT_FDCWD,
                               picture_path(p, 0, "projects/x/b"), RENAME_EXCHANGE),
                     0);
    picture_drain(p);
    assert_int_equal(picture_check(p), 2);
    picture_append(picture_path(p, 0, "projects/x/a/two"), 2);
    picture_append(picture_path(p, 0, "projects/x/b/one"), 5);
    picture_drain(p);
    assert_int_equal(picture_check(p), 2);
    picture_free(p);
}

static void files_replaced_by_rename_are_told(void **state)
{
    struct picture *p = setup(state, 1);

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
    struct picture *p = setup(state, 1);

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
    struct picture *p = setup(state, 1);
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
    struct picture *p = setup(state, 1);

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
    struct picture *p = setup(state, 1);

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

static void symbolic_links_below_the_root_are_not_followed(void **state)
{
    struct picture *p = setup(state, 1);

    picture_mkdir(picture_path(p, 0, "projects"));
    picture_mkdir(picture_path(p, -1, "elsewhere/deep"));
    picture_put(picture_path(p, -1, "elsewhere/deep/secret"), 9);
    assert_int_equal(symlink("../../elsewhere", picture_path(p, 0, "projects/x")), 0);
    picture_start(p);
    picture_drain(p);
    picture_append(picture_path(p, -1, "elsewhere/deep/secret"), 9);
    picture_drain(p);
    assert_int_equal(picture_has(p, 0, "projects/x/deep/secret"), -1);
    assert_int_equal(picture_check(p), 1); /* the link itself */
    picture_free(p);
}

static void root_may_come_late_go_and_come_again(void **state)
{
    struct picture *p = setup(state, 1);
    int64_t states;

    picture_start(p);
    picture_until(p, &p->scanned, 1);
    assert_int_equal(p->states, 1);
    assert_false(p->is_there);
    for (int i = 0; i < 5; i++) {
        states = p->states;
        picture_mkdir(picture_path(p, 0, "projects/x"));
        picture_put(picture_path(p, 0, "projects/x/%d", i), i);
        picture_drain(p);
        assert_int_equal(p->states, states + 1);
        assert_true(p->is_there);
        assert_int_equal(picture_check(p), 1);
        picture_append(picture_path(p, 0, "projects/x/%d", i), 10);
        picture_drain(p);
        assert_int_equal(picture_check(p), 1);
        picture_remove(p->roots.v[0]);
        picture_drain(p);
        assert_int_equal(p->states, states + 2);
        assert_false(p->is_there);
        assert_int_equal(picture_check(p), 0);
    }
    picture_free(p);
}

static void folders_above_the_root_may_be_absent(void **state)
{
    struct picture *p = setup(state, 1);
    char *path = path_join(p->dir, "not/yet/there");

    strlist_free(&p->roots);
    strlist_add(&p->roots, path);
    picture_start(p);
    picture_until(p, &p->scanned, 1);
    picture_mkdir(picture_path(p, 0, "projects"));
    picture_put(picture_path(p, 0, "projects/f"), 3);
    picture_drain(p);
    assert_int_equal(p->states, 2);
    assert_int_equal(picture_check(p), 1);
    /* A folder far above is renamed, and back. */
    free(path);
    path = path_join(p->dir, "not");
    assert_int_equal(rename(path, picture_path(p, -1, "aside")), 0);
    picture_drain(p);
    assert_int_equal(p->states, 3);
    assert_false(p->is_there);
    assert_int_equal(picture_check(p), 0);
    picture_append(picture_path(p, -1, "aside/yet/there/projects/f"), 3);
    assert_int_equal(rename(picture_path(p, -1, "aside"), path), 0);
    picture_drain(p);
    assert_int_equal(p->states, 4);
    assert_int_equal(picture_check(p), 1);
    free(path);
    picture_free(p);
}

static void replaced_root_vanishes_and_appears(void **state)
{
    struct picture *p = setup(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/x"));
    picture_put(picture_path(p, 0, "projects/x/old"), 1);
    picture_mkdir(picture_path(p, -1, "other/projects/x"));
    picture_put(picture_path(p, -1, "other/projects/x/new"), 2);
    picture_start(p);
    picture_drain(p);
    assert_int_equal(picture_check(p), 1);
    assert_int_equal(
        renameat2(AT_FDCWD, picture_path(p, -1, "other"), AT_FDCWD, p->roots.v[0], RENAME_EXCHANGE),
        0);
    picture_drain(p);
    assert_int_equal(p->states, 3);
    assert_true(p->is_there);
    assert_int_equal(picture_check(p), 1);
    assert_int_equal(picture_has(p, 0, "projects/x/new"), 2);
    picture_append(picture_path(p, 0, "projects/x/new"), 2);
    picture_drain(p);
    assert_int_equal(picture_check(p), 1);
    picture_free(p);
}

static void root_may_be_a_symbolic_link_that_changes(void **state)
{
    struct picture *p = setup(state, 1);

    for (int i = 0; i < 2; i++) {
        picture_mkdir(picture_path(p, -1, "target%d/projects/x", i));
        picture_put(picture_path(p, -1, "target%d/projects/x/%d", i, i), 1);
    }
    assert_int_equal(symlink("target0", p->roots.v[0]), 0);
    picture_start(p);
    picture_drain(p);
    assert_int_equal(picture_check(p), 1);
    assert_true(p->is_there);
    for (int i = 1; i < 10; i++) {
        assert_int_equal(symlink(i % 2 ? "target1" : "target0", picture_path(p, -1, "new")), 0);
        assert_int_equal(rename(picture_path(p, -1, "new"), p->roots.v[0]), 0);
        picture_drain(p);
        assert_int_equal(p->states, 1 + 2 * i);
        picture_append(picture_path(p, 0, "projects/x/%d", i % 2), 1);
        picture_drain(p);
        assert_int_equal(picture_check(p), 1);
    }
    assert_int_equal(unlink(p->roots.v[0]), 0);
    picture_drain(p);
    assert_false(p->is_there);
    assert_int_equal(picture_check(p), 0);
    picture_mkdir(picture_path(p, 0, "projects"));
    picture_put(picture_path(p, 0, "projects/now-a-folder"), 1);
    picture_drain(p);
    assert_int_equal(picture_check(p), 1);
    picture_free(p);
}

static void several_roots_are_kept_apart(void **state)
{
    struct picture *p = setup(state, 3);

    for (int i = 0; i < 3; i++) {
        picture_mkdir(picture_path(p, i, "projects/x"));
        picture_put(picture_path(p, i, "projects/x/same"), 1 + i);
    }
    picture_start(p);
    picture_drain(p);
    assert_int_equal(picture_check(p), 3);
    picture_append(picture_path(p, 1, "projects/x/same"), 10);
    picture_remove(picture_path(p, 2, "projects/x"));
    picture_drain(p);
    assert_int_equal(picture_check(p), 2);
    assert_int_equal(picture_has(p, 1, "projects/x/same"), 12);
    assert_int_equal(p->states, 3);
    picture_free(p);
}

static void overlapping_roots_both_hear_of_a_change(void **state)
{
    struct picture *p = setup(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/projects/y"));
    strlist_add(&p->roots, picture_path(p, 0, "projects"));
    strlist_add(&p->roots, p->roots.v[0]);
    picture_start(p);
    picture_drain(p);
    picture_put(picture_path(p, 0, "projects/projects/y/f"), 4);
    picture_mkdir(picture_path(p, 0, "projects/projects/y/d"));
    picture_put(picture_path(p, 0, "projects/projects/y/d/e"), 5);
    picture_drain(p);
    assert_int_equal(picture_check(p), 6);
    picture_remove(picture_path(p, 0, "projects/projects/y"));
    picture_drain(p);
    assert_int_equal(picture_check(p), 0);
    picture_free(p);
}

static void single_files_are_watched(void **state)
{
    struct picture *p = setup(state, 1);
    char *path = path_join(p->dir, "cred/deep/config.json"), *dir = path_parent(path);
    int64_t n;

    picture_start(p);
    assert_int_equal(watcher_add_file(p->w, path, NULL), 0);
    picture_drain(p);
    assert_int_equal(p->file_changed, 0);
    picture_mkdir(dir);
    picture_put(path, 10);
    picture_until(p, &p->file_changed, 1);
    picture_drain(p);
    n = p->file_changed;
    assert_int_equal(chmod(path, 0644), 0);
    picture_until(p, &p->file_changed, n + 1);
    picture_drain(p);
    n = p->file_changed;
    picture_put(path, 10);
    picture_until(p, &p->file_changed, n + 1);
    picture_drain(p);
    n = p->file_changed;
    picture_remove(path);
    picture_until(p, &p->file_changed, n + 1);
    picture_drain(p);
    n = p->file_changed;
    picture_remove(dir);
    picture_drain(p);
    picture_mkdir(dir);
    picture_put(picture_path(p, -1, "cred/deep/other"), 1);
    picture_drain(p);
    assert_int_equal(p->file_changed, n);
    assert_int_equal(symlink("other", path), 0);
    picture_until(p, &p->file_changed, n + 1);
    picture_drain(p);
    n = p->file_changed;
    picture_append(picture_path(p, -1, "cred/deep/other"), 1);
    picture_until(p, &p->file_changed, n + 1);
    free(dir);
    free(path);
    picture_free(p);
}

static void unreadable_folder_is_named_and_heals(void **state)
{
    struct picture *p = setup(state, 1);
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
    picture_degraded(p);
    assert_int_equal(p->degraded.n, 1);
    assert_non_null(strstr(p->degraded.v[0], "projects/x: "));
    assert_non_null(strstr(p->degraded.v[0], "chmod u+rx"));
    assert_int_equal(chmod(dir, 0700), 0);
    picture_append(picture_path(p, 0, "projects/x/f"), 4);
    picture_until(p, &p->changed, 2);
    picture_drain(p);
    assert_int_equal(picture_check(p), 1);
    picture_degraded(p);
    assert_int_equal(p->degraded.n, 0);
    assert_int_equal(seteuid(getuid()), 0);
    picture_free(p);
}

static void rescan_finds_everything_again(void **state)
{
    struct picture *p = setup(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/x/y"));
    for (int i = 0; i < 10; i++)
        picture_put(picture_path(p, 0, "projects/x/y/%d", i), i);
    picture_start(p);
    picture_drain(p);
    assert_int_equal(p->changed, 10);
    watcher_rescan(p->w);
    picture_drain(p);
    assert_int_equal(p->began, 2);
    assert_int_equal(p->scanned, 2);
    assert_int_equal(p->changed, 10);
    assert_int_equal(p->seen, 10);
    picture_free(p);
}

static void slow_rescan_comes_by_itself(void **state)
{
    struct picture *p = setup(state, 1);

    picture_mkdir(picture_path(p, 0, "projects"));
    p->opts.rescan_ms = 20;
    picture_start(p);
    picture_until(p, &p->scanned, 4);
    assert_true(p->began >= 4);
    picture_free(p);
}

static void lost_marker_folder_does_not_stall_a_drain(void **state)
{
    struct picture *p = setup(state, 1);

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
    struct picture *p = setup(state, 1);
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
    struct picture *p = setup(state, 1);
    struct timeval tv = {.tv_sec = 3};
    struct event *end;
    long before;
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
    event_base_loop(p->base, EVLOOP_NONBLOCK);
    evtimer_add(end, &tv);
    before = switches();
    event_base_dispatch(p->base);
    /* One sleep until the timer of this test, and nothing else. */
    assert_true(switches() - before <= 1);
    event_free(end);
    free(path);
    picture_free(p);
}

static void unwanted_folders_cost_nothing(void **state)
{
    struct picture *p = setup(state, 1);
    struct watcher_stats stats;

    picture_mkdir(picture_path(p, 0, "projects/x"));
    for (int i = 0; i < 50; i++)
        picture_mkdir(picture_path(p, 0, "debug/%d/deep", i));
    picture_start(p);
    picture_needs_watches(p);
    picture_drain(p);
    watcher_stats(p->w, &stats);
    assert_string_equal(stats.backend, "inotify");
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
    struct picture *p = setup(state, 1);
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
    struct picture *p = setup(state, 1);

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

#define POLLING ((void *)"polling")
#define BOTH(f) \
    {#f, f, NULL, NULL, NULL}, \
    { \
#f " (polling)", f, NULL, NULL, POLLING \
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
        BOTH(files_replaced_by_rename_are_told),
        BOTH(special_files_count_as_empty),
        BOTH(files_that_change_hands_are_found_by_a_rescan),
        BOTH(folder_in_place_of_a_file_is_its_end),
        BOTH(any_bytes_in_names_are_fine),
        BOTH(symbolic_links_below_the_root_are_not_followed),
        BOTH(root_may_come_late_go_and_come_again),
        BOTH(folders_above_the_root_may_be_absent),
        BOTH(replaced_root_vanishes_and_appears),
        BOTH(root_may_be_a_symbolic_link_that_changes),
        BOTH(several_roots_are_kept_apart),
        BOTH(overlapping_roots_both_hear_of_a_change),
        BOTH(single_files_are_watched),
        BOTH(unreadable_folder_is_named_and_heals),
        BOTH(rescan_finds_everything_again),
        BOTH(slow_rescan_comes_by_itself),
        BOTH(lost_marker_folder_does_not_stall_a_drain),
        BOTH(very_deep_trees_do_no_harm),
        cmocka_unit_test(idle_does_not_wake_up),
        cmocka_unit_test(unwanted_folders_cost_nothing),
        cmocka_unit_test_prestate(polling_says_so, POLLING),
        cmocka_unit_test_prestate(polling_is_silent_while_nothing_changes, POLLING),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
