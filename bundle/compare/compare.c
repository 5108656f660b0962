#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#include "agents/news.h"
#include "common/base/file.h"
#include "common/base/str.h"

#include "bundle/compare/compare.h"

#define WINDOW (128 << 10)

int compare_beginnings(int a, int b, int64_t n, struct ct_err *err)
{
    char *p = str_calloc(2, WINDOW), *q = p + WINDOW;
    int rc = 1;

    for (int64_t at = 0; rc == 1 && at < n;) {
        size_t want = n - at < WINDOW ? (size_t)(n - at) : WINDOW;
        ssize_t x = file_pread_all(a, p, want, (off_t)at);
        ssize_t y = file_pread_all(b, q, want, (off_t)at);
        if (x < 0 || y < 0)
            rc = err_sys(err, "can't compare a file with the one that is there");
        else if (x != (ssize_t)want || y != x || memcmp(p, q, want) != 0)
            rc = 0;
        at += (int64_t)want;
    }
    free(p);
    return rc;
}

static int by_records(const struct agent *agent, int a, int b, int64_t a_bytes, int64_t b_bytes,
                      const struct compare_trust *trust, enum compare_order *ret,
                      struct ct_err *err)
{
    struct news *x = news_new(agent), *y = news_new(agent);
    enum news_order order = NEWS_DIVERGED;
    int rc = news_feed_file(x, a, a_bytes, err);

    if (rc == 0)
        rc = news_feed_file(y, b, b_bytes, err);
    if (trust != NULL) {
        news_vouch(x, trust->a);
        news_vouch(y, trust->b);
    }
    if (rc == 0 && news_count(x) > 0)
        order = news_compare_all(x, y);
    if (rc == 0)
        *ret = order == NEWS_AHEAD      ? COMPARE_MORE
               : order == NEWS_DIVERGED ? COMPARE_OTHER
                                        : COMPARE_LESS;
    news_free(x);
    news_free(y);
    return rc;
}

int compare_files(const struct agent *agent, const char *name, int a, int b,
                  const struct compare_trust *trust, enum compare_order *ret, struct ct_err *err)
{
    struct stat x, y;
    int64_t shorter;
    size_t n = strlen(name);
    int is_beginning;

    if (fstat(a, &x) != 0 || fstat(b, &y) != 0)
        return err_sys(err, "can't compare a file with the one that is there");
    shorter = (int64_t)(x.st_size < y.st_size ? x.st_size : y.st_size);
    is_beginning = compare_beginnings(a, b, shorter, err);
    if (is_beginning < 0)
        return -1;
    if (is_beginning) {
        *ret = x.st_size == y.st_size  ? COMPARE_SAME
               : x.st_size < y.st_size ? COMPARE_BEGINS
                                       : COMPARE_ENDS;
        return 0;
    }
    if (n > 6 && strcmp(name + n - 6, ".jsonl") == 0)
        return by_records(agent, a, b, (int64_t)x.st_size, (int64_t)y.st_size, trust, ret, err);
    *ret = COMPARE_OTHER;
    return 0;
}
