#include <sys/stat.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/now.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ctctl/ui/term.h"

#include "ctctl/pull/pull_say.h"

#define NAMES_SHOWN 5
#define LOSSES_SHOWN 6

/* ---- progress and questions --------------------------------------------------------------------
 */

static void on_progress(void *arg, const char *what, int64_t done, int64_t total)
{
    struct pull_front *f = arg;

    if (f->what == NULL || (f->of == 0 && strcmp(f->what, what) != 0)) {
        progress_free(f->progress);
        f->progress = progress_new(&f->c->err, what, now_mono_ms());
        f->what = what;
    }
    done += f->before_bytes;
    progress_of(f->progress, f->n, f->of);
    progress_to(f->progress, done, done > f->all_bytes ? total + f->before_bytes : f->all_bytes,
                now_mono_ms());
}

static char *on_ask(void *arg, const char *source_cwd)
{
    struct pull_front *f = arg;
    char *clean = text_clean(&f->c->err, source_cwd), *prompt, *dir = NULL;
    char answer[4096];
    struct stat st;

    if (f->progress != NULL)
        progress_pause(f->progress);
    prompt = str_printf("Which folder on this machine is the project %s? ", clean);
    while (term_ask(prompt, 0, answer, sizeof(answer), NULL) == 0 && answer[0] != '\0') {
        dir = path_expand(answer);
        if (stat(dir, &st) == 0 && S_ISDIR(st.st_mode))
            break;
        ctx_say(f->c, "there is no folder %s", dir);
        free(dir);
        dir = NULL;
    }
    free(prompt);
    free(clean);
    return dir;
}

void pull_say_begin(struct pull_front *f, struct ctx *c, struct pull_opts *ret)
{
    memset(f, 0, sizeof(*f));
    f->c = c;
    ret->progress = on_progress;
    ret->progress_arg = f;
    if (term_is_interactive() && !ret->is_home_to_home) {
        ret->ask = on_ask;
        ret->ask_arg = f;
    }
}

void pull_say_end(struct pull_front *f)
{
    progress_free(f->progress);
    f->progress = NULL;
}

/* ---- what came of it ---------------------------------------------------------------------------
 */

static const char *sentence(const struct pull_result *r, int is_rehearsal)
{
    switch (r->installed.outcome) {
    case INSTALL_NEW:
        return is_rehearsal ? "Would install" : "Installed";
    case INSTALL_UPDATED:
        return is_rehearsal ? "Would update" : "Updated";
    case INSTALL_SAME:
        return heads_has_more(&r->heads) ? "Nothing new in" : "Already here:";
    case INSTALL_KEPT:
        return "Kept as it is here, for it has more:";
    case INSTALL_FORCED:
        return is_rehearsal ? "Would replace" : "Replaced";
    case INSTALL_COPY:
        return is_rehearsal ? "Would install a copy:" : "Installed a copy:";
    case INSTALL_MERGED:
        return is_rehearsal ? "Would merge into" : "Merged into";
    }
    return "";
}

/* Modes, queues, counts and the like, which an agent writes anew: nobody misses them, and --json
 * names them all the same. */
static int is_missed(const struct losses *l, size_t i)
{
    return l->is_news ||
           (strncmp(l->v[i].name, "record ", 7) != 0 && strncmp(l->v[i].name, "member ", 7) != 0);
}

/* Counted by name, in a line; of one's own account only what somebody could miss. */
static void say_losses(const struct ctx *c, const struct losses *l, enum trust trust)
{
    struct buf b = {0};
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        if (trust != TRUST_STRANGER && !is_missed(l, i))
            continue;
        if (n++ < LOSSES_SHOWN)
            buf_printf(&b, "%s%" PRId64 " x %s", n > 1 ? ", " : "", l->v[i].count, l->v[i].name);
    }
    if (n > LOSSES_SHOWN)
        buf_printf(&b, " and %zu more kinds (--json names them)", n - LOSSES_SHOWN);
    if (n > 0)
        ctx_say(c, "left out within it: %s", b.data);
    buf_free(&b);
}

static void say_lacking(struct ctx *c, const struct strlist *lacking)
{
    struct buf b = {0};

    for (size_t i = 0; i < lacking->n; i++)
        buf_printf(&b, "%s%s", i > 0 ? ", " : "", lacking->v[i]);
    if (b.len > 0)
        ctx_say(c, "it used %s, which this machine has no file for", b.data);
    buf_free(&b);
}

static void say_obstacle(struct ctx *c, const struct install_result *in)
{
    char *root = in->agent != NULL && in->agent->obstacle != NULL && in->path != NULL
                     ? ctx_root(c, in->agent, NULL)
                     : NULL;
    char *said = root != NULL ? in->agent->obstacle(root, in->session_id, in->path) : NULL;

    if (said != NULL)
        ctx_say(c, "%s", said);
    free(said);
    free(root);
}

/* An agent that removes sessions by the time of their last words may remove this one soon. */
static void say_cleanup(struct ctx *c, const struct agent *agent)
{
    char *root = agent != NULL && agent->keep_setting != NULL ? ctx_root(c, agent, NULL) : NULL;
    int is_said, days = root != NULL ? agent->cleanup_days(root, &is_said) : -1;

    if (days >= 0 && days < AGENT_DAYS_MAX)
        ctx_say(c,
                "%s removes a session %d days after its last message, whenever it was pulled; to "
                "keep it, set %s",
                agent->name, days, agent->keep_setting);
    free(root);
}

