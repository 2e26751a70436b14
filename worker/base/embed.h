/* Files that are part of the binary.  `scripts/embed` writes a table of each folder's at build
 * time, sorted by name; whoever owns the folder declares it. */
#pragma once

#include "base/str.h"

struct embed_file {
    struct str name; /* without folder */
    struct str text; /* followed by a NUL */
};

/* NULL when the table has none of that name. */
const struct embed_file *embed_find(const struct embed_file *files, size_t count,
                                    struct str name);
