#include <fcntl.h>

#include "tests/unit.h"

#include "common/data/db.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "daemon/system/lock.h"
#include "daemon/account/pace.h"
#include "daemon/account/state.h"
#include "net/http.h"
#include "uploader/backoff.h"
#include "uploader/queue.h"
#include "api/store_error.h"

#define SID "be457695-37fc-41a9-a90d-363a62823032"

static struct state *open_state(const char *dir)
{
    char *path = path_join(dir, "state.db");
    struct state *s = NULL;
    struct ct_err err;

    if (state_open(path, &s, &err) != 0)
        fail_msg("%s", err.msg);
    free(path);
    return s;
}

static void put_session(struct state *s, const char *id, int64_t modified_ms)
{
    struct state_session ss = {
        .root = (char *)"/r", .project = (char *)"p", .modified_ms = modified_ms};

    snprintf(ss.session_id, sizeof(ss.session_id), "%s", id);
    assert_int_equal(state_put(s, &ss, NULL), 0);
}

static void what_was_confirmed_survives_a_restart(void **state)
{
    struct state *s = open_state(*state);
    struct state_confirmed c = {
        .version = 3, .content_id = "cid", .sha256 = "sum", .token_tag = ""};
    struct state_session ss;

    put_session(s, SID, 5);
    assert_int_equal(state_confirm(s, SID, &c, NULL), 0);
    put_session(s, SID, 6); /* a later bundle leaves the confirmed version alone */
    state_close(s);
    s = open_state(*state);
    assert_int_equal(state_get(s, SID, &ss), 1);
    assert_int_equal(ss.version, 3);
    assert_string_equal(ss.content_id, "cid");
    assert_int_equal(ss.modified_ms, 6);
    state_session_clear(&ss);
    assert_int_equal(state_get(s, "nobody", &ss), 0);
    state_close(s);
}

