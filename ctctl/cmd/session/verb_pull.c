#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "ctctl/cloud/item.h"
#include "ctctl/pull/picker.h"
#include "ctctl/pull/pull_as.h"
#include "ctctl/pull/pull_heads.h"
#include "ctctl/pull/pull_many.h"
#include "ctctl/pull/pull_merge.h"
#include "ctctl/pull/pull_profile.h"
#include "ctctl/pull/pull_say.h"
#include "ctctl/cloud/sessions.h"
#include "ctctl/here/target.h"
#include "ctctl/ui/term.h"
#include "ctctl/cloud/resolve.h"

#include "ctctl/ctx/verb.h"

#define HERE_LACKS "this doesn't"

struct command {
    struct pull_opts opts;
    struct strlist map;
    const char *project;
    const char *as; /* the agent that is to go on with it */
    int is_all, is_update, is_profile, is_agreed;
};

/* A merge that a person is asked about. */
struct merging {
    struct ctx *c;
    struct pull_front *front;
    int is_agreed; /* --yes */
};

/* ---- one session -------------------------------------------------------------------------------
 */

static int pick(struct ctx *c, char **ret)
{
    const struct sessions_filter every = {.which = SESSIONS_ONLY};
    struct json_object *answer, *best;
    struct ct_err e;
    int rc;

    if (!term_is_interactive())
        return ctx_usage(c, "pull wants the ID of a session (see: ctctl list --cloud), or --all");
    if (sessions_cloud(c, &every, &answer, &e) != 0)
        return ctx_fail(c, &e);
    if (json_object_array_length(jdoc_array(answer, "sessions")) == 0)
        rc = err_set(&e, ERR_GONE, "there are no sessions in the cloud yet");
    else {
        best = resolve_vouched(c, jdoc_array(answer, "sessions"));
        sessions_mark_here(c, best);
        rc = picker_choose(c, best, ret, &e);
        json_object_put(best);
    }
    json_object_put(answer);
    return rc == 0 ? CTX_OK : ctx_fail(c, &e);
}

/* What the server calls what ${word} means. */
static int find(struct ctx *c, const struct command *cmd, const char *word, char **ret)
{
    struct resolved w;
    struct ct_err e;

    if (resolve_session(c, word, cmd->opts.is_plain, &w, &e) != 0)
        return ctx_fail(c, &e);
    *ret = str_dup(w.wire_id);
    resolve_clear(&w);
    return CTX_OK;
}

/* Name both sides, and ask. */
static int on_agree(void *arg, const struct pull_sides *s)
{
    const struct merging *m = arg;
    const struct install_result *in = &s->r->installed;
    char *here = text_count((int64_t)in->messages_here, "message", "messages");
    char *there = text_count((int64_t)in->messages_there, "message", "messages");
    char *machine = text_clean(&m->c->err, s->machine != NULL ? s->machine : "another machine");
    char *question;
    int is_agreed = m->is_agreed;

    if (m->front->progress != NULL)
        progress_pause(m->front->progress);
    ctx_say(m->c,
            "here: %s that version %" PRId64 " of %s lacks; there: %s that are not here. What was "
            "worked on last, %s, comes last: claude --resume goes on there, and the other branch "
            "stays in the session",
            here, s->version, machine, there, in->united.is_ours_active ? "here" : machine);
    if (!is_agreed) {
        question =
            str_printf("Make one of both, here? %s", "What is here now is kept as a backup.");
        is_agreed = term_confirm(question);
        free(question);
    }
    free(machine);
    free(there);
    free(here);
    return is_agreed;
}

static int merge(struct ctx *c, struct command *cmd, struct pull_front *front, const char *wire_id,
                 struct pull_result *r, struct ct_err *err)
{
    struct merging m = {c, front, cmd->is_agreed};

    return pull_merge(c, wire_id, &cmd->opts, on_agree, &m, r, err);
}

