#include <sys/stat.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "watcher/watcher.h"

#include "tests/watcher/exchange.h"
#include "tests/watcher/watcher_picture.h"

static void root_may_come_late_go_and_come_again(void **state)
{
    struct picture *p = picture_setup_for(state, 1);
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
    struct picture *p = picture_setup_for(state, 1);
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
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/x"));
    picture_put(picture_path(p, 0, "projects/x/old"), 1);
    picture_mkdir(picture_path(p, -1, "other/projects/x"));
    picture_put(picture_path(p, -1, "other/projects/x/new"), 2);
    picture_start(p);
    picture_drain(p);
    assert_int_equal(picture_check(p), 1);
    assert_int_equal(exchange(picture_path(p, -1, "other"), p->roots.v[0]), 0);
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
    struct picture *p = picture_setup_for(state, 1);

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
    struct picture *p = picture_setup_for(state, 3);

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
    struct picture *p = picture_setup_for(state, 1);

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
    struct picture *p = picture_setup_for(state, 1);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(root_may_come_late_go_and_come_again),
        BOTH(folders_above_the_root_may_be_absent),
        BOTH(replaced_root_vanishes_and_appears),
        BOTH(root_may_be_a_symbolic_link_that_changes),
        BOTH(several_roots_are_kept_apart),
        BOTH(overlapping_roots_both_hear_of_a_change),
        BOTH(single_files_are_watched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
