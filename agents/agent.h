#ifndef AGENTS_AGENT_H
#define AGENTS_AGENT_H

#include <stdatomic.h>
#include <stdint.h>

#include "agents/rebuild.h"
#include "agents/turns.h"
#include "agents/unite.h"
#include "agents/words.h"
#include "common/base/err.h"
#include "common/base/strlist.h"
#include "common/base/uuid.h"

/*
 * What a coding agent's data folder means.  One row of one table (agent.c) for each agent; the rest
 * of the house asks here and knows no path by heart.  Paths are relative to the agent's root, with
 * single slashes, no leading slash, and any bytes in their names.
 */

enum agent_kind {
    AGENT_NOTHING,      /* not ours */
    AGENT_TRANSCRIPT,   /* the session's own transcript */
    AGENT_SIDECHAIN,    /* flat agent-*.jsonl: its session is named inside */
    AGENT_SUBDIR,       /* what lies in the session's own folder */
    AGENT_FILE_HISTORY, /* versions of edited files */
    AGENT_TASK,         /* task lists, new and old */
    AGENT_TODO,
    AGENT_PLAN,    /* its session's transcript carries the name (slug) */
    AGENT_MEMORY,  /* of the whole project */
    AGENT_HISTORY, /* prompts of all sessions in one file */
    AGENT_PASTE,   /* named by lines of the prompt history */
    AGENT_LIVE,    /* a running process and its session */
    AGENT_LOOSE,   /* of no session */
    AGENT_ASIDE,   /* an older copy of the transcript that the agent put aside */
    AGENT_UPLOAD,  /* what was sent to the session from elsewhere */
    AGENT_NAMES,   /* names that people gave to sessions, all in one file */
};

#define AGENT_ID_SIZE 24

struct jscan_ops;
struct record;

struct agent_path {
    enum agent_kind kind;
    char session_id[UUID_SIZE]; /* where the path names it, else "" */
    char prefix[9];             /* where the path names only that much of it, else "" */
    char project[256];          /* name of the project folder, where there is one, else "" */
};

/* One file that belongs to a session. */
struct agent_file {
    enum agent_kind kind;
    const char *path;  /* below the root */
    const char *entry; /* its name in a bundle */
};

/* How the entries of a profile begin; the one that holds prompts, which join those that are there.
 */
#define AGENT_PROFILE_ENTRY "profile/"
#define AGENT_PROFILE_PROMPTS AGENT_PROFILE_ENTRY "history.jsonl"

/* What is asked while the files that belong to no session are listed. */
struct agent_profile {
    const char *home; /* the home folder */
    void *arg;

    /* Has a session taken the plan, or the folder of project memory, at ${path}? */
    int (*is_claimed)(void *arg, const char *path);

    /* Is it a session that is, or was, on record?  Prompts of others are nobody's. */
    int (*is_known)(void *arg, const char *session_id);

    /* Why does what is of the project folder ${project}, or of the working folder ${cwd} ("": not
     * known), stay here?  Of neither: what may be anybody's.  NULL: it may go. */
    const char *(*stays)(void *arg, const char *project, const char *cwd);
};

/* Where a listing goes to.  Strings are borrowed for the call. */
struct agent_list_ops {
    /* A name that belongs to the session, not yet opened: whoever opens it judges what it is. */
    void (*found)(void *arg, const struct agent_file *file);

    /* Something that would belong to it and is left out. */
    void (*skipped)(void *arg, const char *path, const char *reason);
};

/* What sessions/<pid>.json says of a running process. */
struct agent_live {
    int64_t pid;
    char session_id[UUID_SIZE];
    char status[16];     /* "busy", "idle", "waiting", "shell", or "" in a printed session */
    char proc_start[32]; /* when the process began, in the system's own unit, or "" */
    int64_t updated_ms;  /* wall clock, 0: not said */
};

/* What of a transcript's record tells whether it is conversation; "" and 0 where it says nothing.
 */
struct agent_record {
    const char *id, *type, *subtype;
    const char *attachment; /* the type of what is attached */
    const char *model;      /* that the message is from */
    const char *call;       /* of the message: which call of a tool it is, or answers */
    const char *text;       /* the beginning of the message: its string, or its first text block;
                               without a message, of the record's own words */
    int is_text_cut;        /* there is more of ${text} */
    int has_more;           /* there are other words, pictures or results beside it */
    int is_meta, is_compact_summary;
};

