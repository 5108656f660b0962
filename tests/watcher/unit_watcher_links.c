#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <sys/stat.h>

#include "tests/watcher/watcher_picture.h"

/* A folder beside the roots that links may lead to, with a file in it. */
static void make_target(struct picture *p, const char *name, int n)
{
    picture_mkdir(picture_path(p, -1, "%s", name));
    picture_put(picture_path(p, -1, "%s/followed.tmp", name), 0);
    picture_put(picture_path(p, -1, "%s/s.jsonl", name), n);
}

static void link_to(struct picture *p, const char *name, const char *path)
{
    char target[4096];

    snprintf(target, sizeof(target), "%s", picture_path(p, -1, "%s", name));
    assert_int_equal(symlink(target, picture_path(p, 0, "%s", path)), 0);
}

static void linked_folders_are_followed_from_the_start(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects"));
    make_target(p, "disk", 9);
    picture_mkdir(picture_path(p, -1, "disk/deep"));
    link_to(p, "disk", "projects/x");
    picture_start(p);
    picture_drain(p);
    assert_int_equal(picture_has(p, 0, "projects/x/s.jsonl"), 9);
    picture_append(picture_path(p, -1, "disk/s.jsonl"), 1);
    picture_put(picture_path(p, -1, "disk/deep/t"), 3);
    picture_drain(p);
    assert_int_equal(picture_check(p), 2);
    assert_int_equal(p->linked.n, 1);
    assert_string_equal(p->linked.v[0], "projects/x");
    assert_int_equal(picture_untaken(p), 0);
    picture_free(p);
}

static void all_projects_may_be_one_link(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(p->roots.v[0]);
    make_target(p, "disk/y", 9);
    picture_put(picture_path(p, -1, "disk/followed.tmp"), 0);
    link_to(p, "disk", "projects");
    picture_start(p);
    picture_drain(p);
    picture_append(picture_path(p, -1, "disk/y/s.jsonl"), 4);
    make_target(p, "disk/z", 5);
    picture_drain(p);
    assert_int_equal(picture_has(p, 0, "projects/y/s.jsonl"), 13);
    assert_int_equal(picture_check(p), 2);
    picture_free(p);
}

/* Each step ends in another folder, or none, behind the same name. */
static void links_come_go_and_change(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects"));
    make_target(p, "one", 9);
    make_target(p, "two", 7);
    picture_put(picture_path(p, -1, "two/more"), 1);
    picture_start(p);
    picture_drain(p);
    for (int i = 0; i < 4; i++) {
        link_to(p, "one", "projects/x");
        picture_drain(p);
        assert_int_equal(picture_has(p, 0, "projects/x/s.jsonl"), 9);
        assert_int_equal(picture_check(p), 1);
        link_to(p, "two", "projects/new");
        assert_int_equal(
            rename(picture_path(p, 0, "projects/new"), picture_path(p, 0, "projects/x")), 0);
        picture_drain(p);
        assert_int_equal(picture_check(p), 2);
        assert_int_equal(unlink(picture_path(p, 0, "projects/x")), 0);
        picture_drain(p);
        assert_int_equal(picture_check(p), 0);
        picture_mkdir(picture_path(p, 0, "projects/x"));
        picture_put(picture_path(p, 0, "projects/x/own"), 2);
        picture_drain(p);
        assert_int_equal(picture_check(p), 1);
        picture_remove(picture_path(p, 0, "projects/x"));
    }
    picture_free(p);
}

