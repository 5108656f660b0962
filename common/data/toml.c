#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/map.h"
#include "common/base/str.h"

#include "common/data/toml.h"

#define MAX_NESTING 8 /* arrays in arrays */

struct toml {
    const char *p, *end;
    int line;
    struct map *keys;   /* of the table that is being read */
    struct map *tables; /* those that were written [table] */
    char *table;
    int is_element;
    int (*f)(void *arg, const struct toml_entry *e, struct ct_err *err);
    void *arg;
    struct ct_err *err;
};

static int bad(struct toml *t, const char *what)
{
    return err_set(t->err, ERR_CONFIG, "%s", what);
}

static int at(const struct toml *t, const char *s)
{
    size_t n = strlen(s);

    return (size_t)(t->end - t->p) >= n && memcmp(t->p, s, n) == 0;
}

static void skip_blanks(struct toml *t)
{
    while (t->p < t->end && (*t->p == ' ' || *t->p == '\t'))
        t->p++;
}

static int take_newline(struct toml *t)
{
    if (at(t, "\r\n"))
        t->p++;
    if (!at(t, "\n"))
        return 0;
    t->p++;
    t->line++;
    return 1;
}

static int skip_comment(struct toml *t)
{
    if (!at(t, "#"))
        return 0;
    while (t->p < t->end && *t->p != '\n') {
        if (((unsigned char)*t->p < ' ' && *t->p != '\t' && !at(t, "\r\n")) || *t->p == 0x7f)
            return bad(t, "a control character in a comment");
        t->p++;
    }
    return 0;
}

/* Blanks, comments and ends of lines, as between the elements of an array. */
static int skip_space(struct toml *t)
{
    do {
        skip_blanks(t);
        if (skip_comment(t) != 0)
            return -1;
    } while (take_newline(t));
    return 0;
}

static int end_of_line(struct toml *t)
{
    skip_blanks(t);
    if (skip_comment(t) != 0)
        return -1;
    if (t->p == t->end || take_newline(t))
        return 0;
    return bad(t, "there is more on this line than one thing");
}

/* ---- values -------------------------------------------------------------------------------------
 */

static int add_code_point(struct toml *t, struct buf *b, int digits)
{
    unsigned long c = 0;

    for (int i = 0; i < digits; i++, t->p++) {
        const char *hex = "0123456789abcdef", *digit;
        if (t->p == t->end || *t->p == '\0' || (digit = strchr(hex, tolower(*t->p))) == NULL)
            return bad(t, "\\u wants 4 hexadecimal digits, \\U 8");
        c = c << 4 | (unsigned long)(digit - hex);
    }
    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return bad(t, "no such character");
    if (c < 0x80) {
        buf_addc(b, (char)c);
        return 0;
    }
    if (c >= 0x10000) {
        buf_addc(b, (char)(0xf0 | c >> 18));
        buf_addc(b, (char)(0x80 | (c >> 12 & 63)));
    } else if (c >= 0x800) {
        buf_addc(b, (char)(0xe0 | c >> 12));
    }
    buf_addc(b, (char)(c >= 0x800 ? 0x80 | (c >> 6 & 63) : 0xc0 | c >> 6));
    buf_addc(b, (char)(0x80 | (c & 63)));
    return 0;
}

/* In a string of several lines, a backslash at the end of one joins it with the next word. */
static int join_lines(struct toml *t)
{
    skip_blanks(t);
    if (!take_newline(t))
        return bad(t, "a backslash in a string wants one of b t n f r \" \\ u U after it; in '...' "
                      "it stands for itself");
    do
        skip_blanks(t);
    while (take_newline(t));
    return 0;
}

static int add_escape(struct toml *t, struct buf *b, int is_long)
{
    static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
    const char *hit;
    char c = t->p < t->end ? *t->p : '\0';

    if (c != '\0' && (hit = strchr(from, c)) != NULL) {
        buf_addc(b, to[hit - from]);
        t->p++;
        return 0;
    }
    if (c == 'u' || c == 'U') {
        t->p++;
        return add_code_point(t, b, c == 'u' ? 4 : 8);
    }
    if (is_long)
        return join_lines(t);
    return bad(t, "a backslash in \"...\" wants one of b t n f r \" \\ u U after it; in '...' it "
                  "stands for itself");
}

