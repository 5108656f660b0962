#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/str.h"

#include "common/log.h"

/* The only globals of the project. */
static _Atomic int the_level = LOG_LEVEL_INFO;
static int to_journal;
static char the_program[32] = "codeteleport";
static pthread_mutex_t the_lock = PTHREAD_MUTEX_INITIALIZER;

/* The journal says which stream is its own: $JOURNAL_STREAM is "device:inode" (systemd.exec(5)). */
static int stderr_is_journal(void)
{
    const char *v = getenv("JOURNAL_STREAM");
    unsigned long long dev, ino;
    struct stat st;

    if (v == NULL || sscanf(v, "%llu:%llu", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st) != 0)
        return 0;
    return (unsigned long long)st.st_dev == dev && (unsigned long long)st.st_ino == ino;
}

void log_init(const char *program, enum log_level level)
{
    snprintf(the_program, sizeof(the_program), "%s", program);
    to_journal = stderr_is_journal();
    the_level = (int)level;
}

void log_set_level(enum log_level level)
{
    the_level = (int)level;
}

enum log_level log_level(void)
{
    return (enum log_level)the_level;
}

int log_level_of(const char *name, enum log_level *ret)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};

    for (int i = 0; i < 4; i++) {
        if (strcmp(name, names[i]) == 0) {
            *ret = (enum log_level)i;
            return 0;
        }
    }
    return -1;
}

static void emit(enum log_level level, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void emit(enum log_level level, const char *fmt, va_list ap)
{
    /* syslog's numbers, as sd-daemon(3) wants them in front of a line. */
    static const int priority[] = {3, 4, 6, 7};
    static const char *const words[] = {"error: ", "warning: ", "", "debug: "};
    char line[2048], when[32];
    struct timespec ts;
    struct tm tm;

    if ((int)level > the_level)
        return;
    vsnprintf(line, sizeof(line), fmt, ap);
    pthread_mutex_lock(&the_lock);
    if (to_journal) {
        fprintf(stderr, "<%d>%s\n", priority[level], line);
    } else {
        clock_gettime(CLOCK_REALTIME, &ts);
        localtime_r(&ts.tv_sec, &tm);
        strftime(when, sizeof(when), "%H:%M:%S", &tm);
        fprintf(stderr, "%s.%03d %s: %s%s\n", when, (int)(ts.tv_nsec / 1000000), the_program,
                words[level], line);
    }
    pthread_mutex_unlock(&the_lock);
}

#define LOG_AT(name, level) \
    void name(const char *fmt, ...) \
    { \
        va_list ap; \
        va_start(ap, fmt); \
        emit(level, fmt, ap); \
        va_end(ap); \
    }

LOG_AT(log_error, LOG_LEVEL_ERROR)
LOG_AT(log_warn, LOG_LEVEL_WARN)
LOG_AT(log_info, LOG_LEVEL_INFO)
LOG_AT(log_debug, LOG_LEVEL_DEBUG)

const char *log_quote(const char *s, char *buf, unsigned long size)
{
    if (size < 8) {
        if (size > 0)
            buf[0] = '\0';
        return buf;
    }
    if (s == NULL) {
        snprintf(buf, size, "-");
        return buf;
    }
    buf[0] = '"';
    str_escape(s, strlen(s), buf + 1, size - 2);
    strcat(buf, "\"");
    return buf;
}
