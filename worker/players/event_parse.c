/* One event out of JSON: what its members may be. */
#include "players/event.h"

#include "base/date.h"
#include "base/suggest.h"

struct parsing {
    struct event_new *out;
    struct err *err;
};

static bool
parse_type(struct parsing *p, const struct json_value *v)
{
    struct str type = v->text;
    if (v->kind != JSON_STRING || type.n == 0 || type.n > EVENT_TYPE_BYTES_MAX ||
        !str_is_alnum(type, "_.:-"))
        return err_set_name(
            p->err, ERR_INVALID, NULL, STR("event_type"),
            "event_type is 1 to %d of A-Z, a-z, 0-9, '_', '.', ':' and '-', got "
            "%" STR_FMT,
            EVENT_TYPE_BYTES_MAX, STR_ARG(str_slice(v->source, 0, 100)));
    if (event_is_own_type(type))
        return err_set_name(p->err, ERR_INVALID, "reserved_event_type", STR("event_type"),
                            "events of type '%" STR_FMT "' are written by the service itself",
                            STR_ARG(type));
    p->out->type = type;
    return true;
}

static bool
parse_meta(struct parsing *p, const struct json_value *v)
{
    if (v->source.n > EVENT_META_BYTES_MAX)
        return err_set_name(p->err, ERR_INVALID, "meta_too_large", STR("meta"),
                            "meta is at most %zu bytes of JSON, got %zu", EVENT_META_BYTES_MAX,
                            v->source.n);
    p->out->meta = v->source;
    return true;
}

static bool
parse_ts_utc(struct parsing *p, const struct json_value *v)
{
    if (v->kind != JSON_STRING || !date_parse_timestamp(v->text, &p->out->client_at))
        return err_set_name(p->err, ERR_INVALID, NULL, STR("ts_utc"),
                            "ts_utc is a time such as 2026-01-31T08:00:00Z (RFC 3339), got "
                            "%" STR_FMT,
                            STR_ARG(str_slice(v->source, 0, 100)));
    p->out->has_client_at = true;
    return true;
}

static bool
parse_event_id(struct parsing *p, const struct json_value *v)
{
    if (v->kind != JSON_STRING || v->text.n == 0 || v->text.n > EVENT_CLIENT_ID_BYTES_MAX)
        return err_set_name(p->err, ERR_INVALID, NULL, STR("event_id"),
                            "event_id is a string of 1 to %d bytes, got %" STR_FMT,
                            EVENT_CLIENT_ID_BYTES_MAX, STR_ARG(str_slice(v->source, 0, 100)));
    p->out->client_id = v->text;
    return true;
}

static const struct {
    struct str name;
    bool (*parse)(struct parsing *p, const struct json_value *v);
    bool may_be_null; /* else null counts as absent */
} MEMBERS[] = {
    {STR_INIT("event_type"), parse_type, false},
    {STR_INIT("meta"), parse_meta, true},
    {STR_INIT("ts_utc"), parse_ts_utc, false},
    {STR_INIT("event_id"), parse_event_id, false},
};

/* Names that other services use for the same members. */
static const struct synonym SYNONYMS[] = {
    {STR_INIT("type"), STR_INIT("event_type")},     {STR_INIT("name"), STR_INIT("event_type")},
    {STR_INIT("event"), STR_INIT("event_type")},    {STR_INIT("properties"), STR_INIT("meta")},
    {STR_INIT("data"), STR_INIT("meta")},           {STR_INIT("payload"), STR_INIT("meta")},
    {STR_INIT("timestamp"), STR_INIT("ts_utc")},    {STR_INIT("time"), STR_INIT("ts_utc")},
    {STR_INIT("insert_id"), STR_INIT("event_id")},  {STR_INIT("id"), STR_INIT("event_id")},
    {STR_INIT("message_id"), STR_INIT("event_id")},
};

static bool
parse_member(struct parsing *p, const struct json_value *member)
{
    for (size_t i = 0; i < COUNT_OF(MEMBERS); i++)
        if (str_eq(member->key, MEMBERS[i].name))
            return (member->kind == JSON_NULL && !MEMBERS[i].may_be_null) ||
                   MEMBERS[i].parse(p, member);
    struct suggestion near = suggest_begin(member->key);
    for (size_t i = 0; i < COUNT_OF(MEMBERS); i++)
        suggest_offer(&near, MEMBERS[i].name);
    suggest_synonyms(&near, SYNONYMS, COUNT_OF(SYNONYMS));
    return err_set_name(p->err, ERR_INVALID, "unknown_member", member->key,
                        "an event has no member '%" STR_FMT "'%s", STR_ARG(member->key),
                        suggest_text(&near));
}

bool
event_parse(const struct json_value *value, struct event_new *out, struct err *err)
{
    struct event_new event = {.meta = STR("{}")};
    struct parsing p = {&event, err};
    if (value->kind != JSON_OBJECT)
        return err_set(err, ERR_INVALID,
                       "an event is an object such as {\"event_type\": \"level_up\"}, got "
                       "%" STR_FMT,
                       STR_ARG(str_slice(value->source, 0, 60)));
    for (size_t i = 0; i < value->child_count; i++)
        if (!parse_member(&p, &value->children[i]))
            return false;
    if (event.type.n == 0)
        return err_set_name(err, ERR_INVALID, "missing_member", STR("event_type"),
                            "the event has no event_type");
    *out = event;
    return true;
}
