#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/claude/claude.h"
#include "agents/claude/rebuild_inside.h"
#include "agents/claude/worktree.h"
#include "common/base/hash.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/base/uuid.h"

#include "agents/claude/rebuild.h"

#define FRESH "ct-"
#define FRESH_DIGITS 12
#define PASTE_DIGITS 16
#define STEPS_MAX 64 /* over records that were left out */

/* ---- which files -------------------------------------------------------------------------------
 */

/* What does not come from the agent's own hand has such names: .git, .mcp.json, .claude. */
static int is_hidden(const char *entry)
{
    static const char counter[] = "/.highwatermark";
    const char *p = entry;
    size_t n = strlen(entry);

    if ((strncmp(entry, "tasks/", 6) == 0 || strncmp(entry, "team-tasks/", 11) == 0 ||
         strncmp(entry, "profile/tasks/", 14) == 0) &&
        n > sizeof(counter) - 1 && strcmp(entry + n - (sizeof(counter) - 1), counter) == 0)
        return 0;
    while (*p != '\0') {
        if (*p == '.')
            return 1;
        p = strchr(p, '/');
        if (p == NULL)
            break;
        p++;
    }
    return 0;
}

const char *claude_why_not(const struct rebuild_opts *opts, const char *entry)
{
    const struct allow_entry *row = allow_entry(entry);

    if (is_hidden(entry))
        return "no session has a hidden file";
    if (opts->trust == TRUST_OWN)
        return NULL;
    if (row == NULL && strncmp(entry, "profile/", 8) == 0)
        return "teams, and prompts of no session, come only if one's own key has sealed them";
    if (row == NULL)
        return "such a file does not come from a stranger";
    if (row->is_accounts && opts->trust != TRUST_ACCOUNT)
        return "such a file does not come from a stranger";
    if (!row->needs_asking || opts->trust == TRUST_ACCOUNT)
        return NULL;
    if (strncmp(entry, "file-history/", 13) != 0)
        return opts->with_memory ? NULL
                                 : "memory that comes from elsewhere is taken only when asked for";
    return opts->with_file_history
               ? NULL
               : "file history that comes from elsewhere is taken only when asked for";
}

char *rebuild_slug(const struct rebuild_opts *opts, const char *slug)
{
    struct hash *h;
    char hex[HASH_SHA256_HEX];

    if (opts->trust != TRUST_STRANGER)
        return str_dup(slug);
    h = hash_new(HASH_SHA256);
    hash_update(h, opts->session_id, strlen(opts->session_id) + 1);
    hash_update(h, slug, strlen(slug));
    hash_final_hex(h, hex);
    return str_printf(FRESH "%.*s", FRESH_DIGITS, hex);
}

/* plans/<slug>.md, plans/<slug>-agent-<id>.md */
char *claude_arrival(const struct rebuild_opts *opts, const char *entry)
{
    char *slug, *fresh, *name, *rest;

    if (opts->trust != TRUST_STRANGER || strncmp(entry, "plans/", 6) != 0)
        return str_dup(entry);
    slug = str_dup(entry + 6);
    slug[strlen(slug) - strlen(".md")] = '\0';
    rest = strstr(slug, "-agent-");
    name = str_dup(rest != NULL ? rest : "");
    if (rest != NULL)
        *rest = '\0';
    fresh = rebuild_slug(opts, slug);
    rest = str_printf("plans/%s%s.md", fresh, name);
    free(slug);
    free(fresh);
    free(name);
    return rest;
}

/* ---- what is to come ---------------------------------------------------------------------------
 */

void rebuild_add_exact(struct rebuild *r, const char *p, size_t n)
{
    if (r->n_exact == r->cap_exact) {
        r->cap_exact = r->cap_exact == 0 ? 16 : r->cap_exact * 2;
        r->exact = str_realloc(r->exact, r->cap_exact, sizeof(*r->exact));
    }
    r->exact[r->n_exact].begin = r->out.len;
    buf_add(&r->out, p, n);
    r->exact[r->n_exact++].end = r->out.len;
}