/* How its records call what makes up a conversation (news.h); the time is "timestamp" with all. */
struct agent_record_names {
    const char *id, *parent; /* of the record, and of the one before it */
    const char *message;     /* the object that holds what was said; NULL: the record itself */
    const char *content;     /* in that: a string, or a list of blocks */
    const char *role;        /* of the message, who speaks: told as the subtype; NULL: nothing */
    const char *call; /* of the message: which call of a tool it makes or answers; NULL: nothing */
    const char *item; /* an object in it of which the type is told as that of what is attached */
    const char *result; /* the role, or the type, of what a tool printed; or NULL */

    /* Members of the message, or of a block of it, that say something beside those that all agents
     * have; NULL at the end. */
    const char *const *said;

    /* The ways to the working folder and to the git branch, from the record down; NULL at the end.
     * No way: nothing says. */
    const char *const *cwd, *const *branch;
    const char *cwd_type; /* of the records whose folder counts; NULL: all */

    /* The way to a list of records that a line holds ({"$set": {"messages": []}}); NULL: none
     * does. */
    const char *const *list;

    /* A member of a record that comes again with it: then it says more than it did.  NULL: none. */
    const char *more;

    /* What of the text of a message names the working folder, "" if it is no such text.  NULL: no
     * text does. */
    void (*cwd_in)(const char *text, char *ret, size_t size);
    int is_id_short; /* ids can come twice: a record is known by its time too */
};

/* How the lines of a prompt history call what they say; NULL: they don't. */
struct agent_history_names {
    const char *session, *project, *time, *text;
};

/* How the meta.json of stock clients calls, beside what ours says: the data folder, the
 * transcript's path below it, and its file's name.  NULL: nothing. */
struct agent_stock_names {
    const char *home, *path, *file;
};

/* What becomes of a name in the data folder. */
enum agent_fate {
    AGENT_OF_SESSION,    /* a session takes it */
    AGENT_OF_PROFILE,    /* no session does: it goes with the data folder itself */
    AGENT_DERIVED,       /* caches, logs, what is of this machine or this moment */
    AGENT_CONFIGURATION, /* what people set up */
    AGENT_SECRET,        /* secrets, and what would run */
    AGENT_INSIDE,        /* a folder that holds things of several kinds */
    AGENT_UNKNOWN,
};

#define AGENT_DAYS_MAX 100000 /* more than that is never */

enum agent_news {
    AGENT_NO_NEWS,   /* appended or removed without a word of conversation */
    AGENT_IS_NEWS,   /* conversation: what a person, a model or a tool said */
    AGENT_IS_STEP,   /* conversation, but no message that people would count */
    AGENT_CANT_TELL, /* a type that nobody knows: news if it has an identity of its own */
};

struct agent {
    const char *id;   /* "claude-code": agentId on the wire, and the word for it in options */
    const char *name; /* "Claude Code": for people */

    /* How to go on with a session, with its id for %s: "claude --resume %s". */
    const char *resume;

    /* Where the data folder is below the home folder of whoever changes nothing. */
    const char *usual_root;

    /* Where the agent's own variables, or its habit, put its data folder on this machine; absolute,
     * there or not; the caller frees it. */
    char *(*find_root)(void);

    /* Of an agent whose sessions are no files; NULL: they are.  Its data folder is one of ours, in
     * which each session is a file that grows.  Append to ${ret} the absolute paths of the files by
     * whose changes it is known that sessions changed. */
    void (*sources)(struct strlist *ret);

    /* Bring all files in ${root}, which is made if there is something to put into it, up to date;
     * without a trace where the agent keeps them.  ${ret_again_ms}: something was under way, and
     * rests after so long; 0: nothing. */
    int (*gather)(const char *root, int64_t *ret_again_ms, struct ct_err *err);

    /* Hand the session in the open file, which is about to be installed, to the agent, for the
     * folder ${cwd}.  Runs the agent. */
    int (*hand_over)(int fd, const char *cwd, struct ct_err *err);

    /* Its own id of the session whose transcript is called ${file}, where that is another one than
     * the server's; the caller frees it.  NULL: it has no other. */
    char *(*own_id)(const char *file);

    /* The folders of which the files are transcripts by their names, an asterisk for any one name:
     * "projects/" and an asterisk; NULL at the end (places.h). */
    const char *const *transcript_places;

    /* The folder below the root in which the project folders lie, "" if that is the root. */
    const char *projects;

    /* What is the file at ${path}?  Fills ${ret}; AGENT_NOTHING for what is never uploaded. */
    void (*classify)(const char *path, struct agent_path *ret);

    /* Can the folder at ${path} ("" is the root) hold, itself or below, anything that classify()
     * knows?  Others are not watched. */
    int (*wants_dir)(const char *path);

