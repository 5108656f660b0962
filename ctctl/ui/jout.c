#include <string.h>

#include "common/base/str.h"

#include "ctctl/ui/jout.h"

/* The characters at ${s} that str_printable() would replace, all of which lie below U+10000. */
static int is_tricky(const char *s, size_t n, unsigned int *ret)
{
    const unsigned char *u = (const unsigned char *)s;
    unsigned int c;

    if (n == 1)
        c = u[0];
    else if (n == 2)
        c = (u[0] & 0x1Fu) << 6 | (u[1] & 0x3Fu);
    else if (n == 3)
        c = (u[0] & 0x0Fu) << 12 | (u[1] & 0x3Fu) << 6 | (u[2] & 0x3Fu);
    else
        return 0;
    *ret = c;
    return (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

void jout_add(struct buf *b, struct json_object *o, int is_pretty)
{
    int flags =
        JSON_C_TO_STRING_NOSLASHESCAPE |
        (is_pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED : JSON_C_TO_STRING_PLAIN);
    const char *s = json_object_to_json_string_ext(o, flags);
    size_t len = strlen(s);
    unsigned int c = 0;

    while (len > 0) {
        size_t n = str_utf8_len(s, len);
        /* Outside of strings JSON is ASCII without DEL, so whatever is tricky is in a string. */
        if (n == 0)
            buf_addstr(b, "\\ufffd");
        else if (is_tricky(s, n, &c))
            buf_printf(b, "\\u%04x", c);
        else
            buf_add(b, s, n);
        n = n > 0 ? n : 1;
        s += n;
        len -= n;
    }
}
