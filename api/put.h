#ifndef API_PUT_H
#define API_PUT_H

#include "api/api.h"
#include "net/http.h"

/*
 * The PUT of a bundle, to the address that a reservation named.
 */
struct api_put {
    struct http_req http; /* borrows from the reservation and from ${headers} */
    struct strlist headers;
};

/**
 * api_put_begin(api_url, reserved, ret):
 * Make the request but for its body and what the caller wants to hear of it.  Of the headers that
 * the server asks for those go along that bind the body, and no others: what is sent elsewhere is
 * not the server's to say.  ${api_url} and ${reserved} are borrowed.  The caller ends it with
 * api_put_end().
 */
void api_put_begin(const char *api_url, const struct api_upload_res *reserved, struct api_put *ret);
void api_put_end(struct api_put *p);

/**
 * api_put_perform(p, policy, reserved_boot_ms, err):
 * The whole exchange, blocking.  An object that is there already is as good: these bytes were
 * stored before.  ${reserved_boot_ms} is when the address came.  Errors as of store_error(), and of
 * the network.
 */
int api_put_perform(const struct api_put *p, const struct http_policy *policy,
                    int64_t reserved_boot_ms, struct ct_err *err);

#endif
