#include <stdlib.h>

#include "common/data/jdoc.h"

#include "daemon/account/state.h"

#define SEEDED "writers"

int state_put_writer(struct state *s, const char *project, const char *cwd, struct ct_err *err)
{
    if (project == NULL || project[0] == '\0' || cwd == NULL || cwd[0] == '\0')
        return 0;
    return db_exec(state_db(s), err, "INSERT OR IGNORE INTO writers(project, cwd) VALUES (?,?)",
                   "ss", project, cwd);
}

static void seed(void *arg, const struct state_session *ss)
{
    state_put_writer(arg, ss->project, jdoc_str(ss->meta, "cwd"), NULL);
}

void state_seed_writers(struct state *s)
{
    char *noted = state_noted(s, SEEDED);

    if (noted == NULL) {
        state_each(s, NULL, 0, INT64_MAX, seed, s);
        state_note(s, SEEDED, "1", NULL);
    }
    free(noted);
}

void state_each_writer(struct state *s, void (*f)(void *arg, const char *project, const char *cwd),
                       void *arg)
{
    struct db *db = state_db(s);
    sqlite3_stmt *st;

    if (db_query(db, NULL, &st, "SELECT project, cwd FROM writers", "") != 0)
        return;
    while (db_step(db, st, NULL) == 1)
        f(arg, db_text(st, 0), db_text(st, 1));
    db_done(st);
}