void rebuild_add_quoted(struct rebuild *r, const char *s)
{
    struct buf b = {0};

    jtree_quote(&b, s, strlen(s));
    rebuild_add_exact(r, b.data, b.len);
    buf_free(&b);
}

static int put(struct rebuild *r, const char *p, size_t n, int is_exact, struct ct_err *err)
{
    return n > 0 ? r->opts.put(r->opts.arg, p, n, is_exact, err) : 0;
}

/* Hand out r->out. */
static int put_out(struct rebuild *r, struct ct_err *err)
{
    size_t at = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < r->n_exact; i++) {
        rc = put(r, r->out.data + at, r->exact[i].begin - at, 0, err);
        if (rc == 0)
            rc = put(r, r->out.data + r->exact[i].begin, r->exact[i].end - r->exact[i].begin, 1,
                     err);
        at = r->exact[i].end;
    }
    if (rc == 0)
        rc = put(r, r->out.data + at, r->out.len - at, 0, err);
    r->has_put |= r->out.len > 0;
    return rc;
}

static void clear_out(struct rebuild *r)
{
    buf_reset(&r->out);
    r->n_exact = 0;
}

/* ---- links between records ---------------------------------------------------------------------
 */

const char *rebuild_link(struct rebuild *r, uint32_t value)
{
    const char *other = NULL, *next;

    if (map_size(r->gone) == 0 || jtree_string(&r->tree, value, &r->word) != 0)
        return NULL;
    next = map_get(r->gone, r->word.data);
    for (int i = 0; next != NULL && i < STEPS_MAX; i++) {
        other = next;
        next = *other != '\0' ? map_get(r->gone, other) : NULL;
    }
    return other;
}

void rebuild_leave_out(struct rebuild *r)
{
    uint32_t uuid = jtree_member(&r->tree, 0, "uuid");
    uint32_t parent = jtree_member(&r->tree, 0, "parentUuid");
    char *before;
    const char *other;

    if (parent != JTREE_NONE && jtree_string(&r->tree, parent, &r->word) == 0 &&
        uuid_is_valid(r->word.data)) {
        before = str_dup(r->word.data);
        other = rebuild_link(r, parent);
        if (other != NULL) {
            char *further = str_dup(other);
            free(before);
            before = further;
        }
    } else {
        before = str_dup("");
    }
    if (jtree_string(&r->tree, uuid, &r->word) != 0 || !uuid_is_valid(r->word.data) ||
        map_get(r->gone, r->word.data) != NULL) {
        free(before);
        return;
    }
    if (strcmp(before, r->word.data) == 0)
        *before = '\0'; /* its own: it goes round */
    map_put(r->gone, r->word.data, before);
}

/* ---- file history ------------------------------------------------------------------------------
 */

/* Below ${root}, by plain names. */
static int is_plainly_below(const char *root, const char *path)
{
    size_t n = strlen(root);

    if (strncmp(path, root, n) != 0 || path[n] != '/')
        return 0;
    for (const char *p = path + n; *p != '\0'; p += strcspn(p, "/")) {
        while (*p == '/')
            p++;
        if (*p == '.' || *p == '\0')
            return 0;
    }
    return 1;
}

int rebuild_may_rewind(struct rebuild *r, const char *path)
{
    char *moved;
    int is_fine;

    if (r->opts.cwd == NULL)
        return 1;
    moved = path[0] == '/' || strchr(path, '\\') != NULL || strchr(path, ':') != NULL
                ? r->opts.moved(r->opts.arg, path)
                : str_printf("%s/%s", r->opts.cwd, path);
    is_fine = is_plainly_below(r->opts.cwd, moved) ||
              (r->opts.trust == TRUST_OWN && r->opts.home != NULL &&
               is_plainly_below(r->opts.home, moved));
    free(moved);
    return is_fine;
}

