#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "api/api.h"
#include "api/msg.h"

int api_checksum_is_valid(const char *s)
{
    static const char prefix[] = "sha256:";

    if (strncmp(s, prefix, sizeof(prefix) - 1) != 0)
        return 0;
    s += sizeof(prefix) - 1;
    return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

int api_session_id_is_valid(const char *s)
{
    size_t len = strlen(s);

    if (len == 0 || len > API_SESSION_ID_MAX || s[0] == '.' || s[0] == '-')
        return 0;
    if (strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") != len)
        return 0;
    return strstr(s, "..") == NULL;
}

int api_device_id_is_valid(const char *s)
{
    size_t len = strlen(s);

    return len >= API_DEVICE_ID_MIN && len <= API_DEVICE_ID_MAX &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

struct json_object *api_error_json(const char *code, const char *message)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "error", code);
    jdoc_set_str(o, "message", message);
    return o;
}

/* A string with a NUL inside is none: it would be cut where it is used. */
static int take_str(struct json_object *v, size_t max, char **ret)
{
    size_t len = (size_t)json_object_get_string_len(v);
    const char *s = json_object_get_string(v);

    if (len > max || strlen(s) != len)
        return -1;
    *ret = str_dup(s);
    return 0;
}

int api_msg_str(struct json_object *o, const char *key, size_t max, int required, char **ret,
                struct ct_err *err)
{
    struct json_object *v = NULL;

    json_object_object_get_ex(o, key, &v);
    if (v == NULL && !required)
        return 0;
    if (v == NULL)
        return err_set(err, ERR_REFUSED, "%s is missing", key);
    if (json_object_get_type(v) != json_type_string)
        return err_set(err, ERR_REFUSED, "%s has to be a string", key);
    if (take_str(v, max, ret) != 0)
        return err_set(err, ERR_REFUSED, "%s is longer than %zu bytes or holds a NUL", key, max);
    return 0;
}

int api_msg_int(struct json_object *o, const char *key, int64_t min, int64_t max, int required,
                int64_t *ret, struct ct_err *err)
{
    struct json_object *v = NULL;
    int64_t n;

    json_object_object_get_ex(o, key, &v);
    if (v == NULL && !required)
        return 0;
    if (v == NULL)
        return err_set(err, ERR_REFUSED, "%s is missing", key);
    if (json_object_get_type(v) != json_type_int)
        return err_set(err, ERR_REFUSED, "%s has to be a whole number", key);
    n = json_object_get_int64(v);
    if (n < min || n > max)
        return err_set(err, ERR_REFUSED, "%s has to be between %lld and %lld", key, (long long)min,
                       (long long)max);
    *ret = n;
    return 0;
}

int api_msg_bool(struct json_object *o, const char *key, int *ret, struct ct_err *err)
{
    struct json_object *v = NULL;

    json_object_object_get_ex(o, key, &v);
    if (v == NULL)
        return 0;
    if (json_object_get_type(v) != json_type_boolean)
        return err_set(err, ERR_REFUSED, "%s has to be true or false", key);
    *ret = json_object_get_boolean(v);
    return 0;
}

int api_msg_checksum(struct json_object *o, const char *key, int required,
                     char ret[API_CHECKSUM_SIZE], struct ct_err *err)
{
    char *s = NULL;

    if (api_msg_str(o, key, 128, required, &s, err) != 0)
        return -1;
    if (s == NULL)
        return 0;
    if (!api_checksum_is_valid(s)) {
        free(s);
        return err_set(err, ERR_REFUSED, "%s has to be \"sha256:\" and 64 hexadecimal digits", key);
    }
    memcpy(ret, s, API_CHECKSUM_SIZE);
    free(s);
    return 0;
}

/* Only the one canonical spelling passes: the text becomes a signed header. */
int api_msg_md5(struct json_object *o, const char *key, char **ret, struct ct_err *err)
{
    struct buf raw = {0};
    char *s = NULL, *again = NULL;
    int is_valid = 0;

    if (api_msg_str(o, key, 64, 0, &s, err) != 0)
        return -1;
    if (s == NULL)
        return 0;
    if (strlen(s) == 24 && hash_unbase64(s, 24, &raw) == 0 && raw.len == HASH_MD5_BYTES) {
        again = hash_base64(raw.data, raw.len);
        is_valid = strcmp(again, s) == 0;
    }
    free(again);
    buf_free(&raw);
    if (!is_valid) {
        free(s);
        return err_set(err, ERR_REFUSED, "%s has to be 16 bytes in base64", key);
    }
    *ret = s;
    return 0;
}

int api_msg_object(struct json_object *o, const char *key, size_t max_bytes,
                   struct json_object **ret, struct ct_err *err)
{
    struct json_object *v = NULL;

    json_object_object_get_ex(o, key, &v);
    if (v == NULL)
        return 0;
    if (json_object_get_type(v) != json_type_object)
        return err_set(err, ERR_REFUSED, "%s has to be an object", key);
    if (strlen(jdoc_text(v)) > max_bytes)
        return err_set(err, ERR_REFUSED, "%s is larger than %zu bytes", key, max_bytes);
    *ret = json_object_get(v);
    return 0;
}

int api_msg_is_object(struct json_object *o, const char *what, struct ct_err *err)
{
    if (o == NULL || json_object_get_type(o) != json_type_object)
        return err_set(err, ERR_REFUSED, "%s has to be a JSON object", what);
    return 0;
}
