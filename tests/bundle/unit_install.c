#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "agents/agent.h"
#include "agents/disk/beneath.h"
#include "bundle/install/adopted.h"
#include "bundle/open/generations.h"
#include "bundle/install/dirlock.h"
#include "bundle/install/local.h"
#include "bundle/compare/merge.h"
#include "bundle/install/prompts.h"
#include "bundle/install/stage.h"
#include "common/base/file.h"

#include "tests/unit.h"

#define ID "11111111-2222-4333-8444-555555555555"
#define OTHER "aaaaaaaa-2222-4333-8444-555555555555"

static int open_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static char *read_file(const char *dir, const char *name)
{
    char path[512];
    struct buf b = {0};

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_int_equal(file_read(path, 1 << 20, &b, NULL), 0);
    return buf_steal(&b);
}

/* ---- memory ------------------------------------------------------------------------------------
 */

static void check_merge(const char *ours, const char *theirs, const char *both)
{
    struct buf a = {0}, b = {0}, c = {0};

    buf_addstr(&a, ours);
    buf_addstr(&b, theirs);
    assert_int_equal(merge_lines(&a, &b, &c), strcmp(ours, both) != 0);
    assert_string_equal(c.len > 0 ? c.data : "", both);
    buf_free(&a);
    buf_free(&b);
    buf_free(&c);
}

static void lines_that_are_missing_come_at_the_end(void **state)
{
    (void)state;
    check_merge("", "", "");
    check_merge("", "a\nb\n", "a\nb\n");
    check_merge("a\n", "", "a\n");
    check_merge("a\nb\n", "b\na\n", "a\nb\n");
    check_merge("a\nb", "c\nb\nd", "a\nb\nc\nd\n");
    check_merge("a\n\n", "\n\nx\nx\n", "a\n\nx\n");
    check_merge("a\nb\n", "a\r\nb\r\n\r\n", "a\nb\n");
    check_merge("a\r\nb", "b\nc\n", "a\r\nb\r\nc\r\n");
}

/* ---- the lock ----------------------------------------------------------------------------------
 */

struct holder {
    int dir_fd;
    _Atomic int stop;
    int is_letting_go;
};

/* Another holder: touches the lock all the time, or gives it back. */
static void *hold(void *arg)
{
    struct holder *h = arg;
    const struct timespec t = {0, 5000000};

    while (!h->stop) {
        if (h->is_letting_go) {
            unlinkat(h->dir_fd, "x.lock", AT_REMOVEDIR);
            break;
        }
        utimensat(h->dir_fd, "x.lock", NULL, 0);
        nanosleep(&t, NULL);
    }
    return NULL;
}

static void make_old(int dir_fd)
{
    const struct timespec t[2] = {{1000, 0}, {1000, 0}};

    assert_int_equal(mkdirat(dir_fd, "x.lock", 0700), 0);
    assert_int_equal(utimensat(dir_fd, "x.lock", t, 0), 0);
}