/* ${quote} is what it ends with, already read at its beginning. */
static int read_string(struct toml *t, const char *quote, struct buf *b)
{
    int is_long = quote[1] != '\0', is_raw = quote[0] == '\'';

    if (is_long)
        (void)take_newline(t);
    for (;;) {
        if (t->p == t->end || (!is_long && (*t->p == '\n' || at(t, "\r\n"))))
            return bad(t, "a string does not end");
        /* Up to two quotes right before the end belong to the text. */
        if (at(t, quote) && !(is_long && t->p + 3 < t->end && t->p[3] == quote[0])) {
            t->p += strlen(quote);
            return 0;
        }
        if (*t->p == '\\' && !is_raw) {
            t->p++;
            if (add_escape(t, b, is_long) != 0)
                return -1;
        } else if (is_long && take_newline(t)) {
            buf_addc(b, '\n');
        } else if (((unsigned char)*t->p < ' ' && *t->p != '\t') || *t->p == 0x7f) {
            return bad(t, "a control character in a string");
        } else {
            buf_addc(b, *t->p++);
        }
    }
}

static int read_text(struct toml *t, struct json_object **ret)
{
    static const char *const quotes[] = {"\"\"\"", "'''", "\"", "'"};
    struct buf b = {0};
    int rc = -1;

    for (size_t i = 0; i < 4; i++) {
        if (!at(t, quotes[i]))
            continue;
        t->p += strlen(quotes[i]);
        rc = read_string(t, quotes[i], &b);
        break;
    }
    if (rc == 0)
        *ret = json_object_new_string_len(b.data != NULL ? b.data : "", (int)b.len);
    buf_free(&b);
    return rc;
}

/* A number without its underscores, each of which has to stand between digits. */
static int plain_number(const char *p, size_t n, char *ret, size_t size)
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        if (p[i] == '_') {
            if (i == 0 || i + 1 == n || !isdigit((unsigned char)p[i - 1]) ||
                !isdigit((unsigned char)p[i + 1]))
                return -1;
        } else if (strchr("+-.eE0123456789", p[i]) == NULL || len + 1 == size) {
            return -1;
        } else {
            ret[len++] = p[i];
        }
    }
    ret[len] = '\0';
    return 0;
}

/* TOML wants a digit before and after the point, and no zero in front. */
static int is_well_formed(const char *s)
{
    const char *digits = s + (*s == '+' || *s == '-'), *point = strchr(s, '.');
    size_t n = strspn(digits, "0123456789");

    return n > 0 && (n == 1 || digits[0] != '0') &&
           (point == NULL || isdigit((unsigned char)point[1]));
}

static int read_number(struct toml *t, struct json_object **ret)
{
    char text[64], *end = text;
    const char *from = t->p;
    long long whole;
    double number;

    while (t->p < t->end && (isalnum((unsigned char)*t->p) || strchr("+-._:", *t->p) != NULL) &&
           *t->p != '\0')
        t->p++;
    if (t->p == from || plain_number(from, (size_t)(t->p - from), text, sizeof(text)) != 0 ||
        !is_well_formed(text))
        return bad(t, "a value is a string in quotes, a number, true, false, or a list [...]");
    errno = 0;
    if (strpbrk(text, ".eE") == NULL) {
        whole = strtoll(text, &end, 10);
        if (*end == '\0' && errno == 0)
            *ret = json_object_new_int64(whole);
    } else {
        number = strtod(text, &end);
        if (*end == '\0' && isfinite(number))
            *ret = json_object_new_double(number);
    }
    return *ret != NULL ? 0 : bad(t, "that is no number, or too large a one");
}

static int read_value(struct toml *t, int depth, struct json_object **ret);

static int read_array(struct toml *t, int depth, struct json_object **ret)
{
    struct json_object *list = json_object_new_array(), *value;

    t->p++;
    for (;;) {
        value = NULL;
        if (skip_space(t) != 0)
            goto err0;
        if (at(t, "]"))
            break;
        if (read_value(t, depth + 1, &value) != 0)
            goto err0;
        json_object_array_add(list, value);
        if (skip_space(t) != 0)
            goto err0;
        if (at(t, ",")) {
            t->p++;
        } else if (!at(t, "]")) {
            bad(t, "a list wants a comma or ] here");
            goto err0;
        }
    }
    t->p++;
    *ret = list;
    return 0;

err0:
    json_object_put(list);
    return -1;
}

static int read_value(struct toml *t, int depth, struct json_object **ret)
{
    *ret = NULL;
    if (depth > MAX_NESTING)
        return bad(t, "lists are nested too deeply");
    if (t->p == t->end)
        return bad(t, "a value is missing");
    if (*t->p == '"' || *t->p == '\'')
        return read_text(t, ret);
    if (*t->p == '[')
        return read_array(t, depth, ret);
    if (*t->p == '{')
        return bad(t, "tables in braces are not understood here; write [table]");
    for (int yes = 0; yes < 2; yes++) {
        const char *word = yes ? "true" : "false";
        if (at(t, word)) {
            t->p += strlen(word);
            *ret = json_object_new_boolean(yes);
            return 0;
        }
    }
    return read_number(t, ret);
}

