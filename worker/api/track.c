/* Deep links: opened, stored, and sent on. */
#include "players/track.h"
#include "api/handlers.h"
#include "api/object.h"
#include "json/write.h"

/* Looking is not opening: neither a HEAD nor a program that shows previews is counted, nor a
 * browser that fetches the link in case somebody clicks it: who does sends it again, since the
 * answer is not to be stored. */
static bool
is_counted(const struct request *request)
{
    const struct request_headers *h = &request->header;
    return request->method != HTTP_HEAD && !track_is_preview(h->user_agent) &&
           !track_is_ahead(h->sec_purpose) && !track_is_ahead(h->purpose) &&
           !track_is_ahead(h->x_purpose) && !track_is_ahead(h->x_moz);
}

static bool
store(struct app *app, const struct request *request, struct str meta, struct err *err)
{
    struct event_new event = {.type = STR(EVENT_DEEPLINK), .meta = meta};
    struct event_result result = {0};
    struct event_limits none = {0}; /* they are for the types that clients choose */
    return event_store(request->arena, app->writer, request->player_id, &event, &result, 1,
                       none, err);
}

static void
answer(struct response *response, struct str meta, bool is_stored, bool has_character)
{
    struct json j = object_begin(response);
    json_member_bool(&j, "ok", true);
    json_member_raw(&j, "tracked", meta);
    json_member_bool(&j, "counted", is_stored);
    json_member_begin_array(&j, "missing");
    if (!has_character)
        json_str(&j, STR("character"));
    json_end_array(&j);
    object_end(&j);
}

bool
track_link(struct app *app, struct request *request, struct response *response, struct err *err)
{
    const struct config_list *hosts = &app->config->players_track_redirect_hosts;
    struct str redirect = request_text(request, "redirect"), meta;
    bool has_character, counts = is_counted(request);
    if (redirect.n && !track_check_redirect(redirect, hosts->items, hosts->count, err))
        return false;
    struct track_param *params =
        arena_array(request->arena, request->param_count, struct track_param);
    for (size_t i = 0; i < request->param_count; i++)
        params[i] = (struct track_param){request->params[i].name, request->params[i].value};
    if (!track_make_meta(request->arena, params, request->param_count, &meta, &has_character,
                         err) ||
        (counts && !store(app, request, meta, err)))
        return false;
    if (redirect.n) {
        response->status = 302;
        response_header(response, "Location", "%" STR_FMT, STR_ARG(redirect));
    } else {
        answer(response, meta, counts, has_character);
    }
    return true;
}