    /* What becomes of the file at ${path}, or of the folder if that ends in a slash?  A folder's
     * fate is that of all below it, but for AGENT_INSIDE and AGENT_UNKNOWN. */
    enum agent_fate (*fate)(const char *path);

    /* Folders that people move to another disk and leave a symbolic link to (linked.h): paths, of
     * which an asterisk as the last name stands for any one; NULL at the end.  NULL: none. */
    const char *const *link_places;

    /* The rest is for the functions below and for the room bundle.  ${root_fd} is the open root;
     * nothing is reached through a symbolic link below it but those of linked.h.  ${cancel} may be
     * NULL. */

    /* Learn the session of a transcript from the open file, where its name has only the beginning
     * of the id (prefix).  Return 0, or -1 if it doesn't say, or not yet.  NULL: names say all. */
    int (*transcript_session)(int fd, char ret_session_id[UUID_SIZE]);

    /* Name every transcript of the session, one for each project folder that holds one. */
    int (*list_transcripts)(int root_fd, const char *session_id, const struct agent_list_ops *ops,
                            void *arg, const _Atomic int *cancel, struct ct_err *err);

    /* Name the copies of the session's transcript that were put aside in the folder ${project}. */
    int (*list_asides)(int root_fd, const char *session_id, const char *project,
                       const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
                       struct ct_err *err);

    /* Name all else that paths alone (and the sidechains' first records) give to the session whose
     * transcript lies in the folder ${project}. */
    int (*list_rest)(int root_fd, const char *session_id, const char *project,
                     const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
                     struct ct_err *err);

    /* Name the plans whose records carry these ${slugs}, and those of the session's agents. */
    int (*list_plans)(int root_fd, const struct strlist *slugs, const struct agent_list_ops *ops,
                      void *arg, const _Atomic int *cancel, struct ct_err *err);

    /* Name all that belongs to no session, but prompts. */
    int (*list_profile)(int root_fd, const struct agent_profile *p,
                        const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
                        struct ct_err *err);

    /* Append to ${ret} what the ${n} bytes at ${p} of a transcript name of the files of sessions
     * other than ${own} (a fork's do), each once: "<id>/<folder>/<name>".  Where that lies if the
     * transcript is in the folder ${project}, and its entry; the caller frees both. */
    void (*cites)(const char *p, size_t n, const char *own, struct strlist *ret);
    int (*cited)(const char *project, const char *cite, char **ret_path, char **ret_entry);

    /* In which project folders' memory can the session write whose transcript in ${project} is
     * open?  Each once. */
    void (*memory_may_be)(int root_fd, int transcript_fd, const char *project, struct strlist *ret);

    /* Learn from the open file which session a flat sidechain belongs to, as
     * agent_read_sidechain(). */
    int (*sidechain_session)(int fd, char ret_session_id[UUID_SIZE], struct ct_err *err);

    /* The path and bundle entry of the paste that a record calls ${name}.  Return 0, or -1 if that
     * is no such name. */
    int (*named)(const char *name, char *path, char *entry, size_t size);

    /* Append to ${ret} the slugs of which the file of that ${name} may be a plan: what its
     * session's records carry, or those of the session whose agent made it. */
    void (*plan_slugs)(const char *name, struct strlist *ret);

    /* Tell what a line of a transcript says of the session: the tokenizer's callbacks, of which the
     * argument is a struct record_reader (record.h).  Is a user's record a prompt?  NULL: always.
     */
    const struct jscan_ops *record_ops;
    const struct record_form *record_form; /* of form_ops (form.h); NULL: it needs none */
    int (*record_is_prompt)(const struct record *r);

    struct agent_record_names record_names;

    /* Is the record of a transcript conversation? */
    enum agent_news (*record_news)(const struct agent_record *r);

    /* Where records have no ids: write into ${ret} what tells the record from all others of its
     * time, "" for one that need not be told.  NULL: they have. */
    void (*record_identity)(const struct agent_record *r, char *ret, size_t size);

    /* Is it of a kind that a session has too in which nobody said anything?  Not if unknown. */
    int (*record_is_idle)(const struct agent_record *r);

    /* Does a transcript of this agent begin with that record?  NULL: its first record can be any.
     */
    int (*begins)(const struct json_object *record);

    /* Does the record, the last of a transcript, say that the turn is over and a person's next?
     * NULL: its transcripts don't tell; where live_dir does not either, quiet has to. */
    int (*is_turn_over)(const struct json_object *record);

    /* Tell the turns of one record of a transcript, a JSON object (turns.h). */
    void (*record_turns)(struct json_object *record, turns_f *f, void *arg);

