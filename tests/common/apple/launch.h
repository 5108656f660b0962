#ifndef TESTS_COMMON_APPLE_LAUNCH_H
#define TESTS_COMMON_APPLE_LAUNCH_H

/* The one declaration that common/sys/service_darwin.c uses, written from launch(3). */
#include <stddef.h>

int launch_activate_socket(const char *name, int **fds, size_t *n);

#endif
