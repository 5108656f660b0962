#include <string.h>

#include "agents/claude/allow.h"

/* ---- messages ----------------------------------------------------------------------------------
 */

static const struct allow_member source_members[] = {
    {.name = "type", .value = ALLOW_BASE64, .is_needed = 1},
    {.name = "media_type", .value = ALLOW_WORD, .is_needed = 1},
    {.name = "data", .value = ALLOW_TEXT, .is_needed = 1},
    {0},
};

static const struct allow_member text_members[] = {
    {.name = "type", .value = ALLOW_WORD},
    {.name = "text", .value = ALLOW_TEXT, .is_needed = 1},
    {0},
};

static const struct allow_member image_members[] = {
    {.name = "type", .value = ALLOW_WORD},
    {.name = "source", .value = ALLOW_OBJECT, .is_needed = 1, .members = source_members},
    {0},
};

static const struct allow_block result_blocks[] = {
    {"text", text_members},
    {"image", image_members},
    {0},
};

static const struct allow_member result_members[] = {
    {.name = "tool_use_id", .value = ALLOW_WORD, .is_needed = 1},
    {.name = "type", .value = ALLOW_WORD},
    {.name = "content", .value = ALLOW_CONTENT, .blocks = result_blocks},
    {.name = "is_error", .value = ALLOW_BOOL},
    {0},
};

static const struct allow_member document_members[] = {
    {.name = "type", .value = ALLOW_WORD},
    {.name = "source", .value = ALLOW_OBJECT, .is_needed = 1, .members = source_members},
    {.name = "title", .value = ALLOW_TEXT},
    {0},
};

static const struct allow_block user_blocks[] = {
    {"text", text_members},
    {"image", image_members},
    {"document", document_members},
    {"tool_result", result_members},
    {0},
};

static const struct allow_member thinking_members[] = {
    {.name = "type", .value = ALLOW_WORD},
    {.name = "thinking", .value = ALLOW_TEXT, .is_needed = 1},
    {.name = "signature", .value = ALLOW_TEXT},
    {0},
};

static const struct allow_member redacted_members[] = {
    {.name = "type", .value = ALLOW_WORD},
    {.name = "data", .value = ALLOW_TEXT, .is_needed = 1},
    {0},
};

static const struct allow_member call_members[] = {
    {.name = "type", .value = ALLOW_WORD},
    {.name = "id", .value = ALLOW_WORD, .is_needed = 1},
    {.name = "name", .value = ALLOW_WORD, .is_needed = 1},
    {.name = "input", .value = ALLOW_ANY, .is_needed = 1},
    {0},
};

static const struct allow_block assistant_blocks[] = {
    {"text", text_members},
    {"thinking", thinking_members},
    {"redacted_thinking", redacted_members},
    {"tool_use", call_members},
    {0},
};

static const struct allow_member usage_members[] = {
    {.name = "input_tokens", .value = ALLOW_NUMBER},
    {.name = "cache_creation_input_tokens", .value = ALLOW_NUMBER},
    {.name = "cache_read_input_tokens", .value = ALLOW_NUMBER},
    {.name = "output_tokens", .value = ALLOW_NUMBER},
    {.name = "service_tier", .value = ALLOW_WORD},
    {0},
};

static const struct allow_member user_message[] = {
    {.name = "role", .value = ALLOW_ROLE, .is_needed = 1},
    {.name = "content", .value = ALLOW_CONTENT, .is_needed = 1, .blocks = user_blocks},
    {0},
};

static const struct allow_member assistant_message[] = {
    {.name = "id", .value = ALLOW_WORD},
    {.name = "type", .value = ALLOW_WORD},
    {.name = "role", .value = ALLOW_ROLE, .is_needed = 1},
    {.name = "model", .value = ALLOW_WORD},
    {.name = "content", .value = ALLOW_CONTENT, .is_needed = 1, .blocks = assistant_blocks},
    {.name = "stop_reason", .value = ALLOW_WORD},
    {.name = "usage", .value = ALLOW_OBJECT, .members = usage_members},
    {0},
};

