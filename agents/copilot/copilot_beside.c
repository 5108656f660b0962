#include <stdlib.h>
#include <string.h>

#include "agents/copilot/copilot.h"
#include "common/base/buf.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

/* ---- workspace.yaml -----------------------------------------------------------------------------
 */

/* What may come of others'; of one's own everything does. */
static const char *const keys[] = {
    "id",          "cwd",           "branch",     "name",       "user_named",
    "client_name", "summary_count", "fork_count", "created_at", "updated_at",
};

static int is_among(const char *key)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(keys[i], key) == 0)
            return 1;
    }
    return 0;
}

/* The value of a line as text, or NULL if YAML means more by it; the caller frees it. */
static char *value_of(const char *s)
{
    size_t n = strlen(s);
    struct json_object *o = NULL;
    char *text = NULL, *to;

    if (s[0] == '"') {
        o = json_tokener_parse(s);
        if (json_object_get_type(o) == json_type_string)
            text = str_dup(json_object_get_string(o));
        json_object_put(o);
    } else if (s[0] == '\'' && n > 1 && s[n - 1] == '\'') {
        text = to = str_dup(s + 1);
        for (const char *p = s + 1; p < s + n - 1; p++) {
            *to++ = *p;
            p += *p == '\'' && p[1] == '\'';
        }
        *to = '\0';
    } else if (s[0] != '\0' && strchr("|>&*!%@`{}[],?'", s[0]) == NULL) {
        text = str_dup(s);
    }
    return text;
}

/* A string of JSON is one of YAML. */
static void add_line(struct buf *b, const char *key, const char *text)
{
    struct json_object *o = jdoc_new_str(text);

    buf_printf(b, "%s: %s\n", key, jdoc_text(o));
    json_object_put(o);
}

static char *moved_below(const struct rebuild_opts *opts, const char *path)
{
    char *to = opts->cwd != NULL ? opts->moved(opts->arg, path) : str_dup(path);

    if (opts->cwd != NULL && opts->trust != TRUST_OWN && !path_stays_below(to, opts->cwd)) {
        free(to);
        to = str_dup(opts->cwd);
    }
    return to;
}

static void make_line(const struct rebuild_opts *opts, const char *line, struct buf *b)
{
    size_t n = strcspn(line, ":");
    char *key, *value, *to;

    if (line[n] != ':' || line[n + 1] != ' ') {
        if (opts->trust == TRUST_OWN)
            buf_printf(b, "%s\n", line);
        return;
    }
    key = str_printf("%.*s", (int)n, line);
    value = value_of(line + n + 2);
    if (value != NULL &&
        (strcmp(key, "cwd") == 0 || (strcmp(key, "git_root") == 0 && opts->trust == TRUST_OWN))) {
        to = moved_below(opts, value);
        add_line(b, key, to);
        free(to);
    } else if (opts->trust == TRUST_OWN) {
        buf_printf(b, "%s\n", line);
    } else if (value != NULL && strcmp(key, "id") == 0) {
        add_line(b, key, opts->session_id);
    } else if (value != NULL && is_among(key)) {
        if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0 ||
            value[strspn(value, "0123456789")] == '\0')
            buf_printf(b, "%s: %s\n", key, value);
        else
            add_line(b, key, value);
    }
    free(value);
    free(key);
}

int copilot_make_workspace(const struct rebuild_opts *opts, const char *p, size_t n,
                           struct ct_err *err)
{
    struct buf b = {0};
    int rc;

    for (size_t at = 0; at < n;) {
        const char *newline = memchr(p + at, '\n', n - at);
        size_t len = newline != NULL ? (size_t)(newline - p) - at : n - at;
        char *line = str_printf("%.*s", (int)len, p + at);
        make_line(opts, line, &b);
        free(line);
        at += len + 1;
    }
    rc = b.len == 0 ? 1 : opts->put(opts->arg, b.data, b.len, 1, err);
    buf_free(&b);
    return rc;
}

/* ---- the index of snapshots ---------------------------------------------------------------------
 */

static void set_hex(struct json_object *encoded, const char *path)
{
    struct buf b = {0};

    for (const char *p = path; *p != '\0'; p++)
        buf_printf(&b, "%02x", (unsigned char)*p);
    buf_addc(&b, '\0');
    jdoc_set_str(encoded, "data", b.data);
    buf_free(&b);
}

/* Where a path is written as text it is moved with all others (what is put is not exact); here it
 * is moved in bytes.  Return whether the file is below the working folder. */
static int move_file(const struct rebuild_opts *opts, struct json_object *file)
{
    static const char *const images[] = {"preimage", "postimage"};
    const char *path = jdoc_str(file, "path"), *resolved;
    char *to = path != NULL && path[0] == '/' ? opts->moved(opts->arg, path) : NULL;
    int is_so = to != NULL && path_stays_below(to, opts->cwd);

    for (size_t i = 0; is_so && i < sizeof(images) / sizeof(images[0]); i++) {
        struct json_object *image = jdoc_obj(file, images[i]);
        resolved = jdoc_str(image, "resolvedPath");
        if (resolved != NULL && strcmp(resolved, path) != 0)
            is_so = 0; /* through a link: not to be told from here */
        else if (jdoc_obj(image, "encodedPath") != NULL)
            set_hex(jdoc_obj(image, "encodedPath"), to);
    }
    free(to);
    return is_so;
}

static void move_snapshot(const struct rebuild_opts *opts, struct json_object *snapshot)
{
    struct json_object *files = jdoc_obj(snapshot, "files");

    if (files == NULL)
        return;
    json_object_object_foreach(files, name, file)
    {
        if (move_file(opts, file))
            continue;
        if (opts->losses != NULL)
            losses_add(opts->losses, "snapshot of a file", "elsewhere");
        json_object_object_del(files, name);
    }
}

int copilot_make_snapshots(const struct rebuild_opts *opts, const char *p, size_t n,
                           struct ct_err *err)
{
    struct json_object *o = NULL, *list;
    const char *text;
    int rc;

    if (opts->cwd == NULL)
        return opts->put(opts->arg, p, n, 1, err);
    if (jdoc_parse(p, n, &o, NULL) != 0)
        return 1;
    list = jdoc_array(o, "snapshots");
    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++)
        move_snapshot(opts, json_object_array_get_idx(list, i));
    text = jdoc_text(o);
    rc = opts->put(opts->arg, text, strlen(text), 0, err);
    json_object_put(o);
    return rc;
}
