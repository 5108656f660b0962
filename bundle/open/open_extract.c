#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle/pack/content_id.h"
#include "bundle/format/entry.h"
#include "bundle/open/extraction.h"
#include "bundle/open/landing.h"
#include "bundle/open/open_extras.h"
#include "bundle/open/open_name.h"
#include "bundle/open/records.h"
#include "common/base/file.h"
#include "common/base/str.h"

#include "bundle/open/open.h"

#define HEAD_BYTES (64 << 10) /* of a transcript, to see whose it is */
#define MANIFEST_MAX (4 << 20)
#define LARGE_BYTES (1 << 20)           /* for so much, space is looked for beforehand */
#define BLOCK_BYTES 4096                /* a file that is nearly empty takes them */
#define SPARE_BYTES (INT64_C(64) << 20) /* that must be left then */
#define FOLDERS_FREE 1024               /* so many folders may there be, */
#define FOLDERS_FOR_EACH 4              /* and so many more for each file */
#define MADE_FREE 4096                  /* of others so many files and folders, */
#define MADE_BYTES 64                   /* and one more for so many compressed bytes */

/* ---- one file -----------------------------------------------------------------------------------
 */

/* Is there room for ${bytes} more?  What came before lies on the disk already, and counts there;
 * small files are added up until it is worth a look. */
static int check_space(struct extraction *x, int64_t bytes, struct ct_err *err)
{
    char need[32], have[32];
    struct statvfs st;
    int64_t free_bytes;

    x->unlooked_bytes += bytes + BLOCK_BYTES;
    if (x->stage_fd < 0 || x->unlooked_bytes < LARGE_BYTES)
        return 0;
    x->unlooked_bytes = 0;
    if (fstatvfs(x->stage_fd, &st) != 0)
        return 0;
    free_bytes = (int64_t)st.f_bavail * (int64_t)st.f_frsize;
    if (free_bytes - SPARE_BYTES >= bytes)
        return 0;
    return err_set(err, ERR_NOSPACE, "the session needs %s, and only %s are free",
                   str_human_bytes((unsigned long long)bytes, need, sizeof(need)),
                   str_human_bytes((unsigned long long)free_bytes, have, sizeof(have)));
}

/* The line that sets the permission mode back: it is the last one that counts, and where there is
 * none, an agent may choose another. */
static int reset_mode(struct extraction *x, struct landing *l, const struct records *r,
                      struct ct_err *err)
{
    const char *mode = records_mode(r);
    int is_own = x->o->opts.trust == TRUST_OWN, is_default = strcmp(mode, RECORDS_DEFAULT) == 0;
    char *line;
    int rc;

    if (is_own && (is_default || x->o->opts.keep_mode))
        return 0;
    line = x->o->meta.agent->default_mode(x->o->meta.session_id);
    rc = is_own && records_is_line_open(r) ? landing_add(l, "\n", 1, err) : 0;
    if (rc == 0)
        rc = landing_add(l, line, strlen(line), err);
    free(line);
    x->has_mode_reset = *mode != '\0' && !is_default;
    return rc;
}

/* What became of it on the way: paths grew, folders were made for it. */
static int check_growth(struct extraction *x, const struct landing *l, int64_t *counted,
                        struct ct_err *err)
{
    int64_t grown = landing_grown(l) - *counted;

    if (grown <= 0)
        return 0;
    *counted += grown;
    return untar_copied(x->o->untar, grown, err) == 0 ? check_space(x, grown, err) : -1;
}

/* Would anybody's real files be as many in a bundle of that size?  The header of one alone takes
 * more than MADE_BYTES. */
static int has_too_many(struct extraction *x)
{
    struct stat st;

    return x->o->opts.trust != TRUST_OWN && x->made > MADE_FREE && fstat(x->o->fd, &st) == 0 &&
           (x->made - MADE_FREE) > st.st_size / MADE_BYTES;
}

/* A file and the folders made for it take room and time, however little is in them. */
static int count_files(struct extraction *x, const struct item *i, int64_t folders,
                       struct ct_err *err)
{
    x->files++;
    x->folders += folders;
    x->made += i->is_taken ? 1 + folders : 0;
    if (has_too_many(x))
        return err_set(err, ERR_CORRUPT,
                       "the bundle has many more files than its size has room for: that is no "
                       "session");
    if (i->is_taken && untar_copied(x->o->untar, (1 + folders) * BLOCK_BYTES, err) != 0)
        return -1;
    if (x->folders > FOLDERS_FREE + FOLDERS_FOR_EACH * x->files)
        return err_set(err, ERR_CORRUPT,
                       "the bundle has many more folders than files: that is no session");
    return folders > 0 ? check_space(x, folders * BLOCK_BYTES, err) : 0;
}

