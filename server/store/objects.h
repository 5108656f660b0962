#ifndef SERVER_STORE_OBJECTS_H
#define SERVER_STORE_OBJECTS_H

#include "server/store/embedded.h"
#include "server/web/web.h"

/*
 * The embedded store's listener: PUT, GET with Range, HEAD and DELETE of presigned URLs, with the
 * statuses and XML errors of S3.
 */

/**
 * objects_handler(e, ret):
 * Fill ${ret} for a listener that serves ${e}.
 */
void objects_handler(struct embedded *e, struct web_handler *ret);

#endif
