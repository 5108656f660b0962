#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/roots.h"
#include "agents/agent.h"
#include "agents/disk/beneath.h"
#include "agents/linked.h"
#include "bundle/pack/leaks.h"
#include "bundle/install/local.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "ctctl/ui/progress.h"

#include "ctctl/ctx/verb.h"

#define TRIES 3
#define READ_BYTES (256 << 10)
#define MAX_DEPTH 64

struct scanning {
    struct ctx *c;
    struct leak_rules *rules;
    const char *session_id; /* that is being scanned, or NULL */
    const char *path;       /* the file, where it is none of a session */
    struct json_object *found;
    int64_t sessions, files, failed;
    struct progress *progress; /* of many sessions, or NULL */
    int64_t bytes;             /* of transcripts, of the sessions before this one */
};

static void add(struct scanning *x, const char *path, const char *rule, int64_t line)
{
    struct json_object *o = json_object_new_object();
    const char *about = leak_rules_about(x->rules, rule);

    jdoc_set_str(o, "sessionId", x->session_id);
    jdoc_set_str(o, "path", path);
    jdoc_set_int(o, "line", line);
    jdoc_set_str(o, "rule", rule);
    jdoc_set_str(o, "about", about[0] != '\0' ? about : NULL);
    json_object_array_add(x->found, o);
}

static void say_failed(struct scanning *x, const char *what, const char *why)
{
    if (x->progress != NULL)
        progress_pause(x->progress);
    ctx_say(x->c, "%s: %s", what, why);
    x->failed++;
}

static void gave_up(void *arg, const char *path, const char *rule)
{
    const struct scanning *x = arg;

    if (x->progress != NULL)
        progress_pause(x->progress);
    ctx_say(x->c, "%s: the rule %s takes too many steps here and was not applied to all of it",
            path, rule);
}

/* ---- files --------------------------------------------------------------------------------------
 */

static void on_found(void *arg, const char *rule, int64_t line)
{
    struct scanning *x = arg;

    add(x, x->path, rule, line);
}

static void scan_fd(struct scanning *x, int fd)
{
    struct leak_scan *s = leak_scan_new(x->rules, x->path, 1, on_found, x);
    char *p = str_calloc(1, READ_BYTES);
    ssize_t n;

    while ((n = read(fd, p, READ_BYTES)) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 0)
            leak_scan_feed(s, p, (size_t)n);
    }
    if (n < 0)
        say_failed(x, x->path, strerror(errno));
    leak_scan_end(s);
    if (leak_scan_gave_up(s) != NULL)
        gave_up(x, x->path, leak_scan_gave_up(s));
    x->files++;
    str_wipe(p, READ_BYTES);
    free(p);
    leak_scan_free(s);
}

/* A file, or all regular files of a folder; what a name in a folder links to is not followed. */
static void scan_path(struct scanning *x, int dir_fd, const char *name, const char *path, int depth)
{
    int fd = openat(dir_fd, name,
                    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (depth > 0 ? O_NOFOLLOW : 0));
    struct dirent *e;
    struct stat st;
    DIR *d;

    if (fd < 0 || fstat(fd, &st) != 0) {
        if (depth == 0 || errno != ELOOP)
            say_failed(x, path, strerror(errno));
    } else if (S_ISREG(st.st_mode)) {
        x->path = path;
        scan_fd(x, fd);
    } else if (S_ISDIR(st.st_mode) && depth < MAX_DEPTH && (d = fdopendir(fd)) != NULL) {
        while ((e = readdir(d)) != NULL) {
            char *below = path_join(path, e->d_name);
            if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                scan_path(x, dirfd(d), e->d_name, below, depth + 1);
            free(below);
        }
        closedir(d);
        return;
    } else if (depth == 0) {
        say_failed(x, path, "it is neither a file nor a folder");
    }
    if (fd >= 0)
        close(fd);
}

/* ---- sessions -----------------------------------------------------------------------------------
 */

static int known(void *arg, const char *path, struct leaks_mark *ret)
{
    (void)arg;
    (void)path;
    (void)ret;
    return 0;
}

static void begin(void *arg, const char *path, int is_from_start)
{
    struct scanning *x = arg;

    (void)path;
    (void)is_from_start;
    x->files++;
}

