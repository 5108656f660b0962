#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log_impl.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "common/base/log.h"

/* The logger's level and sink: the only globals of the project. */
static _Atomic int the_level = LOG_LEVEL_INFO;
static int to_journal;
static log_journal *the_journal;
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
    static int is_registered;

    snprintf(the_program, sizeof(the_program), "%s", program);
    to_journal = stderr_is_journal();
    the_level = (int)level;
    if (!is_registered)
        is_registered = atexit(log_flush) == 0;
}

void log_set_journal(log_journal *send)
{
    the_journal = send;
}

void log_set_level(enum log_level level)
{
    the_level = (int)level;
}

/* ---- repeats ------------------------------------------------------------------------------------
 */

#define REMEMBERED 8
#define WINDOW_MS 60000
#define BURST 10 /* of one line in a window */

struct repeat {
    char line[LOG_LINE_SIZE];
    int64_t since_ms;
    int64_t used_ms;
    unsigned long n_out, n_held;
    enum log_level level;
};

static struct repeat the_repeats[REMEMBERED];

static void put(enum log_level level, const char *line)
{
    /* syslog's numbers, as sd-daemon(3) wants them in front of a line. */
    static const int priority[] = {3, 4, 6, 7};
    static const char *const words[] = {"error: ", "warning: ", "", "debug: "};
    char when[32];

    if (to_journal && the_journal != NULL && the_journal(the_program, priority[level], line) == 0)
        return;
    if (to_journal) {
        fprintf(stderr, "<%d>%s\n", priority[level], line);
        return;
    }
    fprintf(stderr, "%s %s: %s%s\n", now_rfc3339(now_wall_ms(), when), the_program, words[level],
            line);
}

/* Say how often a line was held back, and begin anew with it. */
static void settle(struct repeat *r)
{
    char line[LOG_LINE_SIZE + 64];

    if (r->n_held > 0) {
        snprintf(line, sizeof(line), "repeated times=%lu message: %s", r->n_held, r->line);
        line[LOG_LINE_SIZE - 1] = '\0';
        put(r->level, line);
    }
    r->n_held = r->n_out = 0;
}

static struct repeat *remember(enum log_level level, const char *line, int64_t now_ms)
{
    struct repeat *r = &the_repeats[0];

    for (int i = 0; i < REMEMBERED; i++) {
        if (the_repeats[i].level == level && strcmp(the_repeats[i].line, line) == 0)
            return &the_repeats[i];
        if (the_repeats[i].used_ms < r->used_ms)
            r = &the_repeats[i];
    }
    settle(r);
    snprintf(r->line, sizeof(r->line), "%s", line);
    r->level = level;
    r->since_ms = now_ms;
    return r;
}

/* What was held back too long is told of with the next line of any kind: no timer wakes anybody. */
static void settle_old(int64_t now_ms)
{
    for (int i = 0; i < REMEMBERED; i++) {
        struct repeat *r = &the_repeats[i];
        if (now_ms - r->since_ms < WINDOW_MS)
            continue;
        settle(r);
        r->since_ms = now_ms;
    }
}

void log_line(enum log_level level, const char *line, int64_t now_ms)
{
    struct repeat *r;

    settle_old(now_ms);
    r = remember(level, line, now_ms);
    r->used_ms = now_ms;
    if (r->n_out == BURST) {
        r->n_held++;
        return;
    }
    r->n_out++;
    put(level, line);
}

void log_flush(void)
{
    pthread_mutex_lock(&the_lock);
    for (int i = 0; i < REMEMBERED; i++)
        settle(&the_repeats[i]);
    pthread_mutex_unlock(&the_lock);
}

static void emit(enum log_level level, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void emit(enum log_level level, const char *fmt, va_list ap)
{
    char line[LOG_LINE_SIZE];

    if ((int)level > the_level)
        return;
    log_format(line, sizeof(line), fmt, ap);
    pthread_mutex_lock(&the_lock);
    log_line(level, line, now_mono_ms());
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
