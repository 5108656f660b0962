#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/sys/secret.h"
#include "common/base/str.h"

#include "ctctl/key/key_lines.h"

#define BEGINNING "ctkey1"
#define ROW 16 /* characters */
#define MAX_TEXT 128

struct key_lines {
    char text[MAX_TEXT + 1]; /* without blanks and dashes */
    size_t n;
    int line, began; /* numbers of lines */
};

/* ---- to a person -------------------------------------------------------------------------------
 */

char *key_lines_show(const char *text, const char *indent)
{
    size_t n = strlen(text), rows = (n + ROW - 1) / ROW, o = 0;
    size_t size = n + n / KEY_GROUP + rows * (strlen(indent) + 1) + 1;
    char *out = secret_alloc(size);

    for (size_t i = 0; i < n; i++) {
        if (i % ROW == 0)
            o += (size_t)snprintf(out + o, size - o, "%s", indent);
        out[o++] = (char)toupper((unsigned char)text[i]);
        if (i + 1 == n || i % ROW == ROW - 1)
            out[o++] = '\n';
        else if (i % KEY_GROUP == KEY_GROUP - 1)
            out[o++] = ' ';
    }
    out[o] = '\0';
    return out;
}

static int counts(char c)
{
    return c != ' ' && c != '\t' && c != '-' && c != '\r' && c != '\n';
}

int key_lines_is_last_group(const char *text, const char *typed)
{
    size_t n = strlen(text), at = n - (n % KEY_GROUP != 0 ? n % KEY_GROUP : KEY_GROUP);

    for (; *typed != '\0'; typed++) {
        if (!counts(*typed))
            continue;
        if (at == n || tolower((unsigned char)*typed) != tolower((unsigned char)text[at++]))
            return 0;
    }
    return at == n;
}

/* ---- from a person -----------------------------------------------------------------------------
 */

struct key_lines *key_lines_new(void)
{
    return secret_alloc(sizeof(struct key_lines));
}

void key_lines_free(struct key_lines *k)
{
    secret_free(k);
}

static void forget(struct key_lines *k)
{
    str_wipe(k->text, sizeof(k->text));
    k->n = 0;
}

static int incomplete(const struct key_lines *k, struct ct_err *err)
{
    return err_set(err, ERR_REFUSED,
                   "line %d: the recovery text that begins there is not complete: it has %zu of %d "
                   "characters",
                   k->began, k->n, KEY_TEXT_CHARS);
}

/* Take what counts of ${line}; -1 if that is more than any text has. */
static int gather(struct key_lines *k, const char *line)
{
    for (; *line != '\0'; line++) {
        if (!counts(*line))
            continue;
        if (k->n == MAX_TEXT)
            return -1;
        k->text[k->n++] = *line;
    }
    k->text[k->n] = '\0';
    return 0;
}

int key_lines_add(struct key_lines *k, const char *line, unsigned char ret[KEY_BYTES],
                  struct ct_err *err)
{
    size_t had = k->n;
    int rc;

    k->line++;
    if (had == 0)
        k->began = k->line;
    if (gather(k, line) != 0) {
        forget(k);
        return err_set(err, ERR_REFUSED, "line %d: that is too long for a recovery text", k->line);
    }
    if (had > 0 && k->n >= had + strlen(BEGINNING) &&
        strncasecmp(k->text + had, BEGINNING, strlen(BEGINNING)) == 0) {
        k->n = had;
        incomplete(k, err);
        forget(k);
        return -1;
    }
    if (strncasecmp(k->text, BEGINNING, k->n < strlen(BEGINNING) ? k->n : strlen(BEGINNING)) != 0) {
        forget(k);
        return err_set(err, ERR_REFUSED, "line %d: a recovery text begins with CTKEY1", k->line);
    }
    if (k->n < KEY_TEXT_CHARS)
        return 0;
    rc = key_parse(k->text, ret, err);
    forget(k);
    if (rc == 0)
        return 1;
    if (k->began == k->line)
        return err_prefix(err, "line %d", k->line);
    return err_prefix(err, "lines %d to %d", k->began, k->line);
}

int key_lines_end(const struct key_lines *k, struct ct_err *err)
{
    return k->n == 0 ? 0 : incomplete(k, err);
}

int key_lines_is_within(const struct key_lines *k)
{
    return k->n > 0;
}
