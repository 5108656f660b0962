#ifndef COMMON_BASE_LOG_JOURNAL_H
#define COMMON_BASE_LOG_JOURNAL_H

/**
 * log_journal_begin():
 * From now on send what is logged to systemd's journal with its fields (log_fields.h), where stderr
 * goes there; see log_init().  Without libsystemd nothing happens, and lines go there by stderr.
 */
void log_journal_begin(void);

#endif
