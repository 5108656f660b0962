#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "agents/disk/encode.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "daemon/session/rules.h"

#define MAX_FILE (1 << 20)
#define FILE_NAME "exclude.json"

struct rule {
    char *path;   /* absolute, without a slash at its end */
    char *folder; /* what Claude Code calls its project folder */
    int is_excluded;
    int is_said; /* with ctctl, not in the configuration */
    char *reason;
};

struct rules {
    struct rule *rules;
    size_t n, cap;
    struct strlist ids; /* sessions that are excluded each by itself */
    /* In a job's copy: of sessions that are excluded the project folders, and ids, plans, cwds. */
    struct strlist held, held_ids, held_slugs, held_cwds;
    struct strlist from; /* files of before whose rules are in here: folder, digest, folder, ... */
    char *file;          /* of what was said */
    char *base;          /* where the folders of machines lie, that had such a file each; or NULL */
};

/* ---- the rules in memory ------------------------------------------------------------------------
 */

static void add(struct rules *e, const char *path, int is_excluded, int is_said)
{
    struct rule *r;
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    if (e->n == e->cap) {
        e->cap = e->cap * 2 + 4;
        e->rules = str_realloc(e->rules, e->cap, sizeof(*e->rules));
    }
    r = &e->rules[e->n++];
    r->path = str_printf("%.*s", (int)n, path);
    r->folder = claude_project_name(r->path);
    r->is_excluded = is_excluded;
    r->is_said = is_said;
    r->reason = str_printf("it began in the excluded folder %s; to have it saved: ctctl include %s",
                           r->path, r->path);
}

static void drop(struct rules *e, size_t i)
{
    free(e->rules[i].path);
    free(e->rules[i].folder);
    free(e->rules[i].reason);
    e->rules[i] = e->rules[--e->n];
}

/* As long as no record has said where the session began, the name of its project folder is asked,
 * in which every odd character is a dash: it says too much rather than too little. */
static int concerns(const struct rule *r, const char *cwd, const char *project)
{
    size_t n = strlen(r->folder);

    if (cwd != NULL && cwd[0] != '\0')
        return path_is_below(cwd, r->path);
    if (path_is_below(path_home(), r->path))
        return 1;
    if (project == NULL || strncmp(project, r->folder, n < ENCODE_MAX ? n : ENCODE_MAX) != 0)
        return 0;
    return n >= ENCODE_MAX || project[n] == '-' || project[n] == '\0';
}

static const struct rule *decides(const struct rules *e, const char *cwd, const char *project)
{
    const struct rule *best = NULL;
    size_t longest = 0;

    for (size_t i = 0; i < e->n; i++) {
        const struct rule *r = &e->rules[i];
        size_t n = strlen(r->path);
        if (!concerns(r, cwd, project))
            continue;
        /* Of the configuration's two words on one folder the careful one counts. */
        if (best == NULL || n > longest || (n == longest && r->is_said > best->is_said) ||
            (n == longest && r->is_said == best->is_said && r->is_excluded)) {
            best = r;
            longest = n;
        }
    }
    return best;
}

int rules_has_id(const struct rules *e, const char *id)
{
    return id != NULL && strlist_has(&e->ids, id);
}

const char *rules_reason(const struct rules *e, const char *id, const char *cwd,
                         const char *project)
{
    const struct rule *r = decides(e, cwd, project);

    if (rules_has_id(e, id))
        return "it is excluded by its ID; to have it saved: ctctl include ID";

    return r != NULL && r->is_excluded ? r->reason : NULL;
}

void rules_hold(struct rules *e, const char *project, const char *cwd)
{
    if (rules_reason(e, NULL, cwd, project) != NULL || strlist_has(&e->held_cwds, cwd))
        strlist_add_once(&e->held, project);
}

void rules_hold_session(struct rules *e, const char *id, const char *project, const char *cwd,
                        const char *slug)
{
    strlist_add_once(&e->held, project);
    strlist_add(&e->held_ids, id);
    if (cwd != NULL && cwd[0] != '\0')
        strlist_add_once(&e->held_cwds, cwd);
    if (slug[0] != '\0')
        strlist_add_once(&e->held_slugs, slug);
}

int rules_holds_id(const struct rules *e, const char *id)
{
    return rules_has_id(e, id) || strlist_has(&e->held_ids, id);
}

