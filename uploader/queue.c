#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "uploader/queue.h"

static const char *const schema[] = {
    "CREATE TABLE queue ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " session_id TEXT NOT NULL UNIQUE,"
    " phase TEXT NOT NULL CHECK (phase IN ('READY', 'STORED')),"
    " file TEXT NOT NULL,"
    " size_bytes INTEGER NOT NULL,"
    " sha256 TEXT NOT NULL,"
    " md5 TEXT NOT NULL,"
    " content_id TEXT NOT NULL,"
    " source_machine TEXT NOT NULL,"
    " source_cwd TEXT NOT NULL,"
    " source_user_dir TEXT NOT NULL,"
    " metadata TEXT,"
    " pin INTEGER NOT NULL,"
    " base_version INTEGER NOT NULL,"
    " revive INTEGER NOT NULL,"
    " version INTEGER NOT NULL DEFAULT 0)",
    "ALTER TABLE queue ADD COLUMN wire_id TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE queue ADD COLUMN key_id TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE queue ADD COLUMN generation INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE queue ADD COLUMN base_sha256 TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE queue ADD COLUMN before_version INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE queue ADD COLUMN before_sha256 TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE queue ADD COLUMN has_news INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE queue ADD COLUMN merged TEXT NOT NULL DEFAULT ''",
};

int queue_setup(struct db *db, struct ct_err *err)
{
    return db_migrate(db, schema, sizeof(schema) / sizeof(schema[0]), "queue", err);
}

int queue_put(struct db *db, const struct queue_item *q, struct ct_err *err)
{
    return db_exec(db, err,
                   "INSERT OR REPLACE INTO queue(session_id, phase, file, size_bytes, sha256, md5,"
                   " content_id, source_machine, source_cwd, source_user_dir, metadata, pin,"
                   " base_version, revive, wire_id, key_id, generation, base_sha256, has_news,"
                   " before_version, before_sha256, merged)"
                   " VALUES (?,'READY',?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                   "ssisssssssiiissisiiss", q->session_id, q->file, q->size_bytes, q->sha256,
                   q->md5, q->content_id, q->source_machine, q->source_cwd, q->source_user_dir,
                   q->metadata != NULL ? jdoc_text(q->metadata) : NULL, q->pin, q->base_version,
                   (int64_t)q->revive, q->wire_id, q->key_id, q->generation, q->base_sha256,
                   (int64_t)q->has_news, q->before_version, q->before_sha256,
                   q->merged != NULL ? jdoc_text(q->merged) : "");
}

int queue_set_phase(struct db *db, const char *session_id, enum queue_phase phase, int64_t version,
                    struct ct_err *err)
{
    return db_exec(db, err, "UPDATE queue SET phase = ?, version = ? WHERE session_id = ?", "sis",
                   phase == QUEUE_STORED ? "STORED" : "READY", version, session_id);
}

int queue_drop(struct db *db, const char *session_id, struct ct_err *err)
{
    return db_exec(db, err, "DELETE FROM queue WHERE session_id = ?", "s", session_id);
}

static struct queue_item *item_of_row(sqlite3_stmt *st)
{
    struct queue_item *q = str_calloc(1, sizeof(*q));
    const char *metadata = db_text(st, 10), *merged = db_text(st, 22);

    snprintf(q->session_id, sizeof(q->session_id), "%s", db_text(st, 0));
    q->phase = strcmp(db_text(st, 1), "STORED") == 0 ? QUEUE_STORED : QUEUE_READY;
    q->file = str_dup(db_text(st, 2));
    q->size_bytes = sqlite3_column_int64(st, 3);
    snprintf(q->sha256, sizeof(q->sha256), "%s", db_text(st, 4));
    q->md5 = str_dup(db_text(st, 5));
    snprintf(q->content_id, sizeof(q->content_id), "%s", db_text(st, 6));
    q->source_machine = str_dup(db_text(st, 7));
    q->source_cwd = str_dup(db_text(st, 8));
    q->source_user_dir = str_dup(db_text(st, 9));
    if (metadata[0] != '\0')
        jdoc_parse(metadata, strlen(metadata), &q->metadata, NULL);
    q->pin = sqlite3_column_int64(st, 11);
    q->base_version = sqlite3_column_int64(st, 12);
    q->revive = sqlite3_column_int(st, 13);
    q->version = sqlite3_column_int64(st, 14);
    snprintf(q->wire_id, sizeof(q->wire_id), "%s", db_text(st, 15));
    snprintf(q->key_id, sizeof(q->key_id), "%s", db_text(st, 16));
    q->generation = sqlite3_column_int64(st, 17);
    snprintf(q->base_sha256, sizeof(q->base_sha256), "%s", db_text(st, 18));
    q->has_news = (enum queue_news)sqlite3_column_int(st, 19);
    q->before_version = sqlite3_column_int64(st, 20);
    snprintf(q->before_sha256, sizeof(q->before_sha256), "%s", db_text(st, 21));
    if (merged[0] != '\0')
        jdoc_parse(merged, strlen(merged), &q->merged, NULL);
    return q;
}

int queue_load(struct db *db, void (*f)(void *arg, struct queue_item *item), void *arg,
               struct ct_err *err)
{
    sqlite3_stmt *st;
    int rc;

    if (db_query(db, err, &st,
                 "SELECT session_id, phase, file, size_bytes, sha256, md5, content_id,"
                 " source_machine, source_cwd, source_user_dir, metadata, pin, base_version,"
                 " revive, version, wire_id, key_id, generation, base_sha256, has_news,"
                 " before_version, before_sha256, merged"
                 " FROM queue ORDER BY seq",
                 "") != 0)
        return -1;
    while ((rc = db_step(db, st, err)) == 1)
        f(arg, item_of_row(st));
    db_done(st);
    return rc;
}

const char *queue_wire_id(const struct queue_item *item)
{
    return item->wire_id[0] != '\0' ? item->wire_id : item->session_id;
}

int queue_is_sealed(const struct queue_item *item)
{
    return item->key_id[0] != '\0';
}

struct queue_item *queue_item_copy(const struct queue_item *item)
{
    struct queue_item *q = str_calloc(1, sizeof(*q));

    *q = *item;
    q->file = str_dup(item->file);
    q->md5 = str_dup(item->md5);
    q->source_machine = str_dup(item->source_machine);
    q->source_cwd = str_dup(item->source_cwd);
    q->source_user_dir = str_dup(item->source_user_dir);
    q->metadata = json_object_get(item->metadata);
    q->facts.also = json_object_get(item->facts.also);
    q->merged = json_object_get(item->merged);
    return q;
}

void queue_item_clear(struct queue_item *q)
{
    free(q->file);
    free(q->md5);
    free(q->source_machine);
    free(q->source_cwd);
    free(q->source_user_dir);
    json_object_put(q->metadata);
    json_object_put(q->facts.also);
    json_object_put(q->merged);
    memset(q, 0, sizeof(*q));
}

void queue_item_free(struct queue_item *q)
{
    if (q == NULL)
        return;
    queue_item_clear(q);
    free(q);
}
