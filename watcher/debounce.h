#ifndef WATCHER_DEBOUNCE_H
#define WATCHER_DEBOUNCE_H

#include <stdint.h>

/*
 * When is a session that changes worth a bundle?  Three clocks: quiet since its last change,
 * longest wait since its first one, and the shortest distance to its last upload.  Distance beats
 * longest wait beats quiet.  The end of a turn shortens quiet and nothing else.  Time is a
 * parameter (milliseconds of a monotonic clock).
 */
struct debounce;

struct debounce_opts {
    int64_t quiet_ms;
    int64_t turn_quiet_ms; /* quiet once a turn has ended, counted from the later of both */
    int64_t wait_ms;
    int64_t distance_ms; /* or ten times what the last upload took, if that is more */
};

/**
 * debounce_new(opts):
 * Return an empty one (never NULL); ${opts} is copied.
 */
struct debounce *debounce_new(const struct debounce_opts *opts);

/**
 * debounce_free(d):
 * NULL is harmless.
 */
void debounce_free(struct debounce *d);

/**
 * debounce_set(d, opts):
 * Change the clocks; what waits is judged by the new ones.
 */
void debounce_set(struct debounce *d, const struct debounce_opts *opts);

/**
 * debounce_touch(d, key, now_ms):
 * The session ${key} (any string) changed at ${now_ms}, which may lie in the past and before what
 * was said already: a scan meets changes of long ago.
 */
void debounce_touch(struct debounce *d, const char *key, int64_t now_ms);

/**
 * debounce_turn_ended(d, key, now_ms):
 * A turn of the session ended or waits for a person, or the session ended.  Counts only until the
 * next change that comes later than the quiet time for turns; a signal for a session that does not
 * wait makes nothing wait, and is remembered that long, for it may come before the turn's last
 * write.
 */
void debounce_turn_ended(struct debounce *d, const char *key, int64_t now_ms);

/**
 * debounce_uploaded(d, key, now_ms, took_ms):
 * An upload of the session ended, having taken ${took_ms}.
 */
void debounce_uploaded(struct debounce *d, const char *key, int64_t now_ms, int64_t took_ms);

/**
 * debounce_forget(d, key):
 * Nothing of the session waits any more (it was bundled out of turn); its distance stays.
 */
void debounce_forget(struct debounce *d, const char *key);

/**
 * debounce_tidy(d, now_ms):
 * Forget sessions that neither wait nor have a distance to keep.  It happens by itself now and
 * then; called when nothing goes on, it gives memory back.
 */
void debounce_tidy(struct debounce *d, int64_t now_ms);

/**
 * debounce_next(d):
 * Return when the next session is due, or -1 if none waits.
 */
int64_t debounce_next(const struct debounce *d);

/**
 * debounce_pop(d, now_ms, key, size):
 * If a session is due, copy its key into ${key} of ${size} bytes (enough for the longest key
 * given), take it out and return 1; else 0.  The one that is due the longest comes first.
 */
int debounce_pop(struct debounce *d, int64_t now_ms, char *key, unsigned long size);

/**
 * debounce_waiting(d):
 * Return how many sessions wait.
 */
int64_t debounce_waiting(const struct debounce *d);

#endif