static void a_lock_that_is_touched_is_never_broken(void **state)
{
    const struct dirlock_patience p = {1500, 400, 1000, 300};
    int fd = open_dir(*state), clock_fd;
    struct holder h = {.dir_fd = fd};
    struct stat before, after;
    struct dirlock l;
    struct ct_err e;
    pthread_t t;

    assert_int_equal(mkdirat(fd, "stage", 0700), 0);
    clock_fd = openat(fd, "stage", O_RDONLY | O_DIRECTORY);
    make_old(fd);
    assert_int_equal(fstatat(fd, "x.lock", &before, 0), 0);
    assert_int_equal(pthread_create(&t, NULL, hold, &h), 0);
    assert_int_equal(dirlock_take(fd, "x.lock", clock_fd, &p, &l, &e), -1);
    assert_int_equal(e.code, ERR_RETRY);
    h.stop = 1;
    pthread_join(t, NULL);
    assert_int_equal(fstatat(fd, "x.lock", &after, 0), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    close(clock_fd);
    close(fd);
}

static void a_lock_that_was_left_behind_is_broken_and_one_that_comes_free_is_taken(void **state)
{
    const struct dirlock_patience old = {60000, 50000, 60000, 20},
                                  still = {60000, 20, 60000, 50000};
    const struct dirlock_patience none = {60000, 50000, INT64_MAX, 50000};
    int fd = open_dir(*state), clock_fd;
    struct holder h = {.dir_fd = fd, .is_letting_go = 1};
    struct dirlock l, second;
    struct ct_err e;
    pthread_t t;

    assert_int_equal(mkdirat(fd, "stage", 0700), 0);
    clock_fd = openat(fd, "stage", O_RDONLY | O_DIRECTORY);
    make_old(fd);
    assert_int_equal(dirlock_take(fd, "x.lock", clock_fd, &old, &l, &e), 0);
    assert_true(dirlock_is_held(&l));
    dirlock_drop(&l);
    assert_int_equal(faccessat(fd, "x.lock", F_OK, 0), -1);

    assert_int_equal(mkdirat(fd, "x.lock", 0700), 0);
    assert_int_equal(dirlock_take(fd, "x.lock", clock_fd, &still, &l, &e), 0);
    /* Somebody breaks ours: then it is not ours to give back. */
    assert_int_equal(dirlock_take(fd, "x.lock", clock_fd, &still, &second, &e), 0);
    assert_false(dirlock_is_held(&l));
    dirlock_drop(&l);
    assert_true(dirlock_is_held(&second));
    dirlock_drop(&second);

    assert_int_equal(mkdirat(fd, "x.lock", 0700), 0);
    assert_int_equal(pthread_create(&t, NULL, hold, &h), 0);
    assert_int_equal(dirlock_take(fd, "x.lock", clock_fd, &none, &l, &e), 0);
    pthread_join(t, NULL);
    dirlock_drop(&l);
    close(clock_fd);
    close(fd);
}

/* ---- the prompt history ------------------------------------------------------------------------
 */

#define PROMPT(id, text, time, project) \
    "{\"display\":\"" text "\",\"timestamp\":" time ",\"project\":\"" project \
    "\",\"sessionId\":\"" id "\"}\n"

static int64_t append(const char *root, const char *lines)
{
    char *path = unit_write(root, "lines", lines, 0600);
    int root_fd = open_dir(root), fd = open(path, O_RDONLY), clock_fd;
    int64_t counted = -1, added = -1;
    struct ct_err e;

    mkdirat(root_fd, "stage", 0700);
    clock_fd = openat(root_fd, "stage", O_RDONLY | O_DIRECTORY);
    assert_int_equal(prompts_append(root_fd, agent_unnamed(), ID, fd, -1, &counted, &e), 0);
    assert_int_equal(prompts_append(root_fd, agent_unnamed(), ID, fd, clock_fd, &added, &e), 0);
    assert_int_equal(counted, added);
    assert_int_equal(faccessat(root_fd, "history.jsonl.lock", F_OK, 0), -1);
    close(clock_fd);
    close(fd);
    close(root_fd);
    free(path);
    return added;
}

static void prompts_come_once_and_only_this_sessions(void **state)
{
    static const char one[] = PROMPT(ID, "one", "1", "/p") PROMPT(OTHER, "no", "2", "/p");
    static const char two[] = PROMPT(ID, "one", "1", "/elsewhere") PROMPT(ID, "one", "3", "/p");
    char *text;

    assert_int_equal(append(*state, one), 1);
    assert_int_equal(append(*state, one), 0);
    /* The same moment in another folder is the same prompt; the same words later are not. */
    assert_int_equal(append(*state, two), 1);
    text = read_file(*state, "history.jsonl");
    assert_string_equal(text, PROMPT(ID, "one", "1", "/p") PROMPT(ID, "one", "3", "/p"));
    free(text);
}

static void a_line_that_its_writer_never_finished_stays_alone(void **state)
{
    char *path = unit_write(*state, "history.jsonl", "{\"torn\":", 0600), *text;

    assert_int_equal(append(*state, PROMPT(ID, "one", "1", "/p")), 1);
    text = read_file(*state, "history.jsonl");
    assert_string_equal(text, "{\"torn\":\n" PROMPT(ID, "one", "1", "/p"));
    free(text);
    free(path);
}

/* ---- folders -----------------------------------------------------------------------------------
 */

static void folders_are_made_beneath_and_through_no_link(void **state)
{
    int fd = open_dir(*state), made;
    struct stat st;

    made = beneath_make(fd, "a/b/c");
    assert_true(made >= 0);
    assert_int_equal(fstat(made, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    close(made);
    assert_int_equal(symlinkat("a", fd, "link"), 0);
    assert_int_equal(beneath_make(fd, "link/x"), -1);
    assert_int_equal(beneath_make(fd, "a/../x"), -1);
    assert_int_equal(beneath_make(fd, "/x"), -1);
    assert_int_equal(faccessat(fd, "a/x", F_OK, 0), -1);
    close(fd);
}

static void a_stage_removes_what_a_killed_one_left_and_itself(void **state)
{
    struct stage s;
    struct ct_err e;
    int fd = open_dir(*state), left;

    left = beneath_make(fd, ".codeteleport/stage-dead/x/y");
    assert_true(left >= 0);
    close(left);
    assert_int_equal(symlinkat("/tmp", fd, ".codeteleport/stage-dead/link"), 0);
    assert_int_equal(stage_open(*state, &s, &e), 0);
    assert_int_equal(faccessat(fd, ".codeteleport/stage-dead", F_OK, AT_SYMLINK_NOFOLLOW), -1);
    assert_int_equal(access("/tmp", F_OK), 0);
    left = openat(s.fd, "file", O_CREAT | O_WRONLY, 0600);
    close(left);
    stage_close(&s);
    assert_int_equal(faccessat(fd, ".codeteleport", F_OK, 0), -1);
    close(fd);
}

static void adopted_records_come_back_and_damaged_ones_are_none(void **state)
{
    struct adopted a = {.version = 7, .size_bytes = 9, .transcript_bytes = 5, .is_loopback = 1}, b;
    struct ct_err e;
    char *path;

    memcpy(a.session_id, ID, sizeof(a.session_id));
    hash_sha256_hex("x", 1, a.content_id);
    hash_sha256_hex("y", 1, a.sha256);
    hash_sha256_hex("z", 1, a.transcript_digest);
    assert_false(adopted_load(*state, ID, &b));
    assert_int_equal(adopted_save(*state, &a, &e), 0);
    assert_true(adopted_load(*state, ID, &b));
    assert_memory_equal(&a, &b, sizeof(a));
    assert_false(adopted_load(*state, OTHER, &b));
    path =
        unit_write(*state, "adopted/" ID ".json", "{\"sessionId\":\"" ID "\",\"version\":7}", 0600);
    assert_false(adopted_load(*state, ID, &b));
    adopted_forget(*state, ID);
    assert_int_equal(access(path, F_OK), -1);
    free(path);
    a.generation = 3;
    memcpy(a.wire_id, OTHER, sizeof(a.wire_id));
    snprintf(a.key_id, sizeof(a.key_id), "000102030405060708090a0b0c0d0e0f");
    assert_int_equal(adopted_save(*state, &a, &e), 0);
    assert_true(adopted_load(*state, ID, &b));
    assert_memory_equal(&a, &b, sizeof(a));
}

static void the_highest_generation_seen_stays(void **state)
{
    struct ct_err e;
    char *path;

    assert_int_equal(generations_highest(*state, ID), 0);
    assert_int_equal(generations_note(*state, ID, 7, &e), 0);
    assert_int_equal(generations_note(*state, ID, 5, &e), 0);
    assert_int_equal(generations_highest(*state, ID), 7);
    assert_int_equal(generations_note(*state, ID, INT64_MAX, &e), 0);
    assert_true(generations_highest(*state, ID) == INT64_MAX);
    assert_int_equal(generations_highest(*state, OTHER), 0);
    path = unit_write(*state, "seen/" ID, "garbage", 0600);
    assert_int_equal(generations_highest(*state, ID), 0);
    assert_int_equal(generations_note(*state, ID, 2, &e), 0);
    assert_int_equal(generations_highest(*state, ID), 2);
    free(path);
}

/* ---- who works on it ---------------------------------------------------------------------------
 */

static void write_live(const char *root, long pid, const char *text)
{
    char name[64];

    snprintf(name, sizeof(name), "sessions/%ld.json", pid);
    free(unit_write(root, name, text, 0600));
}

static void *finish_writing(void *arg)
{
    char text[160];
    const struct timespec t = {0, 50000000};

    nanosleep(&t, NULL);
    snprintf(text, sizeof(text), "{\"pid\":%ld,\"sessionId\":\"" OTHER "\"}", (long)getpid());
    write_live(arg, (long)getpid(), text);
    return NULL;
}

static void who_is_in_the_middle_of_saying_so_may_work_on_it(void **state)
{
    const char *root = *state;
    char dir[512];
    pthread_t t;

    assert_false(local_is_live(agent_unnamed(), root, ID));
    snprintf(dir, sizeof(dir), "%s/sessions", root);
    assert_int_equal(mkdir(dir, 0700), 0);
    /* Of a process that is gone, or whole but of no session. */
    write_live(root, INT32_MAX, "{\"pid\":2147483647,");
    write_live(root, (long)getpid(), "{\"pid\":1}");
    assert_false(local_is_live(agent_unnamed(), root, ID));
    write_live(root, (long)getpid(), "");
    assert_true(local_is_live(agent_unnamed(), root, ID));
    write_live(root, (long)getpid(), "{\"pid\":12,\"sess");
    assert_true(local_is_live(agent_unnamed(), root, ID));
    /* Its rest is waited for, and tells. */
    assert_int_equal(pthread_create(&t, NULL, finish_writing, *state), 0);
    assert_true(local_is_live(agent_unnamed(), root, OTHER));
    pthread_join(t, NULL);
    assert_false(local_is_live(agent_unnamed(), root, ID));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_are_missing_come_at_the_end),
        UNIT(a_lock_that_is_touched_is_never_broken),
        UNIT(a_lock_that_was_left_behind_is_broken_and_one_that_comes_free_is_taken),
        UNIT(prompts_come_once_and_only_this_sessions),
        UNIT(a_line_that_its_writer_never_finished_stays_alone),
        UNIT(folders_are_made_beneath_and_through_no_link),
        UNIT(a_stage_removes_what_a_killed_one_left_and_itself),
        UNIT(who_is_in_the_middle_of_saying_so_may_work_on_it),
        UNIT(adopted_records_come_back_and_damaged_ones_are_none),
        UNIT(the_highest_generation_seen_stays),
    };

    return cmocka_run_group_tests_name("install", tests, NULL, NULL);
}
