#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "common/data/toml.h"

#include "bundle/leak/leak_default.h"
#include "bundle/leak/leak_impl.h"

#define MAX_FILE (4 << 20)
#define MAX_RULES 2000
#define MAX_REGEX (32 << 10)
#define MIN_KEYWORD 3

/* While the file is read. */
struct reading {
    struct leak_rules *r;
};

static int refuse(struct ct_err *err, const char *key, const char *what)
{
    return err_set(err, ERR_CONFIG, "%s %s", key, what);
}

/* ---- values -------------------------------------------------------------------------------------
 */

static int take_text(const struct toml_entry *e, char **ret, struct ct_err *err)
{
    const char *s = json_object_get_string(e->value);

    if (json_object_get_type(e->value) != json_type_string || s[0] == '\0')
        return refuse(err, e->key, "wants a text in quotes");
    free(*ret);
    *ret = str_dup(s);
    return 0;
}

static int compile(const char *key, const char *text, pcre2_code **ret, struct ct_err *err)
{
    PCRE2_UCHAR why[128];
    PCRE2_SIZE offset;
    int code;

    if (strlen(text) > MAX_REGEX)
        return refuse(err, key, "is too long");
    /* No JIT: it needs memory that is written and then run. */
    *ret = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                         PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &offset, NULL);
    if (*ret != NULL)
        return 0;
    pcre2_get_error_message(code, why, sizeof(why));
    return err_set(err, ERR_CONFIG, "%s can't be compiled: %s, at its byte %zu", key,
                   (const char *)why, (size_t)offset + 1);
}

static int take_regex(const struct toml_entry *e, pcre2_code **ret, struct ct_err *err)
{
    char *text = NULL;
    int rc = take_text(e, &text, err);

    if (rc == 0)
        rc = compile(e->key, text, ret, err);
    free(text);
    return rc;
}

/* Each of a list of texts, in ${f}. */
static int each_text(const struct toml_entry *e, int (*f)(void *arg, const char *s), void *arg,
                     struct ct_err *err)
{
    if (json_object_get_type(e->value) != json_type_array)
        return refuse(err, e->key, "wants a list of texts: [\"...\", \"...\"]");
    for (size_t i = 0; i < json_object_array_length(e->value); i++) {
        struct json_object *o = json_object_array_get_idx(e->value, i);
        if (json_object_get_type(o) != json_type_string || json_object_get_string(o)[0] == '\0')
            return refuse(err, e->key, "wants a list of texts: [\"...\", \"...\"]");
        if (f(arg, json_object_get_string(o)) != 0)
            return -1;
    }
    return 0;
}

struct regexes {
    const char *key;
    pcre2_code ***list;
    size_t *n;
    struct ct_err *err;
};

static int add_regex(void *arg, const char *s)
{
    const struct regexes *x = arg;
    pcre2_code *code;

    if (compile(x->key, s, &code, x->err) != 0)
        return -1;
    *x->list = str_realloc(*x->list, *x->n + 1, sizeof(**x->list));
    (*x->list)[(*x->n)++] = code;
    return 0;
}

static int take_regexes(const struct toml_entry *e, pcre2_code ***list, size_t *n,
                        struct ct_err *err)
{
    struct regexes x = {e->key, list, n, err};

    return each_text(e, add_regex, &x, err);
}

static int add_stopword(void *arg, const char *s)
{
    char *low = str_dup(s);

    for (char *p = low; *p != '\0'; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p);
    strlist_add(arg, low);
    free(low);
    return 0;
}

/* ---- tables -------------------------------------------------------------------------------------
 */

static struct leak_rule *last_rule(struct reading *f)
{
    return f->r->n > 0 ? &f->r->rules[f->r->n - 1] : NULL;
}

static int is_named(const struct leak_rules *r, const char *id)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->rules[i].id != NULL && strcmp(r->rules[i].id, id) == 0)
            return 1;
    }
    return 0;
}

struct keywords {
    struct leak_rules *r;
    struct ct_err *err;
};

static int add_keyword(void *arg, const char *s)
{
    const struct keywords *k = arg;

    if (strlen(s) < MIN_KEYWORD)
        return err_set(k->err, ERR_CONFIG, "a keyword has %d letters at least", MIN_KEYWORD);
    leak_words_add(k->r->words, s, (uint32_t)k->r->n - 1);
    k->r->rules[k->r->n - 1].has_keywords = 1;
    return 0;
}

