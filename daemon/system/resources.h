#ifndef DAEMON_SYSTEM_RESOURCES_H
#define DAEMON_SYSTEM_RESOURCES_H

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
 * resources_trim():
 * Give memory that is free back to the system, where the allocator can do that.
 */
void resources_trim(void);

#endif
