#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agents/agent.h"
#include "agents/disk/beneath.h"
#include "agents/linked.h"
#include "agents/claude/claude.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "tests/scratch.h"

#define A "11111111-2222-4333-8444-555555555555"

/* ---- opening ------------------------------------------------------------------------------------
 */

typedef int (*open_fn)(int, const char *, int);

static void refuse(open_fn f, int root_fd, const char *path, int flags, int e)
{
    int fd = f(root_fd, path, flags);

    if (fd >= 0)
        fail_msg("%s was opened", path);
    if (e != 0 && errno != e)
        fail_msg("%s: %s", path, strerror(errno));
}

static void no_symbolic_link_below_the_root_is_followed(void **state)
{
    static const open_fn both[] = {beneath_open, beneath_walk};
    char *dir = scratch_new(), *root = scratch_path(dir, "root"), *link = scratch_path(dir, "link");
    char *p;

    (void)state;
    p = scratch_path(root, "a/b/file");
    scratch_puts(p, "inside");
    free(p);
    p = scratch_path(dir, "secret/file");
    scratch_puts(p, "outside");
    free(p);
    p = scratch_path(root, "a/out");
    assert_int_equal(symlink("../../secret", p), 0);
    free(p);
    p = scratch_path(root, "a/in");
    assert_int_equal(symlink("b/file", p), 0);
    free(p);
    assert_int_equal(symlink("root", link), 0);
    for (int i = 0; i < 2; i++) {
        int root_fd = beneath_open_root(link), fd;
        assert_true(root_fd >= 0);
        fd = both[i](root_fd, "a/b/file", 0);
        assert_true(fd >= 0);
        close(fd);
        fd = both[i](root_fd, "a/b", O_DIRECTORY);
        assert_true(fd >= 0);
        close(fd);
        refuse(both[i], root_fd, "a/in", 0, ELOOP);
        refuse(both[i], root_fd, "a/out", O_DIRECTORY, ELOOP);
        refuse(both[i], root_fd, "a/out/file", 0, ELOOP);
        refuse(both[i], root_fd, "../secret/file", 0, 0);
        refuse(both[i], root_fd, "a/../../secret/file", 0, 0);
        refuse(both[i], root_fd, "/etc/passwd", 0, 0);
        refuse(both[i], root_fd, "a/none", 0, ENOENT);
        refuse(both[i], root_fd, "a/b/file/x", 0, ENOTDIR);
        refuse(both[i], root_fd, "", 0, 0);
        close(root_fd);
    }
    free(link);
    free(root);
    scratch_free(dir);
}

/* ---- links that are followed --------------------------------------------------------------------
 */

static const char *linked_word(enum linked linked)
{
    return linked == LINKED_FOLLOWED  ? "followed"
           : linked == LINKED_WATCHED ? "watched"
                                      : "refused";
}

/* A data folder of a home of its own: where a link may be, and where it may lead to. */
static void links_are_followed_where_and_whither_they_may(void **state)
{
    static const struct {
        const char *path, *target;
        enum linked linked;
        const char *why;
    } t[] = {
        {"projects/x", "disk/x", LINKED_FOLLOWED, ""},
        {"projects/ssh", "home/.ssh", LINKED_REFUSED, "credentials"},
        {"projects/below", "home/.ssh/deep", LINKED_REFUSED, "credentials"},
        {"projects/aws", "disk/aws", LINKED_REFUSED, "credentials"}, /* ~/.aws is a link to it */
        {"projects/ours", "home/.codeteleport", LINKED_REFUSED, "credentials"},
        {"projects/holds", "home/.config", LINKED_REFUSED, "credentials"},
        {"projects/home", "home", LINKED_REFUSED, "data folder"},
        {"projects/above", "", LINKED_REFUSED, "data folder"},
        {"projects/root", "home/.claude", LINKED_REFUSED, "data folder"},
        {"projects/env", "home/.claude/session-env", LINKED_REFUSED, "data folder"},
        {"projects/alias", "home/.claude/projects/own", LINKED_WATCHED, ""},
        {"projects/none", "disk/none", LINKED_REFUSED, "nothing"},
        {"projects/file", "disk/x/f", LINKED_REFUSED, "no folder"},
        {"projects/own/s", "disk/x", LINKED_REFUSED, "not followed there"},
        {"file-history", "disk/x", LINKED_REFUSED, "not followed there"},
    };
    char *dir = scratch_new(), *root = scratch_path(dir, "home/.claude"), *p, *q, why[256];
    char *was = str_dup(path_home());
    struct stat st;
    int root_fd, fd;

    (void)state;
    for (const char *const *f =
             (const char *const[]){"disk/x/f", "disk/aws/f", "home/.ssh/deep/f",
                                   "home/.config/gcloud/f", "home/.codeteleport/f",
                                   "home/.claude/projects/own/f", "home/.claude/session-env/f",
                                   NULL};
         *f != NULL; f++) {
        p = scratch_path(dir, "%s", *f);
        scratch_puts(p, "x");
        free(p);
    }
    p = scratch_path(dir, "home/.aws");
    q = scratch_path(dir, "disk/aws");
    assert_int_equal(symlink(q, p), 0);
    free(p);
    free(q);
    p = scratch_path(dir, "home");
    setenv("HOME", p, 1);
    free(p);
    root_fd = beneath_open_root(root);
    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        enum linked linked;
        p = scratch_path(root, "%s", t[i].path);
        q = t[i].target[0] != '\0' ? scratch_path(dir, "%s", t[i].target) : str_dup(dir);
        assert_int_equal(symlink(q, p), 0);
        linked = linked_judge(&claude_agent, root_fd, t[i].path, &st, why, sizeof(why));
        if (linked != t[i].linked)
            fail_msg("%s -> %s: %s (%s)", t[i].path, t[i].target, linked_word(linked), why);
        if (linked == LINKED_REFUSED && strstr(why, t[i].why) == NULL)
            fail_msg("%s -> %s: %s", t[i].path, t[i].target, why);
        assert_int_equal(st.st_ino != 0, linked == LINKED_FOLLOWED);
        fd = linked_open(&claude_agent, root_fd, t[i].path, O_DIRECTORY);
        assert_int_equal(fd >= 0, linked == LINKED_FOLLOWED);
        if (fd >= 0)
            close(fd);
        free(p);
        free(q);
    }
    fd = linked_open(&claude_agent, root_fd, "projects/x/f", 0);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(linked_open(&claude_agent, root_fd, "projects/ssh/deep/f", 0), -1);
    assert_int_equal(errno, ELOOP);
    fd = linked_make(&claude_agent, root_fd, "projects/x/new/deep");
    assert_true(fd >= 0);
    close(fd);
    p = scratch_path(dir, "disk/x/new/deep");
    assert_int_equal(access(p, F_OK), 0);
    free(p);
    assert_int_equal(linked_make(&claude_agent, root_fd, "projects/ssh/new"), -1);
    p = scratch_path(dir, "home/.ssh/new");
    assert_int_equal(access(p, F_OK), -1);
    free(p);
    /* A link within what a link leads to. */
    p = scratch_path(dir, "disk/x/out");
    assert_int_equal(symlink("/etc", p), 0);
    free(p);
    assert_int_equal(linked_open(&claude_agent, root_fd, "projects/x/out/passwd", 0), -1);
    close(root_fd);
    setenv("HOME", was, 1);
    free(was);
    free(root);
    scratch_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_symbolic_link_below_the_root_is_followed),
        cmocka_unit_test(links_are_followed_where_and_whither_they_may),
    };

    return cmocka_run_group_tests_name("beneath", tests, NULL, NULL);
}
