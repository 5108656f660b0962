#ifndef COMMON_SYS_SECRET_IMPL_H
#define COMMON_SYS_SECRET_IMPL_H

/**
 * secret_no_dumps():
 * No core dumps of this process, and, where the system knows that, nobody of the same user attaches
 * to it or reads its memory without further ado.
 */
void secret_no_dumps(void);

#endif
