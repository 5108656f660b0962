#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "bundle/install/adopted.h"

#define RECORD_MAX 4096

static char *path_of(const char *account_dir, const char *session_id)
{
    return str_printf("%s/adopted/%s.json", account_dir, session_id);
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
        is_good = id != NULL && strcmp(id, session_id) == 0 && a.version > 0 && a.size_bytes >= 0 &&
                  a.transcript_bytes >= 0 && take_seal(o, &a) == 0 &&
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

void adopted_forget(const char *account_dir, const char *session_id)
{
    char *path = path_of(account_dir, session_id);

    unlink(path);
    free(path);
}
