#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
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

#include "common/base/buf.h"
#include "common/base/fd.h"
#include "common/base/file.h"
#include "common/base/map.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "watcher/watcher.h"

#include "tests/watcher/exchange.h"
#include "tests/watcher/watcher_picture.h"

/*
 * Other processes change the tree as fast as they can while it is watched, and at the end the
 * picture made from the callbacks alone must equal the disk.  Every storm blows twice in a row,
 * with CT_FULL twenty times, or CT_STORM_ROUNDS times.
 */
#define FAST "/dev/shm"

static int rounds(void)
{
    const char *n = getenv("CT_STORM_ROUNDS");

    return n != NULL && atoi(n) > 0 ? atoi(n) : getenv("CT_FULL") != NULL ? 20 : 2;
}

struct storm {
    struct picture *p;
    int number; /* of the child */
    int round;
};

/* Run ${f} in ${n} processes, and the loop of this one meanwhile, or only afterwards. */
static void blow(struct picture *p, int round, int n, void (*f)(const struct storm *s), int is_deaf)
{
    struct storm s = {.p = p, .round = round};
    pid_t pids[16];

    for (s.number = 0; s.number < n; s.number++) {
        assert_int_not_equal(pids[s.number] = fork(), -1);
        if (pids[s.number] == 0) {
            srand((unsigned)(round * 100 + s.number));
            f(&s);
            _exit(0);
        }
    }
    for (int i = 0; i < n; i++) {
        int status;
        if (!is_deaf) {
            picture_run_until_exit(p, pids[i]);
            continue;
        }
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
}

static int64_t settle(struct picture *p)
{
    picture_drain(p);
    return picture_check(p);
}

/* 5,000 folders are made and filled while the watch is being set up. */
static void make_folders(const struct storm *s)
{
    for (int i = 0; i < 5000 / 4; i++) {
        const char *dir = picture_path(s->p, 0, "projects/p%d/s%d-%d/t", i % 50, s->number, i);
        picture_mkdir(dir);
        picture_put(picture_path(s->p, 0, "projects/p%d/s%d-%d/t/f", i % 50, s->number, i),
                    i % 100);
        picture_put(picture_path(s->p, 0, "projects/p%d/s%d-%d.jsonl", i % 50, s->number, i), 3);
    }
}

static void folders_made_during_set_up_are_not_missed(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(); i++) {
        struct picture *p = picture_setup_in(FAST, 1);
        picture_start(p);
        blow(p, i, 4, make_folders, 0);
        assert_int_equal(settle(p), 2 * (5000 / 4) * 4);
        picture_free(p);
    }
}

static void append(const struct storm *s)
{
    for (int i = 0; i < 100000 / 8; i++) {
        int f = rand() % 500;
        picture_append(picture_path(s->p, 0, "projects/p%d/%d.jsonl", f % 20, f), 1 + rand() % 200);
    }
}

static void appends_by_many_processes_are_all_counted(void **state)
{
    struct picture *p = picture_setup_in(FAST, 1);

    (void)state;
    for (int i = 0; i < 20; i++)
        picture_mkdir(picture_path(p, 0, "projects/p%d", i));
    picture_start(p);
    picture_drain(p);
    for (int i = 0; i < rounds(); i++) {
        blow(p, i, 8, append, 0);
        assert_int_equal(settle(p), 500);
    }
    picture_free(p);
}

/* Move what may or may not be there. */
static void move(const char *from, const char *to)
{
    (void)rename(from, to);
}

