#include "tests/unit.h"

#include <sys/wait.h>

#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "server/ledger/ledger.h"
#include "tests/server/ledger_place.h"

/* Several API processes on one database, at the same session. */

#define PROCESSES 3
#define ROUNDS 40
#define KEEP 5
#define T0 1800000000000LL

static const struct ledger_new_token token = {
    .name = "t", .sha256 = "a1", .last4 = "last", .now_ms = T0};
#define DAY_MS (24LL * 3600 * 1000)
#define S "11111111-2222-4333-8444-555555555555"
#define SUM "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MOST (PROCESSES * ROUNDS)

/* What a process tells of what it did: one of these for each round. */
struct did {
    int64_t reserved; /* 0: an error */
    int confirmed;
    int64_t purged; /* a version that it took for purging, or 0 */
};

struct room {
    char *path;
    struct ledger_who who;
    struct did did[MOST];
};

static struct ledger *open_ledger(const char *path)
{
    struct ledger *l;
    struct ct_err err;

    if (ledger_place_open(path, &l, &err) != 0) {
        fprintf(stderr, "# %s\n", err.msg);
        _exit(1);
    }
    return l;
}

static void push(struct ledger *l, const struct ledger_who *who, struct did *did)
{
    struct api_upload_req q = {.session_id = str_dup(S),
                               .source_cwd = str_dup("/home/al"),
                               .source_user_dir = str_dup("/home/al"),
                               .size_bytes = 10,
                               .base_version = -1};
    struct ledger_reserved res;
    const struct ledger_limits limits = {0, 0};
    struct ct_err err = {0};

    memcpy(q.checksum, SUM, sizeof(SUM));
    if (ledger_reserve(l, who, &q, &limits, T0, &res, &err) == 0) {
        did->reserved = res.version;
        did->confirmed = ledger_confirm(l, who, S, res.version, KEEP, T0, &err) == 0;
    }
    if (err.code != ERR_NONE)
        fprintf(stderr, "# %s\n", err.msg);
    api_upload_req_clear(&q);
}

static void upload(struct ledger *l, const struct ledger_who *who, struct did *did)
{
    for (int i = 0; i < ROUNDS; i++)
        push(l, who, &did[i]);
}

static void purge(struct ledger *l, const struct ledger_who *who, struct did *did)
{
    struct ledger_object o;
    struct ct_err err;
    int n = 0;

    (void)who;
    while (n < ROUNDS && ledger_purge_next(l, T0 + 31 * DAY_MS, &o, &err) == 1) {
        if (ledger_purged(l, &o, &err) != 0)
            _exit(1);
        did[n++].purged = o.version;
    }
}

/* Let PROCESSES processes do ${f} at once and gather what they did. */
static void race(struct room *r,
                 void (*f)(struct ledger *, const struct ledger_who *, struct did *))
{
    int start[2], back[PROCESSES][2], status;
    pid_t pid[PROCESSES];
    char go;

    assert_int_equal(pipe(start), 0);
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(pipe(back[i]), 0);
        pid[i] = fork();
        assert_true(pid[i] >= 0);
        if (pid[i] == 0) {
            struct did did[ROUNDS] = {{0}};
            struct ledger *l = open_ledger(r->path);
            close(start[1]);
            /* The end of this pipe is the signal for all. */
            if (read(start[0], &go, 1) != 0)
                _exit(1);
            f(l, &r->who, did);
            ledger_close(l);
            _exit(write(back[i][1], did, sizeof(did)) == (ssize_t)sizeof(did) ? 0 : 1);
        }
        close(back[i][1]);
    }
    close(start[0]);
    close(start[1]);
    for (int i = 0; i < PROCESSES; i++) {
        size_t got = 0, want = sizeof(struct did) * ROUNDS;
        ssize_t n;
        while (got < want &&
               (n = read(back[i][0], (char *)&r->did[i * ROUNDS] + got, want - got)) > 0)
            got += (size_t)n;
        assert_int_equal(got, want);
        close(back[i][0]);
        assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
        assert_int_equal(status, 0);
    }
}

