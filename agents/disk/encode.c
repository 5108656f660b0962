#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "common/base/buf.h"
#include "common/base/str.h"

#include "agents/disk/encode.h"

/* The name being made, unit by unit. */
struct encoding {
    struct buf name;
    size_t units;
    int32_t hash;
};

static void add_unit(struct encoding *e, uint32_t unit)
{
    int is_kept = (unit >= 'a' && unit <= 'z') || (unit >= 'A' && unit <= 'Z') ||
                  (unit >= '0' && unit <= '9');

    buf_addc(&e->name, is_kept ? (char)unit : '-');
    e->units++;
    /* As JavaScript: in 32 bits, overflow wraps. */
    e->hash = (int32_t)((uint32_t)e->hash * 31U + unit);
}

static void add_character(struct encoding *e, uint32_t c)
{
    if (c >= 0x10000) {
        add_unit(e, 0xD800U + ((c - 0x10000U) >> 10));
        add_unit(e, 0xDC00U + ((c - 0x10000U) & 0x3FFU));
    } else {
        add_unit(e, c);
    }
}

static void add_base36(struct buf *b, uint64_t v)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    char text[16];
    size_t at = sizeof(text);

    do
        text[--at] = digits[v % 36];
    while ((v /= 36) > 0);
    buf_add(b, text + at, sizeof(text) - at);
}

/* The path in UTF-8, and in normalization form C if ${is_composed}; NULL if memory is out. */
static char *normalized(const char *cwd, int is_composed)
{
    struct buf clean = {0};
    utf8proc_uint8_t *ret = NULL;
    size_t left = strlen(cwd), n;

    for (; left > 0; cwd += n, left -= n) {
        n = str_utf8_len(cwd, left);
        if (n > 0) {
            buf_add(&clean, cwd, n);
        } else {
            buf_addstr(&clean, "\xEF\xBF\xBD");
            n = 1;
        }
    }
    buf_addc(&clean, '\0');
    if (!is_composed)
        return buf_steal(&clean);
    if (utf8proc_map((const utf8proc_uint8_t *)clean.data, 0, &ret,
                     UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE) < 0)
        ret = NULL;
    buf_free(&clean);
    return (char *)ret;
}

static char *encode(const char *cwd, int is_composed)
{
    struct encoding e = {{0}, 0, 0};
    char *path = normalized(cwd, is_composed);
    const char *p = path != NULL ? path : cwd;
    utf8proc_int32_t c;
    utf8proc_ssize_t n;

    while (*p != '\0') {
        n = utf8proc_iterate((const utf8proc_uint8_t *)p, -1, &c);
        add_character(&e, n > 0 ? (uint32_t)c : 0xFFFD);
        p += n > 0 ? n : 1;
    }
    if (e.units > ENCODE_MAX) {
        e.name.len = ENCODE_MAX;
        buf_addc(&e.name, '-');
        add_base36(&e.name, (uint64_t)llabs((long long)e.hash));
    }
    free(path);
    return buf_steal(&e.name);
}

char *claude_encode(const char *cwd)
{
    return encode(cwd, 1);
}

char *claude_encode_as_is(const char *cwd)
{
    return encode(cwd, 0);
}

void claude_project_names(const char *cwd, struct strlist *ret)
{
    char *composed = claude_encode(cwd), *as_is = claude_encode_as_is(cwd);

    strlist_add_once(ret, composed);
    strlist_add_once(ret, as_is);
    free(composed);
    free(as_is);
}