int rules_holds_slug(const struct rules *e, const char *slug)
{
    return strlist_has(&e->held_slugs, slug);
}

const char *rules_memory_reason(const struct rules *e, const char *project)
{
    if (strlist_has(&e->held, project))
        return "sessions that are excluded can have the same memory";
    if (rules_reason(e, NULL, "", project) != NULL)
        return "it may be the memory of an excluded folder; to have it saved: ctctl include FOLDER "
               "with the folder of this session";
    return NULL;
}

int rules_is_above(const struct rules *e, const char *project)
{
    size_t n = strlen(project);

    for (size_t i = 0; i < e->n; i++) {
        const struct rule *r = &e->rules[i];
        if (r->is_excluded && strncmp(r->folder, project, n) == 0 && r->folder[n] == '-')
            return 1;
    }
    return 0;
}

int rules_any(const struct rules *e)
{
    return e->n > 0 || e->ids.n > 0;
}

/* Sessions know their folder by its real name; the user may have written another one. */
static void add_configured(struct rules *e, const struct strlist *paths, int is_excluded)
{
    for (size_t i = 0; i < paths->n; i++) {
        char *real = realpath(paths->v[i], NULL);
        add(e, paths->v[i], is_excluded, 0);
        if (real != NULL && strcmp(real, paths->v[i]) != 0)
            add(e, real, is_excluded, 0);
        free(real);
    }
}

void rules_configure(struct rules *e, const struct config *config)
{
    for (size_t i = e->n; i-- > 0;) {
        if (!e->rules[i].is_said)
            drop(e, i);
    }
    add_configured(e, &config->exclude, 1);
    add_configured(e, &config->include, 0);
}

static int by_path(const void *a, const void *b)
{
    const struct rule *const *x = a, *const *y = b;
    int order = strcmp((*x)->path, (*y)->path);

    return order != 0 ? order : (*x)->is_said - (*y)->is_said;
}

struct json_object *rules_json(const struct rules *e)
{
    struct json_object *list = json_object_new_array(), *o;
    const struct rule **sorted = str_calloc(e->n + 1, sizeof(struct rule *));

    for (size_t i = 0; i < e->n; i++)
        sorted[i] = &e->rules[i];
    qsort(sorted, e->n, sizeof(struct rule *), by_path);
    for (size_t i = 0; i < e->n; i++) {
        o = json_object_new_object();
        jdoc_set_str(o, "path", sorted[i]->path);
        jdoc_set_bool(o, "excluded", sorted[i]->is_excluded);
        jdoc_set_str(o, "from", sorted[i]->is_said ? "ctctl" : "configuration");
        json_object_array_add(list, o);
    }
    free(sorted);
    return list;
}

/* ---- what was said, on disk ---------------------------------------------------------------------
 */

static int load_paths(struct rules *e, struct json_object *o, const char *key, int is_excluded)
{
    struct json_object *list = jdoc_array(o, key);
    size_t n = list != NULL ? json_object_array_length(list) : 0;

    for (size_t i = 0; i < n; i++) {
        struct json_object *s = json_object_array_get_idx(list, i);
        if (json_object_get_type(s) != json_type_string || json_object_get_string(s)[0] != '/')
            return -1;
        add(e, json_object_get_string(s), is_excluded, 1);
    }
    return list != NULL ? 0 : -1;
}

/* Members that older files lack. */
static int load_words(struct json_object *o, const char *key, struct strlist *ret)
{
    struct json_object *list = jdoc_array(o, key);
    size_t n = list != NULL ? json_object_array_length(list) : 0;

    for (size_t i = 0; i < n; i++) {
        struct json_object *s = json_object_array_get_idx(list, i);
        if (json_object_get_type(s) != json_type_string)
            return -1;
        strlist_add(ret, json_object_get_string(s));
    }
    return list != NULL || !jdoc_has(o, key) ? 0 : -1;
}

