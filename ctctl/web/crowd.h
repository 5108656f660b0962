#ifndef CTCTL_WEB_CROWD_H
#define CTCTL_WEB_CROWD_H

/*
 * The connections to one port.  Anybody on this machine can open as many as he likes, and evhttp
 * keeps them; so there are so many at most, and of those that have not shown the token the oldest
 * goes.
 */
struct crowd;

#define CROWD_MAX 48 /* connections; a browser has six */

/**
 * crowd_new(port), crowd_free(c):
 * Look after the connections to ${port} of 127.0.0.1.
 */
struct crowd *crowd_new(int port);
void crowd_free(struct crowd *c);

/**
 * crowd_came(c):
 * Another one has come: if they are too many now, shut down the oldest of those that are not
 * trusted, so that who reads from them sees their end.
 */
void crowd_came(struct crowd *c);

/**
 * crowd_trust(c, fd):
 * Who speaks through ${fd} has shown the token.
 */
void crowd_trust(struct crowd *c, int fd);

#endif