    /* Is a prompt of the history a command without words of one's own? */
    int (*prompt_is_command)(const char *text);

    /* Write both transcripts as one to ${out_fd}: every record of both once, parents before their
     * children, the branch that was worked on last at the end; of a record that both have the bytes
     * of ours; what has no identity of its own from that branch only, unless it belongs to a record
     * of the other or can't be read.  If one holds all of the other, it comes out as it is.  Memory
     * grows by some 60 bytes for each line.  ERR_REFUSED if a side has messages that nobody can
     * tell apart.  NULL: its records are no tree. */
    int (*unite)(const struct unite_opts *opts, int out_fd, struct unite_result *ret,
                 struct ct_err *err);

    /* After how many days at rest does the agent remove a session in ${root} by itself?
     * ${ret_is_said}: its settings say so, else it is the agent's default.  Return -1 if the
     * settings can't be read.  NULL: it removes none. */
    int (*cleanup_days)(const char *root, int *ret_is_said);

    /* The setting that stops that, and where it stands, for people, if it goes by the time of the
     * last message: one that is pulled can be gone the day after.  NULL: by that of the file. */
    const char *keep_setting;

    const char *history_path; /* prompts of all sessions, or NULL */
    struct agent_history_names history_names;

    /* Names that people give to sessions, where these don't stand in the transcript: the file, a
     * JSON object a line; the member of it that has the session's id; and the name of one, which
     * the caller frees, NULL if it has none.  NULL, all three: they do. */
    const char *names_path, *names_id;
    char *(*title)(int root_fd, const char *session_id);
    const char *live_dir; /* <pid>.json of each running process (agent_read_live()), or NULL */

    /* Does the agent have the session open at this moment?  NULL: live_dir says, or nothing. */
    int (*is_open)(const char *root, const char *session_id);

    /* What in the data folder ${root} (absolute) will keep the agent from going on with the session
     * whose transcript is at ${path} below it, and the cure: a sentence that the caller frees.
     * NULL, both: nothing. */
    char *(*obstacle)(const char *root, const char *session_id, const char *path);

    /* The way back.  What is the file ${entry} of a bundle of that session?  AGENT_NOTHING if it is
     * none that we install. */
    enum agent_kind (*entry_kind)(const char *session_id, const char *entry);

    /* Where it belongs: its path below the root, when the session's project folder is ${project}
     * and its memory is kept in that of ${memory_project} (NULL: the same); the caller frees it.
     * NULL if it is no file that we install, or one that is shared by all sessions (AGENT_HISTORY).
     */
    char *(*entry_path)(const char *session_id, const char *project, const char *memory_project,
                        const char *entry);

    /* Where the transcript belongs; ${file} is its file's name where it was made, NULL: not known.
     * NULL if that is no name of such a file. */
    char *(*transcript_path)(const char *session_id, const char *project, const char *file);

    struct agent_stock_names stock_names;

    /* The line that, at the end of a transcript, says that nothing is allowed without asking, with
     * its newline; the caller frees it.  NULL: a session says nothing of that. */
    char *(*default_mode)(const char *session_id);

    /* Why the file ${entry}, which belongs to a session, does not come home at that level of trust,
     * or NULL; and the name that it comes under, which the caller frees. */
    const char *(*why_not)(const struct rebuild_opts *opts, const char *entry);
    char *(*arrival)(const struct rebuild_opts *opts, const char *entry);

    /* Build the file ${entry} anew from what is fed, in pieces of any size; ${opts} is copied, what
     * it points to stays the caller's.  rebuild_new() returns NULL if the file comes as it is, but
     * for its paths.  rebuild_end() returns 0, 1 if nothing can come of it, or -1. */
    struct rebuild *(*rebuild_new)(const struct rebuild_opts *opts, const char *entry);
    void (*rebuild_free)(struct rebuild *r);
    int (*rebuild_feed)(struct rebuild *r, const void *p, size_t n, struct ct_err *err);
    int (*rebuild_end)(struct rebuild *r, struct ct_err *err);

    /* Write a conversation in words alone as a new session of the agent's own (words.h): no tools,
     * no settings, nothing that acts.  NULL: none can be written. */
    int (*write_words)(const struct words *w, words_file_f *file, void *arg, struct ct_err *err);

    /* Its sessions' ids are random (version 4), and it takes none of newer kinds. */
    int has_random_ids;

    /* The name of the project folder of the working folder ${cwd} (absolute, symbolic links
     * resolved by the caller); the caller frees it.  Append to ${ret} all names that it may have on
     * whatever system.  A name longer than ${project_max} may end differently (0: never). */
    char *(*project_name)(const char *cwd);
    void (*project_names)(const char *cwd, struct strlist *ret);
    size_t project_max;

