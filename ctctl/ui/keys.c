#include <sys/ioctl.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"

#include "ctctl/ui/keys.h"

#define CHECK_MS 100  /* for signals, and another size */
#define ESCAPE_MS 100 /* what belongs to an escape comes at once */

/* A screen of its own, and back. */
#define ENTER "\033[?1049h"
#define LEAVE "\033[?25h\033[?1049l"

static const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

/* Has the screen another size than before? */
static int measure(struct keys *k)
{
    int width = k->width, height = k->height;
    struct winsize ws;

    if (ioctl(k->fd, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0 && ws.ws_row > 0) {
        k->width = ws.ws_col;
        k->height = ws.ws_row;
    }
    return k->width != width || k->height != height;
}

static int take(struct keys *k)
{
    struct termios raw;

    if (tcgetattr(k->fd, &k->was) != 0)
        return -1;
    raw = k->was;
    raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG | IEXTEN);
    raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL | INLCR | ISTRIP);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(k->fd, TCSADRAIN, &raw) != 0)
        return -1;
    (void)!file_write_all(k->fd, ENTER, strlen(ENTER));
    return 0;
}

static void give_back(struct keys *k)
{
    (void)!file_write_all(k->fd, LEAVE, strlen(LEAVE));
    tcsetattr(k->fd, TCSADRAIN, &k->was);
}

static void block(struct keys *k)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        sigaddset(&set, ours[i]);
    sigprocmask(SIG_BLOCK, &set, &k->before);
}

int keys_open(struct keys *k, struct ct_err *err)
{
    const char *term = getenv("TERM");

    memset(k, 0, sizeof(*k));
    k->width = 80;
    k->height = 24;
    if (term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0)
        return err_set(err, ERR_CONFIG, "this terminal can't draw");
    k->fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (k->fd < 0)
        return err_set(err, ERR_CONFIG, "there is no terminal to ask on");
    block(k);
    if (take(k) != 0) {
        sigprocmask(SIG_SETMASK, &k->before, NULL);
        close(k->fd);
        return err_sys(err, "can't read the terminal key by key");
    }
    measure(k);
    return 0;
}

void keys_close(struct keys *k)
{
    give_back(k);
    sigprocmask(SIG_SETMASK, &k->before, NULL);
    close(k->fd);
}

/* If a signal waits, let it do what it does.  Return whether we are still there after one. */
static int meet_signals(struct keys *k)
{
    sigset_t pending;
    int is_there = 0;

    if (sigpending(&pending) != 0)
        return 0;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        is_there = is_there || sigismember(&pending, ours[i]) == 1;
    if (!is_there)
        return 0;
    give_back(k);
    sigprocmask(SIG_SETMASK, &k->before, NULL);
    block(k);
    take(k);
    return 1;
}

/* The next byte within ${ms} (-1: whenever), -1: none, -2: draw anew, -3: the terminal is gone. */
static int next_byte(struct keys *k, int ms)
{
    struct pollfd p = {.fd = k->fd, .events = POLLIN};
    ssize_t n;

    while (k->at == k->n) {
        n = poll(&p, 1, ms >= 0 ? ms : CHECK_MS);
        if (meet_signals(k) || measure(k))
            return -2;
        if (n == 0 && ms >= 0)
            return -1;
        if (n <= 0)
            continue;
        n = read(k->fd, k->in, sizeof(k->in));
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
            return -3;
        k->at = 0;
        k->n = n > 0 ? (size_t)n : 0;
    }
    return k->in[k->at++];
}

/* What follows an escape: "[A", "OA", "[5~", "[1;5B". */
static enum keystroke escape(struct keys *k)
{
    int c = next_byte(k, ESCAPE_MS), number = 0;

    if (c != '[' && c != 'O')
        return c < 0 ? KEY_LEAVE : KEY_OTHER;
    c = next_byte(k, ESCAPE_MS);
    while ((c >= '0' && c <= '9') || c == ';') {
        number = c == ';' ? 0 : (number * 10 + c - '0') % 1000;
        c = next_byte(k, ESCAPE_MS);
    }
    switch (c) {
    case 'A':
        return KEY_UP;
    case 'B':
        return KEY_DOWN;
    case 'H':
        return KEY_FIRST;
    case 'F':
        return KEY_LAST;
    case '~':
        return number == 5                  ? KEY_PAGE_UP
               : number == 6                ? KEY_PAGE_DOWN
               : number == 1 || number == 7 ? KEY_FIRST
               : number == 4 || number == 8 ? KEY_LAST
                                            : KEY_OTHER;
    default:
        return KEY_OTHER;
    }
}

enum keystroke keys_read(struct keys *k, char *ret_byte)
{
    int c = next_byte(k, -1);

    switch (c) {
    case -2:
        return KEY_DRAW;
    case -3:
    case 0x03: /* Ctrl-C */
    case 0x04: /* Ctrl-D */
        return KEY_LEAVE;
    case '\r':
    case '\n':
        return KEY_ENTER;
    case 0x1B:
        return escape(k);
    case 0x08:
    case 0x7F:
        return KEY_ERASE;
    case 0x15: /* Ctrl-U */
        return KEY_CLEAR;
    case 0x0E: /* Ctrl-N */
        return KEY_DOWN;
    case 0x10: /* Ctrl-P */
        return KEY_UP;
    default:
        *ret_byte = (char)c;
        return c >= ' ' ? KEY_TEXT : KEY_OTHER;
    }
}
