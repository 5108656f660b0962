#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agents/transcript.h"
#include "agents/disk/beneath.h"
#include "agents/disk/encode.h"
#include "bundle/install/origin.h"
#include "bundle/pack/pack.h"
#include "bundle/pack/snapshot.h"
#include "bundle/pack/stub.h"
#include "common/base/file.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "daemon/session/job.h"
#include "daemon/session/credscan.h"
#include "daemon/session/profile.h"
#include "daemon/session/withhold.h"

#define TRIES 5 /* snapshots of a session that changes under our hands */

static void job_clear_results(struct job *j)
{
    for (size_t i = 0; i < j->n_files; i++)
        free(j->files[i].path);
    j->n_files = 0;
    json_object_put(j->skipped);
    json_object_put(j->duplicates);
    json_object_put(j->others);
    pack_result_clear(&j->result);
    j->skipped = j->duplicates = j->others = NULL;
    strlist_free(&j->memories);
    free(j->project);
    j->project = NULL;
    j->is_excluded = j->is_stub = 0;
}

void job_free(void *arg)
{
    struct job *j = arg;

    job_clear_results(j);
    strlist_free(&j->roots);
    strlist_free(&j->root_agents);
    free(j->files);
    strlist_free(&j->claimed);
    strlist_free(&j->withheld);
    map_free(j->known);
    free(j->last_project);
    free(j->last_root);
    free(j->spool_path);
    buf_free(&j->stored);
    free(j->cache_dir);
    free(j->root);
    free(j->notes_dir);
    rules_free(j->exclude);
    sealing_release(j->keys);
    credscan_job_free(j->scan);
    free(j);
}

static void add_file(struct job *j, const struct job_file *f)
{
    if (j->n_files == j->cap_files) {
        j->cap_files = j->cap_files == 0 ? 16 : j->cap_files * 2;
        j->files = str_realloc(j->files, j->cap_files, sizeof(*j->files));
    }
    j->files[j->n_files++] = *f;
    if (f->mtime_ns / 1000000 > j->modified_ms)
        j->modified_ms = f->mtime_ns / 1000000;
}

static void on_file(void *arg, const struct snapshot_file *f)
{
    struct job_file copy = {
        .path = str_dup(f->path),
        .size_bytes = f->size_bytes,
        .mtime_ns = f->mtime_ns,
        .inode = f->inode,
        .is_attachment = f->is_attachment,
        .is_as_stored = f->is_as_stored,
    };

    add_file(arg, &copy);
}

/* Is the file another's as well? */
static int is_shared(const struct job *j, const char *path)
{
    struct agent_path place;

    j->agent->classify(path, &place);
    return place.kind == AGENT_HISTORY ||
           (place.session_id[0] != '\0' && strcmp(place.session_id, j->session_id) != 0);
}

/* Recorded as it is now, so that the next scan does not take it for news. */
static void on_skipped(void *arg, const char *path, const char *reason)
{
    struct job *j = arg;
    struct json_object *o = json_object_new_object();
    char *whole = path_join(j->root, path), quoted[512];
    struct stat st;

    jdoc_set_str(o, "path", path);
    jdoc_set_str(o, "reason", reason);
    json_object_array_add(j->skipped, o);
    if (!is_shared(j, path) && lstat(whole, &st) == 0 && !S_ISDIR(st.st_mode)) {
        /* As the watcher sees it. */
        struct job_file f = {
            .path = str_dup(path),
            .size_bytes = beneath_size(&st),
            .mtime_ns = file_mtime_ns(&st),
            .inode = (uint64_t)st.st_ino,
        };
        add_file(j, &f);
    }
    log_warn("file-skipped session=%s path=%s reason=\"%s\"", j->session_id,
             log_quote(path, quoted, sizeof(quoted)), reason);
    free(whole);
}

static void on_duplicate(void *arg, const char *path)
{
    struct job *j = arg;

    json_object_array_add(j->duplicates, jdoc_new_str(path));
}

static void on_other(void *arg, const char *path, size_t records)
{
    struct job *j = arg;
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "path", path);
    jdoc_set_int(o, "records", (int64_t)records);
    json_object_array_add(j->others, o);
}

static void hold_writer(void *arg, const char *project, const char *cwd)
{
    rules_hold(arg, project, cwd);
}

struct holding {
    struct rules *rules;
    const char *own_id;
};

