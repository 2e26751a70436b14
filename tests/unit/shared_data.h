/* The folder of shared test data: texts that others wrote, and samples.
 *
 * A test that asks for it skips, and is counted as skipped, where there is no such folder; from
 * one that is there nothing may be missing.  skip() jumps over the end of every scope, so it is
 * asked for before anything is allocated. */
#pragma once

#include "temp_dir.h"

/* Valid until the next call. */
static inline const char *
shared_path(const char *path)
{
    static char full[1024];
    const char *folder = getenv("PLAYMETER_SHARED");
    folder = folder ? folder : "../shared";
    if (access(folder, R_OK)) {
        print_message("# skipped: there is no shared test data in %s\n", folder);
        skip();
    }
    snprintf(full, sizeof(full), "%s/%s", folder, path);
    if (access(full, R_OK))
        fail_msg("%s is missing", full);
    return full;
}

/* A whole file, with a NUL behind it. */
static inline void
shared_read(struct buf *out, const char *path)
{
    struct err err = {0};
    const char *full = shared_path(path);
    buf_init(out, 64 * MIB);
    if (!fs_read_file(out, AT_FDCWD, full, &err))
        fail_msg("%s", err.detail);
    buf_add_char(out, '\0');
    out->n--;
}
