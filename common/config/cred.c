#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/data/jdoc.h"
#include "common/data/jscan.h"
#include "common/base/path.h"
#include "common/sys/secret.h"
#include "common/base/str.h"

#include "common/config/cred.h"

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

static int read_all(int fd, const char *path, char *text, size_t *ret_len, struct ct_err *err)
{
    ssize_t n = file_pread_all(fd, text, MAX_FILE, 0);

    if (n < 0)
        return err_sys(err, "can't read the credentials %s", path);
    if (n == MAX_FILE)
        return err_set(err, ERR_REFUSED, "%s is larger than %d bytes", path, MAX_FILE - 1);
    *ret_len = (size_t)n;
    return 0;
}

/* Read the file into ${text}, which has MAX_FILE bytes of secret memory. */
static int read_private(const char *path, char *text, size_t *ret_len, struct ct_err *err)
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
        rc = read_all(fd, path, text, ret_len, err);
    close(fd);
    return rc;
}

static struct ct_err *not_an_object(struct ct_err *err, const char *path)
{
    err_set(err, ERR_CONFIG, "the credentials %s are not a JSON object; run: ctctl login", path);
    return err;
}

/* Errors say what is wrong with the file, never what stands in it. */
static int read_object(const char *path, struct json_object **ret, struct ct_err *err)
{
    char *text = secret_alloc(MAX_FILE);
    size_t len = 0;
    int rc = read_private(path, text, &len, err);

    if (rc == 0 && jdoc_parse(text, len, ret, NULL) != 0) {
        not_an_object(err, path);
        rc = -1;
    } else if (rc == 0 && json_object_get_type(*ret) != json_type_object) {
        json_object_put(*ret);
        not_an_object(err, path);
        rc = -1;
    }
    secret_free(text);
    return rc;
}

/*
 * What the daemon needs of it, by the scanner: json-c would leave copies of the token behind in
 * memory that it frees.
 */
struct members {
    struct jscan s;
    char token[JSCAN_TEXT + 1], api_url[JSCAN_TEXT + 1], device_name[JSCAN_TEXT + 1],
        email[JSCAN_TEXT + 1];
};

static char *member(struct members *m, const struct jscan *s)
{
    if (s->depth != 1)
        return NULL;
    return strcmp(s->key, "token") == 0        ? m->token
           : strcmp(s->key, "apiUrl") == 0     ? m->api_url
           : strcmp(s->key, "deviceName") == 0 ? m->device_name
           : strcmp(s->key, "email") == 0      ? m->email
                                               : NULL;
}

static size_t on_begin(void *arg, const struct jscan *s, enum jscan_type type)
{
    char *to = member(arg, s);

    if (to == NULL)
        return 0;
    to[0] = '\0'; /* of several the last one counts */
    return type == JSCAN_STRING ? JSCAN_TEXT : 0;
}

static void on_string(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    char *to = member(arg, s);

    if (to != NULL)
        memcpy(to, text, len + 1);
    if (to != NULL && is_cut)
        snprintf(to, 2, "\x7f"); /* longer than any can be: neither token nor address */
}

static void on_close(void *arg, const struct jscan *s)
{
    (void)arg;
    (void)s;
}

static int read_members(const char *path, struct members *m, struct ct_err *err)
{
    static const struct jscan_ops ops = {on_begin, on_string, on_close, NULL};
    char *text = secret_alloc(MAX_FILE);
    size_t len = 0;
    int rc = read_private(path, text, &len, err);

    if (rc == 0) {
        jscan_init(&m->s);
        jscan_feed(&m->s, &ops, m, text, len);
        if (!jscan_is_object(&m->s)) {
            not_an_object(err, path);
            rc = -1;
        }
    }
    secret_free(text);
    return rc;
}

static int load(const char *path, int needs_token, struct cred **ret, struct ct_err *err)
{
    struct members *m = secret_alloc(sizeof(*m));
    struct cred *c;
    int rc = read_members(path, m, err);

    if (rc == 0 && m->token[0] == '\0' && !needs_token)
        rc = 0;
    else if (rc == 0 && m->token[0] == '\0')
        rc = err_set(err, ERR_AUTH, "not logged in (%s holds no token); run: ctctl login", path);
    else if (rc == 0 && !token_is_sound(m->token))
        rc = err_set(err, ERR_CONFIG, "the token in %s is damaged; run: ctctl login", path);
    if (rc == 0) {
        c = str_calloc(1, sizeof(*c));
        c->token = m->token[0] != '\0' ? secret_dup(m->token) : NULL;
        c->api_url = cred_normal_url(m->api_url[0] != '\0' ? m->api_url : CRED_DEFAULT_URL);
        c->device_name = m->device_name[0] != '\0' ? str_dup(m->device_name) : path_host_name();
        c->email = m->email[0] != '\0' ? str_dup(m->email) : NULL;
        *ret = c;
    }
    secret_free(m);
    return rc;
}

int cred_load(const char *path, struct cred **ret, struct ct_err *err)
{
    int rc = load(path, 1, ret, err);

    secret_clear_stack();
    return rc;
}

int cred_recall(const char *path, struct cred **ret, struct ct_err *err)
{
    int rc = load(path, 0, ret, err);

    secret_clear_stack();
    return rc;
}

/* json-c gives what it holds back as it is. */
static void wipe(const char *s)
{
    if (s != NULL)
        str_wipe((char *)(uintptr_t)s, strlen(s));
}

static int write_object(const char *path, struct json_object *o, struct ct_err *err)
{
    const char *text =
        json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);

    int rc = file_replace(path, text, strlen(text), 0600, err);

    wipe(text);
    wipe(jdoc_str(o, "token"));
    return rc;
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
    if (c->email != NULL)
        jdoc_set_str(o, "email", c->email);
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
    secret_free(c->token);
    free(c->api_url);
    free(c->device_name);
    free(c->email);
    free(c);
}
