#include "store/slots.h"

#include "base/fs.h"

#include <fcntl.h>

static bool
set_lock(const struct slots *slots, int slot, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = slot, .l_len = 1};
    return fcntl(slots->fd, F_OFD_SETLK, &lock) == 0;
}

bool
slots_open(const char *path, unsigned count, struct slots *out, struct err *err)
{
    int fd = fs_open_at(AT_FDCWD, path, O_RDWR | O_CREAT, err);
    if (fd < 0)
        return false;
    *out = (struct slots){.fd = fd, .count = MAX(count, 1)};
    return true;
}

void
slots_close(struct slots *slots)
{
    fs_close(&slots->fd);
}

int
slots_take(struct slots *slots)
{
    for (unsigned i = 0; i < slots->count; i++) {
        unsigned slot = (slots->first + i) % slots->count;
        if (set_lock(slots, (int)slot, F_WRLCK)) {
            slots->first = slot;
            return (int)slot;
        }
    }
    return -1;
}

void
slots_give(const struct slots *slots, int slot)
{
    if (slot >= 0)
        (void)set_lock(slots, slot, F_UNLCK);
}
