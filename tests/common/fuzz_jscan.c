/* Whatever comes, in whatever pieces, the JSON scanner says the same of it, calls an object what
 * json-c can read as one, and so does the reader that keeps it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/data/jscan.h"
#include "common/data/jtree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t on_begin(void *arg, const struct jscan *s, enum jscan_type type)
{
    (void)arg;
    return (type == JSCAN_STRING) ? s->depth * 7 : 0;
}

static void on_string(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    uint64_t *sum = arg;

    (void)s;
    for (size_t i = 0; i < len; i++)
        *sum = *sum * 31 + (unsigned char)text[i];
    *sum = *sum * 31 + (uint64_t)is_cut;
}

static void on_close(void *arg, const struct jscan *s)
{
    uint64_t *sum = arg;

    *sum = *sum * 31 + s->depth;
}

static const struct jscan_ops ops = {on_begin, on_string, on_close, NULL};

static int scan(const char *p, size_t n, size_t piece, uint64_t *ret_sum)
{
    struct jscan s;

    jscan_init(&s);
    *ret_sum = 0;
    for (size_t at = 0; at < n; at += piece)
        jscan_feed(&s, &ops, ret_sum, p + at, (n - at < piece) ? n - at : piece);
    return jscan_is_object(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t sum1, sum2;

    if (size < 1)
        return 0;
    size_t piece = (size_t)data[0] % 16 + 1;
    const char *text = (const char *)data + 1;
    size_t n = size - 1;
    int whole = scan(text, n, n + 1, &sum1);
    int cut = scan(text, n, piece, &sum2);
    struct jtree tree = {0};
    if (whole != cut || sum1 != sum2)
        abort();
    if (whole != (jtree_parse(&tree, text, n) == 0 && tree.values[0].type == JSCAN_OBJECT))
        abort();
    jtree_free(&tree);
    if (whole) {
        struct json_tokener *t = json_tokener_new_ex(JSCAN_DEPTH + 2);
        struct json_object *o = json_tokener_parse_ex(t, text, (int)n);

        if (!json_object_is_type(o, json_type_object))
            abort();
        json_object_put(o);
        json_tokener_free(t);
    }
    return 0;
}