static void what_a_link_leads_to_may_come_later_and_be_replaced(void **state)
{
    struct picture *p = picture_setup_for(state, 1);
    int64_t scans;

    picture_mkdir(picture_path(p, 0, "projects"));
    link_to(p, "disk", "projects/x");
    picture_start(p);
    picture_drain(p);
    assert_int_equal(picture_untaken(p), 1);
    assert_non_null(strstr(p->untaken.v[0], "projects/x: it leads to nothing that is there"));
    make_target(p, "disk", 9);
    picture_drain(p);
    assert_int_equal(picture_untaken(p), 0);
    assert_int_equal(picture_check(p), 1);
    assert_int_equal(rename(picture_path(p, -1, "disk"), picture_path(p, -1, "old")), 0);
    make_target(p, "disk", 4);
    picture_append(picture_path(p, -1, "old/s.jsonl"), 1);
    picture_drain(p);
    assert_int_equal(picture_has(p, 0, "projects/x/s.jsonl"), 4);
    assert_int_equal(picture_check(p), 1);
    /* A disk that is away says nothing of what is on it, nor does what happened there just before.
     */
    picture_mkdir(picture_path(p, -1, "disk/deep"));
    picture_put(picture_path(p, -1, "disk/deep/t"), 3);
    picture_drain(p);
    scans = p->scanned;
    picture_remove(picture_path(p, -1, "old"));
    picture_put(picture_path(p, -1, "disk/s.jsonl"), 5);
    picture_append(picture_path(p, -1, "disk/deep/t"), 1);
    picture_remove(picture_path(p, -1, "disk/deep"));
    assert_int_equal(rename(picture_path(p, -1, "disk"), picture_path(p, -1, "old")), 0);
    picture_drain(p);
    picture_until(p, &p->scanned, scans + 1);
    assert_int_equal(picture_untaken(p), 1);
    assert_int_not_equal(picture_has(p, 0, "projects/x/s.jsonl"), -1);
    assert_int_not_equal(picture_has(p, 0, "projects/x/deep/t"), -1);
    picture_free(p);
}

static void links_that_must_not_be_followed_are_named(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects/own/deep"));
    picture_mkdir(picture_path(p, 0, "secrets"));
    picture_put(picture_path(p, 0, "secrets/s"), 9);
    make_target(p, "disk", 9);
    picture_start(p);
    picture_drain(p);
    link_to(p, "a/secrets", "projects/inside");
    link_to(p, "a", "projects/above");
    link_to(p, "disk", "projects/own/deep/link");
    link_to(p, "disk/s.jsonl", "projects/own/s");
    assert_int_equal(symlink("own", picture_path(p, 0, "projects/alias")), 0);
    picture_drain(p);
    assert_int_equal(picture_untaken(p), 4);
    assert_int_equal(picture_has(p, 0, "projects/inside/s"), -1);
    assert_int_equal(picture_has(p, 0, "projects/own/deep/link/s.jsonl"), -1);
    assert_int_equal(picture_has(p, 0, "projects/alias/s"), -1);
    watcher_rescan(p->w);
    picture_drain(p);
    assert_int_equal(picture_untaken(p), 4);
    picture_remove(picture_path(p, 0, "projects/inside"));
    picture_remove(picture_path(p, 0, "projects/above"));
    picture_remove(picture_path(p, 0, "projects/own"));
    picture_drain(p);
    watcher_rescan(p->w);
    picture_drain(p);
    assert_int_equal(picture_untaken(p), 1); /* the alias leads nowhere now */
    picture_free(p);
}

static void two_links_to_one_folder_are_two_folders(void **state)
{
    struct picture *p = picture_setup_for(state, 1);

    picture_mkdir(picture_path(p, 0, "projects"));
    make_target(p, "disk", 9);
    link_to(p, "disk", "projects/x");
    link_to(p, "disk", "projects/y");
    picture_start(p);
    picture_drain(p);
    picture_append(picture_path(p, -1, "disk/s.jsonl"), 1);
    picture_drain(p);
    assert_int_equal(picture_check(p), 2);
    assert_int_equal(unlink(picture_path(p, 0, "projects/x")), 0);
    picture_append(picture_path(p, -1, "disk/s.jsonl"), 1);
    picture_drain(p);
    assert_int_equal(picture_check(p), 1);
    picture_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(linked_folders_are_followed_from_the_start),
        BOTH(all_projects_may_be_one_link),
        BOTH(links_come_go_and_change),
        BOTH(what_a_link_leads_to_may_come_later_and_be_replaced),
        BOTH(links_that_must_not_be_followed_are_named),
        BOTH(two_links_to_one_folder_are_two_folders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
