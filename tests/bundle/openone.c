/*
 * Open a bundle and extract it, and say what came of it as JSON.  For tests, the bench and
 * developers.
 *
 *   openone BUNDLE [--stage DIR] [--id ID] [--trust own|account|stranger] [--with-memory]
 *           [--with-file-history] [--keep-mode]
 * [--max-bytes N]
 *           [--cwd SOURCE TARGET] [--home SOURCE TARGET]
 *           [--keyring FILE] [--sealed] [--object HEX] [--generation N] [--gzip-bytes N]
 *   openone --relocate [--cwd SOURCE TARGET] [--home SOURCE TARGET]     from stdin to stdout
 *
 * Without --stage nothing is written.  --home TARGET and --cwd TARGET with "-" for SOURCE take what
 * meta.json says.  Exit status: 0, or 1 with {"code":...,"error":...}.
 */
#include <sys/resource.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle/open/open.h"
#include "common/base/file.h"
#include "common/data/jdoc.h"
#include "common/config/keyring_file.h"
#include "common/base/str.h"

struct args {
    const char *bundle, *stage;
    struct open_opts opts;
    struct relocation_roots roots;
    struct keyring *ring;
    unsigned char object[SEAL_OBJECT_ID_BYTES];
    int is_filter;
};

static int fail(const struct ct_err *err)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "code", err_name(err->code));
    jdoc_set_str(o, "error", err->msg);
    jdoc_set_str(o, "reason", err->reason);
    puts(jdoc_text(o));
    json_object_put(o);
    return 1;
}

static int write_out(void *arg, const void *p, size_t n, struct ct_err *err)
{
    (void)arg;
    return file_write_all(STDOUT_FILENO, p, n) == 0 ? 0 : err_sys(err, "can't write");
}

static int filter(const struct relocation *r, struct ct_err *err)
{
    struct relocator *t = relocator_new(r, write_out, NULL);
    static char buffer[128 << 10];
    ssize_t n;
    int rc = 0;

    while (rc == 0 && (n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
        rc = relocator_feed(t, buffer, (size_t)n, err);
    if (rc == 0)
        rc = relocator_end(t, err);
    relocator_free(t);
    return rc;
}

static struct json_object *entry(const struct open_entry *e)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "name", e->name);
    jdoc_set_int(o, "sizeBytes", e->size_bytes);
    jdoc_set_int(o, "stageBytes", e->stage_bytes);
    return o;
}

static void print(const struct meta *m, const struct open_result *r)
{
    struct json_object *o = json_object_new_object(), *entries = json_object_new_array(),
                       *left_out = json_object_new_object(), *losses = json_object_new_object();
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    jdoc_set_str(o, "sessionId", m->session_id);
    jdoc_set_str(o, "sourceCwd", m->source_cwd);
    jdoc_set_str(o, "sourceUserDir", m->source_user_dir);
    jdoc_set_str(o, "gitBranch", m->git_branch);
    jdoc_set_str(o, "saidContentId", m->content_id);
    jdoc_set_str(o, "contentId", r->content_id);
    jdoc_set_int(o, "rawBytes", r->raw_bytes);
    jdoc_set_bool(o, "hasModeReset", r->has_mode_reset);
    for (size_t i = 0; i < r->n; i++)
        json_object_array_add(entries, entry(&r->entries[i]));
    for (size_t i = 0; i + 1 < r->left_out.n; i += 2)
        jdoc_set_str(left_out, r->left_out.v[i], r->left_out.v[i + 1]);
    for (size_t i = 0; i < r->losses.n; i++)
        jdoc_set_int(losses, r->losses.v[i].name, r->losses.v[i].count);
    json_object_object_add(o, "entries", entries);
    json_object_object_add(o, "leftOut", left_out);
    json_object_object_add(o, "losses", losses);
    jdoc_set_int(o, "maxRssKb", (int64_t)u.ru_maxrss);
    puts(jdoc_text(o));
    json_object_put(o);
}

