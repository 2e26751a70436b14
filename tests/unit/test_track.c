/* Deep links: what is kept of them, where they may lead, and who only looks. */
#include "players/track.h"

#include "temp_dir.h"

#include <string.h>

static const struct str HOSTS[] = {STR_INIT("game.example"), STR_INIT("play.example:8443")};

static bool
is_allowed(const char *url)
{
    struct err err = {0};
    bool ok = track_check_redirect(str_from(url), HOSTS, COUNT_OF(HOSTS), &err);
    if (!ok) {
        assert_int_equal(err.kind, ERR_BAD_PARAMETER);
        assert_string_equal(err_code(&err), "redirect_not_allowed");
        assert_string_equal(err.name, "redirect");
    }
    return ok;
}

static void
a_link_leads_to_hosts_that_are_listed(void **state UNUSED)
{
    static const char *const URLS[] = {
        "https://game.example",           "http://game.example/",
        "HTTPS://GAME.Example/a/b?c=d#e", "https://game.example?x=https://evil.example/",
        "https://game.example#@evil",     "https://play.example:8443/@x:y",
    };
    for (size_t i = 0; i < COUNT_OF(URLS); i++)
        if (!is_allowed(URLS[i]))
            fail_msg("refused: %s", URLS[i]);
}

/* What browsers, libcurl and people read differently is refused. */
static void
a_link_leads_nowhere_else(void **state UNUSED)
{
    static const char *const URLS[] = {
        "",
        "game.example",
        "//game.example/",
        "/game.example",
        "https:",
        "https://",
        "https:///game.example/",
        "https:/game.example/",
        "https:game.example",
        "ftp://game.example/",
        "javascript://game.example/%0aalert(1)",
        "data:text/html,x",
        "https://evil.example/",
        "https://evil.example/game.example",
        "https://game.example.evil.example/",
        "https://evil-game.example/",
        "https://game.example./",
        "https://game.example:443/",
        "https://game.example:/",
        "https://play.example/",
        "https://play.example:84430/",
        "https://game.example:8443/",
        "https://user@game.example/",
        "https://game.example@evil.example/",
        "https://game.example:pw@evil.example/",
        "https://game.example%40evil.example/",
        "https://game.example%2eevil.example/",
        "https://evil.example\\@game.example/",
        "https://game.example\\.evil.example/",
        "https:\\\\game.example/",
        "https://game.example/\\",
        " https://game.example/",
        "https://game.example/ ",
        "https://game.example/\n",
        "ht\ttps://game.example/",
        "https://game.example\t/",
        "https://game.example/\x7f",
        "https://game.example/\xc3\xa9",
        "https://game\xe3\x80\x82"
        "example/",
        "https://[::1]/",
        "https://game.example;evil.example/",
        "https://game.example,x/",
    };
    for (size_t i = 0; i < COUNT_OF(URLS); i++)
        if (is_allowed(URLS[i]))
            fail_msg("allowed: %s", URLS[i]);
    struct err err = {0};
    assert_false(
        track_check_redirect(STR("https://evil.example/x"), HOSTS, COUNT_OF(HOSTS), &err));
    assert_non_null(strstr(err.detail, "'evil.example'"));
    assert_false(track_check_redirect(STR("https://game.example/"), NULL, 0, &err));
    assert_false(track_check_redirect((struct str){"https://game.example/\0", 22}, HOSTS,
                                      COUNT_OF(HOSTS), &err));
}

static void
every_parameter_is_kept_and_repeated_ones_become_an_array(void **state UNUSED)
{
    static const struct {
        struct track_param params[5];
        size_t count;
        const char *meta;
        bool has_character;
    } CASES[] = {
        {{{STR_INIT(""), STR_INIT("")}}, 0, "{\"character\":null}", false},
        {{{STR_INIT("a"), STR_INIT("1")}, {STR_INIT("character"), STR_INIT("k\"n")}},
         2,
         "{\"character\":\"k\\\"n\",\"a\":\"1\"}",
         true},
        {{{STR_INIT("character"), STR_INIT("")}, {STR_INIT(""), STR_INIT("x")}},
         2,
         "{\"character\":null,\"\":\"x\"}",
         false},
        {{{STR_INIT("t"), STR_INIT("1")},
          {STR_INIT("u"), STR_INIT("2")},
          {STR_INIT("t"), STR_INIT("")},
          {STR_INIT("t"), STR_INIT("3")}},
         4,
         "{\"character\":null,\"t\":[\"1\",\"\",\"3\"],\"u\":\"2\"}",
         false},
    };
    scoped_arena a = {0};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct err err = {0};
        struct str meta;
        bool has_character;
        assert_true(
            track_make_meta(&a, CASES[i].params, CASES[i].count, &meta, &has_character, &err));
        assert_true(str_eq(meta, str_from(CASES[i].meta)));
        assert_int_equal(has_character, CASES[i].has_character);
    }
}

