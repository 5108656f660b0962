#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log_fields.h"

/* Add "CT_" + name in capitals + "=" + value. */
static void add(struct log_fields *f, size_t *used, const char *name, size_t name_n,
                const char *value, size_t value_n)
{
    size_t need = 3 + name_n + 1 + value_n + 1;
    char *s = f->text + *used;

    if (f->n == LOG_FIELDS_MAX || need > sizeof(f->text) - *used)
        return;
    memcpy(s, "CT_", 3);
    for (size_t i = 0; i < name_n; i++)
        s[3 + i] = name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
    s[3 + name_n] = '=';
    memcpy(s + 4 + name_n, value, value_n);
    s[need - 1] = '\0';
    f->v[f->n++] = s;
    *used += need;
}

static size_t name_length(const char *s)
{
    return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");
}

/* To the quote that ends it: one without a backslash before it. */
static size_t quoted_length(const char *s)
{
    size_t n = 0;

    while (s[n] != '\0' && s[n] != '"')
        n += s[n] == '\\' && s[n + 1] != '\0' ? 2 : 1;
    return n;
}

void log_fields(const char *line, struct log_fields *ret)
{
    const char *s = line;
    size_t used = 0, n = strcspn(s, " ");

    ret->n = 0;
    add(ret, &used, "event", 5, s, n);
    for (s += n; *s != '\0'; s += n) {
        const char *name = s += strspn(s, " ");
        size_t name_n = name_length(name);
        if (name_n == 0 || !islower((unsigned char)*name) || name[name_n] != '=') {
            n = *s == '"' ? 1 + quoted_length(s + 1) : strcspn(s, " ");
            n += *s == '"' && s[n] == '"';
            continue;
        }
        s += name_n + 1;
        if (*s == '"') {
            n = quoted_length(s + 1);
            add(ret, &used, name, name_n, s + 1, n);
            n += 1 + (s[1 + n] == '"');
        } else {
            n = strcspn(s, " ");
            add(ret, &used, name, name_n, s, n);
        }
    }
}
