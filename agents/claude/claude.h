#ifndef AGENTS_CLAUDE_CLAUDE_H
#define AGENTS_CLAUDE_CLAUDE_H

#include "agents/rows.h"

/* Claude Code's data folder, versions 1.0.24 to 2.1.332. */

/* For the row; the contracts are those of the members of struct agent. */
void claude_classify(const char *path, struct agent_path *ret);
int claude_wants_dir(const char *path);
enum agent_fate claude_fate(const char *path);
int claude_list_transcripts(int root_fd, const char *session_id, const struct agent_list_ops *ops,
                            void *arg, const _Atomic int *cancel, struct ct_err *err);
int claude_list_asides(int root_fd, const char *session_id, const char *project,
                       const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
                       struct ct_err *err);
int claude_list_rest(int root_fd, const char *session_id, const char *project,
                     const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
                     struct ct_err *err);
int claude_list_plans(int root_fd, const struct strlist *slugs, const struct agent_list_ops *ops,
                      void *arg, const _Atomic int *cancel, struct ct_err *err);
int claude_list_profile(int root_fd, const struct agent_profile *p,
                        const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
                        struct ct_err *err);
#define CLAUDE_CITES_MAX 4096
void claude_cites(const char *p, size_t n, const char *own, struct strlist *ret);
int claude_cited(const char *project, const char *cite, char **ret_path, char **ret_entry);
int claude_named(const char *name, char *path, char *entry, size_t size);
void claude_plan_slugs(const char *name, struct strlist *ret);
int claude_cleanup_days(const char *root, int *ret_is_said);
enum agent_news claude_record_news(const struct agent_record *r);
int claude_record_is_idle(const struct agent_record *r);
int claude_prompt_is_command(const char *text);
void claude_record_turns(struct json_object *record, turns_f *f, void *arg);
char *claude_transcript_path(const char *session_id, const char *project, const char *file);
extern const struct jscan_ops claude_record_ops;
int claude_record_is_prompt(const struct record *r);
int claude_write_words(const struct words *w, words_file_f *file, void *arg, struct ct_err *err);
char *claude_default_mode(const char *session_id);
enum agent_kind claude_entry_kind(const char *session_id, const char *entry);
char *claude_entry_path(const char *session_id, const char *project, const char *memory_project,
                        const char *entry);

/**
 * claude_type_is_idle(type):
 * Return whether records of that ${type} hold nothing that anybody said.
 */
int claude_type_is_idle(const char *type);

/**
 * claude_profile_path(home, entry), claude_profile_kind(entry):
 * For the two above, of entries of a profile; ${home} is the project folder of the home folder.
 */
char *claude_profile_path(const char *home, const char *entry);
enum agent_kind claude_profile_kind(const char *entry);

/**
 * claude_memory_project(root_fd, transcript_fd, project):
 * Return the name of the project folder whose memory is that of a session of ${project}, as its
 * transcript says; ${project} itself if that says nothing.  The caller frees it.
 */
char *claude_memory_project(int root_fd, int transcript_fd, const char *project);

/**
 * claude_memory_may_be(root_fd, transcript_fd, project, ret):
 * Append to ${ret} the project folders in whose memory the session can have written or will write:
 * the one that its transcript names, else those of all folders above its own, if it is of a
 * repository; there or not.
 */
void claude_memory_may_be(int root_fd, int transcript_fd, const char *project, struct strlist *ret);

/**
 * claude_sidechain_session(fd, ret_session_id, err):
 * Contract of agent_read_sidechain(), on an open file.
 */
int claude_sidechain_session(int fd, char ret_session_id[UUID_SIZE], struct ct_err *err);

#endif
