#ifndef CTCTL_UI_TABLE_H
#define CTCTL_UI_TABLE_H

#include <stddef.h>

#include "common/base/buf.h"
#include "ctctl/ui/text.h"

/*
 * A table that fits the width: columns are as wide as their widest cell; where that is too much,
 * the elastic ones give way, the widest first, and before they get less than their comfort the
 * columns that can be done without are left out.  Without a width (a pipe) nothing is cut.
 */
struct table_column {
    const char *title;
    int is_right; /* numbers */
    int comfort;  /* may be cut; below so many columns it is of little use.  0: never cut */
    int rank;     /* 0: always there; else the highest is left out first */
};

struct table;

/**
 * table_new(st, columns, n):
 * Make a table of the ${n} ${columns}, which must outlive it, as must ${st}.
 */
struct table *table_new(const struct text_style *st, const struct table_column *columns, size_t n);

/**
 * table_row(t, cells):
 * Add a row; ${cells} has one string for each column (NULL: empty), of any content.
 */
void table_row(struct table *t, const char *const *cells);

/**
 * table_colour(t, column, colour):
 * Show that cell of the last row in ${colour}.
 */
void table_colour(struct table *t, size_t column, enum text_colour colour);

/**
 * table_print(t, b):
 * Append the table, with its titles, to ${b}.
 */
void table_print(const struct table *t, struct buf *b);

/**
 * table_free(t):
 * Free it; NULL is harmless.
 */
void table_free(struct table *t);

#endif