static int pull_one(struct ctx *c, struct command *cmd, const char *word)
{
    struct pull_front front;
    struct pull_result r = {0};
    struct ct_err e;
    char *id = NULL;
    int rc;

    rc = word == NULL ? pick(c, &id) : find(c, cmd, word, &id);
    if (rc != CTX_OK)
        return rc;
    pull_say_begin(&front, c, &cmd->opts);
    rc = cmd->opts.is_merge ? merge(c, cmd, &front, id, &r, &e)
                            : pull_fullest(c, id, &cmd->opts, &r, &e);
    pull_say_end(&front);
    if (rc == 0) {
        pull_say(c, &r, &cmd->opts);
    } else {
        resolve_gone(c, &e);
        rc = pull_say_failure(c, &e);
    }
    heads_say(c, &r.heads, HERE_LACKS, 1);
    pull_result_clear(&r);
    free(id);
    return rc;
}

/* ---- many --------------------------------------------------------------------------------------
 */

struct tally {
    struct ctx *c;
    struct pull_front front;
    int is_rehearsal;
    int64_t good[INSTALL_MERGED + 1];
    int64_t failed, apart;
    int is_update;
    int all_later;               /* all failures may pass by themselves */
    struct json_object *results; /* for --json */
    struct strlist absent;       /* folders that are not here */
};

static void say_line(struct tally *t, const struct json_object *item, const struct pull_result *r,
                     const struct ct_err *err)
{
    const struct install_result *in = &r->installed;
    struct buf b = {0};
    char *title, *where, made_up[256];

    if (err != NULL) {
        ctx_say(t->c, "%.8s: %s", item_id(item), err->msg);
        return;
    }
    title = text_clean(&t->c->out, item_title(item, made_up, sizeof(made_up)));
    where = text_clean(&t->c->out, in->cwd);
    buf_printf(&b, "%-12s %.8s  %s  (%s)\n", install_outcome_name(in->outcome), in->session_id,
               title, where);
    if (in->backup != NULL)
        buf_printf(
            &b, "%-12s what was here before is kept; to have it back: ctctl backups restore %s\n",
            "", strrchr(in->backup, '-') + 1);
    ctx_print(t->c, &b);
    fflush(stdout);
    buf_free(&b);
    free(title);
    free(where);
}

static void on_next(void *arg, int64_t n, int64_t of, int64_t before_bytes, int64_t all_bytes)
{
    struct tally *t = arg;

    t->front.n = n;
    t->front.of = of;
    t->front.before_bytes = before_bytes;
    t->front.all_bytes = all_bytes;
}

static void on_done(void *arg, const struct json_object *item, const struct pull_result *r,
                    const struct ct_err *err)
{
    struct tally *t = arg;
    struct json_object *o;

    if (t->front.progress != NULL)
        progress_pause(t->front.progress);
    if (err != NULL && t->is_update && strcmp(err->reason, "diverged") == 0) {
        t->apart++;
    } else if (err != NULL) {
        t->failed++;
        t->all_later = t->all_later && err->code == ERR_RETRY;
    } else {
        t->good[r->installed.outcome]++;
        if (r->is_absent)
            strlist_add_once(&t->absent, r->installed.cwd);
    }
    if (err == NULL)
        pull_say_unread(t->c, r);
    if (err == NULL || !t->is_update)
        heads_say(t->c, &r->heads, HERE_LACKS, 1);
    if (!t->c->json) {
        say_line(t, item, r, err);
        return;
    }
    if (err == NULL) {
        o = pull_json(r, t->is_rehearsal);
    } else {
        o = json_object_new_object();
        jdoc_set_str(o, "sessionId", item_id(item));
        jdoc_set_str(o, "outcome", err->reason[0] != '\0' ? err->reason : "failed");
        jdoc_set_str(o, "error", err->msg);
    }
    json_object_array_add(t->results, o);
}

/* What was left alone, in one sentence each. */
static void say_rest(struct ctx *c, const struct pull_many_rest *rest)
{
    char *n = text_count(rest->open, "session", "sessions");

    if (rest->open > 0)
        ctx_say(c, "%s left alone that Claude Code is running on", n);
    free(n);
    n = text_count(rest->locked, "session", "sessions");
    if (rest->locked > 0)
        ctx_say(c, "%s left alone: %s", n, rest->reason.msg);
    free(n);
    n = text_count(rest->plain, "session", "sessions");
    if (rest->plain > 0)
        ctx_say(c, "%s in clear left alone, as this device seals: ctctl list --clear", n);
    free(n);
}

