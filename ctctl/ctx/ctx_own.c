#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config/keyring_open.h"
#include "common/config/account.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "ctctl/ctx/ctx.h"

int ctx_key_is_by_command(const struct ctx *c)
{
    return c->config->key_command != NULL && c->config->key_command[0] != '\0';
}

const struct keyring *ctx_ring(struct ctx *c, struct ct_err *err)
{
    int rc = 0;

    if (c->ring == NULL && c->no_ring.code == ERR_NONE) {
        rc = ctx_config(c, &c->no_ring);
        if (rc == 0 && c->is_hurried && ctx_key_is_by_command(c))
            c->ring = keyring_new();
        else if (rc == 0)
            rc = keyring_open(c->config, &c->ring, &c->no_ring);
        if (rc == 0)
            memset(&c->no_ring, 0, sizeof(c->no_ring));
    }
    if (c->ring == NULL && err != NULL)
        *err = c->no_ring;
    return c->ring;
}

/* The daemon's mark, with which it goes one way (daemon/account/sealing.c). */
static int is_marked(struct ctx *c)
{
    const char *dir = ctx_account_dir(c);
    char *path;
    int is;

    if (dir == NULL)
        return 0;
    path = path_join(dir, "sealed");
    is = access(path, F_OK) == 0;
    free(path);
    return is;
}

int ctx_is_sealing(struct ctx *c)
{
    const struct keyring *ring = ctx_ring(c, NULL);
    int mode = c->config != NULL ? c->config->encryption : CONFIG_ENCRYPTION_ON;

    if (c->has_seen_sealed || mode == CONFIG_ENCRYPTION_REQUIRE || is_marked(c))
        return 1;
    return mode != CONFIG_ENCRYPTION_OFF && (ring == NULL || keyring_n(ring) > 0);
}

void ctx_forget_ring(struct ctx *c)
{
    if (c->ring != NULL && keyring_n(c->ring) > 0 && ctx_key_is_by_command(c))
        return;
    keyring_free(c->ring);
    c->ring = NULL;
    memset(&c->no_ring, 0, sizeof(c->no_ring));
}

static char *account_id(struct ctx *c)
{
    struct account *a = NULL;
    struct json_object *o;
    char hex[HASH_SHA256_HEX], *id = NULL;

    hash_sha256_hex(c->cred->token, strlen(c->cred->token), hex);
    if (account_record_load(c->config->state_dir, &a, NULL) == 0 && a->token_sha256 != NULL &&
        strcmp(a->token_sha256, hex) == 0 && strcmp(a->api_url, c->cred->api_url) == 0)
        id = str_dup(a->account_id);
    account_record_free(a);
    if (id != NULL || ctx_cloud(c, "GET", "/auth/me", NULL, &o, NULL) != 0)
        return id;
    if (jdoc_str(o, "id") != NULL)
        id = str_dup(jdoc_str(o, "id"));
    json_object_put(o);
    return id;
}

const char *ctx_account_dir(struct ctx *c)
{
    char *id;

    if (c->account_dir != NULL || c->has_no_account_dir || c->cred == NULL ||
        ctx_config(c, NULL) != 0)
        return c->account_dir;
    id = account_id(c);
    c->has_no_account_dir = id == NULL;
    if (id != NULL)
        c->account_dir = account_dir(c->config->state_dir, c->cred->api_url, id);
    free(id);
    return c->account_dir;
}
