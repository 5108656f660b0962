#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "agents/linked.h"
#include "agents/unpack.h"
#include "agents/news.h"
#include "bundle/pack/content_id.h"
#include "bundle/format/entry.h"
#include "bundle/install/both.h"
#include "bundle/install/gather.h"
#include "bundle/install/git_root.h"
#include "bundle/install/plan.h"
#include "bundle/install/publish.h"
#include "bundle/install/renew.h"
#include "bundle/install/roots.h"
#include "bundle/install/stage.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "bundle/install/install.h"

#define WINDOW (256 << 10)

/* The installation of one bundle. */
struct installing {
    const struct install_opts *opts;
    struct install_result *r;
    struct opener *opener;
    const struct meta *meta;
    const char *root; /* the data folder */
    struct install_target target;
    struct stage stage;
    struct local local;
    enum trust here; /* who vouches for that */
    struct open_result opened;
    struct news *news; /* of the bundle's transcript */
    struct plan plan;
    struct strlist rests;    /* what goes beside its transcript: see rest_stage() */
    int is_thinner;          /* what came has less of records that are here */
    char *memory_project;    /* where its memory is kept here; NULL: where the session is */
    int is_memory_elsewhere; /* ... and that is neither there nor above */
};

const char *install_outcome_name(enum install_outcome o)
{
    switch (o) {
    case INSTALL_NEW:
        return "installed";
    case INSTALL_UPDATED:
        return "updated";
    case INSTALL_SAME:
        return "already-here";
    case INSTALL_KEPT:
        return "kept";
    case INSTALL_FORCED:
        return "forced";
    case INSTALL_COPY:
        return "copied";
    case INSTALL_MERGED:
        return "merged";
    }
    return "unknown";
}

/* ---- where -------------------------------------------------------------------------------------
 */

/* Asked before anything is locked: a person may take his time. */
static int choose(struct installing *in, struct ct_err *err)
{
    struct local local = {0};
    int root_fd = beneath_open_root(in->root), rc;

    if (root_fd < 0 && errno != ENOENT)
        return err_sys(err, "can't open the data folder %s", in->root);
    rc = local_find(in->opts->is_copy ? -1 : root_fd, in->meta->agent, in->meta->session_id, &local,
                    err);
    if (rc == 0)
        rc = in->opts->choose(in->opts->choose_arg, in->meta, &local, &in->target, err);
    if (rc == 0 && in->target.project == NULL)
        in->target.project = agent_project_in(in->meta->agent, in->root, in->target.cwd);
    local_clear(&local);
    if (root_fd >= 0)
        close(root_fd);
    return rc;
}

static int open_stage(struct installing *in, struct ct_err *err)
{
    if (!in->opts->is_rehearsal)
        return stage_open(in->root, &in->stage, err);
    if (stage_rehearse(in->opts->scratch_dir, &in->stage, err) != 0)
        return -1;
    in->stage.root_fd = beneath_open_root(in->root);
    return 0;
}

/* ---- what the bundle holds ---------------------------------------------------------------------
 */

/* A session that was moved goes on with the memory of where it began: that folder here, if that is
 * below the home folder; or NULL. */
static char *memory_elsewhere(const struct installing *in)
{
    const struct relocation_roots roots = {.source_home = in->meta->source_user_dir,
                                           .target_home = in->opts->home};
    struct relocation *home = NULL;
    char *here = NULL, *root;

    if (in->meta->memory_cwd == NULL || in->opts->trust == TRUST_STRANGER ||
        path_is_below(in->meta->source_cwd, in->meta->memory_cwd) ||
        relocation_new(&roots, &home, NULL) != 0)
        return NULL;
    here = relocation_path(home, in->meta->memory_cwd);
    relocation_free(home);
    if (here[0] == '/' && path_is_below(here, in->opts->home) &&
        path_is_below(in->meta->memory_cwd, in->meta->source_user_dir)) {
        root = git_root(here);
        if (root == NULL)
            return here;
        free(here);
        return root;
    }
    free(here);
    return NULL;
}