static int open_one(struct args *a)
{
    const struct meta *m;
    struct relocation *relocation = NULL;
    struct open_result r = {0};
    struct ct_err err = {0};
    struct opener *o;
    int rc;

    if (opener_new(a->bundle, &a->opts, &o, &err) != 0)
        return fail(&err);
    m = opener_meta(o);
    if (a->roots.source_cwd != NULL && strcmp(a->roots.source_cwd, "-") == 0)
        a->roots.source_cwd = m->source_cwd;
    if (a->roots.source_home != NULL && strcmp(a->roots.source_home, "-") == 0)
        a->roots.source_home = m->source_user_dir;
    rc = relocation_new(&a->roots, &relocation, &err);
    if (rc == 0)
        rc = opener_extract(o, a->stage, relocation, &r, &err);
    if (rc == 0)
        print(m, &r);
    else
        fail(&err);
    if (rc == 0)
        open_result_free(&r);
    relocation_free(relocation);
    opener_free(o);
    return rc == 0 ? 0 : 1;
}

static int parse_seal(const char *s, const char *value, struct args *a)
{
    struct unseal_opts *u = &a->opts.unseal;

    if (strcmp(s, "--sealed") == 0) {
        u->must_be_sealed = 1;
        return 1;
    }
    if (value == NULL)
        return 0;
    if (strcmp(s, "--keyring") == 0) {
        if (keyring_load(value, &a->ring, NULL) != 0)
            return 0;
        u->ring = a->ring;
    } else if (strcmp(s, "--object") == 0) {
        u->object_id = a->object;
        return hash_unhex(value, a->object, sizeof(a->object)) == 0;
    } else if (strcmp(s, "--generation") == 0) {
        u->generation = strtoll(value, NULL, 10);
    } else if (strcmp(s, "--gzip-bytes") == 0) {
        u->gzip_bytes = strtoll(value, NULL, 10);
    } else {
        return 0;
    }
    return 1;
}

static int parse_trust(const char *word, enum trust *ret)
{
    static const char *const words[] = {
        [TRUST_STRANGER] = "stranger", [TRUST_ACCOUNT] = "account", [TRUST_OWN] = "own"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(word, words[i]) == 0) {
            *ret = (enum trust)i;
            return 0;
        }
    }
    return -1;
}

static int parse(int argc, char **argv, struct args *a)
{
    for (int i = 1; i < argc; i++) {
        const char *s = argv[i];
        int left = argc - 1 - i;
        if (strcmp(s, "--relocate") == 0) {
            a->is_filter = 1;
        } else if (strcmp(s, "--trust") == 0 && left >= 1) {
            if (parse_trust(argv[++i], &a->opts.trust) != 0)
                return -1;
        } else if (strcmp(s, "--with-memory") == 0) {
            a->opts.with_memory = 1;
        } else if (strcmp(s, "--with-file-history") == 0) {
            a->opts.with_file_history = 1;
        } else if (strcmp(s, "--keep-mode") == 0) {
            a->opts.keep_mode = 1;
        } else if (strcmp(s, "--stage") == 0 && left >= 1) {
            a->stage = argv[++i];
        } else if (strncmp(s, "--", 2) == 0 && parse_seal(s, left >= 1 ? argv[i + 1] : NULL, a)) {
            i += strcmp(s, "--sealed") != 0;
        } else if (strcmp(s, "--id") == 0 && left >= 1) {
            a->opts.session_id = argv[++i];
        } else if (strcmp(s, "--max-bytes") == 0 && left >= 1) {
            a->opts.max_bytes = strtoll(argv[++i], NULL, 10);
        } else if (strcmp(s, "--cwd") == 0 && left >= 2) {
            a->roots.source_cwd = argv[++i];
            a->roots.target_cwd = argv[++i];
        } else if (strcmp(s, "--home") == 0 && left >= 2) {
            a->roots.source_home = argv[++i];
            a->roots.target_home = argv[++i];
        } else if (a->bundle == NULL && s[0] != '-') {
            a->bundle = s;
        } else {
            return -1;
        }
    }
    return a->is_filter || a->bundle != NULL ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct args a = {0};
    struct relocation *r;
    struct ct_err err = {0};
    int rc;

    if (parse(argc, argv, &a) != 0) {
        fprintf(stderr, "usage: openone BUNDLE [OPTION...] | --relocate [OPTION...]\n");
        return 64;
    }
    if (!a.is_filter) {
        rc = open_one(&a);
        keyring_free(a.ring);
        return rc;
    }
    if (relocation_new(&a.roots, &r, &err) != 0)
        return fail(&err);
    rc = filter(r, &err);
    relocation_free(r);
    return rc == 0 ? 0 : fail(&err);
}
