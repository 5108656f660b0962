#ifndef IPC_STREAM_H
#define IPC_STREAM_H

#include <stddef.h>

/*
 * Lines over a non-blocking socket, on an event loop.  What a peer can cost is bounded: a line has
 * a limit, so has what waits to be written; a peer that does not read is not read from either, and
 * is dropped after a while; and a peer that sends much gets its turn between the others.
 */
struct event_base;
struct ipc_stream;

struct ipc_stream_hooks {
    /* A line came, without its newline; borrowed. */
    void (*on_line)(void *arg, const char *line, size_t len);
    /* A line is longer than the limit.  What is sent now is still delivered; then comes on_end. */
    void (*on_overlong)(void *arg);
    /* The stream is at its end (peer gone, or dropped).  The owner frees it, here or later. */
    void (*on_end)(void *arg);
};

/**
 * ipc_stream_new(base, fd, max_line, hooks, arg):
 * Read lines of at most ${max_line} bytes from ${fd}, which becomes the stream's.  Hooks are called
 * from the loop only, never from within a function of this header.
 */
struct ipc_stream *ipc_stream_new(struct event_base *base, int fd, size_t max_line,
                                  const struct ipc_stream_hooks *hooks, void *arg);

/**
 * ipc_stream_free(s):
 * Close it and call nothing more; allowed from within a hook.  NULL is harmless.
 */
void ipc_stream_free(struct ipc_stream *s);

/**
 * ipc_stream_send(s, p, n):
 * Have ${n} bytes written after those that wait.  With more waiting than the limit the peer is
 * dropped instead (on_end follows).
 */
void ipc_stream_send(struct ipc_stream *s, const void *p, size_t n);

/**
 * ipc_stream_set_open(s, n):
 * Say that ${n} answers are still to come.  With many, nothing more is read until there are fewer;
 * with none, a peer that has closed its sending side is done.
 */
void ipc_stream_set_open(struct ipc_stream *s, unsigned int n);

#endif
