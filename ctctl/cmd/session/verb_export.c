#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/roots.h"
#include "bundle/install/local.h"
#include "bundle/open/open.h"
#include "bundle/pack/pack.h"
#include "bundle/pack/snapshot.h"
#include "bundle/open/source.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ctctl/cloud/download.h"
#include "ctctl/cloud/item.h"
#include "ctctl/pull/pull_say.h"
#include "ctctl/cloud/resolve.h"

#include "ctctl/ctx/verb.h"

#define WINDOW (256 << 10)
#define TRIES 3

struct exporting {
    const struct agent *agent; /* whose it is, of one that is here */
    const char *word;
    const char *file; /* "-": standard output */
    int64_t version;
    int is_local, is_forced, is_plain, is_sealed;

    char *id;
    int64_t size_bytes;
    char sha256[HASH_SHA256_HEX];
    int64_t from_version; /* 0: from this machine */
    int was_sealed;       /* in the cloud */
};

static int is_stdout(const struct exporting *x)
{
    return strcmp(x->file, "-") == 0;
}

static int copy(int from, int to, struct ct_err *err)
{
    char *p = str_calloc(WINDOW, 1);
    off_t at = 0;
    ssize_t n;
    int rc = 0;

    while (rc == 0 && (n = file_pread_all(from, p, WINDOW, at)) != 0) {
        rc = n < 0 ? -1 : file_write_all(to, p, (size_t)n);
        at += n;
    }
    free(p);
    return rc == 0 ? 0 : err_sys(err, "can't write the bundle");
}

/* Whole or not at all. */
static int put_file(const struct exporting *x, int from, struct ct_err *err)
{
    char *tmp = str_printf("%s.XXXXXX", x->file);
    int fd = mkostemp(tmp, O_CLOEXEC), rc;

    if (fd < 0) {
        rc = err_sys(err, "can't make a file beside %s", x->file);
        free(tmp);
        return rc;
    }
    rc = copy(from, fd, err);
    if (rc == 0 && file_sync(fd) != 0)
        rc = err_sys(err, "can't write %s", tmp);
    close(fd);
    if (rc == 0 && rename(tmp, x->file) != 0)
        rc = err_sys(err, "can't rename %s to %s", tmp, x->file);
    if (rc != 0)
        unlink(tmp);
    free(tmp);
    return rc;
}

static int put(const struct exporting *x, int from, struct ct_err *err)
{
    return is_stdout(x) ? copy(from, STDOUT_FILENO, err) : put_file(x, from, err);
}

/* ---- from this machine -------------------------------------------------------------------------
 */

static int pack(const struct exporting *x, const char *root, const char *path,
                struct pack_result *ret, struct ct_err *err)
{
    const struct snapshot_opts so = {
        .root = root, .agent = x->agent, .session_id = x->id, .user_dir = path_home()};
    const struct pack_opts po = {.spool_path = path};
    struct snapshot *s;
    int rc = -1;

    for (int i = 0; i < TRIES && rc != 0; i++) {
        if (snapshot_take(&so, &s, err) != 0)
            return -1;
        rc = pack_write(s, &po, ret, err);
        snapshot_free(s);
        if (rc != 0 && err->code != ERR_RETRY)
            return -1;
    }
    return rc;
}

static int find_in(struct exporting *x, const struct agent *agent, const char *root)
{
    struct strlist ids = {0};
    int n = 0;

    local_list(agent, root, &ids);
    for (size_t i = 0; i < ids.n; i++) {
        if (strncmp(ids.v[i], x->word, strlen(x->word)) != 0)
            continue;
        free(x->id);
        x->id = str_dup(ids.v[i]);
        x->agent = agent;
        n++;
    }
    strlist_free(&ids);
    return n;
}

/* In the data folder of each agent that is saved. */
static int find_local(struct ctx *c, struct exporting *x, char **ret_root, struct ct_err *err)
{
    const struct agent *before = NULL;
    int n = 0;

    free(x->id);
    x->id = NULL;
    for (size_t i = 0; i < c->config->roots.n; i++) {
        const struct agent *agent = roots_agent(c->config, i);
        char *root = agent != before ? ctx_root(c, agent, err) : NULL;
        int found = root != NULL ? find_in(x, agent, root) : 0;
        before = agent;
        if (found == 0) {
            free(root);
            continue;
        }
        free(*ret_root);
        *ret_root = root;
        n += found;
    }
    if (n == 1)
        return 0;
    if (n == 0)
        return err_set(err, ERR_GONE,
                       "no session on this machine begins with \"%s\"; see: ctctl list", x->word);
    return err_set(err, ERR_CONFLICT, "several sessions begin with \"%s\"; give more of the ID",
                   x->word);
}