static void move_trees(const struct storm *s)
{
    const struct picture *p = s->p;

    for (int i = 0; i < 200; i++) {
        int a = rand() % 10, b = rand() % 10;
        switch (rand() % 6) {
        case 0:
            picture_mkdir(picture_path(p, -1, "aside/%d-%d/u/v", s->number, i));
            picture_put(picture_path(p, -1, "aside/%d-%d/u/v/f", s->number, i), i);
            picture_put(picture_path(p, -1, "aside/%d-%d/g", s->number, i), i);
            move(picture_path(p, -1, "aside/%d-%d", s->number, i),
                 picture_path(p, 0, "projects/t%d", a));
            break;
        case 1:
            move(picture_path(p, 0, "projects/t%d", a),
                 picture_path(p, -1, "aside/out-%d-%d", s->number, i));
            break;
        case 2:
            move(picture_path(p, 0, "projects/t%d/u", a), picture_path(p, 0, "projects/t%d/w", b));
            break;
        case 3:
            (void)exchange(picture_path(p, 0, "projects/t%d", a),
                           picture_path(p, 0, "projects/t%d", b));
            break;
        case 4:
            move(picture_path(p, 0, "projects/t%d", a), picture_path(p, 0, "debug-%d", a));
            move(picture_path(p, 0, "debug-%d", a), picture_path(p, 0, "projects/t%d", a));
            break;
        default:
            move(picture_path(p, 0, "projects/t%d", a), picture_path(p, 0, "projects/t%d/x", b));
            break;
        }
    }
}

static void moved_trees_are_followed(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(); i++) {
        struct picture *p = picture_setup_in(FAST, 1);
        picture_mkdir(picture_path(p, -1, "aside"));
        picture_mkdir(picture_path(p, 0, "projects"));
        for (int k = 0; k < 10; k++) {
            picture_mkdir(picture_path(p, 0, "projects/t%d/u/deep", k));
            picture_put(picture_path(p, 0, "projects/t%d/u/deep/f", k), k);
        }
        picture_start(p);
        blow(p, i, 3, move_trees, 0);
        (void)settle(p);
        picture_free(p);
    }
}

/* Remove what other processes may fill or remove at the same time. */
static void remove_quietly(const char *path)
{
    char *command = str_printf("rm -rf '%s' 2>/dev/null", path);

    (void)!system(command);
    free(command);
}

static void remake_folders(const struct storm *s)
{
    for (int i = 0; i < 60; i++) {
        int k = s->number * 5 + rand() % 5;
        const char *dir = picture_path(s->p, 0, "projects/r%d", k);
        for (int n = 0; n < 5; n++) {
            picture_mkdir(picture_path(s->p, 0, "projects/r%d/%d", k, n));
            picture_put(picture_path(s->p, 0, "projects/r%d/%d/f%d", k, n, rand() % 3), n);
        }
        picture_put(picture_path(s->p, 0, "projects/r%d/top", k), rand() % 50);
        if (rand() % 4)
            picture_remove(dir);
        if (rand() % 16 == 0)
            remove_quietly(dir);
    }
}

static void folders_made_again_under_the_same_name_are_new(void **state)
{
    struct picture *p = picture_setup_in(FAST, 1);

    (void)state;
    picture_start(p);
    for (int i = 0; i < rounds(); i++) {
        blow(p, i, 4, remake_folders, 0);
        (void)settle(p);
    }
    picture_free(p);
}

static void replace_files(const struct storm *s)
{
    for (int i = 0; i < 2000; i++) {
        int f = rand() % 100;
        const char *tmp = picture_path(s->p, 0, "projects/x/%d.tmp", s->number);
        const char *path = picture_path(s->p, 0, "projects/x/%d.json", f);
        picture_put(tmp, rand() % 300);
        move(tmp, path);
        if (i % 7 == 0)
            (void)unlink(path);
        if (i % 11 == 0) {
            (void)unlink(picture_path(s->p, 0, "projects/x/link%d", f));
            (void)!link(path, picture_path(s->p, 0, "projects/x/link%d", f));
        }
    }
}

static void files_replaced_by_rename_are_followed(void **state)
{
    struct picture *p = picture_setup_in(FAST, 1);

    (void)state;
    picture_mkdir(picture_path(p, 0, "projects/x"));
    picture_start(p);
    for (int i = 0; i < rounds(); i++) {
        blow(p, i, 4, replace_files, 0);
        (void)settle(p);
    }
    picture_free(p);
}

