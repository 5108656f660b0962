#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "common/config/account.h"

char *account_dir(const char *state_dir, const char *api_url, const char *account_id)
{
    char *key = str_printf("%s\n%s", api_url, account_id), *rest, *dir;
    char hex[HASH_SHA256_HEX];

    hash_sha256_hex(key, strlen(key), hex);
    rest = str_printf("accounts/%.16s", hex);
    dir = path_join(state_dir, rest);
    free(rest);
    free(key);
    return dir;
}

int account_record_load(const char *state_dir, struct account **ret, struct ct_err *err)
{
    char *path = path_join(state_dir, "account.json");
    struct json_object *o = NULL;
    struct buf text = {0};
    const char *url, *id, *email, *token;
    int rc = -1;

    if (file_read(path, 65536, &text, err) != 0)
        goto done;
    if (jdoc_parse(text.data, text.len, &o, err) != 0) {
        err_prefix(err, "%s is damaged", path);
        goto done;
    }
    url = jdoc_str(o, "apiUrl");
    id = jdoc_str(o, "accountId");
    email = jdoc_str(o, "email");
    token = jdoc_str(o, "tokenSha256");
    if (url == NULL || id == NULL) {
        err_set(err, ERR_CORRUPT, "%s is damaged: apiUrl or accountId is missing", path);
        goto done;
    }
    *ret = str_calloc(1, sizeof(**ret));
    (*ret)->api_url = str_dup(url);
    (*ret)->account_id = str_dup(id);
    (*ret)->email = str_dup(email != NULL ? email : "");
    (*ret)->token_sha256 = token != NULL ? str_dup(token) : NULL;
    rc = 0;

done:
    json_object_put(o);
    buf_free(&text);
    free(path);
    return rc;
}

int account_record_save(const char *state_dir, const char *api_url, const char *account_id,
                        const char *email, const char *token, struct ct_err *err)
{
    struct json_object *o;
    char hex[HASH_SHA256_HEX];
    const char *text;
    char *path;
    int rc;

    if (path_make_private(state_dir, err) != 0)
        return -1;
    path = path_join(state_dir, "account.json");
    o = json_object_new_object();
    jdoc_set_str(o, "apiUrl", api_url);
    jdoc_set_str(o, "accountId", account_id);
    jdoc_set_str(o, "email", email);
    if (token != NULL) {
        hash_sha256_hex(token, strlen(token), hex);
        jdoc_set_str(o, "tokenSha256", hex);
    }
    text = jdoc_text(o);
    rc = file_replace(path, text, strlen(text), 0600, err);
    json_object_put(o);
    free(path);
    return rc;
}

void account_record_free(struct account *a)
{
    if (a == NULL)
        return;
    free(a->api_url);
    free(a->account_id);
    free(a->email);
    free(a->token_sha256);
    free(a);
}
