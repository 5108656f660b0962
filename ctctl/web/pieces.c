#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#include "agents/agent.h"
#include "agents/turns.h"
#include "common/base/buf.h"
#include "common/base/file.h"
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
    json_object_array_add(x->turns, o);
    free(text);
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

int pieces_tell(const struct agent *agent, int fd, int64_t piece, int64_t turn,
                struct json_object **ret, struct ct_err *err)
{
    struct telling_piece x = {.only = turn};
    struct json_object *o;
    struct turns *t;
    struct stat st;
    int64_t pieces;
    int rc;

    if (fstat(fd, &st) != 0)
        return err_sys(err, "can't look at the transcript");
    pieces = ((int64_t)st.st_size + PIECES_BYTES - 1) / PIECES_BYTES;
    if (piece < 0 || (piece > 0 && piece >= pieces))
        return err_set(err, ERR_REFUSED,
                       "the transcript has no such part; it may have been "
                       "written anew");
    x.turns = json_object_new_array();
    t = turns_new(agent, on_turn, &x);
    rc = feed(fd, (off_t)piece * PIECES_BYTES, (off_t)(piece + 1) * PIECES_BYTES, t, err);
    if (rc == 0) {
        o = json_object_new_object();
        jdoc_set_int(o, "piece", piece);
        jdoc_set_int(o, "pieces", pieces);
        jdoc_set_int(o, "size", (int64_t)st.st_size);
        jdoc_set_int(o, "unread", turns_unread(t));
        json_object_object_add(o, "turns", json_object_get(x.turns));
        *ret = o;
    }
    turns_free(t);
    json_object_put(x.turns);
    return rc;
}
