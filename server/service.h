#ifndef SERVER_SERVICE_H
#define SERVER_SERVICE_H

/* The service manager that started us, if there is one: systemd, or nobody. */

/**
 * service_socket(name):
 * Return the listening socket that was handed over under ${name}, or -1.
 */
int service_socket(const char *name);

/**
 * service_ready(line), service_reloading(), service_stopping():
 * Say that the server answers (again; ${line} is a sentence for people), that it reads its settings
 * anew, that it ends.
 */
void service_ready(const char *line);
void service_reloading(void);
void service_stopping(void);

#endif