/* ---- records -----------------------------------------------------------------------------------
 */

const struct allow_member allow_chain[] = {
    {.name = "parentUuid", .value = ALLOW_LINK},
    {.name = "logicalParentUuid", .value = ALLOW_LINK},
    {.name = "isSidechain", .value = ALLOW_BOOL},
    {.name = "type", .value = ALLOW_WORD, .is_needed = 1},
    {.name = "subtype", .value = ALLOW_WORD},
    {.name = "uuid", .value = ALLOW_ID, .is_needed = 1},
    {.name = "timestamp", .value = ALLOW_TIME},
    {.name = "userType", .value = ALLOW_WORD},
    {.name = "entrypoint", .value = ALLOW_WORD},
    {.name = "cwd", .value = ALLOW_CWD},
    {.name = "sessionId", .value = ALLOW_SESSION},
    {.name = "version", .value = ALLOW_WORD},
    {.name = "gitBranch", .value = ALLOW_TEXT},
    {.name = "slug", .value = ALLOW_SLUG},
    {.name = "agentId", .value = ALLOW_WORD},
    {0},
};

static const struct allow_member user_members[] = {
    {.name = "message", .value = ALLOW_OBJECT, .is_needed = 1, .members = user_message},
    {.name = "isCompactSummary", .value = ALLOW_BOOL},
    {.name = "sourceToolAssistantUUID", .value = ALLOW_LINK},
    {0},
};

static const struct allow_member assistant_members[] = {
    {.name = "message", .value = ALLOW_OBJECT, .is_needed = 1, .members = assistant_message},
    {.name = "requestId", .value = ALLOW_WORD},
    {.name = "isApiErrorMessage", .value = ALLOW_BOOL},
    {0},
};

static const struct allow_member said_members[] = {
    {.name = "content", .value = ALLOW_TEXT, .is_needed = 1},
    {.name = "level", .value = ALLOW_WORD},
    {.name = "toolUseID", .value = ALLOW_WORD},
    {0},
};

static const struct allow_member segment_members[] = {
    {.name = "headUuid", .value = ALLOW_ID},
    {.name = "anchorUuid", .value = ALLOW_ID},
    {.name = "tailUuid", .value = ALLOW_ID},
    {0},
};

static const struct allow_member preserved_members[] = {
    {.name = "anchorUuid", .value = ALLOW_ID},
    {.name = "uuids", .value = ALLOW_IDS},
    {.name = "allUuids", .value = ALLOW_IDS},
    {0},
};

static const struct allow_member compaction_members[] = {
    {.name = "trigger", .value = ALLOW_WORD},
    {.name = "preTokens", .value = ALLOW_NUMBER},
    {.name = "preservedSegment", .value = ALLOW_OBJECT, .members = segment_members},
    {.name = "preservedMessages", .value = ALLOW_OBJECT, .members = preserved_members},
    {0},
};

static const struct allow_member boundary_members[] = {
    {.name = "content", .value = ALLOW_TEXT},
    {.name = "level", .value = ALLOW_WORD},
    {.name = "compactMetadata", .value = ALLOW_OBJECT, .members = compaction_members},
    {0},
};

static const struct allow_member duration_members[] = {
    {.name = "durationMs", .value = ALLOW_NUMBER},
    {.name = "messageCount", .value = ALLOW_NUMBER},
    {0},
};

static const struct allow_member queued_attachment[] = {
    {.name = "type", .value = ALLOW_WORD},
    {.name = "prompt", .value = ALLOW_CONTENT, .is_needed = 1, .blocks = result_blocks},
    {.name = "commandMode", .value = ALLOW_PROMPT, .is_strict = 1},
    {0},
};

static const struct allow_member queued_members[] = {
    {.name = "attachment", .value = ALLOW_OBJECT, .is_needed = 1, .members = queued_attachment},
    {0},
};

