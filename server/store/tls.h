#ifndef SERVER_STORE_TLS_H
#define SERVER_STORE_TLS_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/base/strlist.h"

/*
 * A certificate without anybody's help: a private CA and a server certificate by it (EC P-256), in
 * ca.pem, ca.key, server.pem and server.key of the data folder.
 */

/**
 * tls_ensure(dir, hosts, now_s, ret_renewed, err):
 * See that there is a certificate for localhost, 127.0.0.1, ::1, this machine's name and all of
 * ${hosts}, good for 30 days or more; make or renew what is missing.  ${ret_renewed} tells whether
 * it did.
 */
int tls_ensure(const char *dir, const struct strlist *hosts, int64_t now_s, int *ret_renewed,
               struct ct_err *err);

/**
 * tls_check_pair(cert_pem, key_pem, err):
 * See that these are a certificate and its key.
 */
int tls_check_pair(const char *cert_pem, const char *key_pem, struct ct_err *err);

#endif
