/* Whatever comes as a request's body or in its path, what the server takes keeps its limits, and
 * can be written and read again as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "api/api.h"

#include "server/api/app_impl.h"
#include "server/settings/email.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
    if (!holds)
        abort();
}

static int same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void try_upload(struct json_object *body)
{
    struct api_upload_req a, b;
    struct json_object *o, *again = NULL;
    const char *text;

    if (api_upload_req_parse(body, &a, NULL) != 0)
        return;
    must(api_session_id_is_valid(a.session_id) && strchr(a.session_id, '/') == NULL);
    must(api_checksum_is_valid(a.checksum) && a.size_bytes > 0);
    must(a.amend >= 0 && a.amend <= API_VERSION_MAX && a.pin >= 0 && a.pin <= API_VERSION_MAX);
    must(a.base_version >= -1 && a.base_version <= API_VERSION_MAX);
    must(a.md5 == NULL || strlen(a.md5) == 24);
    must(a.bases == NULL || json_object_array_length(a.bases) <= API_BASES_MAX);
    must(strlen(a.source_cwd) <= 4096 && str_is_utf8(a.source_cwd, strlen(a.source_cwd)));
    o = api_upload_req_json(&a);
    text = jdoc_text(o);
    must(jdoc_parse(text, strlen(text), &again, NULL) == 0);
    must(api_upload_req_parse(again, &b, NULL) == 0);
    must(same(a.session_id, b.session_id) && same(a.source_machine, b.source_machine));
    must(same(a.source_cwd, b.source_cwd) && same(a.source_user_dir, b.source_user_dir));
    must(same(a.label, b.label) && same(a.md5, b.md5) && same(a.checksum, b.checksum));
    must(a.size_bytes == b.size_bytes && a.revive == b.revive && a.base_version == b.base_version);
    must((a.bases == NULL) == (b.bases == NULL));
    must(a.bases == NULL || same(jdoc_text(a.bases), jdoc_text(b.bases)));
    api_upload_req_clear(&a);
    api_upload_req_clear(&b);
    json_object_put(o);
    json_object_put(again);
}

static void try_confirm(struct json_object *body)
{
    struct api_confirm_req r;

    if (api_confirm_req_parse(body, &r, NULL) == 0)
        must(r.version == 0 || (r.version <= API_VERSION_MAX && api_checksum_is_valid(r.checksum)));
}

static void try_account(struct json_object *body)
{
    const char *email = jdoc_str(body, "email");
    char *normal, *again;

    if (email == NULL || email_normal(email, &normal, NULL) != 0)
        return;
    must(strlen(normal) <= 254 && strchr(normal, '@') != NULL &&
         strpbrk(normal, " \r\n\t<>") == NULL);
    must(email_normal(normal, &again, NULL) == 0 && strcmp(normal, again) == 0);
    free(normal);
    free(again);
}

static void try_answers(struct json_object *body)
{
    struct api_upload_res u;
    struct api_download_res d;

    if (api_upload_res_parse(body, &u, NULL) == 0) {
        must(api_url_is_http(u.upload_url));
        api_upload_res_clear(&u);
    }
    if (api_download_res_parse(body, &d, NULL) == 0) {
        must(api_url_is_http(d.download_url));
        api_download_res_clear(&d);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct json_object *body = NULL;
    char *decoded = call_decode(text, size);

    if (decoded != NULL)
        must(strlen(decoded) <= size && str_is_utf8(decoded, strlen(decoded)));
    free(decoded);
    if (jdoc_parse(text, size, &body, NULL) != 0)
        return 0;
    try_upload(body);
    try_confirm(body);
    try_account(body);
    try_answers(body);
    json_object_put(body);
    return 0;
}
