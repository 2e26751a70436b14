/* The redirect is checked against a grammar that is stricter than any browser: what two parsers
 * could read differently is refused, so that the host that is compared is the host that is
 * visited. */
#include "players/track.h"

#include "json/write.h"

static bool
is_character(struct str name)
{
    return str_eq(name, STR("character"));
}

/* Is it the first parameter with its name?  All values of the name are written there. */
static bool
is_first(const struct track_param *params, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (str_eq(params[i].name, params[at].name))
            return false;
    return true;
}

static void
add_values(struct json *j, const struct track_param *params, size_t count, size_t at)
{
    size_t values = 0;
    for (size_t i = at; i < count; i++)
        values += str_eq(params[i].name, params[at].name);
    json_key_str(j, params[at].name);
    if (values > 1)
        json_begin_array(j);
    for (size_t i = at; i < count; i++)
        if (str_eq(params[i].name, params[at].name))
            json_str(j, params[i].value);
    if (values > 1)
        json_end_array(j);
}

static bool
add_character(struct json *j, const struct track_param *params, size_t count)
{
    size_t i = 0;
    while (i < count && !(is_character(params[i].name) && params[i].value.n))
        i++;
    if (i == count)
        json_member_null(j, "character");
    else
        json_member_str(j, "character", params[i].value);
    return i < count;
}

bool
track_make_meta(struct arena *a, const struct track_param *params, size_t count,
                struct str *meta, bool *has_character, struct err *err)
{
    if (count > TRACK_PARAMS_MAX)
        return err_set(err, ERR_BAD_PARAMETER, "a link has at most %d parameters, got %zu",
                       TRACK_PARAMS_MAX, count);
    scoped_buf text;
    buf_init(&text, EVENT_META_BYTES_MAX);
    struct json j = json_write(&text);
    json_begin_object(&j);
    *has_character = add_character(&j, params, count);
    for (size_t i = 0; i < count; i++)
        if (!is_character(params[i].name) && is_first(params, i))
            add_values(&j, params, count, i);
    json_end_object(&j);
    if (text.is_full)
        return err_set(err, ERR_BAD_PARAMETER,
                       "the parameters of a link are at most %zu bytes as JSON, these are more",
                       EVENT_META_BYTES_MAX);
    *meta = arena_str(a, buf_str(&text));
    return true;
}

static bool
is_plain(struct str url)
{
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= 0x20 || url.p[i] >= 0x7f || url.p[i] == '\\')
            return false;
    return true;
}

/* `host[:port]` of the URL; empty when the URL does not follow the grammar. */
static struct str
find_host(struct str url)
{
    static const struct str SCHEMES[] = {STR_INIT("https://"), STR_INIT("http://")};
    struct str none = {NULL, 0};
    if (!is_plain(url))
        return none;
    for (size_t i = 0; i < COUNT_OF(SCHEMES); i++) {
        struct str scheme = SCHEMES[i];
        if (!str_eq_ascii_nocase(str_slice(url, 0, scheme.n), scheme))
            continue;
        struct str rest = str_skip(url, scheme.n);
        size_t n = 0;
        while (n < rest.n && str_is_alnum(str_slice(rest, n, n + 1), ".-:"))
            n++;
        bool ends = n == rest.n || rest.p[n] == '/' || rest.p[n] == '?' || rest.p[n] == '#';
        return ends ? str_slice(rest, 0, n) : none;
    }
    return none;
}

bool
track_check_redirect(struct str url, const struct str *hosts, size_t host_count,
                     struct err *err)
{
    struct str host = find_host(url);
    if (host.n == 0)
        return err_set_name(err, ERR_BAD_PARAMETER, "redirect_not_allowed", STR("redirect"),
                            "redirect is http:// or https://, a host and perhaps a path, in "
                            "printable ASCII, got '%" STR_FMT "'",
                            STR_ARG(str_slice(url, 0, 200)));
    for (size_t i = 0; i < host_count; i++)
        if (str_eq_ascii_nocase(host, hosts[i]))
            return true;
    return err_set_name(err, ERR_BAD_PARAMETER, "redirect_not_allowed", STR("redirect"),
                        "the host '%" STR_FMT "' is not one that links may redirect to "
                        "(players.track_redirect_hosts in the settings)",
                        STR_ARG(str_slice(host, 0, 200)));
}

bool
track_is_preview(struct str user_agent)
{
    /* The names by which they identify themselves, in lower case. */
    static const struct str BOTS[] = {
        STR_INIT("facebookexternalhit"),
        STR_INIT("facebot"),
        STR_INIT("meta-externalagent"),
        STR_INIT("twitterbot"),
        STR_INIT("slackbot"),
        STR_INIT("slack-imgproxy"),
        STR_INIT("discordbot"),
        STR_INIT("telegrambot"),
        STR_INIT("whatsapp"),
        STR_INIT("linkedinbot"),
        STR_INIT("skypeuripreview"),
        STR_INIT("microsoftpreview"),
        STR_INIT("redditbot"),
        STR_INIT("pinterestbot"),
        STR_INIT("viber"),
        STR_INIT("vkshare"),
        STR_INIT("mastodon"),
        STR_INIT("bluesky"),
        STR_INIT("embedly"),
        STR_INIT("iframely"),
        STR_INIT("applebot"),
        STR_INIT("googlebot"),
        STR_INIT("google-read-aloud"),
        STR_INIT("bingbot"),
        STR_INIT("bingpreview"),
        STR_INIT("duckduckbot"),
        STR_INIT("yandexbot"),
        STR_INIT("baiduspider"),
    };
    for (size_t i = 0; i < COUNT_OF(BOTS); i++)
        for (size_t at = 0; at + BOTS[i].n <= user_agent.n; at++)
            if (str_eq_ascii_nocase(str_slice(user_agent, at, at + BOTS[i].n), BOTS[i]))
                return true;
    return false;
}

static bool
is_word_of_purpose(char c)
{
    return c != ';' && c != ',' && c != ' ' && c != '\t' && c != '=';
}

bool
track_is_ahead(struct str purpose)
{
    static const struct str WORDS[] = {STR_INIT("prefetch"), STR_INIT("prerender"),
                                       STR_INIT("preview")};
    for (size_t from = 0, to; from < purpose.n; from = to + 1) {
        for (to = from; to < purpose.n && is_word_of_purpose(purpose.p[to]);)
            to++;
        for (size_t i = 0; i < COUNT_OF(WORDS); i++)
            if (str_eq_ascii_nocase(str_slice(purpose, from, to), WORDS[i]))
                return true;
    }
    return false;
}
