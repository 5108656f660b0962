#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "ctctl/ui/progress.h"

#define DRAW_MS 100        /* on a terminal, at most so often */
#define FIRST_LINE_MS 3000 /* elsewhere: what ends before that needs no word */
#define LINE_MS 10000      /* and then so often */
#define SPEED_MS 500       /* the speed is measured over pieces of this length, */
#define SPEED_OVER_MS 15e3 /* of which those of about so long count */
#define SURE_MS 2000       /* before that nothing is said of the time left */
#define NOTE_MS 60000      /* how often a reason for waiting is said again elsewhere */
#define BAR_COLUMNS 24
#define MIN_BAR 8
#define MAX_WHAT 40

struct progress {
    struct text_style style;
    char *what;
    int64_t began_ms, shown_ms; /* shown_ms 0: not yet */
    int64_t piece_ms, piece_at; /* where the piece began that is being measured; -1: nowhere */
    double moved, moved_ms;     /* what was measured, the older the less of it */
    int64_t n, of;              /* things, of: 0 if there is but one */
    char *note;                 /* said last, or NULL */
    int64_t noted_ms;
    int is_drawn;
};

struct progress *progress_new(const struct text_style *st, const char *what, int64_t now_ms)
{
    struct progress *p = str_calloc(1, sizeof(*p));

    p->style = *st;
    p->what = text_clean(st, what);
    p->began_ms = p->piece_ms = now_ms;
    p->piece_at = -1;
    return p;
}

static void add_bar(struct buf *b, const struct text_style *st, int columns, double part)
{
    const char *full = st->is_utf8 ? "\xE2\x96\x88" : "#";
    const char *rest = st->is_utf8 ? "\xE2\x96\x91" : "-";
    int filled = (int)(part * columns);

    for (int i = 0; i < columns; i++)
        text_add(b, st, i < filled ? TEXT_CYAN : TEXT_DIM, i < filled ? full : rest);
}

/* All but the bar: " 45 %  1.2 MB of 2.7 MB  3.1 MB/s  2 s left". */
static void add_numbers(struct buf *b, int64_t done, int64_t total, int64_t rate, int64_t left_s)
{
    char s1[32], s2[32];

    if (total > 0)
        buf_printf(b, "%3d %%  %s of %s", (int)((double)done / (double)total * 100),
                   str_human_bytes((unsigned long long)done, s1, sizeof(s1)),
                   str_human_bytes((unsigned long long)total, s2, sizeof(s2)));
    else
        buf_addstr(b, str_human_bytes((unsigned long long)done, s1, sizeof(s1)));
    if (rate > 0)
        buf_printf(b, "  %s/s", str_human_bytes((unsigned long long)rate, s1, sizeof(s1)));
    if (left_s >= 0)
        buf_printf(b, "  %s left", str_human_duration(left_s, s1, sizeof(s1)));
}

void progress_line(const struct text_style *st, const char *what, int64_t done, int64_t total,
                   int64_t rate, int64_t left_s, struct buf *b)
{
    struct buf numbers = {0};
    char *clean = text_clean(st, what), *name = text_fit(st, clean, MAX_WHAT), *fit;
    size_t width = st->width > 1 ? (size_t)st->width - 1 : SIZE_MAX, used;
    double part;

    done = done > 0 ? done : 0;
    done = total > 0 && done > total ? total : done;
    part = total > 0 ? (double)done / (double)total : 0;
    add_numbers(&numbers, done, total, rate, left_s);
    used = text_columns(name) + 2 + text_columns(numbers.data);
    if (st->is_terminal && total > 0 && used + MIN_BAR + 2 <= width) {
        size_t room = width - used - 2;
        buf_printf(b, "%s  ", name);
        add_bar(b, st, room < BAR_COLUMNS ? (int)room : BAR_COLUMNS, part);
        buf_printf(b, "  %s", numbers.data);
    } else {
        char *plain = str_printf("%s  %s", name, numbers.data);
        fit = text_fit(st, used <= width ? plain : numbers.data, width);
        buf_addstr(b, fit);
        free(fit);
        free(plain);
    }
    buf_free(&numbers);
    free(name);
    free(clean);
}

/* A speed that jumps about is of no use to anybody, nor is a time left that does: both go by all
 * that was measured, the older the less. */
