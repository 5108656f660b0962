#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "api/api.h"
#include "api/msg.h"

#define MAX_TEXT_BYTES 8192
#define MAX_METADATA_BYTES (512 * 1024)

struct json_object *api_confirm_req_json(const struct api_confirm_req *r)
{
    struct json_object *o = json_object_new_object();

    if (r->version > 0) {
        jdoc_set_int(o, "version", r->version);
        jdoc_set_str(o, "checksum", r->checksum);
    }
    return o;
}

int api_confirm_req_parse(struct json_object *o, struct api_confirm_req *ret, struct ct_err *err)
{
    struct api_confirm_req r = {0};

    if (o == NULL) {
        *ret = r;
        return 0;
    }
    if (api_msg_is_object(o, "the request", err) != 0 ||
        api_msg_int(o, "version", 1, API_VERSION_MAX, 0, &r.version, err) != 0 ||
        api_msg_checksum(o, "checksum", r.version != 0, r.checksum, err) != 0)
        return -1;
    if (r.version == 0 && r.checksum[0] != '\0')
        return err_set(err, ERR_REFUSED, "version is missing");
    *ret = r;
    return 0;
}

struct json_object *api_download_res_json(const struct api_download_res *r)
{
    struct json_object *o = json_object_new_object();
    struct json_object *s = json_object_new_object();

    jdoc_set_str(s, "id", r->session_id);
    jdoc_set_str(s, "sourceCwd", r->source_cwd);
    jdoc_set_str(s, "sourceUserDir", r->source_user_dir);
    jdoc_set_str(s, "sourceMachine", r->source_machine);
    json_object_object_add(s, "metadata", json_object_get(r->metadata));
    jdoc_set_str(o, "downloadUrl", r->download_url);
    jdoc_set_int(o, "version", r->version);
    json_object_object_add(o, "session", s);
    if (r->checksum[0] != '\0')
        jdoc_set_str(o, "checksum", r->checksum);
    if (r->size_bytes >= 0)
        jdoc_set_int(o, "sizeBytes", r->size_bytes);
    return o;
}

int api_download_res_parse(struct json_object *o, struct api_download_res *ret, struct ct_err *err)
{
    struct api_download_res r = {.size_bytes = -1};
    struct json_object *s;

    if (api_msg_is_object(o, "the answer", err) != 0)
        return -1;
    s = jdoc_obj(o, "session");
    if (s == NULL)
        return err_set(err, ERR_REFUSED, "session is missing or no object");
    if (api_msg_str(o, "downloadUrl", API_URL_MAX, 1, &r.download_url, err) != 0 ||
        api_msg_int(o, "version", 1, API_VERSION_MAX, 1, &r.version, err) != 0 ||
        api_msg_checksum(o, "checksum", 0, r.checksum, err) != 0 ||
        api_msg_int(o, "sizeBytes", 0, INT64_MAX, 0, &r.size_bytes, err) != 0 ||
        api_msg_str(s, "id", API_SESSION_ID_MAX, 1, &r.session_id, err) != 0 ||
        api_msg_str(s, "sourceCwd", MAX_TEXT_BYTES, 0, &r.source_cwd, err) != 0 ||
        api_msg_str(s, "sourceUserDir", MAX_TEXT_BYTES, 0, &r.source_user_dir, err) != 0 ||
        api_msg_str(s, "sourceMachine", MAX_TEXT_BYTES, 0, &r.source_machine, err) != 0 ||
        api_msg_object(s, "metadata", MAX_METADATA_BYTES, &r.metadata, err) != 0)
        goto err0;
    if (!api_url_is_http(r.download_url)) {
        err_set(err, ERR_REFUSED, "downloadUrl is no http or https URL");
        goto err0;
    }
    /* It becomes part of a file name on this machine. */
    if (!api_session_id_is_valid(r.session_id)) {
        err_set(err, ERR_REFUSED, "session.id is not the id of a session");
        goto err0;
    }
    *ret = r;
    return 0;

err0:
    api_download_res_clear(&r);
    return -1;
}

void api_download_res_clear(struct api_download_res *r)
{
    if (r->download_url != NULL)
        str_wipe(r->download_url, strlen(r->download_url));
    free(r->download_url);
    free(r->session_id);
    free(r->source_cwd);
    free(r->source_user_dir);
    free(r->source_machine);
    json_object_put(r->metadata);
    memset(r, 0, sizeof(*r));
}
