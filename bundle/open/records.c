#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/jscan.h"
#include "common/base/str.h"
#include "common/base/uuid.h"

#include "bundle/open/records.h"

#define WORD_SIZE 64
#define ODD "?" /* what is no text; the mode after a line that is no record */

enum word { NOTHING, TYPE, MODE, SESSION, WORDS };

struct records {
    struct jscan scan;
    int is_line_open;
    enum word wanted;
    char words[WORDS][WORD_SIZE]; /* of the line; "": it has no such member */
    char session_id[UUID_SIZE];
    char mode[WORD_SIZE];
};

static size_t on_begin(void *arg, const struct jscan *s, enum jscan_type type)
{
    static const char *const keys[WORDS] = {
        [TYPE] = "type",
        [MODE] = "permissionMode",
        [SESSION] = "sessionId",
    };
    struct records *r = arg;

    r->wanted = NOTHING;
    for (enum word i = TYPE; s->depth == 1 && i < WORDS; i++) {
        if (strcmp(s->key, keys[i]) == 0)
            r->wanted = i;
    }
    if (r->wanted == NOTHING)
        return 0;
    /* Of a member that comes twice the last counts, whatever it is. */
    memcpy(r->words[r->wanted], ODD, sizeof(ODD));
    return type == JSCAN_STRING ? WORD_SIZE - 1 : 0;
}

static void on_string(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    struct records *r = arg;

    (void)s;
    if (!is_cut)
        memcpy(r->words[r->wanted], text, len + 1);
}

static void on_close(void *arg, const struct jscan *s)
{
    (void)arg;
    (void)s;
}

static const struct jscan_ops ops = {on_begin, on_string, on_close, NULL};

static void begin_line(struct records *r)
{
    jscan_init(&r->scan);
    for (enum word i = NOTHING; i < WORDS; i++)
        r->words[i][0] = '\0';
}

struct records *records_new(const char *session_id)
{
    struct records *r = str_calloc(1, sizeof(*r));

    snprintf(r->session_id, sizeof(r->session_id), "%s", session_id);
    begin_line(r);
    return r;
}

void records_free(struct records *r)
{
    free(r);
}

/* That the mode is the default is believed of the record that says nothing else, of this very
 * session; that it is another one, of anything. */
static void note_mode(struct records *r)
{
    const char *mode = r->words[MODE];

    if (*mode == '\0')
        return;
    if (strcmp(mode, RECORDS_DEFAULT) == 0 && (strcmp(r->words[TYPE], "permission-mode") != 0 ||
                                               strcmp(r->words[SESSION], r->session_id) != 0))
        return;
    memcpy(r->mode, mode, sizeof(r->mode));
}

static void end_line(struct records *r)
{
    if (jscan_is_object(&r->scan))
        note_mode(r);
    else if (jscan_is_bad(&r->scan) || r->scan.depth > 0)
        memcpy(r->mode, ODD, sizeof(ODD)); /* who knows what another reader makes of it */
    begin_line(r);
}

void records_feed(struct records *r, const char *p, size_t n)
{
    while (n > 0) {
        const char *newline = memchr(p, '\n', n);
        size_t part = newline != NULL ? (size_t)(newline - p) : n;
        jscan_feed(&r->scan, &ops, r, p, part);
        part += newline != NULL;
        r->is_line_open = newline == NULL;
        if (newline != NULL)
            end_line(r);
        p += part;
        n -= part;
    }
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
