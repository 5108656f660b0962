#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "bundle/leak/leak_impl.h"

#define WINDOW (256 << 10)
#define REACH 4096  /* what begins that close to the end of a window is looked for in the next */
#define CONTEXT 128 /* what a regex may look back at */

/* Enough for any sane regex at one place; a text can't make one that is not take for ever. */
#define MAX_STEPS 5000
#define MAX_HEAP_KIB 1024
#define MAX_GIVE_UPS 8 /* a rule that gave up so often is left out for the rest of a text */

struct leak_scan {
    struct leak_rules *r;
    char *path;
    void (*found)(void *arg, const char *rule, int64_t line);
    void *arg;
    char *window; /* ${len} bytes: ${context} that were looked at, and what is new */
    size_t len, context;
    int64_t line;        /* at the end of the context */
    int is_escape;       /* the last byte was a backslash that begins an escape */
    int64_t *said;       /* for each rule the last line that it was found in */
    int *gave_up;        /* ... how often */
    unsigned char *hit;  /* ... whether one of its keywords is in the window */
    unsigned char *skip; /* ... whether it is not for this file */
    const char *slow;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

static int matches(const struct leak_scan *s, const pcre2_code *code, const char *p, size_t n)
{
    return pcre2_match(code, (PCRE2_SPTR)p, n, 0, 0, s->match, s->limits) >= 0;
}

static int is_allowed_path(const struct leak_scan *s, const struct leak_allow *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < list[i].n_paths; j++) {
            if (matches(s, list[i].paths[j], s->path, strlen(s->path)))
                return 1;
        }
    }
    return 0;
}

static int is_for(const struct leak_scan *s, const struct leak_rule *rule)
{
    if (rule->path != NULL && !matches(s, rule->path, s->path, strlen(s->path)))
        return 0;
    return !is_allowed_path(s, s->r->allows, s->r->n_allows) &&
           !is_allowed_path(s, rule->allows, rule->n_allows);
}

struct leak_scan *leak_scan_new(struct leak_rules *r, const char *path, int64_t line,
                                void (*found)(void *arg, const char *rule, int64_t line), void *arg)
{
    struct leak_scan *s = str_calloc(1, sizeof(*s));

    s->r = leak_rules_keep(r);
    s->path = str_dup(path);
    s->line = line;
    s->found = found;
    s->arg = arg;
    s->window = str_calloc(1, WINDOW);
    s->said = str_calloc(r->n, sizeof(*s->said));
    s->gave_up = str_calloc(r->n, sizeof(*s->gave_up));
    s->hit = str_calloc(r->n, 1);
    s->skip = str_calloc(r->n, 1);
    s->match = pcre2_match_data_create(128, NULL);
    s->limits = pcre2_match_context_create(NULL);
    if (s->match == NULL || s->limits == NULL)
        abort();
    pcre2_set_match_limit(s->limits, MAX_STEPS);
    pcre2_set_heap_limit(s->limits, MAX_HEAP_KIB);
    for (size_t i = 0; i < r->n; i++)
        s->skip[i] = !is_for(s, &r->rules[i]);
    return s;
}

void leak_scan_free(struct leak_scan *s)
{
    if (s == NULL)
        return;
    pcre2_match_data_free(s->match);
    pcre2_match_context_free(s->limits);
    leak_rules_free(s->r);
    str_wipe(s->window, WINDOW);
    free(s->window);
    free(s->path);
    free(s->said);
    free(s->gave_up);
    free(s->hit);
    free(s->skip);
    free(s);
}

const char *leak_scan_gave_up(const struct leak_scan *s)
{
    return s->slow;
}

/* Bits for each byte, after Shannon. */
static double entropy_of(const unsigned char *p, size_t n)
{
    size_t count[256] = {0};
    double bits = 0;

    for (size_t i = 0; i < n; i++)
        count[p[i]]++;
    for (int c = 0; c < 256; c++) {
        if (count[c] > 0)
            bits -= (double)count[c] / (double)n * log2((double)count[c] / (double)n);
    }
    return bits;
}

static int has_word(const char *p, size_t n, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= n; i++) {
        size_t k = 0;
        while (k < len &&
               (p[i + k] >= 'A' && p[i + k] <= 'Z' ? p[i + k] | 0x20 : p[i + k]) == word[k])
            k++;
        if (k == len)
            return 1;
    }
    return 0;
}

struct span {
    const char *p;
    size_t n;
};

static int is_allowed(const struct leak_scan *s, const struct leak_allow *list, size_t n,
                      struct span match, struct span secret)
{
    for (size_t i = 0; i < n; i++) {
        const struct leak_allow *a = &list[i];
        struct span on = a->is_on_match ? match : secret;
        for (size_t j = 0; j < a->n_regexes; j++) {
            if (matches(s, a->regexes[j], on.p, on.n))
                return 1;
        }
        for (size_t j = 0; j < a->stopwords.n; j++) {
            if (has_word(secret.p, secret.n, a->stopwords.v[j]))
                return 1;
        }
    }
    return 0;
}

