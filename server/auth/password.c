#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/str.h"

#include "server/auth/password.h"

#define ROUNDS 10

/* Well-formed, made of nothing that anybody knows; it only has to cost what a real one costs. */
static const char nobody[] = "$2b$10$abcdefghijklmnopqrstuuaVfTEGgHXBJvbKDLDAGuRiUOZ8oHd2W";

int password_check(const char *password, struct ct_err *err)
{
    size_t n = strlen(password);

    if (n < PASSWORD_MIN_BYTES)
        return err_set(err, ERR_REFUSED, "The password needs at least %d bytes.",
                       PASSWORD_MIN_BYTES);
    if (n > PASSWORD_MAX_BYTES)
        return err_set(err, ERR_REFUSED, "The password may have at most %d bytes.",
                       PASSWORD_MAX_BYTES);
    return 0;
}

/* crypt_r()'s work space is 32 KiB: too much for a small thread's stack. */
static int bcrypt(const char *password, const char *setting, char **ret)
{
    struct crypt_data *data = str_calloc(1, sizeof(*data));
    const char *hash = crypt_r(password, setting, data);
    int rc = -1;

    /* A failure is NULL or a text that begins with '*'. */
    if (hash != NULL && hash[0] == '$') {
        *ret = str_dup(hash);
        rc = 0;
    }
    str_wipe(data, sizeof(*data));
    free(data);
    return rc;
}

int password_hash(const char *password, char **ret, struct ct_err *err)
{
    char salt[16], setting[CRYPT_GENSALT_OUTPUT_SIZE];

    hash_random(salt, sizeof(salt));
    if (crypt_gensalt_rn("$2b$", ROUNDS, salt, sizeof(salt), setting, sizeof(setting)) == NULL ||
        bcrypt(password, setting, ret) != 0)
        return err_set(err, ERR_FAIL, "libcrypt can't make a bcrypt hash");
    return 0;
}

int password_verify(const char *password, const char *hash)
{
    const char *setting = hash != NULL ? hash : nobody;
    char *got;
    int same;

    if (bcrypt(password, setting, &got) != 0)
        return 0;
    same = hash != NULL && strlen(got) == strlen(hash) && hash_equal(got, hash, strlen(hash));
    free(got);
    return same;
}
