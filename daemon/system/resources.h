#ifndef DAEMON_SYSTEM_RESOURCES_H
#define DAEMON_SYSTEM_RESOURCES_H

#include <stdint.h>

/* The machine's processors as they were looked at last; zeroed: never. */
struct resources_use {
    int64_t at_ms;
    int64_t busy_ms; /* all programs', ... */
    int64_t own_ms;  /* ... and this one's */
    int are_idle;
};

/**
 * resources_tidy_heap():
 * Have the allocator leave no holes behind what is large.  Before the first thread.
 */
void resources_tidy_heap(void);

/**
 * resources_be_polite():
 * The calling thread gets processor and disk only when nobody else wants them.
 */
void resources_be_polite(void);

/**
 * resources_are_idle(u):
 * Return whether there is more than one processor, and all other programs together took less than
 * one since ${u} was looked at last, half a second ago or longer.  0 where the system doesn't say.
 */
int resources_are_idle(struct resources_use *u);

/**
 * resources_trim():
 * Give memory that is free back to the system, where the allocator can do that.
 */
void resources_trim(void);

#endif
