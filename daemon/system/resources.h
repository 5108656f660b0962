#ifndef DAEMON_PROCESS_H
#define DAEMON_PROCESS_H

/**
 * process_tidy_heap():
 * Have the allocator leave no holes behind what is large.  Before the first thread.
 */
void process_tidy_heap(void);

/**
 * process_be_polite():
 * The calling thread gets processor and disk only when nobody else wants them.
 */
void process_be_polite(void);

/**
 * process_trim():
 * Give memory that is free back to the system, where the allocator can do that.
 */
void process_trim(void);

#endif
