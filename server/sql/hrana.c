#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "server/sql/hrana.h"
#include "server/sql/hrana_rows.h"
#include "server/sql/hrana_wire.h"
#include "server/sql/sql_impl.h"

#define BUSY_MS 10000
#define BUSY_PAUSE_MS 20 /* at first; twice as long each time, up to half a second */

/* What a thread holds between hold and release, or begin and its end. */
struct lane {
    struct hrana_stream stream;
    int is_transaction;
    int has_begun;               /* the server knows of it */
    struct json_object *waiting; /* statements that are not sent yet */
    int64_t changes;             /* of the last that was */
    struct ct_err err;           /* what went wrong first */
};

struct hrana {
    struct sql base;
    struct hrana_wire *wire;
    pthread_key_t mine;
    pthread_mutex_t write_mutex; /* our own threads queue here instead of at the server */
};

static struct lane *lane_of(struct sql *db)
{
    struct lane *l = pthread_getspecific(((struct hrana *)db)->mine);

    if (l == NULL)
        abort(); /* a statement outside of hold and begin */
    return l;
}

static int failed(struct lane *l, const struct ct_err *why, struct ct_err *err)
{
    if (l->err.code == ERR_NONE)
        l->err = *why;
    if (err != NULL)
        *err = *why;
    /* A word of the database server's is none of the API's. */
    l->err.reason[0] = '\0';
    if (err != NULL)
        err->reason[0] = '\0';
    return -1;
}

static void take_lane(struct hrana *h, int is_transaction)
{
    struct lane *l = str_calloc(1, sizeof(*l));

    if (pthread_getspecific(h->mine) != NULL)
        abort(); /* neither nests */
    l->is_transaction = is_transaction;
    l->waiting = json_object_new_array();
    pthread_setspecific(h->mine, l);
}

static void drop_lane(struct hrana *h, struct lane *l)
{
    pthread_setspecific(h->mine, NULL);
    hrana_stream_clear(&l->stream);
    json_object_put(l->waiting);
    free(l);
}

static void hold(struct sql *db)
{
    take_lane((struct hrana *)db, 0);
}

static void release(struct sql *db)
{
    drop_lane((struct hrana *)db, lane_of(db));
}

static int begin(struct sql *db, struct ct_err *err)
{
    struct hrana *h = (struct hrana *)db;

    (void)err;
    pthread_mutex_lock(&h->write_mutex);
    take_lane(h, 1);
    return 0;
}

static void end(struct hrana *h, struct lane *l)
{
    drop_lane(h, l);
    pthread_mutex_unlock(&h->write_mutex);
}

/* A step of a batch, which runs if step ${after} went well (-1: in any case), or if it did not. */
static void add_step(struct json_object *steps, struct json_object *stmt, int after, int if_failed)
{
    struct json_object *step = json_object_new_object(), *cond;

    if (after >= 0) {
        cond = hrana_wire_request("ok");
        jdoc_set_int(cond, "step", after);
        if (if_failed) {
            struct json_object *inverse = hrana_wire_request("not");
            json_object_object_add(inverse, "cond", cond);
            cond = inverse;
        }
        json_object_object_add(step, "condition", cond);
    }
    json_object_object_add(step, "stmt", stmt);
    json_object_array_add(steps, step);
}

static int last_of(struct json_object *steps)
{
    return (int)json_object_array_length(steps) - 1;
}

/* How a flush ends. */
enum finish { FINISH_NOT, FINISH_COMMIT };

/* The steps that are due: BEGIN, what waits, ${query}, COMMIT.  ${ret_n} of them count. */
static struct json_object *make_steps(struct lane *l, struct json_object *query, enum finish finish,
                                      int *ret_n)
{
    struct json_object *steps = json_object_new_array();

    if (!l->has_begun) {
        /* Off by default, and without effect inside of a transaction. */
        add_step(steps, hrana_wire_plain("PRAGMA foreign_keys = ON"), -1, 0);
        add_step(steps, hrana_wire_plain("BEGIN IMMEDIATE"), 0, 0);
    }
    for (size_t i = 0; i < json_object_array_length(l->waiting); i++)
        add_step(steps, json_object_get(json_object_array_get_idx(l->waiting, i)), last_of(steps),
                 0);
    if (query != NULL)
        add_step(steps, json_object_get(query), last_of(steps), 0);
    if (finish == FINISH_COMMIT)
        add_step(steps, hrana_wire_plain("COMMIT"), last_of(steps), 0);
    *ret_n = last_of(steps) + 1;
    if (finish == FINISH_COMMIT)
        add_step(steps, hrana_wire_plain("ROLLBACK"), last_of(steps), 1);
    return steps;
}

