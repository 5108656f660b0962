#ifndef AGENTS_PLAIN_H
#define AGENTS_PLAIN_H

#include "agents/agent.h"

/*
 * For the rows of agents that keep a session as one file and nothing beside it: the members of
 * struct agent that have nothing to say there.
 */
int plain_list(int root_fd, const char *session_id, const char *project,
               const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
               struct ct_err *err);
int plain_list_plans(int root_fd, const struct strlist *slugs, const struct agent_list_ops *ops,
                     void *arg, const _Atomic int *cancel, struct ct_err *err);
int plain_list_profile(int root_fd, const struct agent_profile *p, const struct agent_list_ops *ops,
                       void *arg, const _Atomic int *cancel, struct ct_err *err);
void plain_cites(const char *p, size_t n, const char *own, struct strlist *ret);
int plain_cited(const char *project, const char *cite, char **ret_path, char **ret_entry);
void plain_memory_may_be(int root_fd, int transcript_fd, const char *project, struct strlist *ret);
int plain_sidechain_session(int fd, char ret_session_id[UUID_SIZE], struct ct_err *err);
int plain_named(const char *name, char *path, char *entry, size_t size);
void plain_plan_slugs(const char *name, struct strlist *ret);
int plain_prompt_is_command(const char *text);
char *plain_project_name(const char *cwd); /* there are no folders of projects: "" */
void plain_project_names(const char *cwd, struct strlist *ret);
char *plain_arrival(const struct rebuild_opts *opts, const char *entry);

/**
 * plain_entry_kind(agent, session_id, project, entry):
 * For entry_kind(): what the agent's classify() says of where its entry_path() puts ${entry}, in
 * the folder ${project}, which may be any.
 */
enum agent_kind plain_entry_kind(const struct agent *agent, const char *session_id,
                                 const char *project, const char *entry);

/**
 * plain_list_folder(agent, root_fd, dir, entry, ops, arg):
 * For list_rest(): name each file at or below the folder ${dir}, as deep as the agent knows
 * folders, that classify() knows, as ${entry} and what stands behind ${dir} in its path.
 */
void plain_list_folder(const struct agent *agent, int root_fd, const char *dir, const char *entry,
                       const struct agent_list_ops *ops, void *arg);

/**
 * plain_list_file(agent, root_fd, file, ops, arg):
 * The same for ${file}, if there is something of its name.
 */
void plain_list_file(const struct agent *agent, int root_fd, const struct agent_file *file,
                     const struct agent_list_ops *ops, void *arg);

#endif
