#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/data/jscan.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "common/data/jdoc.h"

/*
 * json-c's strict mode still takes names in single quotes, raw control characters and more; the
 * scanner does not.  It reads objects, so the document becomes a member of one; that it is one
 * value and not several is for json-c to say.
 */
static int is_strict(const char *p, size_t n, const struct jscan_ops *ops, void *arg)
{
    struct jscan s;

    jscan_init(&s);
    jscan_feed(&s, &jscan_no_ops, NULL, "{\"\":", 4);
    jscan_feed(&s, ops, arg, p, n);
    jscan_feed(&s, &jscan_no_ops, NULL, "}", 1);
    return jscan_is_object(&s);
}

int jdoc_parse(const char *p, size_t n, struct json_object **ret, struct ct_err *err)
{
    struct json_tokener *tok;
    struct json_object *o;
    enum json_tokener_error e;
    size_t used;

    if (n == 0)
        return err_set(err, ERR_CORRUPT, "the JSON document is empty");
    if (n > INT_MAX)
        return err_set(err, ERR_CORRUPT, "the JSON document is too large");
    tok = json_tokener_new_ex(JDOC_MAX_DEPTH);
    if (tok == NULL)
        abort();
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    o = json_tokener_parse_ex(tok, p, (int)n);
    e = json_tokener_get_error(tok);
    if (e == json_tokener_continue) {
        /* A bare number ends only where the text ends; json-c wants to see that end. */
        o = json_tokener_parse_ex(tok, "", 1);
        e = json_tokener_get_error(tok);
        used = n;
    } else {
        used = json_tokener_get_parse_end(tok);
    }
    json_tokener_free(tok);
    if (e != json_tokener_success)
        return err_set(err, ERR_CORRUPT, "not valid JSON: %s", json_tokener_error_desc(e));
    while (used < n && strchr(" \t\r\n", p[used]) != NULL && p[used] != '\0')
        used++;
    if (used != n) {
        json_object_put(o);
        return err_set(err, ERR_CORRUPT, "not valid JSON: text after its end");
    }
    if (!is_strict(p, n, &jscan_no_ops, NULL)) {
        json_object_put(o);
        return err_set(err, ERR_CORRUPT, "not valid JSON: it breaks a rule of RFC 8259");
    }
    *ret = o;
    return 0;
}

static struct json_object *member(const struct json_object *o, const char *key, json_type type)
{
    struct json_object *v;

    if (o == NULL || json_object_get_type(o) != json_type_object ||
        !json_object_object_get_ex(o, key, &v) || json_object_get_type(v) != type)
        return NULL;
    return v;
}

const char *jdoc_str(const struct json_object *o, const char *key)
{
    struct json_object *v = member(o, key, json_type_string);
    const char *s;

    if (v == NULL)
        return NULL;
    s = json_object_get_string(v);
    return strlen(s) == (size_t)json_object_get_string_len(v) ? s : NULL;
}

int64_t jdoc_int(const struct json_object *o, const char *key, int64_t otherwise)
{
    struct json_object *v = member(o, key, json_type_int);

    return v != NULL ? json_object_get_int64(v) : otherwise;
}

int jdoc_bool(const struct json_object *o, const char *key, int otherwise)
{
    struct json_object *v = member(o, key, json_type_boolean);

    return v != NULL ? json_object_get_boolean(v) : otherwise;
}

struct json_object *jdoc_obj(const struct json_object *o, const char *key)
{
    return member(o, key, json_type_object);
}

struct json_object *jdoc_array(const struct json_object *o, const char *key)
{
    return member(o, key, json_type_array);
}

int jdoc_has(const struct json_object *o, const char *key)
{
    struct json_object *v;

    return o != NULL && json_object_get_type(o) == json_type_object &&
           json_object_object_get_ex(o, key, &v) && v != NULL;
}

struct json_object *jdoc_new_str(const char *s)
{
    struct json_object *o;
    struct buf clean = {0};
    size_t len = strlen(s);

    if (str_is_utf8(s, len))
        return json_object_new_string_len(s, (int)len);
    while (len > 0) {
        size_t n = str_utf8_len(s, len);
        buf_add(&clean, n > 0 ? s : "\xEF\xBF\xBD", n > 0 ? n : 3);
        s += n > 0 ? n : 1;
        len -= n > 0 ? n : 1;
    }
    o = json_object_new_string_len(clean.data, (int)clean.len);
    buf_free(&clean);
    return o;
}

/* What there is of values, and whether one is nested too deep. */
struct raw {
    int n, is_deep;
};

static size_t count_raw(void *arg, const struct jscan *s, enum jscan_type type)
{
    struct raw *r = arg;

    (void)type;
    r->n += s->depth == 1;
    r->is_deep |= s->depth > JDOC_RAW_DEPTH;
    return 0;
}

struct json_object *jdoc_new_raw(const char *p, size_t n)
{
    const struct jscan_ops ops = {count_raw, jscan_no_ops.string, jscan_no_ops.close, NULL};
    struct raw r = {0};
    struct json_object *o;

    if (!is_strict(p, n, &ops, &r) || r.n != 1 || r.is_deep)
        return NULL;
    o = json_object_new_object();
    json_object_set_serializer(o, json_object_userdata_to_json_string,
                               str_printf("%.*s", (int)n, p), json_object_free_userdata);
    return o;
}

void jdoc_set_str(struct json_object *o, const char *key, const char *s)
{
    json_object_object_add(o, key, s != NULL ? jdoc_new_str(s) : NULL);
}

void jdoc_set_int(struct json_object *o, const char *key, int64_t v)
{
    json_object_object_add(o, key, json_object_new_int64(v));
}

void jdoc_set_bool(struct json_object *o, const char *key, int v)
{
    json_object_object_add(o, key, json_object_new_boolean(v));
}

void jdoc_set_null(struct json_object *o, const char *key)
{
    json_object_object_add(o, key, NULL);
}

void jdoc_set_time(struct json_object *o, const char *key, int64_t wall_ms)
{
    char buf[32];

    jdoc_set_str(o, key, wall_ms > 0 ? now_rfc3339(wall_ms, buf) : NULL);
}

const char *jdoc_text(struct json_object *o)
{
    return json_object_to_json_string_ext(o,
                                          JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

size_t jdoc_count(const char *p, size_t n)
{
    int in_string = 0;
    size_t count = 1;

    for (size_t i = 0; i < n; i++) {
        if (in_string && p[i] == '\\')
            i++;
        else if (p[i] == '"')
            in_string = !in_string;
        else if (!in_string && (p[i] == ',' || p[i] == '{' || p[i] == '['))
            count++;
    }
    return count;
}
