#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

void
random_bytes(void *out, size_t n)
{
    char *p = out;
    while (n) {
        ssize_t got = getrandom(p, n, 0);
        assert(got > 0 || errno == EINTR);
        if (got > 0) {
            p += got;
            n -= (size_t)got;
        }
    }
}

void
random_hex(char *out, size_t digits)
{
    /* One byte is drawn per digit and replaced by it in place. */
    random_bytes(out, digits);
    for (size_t i = 0; i < digits; i++)
        out[i] = "0123456789abcdef"[out[i] & 15];
    out[digits] = '\0';
}
