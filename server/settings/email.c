#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "server/settings/email.h"

#define MAX_BYTES 254 /* RFC 5321 */

/* Whether mail gets there, only mail can tell; here it has to be one word with one '@' inside. */
static int is_decent(const char *s)
{
    const char *at = strchr(s, '@');

    if (at == NULL || at == s || at[1] == '\0' || strchr(at + 1, '@') != NULL)
        return 0;
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c <= ' ' || c == 0x7F || strchr("\"(),:;<>[\\]", c) != NULL)
            return 0;
    }
    return 1;
}

int email_normal(const char *s, char **ret, struct ct_err *err)
{
    size_t n;
    char *out;

    s += strspn(s, " \t\r\n");
    n = strlen(s);
    while (n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL)
        n--;
    if (n > MAX_BYTES)
        return err_set(err, ERR_REFUSED, "The e-mail address is too long.");
    out = str_printf("%.*s", (int)n, s);
    if (!is_decent(out) || !str_is_utf8(out, n)) {
        free(out);
        return err_set(err, ERR_REFUSED, "This is not an e-mail address.");
    }
    for (char *p = out; *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    }
    *ret = out;
    return 0;
}
