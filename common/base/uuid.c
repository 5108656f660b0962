#include <string.h>

#include "common/base/hash.h"

#include "common/base/uuid.h"

int uuid_starts(const char *s)
{
    for (int i = 0; i < 36; i++) {
        char c = s[i];
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-')
                return 0;
        } else if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return 0;
        }
    }
    return 1;
}

int uuid_is_valid(const char *s)
{
    return uuid_starts(s) && s[36] == '\0';
}

void uuid_format(const unsigned char p[16], int version, char out[UUID_SIZE])
{
    static const int parts[] = {4, 2, 2, 2, 6};
    unsigned char r[16];
    char *o = out;
    int at = 0;

    memcpy(r, p, sizeof(r));
    r[6] = (unsigned char)((r[6] & 0x0F) | version << 4);
    r[8] = (unsigned char)((r[8] & 0x3F) | 0x80); /* variant 10 */
    for (int i = 0; i < 5; i++) {
        hash_hex(r + at, (size_t)parts[i], o);
        o += 2 * parts[i];
        at += parts[i];
        *o++ = i < 4 ? '-' : '\0';
    }
}

void uuid_random(char out[UUID_SIZE])
{
    unsigned char r[16];

    hash_random(r, sizeof(r));
    uuid_format(r, 4, out);
}