static const struct allow_member progress_data[] = {
    {.name = "type", .value = ALLOW_WORD},
    {.name = "output", .value = ALLOW_TEXT},
    {.name = "fullOutput", .value = ALLOW_TEXT},
    {.name = "elapsedTimeSeconds", .value = ALLOW_NUMBER},
    {.name = "totalLines", .value = ALLOW_NUMBER},
    {.name = "hookEvent", .value = ALLOW_WORD},
    {.name = "hookName", .value = ALLOW_WORD},
    {.name = "status", .value = ALLOW_WORD},
    {.name = "serverName", .value = ALLOW_WORD},
    {.name = "toolName", .value = ALLOW_WORD},
    {0},
};

static const struct allow_member progress_members[] = {
    {.name = "data", .value = ALLOW_OBJECT, .is_needed = 1, .members = progress_data},
    {.name = "parentToolUseID", .value = ALLOW_WORD},
    {.name = "toolUseID", .value = ALLOW_WORD},
    {0},
};

static const struct allow_member summary_members[] = {
    {.name = "type", .value = ALLOW_WORD},
    {.name = "summary", .value = ALLOW_TEXT, .is_needed = 1},
    {.name = "leafUuid", .value = ALLOW_LINK},
    {0},
};

static const struct allow_member custom_title_members[] = {
    {.name = "type", .value = ALLOW_WORD},
    {.name = "customTitle", .value = ALLOW_TEXT, .is_needed = 1},
    {.name = "sessionId", .value = ALLOW_SESSION},
    {0},
};

static const struct allow_member ai_title_members[] = {
    {.name = "type", .value = ALLOW_WORD},
    {.name = "aiTitle", .value = ALLOW_TEXT, .is_needed = 1},
    {.name = "sessionId", .value = ALLOW_SESSION},
    {0},
};

static const struct allow_member last_prompt_members[] = {
    {.name = "type", .value = ALLOW_WORD},
    {.name = "lastPrompt", .value = ALLOW_TEXT},
    {.name = "leafUuid", .value = ALLOW_LINK},
    {.name = "sessionId", .value = ALLOW_SESSION},
    {0},
};

static const struct allow_member backup_members[] = {
    {.name = "backupFileName", .value = ALLOW_BACKUP, .is_needed = 1},
    {.name = "version", .value = ALLOW_NUMBER},
    {.name = "backupTime", .value = ALLOW_TIME},
    {0},
};

static const struct allow_member snapshot_inside[] = {
    {.name = "messageId", .value = ALLOW_ID, .is_needed = 1},
    {.name = "trackedFileBackups",
     .value = ALLOW_BACKUPS,
     .is_needed = 1,
     .members = backup_members},
    {.name = "timestamp", .value = ALLOW_TIME},
    {0},
};

static const struct allow_member snapshot_members[] = {
    {.name = "type", .value = ALLOW_WORD},
    {.name = "messageId", .value = ALLOW_ID, .is_needed = 1},
    {.name = "snapshot", .value = ALLOW_OBJECT, .is_needed = 1, .members = snapshot_inside},
    {.name = "isSnapshotUpdate", .value = ALLOW_BOOL},
    {0},
};

static const struct allow_member delta_members[] = {
    {.name = "type", .value = ALLOW_WORD},
    {.name = "messageId", .value = ALLOW_ID, .is_needed = 1},
    {.name = "snapshotMessageId", .value = ALLOW_ID, .is_needed = 1},
    {.name = "trackingPath", .value = ALLOW_TRACKED, .is_needed = 1},
    {.name = "backup", .value = ALLOW_OBJECT, .is_needed = 1, .members = backup_members},
    {.name = "timestamp", .value = ALLOW_TIME},
    {0},
};

