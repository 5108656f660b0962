#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "api/api.h"

#include "server/store/store.h"

#define PREFIX "bundles/"
#define SUFFIX ".tar.gz"

void store_key(const char *user_id, const char *session_id, int64_t version,
               char key[STORE_KEY_MAX])
{
    snprintf(key, STORE_KEY_MAX, PREFIX "%s/%s.v%lld" SUFFIX, user_id, session_id,
             (long long)version);
}

void store_share_session(const char *id, char ret[STORE_SHARE_SIZE])
{
    snprintf(ret, STORE_SHARE_SIZE, "-%s", id);
}

int store_is_share(const char *session_id)
{
    return session_id[0] == '-' && uuid_is_valid(session_id + 1);
}

/* Taken apart and put together again: equal means that there was nothing else in it. */
int store_key_parse(const char *key, char *user_id, char *session_id, int64_t *ret_version)
{
    char again[STORE_KEY_MAX], number[24];
    const char *name, *v = NULL;
    unsigned long long version;
    size_t len = strlen(key), n;

    if (len >= STORE_KEY_MAX || strncmp(key, PREFIX, strlen(PREFIX)) != 0)
        return -1;
    name = key + strlen(PREFIX) + UUID_SIZE;
    if (len < strlen(PREFIX) + UUID_SIZE + strlen(SUFFIX) || name[-1] != '/')
        return -1;
    for (const char *p = name; (p = strstr(p, ".v")) != NULL; p++)
        v = p;
    if (v == NULL || v - name > API_SESSION_ID_MAX)
        return -1;
    n = strspn(v + 2, "0123456789");
    if (n == 0 || n >= sizeof(number))
        return -1;
    memcpy(number, v + 2, n);
    number[n] = '\0';
    if (str_parse_u64(number, &version) != 0 || version == 0 || version > API_VERSION_MAX)
        return -1;
    memcpy(user_id, key + strlen(PREFIX), UUID_SIZE - 1);
    user_id[UUID_SIZE - 1] = '\0';
    memcpy(session_id, name, (size_t)(v - name));
    session_id[v - name] = '\0';
    store_key(user_id, session_id, (int64_t)version, again);
    if (!uuid_is_valid(user_id) ||
        (!api_session_id_is_valid(session_id) && !store_is_share(session_id)) ||
        strcmp(again, key) != 0)
        return -1;
    *ret_version = (int64_t)version;
    return 0;
}

char *store_presign_put(struct store *s, const struct store_put *put, struct json_object *headers)
{
    return s->ops->presign_put(s, put, headers);
}

char *store_presign_get(struct store *s, const char *key, int64_t now_ms)
{
    return s->ops->presign_get(s, key, now_ms);
}

int store_head(struct store *s, const char *key, struct store_head *ret, struct ct_err *err)
{
    return s->ops->head(s, key, ret, err);
}

int store_check(struct store *s, const char *key, const char *checksum, struct ct_err *err)
{
    return s->ops->check(s, key, checksum, err);
}

int store_is_vacant(struct store *s, const char *key)
{
    return s->ops->is_vacant(s, key);
}

int store_fetch(struct store *s, const char *key, int *ret_fd, struct ct_err *err)
{
    return s->ops->fetch(s, key, ret_fd, err);
}

int store_remove(struct store *s, const char *key, struct ct_err *err)
{
    return s->ops->remove(s, key, err);
}

int store_each(struct store *s,
               int (*one)(void *arg, const char *key, int64_t size_bytes, int64_t modified_ms),
               void *arg, struct ct_err *err)
{
    return s->ops->each(s, one, arg, err);
}

int store_probe(struct store *s, struct ct_err *err)
{
    return s->ops->probe(s, err);
}

int store_trial(struct store *s, struct ct_err *err)
{
    return s->ops->trial(s, err);
}

int store_shows(struct store *s, const char *origin, struct ct_err *err)
{
    return s->ops->shows(s, origin, err);
}

int store_sweep(struct store *s, int64_t older_than_ms, int64_t now_ms, struct ct_err *err)
{
    return s->ops->sweep(s, older_than_ms, now_ms, err);
}

void store_free(struct store *s)
{
    if (s != NULL)
        s->ops->free(s);
}
