#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libconfig.h>

#include "common/base/path.h"
#include "common/sys/secret.h"
#include "common/base/str.h"

#include "common/config/conf.h"

extern char **environ;

struct reading {
    const char *path;
    const struct conf_key *keys;
    size_t n;
    char *into;
    char faults[400]; /* one sentence after another */
};

static void fault(struct reading *r, const config_setting_t *s, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void fault(struct reading *r, const config_setting_t *s, const char *fmt, ...)
{
    size_t n = strlen(r->faults);
    char line[16] = "";
    va_list ap;

    if (config_setting_source_line(s) > 0)
        snprintf(line, sizeof(line), ":%u", config_setting_source_line(s));
    n += (size_t)snprintf(r->faults + n, sizeof(r->faults) - n, "%s%s%s: ", n > 0 ? "; " : "",
                          r->path, line);
    if (n >= sizeof(r->faults))
        return;
    va_start(ap, fmt);
    vsnprintf(r->faults + n, sizeof(r->faults) - n, fmt, ap);
    va_end(ap);
}

static const struct conf_key *find_key(struct reading *r, const config_setting_t *s)
{
    const char *name = config_setting_name(s), *near;
    const char **names;
    char quoted[80];

    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->keys[i].name, name) == 0)
            return &r->keys[i];
    }
    names = str_calloc(r->n, sizeof(*names));
    for (size_t i = 0; i < r->n; i++)
        names[i] = r->keys[i].name;
    near = str_resembles(name, names, r->n);
    str_escape(name, strlen(name), quoted, sizeof(quoted));
    if (near != NULL)
        fault(r, s, "unknown key '%s'; did you mean '%s'?", quoted, near);
    else
        fault(r, s, "unknown key '%s'", quoted);
    free(names);
    return NULL;
}

static int number_of(const config_setting_t *s, double *ret)
{
    switch (config_setting_type(s)) {
    case CONFIG_TYPE_INT:
        *ret = config_setting_get_int(s);
        return 0;
    case CONFIG_TYPE_INT64:
        *ret = (double)config_setting_get_int64(s);
        return 0;
    case CONFIG_TYPE_FLOAT:
        *ret = config_setting_get_float(s);
        return 0;
    default:
        return -1;
    }
}

/* "10 MB" (powers of 1000), "1 GiB" (powers of 1024), "512" */
static int bytes_of(const char *s, double *ret)
{
    static const char *const units[] = {"",   "B",   "kB",  "MB",  "GB",
                                        "TB", "KiB", "MiB", "GiB", "TiB"};
    static const double factors[] = {1,    1,      1e3,       1e6,          1e9,
                                     1e12, 1024.0, 1048576.0, 1073741824.0, 1099511627776.0};
    char *end;
    double v;

    errno = 0;
    v = strtod(s, &end);
    if (end == s || errno != 0 || v < 0)
        return -1;
    while (*end == ' ')
        end++;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcasecmp(end, units[i]) == 0) {
            *ret = v * factors[i];
            return 0;
        }
    }
    return -1;
}

static void set_number(struct reading *r, const struct conf_key *k, const config_setting_t *s,
                       double v, double scale)
{
    long long n;

    if (v * scale > 9e18 || v * scale < -9e18) {
        fault(r, s, "'%s' is out of range", k->name);
        return;
    }
    n = (long long)(v * scale + (v < 0 ? -0.5 : 0.5));
    if ((k->min != 0 || k->max != 0) && (n < k->min || n > k->max)) {
        fault(r, s, "'%s' must be from %g to %g", k->name, (double)k->min / scale,
              (double)k->max / scale);
        return;
    }
    if (k->type == CONF_BOOL || k->type == CONF_CHOICE)
        *(int *)(void *)(r->into + k->offset) = (int)n;
    else
        *(long long *)(void *)(r->into + k->offset) = n;
}

static void set_choice(struct reading *r, const struct conf_key *k, const config_setting_t *s)
{
    const char *v = config_setting_get_string(s);
    char all[200] = "";
    size_t n = 0;

    for (int i = 0; k->choices[i] != NULL; i++) {
        if (v != NULL && strcmp(v, k->choices[i]) == 0) {
            set_number(r, k, s, i, 1);
            return;
        }
        n += (size_t)snprintf(all + n, sizeof(all) - n, "%s\"%s\"", i > 0 ? ", " : "",
                              k->choices[i]);
    }
    fault(r, s, "'%s' must be one of %s", k->name, all);
}

