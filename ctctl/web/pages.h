#ifndef CTCTL_WEB_PAGES_H
#define CTCTL_WEB_PAGES_H

#include <stddef.h>

/* The files of web/, which the program holds (web/embed.sh). */
struct page {
    const char *path; /* of the address: "/", "/app.js" */
    const char *type;
    const unsigned char *data;
    size_t size;
};

extern const struct page pages[];
extern const size_t pages_n;

#endif
