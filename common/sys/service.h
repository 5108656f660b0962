#ifndef COMMON_SYS_SERVICE_H
#define COMMON_SYS_SERVICE_H

#include <stdint.h>

/*
 * The service manager that started us, if there is one: systemd, launchd (which
 * hands over sockets and wants to be told nothing), or nobody.  Where it is nobody, or the build
 * has no libsystemd, telling goes nowhere and nothing was handed over.  The environment is left as
 * it is: who starts other programs keeps it from them.
 */

/**
 * service_socket(name), service_socket_unix(name, path):
 * Return the listening stream socket that was handed over under ${name}, or -1.  The second wants
 * it to be one of the file system, bound to ${path}.  It stays the caller's; what was handed over
 * and is not taken stays open, so that the service manager goes on listening there.
 */
int service_socket(const char *name);
int service_socket_unix(const char *name, const char *path);

/**
 * service_is_there():
 * Return 1 if somebody wants to be told anything.
 */
int service_is_there(void);

/**
 * service_ready(line), service_status(line), service_reloading(), service_stopping(patience_ms):
 * Say that the program does its work (again; ${line} is a sentence for people), how it stands, that
 * it reads its settings anew, that it ends, which may take so long.
 */
void service_ready(const char *line);
void service_status(const char *line);
void service_reloading(void);
void service_stopping(int64_t patience_ms);

/**
 * service_watchdog_ms(), service_alive():
 * Return how often the service manager wants to hear from us at least, or 0; and let it hear.
 */
int64_t service_watchdog_ms(void);
void service_alive(void);

#endif
