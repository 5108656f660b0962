/*
 * Pack one session of a data folder, as the daemon would, and say what came of it.  For tests, the
 * bench and developers.
 *
 *   packone ROOT SESSION-ID FILE [--cache DIR] [--cache-bytes N] [--user-dir DIR] [--known ID]
 *           [--room N] [--previous BYTES DIGEST] [--seal KEYRING-FILE GENERATION]
 *   packone --list ROOT              ids of the sessions there, one a line
 */
#include <sys/resource.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/agent.h"
#include "bundle/pack/pack.h"
#include "bundle/pack/pack_meta.h"
#include "common/base/buf.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "common/config/keyring_file.h"
#include "common/base/strlist.h"

static void add_session(void *arg, const char *project, const char *name)
{
    struct agent_path place;
    char *path = str_printf("projects/%s/%s", project, name);

    agent_unnamed()->classify(path, &place);
    if (place.kind == AGENT_TRANSCRIPT)
        strlist_add(arg, place.session_id);
    free(path);
}

static void each_name(const char *path, void (*f)(void *arg, const char *path, const char *name),
                      void *arg, const char *name)
{
    DIR *d = opendir(path);
    const struct dirent *e;

    if (d == NULL)
        return;
    while ((e = readdir(d)) != NULL) {
        if (e->d_name[0] != '.')
            f(arg, name, e->d_name);
    }
    closedir(d);
}

struct projects {
    const char *root;
    struct strlist sessions;
};

static void add_project(void *arg, const char *unused, const char *name)
{
    struct projects *p = arg;
    char *path = str_printf("%s/projects/%s", p->root, name);

    (void)unused;
    each_name(path, add_session, &p->sessions, name);
    free(path);
}

static int list(const char *root)
{
    struct projects p = {root, {0}};
    char *path = str_printf("%s/projects", root);

    each_name(path, add_project, &p, NULL);
    strlist_sort(&p.sessions);
    for (size_t i = 0; i < p.sessions.n; i++)
        puts(p.sessions.v[i]);
    strlist_free(&p.sessions);
    free(path);
    return 0;
}

static void add_file(void *arg, const struct snapshot_file *file)
{
    json_object_array_add(arg, jdoc_new_str(file->path));
}

static void add_skipped(void *arg, const char *path, const char *reason)
{
    char *text = str_printf("%s: %s", path, reason);

    json_object_array_add(arg, jdoc_new_str(text));
    free(text);
}

static void add_duplicate(void *arg, const char *path)
{
    json_object_array_add(arg, jdoc_new_str(path));
}

static void add_usage(struct json_object *o)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    jdoc_set_int(o, "cpuMs",
                 (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
                     (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000);
    jdoc_set_int(o, "maxRssKb", (int64_t)u.ru_maxrss);
}

static void print(const struct snapshot *s, struct pack_result *r)
{
    struct json_object *o = json_object_new_object();
    struct json_object *files = json_object_new_array(), *skipped = json_object_new_array(),
                       *duplicates = json_object_new_array();
    char md5[2 * HASH_MD5_BYTES + 1], object[2 * SEAL_OBJECT_ID_BYTES + 1];

    hash_hex(r->md5, sizeof(r->md5), md5);
    jdoc_set_str(o, "contentId", r->content_id);
    jdoc_set_bool(o, "isSame", r->is_same);
    jdoc_set_int(o, "sizeBytes", r->size_bytes);
    hash_hex(r->object_id, sizeof(r->object_id), object);
    jdoc_set_str(o, "objectId", object);
    jdoc_set_int(o, "gzipBytes", r->gzip_bytes);
    jdoc_set_int(o, "rawBytes", r->raw_bytes);
    jdoc_set_int(o, "readBytes", r->read_bytes);
    jdoc_set_int(o, "reusedBytes", r->reused_bytes);
    jdoc_set_str(o, "sha256", r->sha256);
    jdoc_set_str(o, "md5", md5);
    jdoc_set_int(o, "transcriptBytes", r->transcript_bytes);
    jdoc_set_str(o, "transcriptDigest", r->transcript_digest);
    jdoc_set_bool(o, "isRewritten", r->is_rewritten);
    jdoc_set_str(o, "project", snapshot_project(s));
    snapshot_each_file(s, add_file, files);
    snapshot_each_skipped(s, add_skipped, skipped);
    snapshot_each_duplicate(s, add_duplicate, duplicates);
    json_object_object_add(o, "files", files);
    json_object_object_add(o, "skipped", skipped);
    json_object_object_add(o, "duplicates", duplicates);
    json_object_object_add(o, "public", pack_meta_public(r->metadata, 0));
    json_object_object_add(o, "metadata", json_object_get(r->metadata));
    add_usage(o);
    puts(jdoc_text(o));
    json_object_put(o);
}

static int pack(const struct snapshot_opts *take, const struct pack_opts *opts)
{
    struct snapshot *s;
    struct pack_result r;
    struct ct_err err = {0};
    int rc;

    if (snapshot_take(take, &s, &err) != 0) {
        fprintf(stderr, "snapshot: %s: %s\n", err_name(err.code), err.msg);
        return 1;
    }
    rc = pack_write(s, opts, &r, &err);
    if (rc != 0)
        fprintf(stderr, "pack: %s: %s\n", err_name(err.code), err.msg);
    else {
        print(s, &r);
        pack_result_clear(&r);
    }
    snapshot_free(s);
    return rc == 0 ? 0 : err.code == ERR_RETRY ? 75 : 1;
}

int main(int argc, char **argv)
{
    struct snapshot_opts take = {.user_dir = "/home/alice"};
    struct pack_opts opts = {.cache_bytes = INT64_C(1) << 30};
    struct keyring *ring = NULL;
    int rc;

    if (argc == 3 && strcmp(argv[1], "--list") == 0)
        return list(argv[2]);
    if (argc < 4) {
        fprintf(stderr, "usage: packone ROOT SESSION-ID FILE [OPTION...] | --list ROOT\n");
        return 64;
    }
    take.root = argv[1];
    take.session_id = argv[2];
    opts.spool_path = argv[3];
    for (int i = 4; i + 1 < argc; i += 2) {
        const char *value = argv[i + 1];
        if (strcmp(argv[i], "--cache") == 0) {
            opts.cache_dir = value;
        } else if (strcmp(argv[i], "--cache-bytes") == 0) {
            opts.cache_bytes = strtoll(value, NULL, 10);
        } else if (strcmp(argv[i], "--user-dir") == 0) {
            take.user_dir = value;
        } else if (strcmp(argv[i], "--known") == 0) {
            opts.known_id = value;
        } else if (strcmp(argv[i], "--room") == 0) {
            opts.spool_room_bytes = strtoll(value, NULL, 10);
        } else if (strcmp(argv[i], "--previous") == 0 && i + 2 < argc) {
            opts.previous_bytes = strtoll(value, NULL, 10);
            opts.previous_digest = argv[i + 2];
            i++;
        } else if (strcmp(argv[i], "--seal") == 0 && i + 2 < argc) {
            if (keyring_load(value, &ring, NULL) != 0)
                return 78;
            opts.key = keyring_current(ring);
            opts.generation = strtoll(argv[i + 2], NULL, 10);
            i++;
        }
    }
    rc = pack(&take, &opts);
    keyring_free(ring);
    return rc;
}