static void set_string(struct reading *r, const struct conf_key *k, const config_setting_t *s)
{
    const char *v = config_setting_get_string(s);
    char **member = (char **)(void *)(r->into + k->offset);

    if (v == NULL) {
        fault(r, s, "'%s' must be a string in double quotes", k->name);
        return;
    }
    if (k->type == CONF_SECRET) {
        secret_free(*member);
        *member = secret_dup(v);
        str_wipe((char *)(uintptr_t)v, strlen(v)); /* libconfig's copy */
        return;
    }
    free(*member);
    *member = k->type == CONF_PATH ? path_expand(v) : str_dup(v);
}

static void set_list(struct reading *r, const struct conf_key *k, const config_setting_t *s)
{
    struct strlist *member = (struct strlist *)(void *)(r->into + k->offset);

    if (k->type == CONF_LIST && config_setting_type(s) == CONFIG_TYPE_STRING) {
        strlist_free(member);
        strlist_add(member, config_setting_get_string(s));
        return;
    }
    if (!config_setting_is_array(s) && !config_setting_is_list(s)) {
        fault(r, s, "'%s' must be a list of strings: [ \"one\", \"two\" ]", k->name);
        return;
    }
    strlist_free(member);
    for (int i = 0; i < config_setting_length(s); i++) {
        const char *v = config_setting_get_string_elem(s, i);
        char *expanded;
        if (v == NULL) {
            fault(r, s, "'%s' must hold strings only", k->name);
            return;
        }
        expanded = k->type == CONF_PATHS ? path_expand(v) : str_dup(v);
        strlist_add(member, expanded);
        free(expanded);
    }
}

static void set_numbers(struct reading *r, const struct conf_key *k, const config_setting_t *s)
{
    struct conf_numbers *member = (struct conf_numbers *)(void *)(r->into + k->offset);
    int n = config_setting_is_array(s) || config_setting_is_list(s) ? config_setting_length(s) : 0;

    if (n < 1 || n > CONF_MOST_NUMBERS) {
        fault(r, s, "'%s' must be a list of 1 to %d numbers: [ 443, 8443 ]", k->name,
              CONF_MOST_NUMBERS);
        return;
    }
    member->n = 0;
    for (int i = 0; i < n; i++) {
        const config_setting_t *e = config_setting_get_elem(s, (unsigned int)i);
        long long v = config_setting_get_int64(e);
        if (config_setting_type(e) == CONFIG_TYPE_INT)
            v = config_setting_get_int(e);
        else if (config_setting_type(e) != CONFIG_TYPE_INT64)
            v = k->min - 1;
        if (v < k->min || v > k->max) {
            fault(r, s, "'%s' must hold whole numbers from %lld to %lld only", k->name, k->min,
                  k->max);
            return;
        }
        member->v[member->n++] = v;
    }
}

static void set(struct reading *r, const struct conf_key *k, const config_setting_t *s)
{
    const char *text;
    double v;

    switch (k->type) {
    case CONF_STRING:
    case CONF_SECRET:
    case CONF_PATH:
        set_string(r, k, s);
        break;
    case CONF_BOOL:
        if (config_setting_type(s) != CONFIG_TYPE_BOOL)
            fault(r, s, "'%s' must be true or false", k->name);
        else
            set_number(r, k, s, config_setting_get_bool(s), 1);
        break;
    case CONF_INT:
    case CONF_SECONDS:
        if (number_of(s, &v) != 0)
            fault(r, s, "'%s' must be a number%s", k->name,
                  k->type == CONF_SECONDS ? " of seconds" : "");
        else
            set_number(r, k, s, v, k->type == CONF_SECONDS ? 1000 : 1);
        break;
    case CONF_BYTES:
        text = config_setting_get_string(s);
        if (number_of(s, &v) != 0 && (text == NULL || bytes_of(text, &v) != 0))
            fault(r, s, "'%s' must be a size such as 500000 or \"10 MB\"", k->name);
        else
            set_number(r, k, s, v, 1);
        break;
    case CONF_CHOICE:
        set_choice(r, k, s);
        break;
    case CONF_LIST:
    case CONF_PATHS:
        set_list(r, k, s);
        break;
    case CONF_NUMBERS:
        set_numbers(r, k, s);
        break;
    }
}