static void shake_root(const struct storm *s)
{
    const char *root = s->p->roots.v[0];

    for (int i = 0; i < 40; i++) {
        (void)unlink(picture_path(s->p, -1, "new")); /* if the link was exchanged for it */
        picture_mkdir(picture_path(s->p, -1, "new/projects/x%d/y", i % 3));
        picture_put(picture_path(s->p, -1, "new/projects/x%d/y/f%d", i % 3, i), i);
        switch (rand() % 4) {
        case 0:
            if (rename(picture_path(s->p, -1, "new"), root) == -1)
                (void)exchange(picture_path(s->p, -1, "new"), root);
            break;
        case 1:
            remove_quietly(root);
            break;
        case 2:
            remove_quietly(root);
            (void)rename(picture_path(s->p, -1, "new"), picture_path(s->p, -1, "to-%d", i % 4));
            (void)!symlink(path_base(picture_path(s->p, -1, "to-%d", i % 4)), root);
            break;
        default:
            (void)rename(root, picture_path(s->p, -1, "was-%d-%d", s->round, i));
            picture_mkdir(picture_path(s->p, -1, "fresh/projects"));
            picture_put(picture_path(s->p, -1, "fresh/projects/g"), i);
            (void)rename(picture_path(s->p, -1, "fresh"), root);
            break;
        }
    }
}

static void root_that_comes_and_goes_is_followed(void **state)
{
    struct picture *p = picture_setup_in(FAST, 1);

    (void)state;
    picture_start(p);
    for (int i = 0; i < rounds(); i++) {
        blow(p, i, 1, shake_root, 0);
        (void)settle(p);
    }
    picture_free(p);
}

static int write_line(const char *path, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Write one line into a file of /proc.  Return 0, or -1 if that is not for us to do. */
static int write_line(const char *path, const char *fmt, ...)
{
    FILE *f = fopen(path, "w");
    va_list ap;
    int rc;

    if (f == NULL)
        return -1;
    va_start(ap, fmt);
    rc = vfprintf(f, fmt, ap) < 0 ? -1 : 0;
    va_end(ap);
    return fclose(f) == 0 ? rc : -1;
}

static void make_many_files(const struct storm *s)
{
    for (int i = 0; i < 6000; i++) {
        const char *path = picture_path(s->p, 0, "projects/x%d/%d-%d", i % 10, s->number, i);
        picture_put(path, i % 10);
        if (i % 3 == 0)
            picture_remove(path);
        if (i % 1000 == 0) {
            picture_mkdir(picture_path(s->p, 0, "projects/x%d/d%d-%d/e", i % 10, s->number, i));
            picture_put(picture_path(s->p, 0, "projects/x%d/d%d-%d/e/f", i % 10, s->number, i), 1);
        }
    }
}

static void overflow_triggers_full_rescan(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(); i++) {
        struct picture *p = picture_setup_in(FAST, 1);
        struct watcher_stats stats;
        int64_t scanned;

        for (int k = 0; k < 10; k++) {
            picture_mkdir(picture_path(p, 0, "projects/x%d/old", k));
            picture_put(picture_path(p, 0, "projects/x%d/old/f", k), k);
        }
        picture_start(p);
        picture_needs_watches(p);
        picture_drain(p);
        scanned = p->scanned;
        blow(p, i, 3, make_many_files, 1);
        picture_remove(picture_path(p, 0, "projects/x1/old"));
        /* This drain's marker is swallowed. */
        (void)settle(p);
        watcher_stats(p->w, &stats);
        assert_true(stats.overflows >= 1);
        assert_true(p->scanned > scanned);
        /* And it goes on as before, once what it did for that is over. */
        picture_drain(p);
        scanned = p->scanned;
        picture_put(picture_path(p, 0, "projects/x1/after"), 1);
        picture_drain(p);
        assert_int_equal(picture_has(p, 0, "projects/x1/after"), 1);
        /* FSEvents may say "look through that folder" of any change. */
        if (strcmp(stats.backend, "fsevents") != 0)
            assert_int_equal(p->scanned, scanned);
        picture_free(p);
    }
}

#define QUEUE_FILE "/proc/sys/fs/inotify/max_queued_events"

