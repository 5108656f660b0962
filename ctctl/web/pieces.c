#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#include "agents/agent.h"
#include "agents/turns.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "ctctl/read/telling.h"

#include "ctctl/web/pieces.h"

#define STEP_BYTES (256 << 10)

struct telling_piece {
    struct json_object *turns;
    int64_t n, only; /* -1: all */
};

/* Return how much of the text, at most ${max} bytes, ends with a whole character. */
static size_t cut_at(const char *text, size_t max)
{
    while (max > 0 && ((unsigned char)text[max] & 0xC0) == 0x80)
        max--;
    return max;
}

static void on_turn(void *arg, const struct turn *t)
{
    struct telling_piece *x = arg;
    int64_t i = x->n++;
    size_t max = x->only < 0 ? PIECES_TEXT : PIECES_WHOLE, len = strlen(t->text);
    struct turn cut = *t;
    struct json_object *o;
    char *text = NULL;

    if (x->only >= 0 && x->only != i)
        return;
    if (len > max) {
        text = str_printf("%.*s", (int)cut_at(t->text, max), t->text);
        cut.text = text;
    }
    if (cut.brief != NULL && strlen(cut.brief) > PIECES_TEXT)
        cut.brief = NULL;
    o = telling_json(&cut);
    if (text != NULL)
        jdoc_set_int(o, "length", (int64_t)len);
    if (t->n_images > 0)
        jdoc_set_int(o, "images", (int64_t)t->n_images);
    json_object_array_add(x->turns, o);
    free(text);
}

static int64_t pieces_of(int64_t size)
{
    return (size + PIECES_BYTES - 1) / PIECES_BYTES;
}

/* Feed the lines that begin in [from, to).  A line that one step does not end goes on in the next.
 */
static int feed(int fd, off_t from, off_t to, struct turns *t, struct ct_err *err)
{
    char *p = str_calloc(1, STEP_BYTES);
    off_t at = from > 0 ? from - 1 : 0; /* a line begins here if a newline stands before it */
    int is_inside = from > 0, rc = 0;
    struct buf line = {0};
    ssize_t n;

    while (at < to || (!is_inside && line.len > 0)) {
        n = file_pread_all(fd, p, STEP_BYTES, at);
        if (n <= 0) {
            rc = n < 0 ? err_sys(err, "can't read the transcript") : 0;
            break;
        }
        for (char *q = p, *end = p + n, *nl; q < end; q = nl + 1) {
            if (!is_inside && line.len == 0 && at + (q - p) >= to)
                break;
            nl = memchr(q, '\n', (size_t)(end - q));
            if (!is_inside && line.len < PIECES_READ_MAX)
                buf_add(&line, q, (size_t)((nl != NULL ? nl + 1 : end) - q));
            if (nl == NULL)
                break;
            turns_feed(t, line.data, line.len);
            turns_end(t); /* of an overlong one its end was not kept */
            buf_reset(&line);
            is_inside = 0;
        }
        at += n;
        if (is_inside && at >= to)
            break;
    }
    buf_free(&line);
    free(p);
    return rc;
}

/* Tell the turns of the piece to ${f}; ${ret_size} is the file's. */
static int tell(const struct agent *agent, int fd, int64_t piece, turns_f *f, void *arg,
                int64_t *ret_size, int64_t *ret_unread, struct ct_err *err)
{
    struct turns *t;
    struct stat st;
    int rc;

    if (fstat(fd, &st) != 0)
        return err_sys(err, "can't look at the transcript");
    if (piece < 0 || (piece > 0 && piece >= pieces_of((int64_t)st.st_size)))
        return err_set(err, ERR_REFUSED,
                       "the transcript has no such part; it may have been "
                       "written anew");
    t = turns_new(agent, f, arg);
    rc = feed(fd, (off_t)piece * PIECES_BYTES, (off_t)(piece + 1) * PIECES_BYTES, t, err);
    *ret_size = (int64_t)st.st_size;
    *ret_unread = turns_unread(t);
    turns_free(t);
    return rc;
}

int pieces_tell(const struct agent *agent, int fd, int64_t piece, int64_t turn,
                struct json_object **ret, struct ct_err *err)
{
    struct telling_piece x = {.turns = json_object_new_array(), .only = turn};
    int64_t size = 0, unread = 0;
    struct json_object *o;
    int rc = tell(agent, fd, piece, on_turn, &x, &size, &unread, err);

    if (rc == 0) {
        o = json_object_new_object();
        jdoc_set_int(o, "piece", piece);
        jdoc_set_int(o, "pieces", pieces_of(size));
        jdoc_set_int(o, "size", size);
        jdoc_set_int(o, "unread", unread);
        json_object_object_add(o, "turns", json_object_get(x.turns));
        *ret = o;
    }
    json_object_put(x.turns);
    return rc;
}

/* ---- pictures ----------------------------------------------------------------------------------
 */

struct seeking {
    int64_t turn, image;
    int64_t n;
    struct buf *to;
    int is_found;
};

static void seek_image(void *arg, const struct turn *t)
{
    struct seeking *x = arg;
    const struct turn_image *image;

    if (x->n++ != x->turn || x->image < 0 || (uint64_t)x->image >= t->n_images)
        return;
    image = &t->images[x->image];
    x->is_found =
        image->data != NULL && hash_unbase64(image->data, strlen(image->data), x->to) == 0;
}

/* What a browser takes for a picture, and nothing that can hold a script. */
static const char *type_of(const struct buf *b)
{
    static const struct {
        const char *type;
        size_t at, n;
        const char *magic;
    } types[] = {
        {"image/png", 0, 8, "\x89PNG\r\n\x1a\n"},
        {"image/jpeg", 0, 3, "\xff\xd8\xff"},
        {"image/gif", 0, 4, "GIF8"},
        {"image/webp", 8, 4, "WEBP"},
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (b->len > types[i].at + types[i].n &&
            memcmp(b->data + types[i].at, types[i].magic, types[i].n) == 0)
            return types[i].type;
    }
    return NULL;
}

static uint32_t number_at(const struct buf *b, size_t at)
{
    const unsigned char *p = (const unsigned char *)b->data + at;

    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* A few bytes of PNG may stand for more pixels than a browser has memory. */
static int is_bomb(const struct buf *b, const char *type)
{
    return strcmp(type, "image/png") == 0 &&
           (b->len < 24 || (uint64_t)number_at(b, 16) * number_at(b, 20) > PIECES_PIXELS);
}

int pieces_image(const struct agent *agent, int fd, int64_t piece, int64_t turn, int64_t image,
                 struct buf *ret, const char **ret_type, struct ct_err *err)
{
    struct seeking x = {.turn = turn, .image = image, .to = ret};
    int64_t size, unread;
    const char *type;

    if (tell(agent, fd, piece, seek_image, &x, &size, &unread, err) != 0)
        return -1;
    type = x.is_found ? type_of(ret) : NULL;
    if (type == NULL || is_bomb(ret, type))
        return err_set(err, ERR_REFUSED, "there is no picture that can be shown");
    *ret_type = type;
    return 0;
}
