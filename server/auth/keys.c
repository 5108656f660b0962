#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/path.h"
#include "common/sys/secret.h"
#include "common/base/str.h"

#include "server/auth/keys.h"

static int make_objects(const char *path, struct keys *k, struct ct_err *err)
{
    unsigned char id[10], secret[32];
    char *line;
    int rc;

    hash_random(id, sizeof(id));
    hash_random(secret, sizeof(secret));
    memcpy(k->object_id, "ct", 2);
    hash_hex(id, sizeof(id), k->object_id + 2);
    hash_hex(secret, sizeof(secret), k->object_secret);
    str_wipe(secret, sizeof(secret));
    line = str_printf("%s %s\n", k->object_id, k->object_secret);
    rc = file_replace(path, line, strlen(line), 0600, err);
    str_wipe(line, strlen(line));
    free(line);
    return rc;
}

static int load_objects(const char *path, struct keys *k, struct ct_err *err)
{
    struct buf b = {0};
    int rc = jwt_key_read_private(path, &b, err);

    if (rc == 0 && b.data == NULL)
        rc = make_objects(path, k, err);
    else if (rc == 0 && sscanf(b.data, "%23s %64s", k->object_id, k->object_secret) != 2)
        rc = err_set(err, ERR_CORRUPT, "%s does not hold an id and a secret", path);
    if (b.data != NULL)
        str_wipe(b.data, b.len);
    buf_free(&b);
    return rc;
}

int keys_load(const char *dir, struct keys *ret, struct ct_err *err)
{
    char *jwt = path_join(dir, "jwt.key"), *objects = path_join(dir, "objects.key");
    struct keys k = {.object_secret = secret_alloc(KEYS_SECRET_SIZE)};
    int rc = -1;

    if (jwt_key_open(jwt, &k.jwt, err) != 0 || load_objects(objects, &k, err) != 0) {
        keys_clear(&k);
        goto done;
    }
    *ret = k;
    rc = 0;
done:
    free(jwt);
    free(objects);
    return rc;
}

void keys_clear(struct keys *k)
{
    jwt_key_free(k->jwt);
    secret_free(k->object_secret);
    memset(k, 0, sizeof(*k));
}