/* The group that the rule names, else the first that matched, else all of it. */
static struct span secret_of(const struct leak_scan *s, const struct leak_rule *rule, int groups)
{
    const PCRE2_SIZE *v = pcre2_get_ovector_pointer(s->match);
    int g = 0;

    if (rule->group > 0)
        g = (int)rule->group < groups ? (int)rule->group : 0;
    else
        for (int i = 1; i < groups && g == 0; i++)
            g = v[2 * i] != PCRE2_UNSET && v[2 * i + 1] > v[2 * i] ? i : 0;
    if (v[2 * g] == PCRE2_UNSET || v[2 * g + 1] < v[2 * g])
        g = 0;
    return (struct span){s->window + v[2 * g],
                         v[2 * g + 1] > v[2 * g] ? v[2 * g + 1] - v[2 * g] : 0};
}

static int is_secret(const struct leak_scan *s, const struct leak_rule *rule, struct span match,
                     struct span secret)
{
    if (secret.n == 0 || (rule->entropy > 0 &&
                          entropy_of((const unsigned char *)secret.p, secret.n) < rule->entropy))
        return 0;
    return !is_allowed(s, s->r->allows, s->r->n_allows, match, secret) &&
           !is_allowed(s, rule->allows, rule->n_allows, match, secret);
}

static int64_t lines_in(const char *p, const char *end)
{
    int64_t n = 0;

    while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        n++;
        p++;
    }
    return n;
}

static void apply(struct leak_scan *s, size_t i, size_t until)
{
    const struct leak_rule *rule = &s->r->rules[i];
    const PCRE2_SIZE *v = pcre2_get_ovector_pointer(s->match);
    size_t at = s->context, counted = s->context;
    int64_t line = s->line;
    int rc = 0;

    while (at < until && (rc = pcre2_match(rule->regex, (PCRE2_SPTR)s->window, s->len, at,
                                           PCRE2_NOTEMPTY, s->match, s->limits)) >= 0) {
        struct span match = {s->window + v[0], v[1] > v[0] ? v[1] - v[0] : 0}, secret;
        size_t begin = v[0];
        if (begin >= until)
            return;
        at = v[1] > begin ? v[1] : begin + 1;
        secret = secret_of(s, rule, rc > 0 ? rc : 1);
        begin = (size_t)(secret.p - s->window);
        if (begin < counted || !is_secret(s, rule, match, secret))
            continue;
        line += lines_in(s->window + counted, secret.p);
        counted = begin;
        if (s->said[i] != line)
            s->found(s->arg, rule->id, line);
        s->said[i] = line;
    }
    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH) {
        s->gave_up[i]++;
        s->slow = rule->id;
    }
}

/* Look at what is new up to ${until}, which may begin a match that goes on to the end. */
static void look(struct leak_scan *s, size_t until)
{
    memset(s->hit, 0, s->r->n);
    leak_words_find(s->r->words, s->window + s->context, s->len - s->context, s->hit);
    for (size_t i = 0; i < s->r->n; i++) {
        if (!s->skip[i] && s->gave_up[i] < MAX_GIVE_UPS &&
            (s->hit[i] || !s->r->rules[i].has_keywords))
            apply(s, i, until);
    }
    s->line += lines_in(s->window + s->context, s->window + until);
}

/* Escapes of JSON, at any depth of JSON in JSON, become blanks, so that \nAKIA... begins a word and
 * \"token\" stands in quotes.  No byte moves. */
static void unescape(struct leak_scan *s, char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = p[i];
        if (c == '\\') {
            p[i] = ' ';
        } else if (s->is_escape && (c == 'n' || c == 't' || c == 'r' || c == 'b' || c == 'f')) {
            p[i] = ' ';
        }
        s->is_escape = c == '\\';
    }
}

void leak_scan_feed(struct leak_scan *s, const void *p, size_t n)
{
    const char *from = p;

    while (n > 0) {
        size_t k = WINDOW - s->len < n ? WINDOW - s->len : n, until, keep;
        memcpy(s->window + s->len, from, k);
        unescape(s, s->window + s->len, k);
        s->len += k;
        from += k;
        n -= k;
        if (s->len < WINDOW)
            return;
        until = WINDOW - REACH;
        look(s, until);
        keep = until - CONTEXT;
        memmove(s->window, s->window + keep, WINDOW - keep);
        s->len = WINDOW - keep;
        s->context = CONTEXT;
    }
}

void leak_scan_end(struct leak_scan *s)
{
    look(s, s->len);
    s->len = s->context = 0;
}
