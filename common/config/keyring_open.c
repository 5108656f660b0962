#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "common/config/key_command.h"
#include "common/config/keyring_file.h"
#include "common/config/retired.h"
#include "common/sys/secret.h"

#include "common/config/keyring_open.h"

static int add_lines(struct keyring *r, char *text, struct ct_err *err)
{
    const struct key *ignored;

    for (int n = 1; text != NULL; n++) {
        char *line = text, *end = strchr(text, '\n');
        text = end != NULL ? end + 1 : NULL;
        if (end != NULL)
            *end = '\0';
        if (line[strspn(line, " \t\r")] != '\0' && keyring_add_text(r, line, 0, &ignored, err) != 0)
            return err_prefix(err, "line %d of what key_command prints", n);
    }
    if (keyring_n(r) == 0)
        return err_set(err, ERR_CONFIG, "key_command prints no key");
    return 0;
}

static int open_command(const char *command, struct keyring **ret, struct ct_err *err)
{
    struct keyring *r = keyring_new();
    struct ct_err e = {0};
    char *text = NULL;
    int rc = key_command_run(command, KEY_COMMAND_TIMEOUT_MS, &text, &e);

    if (rc == 0)
        rc = add_lines(r, text, &e);
    secret_free(text);
    if (rc == 0) {
        *ret = r;
        return 0;
    }
    keyring_free(r);
    err_prefix(&e, "no keys");
    e.code = ERR_CONFIG;
    if (err != NULL)
        *err = e;
    return -1;
}

static int open_any(const struct config *config, struct keyring **ret, struct ct_err *err)
{
    char *path;
    int rc;

    if (config->key_command != NULL)
        return open_command(config->key_command, ret, err);
    path = keyring_path();
    rc = keyring_load(path, ret, err);
    free(path);
    return rc;
}

int keyring_open(const struct config *config, struct keyring **ret, struct ct_err *err)
{
    struct keyring *r;

    if (open_any(config, &r, err) != 0)
        return -1;
    if (retired_load(r, err) != 0) {
        keyring_free(r);
        return -1;
    }
    *ret = r;
    return 0;
}
