/* multipart/form-data (RFC 7578, RFC 2046 section 5.1.1) over a body that is in memory or
 * mapped.  Parts are located, not copied: for an uploaded file of 150 MB the cost is one search
 * for the boundary, and an import only needs the file's offset and length in the body. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#define MULTIPART_PARTS_MAX 64
#define MULTIPART_HEADER_BYTES_MAX (8 * KIB) /* all header lines of one part */
#define MULTIPART_BOUNDARY_BYTES_MAX 70      /* RFC 2046 */

struct multipart_part {
    struct str name;         /* never empty; UTF-8 */
    bool has_filename;       /* a file, not a plain field */
    struct str filename;     /* without folders; filename* where both are given; UTF-8 */
    struct str content_type; /* "" when the part has none */
    struct str value;        /* points into the body; the other texts may, too */
    size_t offset;           /* of value in the body */
};

struct multipart {
    struct multipart_part *parts; /* in the order of the body; names may repeat */
    size_t count;
};

/* `content_type` is the request's, with its boundary parameter; `body` must outlive the parts.
 * A body that breaks the RFCs is ERR_MALFORMED, and the detail says which part and which rule:
 * no boundary parameter, no part at all, no closing boundary, unterminated headers, a part
 * without form-data disposition or name, a transfer encoding, or a limit exceeded. */
MUST_CHECK bool multipart_parse(struct arena *a, struct str content_type, struct str body,
                                struct multipart *out, struct err *err);