/* Claude Code keeps memory by git root.  Where there is no repository (yet), it goes as far above
 * the session's folder as it came from. */
static void find_memory(struct installing *in)
{
    char *cwd;

    cwd = in->meta->is_profile ? NULL : memory_elsewhere(in);
    in->is_memory_elsewhere = cwd != NULL;
    if (cwd == NULL && !in->meta->is_profile)
        cwd = git_root(in->target.cwd);
    if (cwd == NULL && in->meta->memory_cwd != NULL)
        cwd = path_above(in->target.cwd, in->meta->source_cwd, in->meta->memory_cwd);
    if (cwd != NULL && strcmp(cwd, in->target.cwd) != 0)
        in->memory_project = in->meta->agent->project_name(cwd);
    free(cwd);
}

static int extract(struct installing *in, struct ct_err *err)
{
    struct roots_target target = {
        .cwd = in->target.cwd,
        .home = in->opts->home,
        .root = in->root,
        .project = in->target.project,
    };
    struct relocation *relocation;
    int rc;

    find_memory(in);
    target.memory_project = in->memory_project;
    if (roots_new(in->meta, &target, &relocation, err) != 0)
        return -1;
    rc = opener_extract(in->opener, in->stage.dir, relocation, &in->opened, err);
    relocation_free(relocation);
    if (rc != 0)
        return -1;
    strlist_copy(&in->r->left_out, &in->opened.left_out);
    in->r->has_mode_reset = in->opened.has_mode_reset;
    in->r->losses = in->opened.losses;
    in->opened.losses = (struct losses){0};
    in->r->used = in->opened.used;
    in->opened.used = (struct losses){0};
    return 0;
}