/* Step ${i}'s result: 0 with ${ret} borrowed, or -1 with the error that it had. */
static int step_result(const struct json_object *result, int i, struct json_object **ret,
                       struct ct_err *err)
{
    struct json_object *results = jdoc_array(result, "step_results");
    struct json_object *errors = jdoc_array(result, "step_errors"), *one;

    one = errors != NULL ? json_object_array_get_idx(errors, (size_t)i) : NULL;
    if (one != NULL)
        return hrana_wire_error(one, err);
    one = results != NULL ? json_object_array_get_idx(results, (size_t)i) : NULL;
    if (one == NULL)
        return err_set(err, ERR_CORRUPT, "the database server did not run a statement");
    *ret = one;
    return 0;
}

/* One batch.  ${ret} is its last result that counts, for the caller to own.  ${ret_busy}: nothing
 * has happened, somebody else is writing. */
static int send_batch(struct hrana *h, struct lane *l, struct json_object *query,
                      enum finish finish, struct json_object **ret, int *ret_busy,
                      struct ct_err *err)
{
    struct json_object *requests = json_object_new_array(), *batch = json_object_new_object();
    struct json_object *request = hrana_wire_request("batch"), *responses, *one = NULL;
    int n, rc, begin_step = l->has_begun ? -1 : 1;

    json_object_object_add(batch, "steps", make_steps(l, query, finish, &n));
    json_object_object_add(request, "batch", batch);
    json_object_array_add(requests, request);
    if (finish == FINISH_COMMIT)
        json_object_array_add(requests, hrana_wire_request("close"));
    *ret_busy = 0;
    if (hrana_wire_send(h->wire, &l->stream, requests, &responses, err) != 0)
        return -1;
    rc = n > 0 ? 0 : err_set(err, ERR_BUG, "a batch without a statement");
    for (int i = 0; i < n && rc == 0; i++) {
        rc = step_result(jdoc_obj(json_object_array_get_idx(responses, 0), "result"), i, &one, err);
        if (rc != 0)
            *ret_busy = i == begin_step && strncmp(err->reason, "SQLITE_BUSY", 11) == 0;
    }
    if (rc == 0) {
        *ret = json_object_get(one);
        l->has_begun = 1;
    }
    json_object_put(responses);
    return rc;
}

