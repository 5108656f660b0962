#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bundle/pack/pack.h"
#include "bundle/pack/snapshot.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "tests/scratch.h"

/*
 * Writers that append, truncate, rewrite and rename as fast as a builder can bear while bundles are
 * built: they pause after each change, twice as long after each try that failed, half as long after
 * each bundle. So it is a storm on every machine, and on none one that can't be lived through.
 * Every line of the transcript has a number of its own and names the line before it, so a chain
 * that begins at the beginning is a state that the file really had when its last line was written.
 */
#define A "11111111-2222-4333-8444-555555555555"
#define TRANSCRIPT "projects/p/" A ".jsonl"
#define WANTED 12      /* bundles to be built and checked */
#define FULL 400       /* with CT_FULL; then LIMIT_MS does not hold */
#define LIMIT_MS 30000 /* a very slow machine may stop earlier, but not with none */
#define LINES_MAX 20000
#define PAUSE_MIN_US 32 /* the first pause after none */
#define PAUSE_MAX_US 262144

/* Shared with the writers. */
static volatile int *pause_us;

struct writer {
    char *path, *tmp;
    int fd;
    unsigned int seed;
    int64_t next;               /* number of the next line */
    int64_t numbers[LINES_MAX]; /* what the file holds */
    int64_t ends[LINES_MAX];
    int n;
};

static unsigned int roll(struct writer *w, unsigned int below)
{
    w->seed = w->seed * 1103515245U + 12345U;
    return (w->seed >> 8) % below;
}

static void must(int ok)
{
    if (!ok)
        _exit(9);
}

static void rest(void)
{
    int us = *pause_us;
    struct timespec t = {.tv_nsec = us * 1000L};

    if (us > 0)
        nanosleep(&t, NULL);
}

static void adjust_pause(int is_built)
{
    int us = *pause_us;

    if (is_built)
        *pause_us = us > PAUSE_MIN_US ? us / 2 : 0;
    else if (us < PAUSE_MAX_US)
        *pause_us = us > 0 ? us * 2 : PAUSE_MIN_US;
}

/* One line, sometimes in two writes. */
static void add_line(struct writer *w, int fd)
{
    char line[1400];
    int n, half;

    n = snprintf(line, sizeof(line), "{\"n\":%lld,\"prev\":%lld,\"pad\":\"%*s\"}\n",
                 (long long)w->next, (long long)(w->n > 0 ? w->numbers[w->n - 1] : -1),
                 (int)roll(w, 1200), "");
    half = roll(w, 8) == 0 ? (int)roll(w, (unsigned int)n) : n;
    must(file_write_all(fd, line, (size_t)half) == 0);
    must(file_write_all(fd, line + half, (size_t)(n - half)) == 0);
    w->numbers[w->n] = w->next++;
    w->ends[w->n] = (w->n > 0 ? w->ends[w->n - 1] : 0) + n;
    w->n++;
}

static int open_to(const char *path, int flags)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | flags, 0600);

    must(fd >= 0);
    return fd;
}

static void rewrite_in_place(struct writer *w)
{
    int n = 1000 + (int)roll(w, 4000);

    must(ftruncate(w->fd, 0) == 0);
    w->n = 0;
    while (w->n < n)
        add_line(w, w->fd);
}

static void replace_by_rename(struct writer *w)
{
    int n = 1000 + (int)roll(w, 4000), fd = open_to(w->tmp, O_TRUNC);

    w->n = 0;
    while (w->n < n)
        add_line(w, fd);
    must(rename(w->tmp, w->path) == 0);
    close(w->fd);
    w->fd = fd;
}

static void truncate_at_a_line(struct writer *w)
{
    if (w->n < 10)
        return;
    w->n -= (int)roll(w, (unsigned int)w->n / 2) + 1;
    must(ftruncate(w->fd, (off_t)w->ends[w->n - 1]) == 0);
}

static void write_transcript(const char *root)
{
    struct writer *w = str_calloc(1, sizeof(*w));

    w->path = scratch_path(root, TRANSCRIPT);
    w->tmp = scratch_path(root, "projects/p/tmp");
    w->seed = 20261123;
    w->fd = open_to(w->path, 0);
    rewrite_in_place(w);
    for (pid_t parent = getppid(); getppid() == parent; rest()) {
        unsigned int what = roll(w, 4000);
        if (what == 0 || w->n >= LINES_MAX - 1)
            rewrite_in_place(w);
        else if (what == 1)
            replace_by_rename(w);
        else if (what < 5)
            truncate_at_a_line(w);
        else
            add_line(w, w->fd);
    }
}

/* Beside it: a subagent that grows, a file that is replaced, prompts that come in. */
static void write_the_rest(const char *root)
{
    char *agent = scratch_path(root, "projects/p/" A "/subagents/agent-1.jsonl");
    char *todo = scratch_path(root, "todos/" A "-agent-" A ".json");
    char *tmp = scratch_path(root, "todos/tmp"), *history = scratch_path(root, "history.jsonl");

    pid_t parent = getppid();

    for (int i = 0; getppid() == parent; i++, rest()) {
        struct stat st;
        scratch_append(agent, "{\"type\":\"assistant\"}\n");
        scratch_append(history, "{\"display\":\"x\",\"sessionId\":\"" A "\"}\n");
        if (i % 5000 == 0) {
            scratch_puts(tmp, "[]");
            must(rename(tmp, todo) == 0);
        }
        if (stat(agent, &st) == 0 && st.st_size > 3000000)
            must(unlink(agent) == 0 && unlink(history) == 0);
    }
}

