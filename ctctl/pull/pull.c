#include <sys/stat.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "bundle/install/origin.h"
#include "bundle/open/working_files.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ctctl/cloud/download.h"
#include "ctctl/cloud/item.h"
#include "ctctl/here/target.h"
#include "ctctl/pull/pull_adopt.h"
#include "ctctl/pull/pull_lacking.h"

#include "ctctl/pull/pull.h"

/* ---- what is written down before it -----------------------------------------------------------
 */

struct adopting {
    struct ctx *c;
    const struct download *d; /* NULL: it did not come from the cloud */
    struct target *target;
    const struct agent *agent; /* whose it is, once that is known */
    int is_copy;
    char *root; /* where it goes, once it is known whose it is */
    enum trust trust;
};

static void note(void *arg, const struct agent_file *file)
{
    int *n = arg;

    (void)file;
    ++*n;
}

static void note_skipped(void *arg, const char *path, const char *reason)
{
    int *n = arg;

    (void)path;
    (void)reason;
    ++*n;
}

/* An id is one session's: of two agents with the same one only one could be saved. */
static int is_another_agents(struct ctx *c, const struct agent *agent, const char *session_id,
                             struct ct_err *err)
{
    static const struct agent_list_ops ops = {note, note_skipped};
    const struct agent *other;
    int n = 0;

    for (size_t i = 0; (other = agent_at(i)) != NULL; i++) {
        char *root = other != agent ? ctx_root(c, other, NULL) : NULL;
        int root_fd = root != NULL ? beneath_open_root(root) : -1;
        if (root_fd >= 0) {
            (void)other->list_transcripts(root_fd, session_id, &ops, &n, NULL, NULL);
            close(root_fd);
        }
        free(root);
        if (n > 0)
            break;
    }
    if (n == 0)
        return 0;
    err_set(err, ERR_CONFLICT,
            "session %.8s is here already, and is one of %s's; this one is of %s's. --as-copy "
            "gives it an id of its own",
            session_id, other->name, agent->name);
    snprintf(err->reason, sizeof(err->reason), "other_agent");
    return 1;
}

static const char *find_root(void *arg, const struct agent *agent, const char *session_id,
                             struct ct_err *err)
{
    struct adopting *ad = arg;

    ad->agent = agent;
    if (!ad->is_copy && is_another_agents(ad->c, agent, session_id, err))
        return NULL;
    free(ad->root);
    ad->root = ctx_root(ad->c, agent, err);
    ad->target->root = ad->root;
    return ad->root;
}

/* Does anything of it become part of what is here? */
static int is_taken(const struct install_result *r)
{
    return (r->outcome != INSTALL_SAME && r->outcome != INSTALL_KEPT) ||
           r->files_added + r->files_replaced > 0;
}

/* Whose it was is known for ever, or it is not installed. */
static int on_before_commit(void *arg, const struct install_result *r, struct ct_err *err)
{
    char key[ORIGIN_KEY_SIZE];
    const struct adopting *ad = arg;

    if (is_taken(r) && ad->trust != TRUST_OWN &&
        origin_note(ad->c->config->state_dir, ad->root,
                    origin_key(r->agent->id, r->session_id, key), ad->trust, &r->begins, err) != 0)
        return -1;
    if (ad->d != NULL)
        pull_adopt(ad->c, ad->root, ad->d, r);
    return 0;
}

/* ---- */

enum trust pull_vouched_here(struct ctx *c, const struct agent *agent, const char *session_id)
{
    char key[ORIGIN_KEY_SIZE];
    enum trust noted;

    if (ctx_config(c, NULL) != 0)
        return TRUST_STRANGER;
    noted =
        origin_of(c->config->state_dir, &c->config->roots, origin_key(agent->id, session_id, key));
    return noted > TRUST_ACCOUNT && !ctx_is_sealing(c) ? TRUST_ACCOUNT : noted;
}

static enum trust on_here(void *arg, const char *session_id)
{
    const struct adopting *ad = arg;

    return pull_vouched_here(ad->c, ad->agent, session_id);
}

struct watching {
    const struct pull_opts *opts;
    const char *what;
};

static void on_progress(void *arg, int64_t done, int64_t total)
{
    const struct watching *w = arg;

    w->opts->progress(w->opts->progress_arg, w->what, done, total);
}

static int install(struct ctx *c, const char *bundle, const struct pull_opts *opts,
                   const struct unseal_opts *unseal, enum trust trust, struct adopting *adopting,
                   struct pull_result *ret, struct ct_err *err)
{
    struct watching w = {opts, "Installing"};
    struct target target = {
        .dir = opts->target_dir,
        .map = opts->map,
        .is_home_to_home = opts->is_home_to_home,
        .ask = opts->ask,
        .ask_arg = opts->ask_arg,
    };
    char *scratch;
    int rc;

