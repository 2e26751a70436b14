/*
 *     array    = blanks "[" [ item { "," item } ] "]" blanks
 *     ndjson   = { [ item ] newline } [ item ]
 *
 * The end of an item is found by its quotes and brackets alone; whether the item is valid is
 * checked by json_read. */
#include "players/event_batch.h"

struct batch_reader {
    struct arena *arena;
    struct arena scratch; /* of one item */
    struct event_batch *out;
    struct str body;
    size_t at; /* in the body */
    struct err *err;
};

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
skip_blanks(struct batch_reader *r)
{
    while (r->at < r->body.n && is_blank(r->body.p[r->at]))
        r->at++;
}

static bool
malformed(struct batch_reader *r, const char *what)
{
    return err_set(r->err, ERR_MALFORMED, "the JSON is wrong at byte %zu: %s", r->at, what);
}

static struct str
trim(struct str s)
{
    while (s.n && is_blank(s.p[0]))
        s = str_skip(s, 1);
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* malformed: not JSON; invalid: not an event. */
static bool
read_item(struct batch_reader *r, struct str item, struct event_new *out, struct err *err)
{
    const struct json_value *value;
    if (item.n > EVENT_ITEM_BYTES_MAX)
        return err_set_code(err, ERR_INVALID, "event_too_large",
                            "an event is at most %zu bytes of JSON, got %zu",
                            EVENT_ITEM_BYTES_MAX, item.n);
    arena_reset(&r->scratch);
    if (!json_read(&r->scratch, item, &value, err) || !event_parse(value, out, err))
        return false;
    /* The parts outlive the parsed value: short texts are copied, meta is found in the body. */
    out->type = arena_str(r->arena, out->type);
    out->client_id = arena_str(r->arena, out->client_id);
    if (out->meta.p >= value->source.p && out->meta.p < value->source.p + value->source.n)
        out->meta.p = item.p + (out->meta.p - value->source.p);
    return true;
}

static bool
add_item(struct batch_reader *r, struct str item, bool is_ndjson)
{
    struct event_batch *b = r->out;
    if (b->count == EVENT_BATCH_MAX)
        return err_set_code(r->err, ERR_INVALID, "too_many_events",
                            "a batch has at most %d events, this one has more; nothing of it "
                            "was stored",
                            EVENT_BATCH_MAX);
    struct err why = {0};
    if (!read_item(r, item, &b->events[b->count], &why)) {
        if (why.kind == ERR_MALFORMED && !is_ndjson)
            return err_set(r->err, ERR_MALFORMED,
                           "item %zu, which begins at byte %zu of the body, is not JSON: %s",
                           b->count, (size_t)(item.p - r->body.p), why.detail);
        b->results[b->count] = event_refused(r->arena, &why);
    }
    b->count++;
    return true;
}

/* Skips a string: from after its opening quote to after its closing quote. */
static void
skip_string(struct batch_reader *r)
{
    while (r->at < r->body.n && r->body.p[r->at] != '"')
        r->at += r->body.p[r->at] == '\\' ? 2 : 1;
    r->at = MIN(r->at + 1, r->body.n);
}

/* Skips an item, to the comma or bracket after it or the end of the body. */
static bool
skip_item(struct batch_reader *r)
{
    size_t depth = 0;
    while (r->at < r->body.n) {
        char c = r->body.p[r->at];
        if (depth == 0 && (c == ',' || c == ']'))
            return true;
        r->at++;
        if (c == '"')
            skip_string(r);
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && depth-- == 0)
            return malformed(r, "a bracket closes nothing");
    }
    return malformed(r, "the array does not end");
}

static bool
read_array(struct batch_reader *r)
{
    r->at++;
    skip_blanks(r);
    bool is_empty = r->at < r->body.n && r->body.p[r->at] == ']';
    while (!is_empty) {
        size_t from = r->at;
        if (!skip_item(r) || !add_item(r, trim(str_slice(r->body, from, r->at)), false))
            return false;
        if (r->body.p[r->at] == ']')
            break;
        r->at++;
    }
    r->at++;
    skip_blanks(r);
    return r->at == r->body.n || malformed(r, "something follows the array");
}

static bool
read_body(struct batch_reader *r, bool is_ndjson)
{
    skip_blanks(r);
    if (r->at == r->body.n)
        return err_set(r->err, ERR_MALFORMED,
                       "the body is empty; a batch is a JSON array or NDJSON");
    char first = r->body.p[r->at];
    if (!is_ndjson && first == '[')
        return read_array(r);
    if (!is_ndjson && first != '{')
        return malformed(r, "a batch begins with '[' (an array) or '{' (NDJSON)");
    for (struct str rest = r->body; rest.p;) {
        struct str line = trim(str_cut(&rest, '\n'));
        if (line.n && !add_item(r, line, true))
            return false;
    }
    return true;
}

bool
event_batch_read(struct arena *a, struct str body, bool is_ndjson, struct event_batch *out,
                 struct err *err)
{
    /* An item takes at least one byte, and one more separates it from the next. */
    size_t items_max = MIN((size_t)EVENT_BATCH_MAX, body.n / 2 + 1);
    *out = (struct event_batch){.events = arena_array(a, items_max, struct event_new),
                                .results = arena_array(a, items_max, struct event_result)};
    struct batch_reader r = {.arena = a, .out = out, .body = body, .err = err};
    bool ok = read_body(&r, is_ndjson);
    arena_free(&r.scratch);
    return ok;
}
