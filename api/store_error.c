#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "api/store_error.h"

/* Presigned URLs live 5 minutes. */
#define URL_LIFE_MS (5 * 60 * 1000)

static const struct {
    const char *code;
    enum err_code means;
    const char *sentence;
} table[] = {
    {"ExpiredRequest", ERR_EXPIRED, "the upload's address expired"},
    {"SignatureDoesNotMatch", ERR_EXPIRED,
     "the store does not accept the server's signature; its keys or its address are wrong"},
    {"RequestTimeTooSkewed", ERR_RETRY,
     "the server's clock and the store's differ too much; set the server's clock"},
    {"BadDigest", ERR_CORRUPT, "the store received other bytes than were sent"},
    {"InvalidDigest", ERR_BUG, "the store does not take the checksum's form"},
    {"EntityTooLarge", ERR_REFUSED, "the bundle is larger than the store takes in one piece"},
    {"MissingContentLength", ERR_BUG, "the store missed the bundle's length"},
    {"TooManyRequests", ERR_RETRY, "the store asks to slow down"},
    {"SlowDown", ERR_RETRY, "the store asks to slow down"},
    {"OperationAborted", ERR_RETRY, "an earlier try of this upload has not ended yet"},
    {"IncompleteBody", ERR_RETRY, "the upload broke off"},
    {"ClientDisconnect", ERR_RETRY, "the upload broke off"},
    {"RequestTimeout", ERR_RETRY, "the upload stalled"},
    {"InternalError", ERR_RETRY, "the store has a fault of its own"},
    {"ServiceUnavailable", ERR_RETRY, "the store is not available"},
    {"AccessDenied", ERR_FAIL, "the store denies access; its operator has to mend that"},
    {"Unauthorized", ERR_FAIL, "the store denies access; its operator has to mend that"},
    {"InvalidAccessKeyId", ERR_FAIL,
     "the store does not know the server's key; its operator "
     "has to mend that"},
    {"NoSuchBucket", ERR_FAIL, "the store's bucket is missing; its operator has to mend that"},
    {"PreconditionFailed", ERR_EXPIRED, "the store has an object of that name already"},
    {"QuotaExceeded", ERR_FAIL, "the store is full; its operator has to make room"},
    {"InsufficientStorage", ERR_RETRY, "the store is full; its operator has to make room"},
};

static void code_of(const char *body, char code[48])
{
    const char *at = body != NULL ? strstr(body, "<Code>") : NULL;
    size_t n = 0;

    code[0] = '\0';
    if (at == NULL)
        return;
    at += strlen("<Code>");
    while (n < 47 && isalnum((unsigned char)at[n]))
        n++;
    if (at[n] == '<')
        snprintf(code, 48, "%.*s", (int)n, at);
}

void store_error(const struct http_res *res, int64_t url_age_ms, struct ct_err *ret)
{
    enum err_code by_status =
        res->status == 429 || res->status == 408 || res->status >= 500 ? ERR_RETRY : ERR_FAIL;
    char code[48];

    code_of(res->body.data, code);
    err_set(ret, by_status, "the store answered with status %d%s%s", res->status,
            code[0] != '\0' ? ", " : "", code);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(code, table[i].code) == 0)
            err_set(ret, table[i].means, "%s", table[i].sentence);
    }
    if (strcmp(code, "AccessDenied") == 0 && url_age_ms >= URL_LIFE_MS)
        err_set(ret, ERR_EXPIRED, "the upload's address expired");
    snprintf(ret->reason, sizeof(ret->reason), "%s", code);
    ret->http_status = res->status;
    ret->retry_after_s = res->retry_after_s;
}