static void sum_up(struct tally *t, int64_t rested)
{
    struct buf b = {0};

    buf_printf(&b,
               "%" PRId64 " installed, %" PRId64 " updated, %" PRId64 " already here, %" PRId64
               " kept, %" PRId64 " failed",
               t->good[INSTALL_NEW], t->good[INSTALL_UPDATED] + t->good[INSTALL_FORCED],
               rested + t->good[INSTALL_SAME], t->good[INSTALL_KEPT], t->failed);
    if (t->apart > 0)
        buf_printf(&b, ", %" PRId64 " in two places", t->apart);
    buf_addstr(&b, t->is_rehearsal ? " (nothing was done)\n" : "\n");
    if (t->absent.n > 0)
        buf_addstr(&b, "These folders are not here yet:\n");
    for (size_t i = 0; i < t->absent.n; i++) {
        char *clean = text_clean(&t->c->out, t->absent.v[i]);
        buf_printf(&b, "  %s\n", clean);
        free(clean);
    }
    ctx_print(t->c, &b);
    buf_free(&b);
}

static void sum_up_json(struct tally *t, const struct pull_many_rest *rest,
                        struct json_object *profiles)
{
    struct json_object *o = json_object_new_object(), *absent = json_object_new_array();

    for (size_t i = 0; i < t->absent.n; i++)
        json_object_array_add(absent, jdoc_new_str(t->absent.v[i]));
    json_object_object_add(o, "sessions", json_object_get(t->results));
    json_object_object_add(o, "absentFolders", absent);
    json_object_object_add(o, "profiles", json_object_get(profiles));
    jdoc_set_int(o, "alreadyHere", rest->rested + t->good[INSTALL_SAME]);
    jdoc_set_int(o, "failed", t->failed);
    jdoc_set_int(o, "open", rest->open);
    jdoc_set_int(o, "diverged", rest->apart);
    jdoc_set_int(o, "locked", rest->locked);
    jdoc_set_int(o, "leftInClear", rest->plain);
    ctx_json(t->c, o);
    json_object_put(o);
}

static int profiles_status(const struct pull_profiles_rest *rest)
{
    return rest->failed == 0 ? CTX_OK : rest->failed == rest->later ? CTX_LATER : CTX_FAILED;
}

/* What belongs to no session comes after the sessions. */
static int pull_along(struct ctx *c, struct command *cmd, struct json_object *results)
{
    struct pull_profiles_rest rest;
    struct pull_opts opts = cmd->opts;
    struct ct_err e;

    opts.is_shy = 1;
    return pull_profiles(c, NULL, &opts, results, &rest, &e) != 0 ? ctx_fail(c, &e)
                                                                  : profiles_status(&rest);
}

static int pull_all(struct ctx *c, struct command *cmd)
{
    struct tally t = {.c = c,
                      .is_update = cmd->is_update,
                      .is_rehearsal = cmd->opts.is_rehearsal,
                      .all_later = 1};
    struct pull_many_opts many = {
        .is_update = cmd->is_update,
        .project = cmd->project,
        .next = on_next,
        .done = on_done,
        .done_arg = &t,
    };
    struct json_object *profiles = json_object_new_array();
    struct pull_many_rest rest;
    struct ct_err e;
    int rc_along = CTX_OK, rc;

    t.results = json_object_new_array();
    cmd->opts.is_home_to_home = 1;
    cmd->opts.map = &cmd->map;
    pull_say_begin(&t.front, c, &cmd->opts);
    many.each = cmd->opts;
    rc = pull_many(c, &many, &rest, &e);
    pull_say_end(&t.front);
    if (rc == 0)
        say_rest(c, &rest);
    if (rc == 0 && cmd->is_all && cmd->project == NULL)
        rc_along = pull_along(c, cmd, profiles);
    if (rc == 0 && c->json)
        sum_up_json(&t, &rest, profiles);
    else if (rc == 0 && rest.listed == 0)
        ctx_say(c, cmd->project != NULL ? "no session in the cloud is of that project"
                                        : "there are no sessions in the cloud yet");
    else if (rc == 0)
        sum_up(&t, rest.rested);
    if (rc != 0)
        rc = ctx_fail(c, &e);
    else if (t.failed > 0)
        rc = t.all_later && rest.locked == 0 ? CTX_LATER : CTX_FAILED;
    else if (rest.locked > 0)
        rc = CTX_FAILED;
    else
        rc = rc_along;
    json_object_put(profiles);
    json_object_put(t.results);
    strlist_free(&t.absent);
    return rc;
}

