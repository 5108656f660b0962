#ifndef SERVER_SQL_HRANA_H
#define SERVER_SQL_HRANA_H

#include "server/sql/sql.h"

/*
 * A libSQL server (Turso, sqld) as a database, by Hrana 2 over HTTP: POST /v2/pipeline.
 * Source: HRANA_2_SPEC.md and HRANA_3_SPEC.md of libsql.
 *
 * A transaction is one stream, held together by the baton that the server hands on from request to
 * request.  Statements that yield nothing are kept and sent with the next query or the commit, each
 * on the condition that the one before went well.  If the connection or this process is lost in the
 * middle, the server rolls back.
 */
struct hrana_place {
    const char *url;   /* "libsql://host[:port]", which means https; http on loopback */
    const char *token; /* NULL: none */
    const char *ca_file;
    int allow_plain_http;
};

/**
 * hrana_open(place, ret, err):
 * Make a handle for the database at ${place}, which is copied.  Nothing is sent.  ERR_CONFIG if the
 * URL can't be one.
 */
int hrana_open(const struct hrana_place *place, struct sql **ret, struct ct_err *err);

#endif
