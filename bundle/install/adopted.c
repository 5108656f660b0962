#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle/pack/content_id.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "bundle/install/adopted.h"

#define RECORD_MAX (16 << 10)
#define FILES_MAX (64 << 20)
#define WINDOW (256 << 10)

static char *path_of(const char *account_dir, const char *session_id)
{
    return str_printf("%s/adopted/%s.json", account_dir, session_id);
}

int adopted_is_merged(const struct adopted *a)
{
    return a->is_here || strspn(a->content_id, "0") == HASH_SHA256_HEX - 1;
}

void adopted_add(struct adopted *a, int64_t version, const char *sha256)
{
    struct adopted_version *v;

    for (size_t i = 0; i < a->n_also; i++) {
        if (a->also[i].version == version)
            return;
    }
    if (version <= 0 || version == a->version || a->n_also == ADOPTED_ALSO_MAX)
        return;
    v = &a->also[a->n_also++];
    v->version = version;
    snprintf(v->sha256, sizeof(v->sha256), "%s", sha256);
}

void adopted_merge(struct adopted *a, const struct adopted *before)
{
    a->is_instead |= before->is_instead;
    if (strcmp(a->wire_id, before->wire_id) != 0)
        return;
    if (!before->is_thinner)
        adopted_add(a, before->version, before->sha256);
    for (size_t i = 0; i < before->n_also; i++)
        adopted_add(a, before->also[i].version, before->also[i].sha256);
}

/* Digest the first ${most} bytes; return how many there were. */
static int64_t measure(int fd, int64_t most, char ret[HASH_SHA256_HEX])
{
    struct content_id *id = content_id_new();
    char *p = str_calloc(WINDOW, 1), whole[HASH_SHA256_HEX];
    int64_t at = 0;
    ssize_t n = 1;

    content_id_begin(id, "t");
    while (fd >= 0 && at < most && n > 0) {
        int64_t left = most - at;
        n = file_pread_all(fd, p, left < WINDOW ? (size_t)left : WINDOW, (off_t)at);
        if (n > 0)
            content_id_feed(id, p, (size_t)n);
        at += n > 0 ? n : 0;
    }
    content_id_file(id, ret);
    content_id_final(id, whole);
    content_id_free(id);
    free(p);
    return at;
}

void adopted_measure(struct adopted *a, int fd)
{
    a->transcript_bytes = measure(fd, INT64_MAX, a->transcript_digest);
}

int adopted_fits(const struct adopted *a, int fd)
{
    char digest[HASH_SHA256_HEX];

    return measure(fd, a->transcript_bytes, digest) == a->transcript_bytes &&
           strcmp(digest, a->transcript_digest) == 0;
}

static void add_json(struct json_object *list, int64_t version, const char *sha256)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_int(o, "version", version);
    jdoc_set_str(o, "sha256", sha256);
    json_object_array_add(list, o);
}

static struct json_object *also_json(const struct adopted *a)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < a->n_also; i++)
        add_json(list, a->also[i].version, a->also[i].sha256);
    return list;
}

struct json_object *adopted_json(const struct adopted *a)
{
    struct json_object *list = also_json(a);

    add_json(list, a->version, a->sha256);
    return list;
}

int adopted_save(const char *account_dir, const struct adopted *a, struct ct_err *err)
{
    char *dir = path_join(account_dir, "adopted"), *path = path_of(account_dir, a->session_id);
    struct json_object *o = json_object_new_object();
    const char *text;
    int rc;

    jdoc_set_str(o, "sessionId", a->session_id);
    jdoc_set_int(o, "version", a->version);
    jdoc_set_str(o, "contentId", a->content_id);
    jdoc_set_str(o, "sha256", a->sha256);
    jdoc_set_int(o, "sizeBytes", a->size_bytes);
    jdoc_set_int(o, "transcriptBytes", a->transcript_bytes);
    jdoc_set_str(o, "transcriptDigest", a->transcript_digest);
    jdoc_set_bool(o, "isLoopback", a->is_loopback);
    jdoc_set_bool(o, "isThinner", a->is_thinner);
    jdoc_set_bool(o, "isHere", a->is_here);
    jdoc_set_bool(o, "isInstead", a->is_instead);
    if (a->n_also > 0)
        json_object_object_add(o, "also", also_json(a));
    if (a->wire_id[0] != '\0') {
        jdoc_set_str(o, "wireId", a->wire_id);
        jdoc_set_str(o, "keyId", a->key_id);
        jdoc_set_int(o, "generation", a->generation);
    }
    text = jdoc_text(o);
    rc = path_make_private(account_dir, err);
    if (rc == 0)
        rc = path_make_private(dir, err);
    if (rc == 0)
        rc = file_replace(path, text, strlen(text), 0600, err);
    json_object_put(o);
    free(path);
    free(dir);
    return rc;
}

/* A digest in hex, or -1. */
static int take_digest(const struct json_object *o, const char *key, char ret[HASH_SHA256_HEX])
{
    unsigned char scratch[HASH_SHA256_BYTES];
    const char *s = jdoc_str(o, key);

    if (s == NULL || hash_unhex(s, scratch, sizeof(scratch)) != 0)
        return -1;
    memcpy(ret, s, HASH_SHA256_HEX);
    return 0;
}

/* Absent is fine: a version in clear. */
static int take_seal(const struct json_object *o, struct adopted *a)
{
    const char *wire = jdoc_str(o, "wireId"), *key = jdoc_str(o, "keyId");
    unsigned char scratch[KEY_ID_BYTES];

    if (wire == NULL)
        return 0;
    a->generation = jdoc_int(o, "generation", 0);
    if (!uuid_is_valid(wire) || key == NULL || hash_unhex(key, scratch, sizeof(scratch)) != 0 ||
        a->generation < 1)
        return -1;
    snprintf(a->wire_id, sizeof(a->wire_id), "%s", wire);
    snprintf(a->key_id, sizeof(a->key_id), "%s", key);
    return 0;
}

