/* A path of the service as nginx has to know it, and what it becomes in nginx's files. */
#pragma once

#include "base/buf.h"
#include "config/config.h"

/* client_max_body_size of nginx.conf: where there is no location, and in most that are. */
#define NGINX_BODY_BYTES_MAX (64 * KIB)

struct nginx_location {
    struct str path;    /* "/v1/jobs/{id}": {name} stands for any text without a slash */
    struct str methods; /* "GET, HEAD, OPTIONS", as in the header Allow */
    const char *pool;   /* the upstream that answers */
    const char *zone;   /* the rate that calls count in, and the file zone_ZONE.conf */
    bool is_one_page;   /* an answer is one page in every form; any other may be an export */
    bool takes_file;    /* the body goes to a file, of up to imports.file_bytes_max */
    uint64_t body_bytes_max; /* of a body that is let in, where it goes to no file */
    /* Said to who sends more: the size that the path takes, and the words around it.  Without
     * words of its own it is "The body is larger than this path takes, ...". */
    uint64_t told_bytes_max;
    const char *told_before, *told_after;
};

/* Appends what the word stands for of this location; many words say nothing of most. */
typedef void nginx_location_fn(struct buf *out, const struct config *config,
                               const struct nginx_location *location);
/* NULL when it is no word of locations. */
nginx_location_fn *nginx_location_find(struct str word);
