#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "api/api.h"
#include "api/msg.h"

#define MAX_TAGS 50
#define MAX_TAG_BYTES 200
#define MAX_LABEL_BYTES 1024
#define MAX_MACHINE_BYTES 255
#define MAX_PATH_BYTES 4096
#define MAX_METADATA_BYTES (256 * 1024)
#define MAX_HEADERS 16

struct json_object *api_upload_req_json(const struct api_upload_req *r)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "sessionId", r->session_id);
    jdoc_set_str(o, "sourceMachine", r->source_machine);
    jdoc_set_str(o, "sourceCwd", r->source_cwd);
    jdoc_set_str(o, "sourceUserDir", r->source_user_dir);
    jdoc_set_int(o, "sizeBytes", r->size_bytes);
    jdoc_set_str(o, "checksum", r->checksum);
    if (r->metadata != NULL)
        json_object_object_add(o, "metadata", json_object_get(r->metadata));
    if (r->tags != NULL)
        json_object_object_add(o, "tags", json_object_get(r->tags));
    if (r->label != NULL)
        jdoc_set_str(o, "label", r->label);
    if (r->md5 != NULL)
        jdoc_set_str(o, "md5", r->md5);
    if (r->amend > 0)
        jdoc_set_int(o, "amend", r->amend);
    if (r->device_id != NULL)
        jdoc_set_str(o, "deviceId", r->device_id);
    if (r->pin > 0)
        jdoc_set_int(o, "pin", r->pin);
    if (r->base_version >= 0)
        jdoc_set_int(o, "baseVersion", r->base_version);
    if (r->bases != NULL)
        json_object_object_add(o, "baseVersions", json_object_get(r->bases));
    if (r->revive)
        jdoc_set_bool(o, "revive", 1);
    return o;
}

static int parse_tags(struct json_object *o, struct json_object **ret, struct ct_err *err)
{
    struct json_object *v = NULL;
    size_t n;

    json_object_object_get_ex(o, "tags", &v);
    if (v == NULL)
        return 0;
    if (json_object_get_type(v) != json_type_array)
        return err_set(err, ERR_REFUSED, "tags has to be an array of strings");
    n = json_object_array_length(v);
    if (n > MAX_TAGS)
        return err_set(err, ERR_REFUSED, "there are more than %d tags", MAX_TAGS);
    for (size_t i = 0; i < n; i++) {
        struct json_object *t = json_object_array_get_idx(v, i);
        if (json_object_get_type(t) != json_type_string)
            return err_set(err, ERR_REFUSED, "tags has to be an array of strings");
        if (json_object_get_string_len(t) > MAX_TAG_BYTES ||
            strlen(json_object_get_string(t)) != (size_t)json_object_get_string_len(t))
            return err_set(err, ERR_REFUSED, "a tag is longer than %d bytes or holds a NUL",
                           MAX_TAG_BYTES);
    }
    *ret = json_object_get(v);
    return 0;
}

/* A number, or {"version", "checksum"}. */
static int is_base(struct json_object *b)
{
    char checksum[API_CHECKSUM_SIZE];
    struct json_object *n = b;

    if (json_object_is_type(b, json_type_object)) {
        if (api_msg_checksum(b, "checksum", 1, checksum, NULL) != 0)
            return 0;
        json_object_object_get_ex(b, "version", &n);
    }
    return json_object_is_type(n, json_type_int) && json_object_get_int64(n) >= 1 &&
           json_object_get_int64(n) <= API_VERSION_MAX;
}

static int parse_bases(struct json_object *o, struct json_object **ret, struct ct_err *err)
{
    struct json_object *v = NULL;

    json_object_object_get_ex(o, "baseVersions", &v);
    if (v == NULL)
        return 0;
    if (json_object_get_type(v) != json_type_array || json_object_array_length(v) > API_BASES_MAX)
        return err_set(err, ERR_REFUSED, "baseVersions has to be an array of at most %d numbers",
                       API_BASES_MAX);
    for (size_t i = 0; i < json_object_array_length(v); i++) {
        if (!is_base(json_object_array_get_idx(v, i)))
            return err_set(err, ERR_REFUSED,
                           "baseVersions has to hold numbers of versions only, or objects of "
                           "version and checksum");
    }
    *ret = json_object_get(v);
    return 0;
}

static int parse_source(struct json_object *o, struct api_upload_req *r, struct ct_err *err)
{
    if (api_msg_str(o, "sessionId", API_SESSION_ID_MAX, 1, &r->session_id, err) != 0)
        return -1;
    if (!api_session_id_is_valid(r->session_id))
        return err_set(err, ERR_REFUSED,
                       "sessionId has to be 1 to %d letters, digits, '-', '_' and '.'",
                       API_SESSION_ID_MAX);
    if (api_msg_str(o, "sourceMachine", MAX_MACHINE_BYTES, 0, &r->source_machine, err) != 0 ||
        api_msg_str(o, "sourceCwd", MAX_PATH_BYTES, 1, &r->source_cwd, err) != 0 ||
        api_msg_str(o, "sourceUserDir", MAX_PATH_BYTES, 1, &r->source_user_dir, err) != 0)
        return -1;
    return 0;
}

