#ifndef DAEMON_SYSTEM_DESKTOP_H
#define DAEMON_SYSTEM_DESKTOP_H

/*
 * A word on the user's desktop (org.freedesktop.Notifications), where there is one.
 */
struct event_base;
struct desktop;

/**
 * desktop_say(base, summary, body):
 * Show that; nothing here blocks, and nobody is started.  The caller ends it with desktop_free(),
 * at the earliest when the loop has had a moment.  NULL if there is no desktop to be asked.
 */
struct desktop *desktop_say(struct event_base *base, const char *summary, const char *body);

/**
 * desktop_free(t):
 * NULL is harmless.
 */
void desktop_free(struct desktop *t);

#endif
