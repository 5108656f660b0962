#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/str.h"

#include "server/prompt.h"

/* One line without its end.  Whoever types it sees nothing if ${echo} is not set. */
static int read_line(const char *question, int echo, char **ret)
{
    struct termios old, quiet;
    int tty = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &old) == 0;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    if (tty) {
        fputs(question, stderr);
        quiet = old;
        quiet.c_lflag &= (tcflag_t)~ECHO;
        if (!echo)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    n = getline(&line, &cap, stdin);
    if (tty && !echo) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
        fputc('\n', stderr);
    }
    if (n < 0) {
        free(line);
        return -1;
    }
    line[strcspn(line, "\r\n")] = '\0';
    *ret = line;
    return 0;
}

static void forget(char *s)
{
    str_wipe(s, strlen(s));
    free(s);
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
        forget(first);
        return err_set(err, ERR_FAIL, "no password was given");
    }
    same = strcmp(first, second) == 0;
    forget(second);
    if (!same) {
        forget(first);
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
    free(line);
    return yes;
}
