#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "net/http_call.h"

/*
 * libcurl copies what it is given: header lines with tokens, presigned URLs, the proxy's password.
 * So all of its memory is wiped when it frees it, for which each piece knows its size.
 */
struct piece {
    size_t n;
    max_align_t data[];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode outcome;

static struct piece *piece_of(void *p)
{
    return (struct piece *)(void *)((char *)p - offsetof(struct piece, data));
}

static void *wiping_malloc(size_t n)
{
    struct piece *p = n <= SIZE_MAX - sizeof(*p) ? malloc(sizeof(*p) + n) : NULL;

    if (p == NULL)
        return NULL;
    p->n = n;
    return p->data;
}

static void wiping_free(void *data)
{
    struct piece *p;

    if (data == NULL)
        return;
    p = piece_of(data);
    str_wipe(p->data, p->n);
    free(p);
}

static void *wiping_realloc(void *data, size_t n)
{
    void *fresh = wiping_malloc(n);
    size_t had;

    if (data == NULL || fresh == NULL)
        return fresh;
    had = piece_of(data)->n;
    memcpy(fresh, data, had < n ? had : n);
    wiping_free(data);
    return fresh;
}

static char *wiping_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = wiping_malloc(n);

    return copy != NULL ? memcpy(copy, s, n) : NULL;
}

static void *wiping_calloc(size_t n, size_t size)
{
    void *p;

    if (size != 0 && n > SIZE_MAX / size)
        return NULL;
    p = wiping_malloc(n * size);
    return p != NULL ? memset(p, 0, n * size) : NULL;
}

static void set_up(void)
{
    outcome = curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc, wiping_free, wiping_realloc,
                                   wiping_strdup, wiping_calloc);
}

int http_library(struct ct_err *err)
{
    pthread_once(&once, set_up);
    return outcome == CURLE_OK ? 0 : err_set(err, ERR_BUG, "libcurl can't be set up");
}

void http_system_ca(const char **ret_file, const char **ret_dir)
{
    const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);

    *ret_file = v->age >= CURLVERSION_SEVENTH ? v->cainfo : NULL;
    *ret_dir = v->age >= CURLVERSION_SEVENTH ? v->capath : NULL;
}
