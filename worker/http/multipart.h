/* multipart/form-data (RFC 7578, RFC 2046 section 5.1.1) over a body that is in memory or
 * mapped: the parts are found, not copied, so a file of 150 MB costs one search for the
 * boundary and its place in the body is all that an import needs. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#define MULTIPART_PARTS_MAX 64
#define MULTIPART_HEADER_BYTES_MAX (8 * KIB) /* of one part, all its lines */
#define MULTIPART_BOUNDARY_BYTES_MAX 70      /* RFC 2046 */

struct multipart_part {
    struct str name;         /* never empty; UTF-8 */
    bool has_filename;       /* a file, not a plain field */
    struct str filename;     /* without folders; filename* where both are given; UTF-8 */
    struct str content_type; /* "" when the part has none */
    struct str value;        /* points into the body, as the others may */
    size_t offset;           /* of value in the body */
};

struct multipart {
    struct multipart_part *parts; /* in the order of the body; names may repeat */
    size_t count;
};

/* `content_type` is the request's, boundary parameter included; `body` outlives the parts.
 * Everything that is not as the RFCs have it is ERR_MALFORMED, and the detail says which part
 * and which rule: no boundary parameter, no part at all, no closing boundary, headers without
 * an end, a part without form-data disposition or name, a transfer encoding, over a limit. */
MUST_CHECK bool multipart_parse(struct arena *a, struct str content_type, struct str body,
                                struct multipart *out, struct err *err);