static void overflows_of_a_small_queue_end_exact(void **state)
{
    struct watcher_stats stats;
    struct buf was = {0};
    struct picture *p;
    int rc;

    (void)state;
    if (file_read(QUEUE_FILE, 64, &was, NULL) == -1 || write_line(QUEUE_FILE, "64\n") == -1) {
        buf_free(&was);
        print_message("max_queued_events can't be set here\n");
        skip();
    }
    /* The limit is taken when the queue is made, so that nobody else is bothered for long. */
    p = picture_setup_in(FAST, 1);
    picture_start(p);
    rc = write_line(QUEUE_FILE, "%s", was.data);
    buf_free(&was);
    assert_int_equal(rc, 0);
    picture_needs_inotify(p);
    for (int i = 0; i < 20; i++)
        picture_mkdir(picture_path(p, 0, "projects/p%d", i));
    for (int i = 0; i < rounds(); i++) {
        blow(p, i, 4, remake_folders, 0);
        (void)settle(p);
        blow(p, i, 1, append, 0);
        (void)settle(p);
    }
    watcher_stats(p->w, &stats);
    assert_true(stats.overflows > 0);
    picture_free(p);
}

/* A user namespace has a limit on watches of its own, which needs no privilege and bothers nobody.
 * There is no way back out of it.  Return 0, or -1 if there are none here. */
static int enter_namespace(void)
{
    unsigned uid = geteuid(), gid = getegid();

    if (exchange_user() == -1)
        return -1;
    (void)write_line("/proc/self/setgroups", "deny");
    if (write_line("/proc/self/uid_map", "0 %u 1", uid) == -1 ||
        write_line("/proc/self/gid_map", "0 %u 1", gid) == -1)
        return -1;
    return 0;
}

#define LIMIT_FILE "/proc/sys/user/max_inotify_watches"

static void reached_watch_limit_degrades_to_polling(void **state)
{
    struct watcher_stats stats;
    struct picture *p;

    (void)state;
    if (enter_namespace() == -1 || write_line(LIMIT_FILE, "100\n") == -1) {
        print_message("no user namespace with a limit of its own here\n");
        skip();
    }
    p = picture_setup_in(FAST, 1);
    for (int i = 0; i < 100; i++) {
        picture_mkdir(picture_path(p, 0, "projects/x%d/y", i));
        picture_put(picture_path(p, 0, "projects/x%d/y/f", i), i);
    }
    picture_start(p);
    picture_needs_inotify(p);
    picture_drain(p);
    watcher_stats(p->w, &stats);
    assert_string_equal(stats.backend, "inotify");
    assert_int_equal(stats.watches, 100);
    picture_degraded(p);
    assert_int_equal(p->degraded.n, 1);
    assert_non_null(strstr(p->degraded.v[0], "fs.inotify.max_user_watches"));
    assert_non_null(strstr(p->degraded.v[0], "sysctl fs.inotify.max_user_watches="));
    for (int i = 0; i < rounds(); i++) {
        blow(p, i, 4, remake_folders, 0);
        for (int k = 0; k < 100; k += 9) {
            picture_remove(picture_path(p, 0, "projects/x%d", k));
            picture_put(picture_path(p, 0, "projects/x%d/y/f", (k + 1) % 100), 1000 + i);
            picture_mkdir(picture_path(p, 0, "projects/x%d/y/z%d", k, i));
            picture_put(picture_path(p, 0, "projects/x%d/y/z%d/g", k, i), i);
        }
        (void)settle(p);
    }
    /* The next rescan takes what the limit allows by then. */
    assert_int_equal(write_line(LIMIT_FILE, "10000\n"), 0);
    watcher_rescan(p->w);
    picture_drain(p);
    picture_degraded(p);
    assert_int_equal(p->degraded.n, 0);
    watcher_stats(p->w, &stats);
    assert_true(stats.watches > 200);
    blow(p, 0, 4, remake_folders, 0);
    (void)settle(p);
    picture_free(p);
}

static void polling_sees_storms_through(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(); i++) {
        struct picture *p = picture_setup_in(FAST, 1);
        p->opts.is_polling = 1;
        picture_mkdir(picture_path(p, -1, "aside"));
        picture_mkdir(picture_path(p, 0, "projects"));
        picture_start(p);
        blow(p, i, 2, remake_folders, 0);
        blow(p, i, 2, move_trees, 0);
        blow(p, i, 1, shake_root, 0);
        picture_drain(p);
        (void)picture_check(p);
        picture_free(p);
    }
}

