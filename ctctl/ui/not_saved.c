#include <string.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "ctctl/ui/not_saved.h"

#define MAX_FOLDERS 6 /* that are named in a sentence */

static int is_of(const struct json_object *o, const char *session_id, const char *project)
{
    const char *folder = jdoc_str(o, "folder"), *example = jdoc_str(o, "example");

    if (session_id == NULL)
        return 1;
    if (example != NULL && strstr(example, session_id) != NULL)
        return 1;
    return project != NULL && folder != NULL && strncmp(folder, "projects/", 9) == 0 &&
           strcmp(folder + 9, project) == 0;
}

char *not_saved_text(struct json_object *list, const char *session_id, const char *project)
{
    size_t n = list != NULL ? json_object_array_length(list) : 0, shown = 0;
    struct buf b = {0};
    long long rest = 0, orphans = 0;
    const char *first = "";
    char *text;

    for (size_t i = 0; i < n; i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        const char *folder = jdoc_str(o, "folder");
        long long files = (long long)jdoc_int(o, "files", 0);
        if (!is_of(o, session_id, project))
            continue;
        if (jdoc_str(o, "withoutTranscript") != NULL) {
            if (orphans++ == 0)
                first = folder;
            continue;
        }
        if (shown == MAX_FOLDERS) {
            rest += files;
            continue;
        }
        buf_printf(&b, "%s%s%lld%s in %s%s", shown > 0 ? ", " : "",
                   jdoc_bool(o, "more", 0) ? "more than " : "", files,
                   shown > 0    ? ""
                   : files == 1 ? " file"
                                : " files",
                   folder != NULL && folder[0] != '\0' ? folder : "the data folder itself",
                   folder != NULL && folder[0] != '\0' ? "/" : "");
        shown++;
    }
    if (rest > 0)
        buf_printf(&b, ", %lld elsewhere", rest);
    if (shown == 0 && orphans == 0)
        return NULL;
    if (shown > 0)
        buf_addstr(&b, ", unknown to this version");
    if (orphans > 0)
        buf_printf(&b, "%sfiles of %lld session%s without a transcript%s %s", shown > 0 ? "; " : "",
                   orphans, orphans == 1 ? "" : "s", orphans == 1 ? ":" : ", such as", first);
    text = str_dup(b.data);
    buf_free(&b);
    return text;
}
