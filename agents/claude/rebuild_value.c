#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "common/base/uuid.h"

#include "agents/claude/rebuild_inside.h"

#define WORD_MAX 200 /* bytes */
#define TIME_MAX 40

static int build(struct rebuild *r, uint32_t value, const struct allow_member *m);

static const struct jvalue *at(const struct rebuild *r, uint32_t value)
{
    return &r->tree.values[value];
}

/* As it stands in the text. */
static int copy(struct rebuild *r, uint32_t value)
{
    buf_add(&r->out, r->tree.text + at(r, value)->begin, at(r, value)->end - at(r, value)->begin);
    return 0;
}

static int copy_exact(struct rebuild *r, uint32_t value)
{
    rebuild_add_exact(r, r->tree.text + at(r, value)->begin,
                      at(r, value)->end - at(r, value)->begin);
    return 0;
}

static int copy_if(struct rebuild *r, uint32_t value, int is_fine)
{
    return is_fine ? copy(r, value) : -1;
}

/* ---- strings -----------------------------------------------------------------------------------
 */

static int is_of(const struct buf *b, const char *signs, size_t max)
{
    if (b->len == 0 || b->len > max)
        return 0;
    for (size_t i = 0; i < b->len; i++) {
        char c = b->data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) &&
            strchr(signs, c) == NULL)
            return 0;
    }
    return 1;
}

static int is_digest_name(const char *s)
{
    size_t n = strspn(s, "0123456789abcdef"), digits;

    if (n != 16 || s[n] != '@' || s[n + 1] != 'v')
        return 0;
    digits = strspn(s + n + 2, "0123456789");
    return digits > 0 && digits < 10 && s[n + 2 + digits] == '\0';
}

/* Return how long the blank is with which ${s} begins, as JavaScript's trim() sees it, or what
 * shows as nothing; 0 if it begins with none. */
static size_t blank(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;

    if (u[0] > 0 && u[0] <= ' ')
        return 1;
    if (u[0] == 0xC2 && (u[1] == 0xA0 || u[1] == 0x85 || u[1] == 0xAD))
        return 2;
    if ((u[0] == 0xE2 && (u[1] == 0x80 || u[1] == 0x81) && u[2] != 0) ||
        strncmp(s, "\xE1\x9A\x80", 3) == 0 || strncmp(s, "\xE3\x80\x80", 3) == 0 ||
        strncmp(s, "\xEF\xBB\xBF", 3) == 0)
        return 3;
    return 0;
}

static int is_typed(const char *s)
{
    size_t n;

    while ((n = blank(s)) > 0)
        s += n;
    return *s != '!' && *s != '/' && *s != '#';
}

/* The folder, if it is the session's or below; else the session's. */
static void add_cwd(struct rebuild *r, const char *path)
{
    char *moved = r->opts.moved(r->opts.arg, path);
    size_t n = strlen(r->opts.cwd);
    int is_below = strncmp(moved, r->opts.cwd, n) == 0 &&
                   (moved[n] == '\0' || (moved[n] == '/' && strstr(moved + n, "/..") == NULL));

    rebuild_add_quoted(r, is_below ? moved : r->opts.cwd);
    free(moved);
}

static int build_string(struct rebuild *r, uint32_t value, enum allow_value kind)
{
    const char *s;
    char *fresh;

    if (jtree_string(&r->tree, value, &r->word) != 0)
        return -1;
    s = r->word.data;
    switch (kind) {
    case ALLOW_WORD:
        return copy_if(r, value,
                       is_of(&r->word, "-_.:@/<>()+[]=, ", WORD_MAX) && strstr(s, "..") == NULL);
    case ALLOW_TIME:
        return copy_if(r, value, is_of(&r->word, ":.+-", TIME_MAX));
    case ALLOW_ID:
        return copy_if(r, value, uuid_is_valid(s));
    case ALLOW_PROMPT:
        return copy_if(r, value, strcmp(s, "prompt") == 0);
    case ALLOW_ROLE:
        return copy_if(r, value, strcmp(s, "user") == 0 || strcmp(s, "assistant") == 0);
    case ALLOW_BASE64:
        return copy_if(r, value, strcmp(s, "base64") == 0);
    case ALLOW_BACKUP:
        return copy_if(r, value, is_digest_name(s));
    case ALLOW_TRACKED:
        return copy_if(r, value, rebuild_may_rewind(r, s));
    case ALLOW_TYPED:
        return copy_if(r, value, is_typed(s));
    case ALLOW_AGENT:
        rebuild_add_quoted(r, allow_is_agent(s) ? s : allow_agents[0]);
        return 0;
    case ALLOW_SESSION:
        rebuild_add_quoted(r, r->opts.session_id);
        return 0;
    case ALLOW_SLUG:
        if (!is_of(&r->word, "-_", WORD_MAX))
            return -1;
        fresh = rebuild_slug(&r->opts, s);
        rebuild_add_quoted(r, fresh);
        free(fresh);
        return 0;
    case ALLOW_CWD:
        if (r->opts.cwd == NULL)
            return copy(r, value);
        add_cwd(r, s);
        return 0;
    default:
        return -1;
    }
}