int rebuild_are_below(struct rebuild *r)
{
    uint32_t files =
        jtree_member(&r->tree, jtree_member(&r->tree, 0, "snapshot"), "trackedFileBackups");
    uint32_t path = jtree_member(&r->tree, 0, "trackingPath");
    struct buf name = {0};
    int is_so = 1;

    if (path != JTREE_NONE)
        is_so = jtree_string(&r->tree, path, &name) == 0 && rebuild_may_rewind(r, name.data);
    if (files != JTREE_NONE && r->tree.values[files].type == JSCAN_OBJECT) {
        for (uint32_t i = r->tree.values[files].child; is_so && i != JTREE_NONE;
             i = r->tree.values[i].next)
            is_so = jtree_key(&r->tree, i, &name) == 0 && rebuild_may_rewind(r, name.data);
    }
    buf_free(&name);
    return is_so;
}

/* ---- a record ----------------------------------------------------------------------------------
 */

/* What kind of its type a record is, "" if there is none; type and subtype in ${ret}. */
static void kind_of(struct rebuild *r, char type[64], char subtype[64])
{
    uint32_t inside = JTREE_NONE;

    type[0] = subtype[0] = '\0';
    if (jtree_string(&r->tree, jtree_member(&r->tree, 0, "type"), &r->word) == 0)
        snprintf(type, 64, "%s", r->word.data);
    if (strcmp(type, "system") == 0)
        inside = jtree_member(&r->tree, 0, "subtype");
    else if (strcmp(type, "attachment") == 0)
        inside = jtree_member(&r->tree, jtree_member(&r->tree, 0, "attachment"), "type");
    else if (strcmp(type, "progress") == 0)
        inside = jtree_member(&r->tree, jtree_member(&r->tree, 0, "data"), "type");
    if (inside != JTREE_NONE)
        snprintf(subtype, 64, "%s",
                 jtree_string(&r->tree, inside, &r->word) == 0 ? r->word.data : "?");
}

/* Does git here list the work tree that the session was in?  None is fine. */
static int is_listed(struct rebuild *r)
{
    uint32_t session = jtree_member(&r->tree, 0, "worktreeSession");
    struct buf path = {0};
    char *moved;
    int is_so = 0;

    if (session != JTREE_NONE && r->tree.values[session].type == JSCAN_NULL)
        return 1;
    if (r->opts.cwd == NULL)
        return 1;
    if (jtree_string(&r->tree, jtree_member(&r->tree, session, "worktreePath"), &path) == 0) {
        moved = r->opts.moved(r->opts.arg, path.data);
        is_so = worktree_is_listed(r->opts.cwd, moved);
        free(moved);
    }
    buf_free(&path);
    return is_so;
}

static int own(struct rebuild *r, const struct allow_record *row)
{
    switch (row != NULL ? row->own : OWN_COMES) {
    case OWN_NEVER:
        return -1;
    case OWN_IF_LISTED:
        if (!is_listed(r))
            return -1;
        break;
    case OWN_BELOW:
        if (!rebuild_are_below(r))
            return rebuild_record(r, row);
        break;
    default:
        break;
    }
    rebuild_own(r);
    return 0;
}

/* A prompt that nobody typed; what a tool said stays, for the call would lack its end. */
static int is_hidden_prompt(struct rebuild *r)
{
    uint32_t content = jtree_member(&r->tree, jtree_member(&r->tree, 0, "message"), "content");

    if (!jtree_is_true(&r->tree, jtree_member(&r->tree, 0, "isMeta")))
        return 0;
    if (content == JTREE_NONE || r->tree.values[content].type != JSCAN_ARRAY)
        return 1;
    for (uint32_t i = r->tree.values[content].child; i != JTREE_NONE; i = r->tree.values[i].next) {
        if (jtree_is(&r->tree, jtree_member(&r->tree, i, "type"), "tool_result"))
            return 0;
    }
    return 1;
}

static int others(struct rebuild *r, const struct allow_record *row)
{
    if (row == NULL || row->others == OTHERS_NEVER)
        return -1;
    if (row->others == OTHERS_BELOW && r->opts.trust == TRUST_STRANGER &&
        !r->opts.with_file_history)
        return -1;
    if (strcmp(row->type, "user") == 0 && is_hidden_prompt(r))
        return -1;
    return rebuild_record(r, row);
}

