#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "server/store/tls.h"

#define DAY_S (24 * 3600)
#define CA_DAYS 3650
#define SERVER_DAYS 365
#define RENEW_DAYS 30
#define BACKDATE_S 3600 /* a client whose clock is a little late shall not refuse a new one */
#define MAX_PEM_BYTES 65536

struct pair {
    X509 *cert;
    EVP_PKEY *key;
};

static void pair_clear(struct pair *p)
{
    X509_free(p->cert);
    EVP_PKEY_free(p->key);
    p->cert = NULL;
    p->key = NULL;
}

static BIO *read_bio(const char *path)
{
    struct buf b = {0};
    BIO *bio = NULL;

    if (file_read(path, MAX_PEM_BYTES, &b, NULL) == 0) {
        bio = BIO_new(BIO_s_mem());
        if (bio == NULL)
            abort();
        BIO_write(bio, b.data, (int)b.len);
    }
    if (b.data != NULL)
        str_wipe(b.data, b.len);
    buf_free(&b);
    return bio;
}

/* Return 0, or -1 if the pair is not there, not readable or not of one piece. */
static int load(const char *dir, const char *name, struct pair *ret)
{
    char *cert = str_printf("%s/%s.pem", dir, name), *key = str_printf("%s/%s.key", dir, name);
    BIO *c = read_bio(cert), *k = read_bio(key);
    struct pair p = {0};
    int ok;

    p.cert = c != NULL ? PEM_read_bio_X509(c, NULL, NULL, NULL) : NULL;
    p.key = k != NULL ? PEM_read_bio_PrivateKey(k, NULL, NULL, NULL) : NULL;
    ok = p.cert != NULL && p.key != NULL && X509_check_private_key(p.cert, p.key) == 1;
    BIO_free(c);
    BIO_free(k);
    free(cert);
    free(key);
    if (!ok) {
        pair_clear(&p);
        return -1;
    }
    *ret = p;
    return 0;
}

static int save_one(const char *path, BIO *bio, mode_t mode, struct ct_err *err)
{
    char *p;
    long n = BIO_get_mem_data(bio, &p);

    return file_replace(path, p, (size_t)n, mode, err);
}

/* The key first: a crash between the two leaves a pair that does not fit, and load() sees that. */
static int save(const char *dir, const char *name, const struct pair *p, struct ct_err *err)
{
    char *cert = str_printf("%s/%s.pem", dir, name), *key = str_printf("%s/%s.key", dir, name);
    BIO *c = BIO_new(BIO_s_mem()), *k = BIO_new(BIO_s_secmem());
    int rc;

    if (c == NULL || k == NULL || PEM_write_bio_X509(c, p->cert) != 1 ||
        PEM_write_bio_PKCS8PrivateKey(k, p->key, NULL, NULL, 0, NULL, NULL) != 1)
        rc = err_set(err, ERR_FAIL, "OpenSSL can't write a certificate");
    else
        rc = save_one(key, k, 0600, err) != 0 ? -1 : save_one(cert, c, 0644, err);
    BIO_free(c);
    BIO_free(k);
    free(cert);
    free(key);
    return rc;
}

static int add_ext(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;
    int ok;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ok = ext != NULL && X509_add_ext(cert, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return ok;
}

static int set_serial(X509 *cert)
{
    unsigned char raw[16];
    BIGNUM *bn;
    int ok;

    hash_random(raw, sizeof(raw));
    raw[0] = (unsigned char)((raw[0] & 0x3F) | 0x40);
    bn = BN_bin2bn(raw, sizeof(raw), NULL);
    ok = bn != NULL && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert)) != NULL;
    BN_free(bn);
    return ok;
}

/* What a CA and a server certificate have in common. */
static int new_cert(const char *common_name, int64_t now_s, int days, struct pair *p)
{
    X509_NAME *name;
    time_t t = (time_t)now_s;

    p->key = EVP_EC_gen("P-256");
    p->cert = X509_new();
    if (p->key == NULL || p->cert == NULL)
        return 0;
    name = X509_get_subject_name(p->cert);
    return X509_set_version(p->cert, X509_VERSION_3) == 1 && set_serial(p->cert) &&
           X509_time_adj_ex(X509_getm_notBefore(p->cert), 0, -BACKDATE_S, &t) != NULL &&
           X509_time_adj_ex(X509_getm_notAfter(p->cert), days, 0, &t) != NULL &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name,
                                      -1, -1, 0) == 1 &&
           X509_set_pubkey(p->cert, p->key) == 1;
}