static int build_link(struct rebuild *r, uint32_t value)
{
    const char *other;

    if (at(r, value)->type == JSCAN_NULL)
        return copy(r, value);
    if (jtree_string(&r->tree, value, &r->word) != 0 || !uuid_is_valid(r->word.data))
        return -1;
    other = rebuild_link(r, value);
    if (other == NULL)
        return copy(r, value);
    if (*other == '\0')
        buf_addstr(&r->out, "null");
    else
        rebuild_add_quoted(r, other);
    return 0;
}

/* ---- lists and objects -------------------------------------------------------------------------
 */

static int build_list(struct rebuild *r, uint32_t value, enum allow_value kind)
{
    int is_first = 1;

    if (at(r, value)->type != JSCAN_ARRAY)
        return -1;
    buf_addc(&r->out, '[');
    for (uint32_t i = at(r, value)->child; i != JTREE_NONE; i = at(r, i)->next) {
        if (!is_first)
            buf_addc(&r->out, ',');
        is_first = 0;
        if (build_string(r, i, kind) != 0)
            return -1;
    }
    buf_addc(&r->out, ']');
    return 0;
}

/* Other JSON, without what JavaScript takes for more than a member. */
static int build_any(struct rebuild *r, uint32_t value)
{
    int is_first = 1, is_object = at(r, value)->type == JSCAN_OBJECT;

    if (!is_object && at(r, value)->type != JSCAN_ARRAY)
        return copy(r, value);
    buf_addc(&r->out, is_object ? '{' : '[');
    for (uint32_t i = at(r, value)->child; i != JTREE_NONE; i = at(r, i)->next) {
        if (is_object &&
            (jtree_key(&r->tree, i, &r->word) != 0 || strcmp(r->word.data, "__proto__") == 0))
            continue;
        if (!is_first)
            buf_addc(&r->out, ',');
        is_first = 0;
        if (is_object) {
            buf_addc(&r->out, '"');
            buf_add(&r->out, r->tree.text + at(r, i)->key, at(r, i)->key_end - at(r, i)->key);
            buf_addstr(&r->out, "\":");
        }
        (void)build_any(r, i);
    }
    buf_addc(&r->out, is_object ? '}' : ']');
    return 0;
}

/* Members under words, or under paths that may be rewound; others are left out. */
static int build_map(struct rebuild *r, uint32_t value, const struct allow_member *m)
{
    int is_first = 1, is_fine;
    size_t begin;

    if (at(r, value)->type != JSCAN_OBJECT)
        return -1;
    buf_addc(&r->out, '{');
    for (uint32_t i = at(r, value)->child; i != JTREE_NONE; i = at(r, i)->next) {
        is_fine = jtree_key(&r->tree, i, &r->word) == 0 &&
                  (m->value == ALLOW_BACKUPS ? rebuild_may_rewind(r, r->word.data)
                                             : is_of(&r->word, "-_", WORD_MAX));
        begin = r->out.len;
        if (is_fine && !is_first)
            buf_addc(&r->out, ',');
        if (is_fine) {
            buf_addc(&r->out, '"');
            buf_add(&r->out, r->tree.text + at(r, i)->key, at(r, i)->key_end - at(r, i)->key);
            buf_addstr(&r->out, "\":");
            is_fine = rebuild_object(r, i, m->members) == 0;
        }
        if (is_fine) {
            is_first = 0;
            continue;
        }
        r->out.len = begin;
        losses_add(r->opts.losses, "file", m->value == ALLOW_BACKUPS ? "of a snapshot" : "?");
    }
    buf_addc(&r->out, '}');
    return 0;
}

/* Is it exact, as what was signed is? */
static int is_signed(const struct rebuild *r, uint32_t object)
{
    uint32_t type = jtree_member(&r->tree, object, "type");

    return jtree_is(&r->tree, type, "redacted_thinking") ||
           (jtree_is(&r->tree, type, "thinking") &&
            jtree_member(&r->tree, object, "signature") != JTREE_NONE);
}

static const struct allow_member *find_member(struct rebuild *r, const struct allow_member *members,
                                              uint32_t value)
{
    if (jtree_key(&r->tree, value, &r->word) != 0)
        return NULL;
    for (; members != NULL && members->name != NULL; members++) {
        if (strcmp(members->name, r->word.data) == 0)
            return members;
    }
    return NULL;
}

/* Is this the last of its name? */
static int counts(const struct rebuild *r, uint32_t object, uint32_t value,
                  const struct allow_member *m)
{
    return jtree_member(&r->tree, object, m->name) == value;
}

static int is_given(const struct rebuild *r, uint32_t object, const struct allow_member *members)
{
    for (; members != NULL && members->name != NULL; members++) {
        if (members->is_needed && jtree_member(&r->tree, object, members->name) == JTREE_NONE)
            return 0;
    }
    return 1;
}

static void note_member(struct rebuild *r, uint32_t value)
{
    losses_add(r->opts.losses, "member",
               jtree_key(&r->tree, value, &r->word) == 0 ? r->word.data : "?");
}