/* Is what is left out conversation, or of a kind that nobody knows? */
static int is_news(const struct rebuild *r, const char *type)
{
    if (strcmp(type, "user") == 0)
        return !jtree_is_true(&r->tree, jtree_member(&r->tree, 0, "isMeta"));
    return strcmp(type, "assistant") == 0 ||
           (allow_record(type, "") == NULL && jtree_member(&r->tree, 0, "uuid") != JTREE_NONE);
}

/* One line of a transcript: r->in without its newline. */
static int record(struct rebuild *r, const char *newline, struct ct_err *err)
{
    char type[64], subtype[64], *name;
    const struct allow_record *row;
    int is_own = r->opts.trust == TRUST_OWN;

    if (r->in.len == 0)
        return put(r, newline, strlen(newline), 0, err);
    if (jtree_parse(&r->tree, r->in.data, r->in.len) != 0 || r->in.data[0] != '{') {
        if (!is_own) {
            losses_add(r->opts.losses, "record", "that is damaged");
            r->opts.losses->is_news = 1;
            return 0;
        }
        return put(r, r->in.data, r->in.len, 0, err) == 0 ? put(r, newline, strlen(newline), 0, err)
                                                          : -1;
    }
    kind_of(r, type, subtype);
    rebuild_note_uses(r, type, subtype);
    row = allow_record(type, subtype);
    clear_out(r);
    if ((is_own ? own(r, row) : others(r, row)) != 0) {
        name = str_printf("%s%s%s", type, subtype[0] != '\0' ? " " : "", subtype);
        losses_add(r->opts.losses, "record", name);
        r->opts.losses->is_news |= is_news(r, type);
        free(name);
        rebuild_leave_out(r);
        return 0;
    }
    buf_addstr(&r->out, is_own ? newline : "\n");
    return put_out(r, err);
}

/* One line of the prompt history. */
static int prompt(struct rebuild *r, struct ct_err *err)
{
    if (r->in.len == 0)
        return 0;
    clear_out(r);
    if (jtree_parse(&r->tree, r->in.data, r->in.len) != 0 ||
        rebuild_object(r, 0, allow_prompts) != 0) {
        losses_add(r->opts.losses, "prompt", "of the prompt history");
        return 0;
    }
    buf_addc(&r->out, '\n');
    return put_out(r, err);
}

/* ---- a file ------------------------------------------------------------------------------------
 */

struct rebuild *claude_rebuild_new(const struct rebuild_opts *opts, const char *entry)
{
    const struct allow_entry *row = allow_entry(entry);
    size_t n = strlen(entry);
    struct rebuild *r;
    int is_records = row != NULL ? row->content == ENTRY_RECORDS
                                 : strncmp(entry, "session-subdir/", 15) == 0 && n > 6 &&
                                       strcmp(entry + n - 6, ".jsonl") == 0;

    if (!is_records && (opts->trust == TRUST_OWN || row == NULL || row->content == ENTRY_BYTES))
        return NULL;
    r = str_calloc(1, sizeof(*r));
    r->opts = *opts;
    r->entry = row;
    r->is_records = is_records;
    if (!is_records && row->content == ENTRY_PASTE) {
        r->paste = hash_new(HASH_SHA256);
        snprintf(r->paste_name, sizeof(r->paste_name), "%s", path_base(entry));
    }
    r->gone = map_new();
    r->calls = map_new();
    return r;
}

void claude_rebuild_free(struct rebuild *r)
{
    if (r == NULL)
        return;
    map_free_all(r->gone);
    map_free(r->calls);
    jtree_free(&r->tree);
    buf_free(&r->in);
    buf_free(&r->out);
    buf_free(&r->word);
    hash_free(r->paste);
    free(r->exact);
    free(r);
}

static int is_document(const struct rebuild *r)
{
    return !r->is_records &&
           (r->entry->content == ENTRY_DOCUMENT || r->entry->content == ENTRY_LIST);
}

