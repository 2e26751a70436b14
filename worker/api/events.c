/* Events: one, a batch, the list, and what is counted. */
#include "api/handlers.h"
#include "api/json_body.h"
#include "api/listing.h"
#include "api/object.h"
#include "api/page.h"
#include "base/date.h"
#include "base/gzip.h"
#include "players/event_batch.h"
#include "json/write.h"

/* The members that an event shows everywhere. */
static void
add_event(struct json *j, const struct event *e)
{
    json_member_i64(j, "id", e->id);
    json_member_str_or_null(j, "event_id", e->client_id);
    json_member_str(j, "event_type", e->type);
    json_key(j, "ts_utc");
    if (e->has_client_at) {
        scoped_buf text;
        buf_init(&text, 64);
        date_add_timestamp(&text, e->client_at);
        json_str(j, buf_str(&text));
    } else {
        json_null(j);
    }
    json_member_timestamp(j, "received_at", e->server_at);
}

static struct event_limits
limits_of(const struct app *app)
{
    return (struct event_limits){.types_max = app->config->players_event_types_max,
                                 .types_per_player =
                                     app->config->players_event_types_per_player};
}

bool
send_event(struct app *app, struct request *request, struct response *response, struct err *err)
{
    struct event_new sent;
    struct event_result result = {0};
    struct event stored;
    const struct json_value *body;
    if (!json_body_check_type(request, err) ||
        !json_read(request->arena, request->body, &body, err) ||
        !event_parse(body, &sent, err) ||
        !event_store(request->arena, app->writer, request->player_id, &sent, &result, 1,
                     limits_of(app), err))
        return false;
    if (result.outcome == EVENT_REFUSED) {
        *err = *result.err;
        return false;
    }
    /* Read again: a resend is answered by what was stored the first time. */
    if (!event_get(request->arena, app->db, result.id, &stored, err))
        return false;
    response->status = result.outcome == EVENT_DUPLICATE ? 200 : 201;
    struct json j = object_begin(response);
    add_event(&j, &stored);
    json_member_bool(&j, "duplicate", result.outcome == EVENT_DUPLICATE);
    object_end(&j);
    return true;
}

static bool
decode_batch(const struct request *request, struct str *out, struct err *err)
{
    enum http_coding coding = request_coding(request);
    *out = request->body;
    if (coding == CODING_NONE)
        return true;
    if (coding != CODING_GZIP)
        return err_set(err, ERR_MEDIA_TYPE,
                       "Content-Encoding is gzip or none, got '%" STR_FMT "'",
                       STR_ARG(request->header.content_encoding));
    scoped_buf text = {.max = EVENT_BATCH_BYTES_MAX};
    if (!gzip_read_all(&text, request->body, err)) {
        err->kind = ERR_MALFORMED;
        return false;
    }
    if (text.is_full)
        return err_set(err, ERR_TOO_LARGE, "the body is at most %zu bytes once decoded",
                       EVENT_BATCH_BYTES_MAX);
    *out = arena_str(request->arena, buf_str(&text));
    return true;
}

static bool
read_batch(const struct request *request, struct event_batch *out, struct err *err)
{
    static const struct {
        const char *type;
        bool is_ndjson;
    } TYPES[] = {{"", false},
                 {"application/json", false},
                 {"application/x-ndjson", true},
                 {"application/ndjson", true},
                 {"application/jsonl", true}};
    struct str type = request_media_type(request), body;
    for (size_t i = 0; i < COUNT_OF(TYPES); i++)
        if (str_eq(type, str_from(TYPES[i].type)))
            return decode_batch(request, &body, err) &&
                   event_batch_read(request->arena, body, TYPES[i].is_ndjson, out, err);
    return err_set(
        err, ERR_MEDIA_TYPE,
        "a batch is application/json (an array) or application/x-ndjson, and it came "
        "as %" STR_FMT
        "; with curl: -H 'Content-Type: application/x-ndjson' --data-binary @FILE",
        STR_ARG(type));
}

static const char *const OUTCOMES[] = {
    [EVENT_STORED] = "stored",
    [EVENT_DUPLICATE] = "duplicate",
    [EVENT_REFUSED] = "refused",
};

static void
add_result(struct json *j, const struct event_batch *batch, size_t i)
{
    const struct event_result *result = &batch->results[i];
    json_begin_object(j);
    json_member_u64(j, "index", i);
    json_member_str(j, "status", str_from(OUTCOMES[result->outcome]));
    if (result->outcome == EVENT_REFUSED) {
        json_member_begin_object(j, "error");
        json_member_str(j, "code", str_from(err_code(result->err)));
        json_member_str(j, "detail", str_from(err_public_detail(result->err)));
        json_member_str_or_null(j, "name", str_from(result->err->name));
        json_end_object(j);
    } else {
        json_member_i64(j, "id", result->id);
        json_member_str_or_null(j, "event_id", batch->events[i].client_id);
    }
    json_end_object(j);
}