/* Read every staged file once: for the content id, and the transcript for its records. */
static int read_entry(struct installing *in, struct content_id *id, const struct open_entry *e,
                      char *window, struct ct_err *err)
{
    int fd = openat(in->stage.fd, e->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int is_transcript = e->kind == AGENT_TRANSCRIPT;
    int64_t at = 0;
    ssize_t n;

    if (fd < 0)
        return err_sys(err, "can't read the stage");
    content_id_begin(id, e->name);
    while ((n = file_pread_all(fd, window, WINDOW, (off_t)at)) > 0) {
        content_id_feed(id, window, (size_t)n);
        if (is_transcript && in->news != NULL)
            news_feed(in->news, window, (size_t)n);
        at += n;
    }
    close(fd);
    if (is_transcript && in->news != NULL)
        news_end(in->news);
    content_id_file(id, is_transcript ? in->r->transcript_digest : NULL);
    if (is_transcript)
        in->r->transcript_bytes = at;
    return n < 0 ? err_sys(err, "can't read the stage") : 0;
}

/* What other transcripts had more counts as the session's too. */
static int read_others(struct installing *in, struct ct_err *err)
{
    for (size_t i = 0; i < in->opened.n; i++) {
        const struct open_entry *e = &in->opened.entries[i];
        int fd, rc;
        if (!entry_is_other(e->name))
            continue;
        fd = openat(in->stage.fd, e->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return err_sys(err, "can't read the stage");
        news_next(in->news);
        rc = news_feed_file(in->news, fd, e->stage_bytes, err);
        close(fd);
        if (rc != 0)
            return -1;
    }
    return 0;
}

static int read_stage(struct installing *in, struct ct_err *err)
{
    struct content_id *id = content_id_new();
    char *window = str_calloc(WINDOW, 1);
    int rc = 0;

    /* Nobody asks for the records of a session that is new here, but for what it begins with. */
    in->news = in->local.n > 0 ? news_new(in->meta->agent) : news_new_glance(in->meta->agent);
    for (size_t i = 0; rc == 0 && i < in->opened.n; i++)
        rc = read_entry(in, id, &in->opened.entries[i], window, err);
    if (rc == 0)
        rc = read_others(in, err);
    if (rc == 0)
        content_id_final(id, in->r->content_id);
    free(window);
    content_id_free(id);
    if (rc != 0)
        return -1;
    in->r->records = news_count(in->news);
    strlist_copy(&in->r->begins, news_begins(in->news));
    in->r->git_branch =
        str_dup(in->meta->git_branch != NULL ? in->meta->git_branch : news_git_branch(in->news));
    return 0;
}

/* ---- against what is here ----------------------------------------------------------------------
 */

static int diverged(const struct installing *in, struct ct_err *err)
{
    err_set(
        err, ERR_CONFLICT,
        "session %s has gone on here and elsewhere: %zu records are here, %zu in the bundle, and "
        "each side has some that the other lacks. %s--as-copy installs the other one beside it "
        "under a new id; --force replaces the one here, which is kept as a backup",
        in->r->session_id, in->r->local_records, in->r->records,
        in->meta->agent->unite != NULL && in->opts->may_merge ? "--merge makes one of both; " : "");
    snprintf(err->reason, sizeof(err->reason), "diverged");
    return -1;
}

static int live(const struct installing *in, struct ct_err *err)
{
    err_set(err, ERR_CONFLICT,
            "%s is running on session %s right now; leave it first (or --force, or "
            "--as-copy)",
            in->meta->agent->name, in->r->session_id);
    snprintf(err->reason, sizeof(err->reason), "live");
    return -1;
}

/* Does it lie in another project folder than it is to live in? */
static int is_elsewhere(const struct installing *in)
{
    return in->local.n > 0 && strcmp(in->local.copies[0].project, in->target.project) != 0;
}

/* Is somebody at work on what is to be replaced? */
static int is_in_use(const struct installing *in)
{
    enum install_outcome o = in->r->outcome;

    return ((o == INSTALL_UPDATED && !in->opts->is_forced) || o == INSTALL_MERGED) &&
           local_is_live(in->meta->agent, in->root, in->r->session_id);
}

/* It lies in the right folder, but no record of it is from there. */
static int is_just_moved(const struct installing *in)
{
    char *name = in->meta->agent->project_name(in->target.cwd);
    int is_so = strcmp(name, in->target.project) == 0 && news_cwd(in->local.news)[0] != '\0' &&
                news_project_cwd(in->local.news)[0] == '\0';

    free(name);
    return is_so;
}

/* Was somebody killed while he moved it?  Has it been left in parts?  That can wait while it is in
 * use. */
static int is_unfinished(const struct installing *in)
{
    struct strlist others = {0};
    int is_so;

    gather_find(in->meta->agent, in->stage.root_fd, in->r->session_id, in->target.project, &others);
    is_so = (others.n > 0 || is_just_moved(in)) &&
            !local_is_live(in->meta->agent, in->root, in->r->session_id);
    strlist_free(&others);
    return is_so;
}

static int no_tree(const struct installing *in, struct ct_err *err)
{
    return err_set(
        err, ERR_REFUSED,
        "%s keeps a session as one list without branches, so two that went on apart can't "
        "become one; --as-copy installs the other one beside it",
        in->meta->agent->name);
}

static int judge(struct installing *in, struct ct_err *err)
{
    struct install_result *r = in->r;
    enum news_order order;

    if (in->opts->is_copy) {
        r->outcome = INSTALL_COPY;
        return 0;
    }
    /* There is no session to make: what is missing comes in, what is here stays. */
    r->outcome = in->meta->is_profile ? INSTALL_SAME : INSTALL_NEW;
    if (in->local.n == 0 || in->meta->is_profile)
        return 0;
    r->local_records = news_count(in->local.news);
    r->messages_here = news_messages_lacking(in->news, in->local.news);
    r->messages_there = news_messages_lacking(in->local.news, in->news);
    order = news_compare(in->local.news, in->news);
    if (order == NEWS_SAME && news_compare_all(in->local.news, in->news) == NEWS_BEHIND)
        order = NEWS_BEHIND; /* a compaction, say */
    if (order == NEWS_SAME)
        r->outcome = is_elsewhere(in) || in->local.n > 1 || is_unfinished(in) ? INSTALL_UPDATED
                                                                              : INSTALL_SAME;
    else if (order == NEWS_BEHIND)
        r->outcome = INSTALL_UPDATED;
    else if (in->opts->is_forced)
        r->outcome = INSTALL_FORCED;
    else if (order == NEWS_AHEAD)
        r->outcome = INSTALL_KEPT;
    else if (!in->opts->is_merge)
        return diverged(in, err);
    else if (in->meta->agent->unite == NULL)
        return no_tree(in, err);
    else
        r->outcome = INSTALL_MERGED;
    return is_in_use(in) ? live(in, err) : 0;
}

/* A session that stays as it is stays where it is. */
static void stay(struct installing *in)
{
    if ((in->r->outcome != INSTALL_KEPT && in->r->outcome != INSTALL_MERGED) || !is_elsewhere(in))
        return;
    free(in->target.project);
    in->target.project = str_dup(in->local.copies[0].project);
    if (local_cwd(&in->local)[0] != '\0') {
        free(in->target.cwd);
        in->target.cwd = str_dup(local_cwd(&in->local));
    }
}

static int call_before_commit(void *arg, struct ct_err *err)
{
    struct installing *in = arg;

    return in->opts->before_commit != NULL
               ? in->opts->before_commit(in->opts->before_commit_arg, in->r, err)
               : 0;
}

/* He may have come while we waited. */
static int call_moving(void *arg, struct ct_err *err)
{
    struct installing *in = arg;

    return is_in_use(in) ? live(in, err) : 0;
}

/* Where things are compared: a rehearsal does not gather what is in other folders.  And who wins.
 */
static void find_place(const struct installing *in, struct plan_target *ret)
{
    enum install_outcome o = in->r->outcome;
    char *folder = agent_project_path(in->meta->agent, in->target.project);
    char *path = path_join(folder, in->r->session_id);
    int is_to_move = in->opts->is_rehearsal && is_elsewhere(in);
    int fd = is_to_move ? linked_open(in->meta->agent, in->stage.root_fd, path, O_DIRECTORY) : -1;

    ret->project = ret->own_project = in->target.project;
    ret->memory_project = in->memory_project;
    if (is_to_move && fd < 0)
        ret->own_project = in->local.copies[0].project;
    ret->is_known = o == INSTALL_UPDATED || o == INSTALL_FORCED || o == INSTALL_MERGED;
    ret->is_careful = in->opts->is_careful;
    ret->is_of_no_session = in->meta->is_profile;
    ret->is_shy = in->meta->is_profile && in->opts->is_shy && in->opts->trust != TRUST_OWN;
    ret->is_memory_shy = in->is_memory_elsewhere && in->opts->trust != TRUST_OWN;
    ret->is_winning =
        o == INSTALL_MERGED ? !in->r->united.is_ours_active : ret->is_known || o == INSTALL_NEW;
    ret->is_merging = in->opts->is_merge && o != INSTALL_NEW;
    if (fd >= 0)
        close(fd);
    free(path);
    free(folder);
}

/* What is said of it one by one. */
static void name(struct installing *in, const struct plan_item *it)
{
    struct install_result *r = in->r;

    if (it->act == PLAN_KEEP)
        strlist_add(&r->kept, it->path);
    else if (it->act == PLAN_ADD && in->meta->is_profile)
        strlist_add(&r->added, it->path);
    else if ((it->act == PLAN_REPLACE || it->act == PLAN_BACKUP) && in->meta->is_profile)
        strlist_add(&r->merged, it->path);
    if (it->entry->kind == AGENT_SUBDIR || it->entry->kind == AGENT_FILE_HISTORY)
        strlist_add(&r->beside, it->path);
    if (it->act == PLAN_LEAVE) {
        strlist_add(&r->left_out, it->path);
        strlist_add(&r->left_out, INSTALL_IN_CLEAR);
    }
}

static int plan(struct installing *in, struct ct_err *err)
{
    struct install_result *r = in->r;
    struct plan_target place;

    find_place(in, &place);
    place.is_merging |= in->is_thinner;
    place.is_exact = in->opts->trust == TRUST_OWN;
    place.vouched = (struct compare_trust){in->here, in->opts->trust};
    place.rests = &in->rests;
    if (plan_make(in->stage.root_fd, in->stage.fd, in->meta->agent, r->session_id, &place,
                  &in->opened, &in->plan, err) != 0)
        return -1;
    r->files_added = in->plan.counts[PLAN_ADD];
    r->files_replaced = in->plan.counts[PLAN_REPLACE] + in->plan.counts[PLAN_BACKUP];
    r->files_kept = in->plan.counts[PLAN_KEEP];
    r->files_aside = in->plan.aside;
    r->memory_kept = in->plan.memory_kept;
    for (size_t i = 0; i < in->plan.n; i++)
        name(in, &in->plan.items[i]);
    return 0;
}

/* ---- one of both -------------------------------------------------------------------------------
 */

/* What the daemon will find of the transcript; no content id is that of any version. */
static int read_united(struct installing *in, const char *name, struct ct_err *err)
{
    struct content_id *id = content_id_new();
    struct news *news = in->news;
    struct open_entry e = {.name = (char *)(uintptr_t)name, .kind = AGENT_TRANSCRIPT};
    char *window = str_calloc(WINDOW, 1);
    int rc;

    in->news = NULL; /* counted already */
    rc = read_entry(in, id, &e, window, err);
    in->news = news;
    memset(in->r->content_id, '0', sizeof(in->r->content_id) - 1);
    content_id_free(id);
    free(window);
    return rc;
}

static const char *staged_transcript(const struct installing *in)
{
    const char *name = NULL;

    for (size_t i = 0; i < in->opened.n; i++) {
        if (in->opened.entries[i].kind == AGENT_TRANSCRIPT)
            name = in->opened.entries[i].name;
    }
    return name;
}

/* Not one's own sealed work is built anew from what may come, here or where it was before.  If it
 * moves, what is here has the paths of where it was, and becomes a backup. */
static int is_thinner(const struct installing *in)
{
    return in->r->outcome == INSTALL_UPDATED && in->opts->trust != TRUST_OWN && in->local.n > 0 &&
           !is_elsewhere(in) && !is_just_moved(in) && in->meta->agent->unite != NULL &&
           both_fuller(in->stage.root_fd, &in->local, in->meta->agent, in->stage.fd,
                       staged_transcript(in)) > 0;
}

static struct both both(struct installing *in)
{
    return (struct both){in->meta->agent, in->stage.fd, in->opts->trust == TRUST_OWN,
                         in->here < in->opts->trust, &in->rests};
}

/* It has all records that are here, but maybe not all that they say.  Where it is another place, or
 * is forced, what is here becomes a backup. */
static int replace(struct installing *in, struct ct_err *err)
{
    const struct both b = both(in);

    if (in->r->outcome != INSTALL_UPDATED || is_elsewhere(in) || is_just_moved(in))
        return 0;
    return both_replace(&b, in->stage.root_fd, &in->local, staged_transcript(in), err);
}

static int unite(struct installing *in, struct ct_err *err)
{
    const struct both b = both(in);
    struct strlist renamed = {0};
    const char *name = staged_transcript(in);
    int rc;

    rc = both_names(in->stage.root_fd, in->stage.fd, in->meta->agent, in->r->session_id,
                    in->target.project, &in->opened, &renamed, err);
    if (rc == 0)
        rc = both_transcripts(&b, in->stage.root_fd, &in->local, name, &renamed, &in->r->united,
                              err);
    strlist_free(&renamed);
    return rc == 0 ? read_united(in, name, err) : -1;
}

/* ---- */

/* It keeps the name that it has here, or had there. */
static const char *file_name(const struct installing *in)
{
    return in->local.n > 0 ? path_base(in->local.copies[0].path) : in->meta->transcript_file;
}

/* An agent whose sessions are no files gets it first: what it does not take does not come. */
static int hand_over(const struct installing *in, struct ct_err *err)
{
    const struct agent *agent = in->meta->agent;
    int fd, rc;

    if (agent->hand_over == NULL)
        return 0;
    fd = openat(in->stage.fd, staged_transcript(in), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, "can't read the stage");
    rc = agent->hand_over(fd, in->target.cwd, err);
    close(fd);
    return rc;
}

static int carry_out(struct installing *in, struct ct_err *err)
{
    struct publishing p = {
        .stage = &in->stage,
        .agent = in->meta->agent,
        .session_id = in->r->session_id,
        .project = in->target.project,
        .cwd = in->target.cwd,
        .file = file_name(in),
        .plan = &in->plan,
        .local = &in->local,
        .is_with_transcript = in->r->outcome != INSTALL_SAME && in->r->outcome != INSTALL_KEPT,
        .is_backed_up = in->r->outcome == INSTALL_FORCED || in->opts->is_careful,
        .mtime_ns = in->opts->mtime_ns,
        .before_commit = call_before_commit,
        .moving = call_moving,
        .arg = in,
    };
    int rc = p.is_with_transcript && in->local.n > 0 ? gather_link(&p, err) : 0;

    if (rc == 0)
        rc = plan(in, err);
    if (rc == 0 && p.is_with_transcript)
        rc = hand_over(in, err);
    if (rc == 0)
        rc = publish(&p, err);
    in->r->prompts = p.prompts;
    in->r->backup = p.backup;
    p.backup = NULL;
    publish_clear(&p);
    return rc;
}

static int is_in_the_way(const struct installing *in, struct ct_err *err)
{
    char *other = local_clash(in->stage.root_fd, in->meta->agent, in->r->path, in->r->session_id);

    if (other != NULL)
        err_set(err, ERR_REFUSED,
                "%s knows a session by the first digits of its id, and %.200s is of another one "
                "that begins so: its clean-up would remove both. --as-copy installs this one under "
                "an id of its own",
                in->meta->agent->name, other);
    free(other);
    return other != NULL;
}

/* Where the transcript will be: where it is, unless it comes into another project folder. */
static char *path_of(const struct installing *in)
{
    const struct local_copy *c = in->local.n > 0 ? &in->local.copies[0] : NULL;

    if (c != NULL && strcmp(c->project, in->r->project) == 0)
        return unpack_name(c->path);
    return in->meta->agent->transcript_path(in->r->session_id, in->r->project, file_name(in));
}

static int settle(struct installing *in, struct ct_err *err)
{
    struct install_result *r = in->r;

    if (judge(in, err) != 0)
        return -1;
    stay(in);
    r->cwd = str_dup(in->target.cwd);
    r->project = str_dup(in->target.project);
    r->path = path_of(in);
    if (r->path == NULL)
        return err_set(err, ERR_CORRUPT, "the bundle has a transcript that is called like none");
    if (is_in_the_way(in, err))
        return -1;
    if (r->outcome == INSTALL_KEPT && in->opts->is_careful && !in->opts->is_merge)
        return 0;
    in->is_thinner = is_thinner(in);
    if (r->outcome == INSTALL_MERGED || in->is_thinner) {
        if (unite(in, err) != 0)
            return -1;
    } else if (replace(in, err) != 0)
        return -1;
    return in->opts->is_rehearsal ? plan(in, err) : carry_out(in, err);
}

/* With the stage, and so the data folder, in our hands. */
static int work(struct installing *in, struct ct_err *err)
{
    int64_t again_ms;

    if (extract(in, err) != 0)
        return -1;
    if (in->opts->is_copy && in->meta->agent->own_id != NULL)
        return err_set(err, ERR_REFUSED,
                       "%s knows a session by an id of its own, so it can't have another one here; "
                       "without --as-copy it comes as what it is",
                       in->meta->agent->name);
    if (in->meta->agent->gather != NULL && in->meta->agent->gather(in->root, &again_ms, err) != 0)
        return -1;
    if (in->opts->is_copy) {
        uuid_random(in->r->session_id);
        if (renew_stage(in->stage.fd, &in->opened, in->meta->session_id, in->r->session_id, err) !=
            0)
            return -1;
    }
    if (local_find(in->opts->is_copy ? -1 : in->stage.root_fd, in->meta->agent, in->r->session_id,
                   &in->local, err) != 0 ||
        read_stage(in, err) != 0)
        return -1;
    /* What a file brings takes the place of nothing that says something else, whosever that is. */
    in->here = TRUST_STRANGER;
    if (in->opts->is_careful)
        in->here = TRUST_OWN;
    else if (in->opts->here != NULL)
        in->here = in->opts->here(in->opts->here_arg, in->r->session_id);
    news_vouch(in->local.news, in->here);
    news_vouch(in->news, in->opts->trust);
    return settle(in, err);
}

/* What the server's list says of it decides what was asked for: neither comes as the other. */
static int is_asked_for(const struct installing *in, struct ct_err *err)
{
    if (!in->meta->is_profile == !in->opts->is_profile)
        return 0;
    return err_set(err, ERR_REFUSED,
                   in->meta->is_profile
                       ? "this is no session, but what belongs to none of a device; that comes "
                         "with: ctctl pull --profile"
                       : "the bundle holds a session, and not what belongs to none");
}

int install_run(const struct install_opts *opts, struct install_result *ret, struct ct_err *err)
{
    const struct open_opts open = {
        .session_id = opts->session_id,
        .trust = opts->trust,
        .with_memory = opts->with_memory,
        .with_file_history = opts->with_file_history,
        .keep_mode = opts->keep_mode,
        .unseal = opts->unseal,
        .cancel = opts->cancel,
        .progress = opts->progress,
        .progress_arg = opts->progress_arg,
    };
    struct installing in = {.opts = opts, .r = ret};
    int rc = -1;

    memset(ret, 0, sizeof(*ret));
    if (opener_new(opts->bundle, &open, &in.opener, err) != 0)
        return -1;
    in.meta = opener_meta(in.opener);
    snprintf(ret->session_id, sizeof(ret->session_id), "%s", in.meta->session_id);
    ret->source_cwd = str_dup(in.meta->source_cwd);
    ret->agent = in.meta->agent;
    if (is_asked_for(&in, err) == 0 &&
        (in.root = opts->find_root(opts->find_root_arg, ret->agent, ret->session_id, err)) !=
            NULL &&
        choose(&in, err) == 0 && open_stage(&in, err) == 0) {
        rc = work(&in, err);
        stage_close(&in.stage);
    }
    plan_clear(&in.plan);
    strlist_free(&in.rests);
    free(in.memory_project);
    news_free(in.news);
    open_result_free(&in.opened);
    local_clear(&in.local);
    opener_free(in.opener);
    free(in.target.cwd);
    free(in.target.project);
    return rc;
}

void install_result_clear(struct install_result *r)
{
    free(r->cwd);
    free(r->project);
    free(r->path);
    free(r->git_branch);
    free(r->source_cwd);
    free(r->backup);
    strlist_free(&r->begins);
    strlist_free(&r->left_out);
    strlist_free(&r->kept);
    strlist_free(&r->beside);
    strlist_free(&r->added);
    strlist_free(&r->merged);
    losses_free(&r->losses);
    losses_free(&r->used);
    memset(r, 0, sizeof(*r));
}
