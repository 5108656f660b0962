#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/opencode/opencode.h"
#include "agents/words.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#define FILE_MAX (64 << 20) /* of a longer one the model is not asked */

/* A conversation in words alone as a session of opencode, which gets it by its own import. */

static void add(struct buf *out, struct json_object *o)
{
    buf_addstr(out, jdoc_text(o));
    buf_addc(out, '\n');
    json_object_put(o);
}

static void set_time(struct json_object *o, int64_t created_ms, const char *key, int64_t ms)
{
    struct json_object *time = json_object_new_object();

    jdoc_set_int(time, "created", created_ms);
    if (key != NULL)
        jdoc_set_int(time, key, ms);
    json_object_object_add(o, "time", time);
}

static void add_session(struct buf *out, const struct words *w, const char *id)
{
    struct json_object *o = json_object_new_object(), *info = json_object_new_object();

    jdoc_set_str(info, "id", id);
    jdoc_set_str(info, "slug", "from-codeteleport");
    jdoc_set_str(info, "projectID", "global");
    jdoc_set_str(info, "directory", w->cwd);
    jdoc_set_str(info, "title", w->title);
    jdoc_set_str(info, "version", "1.18.33");
    set_time(info, w->v[0].ms, "updated", w->now_ms);
    jdoc_set_str(o, "type", "session");
    jdoc_set_str(o, "id", id);
    jdoc_set_str(o, "cwd", w->cwd);
    jdoc_set_time(o, "timestamp", w->v[0].ms);
    json_object_object_add(o, "info", info);
    add(out, o);
}

static struct json_object *no_tokens(void)
{
    struct json_object *o = json_object_new_object(), *cache = json_object_new_object();

    jdoc_set_int(o, "input", 0);
    jdoc_set_int(o, "output", 0);
    jdoc_set_int(o, "reasoning", 0);
    jdoc_set_int(cache, "read", 0);
    jdoc_set_int(cache, "write", 0);
    json_object_object_add(o, "cache", cache);
    return o;
}

static struct json_object *info_of(const struct words_part *part, const char *parent,
                                   struct json_object *model)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "role", part->by == WORDS_PERSON ? "user" : "assistant");
    jdoc_set_str(o, "agent", "build");
    if (part->by == WORDS_PERSON) {
        set_time(o, part->ms, NULL, 0);
        json_object_object_add(o, "model", json_object_get(model));
        return o;
    }
    set_time(o, part->ms, "completed", part->ms);
    jdoc_set_str(o, "parentID", parent);
    jdoc_set_str(o, "mode", "build");
    jdoc_set_str(o, "providerID", jdoc_str(model, "providerID"));
    jdoc_set_str(o, "modelID", jdoc_str(model, "modelID"));
    jdoc_set_int(o, "cost", 0);
    json_object_object_add(o, "tokens", no_tokens());
    jdoc_set_str(o, "finish", "stop");
    return o;
}

/* Ids rise in the order of the parts. */
static void add_part(struct buf *out, const struct words *w, const char *id, size_t i,
                     struct json_object *model)
{
    const struct words_part *part = &w->v[i];
    struct json_object *o = json_object_new_object(), *list = json_object_new_array();
    struct json_object *said = json_object_new_object();
    char *message = str_printf("msg_%.12s%08zx", id + 4, i), *parent;
    char *own = str_printf("prt_%.12s%08zx", id + 4, i);

    parent = str_printf("msg_%.12s%08zx", id + 4, i > 0 ? i - 1 : 0);
    jdoc_set_str(said, "type", "text");
    jdoc_set_str(said, "id", own);
    jdoc_set_str(said, "text", part->text);
    json_object_array_add(list, said);
    jdoc_set_str(o, "type", "message");
    jdoc_set_str(o, "id", message);
    jdoc_set_str(o, "role", part->by == WORDS_PERSON ? "user" : "assistant");
    jdoc_set_time(o, "timestamp", part->ms);
    if (part->by == WORDS_MODEL)
        jdoc_set_int(o, "completed", part->ms);
    json_object_object_add(o, "info", info_of(part, parent, model));
    json_object_object_add(o, "parts", list);
    add(out, o);
    free(parent);
    free(own);
    free(message);
}

/* ---- the model ---------------------------------------------------------------------------------
 */

struct asking {
    struct json_object *model;
    char at[32]; /* when it was asked */
};

static void take_line(struct asking *a, const char *p, size_t n)
{
    struct json_object *o = NULL, *model;
    const char *at;

    if (jdoc_parse(p, n, &o, NULL) != 0)
        return;
    model = jdoc_obj(jdoc_obj(o, "info"), "model");
    at = jdoc_str(o, "timestamp");
    if (at != NULL && jdoc_str(model, "providerID") != NULL && jdoc_str(model, "modelID") != NULL &&
        strcmp(at, a->at) > 0) {
        json_object_put(a->model);
        a->model = json_object_get(model);
        snprintf(a->at, sizeof(a->at), "%.31s", at);
    }
    json_object_put(o);
}

static void take_file(struct asking *a, const char *path)
{
    const char *p, *newline;
    struct buf b = {0};

    if (file_read(path, FILE_MAX, &b, NULL) == 0 && b.len > 0) {
        for (p = b.data; (newline = memchr(p, '\n', b.len - (size_t)(p - b.data))) != NULL;
             p = newline + 1)
            take_line(a, p, (size_t)(newline - p));
    }
    buf_free(&b);
}

/* opencode goes on with the model that was asked last in a session: here, in any. */
static struct json_object *newest_model(const char *root)
{
    struct asking a = {0};
    DIR *d = opendir(root);
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        char *path = path_join(root, e->d_name);
        if (strncmp(e->d_name, "ses_", 4) == 0)
            take_file(&a, path);
        free(path);
    }
    if (d != NULL)
        closedir(d);
    return a.model;
}

static int import(const struct buf *lines, const char *cwd, struct ct_err *err)
{
    FILE *f = tmpfile();
    int rc;

    if (f == NULL || file_write_all(fileno(f), lines->data, lines->len) != 0 ||
        lseek(fileno(f), 0, SEEK_SET) != 0)
        rc = err_sys(err, "can't write a temporary file");
    else
        rc = opencode_hand_over(fileno(f), cwd, err);
    if (f != NULL)
        fclose(f);
    return rc;
}

int opencode_write_words(const struct words *w, words_file_f *file, void *arg, struct ct_err *err)
{
    char id[40] = "ses_", *to = id + 4, *path;
    struct json_object *model;
    struct buf out = {0};
    int64_t again_ms;
    int rc;

    if (opencode_gather(w->root, &again_ms, err) != 0)
        return -1;
    model = newest_model(w->root);
    if (model == NULL)
        return err_set(err, ERR_REFUSED,
                       "opencode was not used on this machine yet, so with what model it is to go "
                       "on is not known; say something in it once, and pull again");
    for (const char *p = w->session_id; *p != '\0'; p++) {
        if (*p != '-')
            *to++ = *p;
    }
    *to = '\0';
    add_session(&out, w, id);
    for (size_t i = 0; i < w->n; i++)
        add_part(&out, w, id, i, model);
    path = str_printf("%s.jsonl", id);
    rc = import(&out, w->cwd, err);
    if (rc == 0)
        rc = file(arg, path, out.data, out.len, err);
    json_object_put(model);
    free(path);
    buf_free(&out);
    return rc;
}
