/* A folder of its own for each test, removed with all below it.  Also brings in cmocka, whose
 * header wants four others before it. */
#pragma once

#include "base/arena.h"
#include "base/fs.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct temp_dir {
    char path[64];
    struct arena arena;
};

static inline const char *
temp_path(struct temp_dir *dir, const char *name)
{
    return arena_printf(&dir->arena, "%s/%s", dir->path, name).p;
}

static inline int
temp_set_up(void **state)
{
    struct temp_dir *dir = calloc(1, sizeof(*dir));
    const char *base = getenv("TMPDIR");
    if (!dir || snprintf(dir->path, sizeof(dir->path), "%s/playmeter-XXXXXX",
                         base ? base : P_tmpdir) >= (int)sizeof(dir->path))
        return -1;
    *state = dir;
    return mkdtemp(dir->path) ? 0 : -1;
}

static inline int
temp_tear_down(void **state)
{
    struct temp_dir *dir = *state;
    struct err err;
    bool ok = fs_remove_tree(AT_FDCWD, dir->path, &err);
    arena_free(&dir->arena);
    free(dir);
    return ok ? 0 : -1;
}