static int pull_profile(struct ctx *c, struct command *cmd, const char *device)
{
    struct json_object *results = json_object_new_array();
    struct pull_profiles_rest rest;
    struct ct_err e;
    int rc = pull_profiles(c, device, &cmd->opts, results, &rest, &e) == 0 ? profiles_status(&rest)
                                                                           : ctx_fail(c, &e);

    if (c->json)
        ctx_json(c, results);
    else if (rc == CTX_OK && rest.n + rest.plain == 0)
        ctx_say(c, device != NULL ? "no device of that name has a profile in the cloud"
                                  : "there is no profile in the cloud; what saves one: profile = "
                                    "true in codeteleportd.conf");
    json_object_put(results);
    return rc;
}

/* ---- as a session of another agent --------------------------------------------------------------
 */

static void say_converted(struct ctx *c, const struct pull_as *p)
{
    struct pull_result r = {.installed = {.agent = p->agent, .cwd = p->cwd, .path = p->path}};
    struct json_object *o = json_object_new_object();
    char *command, *dir = text_clean(&c->out, p->cwd);

    memcpy(r.installed.session_id, p->new_id, UUID_SIZE);
    command = pull_command(&r);
    jdoc_set_str(o, "sessionId", p->new_id);
    jdoc_set_str(o, "agent", p->agent->id);
    jdoc_set_str(o, "sourceSessionId", p->session_id);
    jdoc_set_str(o, "sourceAgent", p->source->id);
    jdoc_set_int(o, "messages", p->said);
    jdoc_set_str(o, "targetDir", p->cwd);
    jdoc_set_str(o, "command", command);
    if (c->json) {
        ctx_json(c, o);
    } else {
        ctx_say(c,
                "session %.8s of %s was written as session %.8s of %s, in %s: its words alone, "
                "which speak to the model as yours",
                p->session_id, p->source->name, p->new_id, p->agent->name, dir);
        printf("%s\n", command);
    }
    json_object_put(o);
    free(command);
    free(dir);
}

static int convert(struct ctx *c, const struct command *cmd, const char *word)
{
    struct pull_as p = {.word = word,
                        .version = cmd->opts.version,
                        .is_plain = cmd->opts.is_plain,
                        .dir = cmd->opts.target_dir,
                        .agent = agent_find(cmd->as)};
    struct ct_err e;
    int rc = pull_as(c, &p, &e);

    if (rc == 0)
        say_converted(c, &p);
    else
        resolve_gone(c, &e);
    pull_as_clear(&p);
    return rc == 0 ? CTX_OK : ctx_fail(c, &e);
}

/* ---- */

/* --as takes the words of one session. */
static int check_as(struct ctx *c, const struct command *cmd, size_t words)
{
    const struct agent *agent;
    struct buf known = {0};
    int rc;

    if (words != 1 || cmd->is_all || cmd->is_update || cmd->is_profile || cmd->opts.is_forced ||
        cmd->opts.is_copy || cmd->opts.is_merge || cmd->opts.is_rehearsal || cmd->opts.keep_mode)
        return ctx_usage(c, "--as goes with the ID of one session, --version, --plain, "
                            "--target-dir and nothing else");
    if (agent_find(cmd->as) != NULL)
        return CTX_OK;
    for (size_t i = 0; (agent = agent_at(i)) != NULL; i++)
        buf_printf(&known, "%s%s", i > 0 ? ", " : "", agent->id);
    buf_addc(&known, '\0');
    rc = ctx_usage(c, "--as wants the name of an agent: %s", known.data);
    buf_free(&known);
    return rc;
}

