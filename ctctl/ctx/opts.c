#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "ctctl/ctx/opts.h"

#define MAX_OPTS 32

struct table {
    struct opt all[MAX_OPTS];
    size_t n;
    int wants_help;
};

static void build(struct table *t, struct ctx *c, const struct opt *opts, size_t n)
{
    const struct opt common[] = {
        {"json", OPT_FLAG, &c->json},
        {"socket", OPT_STRING, &c->socket},
        {"help", OPT_FLAG, &t->wants_help},
    };

    t->wants_help = 0;
    t->n = 0;
    for (size_t i = 0; i < n && t->n < MAX_OPTS; i++)
        t->all[t->n++] = opts[i];
    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]) && t->n < MAX_OPTS; i++)
        t->all[t->n++] = common[i];
}

static const struct opt *find(const struct table *t, const char *name, size_t len)
{
    for (size_t i = 0; i < t->n; i++) {
        if (strlen(t->all[i].name) == len && memcmp(t->all[i].name, name, len) == 0)
            return &t->all[i];
    }
    return NULL;
}

static int unknown(struct ctx *c, const struct table *t, const char *name, size_t len)
{
    const char *names[MAX_OPTS], *near;
    char *word = str_printf("%.*s", (int)len, name);
    int rc;

    for (size_t i = 0; i < t->n; i++)
        names[i] = t->all[i].name;
    near = str_resembles(word, names, t->n);
    if (near != NULL)
        rc = ctx_usage(c, "there is no option --%s here; did you mean --%s?", word, near);
    else
        rc = ctx_usage(c, "there is no option --%s here", word);
    free(word);
    return rc;
}

static int set(struct ctx *c, const struct opt *o, const char *value)
{
    unsigned long long n;

    switch (o->kind) {
    case OPT_FLAG:
        *(int *)o->into = 1;
        return -1;
    case OPT_STRING:
        *(const char **)o->into = value;
        return -1;
    case OPT_NUMBER:
        if (str_parse_u64(value, &n) != 0 || n == 0 || n > INT32_MAX)
            return ctx_usage(c, "--%s wants a number of at least 1, not \"%s\"", o->name, value);
        *(int64_t *)o->into = (int64_t)n;
        return -1;
    case OPT_LIST:
        strlist_add(o->into, value);
        return -1;
    }
    return -1;
}

/* Read the option in argv[*i], and its value from the next word if that is where it is. */
static int one(struct ctx *c, const struct table *t, int argc, char **argv, int *i)
{
    const char *name = argv[*i] + 2;
    size_t len = strcspn(name, "=");
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    const struct opt *o = find(t, name, len);

    if (o == NULL)
        return unknown(c, t, name, len);
    if (o->kind == OPT_FLAG && value != NULL)
        return ctx_usage(c, "--%s takes no value", o->name);
    if (o->kind != OPT_FLAG && value == NULL) {
        if (*i + 1 >= argc)
            return ctx_usage(c, "--%s wants a value", o->name);
        if (strncmp(argv[*i + 1], "--", 2) == 0)
            return ctx_usage(c, "--%s wants a value; if it is \"%s\": --%s=%s", o->name,
                             argv[*i + 1], o->name, argv[*i + 1]);
        value = argv[++*i];
    }
    return set(c, o, value);
}

static int is_help(const char *word)
{
    return strcmp(word, "-h") == 0 || strcmp(word, "-?") == 0;
}

int opts_parse(struct ctx *c, const struct opt *opts, size_t n, int argc, char **argv,
               struct strlist *words)
{
    struct table t;
    int rc, options = 1;

