#ifndef CTCTL_UI_PROGRESS_H
#define CTCTL_UI_PROGRESS_H

#include <stdint.h>

#include "common/base/buf.h"
#include "ctctl/ui/text.h"

/*
 * How far a transfer is.  On a terminal one line of stderr that is drawn anew: what, a bar,
 * percent, bytes, speed, time left.  Elsewhere a plain line now and then, and nothing at all for
 * what is done in a moment.  The clock is a parameter (now_mono_ms()).
 */
struct progress;

/**
 * progress_new(st, what, now_ms):
 * Begin; ${st} is how to show text on stderr (ctx.err) and is copied, as is ${what}, which is one
 * word or a short name of any content ("Downloading").
 */
struct progress *progress_new(const struct text_style *st, const char *what, int64_t now_ms);

/**
 * progress_to(p, done, total, now_ms):
 * ${done} bytes of ${total} (0: not known) are through.  May be called as often as one likes.
 */
void progress_to(struct progress *p, int64_t done, int64_t total, int64_t now_ms);

/**
 * progress_of(p, n, of):
 * What comes is the ${n}th of ${of} things, or so many are done; said in front of the bytes, which
 * are those of all of them.
 */
void progress_of(struct progress *p, int64_t n, int64_t of);

/**
 * progress_note(p, reason, until, now_ms):
 * Nothing moves for ${reason}: say that instead, and ${until} ("": not known), which changes
 * all the time.  Elsewhere than on a terminal it is said once, again after a while, and when
 * the reason is another one.
 */
void progress_note(struct progress *p, const char *reason, const char *until, int64_t now_ms);

/**
 * progress_pause(p):
 * Take the line off the terminal, so that something else can be said; the next progress_to() draws
 * it again.
 */
void progress_pause(struct progress *p);

/**
 * progress_free(p):
 * End, leaving nothing on the terminal; NULL is harmless.
 */
void progress_free(struct progress *p);

/**
 * progress_line(st, what, done, total, rate, left_s, b):
 * Append the line, without a newline and not wider than the width; ${rate} is in bytes a second, 0:
 * not known, ${left_s} how long it takes yet, -1: not known.  Without a terminal there is no bar.
 */
void progress_line(const struct text_style *st, const char *what, int64_t done, int64_t total,
                   int64_t rate, int64_t left_s, struct buf *b);

#endif
