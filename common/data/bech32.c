#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "common/data/bech32.h"

#define CHECKSUM 6
#define CONSTANT 0x2bc830a3 /* what makes it bech32m */

static const char charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t polymod_step(uint32_t c, unsigned int v)
{
    static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                         0x2a1462b3};
    uint32_t top = c >> 25;

    c = (c & 0x1ffffff) << 5 ^ v;
    for (int i = 0; i < 5; i++) {
        if (top >> i & 1)
            c ^= generator[i];
    }
    return c;
}

static uint32_t polymod_hrp(const char *hrp, size_t n)
{
    uint32_t c = 1;

    for (size_t i = 0; i < n; i++)
        c = polymod_step(c, (unsigned char)hrp[i] >> 5);
    c = polymod_step(c, 0);
    for (size_t i = 0; i < n; i++)
        c = polymod_step(c, hrp[i] & 31);
    return c;
}

static uint32_t put_symbol(char **at, uint32_t c, unsigned int v)
{
    *(*at)++ = charset[v & 31];
    return polymod_step(c, v & 31);
}

void bech32_encode(const char *hrp, const void *p, size_t n, char ret[BECH32_TEXT_MAX + 1])
{
    size_t hrp_n = strlen(hrp);
    const unsigned char *s = p;
    uint32_t c = polymod_hrp(hrp, hrp_n), bits = 0;
    char *at = ret;
    int have = 0;

    if (hrp_n + 1 + (8 * n + 4) / 5 + CHECKSUM > BECH32_TEXT_MAX)
        abort();
    memcpy(at, hrp, hrp_n);
    at += hrp_n;
    *at++ = '1';
    for (size_t i = 0; i < n; i++) {
        bits = (bits << 8 | s[i]) & 0xfff;
        have += 8;
        while (have >= 5) {
            have -= 5;
            c = put_symbol(&at, c, bits >> have);
        }
    }
    if (have > 0)
        c = put_symbol(&at, c, bits << (5 - have));
    for (int i = 0; i < CHECKSUM; i++)
        c = polymod_step(c, 0);
    c ^= CONSTANT;
    for (int i = 0; i < CHECKSUM; i++)
        *at++ = charset[c >> 5 * (5 - i) & 31];
    *at = '\0';
}

/* ${text} without blanks and dashes, in lower case.  Return its length, or more than
 * BECH32_TEXT_MAX if it is too long, or -1 for a character that can't be there. */
static int squeeze(const char *text, char ret[BECH32_TEXT_MAX + 1])
{
    int n = 0;

    for (; *text != '\0'; text++) {
        char c = *text;
        if (strchr(" \t\r\n-", c) != NULL)
            continue;
        if (c < '!' || c > '~')
            return -1;
        if (n == BECH32_TEXT_MAX)
            return n + 1;
        ret[n++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    ret[n] = '\0';
    return n;
}

/* The symbols at ${s} as ${n} bytes; the caller has counted them.  Return the checksum's remainder,
 * or -1 if bits are left over. */
static int64_t unpack(const char *s, size_t symbols, uint32_t c, unsigned char *ret, size_t n)
{
    uint32_t bits = 0;
    int have = 0, is_even;
    size_t done = 0;

    for (size_t i = 0; i < symbols; i++) {
        unsigned int v = (unsigned int)(strchr(charset, s[i]) - charset);
        c = polymod_step(c, v);
        if (i >= symbols - CHECKSUM)
            continue;
        bits = (bits << 5 | v) & 0xfff;
        have += 5;
        if (have >= 8 && done < n) {
            have -= 8;
            ret[done++] = (unsigned char)(bits >> have);
        }
    }
    is_even = have < 5 && (bits & ((1U << have) - 1)) == 0;
    return is_even ? (int64_t)c : -1;
}

static int decode(const char *s, size_t len, const char *hrp, unsigned char *out, size_t n,
                  struct ct_err *err)
{
    size_t hrp_n = strlen(hrp), symbols = (8 * n + 4) / 5 + CHECKSUM;
    int64_t rest;

    if (hrp_n == 0 || len < hrp_n + 1 || strncmp(s, hrp, hrp_n) != 0 || s[hrp_n] != '1')
        return err_set(err, ERR_REFUSED, "it does not begin with %s1", hrp);
    s += hrp_n + 1;
    len -= hrp_n + 1;
    if (strspn(s, charset) != len)
        return err_set(err, ERR_REFUSED,
                       "character %zu is none that can be there (b, i, o and 1 "
                       "never are)",
                       hrp_n + 1 + strspn(s, charset) + 1);
    if (len != symbols)
        return err_set(err, ERR_REFUSED, "it has %zu characters and should have %zu",
                       hrp_n + 1 + len, hrp_n + 1 + symbols);
    rest = unpack(s, len, polymod_hrp(hrp, hrp_n), out, n);
    if (rest != CONSTANT)
        return err_set(err, ERR_REFUSED,
                       "its checksum is wrong: a character is another, or two "
                       "have changed places");
    return 0;
}

int bech32_decode(const char *text, const char *hrp, void *ret, size_t n, struct ct_err *err)
{
    char s[BECH32_TEXT_MAX + 1];
    unsigned char out[BECH32_TEXT_MAX];
    int rc, len = squeeze(text, s);

    if (len < 0)
        rc = err_set(err, ERR_REFUSED, "it holds characters that are no letters and no digits");
    else if (len > BECH32_TEXT_MAX || n > sizeof(out))
        rc = err_set(err, ERR_REFUSED, "it is too long");
    else
        rc = decode(s, (size_t)len, hrp, out, n, err);
    if (rc == 0)
        memcpy(ret, out, n);
    str_wipe(s, sizeof(s));
    str_wipe(out, sizeof(out));
    return rc;
}