const struct allow_record allow_records[] = {
    {"user", NULL, OWN_COMES, OTHERS_REBUILT, user_members},
    {"assistant", NULL, OWN_COMES, OTHERS_REBUILT, assistant_members},
    {"system", "", OWN_COMES, OTHERS_REBUILT, said_members},
    {"system", "informational", OWN_COMES, OTHERS_REBUILT, said_members},
    {"system", "local_command", OWN_COMES, OTHERS_REBUILT, said_members},
    {"system", "away_summary", OWN_COMES, OTHERS_REBUILT, said_members},
    {"system", "turn_duration", OWN_COMES, OTHERS_REBUILT, duration_members},
    {"system", "compact_boundary", OWN_COMES, OTHERS_REBUILT, boundary_members},
    {"attachment", "queued_command", OWN_COMES, OTHERS_REBUILT, queued_members},
    {"attachment", "goal_status", OWN_NEVER, OTHERS_NEVER, NULL},
    {"attachment", "session_cron_carry", OWN_NEVER, OTHERS_NEVER, NULL},
    {"progress", "bash_progress", OWN_COMES, OTHERS_REBUILT, progress_members},
    {"progress", "hook_progress", OWN_COMES, OTHERS_REBUILT, progress_members},
    {"progress", "mcp_progress", OWN_COMES, OTHERS_REBUILT, progress_members},
    {"summary", NULL, OWN_COMES, OTHERS_REBUILT, summary_members},
    {"custom-title", NULL, OWN_COMES, OTHERS_REBUILT, custom_title_members},
    {"ai-title", NULL, OWN_COMES, OTHERS_REBUILT, ai_title_members},
    {"last-prompt", NULL, OWN_COMES, OTHERS_REBUILT, last_prompt_members},
    {"file-history-snapshot", NULL, OWN_BELOW, OTHERS_BELOW, snapshot_members},
    {"file-history-delta", NULL, OWN_BELOW, OTHERS_BELOW, delta_members},
    {"worktree-state", NULL, OWN_IF_LISTED, OTHERS_NEVER, NULL},
    {"bridge-session", NULL, OWN_NEVER, OTHERS_NEVER, NULL},
    {"artifact-comment-monitor", NULL, OWN_NEVER, OTHERS_NEVER, NULL},
    {"artifact-autoreact-ledger", NULL, OWN_NEVER, OTHERS_NEVER, NULL},
    {0},
};

const char *const allow_schedules[] = {"CronCreate", "CronDelete",    "CronList", "ScheduleWakeup",
                                       "Monitor",    "RemoteTrigger", NULL};

const char *const allow_tools[] = {"Agent",
                                   "AskUserQuestion",
                                   "Bash",
                                   "BashOutput",
                                   "Edit",
                                   "EnterPlanMode",
                                   "ExitPlanMode",
                                   "Glob",
                                   "Grep",
                                   "KillShell",
                                   "LS",
                                   "LSP",
                                   "ListMcpResourcesTool",
                                   "MultiEdit",
                                   "NotebookEdit",
                                   "NotebookRead",
                                   "PowerShell",
                                   "Read",
                                   "ReadMcpResourceDirTool",
                                   "ReadMcpResourceTool",
                                   "Skill",
                                   "SlashCommand",
                                   "StructuredOutput",
                                   "Task",
                                   "TaskCreate",
                                   "TaskGet",
                                   "TaskList",
                                   "TaskOutput",
                                   "TaskStop",
                                   "TaskUpdate",
                                   "TodoRead",
                                   "TodoWrite",
                                   "ToolSearch",
                                   "WebFetch",
                                   "WebSearch",
                                   "Write",
                                   NULL};

const char *const allow_agents[] = {"general-purpose",   "Explore",          "Plan",
                                    "claude-code-guide", "statusline-setup", NULL};

/* ---- files -------------------------------------------------------------------------------------
 */

static const struct allow_member meta_members[] = {
    {.name = "agentType", .value = ALLOW_AGENT, .is_needed = 1},
    {.name = "description", .value = ALLOW_TEXT},
    {0},
};