/* Absent is fine: nothing was merged. */
static int take_also(const struct json_object *o, struct adopted *a)
{
    struct json_object *list = jdoc_array(o, "also");
    size_t n = list != NULL ? json_object_array_length(list) : 0;

    for (size_t i = 0; i < n; i++) {
        const struct json_object *v = json_object_array_get_idx(list, i);
        char sha256[HASH_SHA256_HEX];
        if (take_digest(v, "sha256", sha256) != 0)
            return -1;
        adopted_add(a, jdoc_int(v, "version", 0), sha256);
    }
    return 0;
}

int adopted_load(const char *account_dir, const char *session_id, struct adopted *ret)
{
    char *path = path_of(account_dir, session_id);
    struct adopted a = {0};
    struct json_object *o = NULL;
    struct buf text = {0};
    const char *id;
    int is_good = 0;

    if (file_read(path, RECORD_MAX, &text, NULL) == 0 &&
        jdoc_parse(text.data, text.len, &o, NULL) == 0) {
        id = jdoc_str(o, "sessionId");
        snprintf(a.session_id, sizeof(a.session_id), "%s", session_id);
        a.version = jdoc_int(o, "version", 0);
        a.size_bytes = jdoc_int(o, "sizeBytes", -1);
        a.transcript_bytes = jdoc_int(o, "transcriptBytes", -1);
        a.is_loopback = jdoc_bool(o, "isLoopback", 0);
        a.is_thinner = jdoc_bool(o, "isThinner", 0);
        a.is_here = jdoc_bool(o, "isHere", 0);
        a.is_instead = jdoc_bool(o, "isInstead", 0);
        is_good = id != NULL && strcmp(id, session_id) == 0 && a.version > 0 && a.size_bytes >= 0 &&
                  a.transcript_bytes >= 0 && take_seal(o, &a) == 0 && take_also(o, &a) == 0 &&
                  take_digest(o, "contentId", a.content_id) == 0 &&
                  take_digest(o, "sha256", a.sha256) == 0 &&
                  take_digest(o, "transcriptDigest", a.transcript_digest) == 0;
    }
    if (is_good)
        *ret = a;
    json_object_put(o);
    buf_free(&text);
    free(path);
    return is_good;
}

void adopted_each(const char *account_dir, void (*f)(void *arg, const char *session_id), void *arg)
{
    char *path = path_join(account_dir, "adopted"), id[UUID_SIZE];
    DIR *dir = opendir(path);
    const struct dirent *e;

    while (dir != NULL && (e = readdir(dir)) != NULL) {
        snprintf(id, sizeof(id), "%.*s", UUID_SIZE - 1, e->d_name);
        if (uuid_is_valid(id) && strcmp(e->d_name + UUID_SIZE - 1, ".json") == 0)
            f(arg, id);
    }
    if (dir != NULL)
        closedir(dir);
    free(path);
}

static char *files_path(const char *account_dir, const char *session_id)
{
    return str_printf("%s/adopted/%s.files", account_dir, session_id);
}

int adopted_note_files(const char *account_dir, const char *session_id, const struct strlist *names,
                       int is_more, struct ct_err *err)
{
    char *dir = path_join(account_dir, "adopted"), *path = files_path(account_dir, session_id);
    struct buf text = {0};
    int rc = path_make_private(account_dir, err);

    if (is_more)
        (void)file_read(path, FILES_MAX, &text, NULL);
    for (size_t i = 0; i < names->n; i++)
        buf_add(&text, names->v[i], strlen(names->v[i]) + 1);
    if (rc == 0)
        rc = path_make_private(dir, err);
    if (rc == 0)
        rc = file_replace(path, text.data != NULL ? text.data : "", text.len, 0600, err);
    buf_free(&text);
    free(path);
    free(dir);
    return rc;
}

int adopted_lacks(const char *account_dir, const char *session_id,
                  int (*is_there)(void *arg, const char *name), void *arg)
{
    char *path = files_path(account_dir, session_id);
    struct buf text = {0};
    int is_lacking = 0;

    if (file_read(path, FILES_MAX, &text, NULL) != 0)
        is_lacking = access(path, F_OK) == 0; /* who knows */
    else if (text.len > 0)
        is_lacking = text.data[text.len - 1] != '\0';
    for (size_t at = 0; at < text.len && !is_lacking; at += strlen(text.data + at) + 1)
        is_lacking = !is_there(arg, text.data + at);
    buf_free(&text);
    free(path);
    return is_lacking;
}

void adopted_forget(const char *account_dir, const char *session_id)
{
    char *path = path_of(account_dir, session_id), *files = files_path(account_dir, session_id);

    unlink(path);
    unlink(files);
    free(files);
    free(path);
}

static char *deleted_path(const char *account_dir, const char *session_id)
{
    return str_printf("%s/deleted/%s", account_dir, session_id);
}

int adopted_note_deleted(const char *account_dir, const char *session_id, struct ct_err *err)
{
    char *dir = path_join(account_dir, "deleted"), *path = deleted_path(account_dir, session_id);
    int rc = path_make_private(account_dir, err);

    if (rc == 0)
        rc = path_make_private(dir, err);
    if (rc == 0)
        rc = file_replace(path, "", 0, 0600, err);
    free(path);
    free(dir);
    return rc;
}

int adopted_take_deleted(const char *account_dir, const char *session_id)
{
    char *path = deleted_path(account_dir, session_id);
    int was_noted = unlink(path) == 0;

    free(path);
    return was_noted;
}
