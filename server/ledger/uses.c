#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "server/ledger/uses.h"

#define MAX_USES 4096 /* in a minute; of more tokens some are left out */

struct use {
    char token_id[UUID_SIZE];
    int64_t now_ms;
};

struct uses {
    pthread_mutex_t mutex;
    struct use *v;
    size_t n, cap;
};

struct uses *uses_new(void)
{
    struct uses *u = str_calloc(1, sizeof(*u));

    pthread_mutex_init(&u->mutex, NULL);
    return u;
}

void uses_free(struct uses *u)
{
    if (u == NULL)
        return;
    pthread_mutex_destroy(&u->mutex);
    free(u->v);
    free(u);
}

void uses_note(struct uses *u, const char *token_id, int64_t now_ms)
{
    size_t i = 0;

    pthread_mutex_lock(&u->mutex);
    while (i < u->n && strcmp(u->v[i].token_id, token_id) != 0)
        i++;
    if (i == u->n && u->n == u->cap && u->cap < MAX_USES) {
        u->cap = u->cap * 2 + 32;
        u->v = str_realloc(u->v, u->cap, sizeof(*u->v));
    }
    if (i < u->cap) {
        snprintf(u->v[i].token_id, UUID_SIZE, "%s", token_id);
        u->v[i].now_ms = now_ms;
        u->n += i == u->n;
    }
    pthread_mutex_unlock(&u->mutex);
}

static int write_all(const struct use *v, size_t n, struct sql *db, struct ct_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (sql_exec(db, err, "UPDATE tokens SET last_used_ms = max(last_used_ms, ?) WHERE id = ?",
                     "is", v[i].now_ms, v[i].token_id) != 0 ||
            sql_exec(db, err,
                     "UPDATE devices SET last_seen_ms = max(last_seen_ms, ?)"
                     " WHERE id = (SELECT device_id FROM tokens WHERE id = ?)",
                     "is", v[i].now_ms, v[i].token_id) != 0)
            return -1;
    }
    return 0;
}

int uses_write(struct uses *u, struct sql *db, struct ct_err *err)
{
    struct use *v;
    size_t n;
    int rc = 0;

    pthread_mutex_lock(&u->mutex);
    v = u->v;
    n = u->n;
    u->v = NULL;
    u->n = u->cap = 0;
    pthread_mutex_unlock(&u->mutex);
    if (n > 0 && (rc = sql_begin(db, err)) == 0) {
        rc = write_all(v, n, db, err);
        if (rc == 0)
            rc = sql_commit(db, err);
        else
            sql_rollback(db);
    }
    free(v);
    return rc;
}
