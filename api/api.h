#ifndef API_API_H
#define API_API_H

#include <stdint.h>

#include <json-c/json.h>

#include "common/base/err.h"

/*
 * The wire API's requests and answers as structures, for both sides.  A *_json() makes the JSON of
 * a structure (the caller owns it), a *_parse() reads one and checks every field (ERR_REFUSED with
 * a sentence that names the field; the server answers 422 with it, the client takes it for a peer
 * that sends garbage).  Strings are owned by the structure; *_clear() frees them and zeroes it.
 */

#define API_CHECKSUM_SIZE 72 /* "sha256:" + 64 hex + NUL */
#define API_SESSION_ID_MAX 128
#define API_VERSION_MAX 1000000000000 /* far from overflow, exact in a double */
#define API_URL_MAX 8192
#define API_BASES_MAX 64

/* What a server says that it can do beyond the API of old. */
#define API_FEATURE_HEADS "heads"                   /* versions name what they contain */
#define API_FEATURE_BASE_CHECKSUMS "base-checksums" /* ... each by number and checksum */
#define API_FEATURE_PROFILE "profile"               /* takes what belongs to no session */

/* The same as bits: see api_features(). */
enum api_feature { API_HAS_HEADS = 1, API_HAS_BASE_CHECKSUMS = 2, API_HAS_PROFILE = 4 };

/* What a device calls itself: API_DEVICE_ID_MIN to API_DEVICE_ID_MAX letters, digits and '-'. */
#define API_DEVICE_ID_MIN 8
#define API_DEVICE_ID_MAX 64

struct api_upload_req {
    char *session_id;
    char *source_machine;
    char *source_cwd;
    char *source_user_dir;
    int64_t size_bytes;
    char checksum[API_CHECKSUM_SIZE];
    char *md5;                    /* base64, or NULL: the client does not know uploadHeaders */
    struct json_object *metadata; /* object or NULL */
    struct json_object *tags;     /* array of strings or NULL */
    char *label;                  /* or NULL */
    int64_t amend;                /* version to drop when this is confirmed, 0: none */
    char *device_id;              /* the id that the machine logged in with, which no server tells:
                                     or NULL: a token alone drops nothing of the machine's */
    int64_t pin;                  /* version to keep beyond rotation, 0: none */
    int64_t base_version;         /* newest version that this device knows, -1: not said */
    struct json_object *bases;    /* the versions that this one contains, each a number or an
                                     object of version and checksum; NULL: the client does not
                                     say */
    int revive;                   /* upload although the session was deleted: it was asked for */
};

struct api_upload_res {
    char *upload_url; /* a secret */
    char *session_record_id;
    int64_t version;
    int64_t elsewhere; /* newer than baseVersion and of another device; 0: none, or not said */
    struct json_object *upload_headers; /* object of strings; NULL from a stock server */
    unsigned features;                  /* enum api_feature */
    int is_pin_refused;                 /* what was to be pinned is not, says the server */
    struct json_object *heads;          /* of a server with that feature: what this upload would not
                                           contain, rows for api_head_read(); else NULL */
};

#define API_DEVICE_NAME_SIZE 80

/* One version, as the items of a list and the rows of heads and versions tell it. */
struct api_head {
    int64_t version;
    char checksum[API_CHECKSUM_SIZE];  /* "": not told */
    char device[API_DEVICE_NAME_SIZE]; /* whose it is, fit for a screen; "": not told */
    int is_told_whose;                 /* the server says whether it is this device's */
    int is_own;
    int is_pinned;
    int is_head;      /* no version contains it; else it stands there for its pin only */
    int64_t messages; /* -1: not told, or sealed */
    struct json_object *metadata; /* borrowed from the row; or NULL */
};

struct api_confirm_req {
    int64_t version; /* 0: none given, the newest reservation counts */
    char checksum[API_CHECKSUM_SIZE];
};

struct api_download_res {
    char *download_url; /* a secret */
    int64_t version;
    char *session_id;
    char *source_cwd;
    char *source_user_dir;
    char *source_machine;
    struct json_object *metadata;
    char checksum[API_CHECKSUM_SIZE]; /* "" from a stock server */
    int64_t size_bytes;               /* -1 from a stock server */
};

#define API_SHARE_MAX_BYTES (64 << 20) /* a browser holds all of it, more than once */

/* What is to be shared: its answer is api_upload_res's, with what else DESIGN.md says. */
struct api_share_req {
    char *session_id; /* of what */
    int64_t size_bytes;
    char checksum[API_CHECKSUM_SIZE];
    char *md5; /* base64 */
    int64_t lifetime_s;
};

struct json_object *api_share_req_json(const struct api_share_req *r);
int api_share_req_parse(struct json_object *o, struct api_share_req *ret, struct ct_err *err);
void api_share_req_clear(struct api_share_req *r);

struct json_object *api_upload_req_json(const struct api_upload_req *r);
int api_upload_req_parse(struct json_object *o, struct api_upload_req *ret, struct ct_err *err);
void api_upload_req_clear(struct api_upload_req *r);

struct json_object *api_upload_res_json(const struct api_upload_res *r);
int api_upload_res_parse(struct json_object *o, struct api_upload_res *ret, struct ct_err *err);
void api_upload_res_clear(struct api_upload_res *r);

struct json_object *api_confirm_req_json(const struct api_confirm_req *r);
int api_confirm_req_parse(struct json_object *o, struct api_confirm_req *ret, struct ct_err *err);

struct json_object *api_download_res_json(const struct api_download_res *r);
int api_download_res_parse(struct json_object *o, struct api_download_res *ret, struct ct_err *err);
void api_download_res_clear(struct api_download_res *r);

/**
 * api_features(answer):
 * Return which enum api_feature an answer of GET /auth/me or POST /sessions/upload names.
 */
unsigned api_features(const struct json_object *answer);

/**
 * api_head_read(row, ret):
 * Read one version; what is missing or makes no sense is not told.  Return 1, or 0 if there is no
 * number of a version.
 */
int api_head_read(struct json_object *row, struct api_head *ret);

/**
 * api_base_json(version, sha256, is_exact):
 * Return one element of baseVersions: number and checksum if ${is_exact} and ${sha256} is not "",
 * else the number.
 */
struct json_object *api_base_json(int64_t version, const char *sha256, int is_exact);

/**
 * api_checksum_is_valid(s):
 * Return whether ${s} is "sha256:" and 64 lower-case hexadecimal digits.
 */
int api_checksum_is_valid(const char *s);

/**
 * api_session_id_is_valid(s):
 * Return whether ${s} is an id that may become part of an object key and of a file name: 1 to
 * API_SESSION_ID_MAX letters, digits, '-', '_' and '.' (ASCII), not beginning with '.' or '-',
 * without "..".
 */
int api_session_id_is_valid(const char *s);

/**
 * api_device_id_is_valid(s):
 * Return whether ${s} may be the id of a device: see API_DEVICE_ID_MAX.
 */
int api_device_id_is_valid(const char *s);

/**
 * api_url_is_http(s):
 * Return whether ${s} begins with https:// or http:// and is printable ASCII without spaces.
 */
int api_url_is_http(const char *s);

/**
 * api_error_json(code, message):
 * Return {"error":code,"message":message}; the caller owns it.
 */
struct json_object *api_error_json(const char *code, const char *message);

#endif