    build(&t, c, opts, n);
    for (int i = 0; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = 0;
        } else if (options && is_help(argv[i])) {
            t.wants_help = 1;
        } else if (options && strncmp(argv[i], "--", 2) == 0) {
            rc = one(c, &t, argc, argv, &i);
            if (rc != -1)
                return rc;
        } else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
            return ctx_usage(c, "there is no option %s here", argv[i]);
        } else if (argv[i][0] == '\0') { /* a script's variable that is not set, say */
            return ctx_usage(c, "an empty word means nothing");
        } else {
            strlist_add(words, argv[i]);
        }
    }
    return t.wants_help ? OPTS_HELP : -1;
}

int opts_leading(struct ctx *c, int argc, char **argv, int *ret_n)
{
    struct table t;
    int i, rc;

    build(&t, c, NULL, 0);
    for (i = 0; i < argc && argv[i][0] == '-'; i++) {
        if (is_help(argv[i])) {
            t.wants_help = 1;
        } else if (strncmp(argv[i], "--", 2) == 0 && argv[i][2] != '\0') {
            rc = one(c, &t, argc, argv, &i);
            if (rc != -1)
                return rc;
        } else {
            return ctx_usage(c, "there is no option %s", argv[i]);
        }
    }
    *ret_n = i;
    return t.wants_help ? OPTS_HELP : -1;
}

#define DAY_S 86400

static const struct unit {
    const char *name;
    int64_t seconds;
} units[] = {
    {"s", 1},         {"m", 60},          {"h", 3600},        {"d", DAY_S},
    {"w", 7 * DAY_S}, {"mo", 30 * DAY_S}, {"y", 365 * DAY_S},
};

static const struct unit *unit_of(const char *s, size_t n)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strlen(units[i].name) == n && memcmp(units[i].name, s, n) == 0)
            return &units[i];
    }
    return NULL;
}

/* The length of ${s} in seconds, 0 if it has none, -1 if it is more than ${most_s}.  Whether "m"
 * is a unit in it goes to ${ret_has_minutes}. */
static int64_t length(const char *s, int64_t most_s, int *ret_has_minutes)
{
    int64_t sum = 0;
    int is_too_long = 0;

    *ret_has_minutes = 0;
    while (*s != '\0') {
        size_t digits = strspn(s, "0123456789"),
               n = strspn(s + digits, "abcdefghijklmnopqrstuvwxyz");
        const struct unit *u = unit_of(s + digits, n);
        int64_t number = 0;

        if (digits == 0 || u == NULL)
            return 0;
        for (size_t i = 0; i < digits && !is_too_long; i++) {
            number = number * 10 + (s[i] - '0');
            is_too_long = number > most_s / u->seconds;
        }
        is_too_long = is_too_long || (sum += number * u->seconds) > most_s;
        *ret_has_minutes = *ret_has_minutes || strcmp(u->name, "m") == 0;
        s += digits + n;
    }
    return is_too_long ? -1 : sum;
}

int opts_duration(struct ctx *c, const char *name, const char *s, enum opts_minutes m,
                  int64_t most_s, int64_t *ret_seconds)
{
    int has_minutes;
    int64_t seconds = length(s, most_s, &has_minutes);
    char most[32] = "a year";

    if (most_s > 366 * DAY_S)
        snprintf(most, sizeof(most), "100 years");
    else if (most_s < 365 * DAY_S)
        snprintf(most, sizeof(most), "%lld days", (long long)(most_s / DAY_S));

    if (seconds == 0)
        return ctx_usage(c,
                         "%s wants a length of time, not \"%s\"; write it as 30s, %s12h, 7d, 8w, "
                         "6mo or 1y",
                         name, s, m == OPTS_MINUTES ? "15m, " : "");
    if (has_minutes && m == OPTS_NO_MINUTES)
        return ctx_usage(c,
                         "the m in \"%s\" can mean minutes or months, and this deletes; write 6mo "
                         "for months, 300s or 1h for less than a day",
                         s);
    if (seconds < 0)
        return ctx_usage(c, "%s takes at most %s, and \"%s\" is more", name, most, s);
    *ret_seconds = seconds;
    return -1;
}
