#include <pthread.h>
#include <stdlib.h>

#include "common/data/db.h"
#include "common/base/str.h"

#include "server/sql/sql_impl.h"
#include "server/sql/sql_sqlite.h"

#define MAX_READERS 4 /* opened when they are needed; each may keep 2 MB of pages */

struct lane {
    struct lane *next; /* among the idle ones */
    struct db *db;     /* NULL: could not be opened */
    struct ct_err err; /* what went wrong first in this transaction */
};

struct sqlite {
    struct sql base;
    char *path;
    pthread_key_t mine; /* the lane that a thread holds */
    pthread_mutex_t write_mutex;
    struct lane writer;
    pthread_mutex_t mutex;
    pthread_cond_t given_back;
    struct lane *idle;
    int n_readers;
};

struct rows {
    struct sql_rows base;
    struct lane *lane;
    sqlite3_stmt *st;
};

static struct lane *lane_of(struct sql *db)
{
    struct lane *l = pthread_getspecific(((struct sqlite *)db)->mine);

    if (l == NULL)
        abort(); /* a statement outside of hold and begin */
    return l;
}

/* Neither nests: a lane that is forgotten would be missing for ever. */
static void be_without(struct sqlite *s)
{
    if (pthread_getspecific(s->mine) != NULL)
        abort();
}

/* Keep the first failure: what follows is its consequence. */
static int failed(struct lane *l, const struct ct_err *why, struct ct_err *err)
{
    struct ct_err e = *why;

    if (e.code == ERR_GONE)
        err_set(&e, ERR_AUTH, SQL_ORPHAN);
    if (l->err.code == ERR_NONE)
        l->err = e;
    if (err != NULL)
        *err = e;
    return -1;
}

/* One that can't be opened is held all the same: its statements say why. */
static void hold(struct sql *db)
{
    struct sqlite *s = (struct sqlite *)db;
    struct lane *l;

    be_without(s);
    pthread_mutex_lock(&s->mutex);
    while (s->idle == NULL && s->n_readers == MAX_READERS)
        pthread_cond_wait(&s->given_back, &s->mutex);
    l = s->idle;
    if (l != NULL)
        s->idle = l->next;
    else
        s->n_readers++;
    pthread_mutex_unlock(&s->mutex);
    if (l == NULL)
        l = str_calloc(1, sizeof(*l));
    l->err.code = ERR_NONE;
    if (l->db == NULL)
        db_open(s->path, 0, &l->db, &l->err);
    pthread_setspecific(s->mine, l);
}

static void release(struct sql *db)
{
    struct sqlite *s = (struct sqlite *)db;
    struct lane *l = lane_of(db);

    pthread_setspecific(s->mine, NULL);
    pthread_mutex_lock(&s->mutex);
    l->next = s->idle;
    s->idle = l;
    pthread_cond_signal(&s->given_back);
    pthread_mutex_unlock(&s->mutex);
}

static int begin(struct sql *db, struct ct_err *err)
{
    struct sqlite *s = (struct sqlite *)db;

    be_without(s);
    /* Our own threads queue here; SQLite's way of waiting is to sleep and try again. */
    pthread_mutex_lock(&s->write_mutex);
    if (db_begin(s->writer.db, err) != 0) {
        pthread_mutex_unlock(&s->write_mutex);
        return -1;
    }
    s->writer.err.code = ERR_NONE;
    pthread_setspecific(s->mine, &s->writer);
    return 0;
}

static void end(struct sqlite *s)
{
    pthread_setspecific(s->mine, NULL);
    pthread_mutex_unlock(&s->write_mutex);
}

static void rollback(struct sql *db)
{
    db_rollback(lane_of(db)->db);
    end((struct sqlite *)db);
}

static int commit(struct sql *db, struct ct_err *err)
{
    struct lane *l = lane_of(db);
    int rc;

    if (l->err.code != ERR_NONE) {
        failed(l, &l->err, err);
        rollback(db);
        return -1;
    }
    rc = db_commit(l->db, err);
    end((struct sqlite *)db);
    return rc;
}