static int check(struct ctx *c, const struct command *cmd, size_t words)
{
    int is_many = cmd->is_all || cmd->is_update;

    if (cmd->as != NULL)
        return check_as(c, cmd, words);
    if (words > 1)
        return ctx_usage(c, cmd->is_profile ? "--profile wants the name of one device, or none"
                                            : "pull wants the ID of one session");
    if (cmd->is_profile && (is_many || cmd->opts.target_dir != NULL || cmd->opts.is_forced ||
                            cmd->opts.is_copy || cmd->project != NULL))
        return ctx_usage(
            c, "--profile goes with the name of a device, --version, --dry-run and nothing "
               "else");
    if (cmd->is_profile)
        return CTX_OK;
    if (cmd->is_all && cmd->is_update)
        return ctx_usage(c, "--all brings what is not here too; say --all or --update");
    if (is_many && words > 0)
        return ctx_usage(c, "with --%s there is no ID", cmd->is_all ? "all" : "update");
    if (is_many && (cmd->opts.version > 0 || cmd->opts.target_dir != NULL || cmd->opts.is_copy ||
                    cmd->opts.with_files != NULL || cmd->opts.is_plain))
        return ctx_usage(c,
                         "--version, --target-dir, --with-files, --as-copy and --plain are for one "
                         "session");
    if (is_many && cmd->opts.is_merge)
        return ctx_usage(c, "--merge is for one session, for it asks what to make of it");
    if (cmd->is_agreed && !cmd->opts.is_merge)
        return ctx_usage(c, "--yes goes with --merge");
    if (cmd->opts.is_merge && (cmd->opts.is_forced || cmd->opts.is_copy))
        return ctx_usage(c, "say one of --merge, --force and --as-copy");
    if (cmd->opts.is_merge && !cmd->is_agreed && !cmd->opts.is_rehearsal && !term_is_interactive())
        return ctx_usage(c, "nobody can be asked here; add --yes to merge without a question");
    if (cmd->opts.is_plain && words == 0)
        return ctx_usage(c, "--plain goes with the ID of a session");
    if (!is_many && (cmd->project != NULL || cmd->map.n > 0))
        return ctx_usage(c, "--project and --map go with --all");
    if (cmd->is_update && cmd->opts.is_forced)
        return ctx_usage(c, "--update never replaces what is not part of the other; to do that: "
                            "ctctl pull ID --force");
    if (cmd->opts.is_forced && cmd->opts.is_copy)
        return ctx_usage(c, "say --force or --as-copy, not both");
    for (size_t i = 0; i < cmd->map.n; i++) {
        if (!target_map_is_valid(cmd->map.v[i]))
            return ctx_usage(c, "--map wants OLD=NEW with absolute folders, not \"%s\"",
                             cmd->map.v[i]);
    }
    return CTX_OK;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct command cmd = {0};
    struct strlist words = {0};
    const struct opt opts[] = {
        {"version", OPT_NUMBER, &cmd.opts.version},
        {"target-dir", OPT_STRING, &cmd.opts.target_dir},
        {"dry-run", OPT_FLAG, &cmd.opts.is_rehearsal},
        {"force", OPT_FLAG, &cmd.opts.is_forced},
        {"as-copy", OPT_FLAG, &cmd.opts.is_copy},
        {"keep-mode", OPT_FLAG, &cmd.opts.keep_mode},
        {"merge", OPT_FLAG, &cmd.opts.is_merge},
        {"yes", OPT_FLAG, &cmd.is_agreed},
        {"plain", OPT_FLAG, &cmd.opts.is_plain},
        {"all", OPT_FLAG, &cmd.is_all},
        {"update", OPT_FLAG, &cmd.is_update},
        {"project", OPT_STRING, &cmd.project},
        {"map", OPT_LIST, &cmd.map},
        {"profile", OPT_FLAG, &cmd.is_profile},
        {"as", OPT_STRING, &cmd.as},
        {"with-files", OPT_STRING, &cmd.opts.with_files},
    };
    int rc = opts_parse(c, opts, sizeof(opts) / sizeof(opts[0]), argc, argv, &words);

    if (rc == -1)
        rc = check(c, &cmd, words.n) == CTX_OK ? -1 : CTX_USAGE;
    if (rc == -1 && cmd.is_profile)
        rc = pull_profile(c, &cmd, words.n > 0 ? words.v[0] : NULL);
    else if (rc == -1 && cmd.as != NULL)
        rc = convert(c, &cmd, words.v[0]);
    else if (rc == -1 && (cmd.is_all || cmd.is_update))
        rc = pull_all(c, &cmd);
    else if (rc == -1)
        rc = pull_one(c, &cmd, words.n > 0 ? words.v[0] : NULL);
    strlist_free(&words);
    strlist_free(&cmd.map);
    return rc;
}