/* The members of two tables, in the order in which they stand. */
static int build_members(struct rebuild *r, uint32_t object, const struct allow_member *a,
                         const struct allow_member *b)
{
    int is_first = 1, is_exact;
    size_t begin;

    if (at(r, object)->type != JSCAN_OBJECT || !is_given(r, object, a) || !is_given(r, object, b))
        return -1;
    is_exact = is_signed(r, object);
    buf_addc(&r->out, '{');
    for (uint32_t i = at(r, object)->child; i != JTREE_NONE; i = at(r, i)->next) {
        const struct allow_member *m = find_member(r, a, i);
        if (m == NULL)
            m = find_member(r, b, i);
        if (m == NULL) {
            note_member(r, i);
            continue;
        }
        if (!counts(r, object, i, m))
            continue;
        begin = r->out.len;
        if (!is_first)
            buf_addc(&r->out, ',');
        buf_printf(&r->out, "\"%s\":", m->name);
        if ((is_exact && m->value == ALLOW_TEXT && at(r, i)->type == JSCAN_STRING)
                ? copy_exact(r, i) == 0
                : build(r, i, m) == 0) {
            is_first = 0;
            continue;
        }
        if (m->is_needed || m->is_strict)
            return -1;
        while (r->n_exact > 0 && r->exact[r->n_exact - 1].begin >= begin)
            r->n_exact--;
        r->out.len = begin;
        note_member(r, i);
    }
    buf_addc(&r->out, '}');
    return 0;
}

int rebuild_object(struct rebuild *r, uint32_t value, const struct allow_member *members)
{
    return build_members(r, value, members, NULL);
}

/* ---- content -----------------------------------------------------------------------------------
 */

static int build_block(struct rebuild *r, uint32_t value, const struct allow_block *blocks)
{
    uint32_t type = jtree_member(&r->tree, value, "type");

    for (; blocks->type != NULL; blocks++) {
        if (jtree_is(&r->tree, type, blocks->type))
            return rebuild_object(r, value, blocks->members);
    }
    return -1;
}

/* A message without content is none. */
#define NOTHING_LEFT "{\"type\":\"text\",\"text\":\"(left out on the way)\"}"

static int build_content(struct rebuild *r, uint32_t value, const struct allow_block *blocks)
{
    size_t begin, first, n_exact;

    if (at(r, value)->type == JSCAN_STRING)
        return copy(r, value);
    if (at(r, value)->type != JSCAN_ARRAY)
        return -1;
    buf_addc(&r->out, '[');
    first = r->out.len;
    for (uint32_t i = at(r, value)->child; i != JTREE_NONE; i = at(r, i)->next) {
        begin = r->out.len;
        n_exact = r->n_exact;
        if (begin > first)
            buf_addc(&r->out, ',');
        if (rebuild_call(r, i) || rebuild_result(r, i)) {
            if (r->out.len == begin + (begin > first)) /* a result without words */
                r->out.len = begin;
            continue;
        }
        if (build_block(r, i, blocks) == 0)
            continue;
        r->out.len = begin;
        r->n_exact = n_exact;
        losses_add(r->opts.losses, "block",
                   jtree_string(&r->tree, jtree_member(&r->tree, i, "type"), &r->word) == 0
                       ? r->word.data
                       : "?");
    }
    if (r->out.len == first)
        buf_addstr(&r->out, NOTHING_LEFT);
    buf_addc(&r->out, ']');
    return 0;
}

static int build(struct rebuild *r, uint32_t value, const struct allow_member *m)
{
    enum jscan_type type = at(r, value)->type;

    switch (m->value) {
    case ALLOW_TEXT:
        return copy_if(r, value, type == JSCAN_STRING);
    case ALLOW_NUMBER:
        return copy_if(r, value, type == JSCAN_NUMBER);
    case ALLOW_BOOL:
        return copy_if(r, value, type == JSCAN_TRUE || type == JSCAN_FALSE);
    case ALLOW_BACKUP:
    case ALLOW_WORD:
        return type == JSCAN_NULL ? copy(r, value) : build_string(r, value, m->value);
    case ALLOW_LINK:
        return build_link(r, value);
    case ALLOW_IDS:
        return build_list(r, value, ALLOW_ID);
    case ALLOW_WORDS:
        return build_list(r, value, ALLOW_WORD);
    case ALLOW_ANY:
        return build_any(r, value);
    case ALLOW_OBJECT:
        return rebuild_object(r, value, m->members);
    case ALLOW_MAP:
    case ALLOW_BACKUPS:
        return build_map(r, value, m);
    case ALLOW_CONTENT:
        return build_content(r, value, m->blocks);
    default:
        return build_string(r, value, m->value);
    }
}

static int is_chained(const struct allow_record *row)
{
    for (const struct allow_member *m = row->members; m->name != NULL; m++) {
        if (strcmp(m->name, "type") == 0)
            return 0;
    }
    return 1;
}

int rebuild_record(struct rebuild *r, const struct allow_record *row)
{
    return build_members(r, 0, row->members, is_chained(row) ? allow_chain : NULL);
}