static void found(void *arg, const char *path, const char *rule, int64_t line)
{
    add(arg, path, rule, line);
}

static void end(void *arg, const char *path, const struct leaks_mark *mark)
{
    (void)arg;
    (void)path;
    (void)mark;
}

static void scan_session(struct scanning *x, const char *root, const char *id)
{
    const struct snapshot_opts so = {
        .root = root, .agent = ctx_agent_of(x->c, root), .session_id = id, .user_dir = path_home()};
    const struct leaks_opts o = {
        .rules = x->rules,
        .known = known,
        .begin = begin,
        .found = found,
        .end = end,
        .gave_up = gave_up,
        .arg = x,
    };
    struct json_object *before = x->found;
    struct ct_err err = {.code = ERR_RETRY};
    struct snapshot *s;
    int rc = -1;

    x->session_id = id;
    for (int i = 0; i < TRIES && rc != 0 && err.code == ERR_RETRY; i++) {
        x->found = json_object_new_array();
        if (snapshot_take(&so, &s, &err) == 0) {
            rc = leaks_scan(s, &o, &err);
            snapshot_free(s);
        }
        for (size_t k = 0; rc == 0 && k < json_object_array_length(x->found); k++)
            json_object_array_add(before, json_object_get(json_object_array_get_idx(x->found, k)));
        json_object_put(x->found);
    }
    x->found = before;
    x->session_id = NULL;
    x->sessions++;
    if (rc != 0)
        say_failed(x, id, err.msg);
}

static void list_sessions(const struct agent *agent, const char *root, const char *word,
                          struct strlist *ret)
{
    struct strlist ids = {0};

    local_list(agent, root, &ids);
    for (size_t k = 0; k < ids.n; k++) {
        if (strncmp(ids.v[k], word, strlen(word)) == 0)
            strlist_add(ret, ids.v[k]);
    }
    strlist_free(&ids);
}

static void weigh(void *arg, const char *path, int fd, const struct stat *st)
{
    int64_t *bytes = arg;

    (void)path;
    (void)fd;
    *bytes += beneath_size(st);
}

/* The transcripts of a session weigh for all of it: to know the rest takes as long as to scan it.
 */
static int64_t weight(const struct agent *agent, const char *root, const char *id)
{
    int64_t bytes = 0;
    struct linked_visit v = {agent, beneath_open_root(root), weigh, &bytes};

    if (v.root_fd < 0)
        return 0;
    (void)agent->list_transcripts(v.root_fd, id, &linked_visit_ops, &v, NULL, NULL);
    close(v.root_fd);
    return bytes;
}

/* Sessions whose id begins with ${word} ("": all); of one in two roots both copies. */
static int scan_sessions(struct scanning *x, const char *word)
{
    const struct strlist *roots = &x->c->config->roots;
    struct strlist *ids = str_calloc(roots->n + 1, sizeof(*ids));
    int64_t n = 0, of = 0, all_bytes = 0;

    for (size_t i = 0; i < roots->n; i++) {
        list_sessions(roots_agent(x->c->config, i), roots->v[i], word, &ids[i]);
        of += (int64_t)ids[i].n;
        for (size_t k = 0; k < ids[i].n; k++)
            all_bytes += weight(roots_agent(x->c->config, i), roots->v[i], ids[i].v[k]);
    }
    x->progress = progress_new(&x->c->err, "Scanning", now_mono_ms());
    for (size_t i = 0; i < roots->n; i++) {
        for (size_t k = 0; k < ids[i].n; k++) {
            progress_of(x->progress, ++n, of);
            progress_to(x->progress, x->bytes, all_bytes, now_mono_ms());
            scan_session(x, roots->v[i], ids[i].v[k]);
            x->bytes += weight(roots_agent(x->c->config, i), roots->v[i], ids[i].v[k]);
        }
        strlist_free(&ids[i]);
    }
    progress_free(x->progress);
    x->progress = NULL;
    free(ids);
    return (int)n;
}

/* ---- the verb -----------------------------------------------------------------------------------
 */

