#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/err.h"

static void set_va(struct ct_err *err, enum err_code code, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void set_va(struct ct_err *err, enum err_code code, const char *fmt, va_list ap)
{
    memset(err, 0, sizeof(*err));
    err->code = code;
    vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
}

int err_set(struct ct_err *err, enum err_code code, const char *fmt, ...)
{
    va_list ap;

    if (err == NULL)
        return -1;
    va_start(ap, fmt);
    set_va(err, code, fmt, ap);
    va_end(ap);
    return -1;
}

static enum err_code code_of_errno(int e)
{
    switch (e) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ERR_NOSPACE;
    case ENOENT:
    case ENOTDIR:
        return ERR_GONE;
    default:
        return ERR_FAIL;
    }
}

int err_sys(struct ct_err *err, const char *fmt, ...)
{
    int e = errno;
    size_t n;
    va_list ap;

    if (err == NULL)
        return -1;
    va_start(ap, fmt);
    set_va(err, code_of_errno(e), fmt, ap);
    va_end(ap);
    err->sys_errno = e;
    n = strlen(err->msg);
    snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", strerror(e));
    errno = e;
    return -1;
}

int err_prefix(struct ct_err *err, const char *fmt, ...)
{
    char old[sizeof(err->msg)];
    size_t n;
    va_list ap;

    if (err == NULL)
        return -1;
    memcpy(old, err->msg, sizeof(old));
    va_start(ap, fmt);
    vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);
    n = strlen(err->msg);
    snprintf(err->msg + n, sizeof(err->msg) - n, ": %.*s", (int)(sizeof(old) - 1), old);
    return -1;
}

const char *err_name(enum err_code code)
{
    static const char *const names[] = {
        [ERR_NONE] = "none",         [ERR_FAIL] = "failed",     [ERR_RETRY] = "retry",
        [ERR_AUTH] = "auth",         [ERR_REFUSED] = "refused", [ERR_GONE] = "gone",
        [ERR_CONFLICT] = "conflict", [ERR_EXPIRED] = "expired", [ERR_NOSPACE] = "nospace",
        [ERR_CORRUPT] = "corrupt",   [ERR_CONFIG] = "config",   [ERR_CANCELLED] = "cancelled",
        [ERR_BUG] = "bug",
    };

    if ((size_t)code >= sizeof(names) / sizeof(names[0]))
        return "unknown";
    return names[code];
}
