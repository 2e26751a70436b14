/* Batches of any bytes: nothing crashes; an array is taken when json_read takes it and refused
 * when it does not, though it is cut into items first; and what an event keeps is JSON that
 * lies in the body.
 *
 *   first byte  odd: the media type says NDJSON    the rest  the body */
#include "fuzz.h"

#include "http/status.h"
#include "players/event_batch.h"

#include <string.h>

static void
check_event(struct arena *a, struct str body, const struct event_new *e)
{
    struct err err = {0};
    const struct json_value *value;
    assert(e->type.n > 0 && e->type.n <= EVENT_TYPE_BYTES_MAX);
    assert(!event_is_own_type(e->type) && e->client_id.n <= EVENT_CLIENT_ID_BYTES_MAX);
    assert(e->meta.n <= EVENT_META_BYTES_MAX && json_read(a, e->meta, &value, &err));
    bool is_in_body = e->meta.p >= body.p && e->meta.p + e->meta.n <= body.p + body.n;
    assert(is_in_body || str_eq(e->meta, STR("{}")));
}

static void
check_batch(struct arena *a, struct str body, const struct event_batch *batch)
{
    assert(batch->count <= EVENT_BATCH_MAX);
    for (size_t i = 0; i < batch->count; i++)
        if (batch->results[i].outcome == EVENT_REFUSED)
            assert(batch->results[i].err->detail[0]);
        else
            check_event(a, body, &batch->events[i]);
}

/* An item alone may be one level deeper than in the array; one that is too long is not read. */
static bool
has_reason_to_differ(const struct event_batch *batch, const struct err *whole)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->results[i].err &&
            strcmp(err_code(batch->results[i].err), "event_too_large") == 0)
            return true;
    return strstr(whole->detail, "nested") || strstr(whole->detail, "deep");
}

static void
compare_array(struct arena *a, struct str body, bool is_taken, const struct event_batch *batch,
              const struct err *err)
{
    struct err whole = {0};
    const struct json_value *value;
    bool is_json = json_read(a, body, &value, &whole);
    if (is_taken)
        assert((is_json && value->kind == JSON_ARRAY && value->child_count == batch->count) ||
               has_reason_to_differ(batch, &whole));
    else
        assert(err->kind == ERR_INVALID || !is_json || value->kind != JSON_ARRAY);
}

static void
fuzz(struct arena *a, struct str input)
{
    if (input.n == 0)
        return;
    bool is_ndjson = input.p[0] & 1;
    struct str body = str_skip(input, 1);
    struct event_batch batch;
    struct err err = {0};
    bool is_taken = event_batch_read(a, body, is_ndjson, &batch, &err);
    if (is_taken)
        check_batch(a, body, &batch);
    else
        assert((http_status(&err) == 400 || http_status(&err) == 422) && err.detail[0]);
    ptrdiff_t first = str_find_char(str_trim(body), '[');
    if (!is_ndjson && first == 0)
        compare_array(a, body, is_taken, &batch, &err);
}
