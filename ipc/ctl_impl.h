#ifndef IPC_CTL_IMPL_H
#define IPC_CTL_IMPL_H

#include "common/base/err.h"
#include "ipc/ctl.h"

/* What ctctl needs beyond the library's header; not exported. */

/**
 * ctl_socket(given):
 * Return the socket that ${given} (which may be NULL), else CTCTL_SOCKET names, or NULL if it is
 * the configuration's; the caller frees it.
 */
char *ctl_socket(const char *given);

/**
 * ctl_call(c, method, params, timeout_ms, ret):
 * Call ${method}; the answer has to be an object.  ${params} (may be NULL) stays the caller's.
 */
enum ctl_result ctl_call(struct ctl *c, const char *method, struct json_object *params,
                         int64_t timeout_ms, struct json_object **ret);

/**
 * ctl_last(c):
 * Return the whole error of the last call that failed; it is the handle's.
 */
const struct ct_err *ctl_last(const struct ctl *c);

#endif
