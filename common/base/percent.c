#include <string.h>

#include "common/base/str.h"

#include "common/base/percent.h"

static int is_plain(char c, const char *keep)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && (strchr("-._~", c) != NULL || strchr(keep, c) != NULL));
}

void percent_add(struct buf *b, const char *s, size_t n, const char *keep)
{
    for (size_t i = 0; i < n; i++) {
        if (is_plain(s[i], keep))
            buf_addc(b, s[i]);
        else
            buf_printf(b, "%%%02X", (unsigned char)s[i]);
    }
}

char *percent_encode(const char *s)
{
    struct buf b = {0};

    buf_addstr(&b, "");
    percent_add(&b, s, strlen(s), "");
    return buf_steal(&b);
}

/* The byte that %XX at ${s} stands for; 0: none that a text may hold. */
static int unescape(const char *s, size_t n)
{
    int high = n < 3 ? -1 : str_hex_digit(s[1]), low = high < 0 ? -1 : str_hex_digit(s[2]);

    return low < 0 ? 0 : high << 4 | low;
}

char *percent_decode(const char *s, size_t n)
{
    struct buf b = {0};

    buf_addstr(&b, "");
    for (size_t i = 0; i < n; i++) {
        int c = s[i];
        if (c == '%') {
            c = unescape(s + i, n - i);
            i += 2;
            if (c == 0) {
                buf_free(&b);
                return NULL;
            }
        }
        buf_addc(&b, (char)c);
    }
    return buf_steal(&b);
}
