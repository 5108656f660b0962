#include <string.h>

#include "net/http.h"
#include "uploader/keep.h"
#include "uploader/transfer.h"

#include "uploader/verdict.h"

static enum verdict of_retry(const struct ct_err *err)
{
    if (err->sys_errno != 0)
        return VERDICT_LOCAL;
    if (strcmp(err->reason, HTTP_UNREACHABLE) == 0 || strcmp(err->reason, HTTP_UNTRUSTED) == 0 ||
        err->http_status == 429 || err->retry_after_s > 0 || strcmp(err->reason, "SlowDown") == 0)
        return VERDICT_AWAY;
    return VERDICT_BACK_OFF;
}

enum verdict verdict_of(const struct ct_err *err)
{
    switch (err->code) {
    case ERR_AUTH:
        return VERDICT_STOP;
    case ERR_CORRUPT:
        return VERDICT_REBUILD;
    case ERR_CONFLICT:
        return strcmp(err->reason, "deleted") == 0 ? VERDICT_EXCLUDED : VERDICT_LOCAL;
    case ERR_REFUSED:
    case ERR_BUG:
        return VERDICT_FINAL;
    case ERR_FAIL:
        if (strcmp(err->reason, KEEP_DAMAGED) == 0)
            return VERDICT_FINAL;
        return err->sys_errno != 0 ? VERDICT_LOCAL : VERDICT_SLOW;
    case ERR_CONFIG:
        return VERDICT_SLOW;
    case ERR_RETRY:
        return of_retry(err);
    case ERR_EXPIRED:
        return VERDICT_BACK_OFF;
    case ERR_NONE:
    case ERR_GONE:
    case ERR_NOSPACE:
    case ERR_CANCELLED:
        break;
    }
    return VERDICT_LOCAL;
}
