/* Whatever comes, in whatever pieces, relocation makes the same of it, and of JSON it makes JSON.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/relocate/relocate.h"
#include "common/base/buf.h"
#include "common/data/jscan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct relocation_roots roots[] = {
    {"/home/al/p", "/srv/p", "/home/al", "/home/bob", NULL, 0},
    {"C:\\Users\\a\\p", "/home/\"b", "C:\\Users\\a", "/home/b\\c", NULL, 0},
    {"/h\xC3\xA9/\xF0\x9F\x98\x80", "/x", "/a\"b\\c", "/\xC3\xBC \xF0\x9F\x9A\x80", NULL, 0},
    {"/r", "/home/al", "/home/al", "/r", NULL, 0},
    {"/home/al", "/", "C:\\Users\\a", "/", NULL, 0},
};

static int collect(void *arg, const void *p, size_t n, struct ct_err *err)
{
    (void)err;
    buf_add(arg, p, n);
    return 0;
}

static void relocate(const struct relocation *r, const char *p, size_t n, size_t piece,
                     struct buf *ret)
{
    struct relocator *t = relocator_new(r, collect, ret);

    for (size_t at = 0; at < n; at += piece) {
        if (relocator_feed(t, p + at, (n - at < piece) ? n - at : piece, NULL) != 0)
            abort();
    }
    if (relocator_end(t, NULL) != 0)
        abort();
    relocator_free(t);
}

static int is_json(const char *p, size_t n)
{
    struct jscan s;

    jscan_init(&s);
    jscan_feed(&s, &jscan_no_ops, NULL, p, n);
    return jscan_is_object(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct relocation *r;
    struct buf whole = {0}, cut = {0};
    const char *text = (const char *)data + 1;

    if (size < 2)
        return 0;
    if (relocation_new(&roots[data[0] % (sizeof(roots) / sizeof(roots[0]))], &r, NULL) != 0)
        abort();
    relocate(r, text, size - 1, size, &whole);
    relocate(r, text, size - 1, (size_t)data[0] / 4 % 16 + 1, &cut);
    if (whole.len != cut.len || (whole.len > 0 && memcmp(whole.data, cut.data, cut.len) != 0))
        abort();
    if (is_json(text, size - 1) && !is_json(whole.data, whole.len))
        abort();
    buf_free(&whole);
    buf_free(&cut);
    relocation_free(r);
    return 0;
}