static int64_t count_lines(const char *p, size_t n)
{
    const char *end = p + n;
    int64_t lines = 0;

    while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        lines++;
        p++;
    }
    return lines;
}

static int pour(struct extraction *x, struct item *i, struct landing *l, struct records *r,
                struct ct_err *err)
{
    int is_heard = i->kind == AGENT_TRANSCRIPT || entry_is_other(i->name), n;
    size_t len = strlen(i->name);
    int is_lines = len > 6 && strcmp(i->name + len - 6, ".jsonl") == 0;
    int64_t grown = 0;
    const void *p;

    while ((n = untar_read(x->o->untar, &p, err)) > 0) {
        if (landing_feed(l, p, (size_t)n, err) != 0 || check_growth(x, l, &grown, err) != 0)
            return -1;
        if (is_heard && x->o->opts.transcript != NULL)
            x->o->opts.transcript(x->o->opts.transcript_arg, p, (size_t)n);
        if (r != NULL)
            records_feed(r, p, (size_t)n);
        if (i->kind == AGENT_TRANSCRIPT && x->head.len < HEAD_BYTES)
            buf_add(&x->head, p, (size_t)n);
        if (is_lines)
            i->lines += count_lines(p, (size_t)n);
        if (strcmp(i->name, ENTRY_EXTRAS_MANIFEST) == 0)
            buf_add(&x->manifest, p, (size_t)n);
    }
    if (n < 0)
        return -1;
    if (r != NULL)
        records_end(r);
    return 0;
}

/* It came to nothing when it was built anew. */
static int drop(struct extraction *x, struct item *i, struct ct_err *err)
{
    extraction_leave_out(x, i->name, "nothing in it is what it should be");
    i->is_taken = 0;
    if (x->stage_fd >= 0 && unlinkat(x->stage_fd, i->name, 0) != 0)
        return err_sys(err, "can't remove a file from the stage");
    return 0;
}

/* /rewind gives a file the mode of what it was saved as: a script of one's own still runs then. */
static int take_mode(const struct extraction *x, const struct item *i, struct ct_err *err)
{
    if (!i->is_taken || !i->is_executable || i->kind != AGENT_FILE_HISTORY || x->stage_fd < 0 ||
        x->o->opts.trust == TRUST_STRANGER)
        return 0;
    return fchmodat(x->stage_fd, i->name, 0700, 0) == 0
               ? 0
               : err_sys(err, "can't set the mode of a file in the stage");
}

/* Does its first record say that it is another agent's?  What others wrote is built anew by one
 * agent's table, and nothing of another one's would come. */
static int is_anothers(const struct extraction *x, const struct item *i)
{
    const struct agent *agent = x->o->meta.agent, *whose;

    if (!i->is_taken || i->kind != AGENT_TRANSCRIPT || x->o->opts.trust == TRUST_OWN ||
        i->lines == 0)
        return 0;
    whose = agent_by_head(x->head.data != NULL ? x->head.data : "", x->head.len);
    return whose != agent && (whose->begins != NULL || agent->begins != NULL);
}

/* Read the content of an item, into the stage if it is taken. */
static int land(struct extraction *x, struct item *i, struct ct_err *err)
{
    const struct landing_place place = {
        .stage_fd = i->is_taken ? x->stage_fd : -1,
        .name = i->name,
        .relocation = open_name_is_json(i->kind, i->name) ? x->relocation : NULL,
        .agent = i->is_taken ? x->o->meta.agent : NULL,
        .rebuild = &x->rebuild,
    };
    struct records *r = NULL;
    struct landing *l;
    int rc;

    if (i->is_taken && check_space(x, i->size_bytes, err) != 0)
        return -1;
    if (landing_new(&place, &l, err) != 0)
        return -1;
    if (i->is_taken && i->kind == AGENT_TRANSCRIPT && x->o->meta.agent->default_mode != NULL)
        r = records_new(x->o->meta.session_id);
    rc = count_files(x, i, landing_folders(l), err);
    if (rc == 0)
        rc = pour(x, i, l, r, err);
    if (rc == 0 && is_anothers(x, i))
        rc = err_set(err, ERR_CORRUPT,
                     "its meta.json says that it is a session of %s's, and its records are not",
                     x->o->meta.agent->name);
    if (rc == 0 && r != NULL)
        rc = reset_mode(x, l, r, err);
    if (rc == 0)
        rc = landing_end(l, i->digest, &i->stage_bytes, err);
    records_free(r);
    landing_free(l);
    if (rc == 0)
        rc = take_mode(x, i, err);
    return rc > 0 ? drop(x, i, err) : rc;
}

