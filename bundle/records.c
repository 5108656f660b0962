#include <stdlib.h>
#include <string.h>

#include "common/jscan.h"
#include "common/str.h"

#include "bundle/records.h"

#define MODE_SIZE 64
#define DAMAGED "?" /* the mode after a line that is no record */

struct records {
    struct jscan scan;
    int64_t line_bytes; /* of the line under way */
    int is_line_open;
    int has_type;
    enum { NOTHING, TYPE, MODE } wanted;
    char line_mode[MODE_SIZE], mode[MODE_SIZE];
};

static size_t on_begin(void *arg, const struct jscan *s, enum jscan_type type)
{
    struct records *r = arg;

    r->wanted = NOTHING;
    if (s->depth != 1 || type != JSCAN_STRING)
        return 0;
    if (strcmp(s->key, "type") == 0)
        r->wanted = TYPE;
    else if (strcmp(s->key, "permissionMode") == 0)
        r->wanted = MODE;
    return r->wanted != NOTHING ? MODE_SIZE - 1 : 0;
}

static void on_string(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    struct records *r = arg;

    (void)s;
    (void)is_cut;
    if (r->wanted == TYPE)
        r->has_type = 1;
    else if (r->wanted == MODE)
        memcpy(r->line_mode, text, len + 1);
}

static void on_close(void *arg, const struct jscan *s)
{
    (void)arg;
    (void)s;
}

static const struct jscan_ops ops = {on_begin, on_string, on_close};

static void begin_line(struct records *r)
{
    jscan_init(&r->scan);
    r->line_bytes = 0;
    r->has_type = 0;
    r->line_mode[0] = '\0';
}

struct records *records_new(void)
{
    struct records *r = str_calloc(1, sizeof(*r));

    begin_line(r);
    return r;
}

void records_free(struct records *r)
{
    free(r);
}

/* Return how many bytes of it are a record. */
static int64_t end_line(struct records *r)
{
    int64_t bytes = 0;

    if (jscan_is_object(&r->scan)) {
        if (r->line_mode[0] != '\0')
            memcpy(r->mode, r->line_mode, sizeof(r->mode));
        if (r->has_type)
            bytes = r->line_bytes;
    } else if (jscan_is_bad(&r->scan) || r->scan.depth > 0) {
        /* Who knows what another reader makes of it. */
        memcpy(r->mode, DAMAGED, sizeof(DAMAGED));
    }
    begin_line(r);
    return bytes;
}

int64_t records_feed(struct records *r, const char *p, size_t n)
{
    int64_t bytes = 0;

    while (n > 0) {
        const char *newline = memchr(p, '\n', n);
        size_t part = newline != NULL ? (size_t)(newline - p) : n;
        jscan_feed(&r->scan, &ops, r, p, part);
        part += newline != NULL;
        r->line_bytes += (int64_t)part;
        r->is_line_open = newline == NULL;
        if (newline != NULL)
            bytes += end_line(r);
        p += part;
        n -= part;
    }
    return bytes;
}

void records_end(struct records *r)
{
    end_line(r);
}

const char *records_mode(const struct records *r)
{
    return r->mode;
}

int records_is_line_open(const struct records *r)
{
    return r->is_line_open;
}