const struct verb verb_pull = {
    "pull",
    "[ID] [--version N] [--plain] [--target-dir DIR] [--dry-run]\n"
    "                  [--with-files DIR] [--keep-mode] [--force | --as-copy | --merge [--yes]]\n"
    "       ctctl pull ID --as AGENT [--version N] [--plain] [--target-dir DIR]\n"
    "       ctctl pull --all [--project P] [--map OLD=NEW]\n"
    "       ctctl pull --update\n"
    "       ctctl pull --profile [DEVICE] [--version N] [--dry-run]",
    "bring a session home, to go on with it here",
    "Downloads the session, checks it, moves its paths to this machine and puts it where\n"
    "claude --resume finds it; prints the command to go on with. Without an ID: a list to\n"
    "choose from, this project's sessions first.\n"
    "\n"
    "  --version N       an older version\n"
    "  --plain           what is there in clear, although this device seals: it comes as a\n"
    "                    stranger's, for whoever runs the server can have written it\n"
    "  --target-dir DIR  the project's folder here; else the same place below your home, if\n"
    "                    that is there, else this folder, if it has the project's name\n"
    "  --keep-mode       leave the permission mode of one's own session as it was; else it is\n"
    "                    default here\n"
    "  --with-files DIR  the working files that a stock client put in, into a new folder DIR;\n"
    "                    else they are named and left out\n"
    "  --dry-run         say what would happen, and touch nothing\n"
    "  --force           replace what is here, although it has something that the other\n"
    "                    lacks (it is kept as a backup), or is in use\n"
    "  --as-copy         install it beside what is here, under a new id\n"
    "  --merge           make one of what is here and of what another machine did: both are\n"
    "                    in the session then, as branches; asks first\n"
    "  --yes             with --merge: do not ask\n"
    "  --as AGENT        its words as a new session of another agent, which goes on with it: in\n"
    "                    --target-dir, else in this folder. What tools were asked and printed\n"
    "                    is text in it, and nothing of it acts\n"
    "  --all             everything, home to home: for a new machine\n"
    "  --project P       only this project's (name or folder)\n"
    "  --map OLD=NEW     what was below OLD is below NEW here; may be given several times\n"
    "  --profile         what belongs to no session, of all devices or of the one that is\n"
    "                    named: agents' memory, named lists of tasks and the like. --all\n"
    "                    brings it too; if it is in clear, no memory to what is worked on\n"
    "                    here. Nothing that is here is replaced\n"
    "  --update          only what is here already and has gone on elsewhere, and is not\n"
    "                    open: also for a timer of one's own. What went on here too is named\n"
    "                    and left alone; neither is a failure\n"
    "\n"
    "What is here is never replaced by something that lacks a part of it, unless forced.\n"
    "No daemon is needed for this.\n",
    run,
    "ctctl pull                                      # choose one, this project's first\n"
    "ctctl pull 29221bf7                             # this one\n"
    "ctctl pull --all --map /home/al/work=/srv/work  # all, to a new machine\n"
    "ctctl pull --update                             # what has gone on elsewhere\n",
};