/* Add what ${path} says to ${e}.  A file that is not there says nothing. */
static int load(struct rules *e, const char *path, char digest[HASH_SHA256_HEX], struct ct_err *err)
{
    struct json_object *o = NULL;
    struct buf b = {0};
    struct ct_err why = {0};
    int rc = file_read(path, MAX_FILE, &b, &why);

    digest[0] = '\0';
    if (rc != 0 && why.code == ERR_GONE) {
        rc = 0;
        goto done;
    }
    if (rc == 0)
        rc = jdoc_parse(b.data != NULL ? b.data : "", b.len, &o, &why);
    if (rc == 0 &&
        (load_paths(e, o, "exclude", 1) != 0 || load_paths(e, o, "include", 0) != 0 ||
         load_words(o, "sessions", &e->ids) != 0 || load_words(o, "from", &e->from) != 0))
        rc = err_set(&why, ERR_CORRUPT, "it does not hold lists of paths and sessions");
    json_object_put(o);
    if (rc != 0)
        err_set(err, ERR_CONFIG,
                "%s says what is excluded, and can't be read: %.200s. Nothing is saved before it "
                "is mended, or removed and said again with: ctctl exclude",
                path, why.msg);
    else
        hash_sha256_hex(b.data, b.len, digest);
done:
    buf_free(&b);
    return rc;
}

static struct json_object *words_of(const struct strlist *words)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < words->n; i++)
        json_object_array_add(list, jdoc_new_str(words->v[i]));
    return list;
}

static int save(const struct rules *e, struct ct_err *err)
{
    struct json_object *o = json_object_new_object(), *lists[2];
    const char *text;
    int rc;

    lists[0] = json_object_new_array();
    lists[1] = json_object_new_array();
    for (size_t i = 0; i < e->n; i++) {
        if (e->rules[i].is_said)
            json_object_array_add(lists[e->rules[i].is_excluded], jdoc_new_str(e->rules[i].path));
    }
    json_object_object_add(o, "include", lists[0]);
    json_object_object_add(o, "exclude", lists[1]);
    json_object_object_add(o, "sessions", words_of(&e->ids));
    json_object_object_add(o, "from", words_of(&e->from));
    text = jdoc_text(o);
    rc = file_replace(e->file, text, strlen(text), 0600, err);
    json_object_put(o);
    return rc;
}

static void forget_said(struct rules *e)
{
    for (size_t i = e->n; i-- > 0;) {
        if (e->rules[i].is_said)
            drop(e, i);
    }
    strlist_free(&e->ids);
    strlist_free(&e->from);
}

/* Another machine that shares this home may have written the file meanwhile. */
static struct rules *anew(const struct rules *e, struct ct_err *err)
{
    struct rules *next = rules_copy(e);
    char digest[HASH_SHA256_HEX];

    forget_said(next);
    if (load(next, next->file, digest, err) == 0)
        return next;
    rules_free(next);
    return NULL;
}

static void swap(struct rules *e, struct rules *next)
{
    struct rules was = *e;

    *e = *next;
    *next = was;
    rules_free(next);
}

int rules_reload(struct rules *e, struct ct_err *err)
{
    struct rules *next = anew(e, err);

    if (next == NULL)
        return -1;
    swap(e, next);
    return 0;
}

int rules_say(struct rules *e, const char *path, int is_excluded, int *ret_changed,
              struct ct_err *err)
{
    struct rules *next = anew(e, err);
    char *name;
    int changed;

    if (next == NULL)
        return -1;
    changed = (rules_reason(next, NULL, path, NULL) != NULL) != is_excluded;
    for (size_t i = next->n; i-- > 0;) {
        if (next->rules[i].is_said && strcmp(next->rules[i].path, path) == 0)
            drop(next, i);
    }
    /* That something stays here is remembered although another rule may say so already: that one
     * can go some day.  That it may leave is the rule where no other says anything, of the folder
     * or of one that shares its project folder. */
    name = claude_encode(path);
    if (is_excluded || rules_reason(next, NULL, path, NULL) != NULL ||
        rules_reason(next, NULL, "", name) != NULL)
        add(next, path, is_excluded, 1);
    free(name);
    if (save(next, err) != 0) {
        rules_free(next);
        return -1;
    }
    swap(e, next);
    *ret_changed = changed;
    return 0;
}

int rules_say_id(struct rules *e, const char *id, int is_excluded, struct ct_err *err)
{
    struct rules *next = anew(e, err);
    struct strlist ids = {0};

    if (next == NULL)
        return -1;
    for (size_t i = 0; i < next->ids.n; i++) {
        if (strcmp(next->ids.v[i], id) != 0)
            strlist_add(&ids, next->ids.v[i]);
    }
    if (is_excluded)
        strlist_add(&ids, id);
    strlist_free(&next->ids);
    next->ids = ids;
    if (save(next, err) != 0) {
        rules_free(next);
        return -1;
    }
    swap(e, next);
    return 0;
}