/* One of which only its project folder is known is judged by the name of that. */
static void hold_session(void *arg, const struct state_session *ss)
{
    const struct holding *h = arg;
    const char *cwd = jdoc_str(ss->meta, "cwd");

    if (strcmp(ss->session_id, h->own_id) == 0)
        return;
    if (!rules_has_id(h->rules, ss->session_id) &&
        (ss->is_excluded != STATE_EXCLUDED_FOLDER || cwd == NULL))
        return;
    rules_hold_session(h->rules, ss->session_id, ss->project, cwd, ss->slug);
    cwd = jdoc_str(ss->meta, "beganIn");
    if (cwd != NULL)
        rules_hold_session(h->rules, ss->session_id, ss->project, cwd, "");
}

struct rules *job_rules(struct daemon *d, const char *own_id)
{
    struct rules *r = rules_copy(d->rules);
    struct holding h = {r, own_id};

    if (rules_any(r)) {
        state_each_excluded(d->books->state, hold_session, &h);
        state_each_writer(d->books->state, hold_writer, r);
    }
    return r;
}

/* Take it in the root of that number, of which the agent may have others. */
static int snapshot_in(struct job *j, size_t i, struct snapshot **ret, struct ct_err *err)
{
    const char *root = j->roots.v[i];
    struct strlist also = {0};
    int rc;

    for (size_t k = 0; k < j->roots.n; k++) {
        if (strcmp(j->root_agents.v[k], j->root_agents.v[i]) == 0)
            strlist_add(&also, j->roots.v[k]);
    }
    struct snapshot_opts o = {
        .root = root,
        .agent = j->agent = agent_find(j->root_agents.v[i]),
        .session_id = j->session_id,
        .project = j->last_project,
        .also = &also,
        .user_dir = path_home(),
        .cancel = &j->cancel,
        .guard = withhold_guard(j),
    };

    rc = snapshot_take(&o, ret, err);
    strlist_free(&also);
    if (rc != 0)
        return -1;
    free(j->root);
    j->root = str_dup(root);
    return 0;
}

/* Once a session is an agent's, it is no other one's. */
static int is_of_agent(const struct job *j, size_t i)
{
    return j->last_agent[0] == '\0' || strcmp(j->root_agents.v[i], j->last_agent) == 0;
}

/* Of several data folders that have it that of the last bundle comes first: which transcript counts
 * does not change without need. */
static int best_snapshot(struct job *j, struct snapshot **ret, struct ct_err *err)
{
    struct ct_err e, worst = {0};

    for (size_t i = 0; j->last_root != NULL && i < j->roots.n; i++) {
        if (strcmp(j->roots.v[i], j->last_root) == 0 && snapshot_in(j, i, ret, &worst) == 0)
            return 0;
    }
    for (size_t i = 0; i < j->roots.n; i++) {
        if (!is_of_agent(j, i))
            continue;
        if (snapshot_in(j, i, ret, &e) == 0)
            return 0;
        if (worst.code == ERR_NONE || worst.code == ERR_GONE)
            worst = e;
    }
    *err = worst;
    return -1;
}

/* What stays here is not compressed first: neither spool nor cache is to hold any of it. */
static int stays_here(struct job *j, const struct snapshot *s)
{
    char cwd[ORIGIN_SIZE], last[ORIGIN_SIZE], name[256], *slug;

    if (!rules_any(j->exclude))
        return 0;
    origin_cwd(s, cwd);
    origin_last_cwd(s, last);
    if (withhold_reason(j, j->session_id, snapshot_project(s), cwd, last) == NULL)
        return 0;
    /* What is put on record is the folder that it stays here for. */
    if (rules_reason(j->exclude, j->session_id, cwd, snapshot_project(s)) == NULL &&
        rules_reason(j->exclude, NULL, "", snapshot_project(s)) != NULL)
        cwd[0] = '\0';
    else if (rules_reason(j->exclude, j->session_id, cwd, snapshot_project(s)) == NULL)
        memcpy(cwd, last, sizeof(cwd));
    j->is_excluded = 1;
    snapshot_memory_may_be(s, &j->memories);
    j->project = str_dup(snapshot_project(s));
    snapshot_each_file(s, on_file, j);
    j->result.metadata = json_object_new_object();
    slug = origin_slug(s);
    jdoc_set_str(j->result.metadata, "slug", slug);
    free(slug);
    if (cwd[0] == '\0')
        return 1;
    jdoc_set_str(j->result.metadata, "cwd", cwd);
    jdoc_set_str(j->result.metadata, "projectName",
                 transcript_project_name(cwd, name, sizeof(name)));
    return 1;
}

