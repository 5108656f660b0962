#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/hash.h"
#include "common/base/map.h"
#include "common/base/str.h"

#include "server/upkeep/gc.h"

/*
 * The store lists its objects once, a thousand at a time, instead of being asked for each; what
 * does not fit is looked at again before it is called a fault, for uploads go on meanwhile.
 */
struct comparison {
    struct ledger *ledger;
    struct store *store;
    int full;
    FILE *out;
    struct map *listed; /* key -> size; what is left at the end is in no confirmed version */
    long problems;
    struct ct_err err; /* of the database */
};

static int note(void *arg, const char *key, int64_t size_bytes, int64_t modified_ms)
{
    struct comparison *c = arg;
    int64_t *size = str_calloc(1, sizeof(*size));

    (void)modified_ms;
    *size = size_bytes;
    free(map_remove(c->listed, key));
    map_put(c->listed, key, size);
    return 0;
}

static int forget(void *arg, const char *key, void *value)
{
    (void)arg;
    (void)key;
    free(value);
    return 0;
}

/* All of it is read, wherever it lies: what a store says of a content is its own word. */
static const char *read_it(struct comparison *c, const struct ledger_object *o, const char *key)
{
    char hex[HASH_SHA256_HEX];
    int64_t size;
    int fd, rc;

    if (store_fetch(c->store, key, &fd, NULL) != 0)
        return "unreadable";
    rc = hash_sha256_fd(fd, &size, hex);
    close(fd);
    if (rc != 0)
        return "unreadable";
    return strcmp(o->checksum + strlen("sha256:"), hex) != 0 ? "checksum" : NULL;
}

/* What is wrong with the object of ${o}, or NULL. */
static const char *fault_of(struct comparison *c, const struct ledger_object *o, const char *key)
{
    struct store_head head;
    struct ct_err err;

    if (store_head(c->store, key, &head, &err) != 0)
        return err.code == ERR_GONE ? "missing" : "unreadable";
    if (head.size_bytes != o->size_bytes)
        return "size";
    return c->full ? read_it(c, o, key) : NULL;
}

/* Or did somebody delete or rotate it out while we looked at its object? */
static int is_still_there(struct ledger *l, const struct ledger_object *before,
                          const struct ledger_object *o)
{
    struct ledger_object again;

    return ledger_confirmed_after(l, before, &again, NULL) == 1 && again.version == o->version &&
           strcmp(again.session_id, o->session_id) == 0 && strcmp(again.user_id, o->user_id) == 0;
}

/* ${before}: the version before it, in the order of keys. */
static void compare_one(struct comparison *c, const struct ledger_object *before,
                        const struct ledger_object *o)
{
    char key[STORE_KEY_MAX];
    const char *fault = NULL;
    int64_t *size;

    store_key(o->user_id, o->session_id, o->version, key);
    size = map_remove(c->listed, key);
    if (c->full || size == NULL || *size != o->size_bytes)
        fault = fault_of(c, o, key);
    free(size);
    if (fault == NULL || !is_still_there(c->ledger, before, o))
        return;
    fprintf(c->out, "%s %s\n", fault, key);
    c->problems++;
}

/* An object in no confirmed version may still be a reservation's, or wait in the trash. */
static int tell_unknown(void *arg, const char *key, void *value)
{
    struct comparison *c = arg;
    char user_id[UUID_SIZE], session_id[API_SESSION_ID_MAX + 1];
    int64_t version;
    int known;

    (void)value;
    if (store_key_parse(key, user_id, session_id, &version) != 0)
        return 0;
    known = ledger_knows(c->ledger, user_id, session_id, version);
    if (known < 0)
        return err_set(&c->err, ERR_RETRY, "the database does not answer");
    if (known == 0) {
        fprintf(c->out, "unknown %s\n", key);
        c->problems++;
    }
    return 0;
}

int gc_check(struct ledger *l, struct store *s, int full, FILE *out, long *ret_problems,
             struct ct_err *err)
{
    struct comparison c = {.ledger = l, .store = s, .full = full, .out = out, .listed = map_new()};
    struct ledger_object o = {0}, next;
    int rc = ledger_integrity(l, err);

    if (rc == 0)
        rc = store_each(s, note, &c, err);
    if (rc == 0) {
        while ((rc = ledger_confirmed_after(l, &o, &next, err)) == 1) {
            compare_one(&c, &o, &next);
            o = next;
        }
    }
    if (rc == 0 && map_each(c.listed, tell_unknown, &c) != 0) {
        if (err != NULL)
            *err = c.err;
        rc = -1;
    }
    map_each(c.listed, forget, NULL);
    map_free(c.listed);
    if (rc == 0)
        *ret_problems = c.problems;
    return rc;
}
