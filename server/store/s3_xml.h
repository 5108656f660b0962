#ifndef SERVER_STORE_S3_XML_H
#define SERVER_STORE_S3_XML_H

#include <stddef.h>

#include "common/base/err.h"

/**
 * s3_xml_read(p, n, element, arg, err):
 * Read an answer of a store: call ${element} at the end of each element with its name and the text
 * in it ("" for one that has elements inside).  ERR_CORRUPT if it is no XML.
 */
int s3_xml_read(const char *p, size_t n,
                void (*element)(void *arg, const char *name, const char *text), void *arg,
                struct ct_err *err);

#endif
