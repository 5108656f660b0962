#include <event2/event.h>

#include "tests/unit.h"

#include "common/base/path.h"
#include "common/sys/worker.h"
#include "uploader/uploader.h"

#define SID "be457695-37fc-41a9-a90d-363a62823032"

/* A queue on disk, without credentials: nothing starts. */
struct bench {
    struct event_base *base;
    struct worker *worker;
    struct db *db;
    struct uploader *u;
    char *spool;
};

static void bench_open(struct bench *b, const char *dir)
{
    static const struct uploader_ops none = {0};
    char *path = path_join(dir, "q.db");
    struct uploader_opts o = {.concurrency = 2};
    struct ct_err err;

    b->base = event_base_new();
    b->spool = path_join(dir, "spool");
    assert_int_equal(worker_new(b->base, NULL, &b->worker, &err), 0);
    assert_int_equal(db_open(path, DB_EXCLUSIVE, &b->db, &err), 0);
    o.base = b->base;
    o.worker = b->worker;
    o.db = b->db;
    o.spool_dir = b->spool;
    o.kept_dir = dir;
    if (uploader_new(&o, &none, NULL, &b->u, &err) != 0)
        fail_msg("%s", err.msg);
    free(path);
}

static void bench_close(struct bench *b)
{
    uploader_free(b->u);
    worker_free(b->worker);
    db_close(b->db);
    event_base_free(b->base);
    free(b->spool);
}

static struct queue_item item_of(const char *file)
{
    struct queue_item q = {
        .session_id = SID,
        .file = (char *)(uintptr_t)file,
        .size_bytes = 3,
        .sha256 = "s",
        .content_id = "c",
        .md5 = (char *)"m",
        .source_machine = (char *)"x",
        .source_cwd = (char *)"/",
        .source_user_dir = (char *)"/",
    };

    return q;
}

static int is_in_spool(const struct bench *b, const char *file)
{
    char *path = path_join(b->spool, file);
    int rc = access(path, F_OK) == 0;

    free(path);
    return rc;
}

struct putting {
    struct bench *b;
    struct queue_item q;
    int rc;
};

static int put(void *arg, struct ct_err *err)
{
    struct putting *p = arg;

    return uploader_put(p->b->u, &p->q, err) == 0 ? p->rc : -1;
}

static void a_replaced_bundle_goes_after_the_commit_only(void **state)
{
    struct bench b;
    struct putting p = {.b = &b, .q = item_of("one")};
    struct uploader_view v;

    bench_open(&b, *state);
    free(unit_write(b.spool, "one", "one", 0600));
    free(unit_write(b.spool, "two", "two", 0600));
    assert_int_equal(db_transact(b.db, put, &p, NULL), 0);
    uploader_take(b.u, &p.q);
    p.q = item_of("two");
    p.rc = -1;
    assert_int_equal(db_transact(b.db, put, &p, NULL), -1);
    assert_true(is_in_spool(&b, "one"));
    assert_int_equal(uploader_look(b.u, SID, &v), 1);
    assert_string_equal(v.item->file, "one");
    p.rc = 0;
    assert_int_equal(db_transact(b.db, put, &p, NULL), 0);
    assert_true(
        is_in_spool(&b, "one")); /* a crash here finds both, and the row says which counts */
    uploader_take(b.u, &p.q);
    assert_false(is_in_spool(&b, "one"));
    assert_true(is_in_spool(&b, "two"));
    bench_close(&b);
}

static void a_start_keeps_what_has_a_row_and_nothing_else(void **state)
{
    struct bench b;
    struct putting p = {.b = &b, .q = item_of("one")};
    struct uploader_view v;

    bench_open(&b, *state);
    free(unit_write(b.spool, "one", "one", 0600));
    free(unit_write(b.spool, "lost", "two", 0600));
    free(unit_write(b.spool, "half.tmp", "thr", 0600));
    assert_int_equal(db_transact(b.db, put, &p, NULL), 0);
    bench_close(&b);
    bench_open(&b, *state);
    assert_true(is_in_spool(&b, "one"));
    assert_false(is_in_spool(&b, "lost"));
    assert_false(is_in_spool(&b, "half.tmp"));
    assert_int_equal(uploader_look(b.u, SID, &v), 1);
    assert_int_equal(uploader_spool_bytes(b.u), 3);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_replaced_bundle_goes_after_the_commit_only),
        UNIT(a_start_keeps_what_has_a_row_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