static void measure(struct progress *p, int64_t done, int64_t now_ms)
{
    double took_ms = (double)(now_ms - p->piece_ms), keep;

    if (p->piece_at < 0 || done < p->piece_at) {
        p->piece_at = done; /* what was there before we began was not transferred by us */
        p->piece_ms = now_ms;
        return;
    }
    if (took_ms < SPEED_MS)
        return;
    keep = SPEED_OVER_MS / (SPEED_OVER_MS + took_ms);
    p->moved = p->moved * keep + (double)(done - p->piece_at);
    p->moved_ms = p->moved_ms * keep + took_ms;
    p->piece_at = done;
    p->piece_ms = now_ms;
}

/* In steps that fit how sure it is; -1: no telling yet. */
static int64_t time_left(const struct progress *p, int64_t done, int64_t total, double rate)
{
    int64_t s, step;

    if (rate < 1 || total <= done || p->moved_ms < SURE_MS)
        return -1;
    s = (int64_t)((double)(total - done) / rate) + 1;
    step = s < 10 ? 1 : s < 60 ? 5 : s < 600 ? 30 : 60;
    return (s + step - 1) / step * step;
}

void progress_of(struct progress *p, int64_t n, int64_t of)
{
    p->n = n;
    p->of = of;
}

void progress_to(struct progress *p, int64_t done, int64_t total, int64_t now_ms)
{
    struct buf b = {0};
    double rate;
    char *what;
    int is_due;

    measure(p, done, now_ms);
    rate = p->moved_ms > 0 ? p->moved * 1000 / p->moved_ms : 0;
    if (p->style.is_terminal)
        is_due = p->shown_ms == 0 || now_ms - p->shown_ms >= DRAW_MS || done == total;
    else if (p->shown_ms == 0)
        is_due = now_ms - p->began_ms >= FIRST_LINE_MS;
    else
        is_due = now_ms - p->shown_ms >= LINE_MS;
    if (!is_due)
        return;
    if (p->style.is_terminal)
        buf_addstr(&b, "\r\033[K");
    what = p->of > 1 ? str_printf("%s %" PRId64 " of %" PRId64, p->what, p->n, p->of)
                     : str_dup(p->what);
    progress_line(&p->style, what, done, total, (int64_t)rate, time_left(p, done, total, rate), &b);
    free(what);
    fprintf(stderr, "%s%s", b.data, p->style.is_terminal ? "" : "\n");
    fflush(stderr);
    buf_free(&b);
    p->shown_ms = now_ms;
    p->is_drawn = p->style.is_terminal;
}

void progress_note(struct progress *p, const char *reason, const char *until, int64_t now_ms)
{
    int is_news = p->note == NULL || strcmp(p->note, reason) != 0;
    struct buf b = {0};
    char *clean, *fit;

    p->piece_at = -1; /* what stands still says nothing of the speed */
    if (is_news) {
        free(p->note);
        p->note = str_dup(reason);
    }
    clean = str_printf("Waiting%s%s: %s", until[0] != '\0' ? ", " : "", until, reason);
    fit = text_clean(&p->style, clean);
    free(clean);
    if (p->style.is_terminal && !is_news && now_ms - p->noted_ms < DRAW_MS)
        goto done;
    if (!p->style.is_terminal && !is_news && now_ms - p->noted_ms < NOTE_MS)
        goto done;
    if (p->style.is_terminal) {
        clean =
            text_fit(&p->style, fit, p->style.width > 1 ? (size_t)p->style.width - 1 : SIZE_MAX);
        buf_printf(&b, "\r\033[K%s", clean);
        free(clean);
    } else {
        buf_printf(&b, "%s\n", fit);
    }
    fputs(b.data, stderr);
    fflush(stderr);
    p->noted_ms = now_ms;
    p->is_drawn = p->style.is_terminal;
done:
    free(fit);
    buf_free(&b);
}

void progress_pause(struct progress *p)
{
    if (p->is_drawn)
        fputs("\r\033[K", stderr);
    fflush(stderr);
    p->is_drawn = 0;
    p->shown_ms = p->style.is_terminal ? 0 : p->shown_ms;
}

void progress_free(struct progress *p)
{
    if (p == NULL)
        return;
    progress_pause(p);
    free(p->note);
    free(p->what);
    free(p);
}
