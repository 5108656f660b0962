#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/jdoc.h"
#include "common/path.h"
#include "common/str.h"

#include "common/cred.h"

#define MAX_FILE 65536

char *cred_path(void)
{
    char *dir = path_credentials_dir();
    char *path = path_join(dir, "config.json");

    free(dir);
    return path;
}

char *cred_normal_url(const char *url)
{
    size_t n = strlen(url);

    while (n > 0 && url[n - 1] == '/')
        n--;
    if (n >= 3 && strncmp(url + n - 3, "/v1", 3) == 0)
        return str_printf("%.*s", (int)n, url);
    return str_printf("%.*s/v1", (int)n, url);
}

/* A token that can't stand in a header line would end up in somebody's log instead. */
static int token_is_sound(const char *t)
{
    size_t n = strlen(t);

    for (size_t i = 0; i < n; i++) {
        if (t[i] <= ' ' || t[i] > '~')
            return 0;
    }
    return n > 0 && n <= 4096;
}

static int read_private(const char *path, struct buf *ret, struct ct_err *err)
{
    struct stat st;
    int fd, rc = -1;

    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return err_set(err, ERR_AUTH, "not logged in (there is no %s); run: ctctl login", path);
        err_sys(err, "can't open the credentials %s", path);
        err->code = ERR_CONFIG;
        return -1;
    }
    if (fstat(fd, &st) != 0)
        err_sys(err, "can't look at the credentials %s", path);
    else if (!S_ISREG(st.st_mode))
        err_set(err, ERR_CONFIG, "the credentials %s are not a regular file; move it away", path);
    else if (st.st_uid != geteuid())
        err_set(err, ERR_CONFIG, "the credentials %s belong to another user; run: ctctl login",
                path);
    else if ((st.st_mode & 077) != 0)
        err_set(err, ERR_CONFIG, "the credentials %s can be read by others; run: chmod 600 '%s'",
                path, path);
    else
        rc = file_read_fd(fd, path, MAX_FILE, ret, err);
    close(fd);
    return rc;
}

/* Errors say what is wrong with the file, never what stands in it. */
static int read_object(const char *path, struct json_object **ret, struct ct_err *err)
{
    struct ct_err scratch = {0};
    struct buf text = {0};
    int rc;

    if (err == NULL)
        err = &scratch;
    rc = read_private(path, &text, err);
    if (rc == 0 && (jdoc_parse(text.data, text.len, ret, err) != 0 ||
                    json_object_get_type(*ret) != json_type_object)) {
        if (err->code == ERR_NONE)
            json_object_put(*ret);
        rc = err_set(err, ERR_CONFIG, "the credentials %s are not a JSON object; run: ctctl login",
                     path);
    }
    if (text.data != NULL)
        str_wipe(text.data, text.cap);
    buf_free(&text);
    return rc;
}

int cred_load(const char *path, struct cred **ret, struct ct_err *err)
{
    struct ct_err e = {0};
    struct json_object *o = NULL;
    const char *token, *url, *name;
    struct cred *c;

    if (read_object(path, &o, &e) != 0) {
        if (err != NULL)
            *err = e;
        return -1;
    }
    token = jdoc_str(o, "token");
    url = jdoc_str(o, "apiUrl");
    name = jdoc_str(o, "deviceName");
    if (token == NULL || token[0] == '\0') {
        json_object_put(o);
        return err_set(err, ERR_AUTH, "not logged in (%s holds no token); run: ctctl login", path);
    }
    if (!token_is_sound(token)) {
        json_object_put(o);
        return err_set(err, ERR_CONFIG, "the token in %s is damaged; run: ctctl login", path);
    }
    c = str_calloc(1, sizeof(*c));
    c->token = str_dup(token);
    c->api_url = cred_normal_url(url != NULL && url[0] != '\0' ? url : CRED_DEFAULT_URL);
    c->device_name = name != NULL && name[0] != '\0' ? str_dup(name) : path_host_name();
    str_wipe((char *)(uintptr_t)token, strlen(token));
    json_object_put(o);
    *ret = c;
    return 0;
}

static int write_object(const char *path, struct json_object *o, struct ct_err *err)
{
    const char *text =
        json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);

    return file_replace(path, text, strlen(text), 0600, err);
}

int cred_save(const char *path, const struct cred *c, struct ct_err *err)
{
    struct json_object *o = NULL;
    struct ct_err e = {0};
    char *dir = path_parent(path);
    int rc;

    rc = path_make_private(dir, err);
    free(dir);
    if (rc != 0)
        return -1;
    if (read_object(path, &o, &e) != 0) {
        /* Absent: a first log-in.  Anything else is replaced, for a log-in is its cure. */
        o = json_object_new_object();
    }
    jdoc_set_str(o, "token", c->token);
    jdoc_set_str(o, "apiUrl", c->api_url);
    jdoc_set_str(o, "deviceName", c->device_name);
    rc = write_object(path, o, err);
    json_object_put(o);
    return rc;
}

int cred_forget(const char *path, struct ct_err *err)
{
    struct json_object *o = NULL;
    struct ct_err e = {0};
    int rc;

    if (read_object(path, &o, &e) != 0) {
        if (e.code == ERR_AUTH)
            return 0;
        if (unlink(path) != 0 && errno != ENOENT)
            return err_sys(err, "can't remove %s", path);
        return 0;
    }
    json_object_object_del(o, "token");
    rc = write_object(path, o, err);
    json_object_put(o);
    return rc;
}

void cred_free(struct cred *c)
{
    if (c == NULL)
        return;
    if (c->token != NULL)
        str_wipe(c->token, strlen(c->token));
    free(c->token);
    free(c->api_url);
    free(c->device_name);
    free(c);
}
