/* Forms of any bytes: nothing crashes, an error is a 400 with a detail, and the parts of an
 * accepted form lie in the body, in order, without the delimiter in their values.
 *
 *   up to the first NUL  the Content-Type    the rest  the body */
#include "fuzz.h"

#include "http/multipart.h"

#include "base/utf8.h"
#include "http/status.h"

#include <string.h>

static void
check(const struct multipart *m, struct str body)
{
    assert(m->count > 0 && m->count <= MULTIPART_PARTS_MAX);
    size_t end = 0;
    for (size_t i = 0; i < m->count; i++) {
        const struct multipart_part *part = &m->parts[i];
        assert(part->name.n > 0 && utf8_is_valid(part->name));
        assert(part->has_filename || part->filename.n == 0);
        assert(str_find_char(part->filename, '/') < 0);
        assert(part->offset > end && part->offset + part->value.n < body.n);
        assert(part->value.p == body.p + part->offset);
        end = part->offset + part->value.n;
    }
}

static void
fuzz(struct arena *a, struct str input)
{
    struct str rest = input, type = str_cut(&rest, '\0');
    struct multipart m;
    struct err err = {0};
    if (multipart_parse(a, type, rest, &m, &err))
        check(&m, rest);
    else
        assert(http_status(&err) == 400 && err.detail[0]);
}
