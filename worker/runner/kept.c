#include "runner/kept.h"

#include "base/fs.h"
#include "base/log.h"

#include <fcntl.h>

/* A wrong database knows none of them: the first ones tell it. */
#define LOGGED_MAX 10

/* Asked of the file, since an earlier try may have failed. */
static bool
is_marked(const char *mark_path, struct str kept)
{
    scoped_buf text;
    struct err ignored;
    buf_init(&text, KEPT_BYTES_MAX);
    return fs_read_file(&text, AT_FDCWD, mark_path, &ignored) && str_eq(buf_str(&text), kept);
}

void
kept_tell(struct buf *told, struct str kept, const char *mark_path)
{
    struct err err;
    bool ok = kept.n == 0 ? fs_remove_tree(AT_FDCWD, mark_path, &err)
                          : is_marked(mark_path, kept) ||
                                fs_replace_file(AT_FDCWD, mark_path, kept, 0600, &err);
    if (!ok)
        log_message(LOG_WARN, "folders_unmarked", "%s", err.detail);
    size_t count = 0;
    for (struct str rest = kept; rest.n;) {
        struct str line = str_cut(&rest, '\n');
        if (str_find(buf_str(told), line) < 0 && count++ < LOGGED_MAX)
            log_message(LOG_WARN, "folder_kept", "%" STR_FMT, STR_ARG(line));
    }
    if (count > LOGGED_MAX)
        log_message(LOG_WARN, "folder_kept", "and %zu more", count - LOGGED_MAX);
    buf_free(told);
    buf_init(told, KEPT_BYTES_MAX);
    buf_add(told, kept);
}
