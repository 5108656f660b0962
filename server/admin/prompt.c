#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/sys/secret.h"

#include "server/admin/prompt.h"

#define MAX_LINE 1024
#define CTRL_C '\003'

/* Byte by byte, so that no other buffer sees it.  What does not fit is no password either. */
static int read_bytes(char *line)
{
    size_t n = 0;
    ssize_t got;
    char c = '\0';

    while ((got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
        if (c == CTRL_C)
            return -1;
        if (n < MAX_LINE)
            line[n++] = c;
    }
    line[n] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return got < 0 || (got == 0 && n == 0) ? -1 : 0;
}

/* One line without its end.  Whoever types it sees nothing if ${echo} is not set. */
static int read_line(const char *question, int echo, char **ret)
{
    struct termios old, quiet;
    int tty = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &old) == 0;
    char *line = secret_alloc(MAX_LINE + 1);
    int rc;

    if (tty) {
        /* Before the question: who answers it at once is not seen either.  Without signals Ctrl-C
         * ends the question and leaves the terminal as it was. */
        quiet = old;
        quiet.c_lflag &= (tcflag_t) ~(ECHO | ISIG);
        quiet.c_cc[VEOL] = CTRL_C;
        if (!echo)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
        fputs(question, stderr);
    }
    rc = read_bytes(line);
    if (tty && !echo) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
        fputc('\n', stderr);
    }
    if (rc != 0)
        secret_free(line);
    else
        *ret = line;
    return rc;
}

int prompt_new_password(char **ret, struct ct_err *err)
{
    char *first, *second;
    int same;

    if (read_line("Password: ", 0, &first) != 0)
        return err_set(err, ERR_FAIL, "no password was given");
    if (!isatty(STDIN_FILENO)) {
        *ret = first;
        return 0;
    }
    if (read_line("Once more: ", 0, &second) != 0) {
        secret_free(first);
        return err_set(err, ERR_FAIL, "no password was given");
    }
    same = strcmp(first, second) == 0;
    secret_free(second);
    if (!same) {
        secret_free(first);
        return err_set(err, ERR_FAIL, "the two passwords are not the same");
    }
    *ret = first;
    return 0;
}

int prompt_yes(const char *question)
{
    char *line;
    int yes;

    if (!isatty(STDIN_FILENO))
        return 1;
    if (read_line(question, 1, &line) != 0)
        return 0;
    yes = strcmp(line, "y") == 0 || strcmp(line, "yes") == 0;
    secret_free(line);
    return yes;
}
