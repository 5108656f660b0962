#ifndef COMMON_SYS_MACHINE_H
#define COMMON_SYS_MACHINE_H

/**
 * machine_id(ret):
 * Write what the system calls this machine by, whatever its name is: 32 digits in hex.  It is
 * nobody else's business.  Return 0, or -1 if it has no such thing.
 */
int machine_id(char ret[33]);

#endif