/* inotifywait beside it, where it can be trusted: in folders that were there before. */
static pid_t start_oracle(const struct picture *p, FILE **ret)
{
    const char *root = picture_path(p, 0, "projects");
    int out[2], ready[2];
    char line[256];
    FILE *f;
    pid_t pid;

    assert_int_equal(fd_pipe(out), 0);
    assert_int_equal(fd_pipe(ready), 0);
    assert_int_not_equal(pid = fork(), -1);
    if (pid == 0) {
        dup2(out[1], 1);
        dup2(ready[1], 2);
        execlp("inotifywait", "inotifywait", "-m", "-r", "--format", "%w%f", "-e",
               "create,modify,close_write,moved_from,moved_to,delete", root, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    close(ready[1]);
    f = fdopen(ready[0], "r");
    *ret = fdopen(out[0], "r");
    while (fgets(line, sizeof(line), f) != NULL) {
        if (strstr(line, "established") != NULL) {
            /* Its standard error stays open: nothing more is written there. */
            (void)f;
            return pid;
        }
    }
    return -1;
}

static void write_known_folders(const struct storm *s)
{
    for (int i = 0; i < 500; i++) {
        const char *path = picture_path(s->p, 0, "projects/p%d/%d", rand() % 20, rand() % 50);
        switch (rand() % 4) {
        case 0:
            (void)unlink(path);
            break;
        case 1:
            move(path, picture_path(s->p, 0, "projects/p%d/%d", rand() % 20, rand() % 50));
            break;
        default:
            picture_append(path, 5);
            break;
        }
    }
}

static void tells_all_that_inotifywait_tells(void **state)
{
    struct picture *p = picture_setup_in(FAST, 1);
    size_t skip_len = strlen(p->roots.v[0]) + 1;
    char line[PATH_MAX], *told;
    struct watcher_stats stats;
    struct map *ours;
    int64_t events = 0;
    FILE *f;
    pid_t oracle;

    (void)state;
    for (int i = 0; i < 20; i++)
        picture_mkdir(picture_path(p, 0, "projects/p%d", i));
    p->is_logging = 1;
    picture_start(p);
    picture_needs_watches(p);
    picture_drain(p);
    if ((oracle = start_oracle(p, &f)) == -1) {
        print_message("inotifywait is not installed\n");
        picture_free(p);
        skip();
    }
    for (int i = 0; i < rounds(); i++) {
        blow(p, i, 2, write_known_folders, 0);
        (void)settle(p);
    }
    watcher_stats(p->w, &stats);
    ours = map_new();
    for (size_t i = 0; i < p->log.n; i++)
        map_put(ours, p->log.v[i] + 1, p);
    /* Its end: a name that nobody else makes. */
    picture_put(picture_path(p, 0, "projects/p0/the-end"), 1);
    while (fgets(line, sizeof(line), f) != NULL && strstr(line, "the-end") == NULL) {
        line[strcspn(line, "\n")] = '\0';
        told = line + skip_len;
        /* What came and went while events were lost is told by nothing. */
        if (map_get(ours, told) == NULL && (stats.overflows == 0 || access(line, F_OK) == 0))
            fail_msg("only inotifywait told of %s", told);
        events++;
    }
    assert_true(events > 100);
    kill(oracle, SIGKILL);
    assert_int_equal(waitpid(oracle, NULL, 0), oracle);
    fclose(f);
    map_free(ours);
    picture_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_made_during_set_up_are_not_missed),
        cmocka_unit_test(appends_by_many_processes_are_all_counted),
        cmocka_unit_test(moved_trees_are_followed),
        cmocka_unit_test(folders_made_again_under_the_same_name_are_new),
        cmocka_unit_test(files_replaced_by_rename_are_followed),
        cmocka_unit_test(root_that_comes_and_goes_is_followed),
        cmocka_unit_test(overflow_triggers_full_rescan),
        cmocka_unit_test(overflows_of_a_small_queue_end_exact),
        cmocka_unit_test(polling_sees_storms_through),
        cmocka_unit_test(tells_all_that_inotifywait_tells),
        cmocka_unit_test(reached_watch_limit_degrades_to_polling), /* last: see there */
    };

    cmocka_set_test_filter(getenv("CT_TEST"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
