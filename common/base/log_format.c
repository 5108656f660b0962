#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/str.h"

#include "common/base/log_impl.h"

/* A line as it is made. */
struct line {
    char *p;
    size_t size, len;
};

static void add(struct line *l, const char *s, size_t n)
{
    size_t room = l->size - 1 - l->len;

    if (n > room)
        n = room;
    memcpy(l->p + l->len, s, n);
    l->len += n;
    l->p[l->len] = '\0';
}

/* What stands between quotes in the format can't end them. */
static void add_text(struct line *l, const char *s, int precision, int is_quoted)
{
    char escaped[LOG_LINE_SIZE];
    size_t n;

    if (s == NULL)
        s = "-";
    n = precision >= 0 ? strnlen(s, (size_t)precision) : strlen(s);
    if (is_quoted) {
        str_escape(s, n, escaped, sizeof(escaped));
        s = escaped;
        n = strlen(escaped);
    }
    add(l, s, n);
}

/* The precision behind a '.', -1: none. */
static int precision_of(const char **p)
{
    int n = 0;

    if (**p != '.')
        return -1;
    for (++*p; **p >= '0' && **p <= '9'; ++*p)
        n = n * 10 + (**p - '0');
    return n;
}

/* Take ${word} from ${p} if it stands there. */
static int takes(const char **p, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(*p, word, n) != 0)
        return 0;
    *p += n;
    return 1;
}

static int format(struct line *l, const char *fmt, va_list ap)
{
    char number[32];

    for (const char *p = fmt; *p != '\0';) {
        const char *from = p;
        int precision, is_quoted;
        p += strcspn(p, "%");
        add(l, from, (size_t)(p - from));
        if (*p == '\0')
            break;
        is_quoted = p > fmt && p[-1] == '"';
        p++;
        precision = precision_of(&p);
        number[0] = '\0';
        if (takes(&p, "s"))
            add_text(l, va_arg(ap, const char *), precision, is_quoted && *p == '"');
        else if (precision >= 0)
            return -1;
        else if (takes(&p, "%"))
            add(l, "%", 1);
        else if (takes(&p, "d"))
            snprintf(number, sizeof(number), "%d", va_arg(ap, int));
        else if (takes(&p, "u"))
            snprintf(number, sizeof(number), "%u", va_arg(ap, unsigned int));
        else if (takes(&p, "ld"))
            snprintf(number, sizeof(number), "%ld", va_arg(ap, long));
        else if (takes(&p, "lu"))
            snprintf(number, sizeof(number), "%lu", va_arg(ap, unsigned long));
        else if (takes(&p, "lld"))
            snprintf(number, sizeof(number), "%lld", va_arg(ap, long long));
        else if (takes(&p, "llu"))
            snprintf(number, sizeof(number), "%llu", va_arg(ap, unsigned long long));
        else if (takes(&p, "zu"))
            snprintf(number, sizeof(number), "%zu", va_arg(ap, size_t));
        else
            return -1;
        add(l, number, strlen(number));
    }
    return 0;
}

void log_format(char *line, size_t size, const char *fmt, va_list ap)
{
    struct line l = {line, size, 0};
    va_list again;

    line[0] = '\0';
    va_copy(again, ap);
    /* Another conversion: as printf() has it. */
    if (format(&l, fmt, ap) != 0)
        vsnprintf(line, size, fmt, again);
    va_end(again);
    /* One line an event, whatever is in it. */
    for (char *p = line; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '?';
    }
}