static int export_local(struct ctx *c, struct exporting *x, struct ct_err *err)
{
    char *root = NULL, *dir = NULL, *path = NULL;
    struct pack_result r = {0};
    int fd = -1, rc = -1;

    if (ctx_config(c, err) != 0 || find_local(c, x, &root, err) != 0)
        goto done;
    dir = path_join(c->config->state_dir, "downloads");
    path = str_printf("%s/export-%d.part", dir, (int)getpid());
    if (path_make_private(dir, err) != 0 || pack(x, root, path, &r, err) != 0)
        goto done;
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    rc = fd < 0 ? err_sys(err, "can't open %s", path) : put(x, fd, err);
    if (fd >= 0)
        close(fd);
    unlink(path);
    x->size_bytes = r.size_bytes;
    memcpy(x->sha256, r.sha256, sizeof(x->sha256));
    x->from_version = 0;
done:
    pack_result_clear(&r);
    free(path);
    free(dir);
    free(root);
    return rc;
}

/* ---- from the cloud ----------------------------------------------------------------------------
 */

static void on_progress(void *arg, int64_t done, int64_t total)
{
    struct pull_opts *o = arg;

    o->progress(o->progress_arg, "Downloading", done, total);
}

/* Everything of it is checked before a byte is written, as if it were to be installed. */
static int check_bundle(const struct download *d, const struct unseal_opts *unseal,
                        struct ct_err *err)
{
    const struct open_opts opts = {
        .session_id = download_id(d),
        .trust = d->is_sealed ? TRUST_OWN : TRUST_STRANGER,
        .with_memory = 1,
        .unseal = *unseal,
    };
    struct open_result opened;
    struct opener *opener;
    int rc;

    if (opener_new(d->path, &opts, &opener, err) != 0)
        return item_refused(err);
    rc = opener_extract(opener, NULL, NULL, &opened, err);
    if (rc == 0)
        open_result_free(&opened);
    opener_free(opener);
    return rc;
}

/* The bundle as it was before it was padded and sealed. */
static int unseal_to(int fd, const struct download *d, const struct unseal_opts *unseal,
                     struct exporting *x, struct ct_err *err)
{
    struct source *source = source_new(d->fd, unseal);
    int64_t left = unseal->gzip_bytes > 0 ? unseal->gzip_bytes : INT64_MAX;
    struct hash *h = hash_new(HASH_SHA256);
    const void *p;
    int n;

    x->size_bytes = 0;
    while ((n = source_next(source, &p, err)) > 0) {
        size_t take = n < left ? (size_t)n : (size_t)left;
        if (file_write_all(fd, p, take) != 0) {
            n = err_sys(err, "can't write the bundle");
            break;
        }
        hash_update(h, p, take);
        x->size_bytes += (int64_t)take;
        left -= (int64_t)take;
    }
    hash_final_hex(h, x->sha256);
    source_free(source);
    return n;
}

static int put_unsealed(const struct download *d, const struct unseal_opts *unseal,
                        struct exporting *x, struct ct_err *err)
{
    char *path = str_printf("%s/export-%d.part", d->dir, (int)getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600), rc;

    if (fd < 0) {
        rc = err_sys(err, "can't make a file in %s", d->dir);
    } else {
        unlink(path);
        rc = unseal_to(fd, d, unseal, x, err);
        if (rc == 0)
            rc = put(x, fd, err);
        close(fd);
    }
    free(path);
    return rc;
}

static int put_download(struct ctx *c, const struct download *d, struct exporting *x,
                        struct ct_err *err)
{
    struct unseal_opts unseal;

    if (!d->is_sealed)
        return put(x, d->fd, err);
    if (download_unseal(c, d, &unseal, err) != 0 || check_bundle(d, &unseal, err) != 0)
        return -1;
    return x->is_sealed ? put(x, d->fd, err) : put_unsealed(d, &unseal, x, err);
}

static int fetch(struct ctx *c, struct download *d, struct ct_err *err)
{
    struct pull_opts o = {0};
    struct pull_front front;
    int rc;

    pull_say_begin(&front, c, &o);
    d->progress = on_progress;
    d->progress_arg = &o;
    rc = download_fetch(c, d, err);
    pull_say_end(&front);
    return rc;
}

static int export_wire(struct ctx *c, const char *wire_id, struct exporting *x, struct ct_err *err)
{
    struct download d;
    int rc;

    if (download_look(c, wire_id, x->version, &d, err) != 0)
        return resolve_gone(c, err);
    x->size_bytes = d.answer.size_bytes;
    memcpy(x->sha256, strchr(d.answer.checksum, ':') + 1, sizeof(x->sha256));
    x->from_version = d.answer.version;
    x->was_sealed = d.is_sealed;
    if (x->is_sealed && !d.is_sealed)
        rc = err_set(err, ERR_REFUSED,
                     "session %.8s is in the cloud in clear; --sealed keeps only what is sealed",
                     download_id(&d));
    else
        rc = fetch(c, &d, err);
    if (rc == 0)
        rc = put_download(c, &d, x, err);
    download_clear(&d, rc != 0 && err->code == ERR_RETRY);
    return rc;
}

static int export_cloud(struct ctx *c, struct exporting *x, struct ct_err *err)
{
    struct resolved w;
    int rc;

    if (resolve_session(c, x->word, x->is_plain, &w, err) != 0)
        return -1;
    x->id = str_dup(w.id);
    rc = export_wire(c, w.wire_id, x, err);
    resolve_clear(&w);
    return rc;
}

/* ---- */

