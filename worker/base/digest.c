#include "base/digest.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>

#define CHUNK_BYTES (256 * KIB)

static void *
run_digest(void *argument)
{
    struct digest *digest = argument;
    char *chunk = mem_alloc(CHUNK_BYTES);
    struct sha256 h;
    sha256_init(&h);
    for (uint64_t at = 0; at < digest->length && !digest->has_failed && !digest->is_unwanted;) {
        size_t n = (size_t)MIN(CHUNK_BYTES, digest->length - at);
        digest->has_failed =
            !fs_read_at(digest->fd, chunk, n, digest->offset + at, &digest->err);
        if (!digest->has_failed)
            sha256_add(&h, (struct str){chunk, n});
        at += n;
    }
    sha256_finish_hex(&h, digest->hex);
    free(chunk);
    return NULL;
}

bool
digest_start(struct digest *digest, int fd, uint64_t offset, uint64_t length, struct err *err)
{
    digest->fd = fd;
    digest->offset = offset;
    digest->length = length;
    errno = pthread_create(&digest->thread, NULL, run_digest, digest);
    digest->is_started = errno == 0;
    return digest->is_started || err_set_errno(err, "starting a thread");
}

static void
wait_for(struct digest *digest)
{
    if (digest->is_started)
        pthread_join(digest->thread, NULL);
    digest->is_started = false;
}

bool
digest_finish(struct digest *digest, struct err *err)
{
    wait_for(digest);
    if (digest->has_failed)
        *err = digest->err;
    return !digest->has_failed;
}

void
digest_end(struct digest *digest)
{
    digest->is_unwanted = true;
    wait_for(digest);
}
