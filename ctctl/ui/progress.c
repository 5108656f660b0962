#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "ctctl/ui/progress.h"

#define DRAW_MS 100        /* on a terminal, at most so often */
#define FIRST_LINE_MS 3000 /* elsewhere: what ends before that needs no word */
#define LINE_MS 10000      /* and then so often */
#define SPEED_MS 500       /* the speed is measured over pieces of this length ... */
#define SPEED_WEIGHT 0.3   /* ... of which the newest counts so much */
#define BAR_COLUMNS 24
#define MIN_BAR 8
#define MAX_WHAT 40

struct progress {
    struct text_style style;
    char *what;
    int64_t began_ms, shown_ms; /* shown_ms 0: not yet */
    int64_t piece_ms, piece_at; /* where the piece began that is being measured; -1: nowhere */
    double rate;
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
static void add_numbers(struct buf *b, int64_t done, int64_t total, int64_t rate)
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
    if (rate > 0 && total > done)
        buf_printf(b, "  %s left", str_human_duration((total - done) / rate + 1, s1, sizeof(s1)));
}

void progress_line(const struct text_style *st, const char *what, int64_t done, int64_t total,
                   int64_t rate, struct buf *b)
{
    struct buf numbers = {0};
    char *clean = text_clean(st, what), *name = text_fit(st, clean, MAX_WHAT), *fit;
    size_t width = st->width > 1 ? (size_t)st->width - 1 : SIZE_MAX, used;
    double part;

    done = done > 0 ? done : 0;
    done = total > 0 && done > total ? total : done;
    part = total > 0 ? (double)done / (double)total : 0;
    add_numbers(&numbers, done, total, rate);
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

/* A moving average: a speed that jumps about is of no use to anybody. */
static void measure(struct progress *p, int64_t done, int64_t now_ms)
{
    double now;

    if (p->piece_at < 0 || done < p->piece_at) {
        p->piece_at = done; /* what was there before we began was not transferred by us */
        p->piece_ms = now_ms;
        return;
    }
    if (now_ms - p->piece_ms < SPEED_MS)
        return;
    now = (double)(done - p->piece_at) * 1000 / (double)(now_ms - p->piece_ms);
    p->rate = p->rate > 0 ? p->rate * (1 - SPEED_WEIGHT) + now * SPEED_WEIGHT : now;
    p->piece_at = done;
    p->piece_ms = now_ms;
}

void progress_to(struct progress *p, int64_t done, int64_t total, int64_t now_ms)
{
    struct buf b = {0};
    int is_due;

    measure(p, done, now_ms);
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
    progress_line(&p->style, p->what, done, total, (int64_t)p->rate, &b);
    fprintf(stderr, "%s%s", b.data, p->style.is_terminal ? "" : "\n");
    fflush(stderr);
    buf_free(&b);
    p->shown_ms = now_ms;
    p->is_drawn = p->style.is_terminal;
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
    free(p->what);
    free(p);
}