static pid_t start(void (*f)(const char *root), const char *root)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        f(root);
        _exit(0);
    }
    return pid;
}

static void stop(pid_t pid)
{
    int status;

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status)); /* it did not end by itself */
}

static struct buf transcript_of(const char *bundle)
{
    struct archive *a = archive_read_new();
    struct archive_entry *e;
    struct buf b = {0};
    char piece[65536];
    la_ssize_t n;

    assert_int_equal(archive_read_support_filter_gzip(a), ARCHIVE_OK);
    assert_int_equal(archive_read_support_format_tar(a), ARCHIVE_OK);
    assert_int_equal(archive_read_open_filename(a, bundle, 65536), ARCHIVE_OK);
    while (archive_read_next_header(a, &e) == ARCHIVE_OK) {
        int is_it = strcmp(archive_entry_pathname(e), "session.jsonl") == 0;
        while ((n = archive_read_data(a, piece, sizeof(piece))) > 0) {
            if (is_it)
                buf_add(&b, piece, (size_t)n);
        }
        assert_int_equal(n, 0);
    }
    assert_int_equal(archive_read_free(a), ARCHIVE_OK);
    return b;
}

static void assert_really_existed(const char *bundle, int64_t bytes)
{
    struct buf b = transcript_of(bundle);
    const char *end = buf_reserve(&b, 0), *at = b.data;
    long long last = -1;

    assert_int_equal(b.len, bytes);
    while (at < end) {
        const char *nl = memchr(at, '\n', (size_t)(end - at));
        long long number, prev;
        assert_non_null(nl);
        assert_int_equal(sscanf(at, "{\"n\":%lld,\"prev\":%lld,\"pad\":\"", &number, &prev), 2);
        assert_int_equal(prev, last);
        assert_memory_equal(nl - 2, "\"}", 2);
        last = number;
        at = nl + 1;
    }
    buf_free(&b);
}

/* Return 1 if a bundle came of it, 0 if the storm was in the way. */
static int try_once(const struct snapshot_opts *take, const struct pack_opts *opts)
{
    struct pack_result r;
    struct snapshot *s;
    struct ct_err err = {0};
    int rc;

    if (snapshot_take(take, &s, &err) != 0) {
        if (err.code != ERR_RETRY && err.code != ERR_GONE)
            fail_msg("snapshot: %s", err.msg);
        return 0;
    }
    rc = pack_write(s, opts, &r, &err);
    snapshot_free(s);
    if (rc != 0) {
        if (err.code != ERR_RETRY)
            fail_msg("pack: %s", err.msg);
        assert_int_equal(access(opts->spool_path, F_OK), -1);
        return 0;
    }
    assert_really_existed(opts->spool_path, r.transcript_bytes);
    pack_result_clear(&r);
    assert_int_equal(unlink(opts->spool_path), 0);
    return 1;
}

static void storm(int has_cache)
{
    char *dir = scratch_new(), *root = scratch_path(dir, "root"),
         *cache = scratch_path(dir, "cache");
    char *bundle = scratch_path(dir, "bundle"), *p = scratch_path(root, TRANSCRIPT);
    struct snapshot_opts take = {.root = root, .session_id = A, .user_dir = "/home/alice"};
    struct pack_opts opts = {.cache_bytes = 64 << 20, .spool_path = bundle};
    int is_full = getenv("CT_FULL") != NULL;
    int64_t until = is_full ? INT64_MAX : now_mono_ms() + LIMIT_MS;
    int built = 0, tried = 0;
    pid_t writer, other;

    if (has_cache)
        opts.cache_dir = cache;
    scratch_puts(p, "");
    *pause_us = 0;
    writer = start(write_transcript, root);
    other = start(write_the_rest, root);
    while (built < (is_full ? FULL : WANTED) && (built == 0 || now_mono_ms() < until)) {
        int is_built = try_once(&take, &opts);
        adjust_pause(is_built);
        built += is_built;
        tried++;
    }
    stop(writer);
    stop(other);
    print_message("%d bundles in %d tries\n", built, tried);
    /* When the storm is over, one try is enough, and all of it is in. */
    assert_true(try_once(&take, &opts));
    free(p);
    free(bundle);
    free(cache);
    free(root);
    scratch_free(dir);
}

static void every_bundle_in_a_storm_is_a_state_that_existed(void **state)
{
    (void)state;
    storm(0);
}

static void the_same_with_a_cache(void **state)
{
    (void)state;
    storm(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bundle_in_a_storm_is_a_state_that_existed),
        cmocka_unit_test(the_same_with_a_cache),
    };

    pause_us =
        mmap(NULL, sizeof(*pause_us), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pause_us == MAP_FAILED)
        return 1;
    return cmocka_run_group_tests_name("storm", tests, NULL, NULL);
}
