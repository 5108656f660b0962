#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "server/web/web.h"

#define UNIX_PEER "unix"

/* An address as bytes: 4 or 16, or 0 if it is none. */
static size_t bytes_of(const char *address, unsigned char b[16])
{
    if (inet_pton(AF_INET, address, b) == 1)
        return 4;
    return inet_pton(AF_INET6, address, b) == 1 ? 16 : 0;
}

int web_range_check(const char *s, char **ret, struct ct_err *err)
{
    const char *slash = strchr(s, '/');
    size_t n = slash != NULL ? (size_t)(slash - s) : strlen(s);
    char address[WEB_ADDRESS_SIZE];
    unsigned char b[16];
    unsigned long long bits = 0;

    if (strcmp(s, UNIX_PEER) == 0) {
        *ret = str_dup(s);
        return 0;
    }
    if (web_address(s, n, address) != 0 ||
        (slash != NULL &&
         (str_parse_u64(slash + 1, &bits) != 0 || bits > 8 * bytes_of(address, b))))
        return err_set(err, ERR_CONFIG,
                       "\"%s\" is no numeric address, network (10.0.0.0/8) or \"unix\"", s);
    *ret = slash != NULL ? str_printf("%s/%llu", address, bits) : str_dup(address);
    return 0;
}

static int has(const char *range, const char *address)
{
    const char *slash = strchr(range, '/');
    unsigned char net[16], b[16];
    unsigned long long bits;
    char *text;
    size_t n;

    if (slash == NULL)
        return strcmp(range, address) == 0;
    text = str_printf("%.*s", (int)(slash - range), range);
    n = bytes_of(text, net);
    free(text);
    if (n == 0 || bytes_of(address, b) != n || str_parse_u64(slash + 1, &bits) != 0)
        return 0;
    if (memcmp(net, b, bits / 8) != 0)
        return 0;
    return bits % 8 == 0 || ((net[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8)) == 0;
}

int web_ranges_have(const struct strlist *ranges, const char *address)
{
    for (size_t i = 0; i < ranges->n; i++) {
        if (has(ranges->v[i], address))
            return 1;
    }
    return 0;
}