    if (ctx_config(c, err) != 0)
        return -1;
    ret->trust = trust;
    adopting->target = &target;
    adopting->is_copy = opts->is_copy;
    scratch = path_join(c->config->state_dir, "downloads");
    const struct install_opts o = {
        .bundle = bundle,
        .session_id = adopting->d != NULL ? download_id(adopting->d) : NULL,
        .find_root = find_root,
        .find_root_arg = adopting,
        .home = path_home(),
        .scratch_dir = scratch,
        .unseal = *unseal,
        .trust = trust,
        .here = on_here,
        .here_arg = adopting,
        .is_forced = opts->is_forced,
        .is_merge = opts->is_merge,
        .may_merge = 1,
        .is_copy = opts->is_copy,
        .is_rehearsal = opts->is_rehearsal,
        .is_careful = adopting->d == NULL, /* who knows where it comes from */
        .with_memory = opts->with_memory,
        .with_file_history = opts->with_file_history,
        .is_profile = opts->is_profile,
        .is_shy = opts->is_shy,
        .keep_mode = opts->keep_mode,
        .mtime_ns = opts->mtime_ns,
        .progress = opts->progress != NULL ? on_progress : NULL,
        .progress_arg = &w,
        .choose = target_choose,
        .choose_arg = &target,
        .before_commit = opts->is_profile ? NULL : on_before_commit,
        .before_commit_arg = adopting,
    };
    if (opts->with_files != NULL && access(opts->with_files, F_OK) == 0) {
        free(scratch);
        return err_set(err, ERR_CONFLICT,
                       "there is something at %s already; --with-files wants a folder that is not "
                       "there yet, and makes it",
                       opts->with_files);
    }
    rc = install_run(&o, &ret->installed, err);
    ret->is_absent = target.is_absent;
    if (rc == 0 && opts->with_files != NULL && !opts->is_rehearsal)
        rc = working_files_take(bundle, unseal, ret->installed.source_cwd, opts->with_files,
                                &ret->working, err);
    if (rc == 0)
        pull_lacking(&ret->installed, adopting->root, &ret->lacking);
    free(scratch);
    free(adopting->root);
    adopting->root = NULL;
    return rc;
}

static int is_required(const struct ctx *c, const char *what, struct ct_err *err)
{
    if (c->config->encryption != CONFIG_ENCRYPTION_REQUIRE)
        return 0;
    err_set(err, ERR_REFUSED,
            "%s is not sealed, so anybody who came by it could have changed it, and encryption = "
            "\"require\" in codeteleportd.conf refuses that. To take it all the same, say "
            "encryption = \"on\" there for as long as that takes; on a machine that has the "
            "session, ctctl seal brings it there sealed",
            what);
    snprintf(err->reason, sizeof(err->reason), "%s", PULL_PLAIN);
    return -1;
}

/* Whatever the server called it when it was asked for: this is what it hands out. */
static int check_seal(struct ctx *c, const struct download *d, const struct pull_opts *opts,
                      struct ct_err *err)
{
    char what[64];

    if (d->is_sealed && d->facts.is_retired && !opts->is_plain) {
        err_set(err, ERR_REFUSED,
                "session %.8s is sealed with a key that somebody else may have, and was not there "
                "when that was retired. --plain means it all the same, as a stranger's",
                download_id(d));
        snprintf(err->reason, sizeof(err->reason), "%s", PULL_PLAIN);
        return -1;
    }
    if (d->is_sealed)
        return 0;
    if (!opts->is_plain && ctx_is_sealing(c)) {
        err_set(err, ERR_REFUSED,
                "the server hands out session %.8s in clear, and this device seals: whoever runs "
                "the server can have written it. --plain means it all the same, as a stranger's",
                download_id(d));
        snprintf(err->reason, sizeof(err->reason), "%s", PULL_PLAIN);
        return -1;
    }
    snprintf(what, sizeof(what), "session %.8s in the cloud", download_id(d));
    return is_required(c, what, err);
}

static int fetch(struct ctx *c, struct download *d, const struct pull_opts *opts,
                 struct pull_result *ret, struct ct_err *err)
{
    struct watching w = {opts, "Downloading"};
    int rc;

    if (opts->progress != NULL) {
        d->progress = on_progress;
        d->progress_arg = &w;
    }
    rc = download_fetch(c, d, err);
    ret->received = d->received;
    d->progress = NULL;
    return rc;
}