static int end_line(struct rebuild *r, const char *newline, struct ct_err *err)
{
    int rc;

    if (r->is_too_long) {
        r->is_too_long = 0;
        rc = r->opts.trust == TRUST_OWN ? put(r, newline, strlen(newline), 0, err) : 0;
    } else {
        rc = r->is_records ? record(r, newline, err) : prompt(r, err);
    }
    buf_reset(&r->in);
    return rc;
}

/* Of a line that is no record. */
static int pass_on(struct rebuild *r, const char *p, size_t n, struct ct_err *err)
{
    return r->opts.trust == TRUST_OWN ? put(r, p, n, 0, err) : 0;
}

static int add_to_line(struct rebuild *r, const char *p, size_t n, struct ct_err *err)
{
    if (r->is_too_long)
        return pass_on(r, p, n, err);
    if (r->in.len + n <= REBUILD_LINE_MAX) {
        buf_add(&r->in, p, n);
        return 0;
    }
    r->is_too_long = 1;
    if (r->opts.trust != TRUST_OWN)
        losses_add(r->opts.losses, "record", "that is too long");
    r->opts.losses->is_news = 1;
    if (pass_on(r, r->in.data, r->in.len, err) != 0)
        return -1;
    buf_free(&r->in);
    return pass_on(r, p, n, err);
}

int claude_rebuild_feed(struct rebuild *r, const void *p, size_t n, struct ct_err *err)
{
    const char *at = p, *newline;
    size_t part;

    if (r->paste != NULL) {
        hash_update(r->paste, p, n);
        return put(r, p, n, 0, err);
    }
    if (is_document(r)) {
        if (r->in.len + n <= REBUILD_DOCUMENT_MAX)
            buf_add(&r->in, p, n);
        else
            r->is_too_long = 1;
        return 0;
    }
    while (n > 0) {
        newline = memchr(at, '\n', n);
        part = newline != NULL ? (size_t)(newline - at) : n;
        if (add_to_line(r, at, part, err) != 0)
            return -1;
        if (newline != NULL && end_line(r, "\n", err) != 0)
            return -1;
        part += newline != NULL;
        at += part;
        n -= part;
    }
    return 0;
}

static int document(struct rebuild *r, struct ct_err *err)
{
    int is_first = 1;

    clear_out(r);
    if (r->is_too_long || r->in.len == 0 || jtree_parse(&r->tree, r->in.data, r->in.len) != 0)
        return 1;
    if (r->entry->content == ENTRY_DOCUMENT)
        return rebuild_object(r, 0, r->entry->members) == 0 ? put_out(r, err) : 1;
    if (r->tree.values[0].type != JSCAN_ARRAY)
        return 1;
    buf_addc(&r->out, '[');
    for (uint32_t i = r->tree.values[0].child; i != JTREE_NONE; i = r->tree.values[i].next) {
        size_t begin = r->out.len;
        if (!is_first)
            buf_addc(&r->out, ',');
        if (rebuild_object(r, i, r->entry->members) == 0)
            is_first = 0;
        else
            r->out.len = begin;
    }
    buf_addc(&r->out, ']');
    return put_out(r, err);
}

/* Other sessions name a paste too, so nobody may put another text under the name that it has: the
 * beginning of its digest. */
static int end_paste(struct rebuild *r)
{
    char hex[HASH_SHA256_HEX];

    hash_final_hex(r->paste, hex);
    r->paste = NULL;
    return strncmp(r->paste_name, hex, PASTE_DIGITS) == 0 && r->paste_name[PASTE_DIGITS] == '.' ? 0
                                                                                                : 1;
}

int claude_rebuild_end(struct rebuild *r, struct ct_err *err)
{
    if (r->paste != NULL)
        return end_paste(r);
    if (is_document(r))
        return document(r, err);
    if ((r->in.len > 0 || r->is_too_long) && end_line(r, "", err) != 0)
        return -1;
    return 0;
}
