#ifndef AGENTS_PROCESS_H
#define AGENTS_PROCESS_H

#include <stdint.h>

/**
 * process_is_alive(pid, start):
 * Return whether process ${pid} runs and, if ${start} is not "" and the system tells, began at
 * ${start} (on Linux: field 22 of /proc/PID/stat, clock ticks since boot).
 */
int process_is_alive(int64_t pid, const char *start);

#endif
