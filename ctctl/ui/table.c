#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "ctctl/ui/table.h"

#define GAP 2         /* columns of space between two columns */
#define MIN_ELASTIC 6 /* an elastic column is not made narrower as long as others can give */

struct cell {
    char *text; /* clean */
    size_t columns;
    enum text_colour colour;
};

struct table {
    const struct text_style *style;
    const struct table_column *columns;
    size_t n;
    struct cell *cells; /* n of them for each row */
    size_t n_cells, cap;
};

struct table *table_new(const struct text_style *st, const struct table_column *columns, size_t n)
{
    struct table *t = str_calloc(1, sizeof(*t));

    t->style = st;
    t->columns = columns;
    t->n = n;
    return t;
}

void table_row(struct table *t, const char *const *cells)
{
    if (t->n_cells + t->n > t->cap) {
        t->cap = (t->cap + t->n) * 2;
        t->cells = str_realloc(t->cells, t->cap, sizeof(*t->cells));
    }
    for (size_t i = 0; i < t->n; i++) {
        struct cell *c = &t->cells[t->n_cells++];
        c->text = text_line(t->style, cells[i]);
        c->columns = text_columns(c->text);
        c->colour = TEXT_PLAIN;
    }
}

void table_colour(struct table *t, size_t column, enum text_colour colour)
{
    t->cells[t->n_cells - t->n + column].colour = colour;
}

/* The columns that all of ${widths} take; 0 is one that is left out. */
static size_t total(const size_t *widths, size_t n)
{
    size_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        if (widths[i] > 0)
            sum += widths[i] + (sum > 0 ? GAP : 0);
    }
    return sum;
}

/* The widest column that can still give, elastic ones first; n if none can. */
static size_t widest(const struct table *t, const size_t *widths)
{
    size_t best = t->n;

    for (int elastic = 1; elastic >= 0 && best == t->n; elastic--) {
        size_t least = elastic ? MIN_ELASTIC : 1;
        for (size_t i = 0; i < t->n; i++) {
            if ((t->columns[i].comfort > 0) == elastic && widths[i] > least &&
                (best == t->n || widths[i] > widths[best]))
                best = i;
        }
    }
    return best;
}

/* Leave out what can be done without, while the elastic columns would be less than comfortable. */
static void leave_out(const struct table *t, size_t *widths, size_t limit)
{
    size_t *least = str_calloc(t->n, sizeof(*least));
    size_t last;

    for (size_t i = 0; i < t->n; i++) {
        size_t comfort = (size_t)t->columns[i].comfort;
        least[i] = comfort > 0 && widths[i] > comfort ? comfort : widths[i];
    }
    do {
        last = t->n;
        for (size_t i = 0; i < t->n; i++) {
            if (least[i] > 0 && t->columns[i].rank > 0 &&
                (last == t->n || t->columns[i].rank > t->columns[last].rank))
                last = i;
        }
        if (last < t->n && total(least, t->n) > limit)
            least[last] = widths[last] = 0;
        else
            last = t->n;
    } while (last < t->n);
    free(least);
}

static void measure(const struct table *t, size_t *widths)
{
    size_t i, limit = t->style->width > 0 ? (size_t)t->style->width : SIZE_MAX;

    for (i = 0; i < t->n; i++) {
        widths[i] = text_columns(t->columns[i].title);
        widths[i] = widths[i] > 0 ? widths[i] : 1;
    }
    for (i = 0; i < t->n_cells; i++) {
        if (t->cells[i].columns > widths[i % t->n])
            widths[i % t->n] = t->cells[i].columns;
    }
    leave_out(t, widths, limit);
    while (total(widths, t->n) > limit && (i = widest(t, widths)) < t->n)
        widths[i]--;
}

static void pad(struct buf *b, size_t n)
{
    while (n-- > 0)
        buf_addc(b, ' ');
}

static void print_cell(const struct table *t, struct buf *b, size_t column, const struct cell *c,
                       const size_t *widths)
{
    char *s = text_fit(t->style, c->text, widths[column]);
    size_t used = text_columns(s);
    int is_last = 1;

    for (size_t i = column + 1; i < t->n; i++)
        is_last = is_last && widths[i] == 0;
    if (t->columns[column].is_right)
        pad(b, widths[column] - used);
    text_add(b, t->style, c->colour, s);
    if (!t->columns[column].is_right && !is_last)
        pad(b, widths[column] - used);
    free(s);
    if (!is_last)
        pad(b, GAP);
}

void table_print(const struct table *t, struct buf *b)
{
    size_t *widths = str_calloc(t->n, sizeof(*widths));

    measure(t, widths);
    for (size_t i = 0; i < t->n; i++) {
        /* Titles are ours, and not written to. */
        struct cell title = {(char *)(uintptr_t)t->columns[i].title, 0, TEXT_DIM};
        if (widths[i] > 0)
            print_cell(t, b, i, &title, widths);
    }
    buf_addc(b, '\n');
    for (size_t i = 0; i < t->n_cells; i++) {
        if (widths[i % t->n] > 0)
            print_cell(t, b, i % t->n, &t->cells[i], widths);
        if (i % t->n == t->n - 1)
            buf_addc(b, '\n');
    }
    free(widths);
}

void table_free(struct table *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->n_cells; i++)
        free(t->cells[i].text);
    free(t->cells);
    free(t);
}