static int make_ca(const char *dir, int64_t now_s, struct pair *ret, struct ct_err *err)
{
    char *host = path_host_name(), *name = str_printf("codeteleport-server CA %.30s", host);
    struct pair p = {0};
    int ok = new_cert(name, now_s, CA_DAYS, &p) &&
             X509_set_issuer_name(p.cert, X509_get_subject_name(p.cert)) == 1 &&
             add_ext(p.cert, p.cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
             add_ext(p.cert, p.cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
             add_ext(p.cert, p.cert, NID_subject_key_identifier, "hash") &&
             X509_sign(p.cert, p.key, EVP_sha256()) > 0;

    free(name);
    free(host);
    if (!ok)
        err_set(err, ERR_FAIL, "OpenSSL can't make a CA certificate");
    if (!ok || save(dir, "ca", &p, err) != 0) {
        pair_clear(&p);
        return -1;
    }
    *ret = p;
    return 0;
}

static int is_address(const char *host)
{
    ASN1_OCTET_STRING *ip = a2i_IPADDRESS(host);

    ASN1_OCTET_STRING_free(ip);
    return ip != NULL;
}

static char *alt_names(const struct strlist *hosts)
{
    struct buf b = {0};

    for (size_t i = 0; i < hosts->n; i++)
        buf_printf(&b, "%s%s:%s", i > 0 ? "," : "", is_address(hosts->v[i]) ? "IP" : "DNS",
                   hosts->v[i]);
    return buf_steal(&b);
}

static int make_server(const char *dir, const struct pair *ca, const struct strlist *hosts,
                       int64_t now_s, struct ct_err *err)
{
    char *names = alt_names(hosts);
    struct pair p = {0};
    int rc = 0;

    if (!new_cert("codeteleport-server", now_s, SERVER_DAYS, &p) ||
        X509_set_issuer_name(p.cert, X509_get_subject_name(ca->cert)) != 1 ||
        !add_ext(p.cert, ca->cert, NID_basic_constraints, "critical,CA:FALSE") ||
        !add_ext(p.cert, ca->cert, NID_key_usage, "critical,digitalSignature") ||
        !add_ext(p.cert, ca->cert, NID_ext_key_usage, "serverAuth") ||
        !add_ext(p.cert, ca->cert, NID_subject_key_identifier, "hash") ||
        !add_ext(p.cert, ca->cert, NID_authority_key_identifier, "keyid:always") ||
        !add_ext(p.cert, ca->cert, NID_subject_alt_name, names) ||
        X509_sign(p.cert, ca->key, EVP_sha256()) <= 0)
        rc = err_set(err, ERR_FAIL, "OpenSSL can't make a certificate for %.200s", names);
    if (rc == 0)
        rc = save(dir, "server", &p, err);
    free(names);
    pair_clear(&p);
    return rc;
}

static int lives_for(X509 *cert, int64_t now_s, int days)
{
    time_t then = (time_t)(now_s + (int64_t)days * DAY_S);

    return X509_cmp_time(X509_get0_notAfter(cert), &then) > 0;
}

static int fits(const struct pair *p, const struct pair *ca, const struct strlist *hosts,
                int64_t now_s)
{
    if (!lives_for(p->cert, now_s, RENEW_DAYS) || X509_verify(p->cert, ca->key) != 1)
        return 0;
    for (size_t i = 0; i < hosts->n; i++) {
        if (X509_check_ip_asc(p->cert, hosts->v[i], 0) != 1 &&
            X509_check_host(p->cert, hosts->v[i], 0, 0, NULL) != 1)
            return 0;
    }
    return 1;
}

int tls_ensure(const char *dir, const struct strlist *hosts, int64_t now_s, int *ret_renewed,
               struct ct_err *err)
{
    struct pair ca = {0}, server = {0};
    struct strlist all = {0};
    char *host = path_host_name();
    int rc = 0;

    strlist_add_once(&all, "localhost");
    strlist_add_once(&all, "127.0.0.1");
    strlist_add_once(&all, "::1");
    strlist_add_once(&all, host);
    for (size_t i = 0; i < hosts->n; i++)
        strlist_add_once(&all, hosts->v[i]);
    *ret_renewed = 0;
    if (load(dir, "ca", &ca) != 0 || !lives_for(ca.cert, now_s, RENEW_DAYS)) {
        pair_clear(&ca);
        rc = make_ca(dir, now_s, &ca, err);
    }
    if (rc == 0 && (load(dir, "server", &server) != 0 || !fits(&server, &ca, &all, now_s))) {
        *ret_renewed = 1;
        rc = make_server(dir, &ca, &all, now_s, err);
    }
    pair_clear(&server);
    pair_clear(&ca);
    strlist_free(&all);
    free(host);
    return rc;
}

int tls_check_pair(const char *cert_pem, const char *key_pem, struct ct_err *err)
{
    BIO *c = BIO_new_mem_buf(cert_pem, -1), *k = BIO_new_mem_buf(key_pem, -1);
    struct pair p = {0};
    int ok;

    p.cert = PEM_read_bio_X509(c, NULL, NULL, NULL);
    p.key = PEM_read_bio_PrivateKey(k, NULL, NULL, NULL);
    ok = p.cert != NULL && p.key != NULL && X509_check_private_key(p.cert, p.key) == 1;
    pair_clear(&p);
    BIO_free(c);
    BIO_free(k);
    return ok ? 0 : err_set(err, ERR_CONFIG, "the certificate and the key do not belong together");
}