static int set_up(void **state)
{
    const struct ledger_new_user al = {"al@example.org", "hash", 0, T0};
    struct room *r = str_calloc(1, sizeof(*r));
    char id[UUID_SIZE], device_id[UUID_SIZE];
    struct ct_err err;
    struct ledger *l;
    void *dir;

    assert_int_equal(unit_setup(&dir), 0);
    r->path = path_join(dir, "server.db");
    free(dir);
    assert_int_equal(ledger_place_wipe(&err), 0);
    l = open_ledger(r->path);
    assert_int_equal(ledger_user_add(l, &al, r->who.user_id, &err), 0);
    assert_int_equal(ledger_token_add(l, r->who.user_id, &token, id, device_id, &err), 0);
    memcpy(r->who.token_id, id, UUID_SIZE);
    ledger_close(l);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    struct room *r = *state;
    void *dir = path_parent(r->path);

    free(r->path);
    free(r);
    return unit_teardown(&dir);
}

static int descending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? 1 : x > y ? -1 : 0;
}

static void processes_side_by_side_lose_nothing_and_keep_the_newest(void **state)
{
    struct room *r = *state;
    struct json_object *o, *list, *item;
    struct ledger_filter all = {.limit = 10};
    int64_t versions[MOST];
    struct ct_err err;
    struct ledger *l;

    race(r, upload);
    for (int i = 0; i < MOST; i++) {
        assert_int_not_equal(r->did[i].reserved, 0);
        assert_int_equal(r->did[i].confirmed, 1);
        versions[i] = r->did[i].reserved;
    }
    /* No number twice, and none left out: nobody failed. */
    qsort(versions, MOST, sizeof(versions[0]), descending);
    for (int i = 0; i < MOST; i++)
        assert_int_equal(versions[i], MOST - i);

    l = open_ledger(r->path);
    for (int i = 0; i < MOST; i++)
        assert_int_equal(ledger_knows(l, r->who.user_id, S, versions[i]), 1);
    assert_int_equal(ledger_versions(l, &r->who, S, 1000, 0, &o, &err), 0);
    list = jdoc_array(o, "versions");
    assert_int_equal(json_object_array_length(list), KEEP);
    for (size_t i = 0; i < KEEP; i++) {
        item = json_object_array_get_idx(list, i);
        assert_int_equal(jdoc_int(item, "version", 0), versions[i]);
    }
    json_object_put(o);
    assert_int_equal(ledger_sessions(l, &r->who, &all, &o, &err), 0);
    item = json_object_array_get_idx(jdoc_array(o, "sessions"), 0);
    assert_int_equal(jdoc_int(item, "currentVersion", 0), MOST);
    assert_int_equal(jdoc_int(item, "versionCount", 0), KEEP);
    json_object_put(o);
    ledger_close(l);
}

static void processes_side_by_side_purge_each_version_once(void **state)
{
    struct room *r = *state;
    struct ledger *l = open_ledger(r->path);
    char seen[MOST + 1] = {0};
    int n = 0;

    for (int i = 0; i < 30; i++)
        push(l, &r->who, &r->did[i]);
    ledger_close(l);
    race(r, purge);
    for (int i = 0; i < MOST; i++) {
        if (r->did[i].purged == 0)
            continue;
        assert_in_range(r->did[i].purged, 1, 30 - KEEP);
        assert_int_equal(seen[r->did[i].purged]++, 0);
        n++;
    }
    assert_int_equal(n, 30 - KEEP);
}

static void processes_side_by_side_make_a_new_database_once(void **state)
{
    struct room *r = *state;
    struct ct_err err;

    assert_int_equal(ledger_place_wipe(&err), 0);
    unlink(r->path);
    race(r, purge); /* each opens it first, and finds nothing to do */
    for (int i = 0; i < MOST; i++)
        assert_int_equal(r->did[i].purged, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(processes_side_by_side_lose_nothing_and_keep_the_newest,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(processes_side_by_side_purge_each_version_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(processes_side_by_side_make_a_new_database_once, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