static const struct allow_member task_members[] = {
    {.name = "id", .value = ALLOW_WORD, .is_needed = 1},
    {.name = "subject", .value = ALLOW_TEXT},
    {.name = "description", .value = ALLOW_TEXT},
    {.name = "activeForm", .value = ALLOW_TEXT},
    {.name = "status", .value = ALLOW_WORD},
    {.name = "blocks", .value = ALLOW_WORDS},
    {.name = "blockedBy", .value = ALLOW_WORDS},
    {0},
};

static const struct allow_member todo_members[] = {
    {.name = "content", .value = ALLOW_TEXT, .is_needed = 1},
    {.name = "status", .value = ALLOW_WORD},
    {.name = "activeForm", .value = ALLOW_TEXT},
    {.name = "id", .value = ALLOW_WORD},
    {.name = "priority", .value = ALLOW_WORD},
    {0},
};

static const struct allow_member paste_members[] = {
    {.name = "id", .value = ALLOW_NUMBER},
    {.name = "type", .value = ALLOW_WORD},
    {.name = "content", .value = ALLOW_TEXT},
    {.name = "contentHash", .value = ALLOW_WORD},
    {0},
};

const struct allow_member allow_prompts[] = {
    {.name = "display", .value = ALLOW_TYPED, .is_needed = 1},
    {.name = "pastedContents", .value = ALLOW_MAP, .members = paste_members},
    {.name = "timestamp", .value = ALLOW_NUMBER},
    {.name = "project", .value = ALLOW_CWD, .is_needed = 1},
    {.name = "sessionId", .value = ALLOW_SESSION, .is_needed = 1},
    {0},
};

const struct allow_entry allow_entries[] = {
    {.pattern = "session.jsonl", .own = "session.jsonl", .content = ENTRY_RECORDS},
    {.pattern = "session-subdir/subagents/agent-WORD.jsonl",
     .own = "session-subdir/**",
     .content = ENTRY_RECORDS},
    {.pattern = "session-subdir/subagents/agent-WORD.meta.json",
     .content = ENTRY_DOCUMENT,
     .members = meta_members},
    {.pattern = "session-subdir/tool-results/*", .content = ENTRY_BYTES},
    {.pattern = "session-subdir/codeteleport-other/HEX.jsonl", .content = ENTRY_RECORDS},
    {.pattern = "file-history/HEX@vN",
     .own = "file-history/**",
     .needs_asking = 1,
     .content = ENTRY_BYTES},
    {.pattern = "memory/**", .own = "memory/**", .needs_asking = 1, .content = ENTRY_BYTES},
    {.pattern = "project-memory/**",
     .own = "project-memory/**",
     .is_accounts = 1,
     .content = ENTRY_BYTES},
    {.pattern = "team-tasks/*.json",
     .own = "team-tasks/**",
     .is_accounts = 1,
     .content = ENTRY_DOCUMENT,
     .members = task_members},
    {.pattern = "team-tasks/.highwatermark",
     .own = "team-tasks/**",
     .is_accounts = 1,
     .content = ENTRY_BYTES},
    {.pattern = "tasks/.highwatermark",
     .own = "tasks/**",
     .is_accounts = 1,
     .content = ENTRY_BYTES},
    {.pattern = "profile/home-memory/**",
     .own = "profile/**",
     .is_accounts = 1,
     .content = ENTRY_BYTES},
    {.pattern = "profile/project-memory/**",
     .own = "profile/**",
     .is_accounts = 1,
     .content = ENTRY_BYTES},
    {.pattern = "profile/agent-memory/**",
     .own = "profile/**",
     .is_accounts = 1,
     .content = ENTRY_BYTES},
    {.pattern = "profile/memory/**", .own = "profile/**", .is_accounts = 1, .content = ENTRY_BYTES},
    {.pattern = "profile/tasks/**", .own = "profile/**", .is_accounts = 1, .content = ENTRY_BYTES},
    {.pattern = "profile/tasks/*/.highwatermark",
     .own = "profile/**",
     .is_accounts = 1,
     .content = ENTRY_BYTES},
    {.pattern = "profile/plans/*.md",
     .own = "profile/**",
     .is_accounts = 1,
     .content = ENTRY_BYTES},
    {.pattern = "uploads/**", .own = "uploads/**", .is_accounts = 1, .content = ENTRY_BYTES},
    {.pattern = "tasks/*.json",
     .own = "tasks/**",
     .content = ENTRY_DOCUMENT,
     .members = task_members},
    {.pattern = "todos/*.json",
     .own = "todos/*.json",
     .content = ENTRY_LIST,
     .members = todo_members},
    {.pattern = "plans/*.md", .own = "plans/*.md", .content = ENTRY_BYTES},
    {.pattern = "paste-cache/HEX.txt", .own = "paste-cache/*.txt", .content = ENTRY_PASTE},
    {.pattern = "history.jsonl", .own = "history.jsonl", .content = ENTRY_PROMPTS},
    {0},
};

