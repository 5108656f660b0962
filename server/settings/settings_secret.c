#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/sys/secret.h"
#include "common/base/str.h"

#include "server/settings/settings_impl.h"

#define MAX_SECRET_BYTES 4096

/* A group may be meant to read it (systemd's credentials look so); all the world never is. */
static int check_private(const char *path, struct ct_err *err)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        err_sys(err, "can't read %s", path);
        err->code = ERR_CONFIG;
        return -1;
    }
    if ((st.st_mode & 007) != 0)
        return err_set(err, ERR_CONFIG,
                       "%s holds a secret and can be read by everybody; run: chmod 600 '%s'", path,
                       path);
    return 0;
}

/* The first line of a file. */
static int read_secret(const char *path, char **ret, struct ct_err *err)
{
    struct buf b = {0};

    if (check_private(path, err) != 0)
        return -1;
    if (file_read(path, MAX_SECRET_BYTES, &b, err) != 0 || b.len == 0) {
        if (b.len == 0 && b.data == NULL)
            err_set(err, ERR_CONFIG, "%s can't be read or is empty", path);
        buf_free(&b);
        return -1;
    }
    b.data[strcspn(b.data, "\r\n")] = '\0';
    *ret = secret_dup(b.data);
    str_wipe(b.data, b.len);
    buf_free(&b);
    return 0;
}

static int is_from_environment(const char *name)
{
    char *variable = str_printf(SETTINGS_VARIABLES "%s", name);
    int is_there;

    for (char *p = variable; *p != '\0'; p++)
        *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
    is_there = getenv(variable) != NULL;
    free(variable);
    return is_there;
}

int settings_find_secret(char **member, const char *file, const char *config, const char *name,
                         const char *variable, struct ct_err *err)
{
    const char *from_env = getenv(variable);

    if (*member != NULL && file != NULL)
        return err_set(err, ERR_CONFIG, "set %s or %s_file, not both", name, name);
    if (*member != NULL)
        return is_from_environment(name) ? 0 : check_private(config, err);
    if (file != NULL && read_secret(file, member, err) != 0)
        return err_prefix(err, "%s_file", name);
    if (*member == NULL && from_env != NULL && from_env[0] != '\0')
        *member = secret_dup(from_env);
    return 0;
}