static void a_damaged_database_is_set_aside(void **state)
{
    char *path = path_join(*state, "state.db"), *spool = path_join(*state, "spool"), *aside, *kept;
    struct state *s;
    struct stat st;
    struct ct_err err;

    free(unit_write(*state, "state.db",
                    "this is no database, and long enough to be sure of it, "
                    "for SQLite looks at the first hundred bytes of a file",
                    0600));
    free(unit_write(*state, "state.db-wal", "old", 0600));
    assert_int_equal(mkdir(spool, 0700), 0);
    assert_int_equal(state_open(path, &s, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_int_equal(state_set_aside(path, spool, &aside, &err), 0);
    assert_int_equal(stat(aside, &st), 0);
    kept = str_printf("%s.spool", aside);
    assert_int_equal(stat(kept, &st), 0);
    assert_int_equal(stat(spool, &st), -1);
    s = open_state(*state);
    put_session(s, SID, 1);
    state_close(s);
    free(kept);
    free(aside);
    free(spool);
    free(path);
}

/* A database of some pages, and a log beside it, as a crash leaves them; copied to ${dir}/copy. */
static char *crashed(const char *dir)
{
    struct state *s = open_state(dir);
    char *copy = path_join(dir, "copy"), *path = path_join(copy, "state.db");
    char id[UUID_SIZE], *cmd;

    assert_int_equal(db_begin(state_db(s), NULL), 0);
    for (int i = 0; i < 2000; i++) {
        snprintf(id, sizeof(id), "%08x-37fc-41a9-a90d-363a62823032", (unsigned)i);
        put_session(s, id, i);
    }
    assert_int_equal(db_commit(state_db(s), NULL), 0);
    assert_int_equal(db_exec(state_db(s), NULL, "PRAGMA wal_checkpoint(TRUNCATE)", ""), 0);
    put_session(s, SID, 1);
    cmd = str_printf("mkdir %s && cp %s/state.db* %s/", copy, dir, copy);
    assert_int_equal(system(cmd), 0);
    free(cmd);
    free(copy);
    state_close(s);
    return path;
}

static void overwrite_the_middle(const char *path)
{
    static char junk[20 * 4096];
    struct stat st;
    int fd = open(path, O_RDWR);

    memset(junk, 0xAA, sizeof(junk));
    assert_true(fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 3 * (off_t)sizeof(junk));
    assert_int_equal(pwrite(fd, junk, sizeof(junk), st.st_size / 2 / 4096 * 4096), sizeof(junk));
    close(fd);
}

static void a_crash_alone_damages_nothing(void **state)
{
    char *path = crashed(*state);
    struct state *s;
    struct state_session ss;

    assert_int_equal(state_open(path, &s, NULL), 0);
    assert_int_equal(state_get(s, SID, &ss), 1);
    state_session_clear(&ss);
    state_close(s);
    free(path);
}

static void damage_in_the_middle_is_found_after_a_crash(void **state)
{
    char *path = crashed(*state);
    struct state *s;
    struct ct_err err;

    overwrite_the_middle(path);
    assert_int_equal(state_open(path, &s, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    free(path);
}

static void count_call(void *arg)
{
    ++*(int *)arg;
}

static void ignore_file(void *arg, const struct state_session *ss)
{
    (void)arg;
    (void)ss;
}

static void damage_met_in_use_is_told_once(void **state)
{
    char *path = crashed(*state);
    struct state *s;
    int calls = 0;

    assert_int_equal(state_open(path, &s, NULL), 0);
    db_on_damage(state_db(s), count_call, &calls);
    overwrite_the_middle(path);
    db_shrink(state_db(s));
    state_each(s, NULL, 0, 1 << 20, ignore_file, NULL);
    state_each(s, NULL, 0, 1 << 20, ignore_file, NULL);
    assert_int_equal(calls, 1);
    state_close(s);
    free(path);
}

struct half {
    struct state *s;
    int rc;
};

static int put_two(void *arg, struct ct_err *err)
{
    struct half *h = arg;

    put_session(h->s, SID, 1);
    return h->rc == 0 ? 0 : err_set(err, ERR_FAIL, "told to");
}

static void a_transaction_is_all_or_nothing(void **state)
{
    struct half h = {open_state(*state), -1};
    struct state_session ss;
    struct ct_err err;

    assert_int_equal(db_transact(state_db(h.s), put_two, &h, &err), -1);
    assert_string_equal(err.msg, "told to");
    assert_int_equal(state_get(h.s, SID, &ss), 0);
    h.rc = 0;
    assert_int_equal(db_transact(state_db(h.s), put_two, &h, &err), 0);
    assert_int_equal(state_get(h.s, SID, &ss), 1);
    state_session_clear(&ss);
    state_close(h.s);
}

static void one_process_at_a_time_has_the_database(void **state)
{
    struct state *s = open_state(*state), *second = NULL;
    char *path = path_join(*state, "state.db");
    struct ct_err err;

    assert_int_equal(state_open(path, &second, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    state_close(s);
    free(path);
}

static void one_instance_at_a_time_has_the_lock(void **state)
{
    struct ct_err err;
    int fd, second;

    assert_int_equal(lock_take(*state, &fd, NULL), 0);
    assert_int_equal(lock_take(*state, &second, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    close(fd);
    assert_int_equal(lock_take(*state, &fd, NULL), 0);
    close(fd);
}

static void files_are_found_by_root_and_path(void **state)
{
    struct state *s = open_state(*state);
    struct state_file f = {
        .root = "/r", .path = "a\xFF\n", .size_bytes = 1, .mtime_ns = 2, .inode = UINT64_MAX};
    int64_t size, mtime;
    uint64_t inode;

    assert_int_equal(state_put_file(s, SID, &f, NULL), 0);
    assert_int_equal(state_file(s, "/r", "a\xFF\n", &size, &mtime, &inode), 1);
    assert_true(size == 1 && mtime == 2 && inode == UINT64_MAX);
    assert_int_equal(state_file(s, "/q", "a\xFF\n", &size, &mtime, &inode), 0);
    assert_int_equal(state_drop_files(s, SID, NULL), 0);
    assert_int_equal(state_file(s, "/r", "a\xFF\n", &size, &mtime, &inode), 0);
    state_close(s);
}

static void prefixes_are_counted(void **state)
{
    struct state *s = open_state(*state);
    char id[UUID_SIZE];

    put_session(s, SID, 1);
    put_session(s, "be000000-37fc-41a9-a90d-363a62823032", 1);
    assert_int_equal(state_by_prefix(s, "be4", id), 1);
    assert_string_equal(id, SID);
    assert_int_equal(state_by_prefix(s, "be", id), 2);
    assert_int_equal(state_by_prefix(s, "c", id), 0);
    assert_int_equal(state_by_prefix(s, "%", id), 0);
    state_close(s);
}

struct loaded {
    struct queue_item *item;
    int n;
};

static void keep_item(void *arg, struct queue_item *item)
{
    struct loaded *l = arg;

    queue_item_free(l->item);
    l->item = item;
    l->n++;
}

static void a_newer_bundle_takes_the_place_of_one_that_waits(void **state)
{
    struct state *s = open_state(*state);
    struct db *db = state_db(s);
    struct queue_item q = {.session_id = SID,
                           .file = (char *)"one",
                           .size_bytes = 1,
                           .sha256 = "s",
                           .md5 = (char *)"m",
                           .content_id = "c",
                           .source_machine = (char *)"d",
                           .source_cwd = (char *)"/w",
                           .source_user_dir = (char *)"/h"};
    struct loaded l = {0};

    assert_int_equal(queue_setup(db, NULL), 0);
    assert_int_equal(queue_put(db, &q, NULL), 0);
    assert_int_equal(queue_set_phase(db, SID, QUEUE_STORED, 9, NULL), 0);
    q.file = (char *)"two";
    assert_int_equal(queue_put(db, &q, NULL), 0);
    assert_int_equal(queue_load(db, keep_item, &l, NULL), 0);
    assert_int_equal(l.n, 1);
    assert_string_equal(l.item->file, "two");
    assert_int_equal(l.item->phase, QUEUE_READY);
    assert_int_equal(l.item->version, 0);
    queue_item_free(l.item);
    state_close(s);
}

static void waits_grow_to_ten_minutes_and_honour_the_server(void **state)
{
    (void)state;
    for (uint32_t dice = 0; dice < 100000; dice += 7) {
        assert_in_range(backoff_ms(1, 0, 0, dice), 500, 1500);
        assert_in_range(backoff_ms(40, 0, 0, dice * 40503u), 250, BACKOFF_MOST_MS);
        assert_true(backoff_ms(2, 0, 30, dice) >= 30000);
    }
}

static enum err_code meaning(int status, const char *body, int64_t url_age_ms)
{
    struct http_res res = {.status = status};
    struct ct_err err;

    buf_addstr(&res.body, body);
    store_error(&res, url_age_ms, &err);
    assert_null(strstr(err.msg, "AKIA"));
    buf_free(&res.body);
    return err.code;
}

static void a_store_is_understood_by_its_code(void **state)
{
    (void)state;
    assert_int_equal(meaning(403, "<Error><Code>ExpiredRequest</Code></Error>", 0), ERR_EXPIRED);
    assert_int_equal(meaning(403, "<Error><Code>AccessDenied</Code></Error>", 0), ERR_FAIL);
    assert_int_equal(meaning(403, "<Error><Code>AccessDenied</Code></Error>", 301000), ERR_EXPIRED);
    assert_int_equal(
        meaning(403, "<Error><Code>SignatureDoesNotMatch</Code><K>AKIA</K></Error>", 0),
        ERR_EXPIRED);
    assert_int_equal(meaning(400, "<Error><Code>BadDigest</Code></Error>", 0), ERR_CORRUPT);
    assert_int_equal(meaning(503, "busy", 0), ERR_RETRY);
    assert_int_equal(meaning(418, "<Code><Code>", 0), ERR_FAIL);
}

static void plain_http_is_for_loopback_with_leave(void **state)
{
    struct http_policy no = {0}, yes = {.allow_plain_http = 1};

    (void)state;
    assert_int_equal(http_url_allowed("https://h/v1", &no, NULL), 0);
    assert_int_equal(http_url_allowed("http://127.0.0.1:1/v1", &no, NULL), -1);
    assert_int_equal(http_url_allowed("http://127.0.0.1:1/v1", &yes, NULL), 0);
    assert_int_equal(http_url_allowed("http://[::1]:1/v1", &yes, NULL), 0);
    assert_int_equal(http_url_allowed("http://127.0.0.1.example.org/", &yes, NULL), -1);
    assert_int_equal(http_url_allowed("http://localhost@example.org/", &yes, NULL), -1);
    assert_int_equal(http_url_allowed("ftp://127.0.0.1/", &yes, NULL), -1);
    assert_int_equal(http_url_allowed("no url", &yes, NULL), -1);
    assert_true(http_url_is_loopback("https://LOCALHOST/x"));
    assert_true(http_url_is_loopback("https://127.9.9.9/x"));
    assert_false(http_url_is_loopback("https://128.0.0.1/x"));
}

static void a_url_names_nobody_and_https_leads_to_https(void **state)
{
    static const char *const named[] = {"https://me@h/v1", "https://me:secret@h/v1",
                                        "https://:x@h/",
                                        "https://api.codeteleport.com@evil.example/v1"};
    struct http_policy yes = {.allow_plain_http = 1};
    struct http_req req = HTTP_REQ_INIT;
    struct http_res res = {0};
    struct ct_err err;

    (void)state;
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        assert_int_equal(http_url_allowed(named[i], &yes, &err), -1);
        assert_null(strstr(err.msg, "secret"));
        assert_non_null(strstr(err.msg, "leave it out"));
    }
    assert_int_equal(http_url_may_follow("https://store/x", "https://h/v1", NULL), 0);
    assert_int_equal(http_url_may_follow("http://127.0.0.1:1/x", "http://127.0.0.1:2/v1", NULL), 0);
    assert_int_equal(http_url_may_follow("https://store/x", "http://127.0.0.1:2/v1", NULL), 0);
    assert_int_equal(http_url_may_follow("http://127.0.0.1:1/x", "https://h/v1", NULL), -1);
    assert_int_equal(http_url_may_follow("HTTP://localhost/x", "HTTPS://h/v1", NULL), -1);
    /* Also where the policy has nothing against it, and before a byte goes out. */
    req.method = "PUT";
    req.url = "http://127.0.0.1:1/x";
    req.from = "https://h/v1";
    req.body = "secret";
    req.body_len = 6;
    assert_int_equal(http_perform(&yes, &req, &res, &err), -1);
    assert_int_equal(err.code, ERR_REFUSED);
    http_res_free(&res);
}

static void few_versions_are_spread_over_ten_minutes(void **state)
{
    (void)state;
    assert_int_equal(pace_distance_ms(15000, 2), 300000);
    assert_int_equal(pace_distance_ms(15000, 1), 600000);
    assert_int_equal(pace_distance_ms(400000, 2), 400000);
    assert_int_equal(pace_distance_ms(15000, 0), 15000);
    assert_int_equal(pace_distance_ms(15000, 10), 15000);
    assert_int_equal(pace_distance_ms(0, 20), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(what_was_confirmed_survives_a_restart),
        UNIT(a_damaged_database_is_set_aside),
        UNIT(a_crash_alone_damages_nothing),
        UNIT(damage_in_the_middle_is_found_after_a_crash),
        UNIT(damage_met_in_use_is_told_once),
        UNIT(a_transaction_is_all_or_nothing),
        UNIT(few_versions_are_spread_over_ten_minutes),
        UNIT(one_process_at_a_time_has_the_database),
        UNIT(one_instance_at_a_time_has_the_lock),
        UNIT(files_are_found_by_root_and_path),
        UNIT(prefixes_are_counted),
        UNIT(a_newer_bundle_takes_the_place_of_one_that_waits),
        cmocka_unit_test(waits_grow_to_ten_minutes_and_honour_the_server),
        cmocka_unit_test(a_store_is_understood_by_its_code),
        cmocka_unit_test(a_url_names_nobody_and_https_leads_to_https),
        cmocka_unit_test(plain_http_is_for_loopback_with_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
