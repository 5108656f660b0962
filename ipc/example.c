/*
 * Say whether the work on this machine is safe, and each time that changes.
 *
 *     cc example.c $(pkg-config --cflags --libs codeteleport) -o is-it-safe && ./is-it-safe
 *
 * With the word "once" it says so once and ends: with 0 if all is safe, 1 if not, 2 if nobody
 * knows.
 */
#include <stdio.h>
#include <string.h>

#include <codeteleport/ctl.h>

static const char *word(struct json_object *o, const char *member)
{
    struct json_object *v;

    return json_object_object_get_ex(o, member, &v) ? json_object_get_string(v) : NULL;
}

/* Print the headline of the daemon's status; return 1 if it is about unsafe work, -1 on error. */
static int say(struct ctl *c)
{
    struct json_object *status;
    const char *headline;
    int is_unsafe;

    if (ctl_status(c, 5000, &status) != CTL_OK)
        return -1;
    headline = word(status, "headline");
    is_unsafe = headline == NULL || strncmp(headline, "NOT SAFE", 8) == 0;
    printf("%s\n", headline != NULL ? headline : "?");
    fflush(stdout);
    json_object_put(status);
    return is_unsafe;
}

int main(int argc, char **argv)
{
    int is_once = argc > 1 && strcmp(argv[1], "once") == 0, is_unsafe = -1;
    struct json_object *event;
    struct ctl *c;

    if (ctl_open(NULL, &c) == CTL_OK && ctl_subscribe(c, 5000) == CTL_OK)
        is_unsafe = say(c);
    while (!is_once && is_unsafe != -1 && ctl_event(c, 0, &event) == CTL_OK) {
        /* Sessions changed, were saved, or the daemon's state is another one. */
        is_unsafe = say(c);
        json_object_put(event);
    }
    if (!is_once || is_unsafe == -1)
        fprintf(stderr, "%s: %s\n", argv[0], ctl_error(c));
    ctl_close(c);
    return is_once && is_unsafe != -1 ? is_unsafe : 2;
}
