#include <sys/ioctl.h>

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "ctctl/ui/term.h"

#define MAX_WIDTH 1000
#define SIGNAL_CHECK_MS 200

/* A width that somebody asks for, or 0. */
static int columns_asked(void)
{
    const char *v = getenv("COLUMNS");
    unsigned long long n;

    return v != NULL && str_parse_u64(v, &n) == 0 && n > 0 && n <= MAX_WIDTH ? (int)n : 0;
}

static int columns_of(int fd)
{
    int asked = columns_asked();
    struct winsize ws;

    if (asked > 0)
        return asked;
    if (ioctl(fd, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0)
        return ws.ws_col;
    return 80;
}

void term_style(int fd, struct text_style *ret)
{
    const char *no_color = getenv("NO_COLOR");    /* https://no-color.org: set and not empty */
    const char *force = getenv("CLICOLOR_FORCE"); /* a caller that shows it on a terminal itself */
    const char *term = getenv("TERM");
    int is_shown;

    memset(ret, 0, sizeof(*ret));
    ret->is_terminal = isatty(fd);
    is_shown = ret->is_terminal || (force != NULL && force[0] != '\0' && strcmp(force, "0") != 0);
    ret->width = is_shown ? columns_of(fd) : columns_asked();
    ret->has_colour = is_shown && (no_color == NULL || no_color[0] == '\0') && term != NULL &&
                      strcmp(term, "dumb") != 0;
    ret->is_utf8 = strcasecmp(nl_langinfo(CODESET), "UTF-8") == 0;
    ret->now_ms = now_wall_ms();
}

int term_is_interactive(void)
{
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* Return 1 if a byte was read, 0 at the end of the file, -1 with errno (EINTR: a signal waits). */
static int read_byte(int fd, char *c, const sigset_t *watched)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    sigset_t pending;
    ssize_t n;

    for (;;) {
        if (watched != NULL) {
            n = poll(&p, 1, SIGNAL_CHECK_MS);
            if (sigpending(&pending) != 0)
                return -1;
            for (int sig = 1; sig < 32; sig++) {
                if (sigismember(watched, sig) == 1 && sigismember(&pending, sig) == 1) {
                    errno = EINTR;
                    return -1;
                }
            }
            if (n == 0)
                continue;
        }
        n = read(fd, c, 1);
        if (n >= 0 || errno != EINTR)
            return (int)n;
    }
}

/* Byte by byte: what follows the line belongs to whoever reads next. */
static int read_line(int fd, const sigset_t *watched, char *buf, size_t size, struct ct_err *err)
{
    size_t n = 0, seen = 0;
    char c = '\0';
    int rc;

    while ((rc = read_byte(fd, &c, watched)) == 1 && c != '\n') {
        seen++;
        if (n + 1 < size)
            buf[n++] = c;
    }
    buf[n] = '\0';
    if (rc < 0)
        return err_sys(err, "can't read the answer");
    if (rc == 0 && seen == 0)
        return err_set(err, ERR_CANCELLED, "no answer was given");
    if (seen > n) {
        str_wipe(buf, size);
        return err_set(err, ERR_REFUSED, "that is too long (at most %zu bytes)", size - 1);
    }
    if (n > 0 && buf[n - 1] == '\r')
        buf[n - 1] = '\0';
    return 0;
}

int term_read_line(int fd, char *buf, size_t size, struct ct_err *err)
{
    return read_line(fd, NULL, buf, size, err);
}

/*
 * With echo off, signals that end or stop us wait until the terminal is as it was; then they do
 * what they always do, and after a stop the question is asked again.
 */
static int ask_hidden(int fd, const char *prompt, char *buf, size_t size, struct ct_err *err)
{
    static const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
    struct termios was, hidden;
    sigset_t watched, before;
    int rc, again;

    sigemptyset(&watched);
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        sigaddset(&watched, ours[i]);
    do {
        if (tcgetattr(fd, &was) != 0)
            return err_sys(err, "can't hide what is typed");
        sigprocmask(SIG_BLOCK, &watched, &before);
        hidden = was;
        hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
        if (tcsetattr(fd, TCSAFLUSH, &hidden) != 0) {
            sigprocmask(SIG_SETMASK, &before, NULL);
            return err_sys(err, "can't hide what is typed");
        }
        (void)!file_write_all(fd, prompt, strlen(prompt));
        errno = 0;
        rc = read_line(fd, &watched, buf, size, err);
        again = rc != 0 && errno == EINTR;
        tcsetattr(fd, TCSAFLUSH, &was);
        (void)!file_write_all(fd, "\n", 1);
        sigprocmask(SIG_SETMASK, &before, NULL);
    } while (again);
    return rc;
}

int term_ask(const char *prompt, int is_hidden, char *buf, size_t size, struct ct_err *err)
{
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    int rc;

    if (fd < 0)
        return err_set(err, ERR_CONFIG, "there is no terminal to ask on");
    if (is_hidden) {
        rc = ask_hidden(fd, prompt, buf, size, err);
    } else {
        (void)!file_write_all(fd, prompt, strlen(prompt));
        rc = read_line(fd, NULL, buf, size, err);
    }
    close(fd);
    return rc;
}

/* Return 1 for a yes, 0 for a no, -1 for an empty answer. */
static int ask_yes_no(const char *question, const char *choice)
{
    struct text_style st;
    struct buf prompt = {0};
    char answer[16], *copy = str_dup(question), *save = NULL, *last;
    int rc;

    term_style(STDERR_FILENO, &st);
    for (char *line = strtok_r(copy, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
        text_wrap(&prompt, &st, TEXT_PLAIN, "", "", line);
    if (prompt.len > 0)
        prompt.data[--prompt.len] = '\0';
    last = prompt.len > 0 ? strrchr(prompt.data, '\n') : NULL;
    if (st.width > 0 && prompt.len > 0 &&
        text_columns(last != NULL ? last + 1 : prompt.data) + strlen(choice) >= (size_t)st.width)
        buf_addstr(&prompt, "\n ");
    buf_addstr(&prompt, choice);
    rc = term_ask(prompt.data, 0, answer, sizeof(answer), NULL);
    buf_free(&prompt);
    free(copy);
    if (rc != 0)
        return 0;
    if (answer[0] == '\0')
        return -1;
    return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

int term_confirm(const char *question)
{
    return ask_yes_no(question, " [y/N] ") == 1;
}

int term_agree(const char *question)
{
    return ask_yes_no(question, " [Y/n] ") != 0;
}

int term_show(const char *p, struct ct_err *err)
{
    int fd = open("/dev/tty", O_WRONLY | O_NOCTTY | O_CLOEXEC);
    int rc = 0;

    if (fd < 0)
        return err_set(err, ERR_CONFIG, "there is no terminal to show it on");
    if (file_write_all(fd, p, strlen(p)) != 0)
        rc = err_sys(err, "can't write to the terminal");
    close(fd);
    return rc;
}
