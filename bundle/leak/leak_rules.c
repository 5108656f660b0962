#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "bundle/leak/leak_default.h"
#include "bundle/leak/leak_impl.h"

#define MAX_FILE (4 << 20)
#define MAX_RULES 2000
#define MAX_REGEX (32 << 10)
#define MIN_KEYWORD 3

static int refuse(struct ct_err *err, const char *key, const char *what)
{
    return err_set(err, ERR_CONFIG, "%s %s", key, what);
}

/* ---- values -------------------------------------------------------------------------------------
 */

/* A text that is not empty and has no NUL, or NULL. */
static const char *text_of(struct json_object *o)
{
    const char *s = json_object_get_string(o);

    return json_object_get_type(o) == json_type_string && s[0] != '\0' &&
                   strlen(s) == (size_t)json_object_get_string_len(o)
               ? s
               : NULL;
}

static int take_text(const char *key, struct json_object *o, char **ret, struct ct_err *err)
{
    const char *s = text_of(o);

    if (s == NULL)
        return refuse(err, key, "wants a text");
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

static int take_regex(const char *key, struct json_object *o, pcre2_code **ret, struct ct_err *err)
{
    char *text = NULL;
    int rc = take_text(key, o, &text, err);

    if (rc == 0)
        rc = compile(key, text, ret, err);
    free(text);
    return rc;
}

static int take_number(const char *key, struct json_object *o, double max, int is_whole,
                       double *ret, struct ct_err *err)
{
    enum json_type type = json_object_get_type(o);
    double x = json_object_get_double(o);

    if ((type != json_type_int && (type != json_type_double || is_whole)) || !(x >= 0 && x <= max))
        return err_set(err, ERR_CONFIG, "%s wants a %snumber from 0 to %g", key,
                       is_whole ? "whole " : "", max);
    *ret = x;
    return 0;
}

/* Each of a list of texts, in ${f}. */
static int each_text(const char *key, struct json_object *o,
                     int (*f)(void *arg, const char *s, struct ct_err *err), void *arg,
                     struct ct_err *err)
{
    if (json_object_get_type(o) != json_type_array)
        return refuse(err, key, "wants a list of texts: [\"...\", \"...\"]");
    for (size_t i = 0; i < json_object_array_length(o); i++) {
        const char *s = text_of(json_object_array_get_idx(o, i));
        if (s == NULL)
            return refuse(err, key, "wants a list of texts: [\"...\", \"...\"]");
        if (f(arg, s, err) != 0)
            return -1;
    }
    return 0;
}

/* Each of a list of objects, in ${f}. */
static int each_object(const char *key, struct json_object *o,
                       int (*f)(void *arg, struct json_object *e, struct ct_err *err), void *arg,
                       struct ct_err *err)
{
    if (json_object_get_type(o) != json_type_array)
        return refuse(err, key, "wants a list: [{...}, {...}]");
    for (size_t i = 0; i < json_object_array_length(o); i++) {
        struct json_object *e = json_object_array_get_idx(o, i);
        if (json_object_get_type(e) != json_type_object)
            return refuse(err, key, "wants a list: [{...}, {...}]");
        if (f(arg, e, err) != 0)
            return -1;
    }
    return 0;
}

struct regexes {
    const char *key;
    pcre2_code ***list;
    size_t *n;
};

static int add_regex(void *arg, const char *s, struct ct_err *err)
{
    const struct regexes *x = arg;
    pcre2_code *code;

    if (compile(x->key, s, &code, err) != 0)
        return -1;
    *x->list = str_realloc(*x->list, *x->n + 1, sizeof(**x->list));
    (*x->list)[(*x->n)++] = code;
    return 0;
}

static int add_stopword(void *arg, const char *s, struct ct_err *err)
{
    char *low = str_dup(s);

    (void)err;
    for (char *p = low; *p != '\0'; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p);
    strlist_add(arg, low);
    free(low);
    return 0;
}

/* ---- what is no secret after all ----------------------------------------------------------------
 */

/* A list that gets one allowlist more. */
struct allows {
    struct leak_allow **list;
    size_t *n;
};

static int set_allow(struct leak_allow *a, const char *key, struct json_object *o,
                     struct ct_err *err)
{
    struct regexes regexes = {key, &a->regexes, &a->n_regexes},
                   paths = {key, &a->paths, &a->n_paths};
    const char *s = text_of(o);

    if (strcmp(key, "description") == 0)
        return 0;
    if (strcmp(key, "regexes") == 0)
        return each_text(key, o, add_regex, &regexes, err);
    if (strcmp(key, "paths") == 0)
        return each_text(key, o, add_regex, &paths, err);
    if (strcmp(key, "stopwords") == 0)
        return each_text(key, o, add_stopword, &a->stopwords, err);
    if (strcmp(key, "regexTarget") == 0) {
        if (s == NULL || (strcmp(s, "secret") != 0 && strcmp(s, "match") != 0))
            return refuse(err, key, "is \"secret\" or \"match\" here");
        a->is_on_match = s[0] == 'm';
        return 0;
    }
    return refuse(err, key, "is not known in an allowlist here");
}

static int add_allow(void *arg, struct json_object *o, struct ct_err *err)
{
    const struct allows *to = arg;
    struct leak_allow *a;

    *to->list = str_realloc(*to->list, *to->n + 1, sizeof(**to->list));
    a = &(*to->list)[(*to->n)++];
    memset(a, 0, sizeof(*a));
    json_object_object_foreach(o, key, value)
    {
        if (set_allow(a, key, value, err) != 0)
            return -1;
    }
    return 0;
}

/* Return 1 if ${key} is an allowlist or several and was read, 0 if it is something else, or -1. */
static int take_allows(const char *key, struct json_object *o, struct allows to, struct ct_err *err)
{
    if (strcmp(key, "allowlists") == 0)
        return each_object(key, o, add_allow, &to, err) == 0 ? 1 : -1;
    if (strcmp(key, "allowlist") != 0)
        return 0;
    if (json_object_get_type(o) != json_type_object)
        return refuse(err, key, "wants {...}");
    return add_allow(&to, o, err) == 0 ? 1 : -1;
}

/* ---- rules --------------------------------------------------------------------------------------
 */

static int is_named(const struct leak_rules *r, const char *id)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->rules[i].id != NULL && strcmp(r->rules[i].id, id) == 0)
            return 1;
    }
    return 0;
}

