#ifndef COMMON_BASE_LOG_H
#define COMMON_BASE_LOG_H

/*
 * One line an event: a stable first word, then key=value.  Text from outside stands between quotes
 * in the format, key=\"%s\", where it is escaped, or goes through log_quote().  Never a token, a
 * presigned URL, a prompt or a file's content.
 */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/**
 * log_init(program, level):
 * Set the name and level.  Lines go to stderr: with a journald priority prefix when stderr is the
 * journal, else with time and program name.  Thread-safe afterwards.
 * The same line again and again is put out ten times a minute; then "repeated times=N" says how
 * often it came, with the next line or at the end.
 */
void log_init(const char *program, enum log_level level);

/**
 * log_set_journal(send):
 * Where stderr is the journal, hand lines to ${send} instead; it returns 0, or -1 if the line has
 * to go to stderr after all.  Called for one line at a time.
 */
typedef int log_journal(const char *program, int priority, const char *line);
void log_set_journal(log_journal *send);

/**
 * log_flush():
 * Say how often lines that were held back have come; the end of the program does it too.
 */
void log_flush(void);

/**
 * log_set_level(level):
 * Change the level.
 */
void log_set_level(enum log_level level);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * log_quote(s, buf, size):
 * Write ${s} as a quoted, escaped word into ${buf} of ${size} bytes and return ${buf}.  Control
 * characters, quotes, backslashes and bytes that are not UTF-8 become escapes; what does not fit is
 * cut and ends in "...".  ${s} may be NULL.
 */
const char *log_quote(const char *s, char *buf, unsigned long size);

#endif