const char *rules_path(const struct rules *e)
{
    return e->file;
}

const struct strlist *rules_ids(const struct rules *e)
{
    return &e->ids;
}

/* ---- where it lay before ------------------------------------------------------------------------
 */

static int has_said(const struct rules *e, const char *path)
{
    for (size_t i = 0; i < e->n; i++) {
        if (e->rules[i].is_said && strcmp(e->rules[i].path, path) == 0)
            return 1;
    }
    return 0;
}

static int is_taken(const struct rules *e, const char *folder, const char *digest)
{
    for (size_t i = 0; i + 1 < e->from.n; i += 2) {
        if (strcmp(e->from.v[i], folder) == 0 && strcmp(e->from.v[i + 1], digest) == 0)
            return 1;
    }
    return 0;
}

/* Take over what a daemon of before was told on the machine ${folder}.  What stays here anywhere
 * stays here; that something may leave counts only where nobody says otherwise. */
static int take_over(struct rules *e, const char *folder, int *ret_changed, struct ct_err *err)
{
    char *path = str_printf("%s/%s/" FILE_NAME, e->base, folder), digest[HASH_SHA256_HEX];
    struct rules old = {0};
    int rc = strcmp(path, e->file) == 0 ? 0 : load(&old, path, digest, err);

    if (rc == 0 && strcmp(path, e->file) != 0 && digest[0] != '\0' &&
        !is_taken(e, folder, digest)) {
        for (size_t i = 0; i < old.n; i++) {
            if (old.rules[i].is_excluded || !has_said(e, old.rules[i].path))
                add(e, old.rules[i].path, old.rules[i].is_excluded, 1);
        }
        strlist_add(&e->from, folder);
        strlist_add(&e->from, digest);
        *ret_changed = 1;
    }
    while (old.n > 0)
        drop(&old, old.n - 1);
    free(old.rules);
    strlist_free(&old.ids);
    strlist_free(&old.from);
    free(path);
    return rc;
}

/* The files of before stay as they are, for whoever goes back to such a daemon. */
static int take_over_all(struct rules *e, struct ct_err *err)
{
    DIR *d = e->base != NULL ? opendir(e->base) : NULL;
    struct dirent *entry;
    int changed = 0, rc = 0;

    while (rc == 0 && d != NULL && (entry = readdir(d)) != NULL) {
        if (entry->d_name[0] != '.')
            rc = take_over(e, entry->d_name, &changed, err);
    }
    if (d != NULL)
        closedir(d);
    return rc == 0 && changed ? save(e, err) : rc;
}

/* ---- life ---------------------------------------------------------------------------------------
 */

int rules_new(const struct config *config, struct rules **ret, struct ct_err *err)
{
    struct rules *e = str_calloc(1, sizeof(*e));
    char digest[HASH_SHA256_HEX];

    e->file = path_join(config->shared_dir, FILE_NAME);
    if (strcmp(config->shared_dir, config->state_dir) != 0)
        e->base = path_parent(config->shared_dir);
    if (load(e, e->file, digest, err) != 0 || take_over_all(e, err) != 0) {
        rules_free(e);
        return -1;
    }
    rules_configure(e, config);
    *ret = e;
    return 0;
}

struct rules *rules_copy(const struct rules *e)
{
    struct rules *copy = str_calloc(1, sizeof(*copy));

    copy->file = str_dup(e->file);
    copy->base = e->base != NULL ? str_dup(e->base) : NULL;
    strlist_copy(&copy->ids, &e->ids);
    strlist_copy(&copy->from, &e->from);
    for (size_t i = 0; i < e->n; i++)
        add(copy, e->rules[i].path, e->rules[i].is_excluded, e->rules[i].is_said);
    return copy;
}

void rules_free(struct rules *e)
{
    if (e == NULL)
        return;
    while (e->n > 0)
        drop(e, e->n - 1);
    free(e->rules);
    strlist_free(&e->ids);
    strlist_free(&e->from);
    strlist_free(&e->held);
    strlist_free(&e->held_ids);
    strlist_free(&e->held_slugs);
    strlist_free(&e->held_cwds);
    free(e->base);
    free(e->file);
    free(e);
}