/* ---- looking up --------------------------------------------------------------------------------
 */

#define DIGITS "0123456789"
#define HEX DIGITS "abcdef"
#define WORD DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"

const struct allow_record *allow_record(const char *type, const char *subtype)
{
    for (const struct allow_record *r = allow_records; r->type != NULL; r++) {
        if (strcmp(r->type, type) == 0 && (r->subtype == NULL || strcmp(r->subtype, subtype) == 0))
            return r;
    }
    return NULL;
}

static int is_in(const char *const *list, const char *name)
{
    for (; *list != NULL; list++) {
        if (strcmp(*list, name) == 0)
            return 1;
    }
    return 0;
}

int allow_is_schedule(const char *name)
{
    return is_in(allow_schedules, name);
}

int allow_is_tool(const char *name)
{
    size_t n = strlen(ALLOW_MCP);

    return is_in(allow_tools, name) || (strncmp(name, ALLOW_MCP, n) == 0 && name[n] != '\0' &&
                                        name[n + strspn(name + n, WORD)] == '\0');
}

int allow_is_agent(const char *name)
{
    return is_in(allow_agents, name);
}

/* What a part of a pattern stands for, or NULL. */
static const char *set_of(const char *pattern, size_t *ret_len)
{
    static const struct {
        const char *name, *set;
    } sets[] = {{"WORD", WORD}, {"HEX", HEX}, {"N", DIGITS}};

    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        *ret_len = strlen(sets[i].name);
        if (strncmp(pattern, sets[i].name, *ret_len) == 0)
            return sets[i].set;
    }
    return NULL;
}

/* One component or more, of which none begins with a dot. */
static int are_plain(const char *name)
{
    for (;;) {
        size_t n = strcspn(name, "/");
        if (n == 0 || *name == '.')
            return 0;
        if (name[n] == '\0')
            return 1;
        name += n + 1;
    }
}

static int fits(const char *pattern, const char *name, int is_begin)
{
    const char *set;
    size_t n, len;

    for (;;) {
        if (*pattern == '\0')
            return *name == '\0';
        set = set_of(pattern, &n);
        if (set != NULL) {
            len = strspn(name, set);
            return len > 0 && fits(pattern + n, name + len, 0);
        }
        if (strcmp(pattern, "**") == 0)
            return are_plain(name);
        if (*pattern == '*') {
            len = strcspn(name, "/");
            if (len == 0 || (is_begin && *name == '.'))
                return 0;
            for (; len > 0; len--) {
                if (fits(pattern + 1, name + len, 0))
                    return 1;
            }
            return 0;
        }
        if (*pattern != *name)
            return 0;
        is_begin = *name == '/';
        pattern++;
        name++;
    }
}

const struct allow_entry *allow_entry(const char *entry)
{
    for (const struct allow_entry *e = allow_entries; e->pattern != NULL; e++) {
        if (fits(e->pattern, entry, 1))
            return e;
    }
    return NULL;
}
