/* deeplink: which characters and campaigns brought players in on D-1, from the event store:
 * all events of type deeplink_open that the service received on that day (UTC).  Read in
 * chunks, so that a day with many events does not keep one snapshot open, which would block
 * checkpoints. */
#include "reports/links.h"
#include "reports/report.h"

#include <inttypes.h>

#define CHUNK_EVENTS 50000

static const char *const COLUMNS[] = {"character", "campaign",  "opens", "players",
                                      "missing",   "malformed", NULL};

struct opens {
    struct links *links;
    int64_t next_id, below; /* ids of the day's events that are still to be read */
};

static void
close_opens(struct opens *opens)
{
    links_close(&opens->links);
}

/* 1 there may be more, 0 that was all, -1 error. */
static int
read_piece(struct opens *opens, struct db *db, struct err *err)
{
    scoped_stmt s = db_stmt(db, "report_deeplinks");
    stmt_bind_str(s, 1, STR(EVENT_DEEPLINK));
    stmt_bind_i64(s, 2, opens->next_id);
    stmt_bind_i64(s, 3, opens->below);
    stmt_bind_i64(s, 4, CHUNK_EVENTS);
    size_t count = 0;
    int got;
    while ((got = stmt_step(s, err)) == 1) {
        opens->next_id = stmt_i64(s, 0) + 1;
        links_add(opens->links, !stmt_is_null(s, 2), stmt_str(s, 2), stmt_str(s, 3),
                  stmt_i64(s, 1));
        count++;
    }
    return got < 0 ? -1 : count == CHUNK_EVENTS;
}

static bool
read_all(struct opens *opens, const struct report_run *run, struct err *err)
{
    scoped_arena a = {0};
    int64_t day = run->data->day;
    struct event_span *spans;
    size_t count;
    if (!event_spans(&a, run->events, day * DATE_MS_PER_DAY, (day + 1) * DATE_MS_PER_DAY,
                     &spans, &count, err))
        return false;
    int got = 0;
    for (size_t i = 0; i < count && got == 0; i++) {
        opens->next_id = spans[i].from;
        opens->below = spans[i].below;
        while ((got = read_piece(opens, run->events, err)) == 1)
            continue;
    }
    if (got == 0)
        links_finish(opens->links);
    return got == 0;
}

static void
add_link(struct report_output *out, const struct link *link)
{
    output_begin_item(out);
    if (link->has_character)
        output_str(out, "character", link->character);
    else
        output_null(out, "character");
    output_str(out, "campaign", link->campaign);
    output_i64(out, "opens", (int64_t)link->opens);
    output_i64(out, "players", (int64_t)link->players);
    output_i64(out, "missing", (int64_t)link->missing);
    output_i64(out, "malformed", (int64_t)link->malformed);
    output_end_item(out);
}

static void
add_total(struct json *json, const struct opens *opens)
{
    size_t count;
    const struct link *links = links_list(opens->links, &count), *other;
    other = links_other(opens->links);
    struct link total = *other;
    for (size_t i = 0; i < count; i++) {
        total.opens += links[i].opens;
        total.missing += links[i].missing;
        total.malformed += links[i].malformed;
    }
    json_member_begin_object(json, "total");
    json_member_u64(json, "opens", total.opens);
    json_member_u64(json, "players", links_players(opens->links));
    json_member_u64(json, "missing", total.missing);
    json_member_u64(json, "malformed", total.malformed);
    json_end_object(json);
}

static bool
write(struct report_output *out, const struct report_run *run, struct err *err)
{
    SCOPED(close_opens) struct opens opens = {.links = links_open()};
    if (!read_all(&opens, run, err))
        return false;
    uint64_t others = links_other(opens.links)->opens;
    if (others)
        output_warn(out, "too_many_links",
                    "%" PRIu64 " opens are counted in the total alone: of characters and "
                    "campaigns that came after %d different ones",
                    others, LINKS_MAX);
    size_t count;
    const struct link *links = links_list(opens.links, &count);
    struct json *json = output_members(out);
    add_total(json, &opens);
    json_member_begin_array(json, "links");
    for (size_t i = 0; i < count; i++)
        add_link(out, &links[i]);
    json_end_array(json);
    return true;
}

static void
define(struct json *json, const struct report_run *run UNUSED)
{
    json_member_str(json, "opens",
                    STR("deeplink_open events that the service took in on date (UTC)"));
    json_member_str(json, "players", STR("distinct players among those sent with a token"));
    json_member_str(json, "missing", STR("opens without the parameter character"));
    json_member_str(json, "malformed",
                    STR("opens whose character is not 1 to 64 of [A-Za-z0-9_.:-]; character is "
                        "null for these and the missing ones"));
    json_member_str(json, "campaign", STR("trimmed, in upper case; (NONE) when empty"));
}

const struct report REPORT_DEEPLINK = {
    .name = "deeplink",
    .title = "Deep links opened, D-1",
    .needs_events = true,
    .rows_member = "links",
    .columns = COLUMNS,
    .write = write,
    .define = define,
};