int api_upload_req_parse(struct json_object *o, struct api_upload_req *ret, struct ct_err *err)
{
    struct api_upload_req r = {.base_version = -1};

    if (api_msg_is_object(o, "the request", err) != 0)
        return -1;
    if (parse_source(o, &r, err) != 0 ||
        api_msg_int(o, "sizeBytes", 1, INT64_MAX, 1, &r.size_bytes, err) != 0 ||
        api_msg_checksum(o, "checksum", 1, r.checksum, err) != 0 ||
        api_msg_md5(o, "md5", &r.md5, err) != 0 ||
        api_msg_object(o, "metadata", MAX_METADATA_BYTES, &r.metadata, err) != 0 ||
        parse_tags(o, &r.tags, err) != 0 ||
        api_msg_str(o, "label", MAX_LABEL_BYTES, 0, &r.label, err) != 0 ||
        api_msg_int(o, "amend", 1, API_VERSION_MAX, 0, &r.amend, err) != 0 ||
        api_msg_str(o, "deviceId", API_DEVICE_ID_MAX, 0, &r.device_id, err) != 0 ||
        api_msg_int(o, "pin", 1, API_VERSION_MAX, 0, &r.pin, err) != 0 ||
        api_msg_int(o, "baseVersion", 0, API_VERSION_MAX, 0, &r.base_version, err) != 0 ||
        parse_bases(o, &r.bases, err) != 0 || api_msg_bool(o, "revive", &r.revive, err) != 0) {
        api_upload_req_clear(&r);
        return -1;
    }
    *ret = r;
    return 0;
}

void api_upload_req_clear(struct api_upload_req *r)
{
    free(r->session_id);
    free(r->source_machine);
    free(r->source_cwd);
    free(r->source_user_dir);
    free(r->md5);
    free(r->device_id);
    free(r->label);
    json_object_put(r->metadata);
    json_object_put(r->tags);
    json_object_put(r->bases);
    memset(r, 0, sizeof(*r));
}

struct json_object *api_upload_res_json(const struct api_upload_res *r)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "uploadUrl", r->upload_url);
    jdoc_set_str(o, "sessionRecordId", r->session_record_id);
    jdoc_set_int(o, "version", r->version);
    if (r->elsewhere > 0)
        jdoc_set_int(o, "elsewhereVersion", r->elsewhere);
    if (r->upload_headers != NULL)
        json_object_object_add(o, "uploadHeaders", json_object_get(r->upload_headers));
    return o;
}

int api_url_is_http(const char *s)
{
    if (strncmp(s, "https://", 8) != 0 && strncmp(s, "http://", 7) != 0)
        return 0;
    /* Printable ASCII without a space: what stands in a URL, and nothing that splits a line. */
    for (; *s != '\0'; s++) {
        if (*s <= ' ' || *s > '~')
            return 0;
    }
    return 1;
}

/* They become header lines of the PUT, so they must be unable to hold a line of their own. */
static int check_headers(struct json_object *o, struct ct_err *err)
{
    static const char token[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";

    if (json_object_object_length(o) > MAX_HEADERS)
        return err_set(err, ERR_REFUSED, "uploadHeaders has too many members");
    json_object_object_foreach(o, name, v)
    {
        const char *s;
        if (name[0] == '\0' || strspn(name, token) != strlen(name))
            return err_set(err, ERR_REFUSED, "uploadHeaders has a member that is no header name");
        if (json_object_get_type(v) != json_type_string)
            return err_set(err, ERR_REFUSED, "uploadHeaders has a value that is no string");
        s = json_object_get_string(v);
        if (strlen(s) != (size_t)json_object_get_string_len(v) || strpbrk(s, "\r\n") != NULL)
            return err_set(err, ERR_REFUSED, "uploadHeaders has a value with a line break");
    }
    return 0;
}

int api_upload_res_parse(struct json_object *o, struct api_upload_res *ret, struct ct_err *err)
{
    struct api_upload_res r = {0};

    if (api_msg_is_object(o, "the answer", err) != 0)
        return -1;
    if (api_msg_str(o, "uploadUrl", API_URL_MAX, 1, &r.upload_url, err) != 0 ||
        api_msg_str(o, "sessionRecordId", 256, 0, &r.session_record_id, err) != 0 ||
        api_msg_int(o, "version", 1, API_VERSION_MAX, 1, &r.version, err) != 0 ||
        api_msg_int(o, "elsewhereVersion", 0, API_VERSION_MAX, 0, &r.elsewhere, err) != 0 ||
        api_msg_object(o, "uploadHeaders", 16384, &r.upload_headers, err) != 0 ||
        (r.upload_headers != NULL && check_headers(r.upload_headers, err) != 0))
        goto err0;
    if (!api_url_is_http(r.upload_url)) {
        err_set(err, ERR_REFUSED, "uploadUrl is no http or https URL");
        goto err0;
    }
    r.features = api_features(o);
    r.is_pin_refused = !jdoc_bool(o, "pinned", 1);
    if (r.features & API_HAS_HEADS)
        r.heads = json_object_get(jdoc_array(o, "heads"));
    *ret = r;
    return 0;

err0:
    api_upload_res_clear(&r);
    return -1;
}

void api_upload_res_clear(struct api_upload_res *r)
{
    if (r->upload_url != NULL)
        str_wipe(r->upload_url, strlen(r->upload_url));
    free(r->upload_url);
    free(r->session_record_id);
    json_object_put(r->upload_headers);
    json_object_put(r->heads);
    memset(r, 0, sizeof(*r));
}