/* Why the file is not installed, or NULL. */
static const char *refuse(const struct extraction *x, struct item *i)
{
    const char *reason = open_name_kind(&x->o->meta, i->name, &i->kind);

    if (reason == NULL && i->kind != AGENT_NOTHING)
        reason = x->o->meta.agent->why_not(&x->rebuild, i->name);
    if (reason == NULL && i->kind == AGENT_HISTORY && i->size_bytes > OPEN_HISTORY_MAX)
        return "more prompts than one session can have";
    return reason;
}

/* Names come once, so a file that is there has another by its letters: where case or composed
 * characters make no difference. */
static int is_twin(const struct extraction *x, const char *name)
{
    struct stat st;

    return fstatat(x->stage_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static int take_file(struct extraction *x, const struct untar_entry *e, const char *name,
                     const char *odd, struct ct_err *err)
{
    struct item *i = extraction_add(x, name, err);
    struct ct_err why = {0};

    if (i == NULL)
        return -1;
    i->size_bytes = e->size_bytes;
    i->is_executable = e->is_executable;
    if (strcmp(name, ENTRY_EXTRAS_MANIFEST) == 0) {
        if (e->size_bytes > MANIFEST_MAX)
            return err_set(err, ERR_CORRUPT, "the bundle's %s is too large", ENTRY_EXTRAS_MANIFEST);
    } else {
        if (odd == NULL)
            odd = refuse(x, i);
        if (odd != NULL)
            extraction_leave_out(x, name, odd);
        i->is_taken = odd == NULL && i->kind != AGENT_NOTHING;
    }
    if (land(x, i, &why) == 0)
        return 0;
    if (why.code == ERR_CONFLICT && is_twin(x, name)) {
        extraction_leave_out(x, name, "to this file system it has the name of another file");
        i->is_taken = 0;
        return land(x, i, err);
    }
    if (why.code == ERR_CONFLICT)
        return open_evil(name, "in the way of another", err);
    if (err != NULL)
        *err = why;
    return -1;
}

/* ---- hard links: node's tar makes them of files that share an inode
 * ------------------------------
 */

/* Make the file ${to} in the stage with what the file ${from} there holds. */
static int copy(const struct extraction *x, const char *from, const char *to,
                int64_t *ret_stage_bytes, struct ct_err *err)
{
    const size_t size = 64 << 10;
    const struct landing_place place = {.stage_fd = x->stage_fd, .name = to};
    unsigned char digest[HASH_SHA256_BYTES];
    struct landing *l = NULL;
    char *p = str_calloc(size, 1);
    ssize_t n;
    off_t at = 0;
    int rc = -1, fd = openat(x->stage_fd, from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        err_sys(err, "can't open a file of the stage");
        goto done;
    }
    if (landing_new(&place, &l, err) != 0)
        goto done;
    while ((n = file_pread_all(fd, p, size, at)) > 0) {
        if (landing_feed(l, p, (size_t)n, err) != 0)
            goto done;
        at += n;
    }
    rc = n < 0 ? err_sys(err, "can't read a file of the stage")
               : landing_end(l, digest, ret_stage_bytes, err);
done:
    landing_free(l);
    free(p);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* There is one, and it is looked at on its way into the stage. */
static int is_judged(enum agent_kind kind)
{
    return kind == AGENT_TRANSCRIPT || kind == AGENT_HISTORY;
}

/* Do both lie in one folder and end alike?  Then an agent builds both in the same way. */
static int is_like(const char *a, const char *b)
{
    const char *x = strrchr(a, '/'), *y = strrchr(b, '/');
    const char *end_x = strchr(x != NULL ? x : a, '.'), *end_y = strchr(y != NULL ? y : b, '.');

    if (x == NULL || y == NULL || x - a != y - b || memcmp(a, b, (size_t)(x - a)) != 0)
        return 0;
    return (end_x == NULL) == (end_y == NULL) && (end_x == NULL || strcmp(end_x, end_y) == 0);
}

/* Why the one is no copy of the other, or NULL: what was judged as something else would pass
 * unseen. */
static const char *refuse_copy(const struct extraction *x, const struct item *i,
                               const struct item *from)
{
    if (is_judged(i->kind) || is_judged(from->kind))
        return "a link from or to what a session has once";
    if (i->kind != from->kind ||
        open_name_is_json(i->kind, i->name) != open_name_is_json(from->kind, from->name))
        return "a link to another kind of file";
    if (x->o->opts.trust != TRUST_OWN && (i->kind == AGENT_PASTE || !is_like(i->name, from->name)))
        return "a link to another kind of file";
    return NULL;
}

static int take_link(struct extraction *x, const struct untar_entry *e, const char *name,
                     struct ct_err *err)
{
    char target[ENTRY_NAME_MAX + 1];
    const char *reason;
    struct item *i, *from = NULL;

    if (strcmp(name, ENTRY_TRANSCRIPT) == 0)
        return err_set(err, ERR_CORRUPT, "the bundle's transcript is a link: that is no session");
    if (open_name_clean(e->target, target, &reason) == NAME_FINE)
        from = extraction_find(x, target);
    if (from == NULL || !from->is_taken) {
        extraction_leave_out(x, name, "a link to something that is not in the bundle");
        return extraction_note(x, name, NOT_AN_ITEM, err);
    }
    i = extraction_add(x, name, err);
    if (i == NULL)
        return -1;
    from = extraction_find(x, target); /* the items may have moved */
    i->size_bytes = from->size_bytes;
    i->lines = from->lines;
    memcpy(i->digest, from->digest, sizeof(i->digest));
    reason = refuse(x, i);
    if (reason == NULL)
        reason = refuse_copy(x, i, from);
    if (reason != NULL) {
        extraction_leave_out(x, name, reason);
        return 0;
    }
    i->is_taken = 1;
    i->stage_bytes = from->stage_bytes;
    if (untar_copied(x->o->untar, from->size_bytes, err) != 0)
        return -1;
    if (x->stage_fd < 0)
        return 0;
    if (check_space(x, from->stage_bytes, err) != 0)
        return -1;
    return copy(x, from->name, name, &i->stage_bytes, err);
}

/* ---- all of it ----------------------------------------------------------------------------------
 */

static int take_entry(struct extraction *x, const struct untar_entry *e, struct ct_err *err)
{
    char name[ENTRY_NAME_MAX + 1];
    const char *reason;
    enum name_verdict verdict;

    if (e->name == NULL) {
        extraction_leave_out(x, "?", "its name can't be read");
        return 0;
    }
    verdict = open_name_clean(e->name, name, &reason);
    if (verdict == NAME_EVIL)
        return open_evil(e->name, reason, err);
    if (e->type == UNTAR_FOLDER)
        return 0;
    if (*name == '\0')
        return open_evil(e->name, "that of a folder", err);
    if (strcmp(name, ENTRY_META) == 0)
        return extraction_note(x, name, NOT_AN_ITEM, err);
    if (e->type == UNTAR_OTHER) {
        extraction_leave_out(x, name, e->what);
        return extraction_note(x, name, NOT_AN_ITEM, err);
    }
    if (e->type == UNTAR_HARD_LINK)
        return take_link(x, e, name, err);
    return take_file(x, e, name, verdict == NAME_ODD ? reason : NULL, err);
}

/* No file may be a folder as well.  (The stage would not have taken both; a mere check has none.)
 */
static int check_folders(const struct extraction *x, struct ct_err *err)
{
    char folder[ENTRY_NAME_MAX + 1];

    for (size_t i = 0; i < x->n; i++) {
        const char *name = x->items[i].name;
        for (const char *p = name; x->items[i].is_taken && (p = strchr(p, '/')) != NULL; p++) {
            const struct item *other;
            memcpy(folder, name, (size_t)(p - name));
            folder[p - name] = '\0';
            other = extraction_find(x, folder);
            if (other != NULL && other->is_taken)
                return open_evil(name, "in the way of another", err);
        }
    }
    return 0;
}

static int take_all(struct extraction *x, struct ct_err *err)
{
    struct untar_entry e;
    const struct item *transcript;
    int rc;

    if (x->o->is_meta_first && extraction_note(x, ENTRY_META, NOT_AN_ITEM, err) != 0)
        return -1;
    while ((rc = untar_next(x->o->untar, &e, err)) > 0) {
        if (take_entry(x, &e, err) != 0)
            return -1;
    }
    if (rc < 0)
        return -1;
    transcript = extraction_find(x, ENTRY_TRANSCRIPT);
    if (transcript == NULL || !transcript->is_taken)
        return err_set(err, ERR_CORRUPT, "the bundle has no transcript (session.jsonl)");
    return check_folders(x, err);
}

static int by_name(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static void content_id(const struct extraction *x, char ret[HASH_SHA256_HEX])
{
    struct hash *h = hash_new(HASH_SHA256);

    for (size_t i = 0; i < x->n; i++)
        content_id_mix(h, x->items[i].name, x->items[i].size_bytes, x->items[i].digest);
    hash_final_hex(h, ret);
}

static int by_entry_name(const void *a, const void *b)
{
    const struct open_entry *x = a, *y = b;

    return strcmp(x->name, y->name);
}

/* Some come under another name than they had. */
static int rename_arrivals(const struct extraction *x, struct open_result *r, struct ct_err *err)
{
    for (size_t i = 0; i < r->n; i++) {
        struct open_entry *e = &r->entries[i];
        char *name = x->o->meta.agent->arrival(&x->rebuild, e->name);
        if (strcmp(name, e->name) != 0 && x->stage_fd >= 0 &&
            renameat(x->stage_fd, e->name, x->stage_fd, name) != 0) {
            free(name);
            return err_sys(err, "can't name a file in the stage");
        }
        free(e->name);
        e->name = name;
    }
    qsort(r->entries, r->n, sizeof(*r->entries), by_entry_name);
    return 0;
}

static int conclude(struct extraction *x, struct open_result *r, struct ct_err *err)
{
    const char *said = x->o->meta.content_id;

    /* The map's indices are good no more. */
    qsort(x->items, x->n, sizeof(*x->items), by_name);
    content_id(x, r->content_id);
    if (said != NULL && strcmp(said, r->content_id) != 0)
        return err_set(err, ERR_CORRUPT,
                       "the bundle is damaged: its contents are not what its meta.json names");
    r->entries = str_calloc(x->n, sizeof(*r->entries));
    for (size_t i = 0; i < x->n; i++) {
        struct item *t = &x->items[i];
        struct open_entry *e = &r->entries[r->n];
        r->raw_bytes += t->size_bytes;
        if (!t->is_taken)
            continue;
        *e = (struct open_entry){.name = t->name,
                                 .kind = t->kind,
                                 .size_bytes = t->size_bytes,
                                 .stage_bytes = t->stage_bytes,
                                 .lines = t->lines};
        memcpy(e->digest, t->digest, sizeof(e->digest));
        t->name = NULL;
        r->n++;
    }
    if (rename_arrivals(x, r, err) != 0) {
        open_result_free(r);
        return -1;
    }
    r->trust = x->o->opts.trust;
    r->left_out = x->left_out;
    r->has_mode_reset = x->has_mode_reset;
    r->losses = x->losses;
    x->losses = (struct losses){0};
    r->used = x->used;
    x->used = (struct losses){0};
    x->left_out = (struct strlist){0};
    return 0;
}

int opener_extract(struct opener *o, const char *stage_dir, const struct relocation *relocation,
                   struct open_result *ret, struct ct_err *err)
{
    struct extraction x = {.o = o, .stage_fd = -1, .relocation = relocation};
    struct open_result r = {0};
    int rc = -1;

    if (o->is_spent)
        return err_set(err, ERR_BUG, "a bundle can be extracted once");
    o->is_spent = 1;
    if (stage_dir != NULL) {
        x.stage_fd = open(stage_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (x.stage_fd < 0)
            return err_sys(err, "can't open %s", stage_dir);
    }
    x.names = map_new();
    x.rebuild = (struct rebuild_opts){
        .trust = o->opts.trust,
        .session_id = o->meta.session_id,
        .cwd = relocation != NULL ? relocation_cwd(relocation) : NULL,
        .home = relocation != NULL ? relocation_home(relocation) : NULL,
        .with_memory = o->opts.with_memory,
        .with_file_history = o->opts.with_file_history,
        .keep_mode = o->opts.keep_mode,
        .has_mode_reset = &x.has_mode_reset,
        .losses = &x.losses,
        .used = &x.used,
    };
    rc = take_all(&x, err);
    if (rc == 0)
        open_extras_leave_out(&x);
    if (rc == 0)
        rc = conclude(&x, &r, err);
    if (rc == 0)
        *ret = r;
    for (size_t i = 0; i < x.n; i++)
        free(x.items[i].name);
    free(x.items);
    strlist_free(&x.left_out);
    losses_free(&x.losses);
    losses_free(&x.used);
    buf_free(&x.manifest);
    buf_free(&x.head);
    map_free(x.names);
    if (x.stage_fd >= 0)
        close(x.stage_fd);
    return rc;
}

void open_result_free(struct open_result *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->entries[i].name);
    free(r->entries);
    strlist_free(&r->left_out);
    losses_free(&r->losses);
    losses_free(&r->used);
    memset(r, 0, sizeof(*r));
}