static void print(struct scanning *x)
{
    size_t n = json_object_array_length(x->found);
    struct json_object *o;
    struct buf b = {0};

    if (x->c->json) {
        o = json_object_new_object();
        json_object_object_add(o, "found", json_object_get(x->found));
        jdoc_set_int(o, "sessions", x->sessions);
        jdoc_set_int(o, "files", x->files);
        jdoc_set_int(o, "failed", x->failed);
        ctx_json(x->c, o);
        json_object_put(o);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct json_object *f = json_object_array_get_idx(x->found, i);
        const char *id = jdoc_str(f, "sessionId"), *about = jdoc_str(f, "about");
        char *path = str_printable(jdoc_str(f, "path")), *rule = str_printable(jdoc_str(f, "rule"));
        char *what = str_printable(about != NULL ? about : "");
        if (id != NULL)
            buf_printf(&b, "%.8s  ", id);
        buf_printf(&b, "%s:%" PRId64 "  %s%s%s%s\n", path, jdoc_int(f, "line", 0), rule,
                   what[0] != '\0' ? " (" : "", what, what[0] != '\0' ? ")" : "");
        free(what);
        free(rule);
        free(path);
    }
    ctx_print(x->c, &b);
    buf_free(&b);
    if (n > 0)
        ctx_say(x->c,
                "%zu place%s with what looks like credentials; have them revoked where they "
                "were issued",
                n, n == 1 ? "" : "s");
    else if (x->files == 0 && x->failed == 0)
        ctx_say(x->c, "there are no sessions on this machine yet");
    else if (x->files > 0)
        ctx_say(x->c, "nothing that looks like credentials in %" PRId64 " file%s", x->files,
                x->files == 1 ? "" : "s");
}

static void scan_word(struct scanning *x, const char *word)
{
    if (strchr(word, '/') == NULL && strcmp(word, ".") != 0 && strcmp(word, "..") != 0 &&
        word[0] != '\0' && scan_sessions(x, word) > 0)
        return;
    if (access(word, F_OK) == 0)
        scan_path(x, AT_FDCWD, word, word, 0);
    else
        say_failed(
            x, word,
            "no session on this machine begins so (see: ctctl list), and there is no such file");
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct scanning x = {.c = c};
    struct strlist words = {0};
    const char *rules = NULL;
    int is_all = 0, rc;
    const struct opt opts[] = {
        {"all", OPT_FLAG, &is_all},
        {"rules", OPT_STRING, &rules},
    };
    struct ct_err e;

    rc = opts_parse(c, opts, 2, argc, argv, &words);
    if (rc == -1 && is_all == (words.n > 0))
        rc = ctx_usage(c, "scan wants the ID of a session, a file or folder, or --all");
    if (rc != -1)
        goto done;
    if (ctx_config(c, &e) != 0 ||
        leak_rules_load(rules != NULL ? rules : c->config->scan_rules, &x.rules, &e) != 0) {
        rc = ctx_fail(c, &e);
        goto done;
    }
    x.found = json_object_new_array();
    if (is_all)
        scan_sessions(&x, "");
    for (size_t i = 0; i < words.n; i++)
        scan_word(&x, words.v[i]);
    print(&x);
    rc = json_object_array_length(x.found) > 0 || x.failed > 0 ? CTX_FAILED : CTX_OK;
    json_object_put(x.found);
    leak_rules_free(x.rules);
done:
    strlist_free(&words);
    return rc;
}

const struct verb verb_scan = {
    "scan",
    "ID... | PATH... | --all",
    "look for credentials in sessions",
    "Looks for what seems to be credentials (keys, tokens, passwords) in all that would be\n"
    "saved of a session, or in any file or folder. Names the rule, the file and the line,\n"
    "never what it found. Asks neither the daemon nor the server.\n"
    "\n"
    "  --all         all sessions on this machine\n"
    "  --rules FILE  other rules than those of the configuration (scan_rules)\n"
    "\n"
    "Exit status 0 if there is nothing, 1 if there is something, or something can't be read.\n"
    "The daemon looks by itself with scan_secrets = \"warn\" in the configuration.\n",
    run,
    "ctctl scan --all             # every session on this machine\n"
    "ctctl scan 29221bf7 ~/notes  # one of them, and a folder\n",
};