static void say_details(struct ctx *c, const struct pull_result *r, const char *with_files)
{
    const struct install_result *in = &r->installed;
    size_t n = in->left_out.n / 2;
    char *command;

    if (in->backup != NULL)
        ctx_say(c, "what was here before is kept; to have it back: ctctl backups restore %s",
                strrchr(in->backup, '-') + 1);
    if (in->files_aside > 0)
        ctx_say(c, "what both sides have, each in another form, is kept in %" PRId64 " more files",
                in->files_aside);
    if (in->has_mode_reset && in->outcome != INSTALL_SAME && in->outcome != INSTALL_KEPT)
        ctx_say(c, "the session's permission mode is set back to default here");
    if (in->memory_kept > 0)
        ctx_say(c, "%" PRId64 " files of project memory are another here and stayed as they are",
                in->memory_kept);
    for (size_t i = 0; i < n && i < NAMES_SHOWN; i++)
        if (r->working.n == 0 || strcmp(in->left_out.v[2 * i + 1], OPEN_WORKING_FILE) != 0)
            ctx_say(c, "left out: %s (%s)", in->left_out.v[2 * i], in->left_out.v[2 * i + 1]);
    if (n > NAMES_SHOWN)
        ctx_say(c, "... and %zu more", n - NAMES_SHOWN);
    if (r->working.n > 0)
        ctx_say(c, "%zu working files are in %s", r->working.n, with_files);
    else if (with_files != NULL)
        ctx_say(c, "there are no working files in it; %s was not made", with_files);
    say_losses(c, &in->losses, r->trust);
    say_lacking(c, &r->lacking);
    if (r->trust == TRUST_STRANGER && in->outcome != INSTALL_SAME && in->outcome != INSTALL_KEPT)
        ctx_say(c, "nobody vouches for this session: somebody else's words speak to the model as "
                   "yours. Read it before you go on with it");
    if (in->outcome != INSTALL_KEPT)
        say_cleanup(c, in->agent);
    say_obstacle(c, in);
    if (r->is_absent) {
        command = pull_command(r);
        ctx_say(c, "the folder %s is not there yet: clone the project there, or make it; then: %s",
                in->cwd, command);
        free(command);
    }
}

static void print(struct ctx *c, const struct pull_result *r, int is_rehearsal)
{
    const struct install_result *in = &r->installed;
    struct buf b = {0};
    char size[24], *clean, *command;

    buf_printf(&b, "%s session %.8s", sentence(r, is_rehearsal), in->session_id);
    if (r->version > 0)
        buf_printf(&b, ", version %" PRId64, r->version);
    clean = text_clean(&c->out, in->cwd);
    buf_printf(&b, " (%s%s), in %s\n",
               str_human_bytes((unsigned long long)r->size_bytes, size, sizeof(size)),
               r->is_sealed ? ", sealed" : "", clean);
    free(clean);
    /* HEAD: no branch was checked out. */
    if (in->git_branch != NULL && in->git_branch[0] != '\0' &&
        strcmp(in->git_branch, "HEAD") != 0) {
        clean = text_clean(&c->out, in->git_branch);
        buf_printf(&b, "It was on the git branch %s\n", clean);
        free(clean);
    }
    /* Nobody pastes a cd that fails. */
    if (!is_rehearsal && !r->is_absent) {
        /* For a shell it stays what it is, to the byte. */
        command = pull_command(r);
        clean = c->out.is_terminal ? text_clean(&c->out, command) : str_dup(command);
        buf_printf(&b, "%s\n", clean);
        free(clean);
        free(command);
    }
    ctx_print(c, &b);
    buf_free(&b);
}

void pull_say_unread(struct ctx *c, const struct pull_result *r)
{
    size_t n = r->unread != NULL ? json_object_array_length(r->unread) : 0;

    for (size_t i = 0; i < n; i++) {
        const struct json_object *o = json_object_array_get_idx(r->unread, i);
        const char *device = jdoc_str(o, "device"), *at = jdoc_str(o, "createdAt");
        int64_t version = jdoc_int(o, "version", 0);
        char when[64] = "-";
        if (at != NULL)
            text_clock(at, "%Y-%m-%d %H:%M", when, sizeof(when));
        ctx_say(c,
                "version %" PRId64
                ", uploaded by %s on %s, can't be opened and was passed over: %s. "
                "If nobody of yours made it: ctctl delete %.8s --version %" PRId64
                ", and revoke the token: ctctl devices",
                version, device != NULL ? device : "an unknown machine", when, jdoc_str(o, "error"),
                r->installed.session_id, version);
    }
}

void pull_say(struct ctx *c, const struct pull_result *r, const struct pull_opts *opts)
{
    struct json_object *o;

    say_details(c, r, opts->with_files);
    pull_say_unread(c, r);
    if (!c->json) {
        print(c, r, opts->is_rehearsal);
        return;
    }
    o = pull_json(r, opts->is_rehearsal);
    ctx_json(c, o);
    json_object_put(o);
}

int pull_say_failure(struct ctx *c, const struct ct_err *err)
{
    int rc = ctx_fail(c, err);

    return strcmp(err->reason, "no_target") == 0 ? CTX_USAGE : rc;
}
