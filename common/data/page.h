#ifndef COMMON_DATA_PAGE_H
#define COMMON_DATA_PAGE_H

#include <stddef.h>

/* A file of web/ that a program holds (web/embed.sh). */
struct page {
    const char *path; /* of the address: "/", "/app.js" */
    const char *type;
    const unsigned char *data;
    size_t size;
};

/**
 * page_find(pages, n, path):
 * Return the one of these ${n} at ${path}, or NULL.
 */
const struct page *page_find(const struct page *pages, size_t n, const char *path);

/* What every answer to a page of ours says: nothing but its own files, no markup from strings, no
 * other host, in nobody's frame, kept nowhere. */
struct page_header {
    const char *name, *value;
};

extern const struct page_header page_headers[];
extern const size_t page_headers_n;

#endif