static int add_keyword(void *arg, const char *s, struct ct_err *err)
{
    struct leak_rules *r = arg;

    if (strlen(s) < MIN_KEYWORD)
        return err_set(err, ERR_CONFIG, "a keyword has %d letters at least", MIN_KEYWORD);
    leak_words_add(r->words, s, (uint32_t)r->n - 1);
    r->rules[r->n - 1].has_keywords = 1;
    return 0;
}

static int set_rule(struct leak_rules *all, const char *key, struct json_object *o,
                    struct ct_err *err)
{
    struct leak_rule *r = &all->rules[all->n - 1];
    double x = 0;
    int rc = take_allows(key, o, (struct allows){&r->allows, &r->n_allows}, err);

    if (rc != 0)
        return rc > 0 ? 0 : -1;
    if (strcmp(key, "id") == 0)
        return text_of(o) != NULL && is_named(all, text_of(o))
                   ? refuse(err, key, "is that of another rule")
                   : take_text(key, o, &r->id, err);
    if (strcmp(key, "description") == 0)
        return take_text(key, o, &r->description, err);
    if (strcmp(key, "regex") == 0)
        return take_regex(key, o, &r->regex, err);
    if (strcmp(key, "path") == 0)
        return take_regex(key, o, &r->path, err);
    if (strcmp(key, "keywords") == 0)
        return each_text(key, o, add_keyword, all, err);
    if (strcmp(key, "entropy") == 0)
        return take_number(key, o, 8, 0, &r->entropy, err);
    if (strcmp(key, "tags") == 0)
        return 0;
    if (strcmp(key, "secretGroup") != 0)
        return refuse(err, key, "is not known in a rule");
    rc = take_number(key, o, 99, 1, &x, err);
    r->group = (uint32_t)x;
    return rc;
}