/* Memory is another session's as well, and stays on record for that. */
static void on_stub_file(void *arg, const struct snapshot_file *f)
{
    struct job *j = arg;
    struct agent_path place;

    j->agent->classify(f->path, &place);
    if (place.kind != AGENT_MEMORY)
        on_file(j, f);
}

static int is_stub(struct job *j, const struct snapshot *s)
{
    if (!j->is_unheard_of || !stub_is(s))
        return 0;
    j->is_stub = 1;
    snapshot_each_file(s, on_stub_file, j);
    return 1;
}

static void on_noted(void *arg, const char *session_id)
{
    int *is_any = arg;

    (void)session_id;
    *is_any = 1;
}

/* Mostly all is one's own, and no fork has to be told. */
static int is_any_noted(const struct job *j)
{
    int is_any = 0;

    origin_each(j->notes_dir, &j->roots, on_noted, &is_any);
    return is_any;
}

/* A fork is whose that is which it was made of.  What is not one's own may have gone on from a
 * compaction, and be forked from there. */
static int note_origin(struct job *j, const struct snapshot *s)
{
    char buf[ORIGIN_KEY_SIZE];
    const char *key = origin_key(j->agent->id, j->session_id, buf);
    int is_noted = origin_of(j->notes_dir, &j->roots, key) != TRUST_OWN, rc;
    struct strlist begins = {0};

    if (!is_noted && !(j->is_unheard_of && is_any_noted(j)))
        return 0;
    origin_begins(s, is_noted && !j->is_unheard_of ? j->previous_bytes : 0, &begins);
    rc = is_noted ? origin_note(j->notes_dir, NULL, key, TRUST_OWN, &begins, &j->err)
                  : origin_inherit(j->notes_dir, &j->roots, key, &begins, &j->err);
    strlist_free(&begins);
    return rc;
}

static int pack_once(struct job *j)
{
    struct pack_opts o = {
        .cache_dir = j->cache_dir,
        .cache_bytes = j->cache_bytes,
        .known_id = j->known_id[0] != '\0' ? j->known_id : NULL,
        .spool_path = j->spool_path,
        .spool_room_bytes = j->spool_room_bytes,
        .key = j->keys != NULL ? keyring_current(j->keys->ring) : NULL,
        .generation = j->bundle_generation,
        .cancel = &j->cancel,
        .previous_bytes = j->previous_bytes,
        .previous_digest = j->previous_digest[0] != '\0' ? j->previous_digest : NULL,
        .stored = j->stored.data,
        .stored_bytes = j->stored.len,
    };
    struct snapshot *s;
    int rc;

    job_clear_results(j);
    if (j->profile_root >= 0 ? profile_take(j, &s, &j->err) != 0
                             : best_snapshot(j, &s, &j->err) != 0)
        return -1;
    if (j->profile_root < 0 && is_stub(j, s)) {
        snapshot_free(s);
        return err_set(&j->err, ERR_REFUSED, "nothing is in it yet");
    }
    if (j->profile_root < 0 && stays_here(j, s)) {
        snapshot_free(s);
        return err_set(&j->err, ERR_REFUSED, "its folder is excluded");
    }
    if (j->profile_root < 0 && note_origin(j, s) != 0) {
        snapshot_free(s);
        return -1;
    }
    if (j->profile_root < 0)
        withhold(j, s);
    rc = pack_write(s, &o, &j->result, &j->err);
    if (rc != 0 && j->err.code == ERR_GONE)
        j->err.code = ERR_FAIL; /* the spool, not the session: only the snapshot can say that */
    if (rc == 0) {
        j->skipped = json_object_new_array();
        j->duplicates = json_object_new_array();
        j->others = json_object_new_array();
        j->project = str_dup(j->profile_root >= 0 ? STATE_PROFILE : snapshot_project(s));
        credscan_run(j->scan, s, j->result.is_rewritten, &j->cancel);
        snapshot_each_file(s, on_file, j);
        snapshot_each_skipped(s, on_skipped, j);
        snapshot_each_duplicate(s, on_duplicate, j);
        snapshot_each_other(s, on_other, j);
    }
    snapshot_free(s);
    return rc;
}

void job_run(void *arg)
{
    struct job *j = arg;

    for (int i = 0; i < TRIES; i++) {
        j->rc = pack_once(j);
        if (j->rc == 0 || j->err.code != ERR_RETRY)
            return;
    }
}