/* ---- lines --------------------------------------------------------------------------------------
 */

static int is_bare(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* A bare name, with dots in it if ${may_be_dotted}. */
static char *read_name(struct toml *t, int may_be_dotted)
{
    const char *from = t->p;
    struct buf b = {0};

    while (t->p < t->end &&
           (is_bare(*t->p) || (may_be_dotted && *t->p == '.' && t->p > from && t->p[-1] != '.')))
        t->p++;
    if (t->p == from || t->p[-1] == '.')
        return NULL;
    buf_add(&b, from, (size_t)(t->p - from));
    return buf_steal(&b);
}

static int tell(struct toml *t, const char *key, struct json_object *value)
{
    const struct toml_entry e = {t->table, t->is_element, key, value};

    return t->f(t->arg, &e, t->err);
}

static void forget_keys(struct toml *t)
{
    map_free(t->keys);
    t->keys = map_new();
}

/* With [[rules]] begins a new rule, whose own tables may come again. */
static int drop_if_below(void *arg, const char *key, void *value)
{
    struct toml *t = arg;
    size_t n = strlen(t->table);

    (void)value;
    if (strncmp(key, t->table, n) == 0 && key[n] == '.')
        map_remove(t->tables, key);
    return 0;
}

static int read_table(struct toml *t)
{
    int is_element = at(t, "[["), line = t->line, after;
    char *name;

    t->p += is_element ? 2 : 1;
    skip_blanks(t);
    name = read_name(t, 1);
    skip_blanks(t);
    if (name == NULL || !at(t, is_element ? "]]" : "]")) {
        free(name);
        return bad(t, "a table is [name] or [[name]], of letters, digits, - and _");
    }
    t->p += is_element ? 2 : 1;
    free(t->table);
    t->table = name;
    t->is_element = is_element;
    forget_keys(t);
    if (!is_element && map_get(t->tables, name) != NULL)
        return bad(t, "this table is there already");
    if (is_element)
        map_each(t->tables, drop_if_below, t);
    else
        map_put(t->tables, name, t);
    if (end_of_line(t) != 0)
        return -1;
    after = t->line;
    t->line = line; /* what is told of it is told of this line */
    if (tell(t, NULL, NULL) != 0)
        return -1;
    t->line = after;
    return 0;
}

static int read_pair(struct toml *t)
{
    struct json_object *value = NULL;
    char *key = read_name(t, 0);
    int rc = -1, line = t->line, after;

    if (key == NULL)
        return bad(t, "a line is `key = value`, [table] or [[table]]");
    skip_blanks(t);
    if (!at(t, "=")) {
        bad(t, "a key wants = and a value after it");
        goto done;
    }
    t->p++;
    skip_blanks(t);
    if (read_value(t, 0, &value) != 0 || end_of_line(t) != 0)
        goto done;
    after = t->line;
    t->line = line;
    if (map_get(t->keys, key) != NULL) {
        bad(t, "this key is there already");
        goto done;
    }
    map_put(t->keys, key, t);
    rc = tell(t, key, value);
    if (rc == 0)
        t->line = after;
done:
    json_object_put(value);
    free(key);
    return rc;
}

int toml_parse(const char *p, size_t n,
               int (*f)(void *arg, const struct toml_entry *e, struct ct_err *err), void *arg,
               int *ret_line, struct ct_err *err)
{
    struct toml t = {.p = p, .end = p + n, .line = 1, .f = f, .arg = arg, .err = err};
    int rc = 0;

    t.table = str_dup("");
    t.tables = map_new();
    t.keys = map_new();
    if (!str_is_utf8(p, n))
        rc = bad(&t, "this is not UTF-8");
    while (rc == 0 && t.p < t.end) {
        skip_blanks(&t);
        if (t.p == t.end)
            break;
        if (*t.p == '#' || *t.p == '\n' || *t.p == '\r')
            rc = end_of_line(&t);
        else
            rc = *t.p == '[' ? read_table(&t) : read_pair(&t);
    }
    if (rc != 0)
        *ret_line = t.line;
    map_free(t.keys);
    map_free(t.tables);
    free(t.table);
    return rc == 0 ? 0 : -1;
}