enum trust pull_vouched(struct ctx *c, const struct download *d)
{
    char key_id[KEY_ID_HEX];

    if (d->is_sealed) {
        /* The description may be by another key than the bundle. */
        hash_hex(d->header.key_id, KEY_ID_BYTES, key_id);
        return keyring_vouches(ctx_ring(c, NULL), key_id, strchr(d->answer.checksum, ':') + 1)
                   ? d->facts.origin
                   : TRUST_STRANGER;
    }
    return ctx_is_sealing(c) ? TRUST_STRANGER : TRUST_ACCOUNT;
}

int pull_session(struct ctx *c, const char *wire_id, const struct pull_opts *opts,
                 struct pull_result *ret, struct ct_err *err)
{
    struct download d;
    struct adopting adopting = {.c = c, .d = &d, .trust = TRUST_STRANGER};
    struct unseal_opts unseal;
    int rc, is_wanted;

    memset(ret, 0, sizeof(*ret));
    if (ctx_config(c, err) != 0 || download_look(c, wire_id, opts->version, &d, err) != 0)
        return -1;
    ret->version = d.answer.version;
    ret->size_bytes = d.answer.size_bytes;
    ret->is_sealed = d.is_sealed;
    rc = check_seal(c, &d, opts, err);
    if (rc == 0)
        rc = fetch(c, &d, opts, ret, err);
    if (rc != 0) {
        download_clear(&d, err->code != ERR_CORRUPT);
        return -1;
    }
    rc = download_unseal(c, &d, &unseal, err);
    adopting.trust = pull_vouched(c, &d);
    if (rc == 0)
        rc = install(c, d.path, opts, &unseal, adopting.trust, &adopting, ret, err);
    /* A rehearsal of a merge is followed by the deed. */
    is_wanted =
        rc != 0 ? err->code == ERR_CONFLICT || err->code == ERR_REFUSED || err->code == ERR_RETRY
                : opts->is_rehearsal && opts->is_merge;
    download_clear(&d, is_wanted);
    return rc;
}

static int look_at_file(struct ctx *c, const char *path, const struct pull_opts *opts,
                        struct pull_result *ret, struct unseal_opts *unseal, struct ct_err *err)
{
    unsigned char head[SEAL_HEADER_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    ssize_t n = 0;

    memset(unseal, 0, sizeof(*unseal));
    if (fd < 0)
        return err_sys(err, "can't open %s", path);
    if (fstat(fd, &st) == 0)
        ret->size_bytes = (int64_t)st.st_size;
    n = file_pread_all(fd, head, sizeof(head), 0);
    close(fd);
    ret->is_sealed = n > 0 && seal_is_sealed(head, (size_t)n);
    if (!ret->is_sealed)
        return opts->ours_of != NULL ? 0 : is_required(c, "this bundle", err);
    unseal->ring = ctx_ring(c, err);
    return unseal->ring != NULL ? 0 : -1;
}

int pull_file(struct ctx *c, const char *path, const struct pull_opts *opts,
              struct pull_result *ret, struct ct_err *err)
{
    char key[ORIGIN_KEY_SIZE];
    struct adopting adopting = {.c = c, .trust = TRUST_STRANGER};
    enum trust trust = TRUST_STRANGER;
    struct unseal_opts unseal;