static void say(struct ctx *c, const struct exporting *x)
{
    struct json_object *o;
    char size[24];

    if (!c->json) {
        str_human_bytes((unsigned long long)x->size_bytes, size, sizeof(size));
        if (x->from_version > 0)
            ctx_say(c, "exported version %" PRId64 " of session %.8s (%s%s)", x->from_version,
                    x->id, size,
                    !x->was_sealed ? ""
                    : x->is_sealed ? ", sealed"
                                   : ", in clear: whoever has the file can read it; --sealed "
                                     "keeps it sealed");
        else
            ctx_say(c, "exported session %.8s as it is on this machine (%s)", x->id, size);
        return;
    }
    o = json_object_new_object();
    jdoc_set_str(o, "sessionId", x->id);
    jdoc_set_str(o, "file", x->file);
    jdoc_set_str(o, "from", x->from_version > 0 ? "cloud" : "local");
    if (x->from_version > 0)
        jdoc_set_int(o, "version", x->from_version);
    jdoc_set_bool(o, "sealed", x->is_sealed);
    jdoc_set_int(o, "sizeBytes", x->size_bytes);
    jdoc_set_str(o, "sha256", x->sha256);
    ctx_json(c, o);
    json_object_put(o);
}

static int export(struct ctx *c, struct exporting *x)
{
    struct ct_err e;
    int rc = -1;

    if (!x->is_local)
        rc = export_cloud(c, x, &e);
    /* A session that no server has, or nobody is logged in: this machine has it, maybe. */
    if (x->is_local || (rc != 0 && x->version == 0 && !x->is_plain && !x->is_sealed &&
                        (e.code == ERR_GONE || e.code == ERR_AUTH))) {
        struct ct_err local;
        rc = export_local(c, x, &local);
        if (rc != 0 && (x->is_local || local.code != ERR_GONE))
            e = local;
    }
    if (rc == 0)
        say(c, x);
    free(x->id);
    return rc == 0 ? CTX_OK : ctx_fail(c, &e);
}

static int check(struct ctx *c, const struct exporting *x, size_t words)
{
    struct stat st;

    if (words != 1)
        return ctx_usage(c, "export wants the ID of one session");
    if (x->file == NULL)
        return ctx_usage(c, "export wants -o FILE (or -o - for standard output)");
    if (is_stdout(x) && (c->json || isatty(STDOUT_FILENO)))
        return ctx_usage(c, "the bundle would go to standard output, which is %s",
                         c->json ? "for the JSON document" : "a terminal");
    if (x->is_local && (x->version > 0 || x->is_plain || x->is_sealed))
        return ctx_usage(c, "--version, --plain and --sealed are of the cloud, --local of this "
                            "machine");
    if (x->is_plain && x->is_sealed)
        return ctx_usage(c, "what was uploaded in clear (--plain) is not sealed (--sealed)");
    if (!is_stdout(x) && !x->is_forced && stat(x->file, &st) == 0) {
        ctx_say(c, "%s exists already; say --force to replace it", x->file);
        return CTX_FAILED;
    }
    return CTX_OK;
}

static int run(struct ctx *c, int argc, char **argv)
{
    static char output[] = "--output";
    struct exporting x = {0};
    struct strlist words = {0};
    const struct opt opts[] = {
        {"output", OPT_STRING, &x.file},  {"version", OPT_NUMBER, &x.version},
        {"local", OPT_FLAG, &x.is_local}, {"force", OPT_FLAG, &x.is_forced},
        {"plain", OPT_FLAG, &x.is_plain}, {"sealed", OPT_FLAG, &x.is_sealed},
    };
    char **args = str_calloc((size_t)argc + 1, sizeof(*args));
    int rc;

    for (int i = 0; i < argc; i++)
        args[i] = strcmp(argv[i], "-o") == 0 ? output : argv[i];
    rc = opts_parse(c, opts, sizeof(opts) / sizeof(opts[0]), argc, args, &words);
    if (rc == -1) {
        rc = check(c, &x, words.n);
        rc = rc == CTX_OK ? -1 : rc;
    }
    if (rc == -1) {
        x.word = words.v[0];
        rc = export(c, &x);
    }
    strlist_free(&words);
    free(args);
    return rc;
}

const struct verb verb_export = {
    "export",
    "ID -o FILE [--version N] [--sealed] [--plain] [--local] [--force]",
    "write a session's bundle into a file",
    "The file holds what the cloud has, to the byte; import installs it on any machine. What\n"
    "is sealed in the cloud is in clear in the file, unless --sealed is given. A session\n"
    "that is not in the cloud is bundled from this machine.\n"
    "\n"
    "  -o FILE      where to; - is standard output\n"
    "  --version N  an older version\n"
    "  --sealed     keep it sealed: only devices with the key can import it\n"
    "  --plain      what was uploaded in clear of a session that is there sealed too\n"
    "  --local      as it is on this machine, without asking the cloud\n"
    "  --force      replace FILE if it is there\n",
    run,
    "ctctl export 29221bf7 -o talk.tar.gz            # into a file\n"
    "ctctl export 29221bf7 -o - | ssh other ctctl import -  # to another machine\n",
};