static int take_number(const struct toml_entry *e, double max, int is_whole, double *ret,
                       struct ct_err *err)
{
    enum json_type type = json_object_get_type(e->value);
    double x = json_object_get_double(e->value);

    if ((type != json_type_int && (type != json_type_double || is_whole)) || x < 0 || x > max)
        return err_set(err, ERR_CONFIG, "%s wants a %snumber from 0 to %g", e->key,
                       is_whole ? "whole " : "", max);
    *ret = x;
    return 0;
}

static int set_rule(struct reading *f, const struct toml_entry *e, struct ct_err *err)
{
    struct leak_rule *r = last_rule(f);
    struct keywords k = {f->r, err};
    double x = 0;

    if (strcmp(e->key, "id") == 0) {
        if (json_object_get_type(e->value) == json_type_string &&
            is_named(f->r, json_object_get_string(e->value)))
            return refuse(err, e->key, "is that of another rule");
        return take_text(e, &r->id, err);
    }
    if (strcmp(e->key, "description") == 0)
        return take_text(e, &r->description, err);
    if (strcmp(e->key, "regex") == 0)
        return take_regex(e, &r->regex, err);
    if (strcmp(e->key, "path") == 0)
        return take_regex(e, &r->path, err);
    if (strcmp(e->key, "keywords") == 0)
        return each_text(e, add_keyword, &k, err);
    if (strcmp(e->key, "entropy") == 0)
        return take_number(e, 8, 0, &r->entropy, err);
    if (strcmp(e->key, "tags") == 0)
        return 0;
    if (strcmp(e->key, "secretGroup") == 0) {
        if (take_number(e, 99, 1, &x, err) != 0)
            return -1;
        r->group = (uint32_t)x;
        return 0;
    }
    return refuse(err, e->key, "is not known in [[rules]]");
}

static int set_allow(struct leak_allow *a, const struct toml_entry *e, struct ct_err *err)
{
    const char *s = json_object_get_string(e->value);
    char *text = NULL;

    if (strcmp(e->key, "description") == 0) {
        int rc = take_text(e, &text, err);
        free(text);
        return rc;
    }
    if (strcmp(e->key, "regexes") == 0)
        return take_regexes(e, &a->regexes, &a->n_regexes, err);
    if (strcmp(e->key, "paths") == 0)
        return take_regexes(e, &a->paths, &a->n_paths, err);
    if (strcmp(e->key, "stopwords") == 0)
        return each_text(e, add_stopword, &a->stopwords, err);
    if (strcmp(e->key, "regexTarget") == 0) {
        if (strcmp(s, "secret") != 0 && strcmp(s, "match") != 0)
            return refuse(err, e->key, "is \"secret\" or \"match\" here");
        a->is_on_match = s[0] == 'm';
        return 0;
    }
    return refuse(err, e->key, "is not known in an allowlist here");
}