static int check_rule(const struct leak_rule *r, struct ct_err *err)
{
    uint32_t groups = 0;

    if (r->id == NULL || r->regex == NULL)
        return err_set(err, ERR_CONFIG, "it has no %s", r->id == NULL ? "id" : "regex");
    pcre2_pattern_info(r->regex, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (r->group > groups)
        return err_set(err, ERR_CONFIG, "secretGroup is %u, its regex has %u groups", r->group,
                       groups);
    return 0;
}

static int add_rule(void *arg, struct json_object *o, struct ct_err *err)
{
    struct leak_rules *all = arg;
    struct ct_err e = {0};
    int rc = 0;

    if (all->n == MAX_RULES)
        return err_set(err, ERR_CONFIG, "more than %d rules", MAX_RULES);
    all->rules = str_realloc(all->rules, all->n + 1, sizeof(*all->rules));
    memset(&all->rules[all->n++], 0, sizeof(*all->rules));
    json_object_object_foreach(o, key, value)
    {
        if (rc == 0)
            rc = set_rule(all, key, value, &e);
    }
    if (rc == 0)
        rc = check_rule(&all->rules[all->n - 1], &e);
    if (rc != 0) {
        const char *id = jdoc_str(o, "id");
        err_set(err, ERR_CONFIG, "rule %zu (%.80s): %.400s", all->n, id != NULL ? id : "without id",
                e.msg);
    }
    return rc;
}

static int read_document(struct leak_rules *r, struct json_object *o, struct ct_err *err)
{
    if (json_object_get_type(o) != json_type_object)
        return err_set(err, ERR_CONFIG, "it has to be an object: {\"rules\": [...]}");
    json_object_object_foreach(o, key, value)
    {
        int rc = take_allows(key, value, (struct allows){&r->allows, &r->n_allows}, err);
        if (rc == 0 && strcmp(key, "rules") == 0)
            rc = each_object(key, value, add_rule, r, err) == 0 ? 1 : -1;
        if (rc == 0 && strcmp(key, "title") != 0 && strcmp(key, "description") != 0)
            rc = refuse(err, key, "is not known here");
        if (rc < 0)
            return -1;
    }
    return r->n > 0 ? 0 : err_set(err, ERR_CONFIG, "there is no rule in it: {\"rules\": [...]}");
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

/* Rules were TOML once. */
static int is_toml(const char *p, size_t n)
{
    for (; n > 0 && strchr(" \t\r\n", *p) != NULL; n--)
        p++;
    return n > 0 && *p != '{' && (*p == '#' || memmem(p, n, "[[rules]]", 9) != NULL);
}

static int parse(const char *p, size_t n, struct leak_rules *r, struct ct_err *err)
{
    struct json_object *o;
    int rc;

    if (is_toml(p, n))
        return err_set(
            err, ERR_CONFIG,
            "this is TOML, and rules are JSON by now; with Python 3.11 or newer: python3 "
            "-c 'import json, sys, tomllib; json.dump(tomllib.load(sys.stdin.buffer), "
            "sys.stdout, indent=1)' <OLD >NEW");
    if (jdoc_parse(p, n, &o, err) != 0)
        return -1;
    rc = read_document(r, o, err);
    json_object_put(o);
    return rc;
}

int leak_rules_parse(const char *name, const char *p, size_t n, struct leak_rules **ret,
                     struct ct_err *err)
{
    struct leak_rules *r = str_calloc(1, sizeof(*r));
    struct ct_err e = {0};

    atomic_init(&r->refs, 1);
    r->words = leak_words_new();
    if (parse(p, n, r, &e) != 0) {
        leak_rules_free(r);
        return err_set(err, ERR_CONFIG, "%s: %s", name, e.msg);
    }
    leak_words_ready(r->words);
    *ret = r;
    return 0;
}

int leak_rules_load(const char *path, struct leak_rules **ret, struct ct_err *err)
{
    struct buf b = {0};
    int rc;

    if (path == NULL)
        return leak_rules_parse("scan-rules.json", leak_default, strlen(leak_default), ret, err);
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
