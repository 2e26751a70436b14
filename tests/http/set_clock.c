/* LD_PRELOAD: the clock of the machine, as far as these processes see it, is ahead by as many
 * milliseconds as the file SET_CLOCK holds (8 bytes), as somebody with the right to set it
 * would have it; the steady clocks go on as they are. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t
offset_ms(void)
{
    static const volatile int64_t *shared;
    const char *path = getenv("SET_CLOCK");
    if (!shared && path) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        void *map = fd < 0 ? MAP_FAILED : mmap(NULL, 8, PROT_READ, MAP_SHARED, fd, 0);
        if (fd >= 0)
            close(fd);
        if (map != MAP_FAILED)
            shared = map;
    }
    return shared ? *shared : 0;
}

int
clock_gettime(clockid_t clock, struct timespec *out)
{
    int failed = (int)syscall(SYS_clock_gettime, clock, out);
    if (failed || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
        return failed;
    int64_t ns = out->tv_nsec + offset_ms() % 1000 * 1000000;
    out->tv_sec += offset_ms() / 1000 + (ns < 0 ? -1 : ns / 1000000000);
    out->tv_nsec = ns < 0 ? ns + 1000000000 : ns % 1000000000;
    return 0;
}

int
gettimeofday(struct timeval *out, void *zone)
{
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now))
        return -1;
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t
time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