static int exec(struct sql *db, struct ct_err *err, const char *sql, const char *types, va_list ap)
{
    struct lane *l = lane_of(db);
    struct ct_err why;

    if (l->db == NULL)
        return failed(l, &l->err, err);
    return db_execv(l->db, &why, sql, types, ap) == 0 ? 0 : failed(l, &why, err);
}

static int script(struct sql *db, const char *sql, struct ct_err *err)
{
    struct lane *l = lane_of(db);
    struct ct_err why;

    return db_script(l->db, sql, &why) == 0 ? 0 : failed(l, &why, err);
}

static int save(struct sql *db, int64_t version, struct ct_err *err)
{
    struct sqlite *s = (struct sqlite *)db;
    int rc;

    pthread_mutex_lock(&s->write_mutex);
    rc = db_save(s->writer.db, version, err);
    pthread_mutex_unlock(&s->write_mutex);
    return rc;
}

static int64_t changes(struct sql *db)
{
    struct lane *l = lane_of(db);

    return l->err.code == ERR_NONE ? db_changes(l->db) : -1;
}

static int rows_step(struct sql_rows *rows, struct ct_err *err)
{
    struct rows *r = (struct rows *)rows;
    struct ct_err why;
    int rc = db_step(r->lane->db, r->st, &why);

    return rc >= 0 ? rc : failed(r->lane, &why, err);
}

static const char *rows_text(struct sql_rows *rows, int column)
{
    return db_text(((struct rows *)rows)->st, column);
}

static int64_t rows_int64(struct sql_rows *rows, int column)
{
    return sqlite3_column_int64(((struct rows *)rows)->st, column);
}

static int rows_is_null(struct sql_rows *rows, int column)
{
    return sqlite3_column_type(((struct rows *)rows)->st, column) == SQLITE_NULL;
}

static void rows_done(struct sql_rows *rows)
{
    db_done(((struct rows *)rows)->st);
    free(rows);
}

static const struct sql_rows_ops rows_ops = {.step = rows_step,
                                             .text = rows_text,
                                             .int64 = rows_int64,
                                             .is_null = rows_is_null,
                                             .done = rows_done};

static int query(struct sql *db, struct ct_err *err, struct sql_rows **ret, const char *sql,
                 const char *types, va_list ap)
{
    struct lane *l = lane_of(db);
    struct ct_err why;
    sqlite3_stmt *st;
    struct rows *r;

    if (l->db == NULL)
        return failed(l, &l->err, err);
    if (db_queryv(l->db, &why, &st, sql, types, ap) != 0)
        return failed(l, &why, err);
    r = str_calloc(1, sizeof(*r));
    r->base.ops = &rows_ops;
    r->lane = l;
    r->st = st;
    *ret = &r->base;
    return 0;
}

static void close_all(struct sql *db)
{
    struct sqlite *s = (struct sqlite *)db;
    struct lane *l;

    while ((l = s->idle) != NULL) {
        s->idle = l->next;
        db_close(l->db);
        free(l);
    }
    db_close(s->writer.db);
    pthread_key_delete(s->mine);
    pthread_mutex_destroy(&s->write_mutex);
    pthread_mutex_destroy(&s->mutex);
    pthread_cond_destroy(&s->given_back);
    free(s->path);
    free(s);
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

int sql_sqlite_open(const char *path, struct sql **ret, struct ct_err *err)
{
    struct sqlite *s = str_calloc(1, sizeof(*s));

    if (db_open(path, 0, &s->writer.db, err) != 0) {
        free(s);
        return -1;
    }
    if (pthread_key_create(&s->mine, NULL) != 0)
        abort();
    pthread_mutex_init(&s->write_mutex, NULL);
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->given_back, NULL);
    s->base.ops = &ops;
    s->path = str_dup(path);
    *ret = &s->base;
    return 0;
}