static void
links_have_their_limits(void **state UNUSED)
{
    scoped_arena a = {0};
    struct err err = {0};
    struct str meta;
    bool has_character;
    struct track_param params[TRACK_PARAMS_MAX + 1];
    for (size_t i = 0; i < COUNT_OF(params); i++)
        params[i] = (struct track_param){STR("p"), STR("x")};
    assert_true(track_make_meta(&a, params, TRACK_PARAMS_MAX, &meta, &has_character, &err));
    assert_false(
        track_make_meta(&a, params, TRACK_PARAMS_MAX + 1, &meta, &has_character, &err));
    assert_non_null(strstr(err.detail, "64"));
    char text[EVENT_META_BYTES_MAX];
    memset(text, 'x', sizeof(text));
    size_t room = EVENT_META_BYTES_MAX - strlen("{\"character\":null,\"p\":\"\"}");
    params[0].value = (struct str){text, room};
    assert_true(track_make_meta(&a, params, 1, &meta, &has_character, &err));
    assert_int_equal(meta.n, EVENT_META_BYTES_MAX);
    params[0].value.n++;
    assert_false(track_make_meta(&a, params, 1, &meta, &has_character, &err));
    assert_non_null(strstr(err.detail, "8192"));
}

static void
programs_that_only_look_are_known_by_their_name(void **state UNUSED)
{
    static const char *const LOOK[] = {
        "facebookexternalhit/1.1",
        "Twitterbot/1.0",
        "Slackbot-LinkExpanding 1.0",
        "Mozilla/5.0 (compatible; Discordbot/2.0)",
        "TelegramBot (like TwitterBot)",
        "WhatsApp/2.23.20.0 A",
        "LinkedInBot/1.0",
        "Mozilla/5.0 SkypeUriPreview Preview/0.5",
        "Mozilla/5.0 (compatible; redditbot/1.0)",
        "x Applebot/0.1",
        "y Googlebot/2.1",
        "z bingbot/2.0",
    };
    static const char *const OPEN[] = {
        "",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604.1",
        "Mozilla/5.0 (Linux; Android 14) Chrome/120.0 Mobile",
        "curl/8.5.0",
        "whatsap",
    };
    for (size_t i = 0; i < COUNT_OF(LOOK); i++)
        if (!track_is_preview(str_from(LOOK[i])))
            fail_msg("counted: %s", LOOK[i]);
    for (size_t i = 0; i < COUNT_OF(OPEN); i++)
        if (track_is_preview(str_from(OPEN[i])))
            fail_msg("not counted: %s", OPEN[i]);
}

static void
browsers_say_that_they_fetch_ahead(void **state UNUSED)
{
    static const char *const AHEAD[] = {
        "prefetch",    "Prefetch", "prefetch;prerender", "prefetch;anonymous-client-ip",
        "prerender",   "preview",  "x, prefetch",        "prefetch=?1",
        "\tprefetch ",
    };
    static const char *const NOW[] = {"",         "pre", "prefetched", "no-prefetch",
                                      "navigate", ";,;"};
    for (size_t i = 0; i < COUNT_OF(AHEAD); i++)
        if (!track_is_ahead(str_from(AHEAD[i])))
            fail_msg("counted: %s", AHEAD[i]);
    for (size_t i = 0; i < COUNT_OF(NOW); i++)
        if (track_is_ahead(str_from(NOW[i])))
            fail_msg("not counted: %s", NOW[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_leads_to_hosts_that_are_listed),
        cmocka_unit_test(a_link_leads_nowhere_else),
        cmocka_unit_test(every_parameter_is_kept_and_repeated_ones_become_an_array),
        cmocka_unit_test(links_have_their_limits),
        cmocka_unit_test(programs_that_only_look_are_known_by_their_name),
        cmocka_unit_test(browsers_say_that_they_fetch_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
