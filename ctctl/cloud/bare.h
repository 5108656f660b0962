#ifndef CTCTL_CLOUD_BARE_H
#define CTCTL_CLOUD_BARE_H

#include "bundle/seal/sealed.h"

/**
 * bare_describe(ring, path, wire_id, sha256, ret, err):
 * What the sealed bundle at ${path}, whose SHA-256 is ${sha256}, says of itself, for its description
 * is lost (SEALED_BARE): all but the machine, the title and the length without padding.  Nobody says
 * any more who vouched for what is in it, so it is a stranger's.  ERR_CORRUPT if it is not the
 * session that the server calls ${wire_id}; others as of opener_new().  The caller ends ${ret} with
 * sealed_facts_clear().
 */
int bare_describe(const struct keyring *ring, const char *path, const char *wire_id,
                  const char *sha256, struct sealed_facts *ret, struct ct_err *err);

#endif