int conf_read(const char *path, const struct conf_key *keys, size_t n, void *into, int must_exist,
              struct ct_err *err)
{
    struct reading r = {.path = path, .keys = keys, .n = n, .into = into};
    const config_setting_t *root;
    config_t c;
    FILE *f;
    int rc = 0;

    f = fopen(path, "re");
    if (f == NULL) {
        if (errno == ENOENT && !must_exist)
            return 0;
        err_sys(err, "can't open the configuration %s", path);
        if (err != NULL)
            err->code = ERR_CONFIG;
        return -1;
    }
    config_init(&c);
    if (config_read(&c, f) != CONFIG_TRUE) {
        rc = err_set(err, ERR_CONFIG, "%s:%d: %s", path, config_error_line(&c),
                     config_error_text(&c) != NULL ? config_error_text(&c) : "can't be read");
    } else {
        root = config_root_setting(&c);
        for (int i = 0; i < config_setting_length(root); i++) {
            const config_setting_t *s = config_setting_get_elem(root, (unsigned int)i);
            const struct conf_key *k = find_key(&r, s);
            if (k != NULL)
                set(&r, k, s);
        }
        if (r.faults[0] != '\0')
            rc = err_set(err, ERR_CONFIG, "%s", r.faults);
    }
    config_destroy(&c);
    fclose(f);
    return rc;
}

static void add_elements(config_setting_t *list, const char *value)
{
    while (*value != '\0') {
        size_t n = strcspn(value, ",");
        char *one = str_printf("%.*s", (int)n, value);
        const char *begin = one + strspn(one, " ");
        one[begin - one + (ptrdiff_t)strcspn(begin, " ")] = '\0';
        if (*begin != '\0')
            config_setting_set_string(config_setting_add(list, NULL, CONFIG_TYPE_STRING), begin);
        free(one);
        value += n + (value[n] == ',');
    }
}

/* The setting that a file would have; of a number that is none a string, which is a fault. */
static const config_setting_t *make_setting(config_setting_t *root, const struct conf_key *k,
                                            const char *value)
{
    int is_number = k->type == CONF_INT || k->type == CONF_SECONDS, is_bool = k->type == CONF_BOOL;
    config_setting_t *s;
    char *end;
    double v = strtod(value, &end);

    if (k->type == CONF_LIST || k->type == CONF_PATHS) {
        s = config_setting_add(root, k->name, CONFIG_TYPE_LIST);
        add_elements(s, value);
    } else if (is_number && end != value && *end == '\0') {
        s = config_setting_add(root, k->name, CONFIG_TYPE_FLOAT);
        config_setting_set_float(s, v);
    } else if (is_bool && (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)) {
        s = config_setting_add(root, k->name, CONFIG_TYPE_BOOL);
        config_setting_set_bool(s, value[0] == 't');
    } else {
        s = config_setting_add(root, k->name, CONFIG_TYPE_STRING);
        config_setting_set_string(s, value);
    }
    return s;
}

/* One variable, "NAME=VALUE", whose key begins at ${name}. */
static void take_variable(struct reading *r, const char *variable, const char *name)
{
    size_t n = strcspn(name, "=");
    char *key = str_printf("%.*s", (int)n, name);
    char *path = str_printf("%.*s", (int)(name - variable + (ptrdiff_t)n), variable);
    const struct conf_key *k;
    config_setting_t *s;
    config_t c;

    for (char *p = key; *p != '\0'; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
    config_init(&c);
    r->path = path;
    s = config_setting_add(config_root_setting(&c), key, CONFIG_TYPE_STRING);
    k = s != NULL ? find_key(r, s) : NULL;
    if (k != NULL) {
        config_setting_remove(config_root_setting(&c), key);
        set(r, k, make_setting(config_root_setting(&c), k, name + n + 1));
    }
    config_destroy(&c);
    free(path);
    free(key);
}

int conf_environment(const char *prefix, const struct conf_key *keys, size_t n, void *into,
                     struct ct_err *err)
{
    struct reading r = {.keys = keys, .n = n, .into = into};

    for (char **v = environ; *v != NULL; v++) {
        if (strncmp(*v, prefix, strlen(prefix)) == 0 && strchr(*v, '=') != NULL)
            take_variable(&r, *v, *v + strlen(prefix));
    }
    return r.faults[0] == '\0' ? 0 : err_set(err, ERR_CONFIG, "%s", r.faults);
}
