#include <ctype.h>
#include <string.h>

#include "common/base/buf.h"

#include "net/http.h"

/* A file of its own, for programs without libcurl. */

char *http_url_escape(const char *s)
{
    struct buf b = {0};

    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c < 0x80 && (isalnum(c) || strchr("-._~", c) != NULL))
            buf_addc(&b, (char)c);
        else
            buf_printf(&b, "%%%02X", c);
    }
    return buf_steal(&b);
}