static void pause_ms(int64_t ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

/* Give the stream up, and the transaction with it. */
static void close_stream(struct hrana *h, struct lane *l)
{
    struct json_object *requests, *responses;

    if (l->stream.baton == NULL)
        return;
    requests = json_object_new_array();
    json_object_array_add(requests, hrana_wire_request("close"));
    if (hrana_wire_send(h->wire, &l->stream, requests, &responses, NULL) == 0)
        json_object_put(responses);
    hrana_stream_clear(&l->stream);
}

/* Send what waits, and ${query}.  While somebody else writes, all of it can be sent again. */
static int flush(struct hrana *h, struct lane *l, struct json_object *query, enum finish finish,
                 struct json_object **ret, struct ct_err *err)
{
    int64_t until = now_mono_ms() + BUSY_MS, most = BUSY_PAUSE_MS;
    struct ct_err why;
    uint32_t random;
    int busy;

    if (l->err.code != ERR_NONE)
        return failed(l, &l->err, err);
    while (send_batch(h, l, query, finish, ret, &busy, &why) != 0) {
        if (!busy || now_mono_ms() >= until)
            return failed(l, &why, err);
        close_stream(h, l);
        hash_random(&random, sizeof(random));
        pause_ms(most / 2 + (int64_t)(random % (uint32_t)most));
        most = most < 250 ? most * 2 : 500;
    }
    json_object_put(l->waiting);
    l->waiting = json_object_new_array();
    return 0;
}

static void rollback(struct sql *db)
{
    struct hrana *h = (struct hrana *)db;
    struct lane *l = lane_of(db);

    close_stream(h, l);
    end(h, l);
}

static int commit(struct sql *db, struct ct_err *err)
{
    struct hrana *h = (struct hrana *)db;
    struct lane *l = lane_of(db);
    struct json_object *result;
    int rc = 0;

    /* Nothing was asked of it: there is nothing to commit. */
    if (l->err.code != ERR_NONE || l->has_begun || json_object_array_length(l->waiting) > 0)
        rc = flush(h, l, NULL, FINISH_COMMIT, &result, err);
    if (rc == 0 && l->has_begun)
        json_object_put(result);
    close_stream(h, l);
    end(h, l);
    return rc;
}

static int exec(struct sql *db, struct ct_err *err, const char *sql, const char *types, va_list ap)
{
    struct lane *l = lane_of(db);
    struct ct_err why;

    if (!l->is_transaction) {
        err_set(&why, ERR_BUG, "a change outside of a transaction");
        return failed(l, &why, err);
    }
    if (l->err.code != ERR_NONE)
        return failed(l, &l->err, err);
    json_object_array_add(l->waiting, hrana_wire_stmt(sql, types, ap, 0));
    return 0;
}

static int64_t changes(struct sql *db)
{
    struct lane *l = lane_of(db);
    struct json_object *result;

    if (json_object_array_length(l->waiting) > 0) {
        if (flush((struct hrana *)db, l, NULL, FINISH_NOT, &result, NULL) != 0)
            return -1;
        l->changes = jdoc_int(result, "affected_row_count", 0);
        json_object_put(result);
    }
    return l->err.code == ERR_NONE ? l->changes : -1;
}

static int script(struct sql *db, const char *sql, struct ct_err *err)
{
    struct hrana *h = (struct hrana *)db;
    struct lane *l = lane_of(db);
    struct json_object *requests, *request, *result;
    struct ct_err why;

    if ((!l->has_begun || json_object_array_length(l->waiting) > 0) &&
        flush(h, l, NULL, FINISH_NOT, &result, err) == 0)
        json_object_put(result);
    if (l->err.code != ERR_NONE)
        return failed(l, &l->err, err);
    requests = json_object_new_array();
    request = hrana_wire_request("sequence");
    jdoc_set_str(request, "sql", sql);
    json_object_array_add(requests, request);
    if (hrana_wire_send(h->wire, &l->stream, requests, &result, &why) != 0)
        return failed(l, &why, err);
    json_object_put(result);
    return 0;
}

/* Its files are not ours to copy. */
static int save(struct sql *db, int64_t version, struct ct_err *err)
{
    (void)db;
    (void)err;
    log_warn("database-not-saved version=%lld reason=\"it lies on a database server\"",
             (long long)version);
    return 0;
}

/* A query of its own: one request, and its stream ends with it. */
static int ask(struct hrana *h, struct lane *l, struct json_object *stmt, struct json_object **ret,
               struct ct_err *err)
{
    struct json_object *requests = json_object_new_array();
    struct json_object *request = hrana_wire_request("execute"), *responses, *result;
    struct ct_err why;

    json_object_object_add(request, "stmt", json_object_get(stmt));
    json_object_array_add(requests, request);
    json_object_array_add(requests, hrana_wire_request("close"));
    if (hrana_wire_send(h->wire, &l->stream, requests, &responses, &why) != 0)
        return failed(l, &why, err);
    result = jdoc_obj(json_object_array_get_idx(responses, 0), "result");
    *ret = json_object_get(result);
    json_object_put(responses);
    if (result != NULL)
        return 0;
    err_set(&why, ERR_CORRUPT, "the database server's answer has no result");
    return failed(l, &why, err);
}

static int query(struct sql *db, struct ct_err *err, struct sql_rows **ret, const char *sql,
                 const char *types, va_list ap)
{
    struct hrana *h = (struct hrana *)db;
    struct lane *l = lane_of(db);
    struct json_object *stmt = hrana_wire_stmt(sql, types, ap, 1), *result;
    int rc = l->is_transaction ? flush(h, l, stmt, FINISH_NOT, &result, err)
                               : ask(h, l, stmt, &result, err);

    json_object_put(stmt);
    if (rc == 0)
        *ret = hrana_rows_new(result);
    return rc;
}

static void close_all(struct sql *db)
{
    struct hrana *h = (struct hrana *)db;

    hrana_wire_free(h->wire);
    pthread_key_delete(h->mine);
    pthread_mutex_destroy(&h->write_mutex);
    free(h);
}

static const struct sql_ops ops = {.close = close_all,
                                   .hold = hold,
                                   .release = release,
                                   .begin = begin,
                                   .commit = commit,
                                   .rollback = rollback,
                                   .exec = exec,
                                   .script = script,
                                   .save = save,
                                   .changes = changes,
                                   .query = query};

int hrana_open(const struct hrana_place *place, struct sql **ret, struct ct_err *err)
{
    struct http_policy policy = {.ca_file = place->ca_file,
                                 .allow_plain_http = place->allow_plain_http};
    struct hrana_wire *wire;
    struct hrana *h;

    if (hrana_wire_new(place->url, place->token, &policy, &wire, err) != 0)
        return -1;
    h = str_calloc(1, sizeof(*h));
    h->base.ops = &ops;
    h->wire = wire;
    if (pthread_key_create(&h->mine, NULL) != 0)
        abort();
    pthread_mutex_init(&h->write_mutex, NULL);
    *ret = &h->base;
    return 0;
}
