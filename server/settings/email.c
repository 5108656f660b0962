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

/* Unicode's, which look like the end of the word: U+00A0, 1680, 2000 to 200A, 202F, 205F, 3000. */
static int has_spaces(const char *s)
{
    static const char *const spaces[] = {"\xC2\xA0", "\xE1\x9A\x80", "\xE2\x80\xAF", "\xE2\x81\x9F",
                                         "\xE3\x80\x80"};

    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        if (strstr(s, spaces[i]) != NULL)
            return 1;
    }
    for (const char *p = s; (p = strstr(p, "\xE2\x80")) != NULL; p += 2) {
        if ((unsigned char)p[2] >= 0x80 && (unsigned char)p[2] <= 0x8A)
            return 1;
    }
    return 0;
}

int email_check_new(const char *email, struct ct_err *err)
{
    const char *at = strchr(email, '@');
    char shown[4 * MAX_BYTES + 1];

    str_escape(email, strlen(email), shown, sizeof(shown));
    /* What would be shown in another form is none, and one mailbox has one name. */
    if (at == NULL || strcmp(shown, email) != 0 || has_spaces(email) || at[1] == '.' ||
        email[strlen(email) - 1] == '.' || strstr(at, "..") != NULL)
        return err_set(err, ERR_REFUSED, "This is not an e-mail address.");
    return 0;
}
