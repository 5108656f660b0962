#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "api/api.h"
#include "api/msg.h"

struct json_object *api_share_req_json(const struct api_share_req *r)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "sessionId", r->session_id);
    jdoc_set_int(o, "sizeBytes", r->size_bytes);
    jdoc_set_str(o, "checksum", r->checksum);
    jdoc_set_str(o, "md5", r->md5);
    jdoc_set_int(o, "expiresIn", r->lifetime_s);
    return o;
}

int api_share_req_parse(struct json_object *o, struct api_share_req *ret, struct ct_err *err)
{
    struct api_share_req r = {0};

    if (api_msg_is_object(o, "the request", err) != 0)
        return -1;
    if (api_msg_str(o, "sessionId", API_SESSION_ID_MAX, 1, &r.session_id, err) != 0 ||
        (!api_session_id_is_valid(r.session_id) &&
         err_set(err, ERR_REFUSED, "sessionId is not the id of a session") != 0) ||
        api_msg_int(o, "sizeBytes", 1, INT64_MAX, 1, &r.size_bytes, err) != 0 ||
        api_msg_checksum(o, "checksum", 1, r.checksum, err) != 0 ||
        api_msg_md5(o, "md5", &r.md5, err) != 0 ||
        api_msg_int(o, "expiresIn", 1, INT32_MAX, 1, &r.lifetime_s, err) != 0) {
        api_share_req_clear(&r);
        return -1;
    }
    *ret = r;
    return 0;
}

void api_share_req_clear(struct api_share_req *r)
{
    free(r->session_id);
    free(r->md5);
    memset(r, 0, sizeof(*r));
}