    /* Where that depends on what other folders there are: the name of the project folder in ${root}
     * that is of ${cwd}, or that it gets; the caller frees it.  NULL: project_name(). */
    char *(*find_project)(const char *root, const char *cwd);

    /* A file in each project folder that holds the path of its working folder, and nothing else; an
     * installation writes it where it is missing.  NULL: none. */
    const char *project_mark;
};

/**
 * agent_unnamed():
 * Return the agent of what is older than the second one, and so says nothing: bundles without an
 * agentId, data folders in `roots`.
 */
const struct agent *agent_unnamed(void);

/**
 * agent_find(id), agent_at(i):
 * Return the agent with ${id}, or NULL; the one of that number, from 0, or NULL behind the last.
 */
const struct agent *agent_find(const char *id);
const struct agent *agent_at(size_t i);

/**
 * agent_project_path(agent, project):
 * Return the path of that project folder below the root; the caller frees it.
 */
char *agent_project_path(const struct agent *agent, const char *project);

/**
 * agent_project_in(agent, root, cwd):
 * Return the name of the project folder of ${cwd} in ${root}, there or not; the caller frees it.
 */
char *agent_project_in(const struct agent *agent, const char *root, const char *cwd);

/**
 * agent_marked_cwd(agent, root_fd, project, ret, size):
 * Write what the mark of that project folder (project_mark) says; "" if there is none.
 */
void agent_marked_cwd(const struct agent *agent, int root_fd, const char *project, char *ret,
                      size_t size);

/**
 * agent_identify(agent, root_fd, path, place):
 * Fill in the session of ${place}, which classify() made of ${path}, if it is a transcript whose
 * name does not say it.  Return 0, or -1 if it can't be told.
 */
int agent_identify(const struct agent *agent, int root_fd, const char *path,
                   struct agent_path *place);

/**
 * agent_is_named(agent, project, cwd):
 * Return whether ${project} is a name of the project folder of ${cwd}.
 */
int agent_is_named(const struct agent *agent, const char *project, const char *cwd);

/**
 * agent_read_sidechain(agent, root, path, ret_session_id, err):
 * Learn which session the flat sidechain at ${path} (below ${root}) belongs to, from the first
 * record that says so; reads no further than 4 MiB.  ERR_GONE if the file is not there, ERR_RETRY
 * if it does not say yet.
 */
int agent_read_sidechain(const struct agent *agent, const char *root, const char *path,
                         char ret_session_id[UUID_SIZE], struct ct_err *err);

/**
 * agent_read_history(agent, kind, root, offset, f, arg, ret_next, err):
 * Read the prompt history (AGENT_HISTORY), or the names of sessions (AGENT_NAMES), from ${offset}
 * to its last complete line and call ${f} with the session id of each complete line, "" if it names
 * none (neighbouring repeats once).  An ${offset} beyond the end means that the file was replaced:
 * it is read from its beginning.  ${ret_next} is where the next call goes on.  A missing file is no
 * error: nothing is called, ${ret_next} is 0.
 */
int agent_read_history(const struct agent *agent, enum agent_kind kind, const char *root,
                       int64_t offset, void (*f)(void *arg, const char *session_id), void *arg,
                       int64_t *ret_next, struct ct_err *err);

/**
 * agent_by_head(p, n):
 * Return whose transcript it is that begins with the ${n} bytes at ${p}, by its first record;
 * agent_unnamed() if that doesn't tell.
 */
const struct agent *agent_by_head(const char *p, size_t n);

/**
 * agent_is_turn_over(agent, root, path):
 * Return whether the last whole record of the transcript at ${path} below ${root} says that the
 * turn is over; not if it is longer than 256 KiB.
 */
int agent_is_turn_over(const struct agent *agent, const char *root, const char *path);

/**
 * agent_read_live(agent, root, path, ret):
 * Read the AGENT_LIVE file at ${path} below ${root}.  Return 0, or -1 if it is not there or can't
 * be parsed at this moment (= no signal; it is rewritten in place).
 */
int agent_read_live(const struct agent *agent, const char *root, const char *path,
                    struct agent_live *ret);

/**
 * agent_parse_live(p, n, ret):
 * The same from ${n} bytes in memory.
 */
int agent_parse_live(const char *p, size_t n, struct agent_live *ret);

/**
 * agent_is_alive(live):
 * Return whether the process that ${live} speaks of still runs: the pid exists and, where the
 * system tells, began when ${live} says (a pid is used again sooner or later).
 */
int agent_is_alive(const struct agent_live *live);

#endif
