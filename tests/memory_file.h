/* A file that lies in memory, with these bytes. */
#pragma once

#include "base/fs.h"

#include <sys/mman.h>

static inline int
memory_file(struct str bytes)
{
    struct err err = {0};
    int fd = memfd_create("test", MFD_CLOEXEC);
    bool ok = fd >= 0 && fs_write(fd, bytes, &err);
    assert(ok);
    return fd;
}