static int check_rule(struct reading *f, struct ct_err *err)
{
    struct leak_rule *r = last_rule(f);
    uint32_t groups = 0;

    if (r == NULL)
        return 0;
    if (r->id == NULL || r->regex == NULL)
        return err_set(err, ERR_CONFIG, "the rule %s before this has no %s",
                       r->id != NULL ? r->id : "right", r->id == NULL ? "id" : "regex");
    pcre2_pattern_info(r->regex, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (r->group > groups)
        return err_set(err, ERR_CONFIG, "secretGroup of the rule %s is %u, its regex has %u groups",
                       r->id, r->group, groups);
    return 0;
}

static struct leak_allow *add_allow(struct leak_allow **list, size_t *n)
{
    *list = str_realloc(*list, *n + 1, sizeof(**list));
    memset(&(*list)[*n], 0, sizeof(**list));
    return &(*list)[(*n)++];
}

static int begin_table(struct reading *f, const struct toml_entry *e, struct ct_err *err)
{
    struct leak_rule *r = last_rule(f);

    if (strcmp(e->table, "rules") == 0 && e->is_element) {
        if (check_rule(f, err) != 0)
            return -1;
        if (f->r->n == MAX_RULES)
            return err_set(err, ERR_CONFIG, "more than %d rules", MAX_RULES);
        f->r->rules = str_realloc(f->r->rules, f->r->n + 1, sizeof(*f->r->rules));
        memset(&f->r->rules[f->r->n++], 0, sizeof(*f->r->rules));
        return 0;
    }
    if (strcmp(e->table, e->is_element ? "rules.allowlists" : "rules.allowlist") == 0) {
        if (r == NULL)
            return err_set(err, ERR_CONFIG, "it belongs below a [[rules]]");
        add_allow(&r->allows, &r->n_allows);
        return 0;
    }
    if (strcmp(e->table, e->is_element ? "allowlists" : "allowlist") == 0) {
        add_allow(&f->r->allows, &f->r->n_allows);
        return 0;
    }
    return err_set(err, ERR_CONFIG, "%s%s%s is not known here", e->is_element ? "[[" : "[",
                   e->table, e->is_element ? "]]" : "]");
}

static int on_entry(void *arg, const struct toml_entry *e, struct ct_err *err)
{
    struct reading *f = arg;
    struct leak_rule *r = last_rule(f);

    if (e->key == NULL)
        return begin_table(f, e, err);
    if (e->table[0] == '\0')
        return strcmp(e->key, "title") == 0 || strcmp(e->key, "description") == 0
                   ? 0
                   : refuse(err, e->key, "is not known here");
    if (strcmp(e->table, "rules") == 0)
        return set_rule(f, e, err);
    if (strncmp(e->table, "rules.", 6) == 0)
        return set_allow(&r->allows[r->n_allows - 1], e, err);
    return set_allow(&f->r->allows[f->r->n_allows - 1], e, err);
}

/* ---- the whole ----------------------------------------------------------------------------------
 */

static void clear_allows(struct leak_allow *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < list[i].n_regexes; j++)
            pcre2_code_free(list[i].regexes[j]);
        for (size_t j = 0; j < list[i].n_paths; j++)
            pcre2_code_free(list[i].paths[j]);
        free(list[i].regexes);
        free(list[i].paths);
        strlist_free(&list[i].stopwords);
    }
    free(list);
}

void leak_rules_free(struct leak_rules *r)
{
    if (r == NULL || atomic_fetch_sub(&r->refs, 1) > 1)
        return;
    for (size_t i = 0; i < r->n; i++) {
        free(r->rules[i].id);
        free(r->rules[i].description);
        pcre2_code_free(r->rules[i].regex);
        pcre2_code_free(r->rules[i].path);
        clear_allows(r->rules[i].allows, r->rules[i].n_allows);
    }
    free(r->rules);
    clear_allows(r->allows, r->n_allows);
    leak_words_free(r->words);
    free(r);
}

struct leak_rules *leak_rules_keep(struct leak_rules *r)
{
    atomic_fetch_add(&r->refs, 1);
    return r;
}

int leak_rules_parse(const char *name, const char *p, size_t n, struct leak_rules **ret,
                     struct ct_err *err)
{
    struct reading f = {.r = str_calloc(1, sizeof(*f.r))};
    struct ct_err e = {0};
    int line = 0, rc;

    atomic_init(&f.r->refs, 1);
    f.r->words = leak_words_new();
    rc = toml_parse(p, n, on_entry, &f, &line, &e);
    if (rc == 0 && f.r->n == 0)
        rc = err_set(&e, ERR_CONFIG, "there is no rule in it; a rule begins with [[rules]]");
    else if (rc == 0)
        rc = check_rule(&f, &e);
    if (rc != 0) {
        leak_rules_free(f.r);
        if (line > 0)
            return err_set(err, ERR_CONFIG, "%s:%d: %s", name, line, e.msg);
        return err_set(err, ERR_CONFIG, "%s: %s", name, e.msg);
    }
    leak_words_ready(f.r->words);
    *ret = f.r;
    return 0;
}

int leak_rules_load(const char *path, struct leak_rules **ret, struct ct_err *err)
{
    struct buf b = {0};
    int rc;

    if (path == NULL)
        return leak_rules_parse("scan-rules.toml", leak_default, strlen(leak_default), ret, err);
    rc = file_read(path, MAX_FILE, &b, err);
    if (rc == 0)
        rc = leak_rules_parse(path, b.data != NULL ? b.data : "", b.len, ret, err);
    else
        err->code = ERR_CONFIG;
    buf_free(&b);
    return rc;
}

const char *leak_rules_about(const struct leak_rules *r, const char *id)
{
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->rules[i].id, id) == 0 && r->rules[i].description != NULL)
            return r->rules[i].description;
    }
    return "";
}