    memset(ret, 0, sizeof(*ret));
    if (ctx_config(c, err) != 0 || look_at_file(c, path, opts, ret, &unseal, err) != 0)
        return -1;
    /* A stranger's, also one that is sealed: its description, which would say whose it was, is not
     * in the file.  What lay here was looked at when it came, and comes back as it was; whose it
     * is stays so, of a copy too. */
    if (opts->ours_of != NULL) {
        trust = TRUST_OWN;
        adopting.trust = origin_of(c->config->state_dir, &c->config->roots,
                                   origin_key(opts->ours_agent, opts->ours_of, key));
    }
    if (install(c, path, opts, &unseal, trust, &adopting, ret, err) != 0)
        return item_refused(err);
    return 0;
}

void pull_result_clear(struct pull_result *r)
{
    install_result_clear(&r->installed);
    heads_clear(&r->heads);
    json_object_put(r->unread);
    strlist_free(&r->lacking);
    strlist_free(&r->working);
    memset(r, 0, sizeof(*r));
}

/* ---- what to say of it -------------------------------------------------------------------------
 */

/* As a shell reads it back: bare if nothing in it is special. */
static char *quoted(const char *s)
{
    static const char bare[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_-./:@%+,=";
    struct buf b = {0};

    if (s[0] != '\0' && s[strspn(s, bare)] == '\0')
        return str_dup(s);
    buf_addc(&b, '\'');
    for (; *s != '\0'; s++) {
        if (*s == '\'')
            buf_addstr(&b, "'\\''");
        else
            buf_addc(&b, *s);
    }
    buf_addc(&b, '\'');
    return buf_steal(&b);
}

char *pull_command(const struct pull_result *r)
{
    char *dir = quoted(r->installed.cwd != NULL ? r->installed.cwd : ".");
    const struct agent *agent = r->installed.agent != NULL ? r->installed.agent : agent_unnamed();
    const char *at = strstr(agent->resume, "%s");
    char *own = agent->own_id != NULL && r->installed.path != NULL
                    ? agent->own_id(path_base(r->installed.path))
                    : NULL;
    char *command = str_printf("cd %s && %.*s%s%s", dir, (int)(at - agent->resume), agent->resume,
                               own != NULL ? own : r->installed.session_id, at + 2);

    free(own);
    free(dir);
    return command;
}

struct json_object *pull_json(const struct pull_result *r, int is_rehearsal)
{
    const struct install_result *in = &r->installed;
    struct json_object *o = json_object_new_object(), *left = json_object_new_array();
    struct json_object *lost = json_object_new_object(), *lacking = json_object_new_array(),
                       *working = json_object_new_array();
    char *command = pull_command(r);

    jdoc_set_str(o, "sessionId", in->session_id);
    jdoc_set_str(o, "agent", in->agent != NULL ? in->agent->id : NULL);
    jdoc_set_str(o, "outcome", install_outcome_name(in->outcome));
    jdoc_set_bool(o, "dryRun", is_rehearsal);
    if (r->version > 0)
        jdoc_set_int(o, "version", r->version);
    jdoc_set_str(o, "targetDir", in->cwd);
    jdoc_set_bool(o, "targetExists", !r->is_absent);
    jdoc_set_str(o, "project", in->project);
    jdoc_set_str(o, "sourceCwd", in->source_cwd);
    jdoc_set_str(o, "gitBranch",
                 in->git_branch != NULL && in->git_branch[0] != '\0' ? in->git_branch : NULL);
    jdoc_set_str(o, "command", command);
    jdoc_set_str(o, "backup", in->backup);
    jdoc_set_bool(o, "sealed", r->is_sealed);
    jdoc_set_str(o, "origin", trust_name(r->trust));
    jdoc_set_int(o, "sizeBytes", r->size_bytes);
    jdoc_set_int(o, "receivedBytes", r->received);
    jdoc_set_int(o, "filesAdded", in->files_added);
    jdoc_set_int(o, "filesReplaced", in->files_replaced);
    jdoc_set_int(o, "filesKept", in->files_kept);
    jdoc_set_int(o, "memoryKept", in->memory_kept);
    jdoc_set_int(o, "promptsAdded", in->prompts);
    if (in->outcome == INSTALL_MERGED) {
        jdoc_set_int(o, "messagesHere", (int64_t)in->messages_here);
        jdoc_set_int(o, "messagesThere", (int64_t)in->messages_there);
        jdoc_set_str(o, "active", in->united.is_ours_active ? "here" : "there");
        jdoc_set_int(o, "filesAside", in->files_aside);
    }
    jdoc_set_bool(o, "permissionModeReset", in->has_mode_reset);
    for (size_t i = 0; i + 1 < in->left_out.n; i += 2) {
        struct json_object *x = json_object_new_object();
        jdoc_set_str(x, "name", in->left_out.v[i]);
        jdoc_set_str(x, "reason", in->left_out.v[i + 1]);
        json_object_array_add(left, x);
    }
    json_object_object_add(o, "leftOut", left);
    for (size_t i = 0; i < r->working.n; i++)
        json_object_array_add(working, jdoc_new_str(r->working.v[i]));
    for (size_t i = 0; i < r->lacking.n; i++)
        json_object_array_add(lacking, json_object_new_string(r->lacking.v[i]));
    for (size_t i = 0; i < in->losses.n; i++)
        jdoc_set_int(lost, in->losses.v[i].name, in->losses.v[i].count);
    json_object_object_add(o, "leftOutWithin", lost);
    json_object_object_add(o, "lacking", lacking);
    json_object_object_add(o, "workingFiles", working);
    if (r->heads.n > 1)
        json_object_object_add(o, "heads", heads_json(&r->heads));
    if (r->unread != NULL)
        json_object_object_add(o, "unreadable", json_object_get(r->unread));
    free(command);
    return o;
}