bool
send_events(struct app *app, struct request *request, struct response *response,
            struct err *err)
{
    struct event_batch batch;
    uint64_t counts[COUNT_OF(OUTCOMES)] = {0};
    if (!read_batch(request, &batch, err) ||
        !event_store(request->arena, app->writer, request->player_id, batch.events,
                     batch.results, batch.count, limits_of(app), err))
        return false;
    struct json j = object_begin(response);
    json_member_begin_array(&j, "data");
    for (size_t i = 0; i < batch.count; i++) {
        add_result(&j, &batch, i);
        counts[batch.results[i].outcome]++;
    }
    json_end_array(&j);
    json_member_begin_object(&j, "meta");
    json_member_u64(&j, "total", batch.count);
    for (size_t i = 0; i < COUNT_OF(OUTCOMES); i++)
        json_member_u64(&j, OUTCOMES[i], counts[i]);
    json_end_object(&j);
    object_end(&j);
    return true;
}

/* A time, or a day, which is its midnight; `absent` where the parameter is. */
static bool
read_timestamp(const struct request *request, const char *name, int64_t absent, int64_t *out,
               struct err *err)
{
    struct str text = request_text(request, name);
    int64_t day;
    *out = absent;
    if (!request_has(request, name) || date_parse_timestamp(text, out))
        return true;
    if (!date_parse_iso(text, &day))
        return err_set_name(
            err, ERR_BAD_PARAMETER, NULL, str_from(name),
            "%s is a time such as 2026-01-31T08:00:00Z (RFC 3339) or a day such "
            "as 2026-01-31, got '%" STR_FMT "'%s",
            name, STR_ARG(text),
            str_find_char(text, ' ') < 0 ? "" : "; in a URL a + is written %2B");
    *out = day * DATE_MS_PER_DAY;
    return true;
}

/* A token shows its player; without one a key of scope admin came, which may see all. */
static bool
read_player(const struct request *request, int64_t *out, struct err *err)
{
    int64_t wanted = request_integer(request, "player_id");
    if (request->player_id && wanted && wanted != request->player_id)
        return err_set_name(err, ERR_FORBIDDEN, NULL, STR("player_id"),
                            "a token shows the events of its own player");
    *out = request->player_id ? request->player_id : wanted;
    return true;
}

static const char *const COLUMNS[] = {"id",          "event_id",  "event_type", "ts_utc",
                                      "received_at", "player_id", "meta"};
static const struct listing_table EVENTS = {.name = "events", LISTING_COLUMNS(COLUMNS)};

bool
list_events(struct app *app, struct request *request, struct response *response,
            struct err *err)
{
    struct event_filter filter = {
        .type = request_text(request, "event_type"),
        .before_id = request_integer(request, "cursor"),
        .limit = page_fetch_count(request),
    };
    struct event *events;
    size_t count;
    scoped_listing list = {0};
    if (!listing_begin(&list, &EVENTS, request, response, err) ||
        !read_player(request, &filter.player_id, err) ||
        !read_timestamp(request, "since", INT64_MIN, &filter.since, err) ||
        !read_timestamp(request, "until", INT64_MAX, &filter.until, err) ||
        !event_list(request->arena, app->db, &filter, &events, &count, err))
        return false;
    bool has_more = page_cut(request, &count);
    for (size_t i = 0; i < count; i++) {
        const struct event *e = &events[i];
        struct json *j = listing_item(&list);
        json_begin_object(j);
        add_event(j, e);
        json_member_u64_or_null(j, "player_id", (uint64_t)e->player_id);
        listing_member_verbatim(&list, "meta", e->meta);
        json_end_object(j);
        if (!listing_end_item(&list, err))
            return false;
    }
    struct str cursor = {NULL, 0};
    if (has_more)
        cursor = arena_printf(request->arena, "%zu", (size_t)events[count - 1].id);
    listing_end(&list, cursor, LISTING_UNCOUNTED);
    return true;
}

bool
get_event_stats(struct app *app, struct request *request, struct response *response,
                struct err *err)
{
    struct event_count *counts;
    size_t count;
    int64_t total = 0;
    if (!event_stats(request->arena, app->db, request->player_id, &counts, &count, err))
        return false;
    struct json j = object_begin(response);
    json_member_begin_array(&j, "data");
    for (size_t i = 0; i < count; i++) {
        json_begin_object(&j);
        json_member_str(&j, "event_type", counts[i].type);
        json_member_i64(&j, "count", counts[i].count);
        json_end_object(&j);
        total += counts[i].count;
    }
    json_end_array(&j);
    json_member_begin_object(&j, "meta");
    json_member_i64(&j, "total", total);
    json_end_object(&j);
    object_end(&j);
    return true;
}
