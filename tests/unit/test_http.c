/* Requests, responses and the router, without a server: the environment is an array, the sink a
 * buffer. */
#include "base/release.h"
#include "http/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int
forget(void **state UNUSED)
{
    arena_free(&arena);
    return 0;
}

/* A GET of `uri`, with up to two more variables. */
static bool
parse(const char *uri, const char *more, const char *still_more, struct request *out,
      struct err *err)
{
    char *environment[] = {
        (char *)"REQUEST_METHOD=GET",
        (char *)arena_printf(&arena, "REQUEST_URI=%s", uri).p,
        (char *)(more ? more : "A=1"),
        (char *)(still_more ? still_more : "B=1"),
        NULL,
    };
    *err = (struct err){0};
    return request_parse(&arena, environment, out, err);
}

static void
assert_malformed(const char *uri)
{
    struct request request;
    struct err err;
    if (parse(uri, NULL, NULL, &request, &err))
        fail_msg("%s was read", uri);
    assert_int_equal(err.kind, ERR_MALFORMED);
    assert_true(request.id.n > 0);
    assert_true(request.path.n > 0);
}

static void
assert_str(struct str got, const char *want)
{
    if (!str_eq(got, str_from(want)))
        fail_msg("'%" STR_FMT "' is not '%s'", STR_ARG(got), want);
}

static void
path_and_query_are_decoded_once(void **state UNUSED)
{
    struct request r;
    struct err err;
    assert_true(parse("/v1/a%2Fb/%2541?x=a+b%26c&x=%C3%A9&&flag&=e", NULL, NULL, &r, &err));
    assert_int_equal(r.segment_count, 3);
    assert_str(r.segments[1], "a/b");
    assert_str(r.segments[2], "%41");
    assert_int_equal(r.param_count, 4);
    assert_str(r.params[0].name, "x");
    assert_str(r.params[0].value, "a b&c");
    assert_str(r.params[1].value, "\xc3\xa9");
    assert_str(r.params[2].name, "flag");
    assert_str(r.params[2].value, "");
    assert_str(r.params[3].name, "");
    assert_str(r.params[3].value, "e");
    assert_str(r.path, "/v1/a%2Fb/%2541");
}

static void
bad_escapes_are_refused(void **state UNUSED)
{
    static const char *const URIS[] = {
        "/a%",         "/a%2",      "/a%zz",          "/a%00",         "/a?x=%00",
        "/a?x=%c0%af", "/a?%ff=1",  "/a?x=%ed%a0%80", "/a/../b",       "/a/%2e%2e/b",
        "/./a",        "/a?x=\xff", "/a%e0%80%af",    "/a?x=%f8%88%80"};
    for (size_t i = 0; i < COUNT_OF(URIS); i++)
        assert_malformed(URIS[i]);
}

static void
too_many_parameters_are_refused(void **state UNUSED)
{
    scoped_buf uri;
    buf_init(&uri, KIB * 8);
    buf_add_lit(&uri, "/a?x");
    for (int i = 1; i < REQUEST_PARAMS_MAX; i++)
        buf_add_lit(&uri, "&x");
    struct request r;
    struct err err;
    assert_true(parse(arena_cstr(&arena, buf_str(&uri)), NULL, NULL, &r, &err));
    assert_int_equal(r.param_count, REQUEST_PARAMS_MAX);
    buf_add_lit(&uri, "&x");
    assert_malformed(arena_cstr(&arena, buf_str(&uri)));
}

static void
headers_we_act_on_come_once(void **state UNUSED)
{
    struct request r;
    struct err err;
    assert_false(parse("/a", "HTTP_X_API_KEY=one", "HTTP_X_API_KEY=two", &r, &err));
    assert_int_equal(err.kind, ERR_MALFORMED);
    assert_string_equal(err_code(&err), "duplicate_header");
    assert_string_equal(err.detail, "the header x-api-key may come once, it came 2 times");
    assert_false(parse("/a", "HTTP_X_API_KEY=same", "HTTP_X_API_KEY=same", &r, &err));
    assert_true(parse("/a", "HTTP_ACCEPT=text/csv", "HTTP_ACCEPT=text/html", &r, &err));
    assert_str(r.header.accept, "text/csv");
}

static void
request_ids_are_kept_when_they_are_harmless(void **state UNUSED)
{
    struct request r;
    struct err err;
    assert_true(parse("/a", "PM_REQUEST_ID=abc_1.2-Z", NULL, &r, &err));
    assert_str(r.id, "abc_1.2-Z");
    assert_true(parse("/a", "PM_REQUEST_ID=a\r\nX: 1", NULL, &r, &err));
    assert_int_equal(r.id.n, 32);
    assert_true(parse("/a", "PM_REQUEST_ID=", NULL, &r, &err));
    assert_int_equal(r.id.n, 32);
}

static void
scope_is_what_nginx_says(void **state UNUSED)
{
    struct request r;
    struct err err;
    assert_true(parse("/a", "PM_SCOPE=write", "PM_CLIENT=desk", &r, &err));
    assert_int_equal(r.scope, SCOPE_WRITE);
    assert_str(r.client, "desk");
    assert_true(parse("/a", "PM_SCOPE=root", "HTTP_PM_SCOPE=admin", &r, &err));
    assert_int_equal(r.scope, SCOPE_NONE);
}

static size_t
accepts(const char *accept)
{
    static const char *const OFFERS[] = {"application/json", "text/csv"};
    struct request r;
    struct err err;
    assert_true(parse("/a", arena_printf(&arena, "HTTP_ACCEPT=%s", accept).p, NULL, &r, &err));
    return request_accepts(&r, OFFERS, COUNT_OF(OFFERS));
}

static void
accept_picks_the_form(void **state UNUSED)
{
    assert_int_equal(accepts(""), 0);
    assert_int_equal(accepts("*/*"), 0);
    assert_int_equal(accepts("text/csv"), 1);
    assert_int_equal(accepts("TEXT/CSV; charset=utf-8"), 1);
    assert_int_equal(accepts("text/*"), 1);
    assert_int_equal(accepts("application/json;q=0.5, text/csv"), 1);
    assert_int_equal(accepts("text/csv;q=0.5, */*;q=0.6"), 0);
    assert_int_equal(accepts("*/*, application/json;q=0"), 1);
    assert_int_equal(accepts("text/html, */*;q=0.8"), 0);
    assert_true(accepts("text/html") == SIZE_MAX);
    assert_true(accepts("text/csv;q=0") == SIZE_MAX);
}

static bool
knows(const char *if_none_match)
{
    struct request r;
    struct err err;
    assert_true(parse("/a", arena_printf(&arena, "HTTP_IF_NONE_MATCH=%s", if_none_match).p,
                      NULL, &r, &err));
    return request_matches_etag(&r, STR("\"v3\""));
}

static void
etags_compare_weakly(void **state UNUSED)
{
    assert_true(knows("\"v3\""));
    assert_true(knows("W/\"v3\""));
    assert_true(knows("\"v2\", W/\"v3\""));
    assert_true(knows("*"));
    assert_false(knows("\"v2\""));
    assert_false(knows("v3"));
    assert_false(knows(""));
}

static bool
handle_nothing(struct app *app UNUSED, struct request *request UNUSED,
               struct response *response UNUSED, struct err *err UNUSED)
{
    return true;
}

static const struct route_param LIST_PARAMS[] = {
    {"limit", PARAM_INTEGER, 1, 100, "20", NULL, ""},
    {"sort", PARAM_TEXT, 1, 8, NULL, NULL, ""},
    {"raw", PARAM_BOOLEAN, 0, 0, "false", NULL, ""},
    {"form", PARAM_WORD, 0, 0, NULL, "json csv", ""},
};
static const struct route TABLE[] = {
    {HTTP_GET, "/things", "list", handle_nothing, SCOPE_NONE, 0, 0, LIST_PARAMS, 4},
    {HTTP_POST, "/things", "make", handle_nothing, SCOPE_NONE, 0, 10, LIST_PARAMS, 0},
    {HTTP_GET, "/things/{id}/parts/{part}", "part", handle_nothing, SCOPE_NONE,
     ROUTE_TAKES_FILTERS, 0, LIST_PARAMS, 4},
};

static bool
route(const char *method, const char *uri, struct request *r, struct buf *allow,
      struct err *err)
{
    char *environment[] = {
        (char *)arena_printf(&arena, "REQUEST_METHOD=%s", method).p,
        (char *)arena_printf(&arena, "REQUEST_URI=%s", uri).p,
        NULL,
    };
    *err = (struct err){0};
    assert_true(request_parse(&arena, environment, r, err));
    return router_find(TABLE, COUNT_OF(TABLE), r, allow, err);
}

static void
routes_are_found_by_method_and_path(void **state UNUSED)
{
    struct request r;
    struct err err;
    scoped_buf allow;
    buf_init(&allow, 100);
    assert_true(route("GET", "/things/a%2Fb/parts/7", &r, &allow, &err));
    assert_string_equal(r.route->operation, "part");
    assert_str(request_path_value(&r, "id"), "a/b");
    assert_str(request_path_value(&r, "part"), "7");
    assert_true(route("HEAD", "/things", &r, &allow, &err));
    assert_string_equal(r.route->operation, "list");
    static const char *const ABSENT[] = {
        "/",        "/thing",           "/things/",         "/things/1",
        "//things", "/things/1/parts/", "/things//parts/1", "/Things"};
    for (size_t i = 0; i < COUNT_OF(ABSENT); i++) {
        assert_false(route("GET", ABSENT[i], &r, &allow, &err));
        assert_int_equal(err.kind, ERR_NOT_FOUND);
    }
}

static void
another_method_is_405_with_allow(void **state UNUSED)
{
    struct request r;
    struct err err;
    scoped_buf allow;
    buf_init(&allow, 100);
    assert_false(route("DELETE", "/things", &r, &allow, &err));
    assert_int_equal(err.kind, ERR_METHOD);
    assert_str(buf_str(&allow), "GET, HEAD, POST, OPTIONS");
    buf_clear(&allow);
    assert_false(route("get", "/things/1/parts/1", &r, &allow, &err));
    assert_str(buf_str(&allow), "GET, HEAD, OPTIONS");
}

static const char *
check(const char *uri, struct request *r, struct err *err)
{
    scoped_buf allow;
    buf_init(&allow, 100);
    assert_true(route("GET", uri, r, &allow, err));
    return request_check_params(r, err) ? "" : err_code(err);
}

static void
parameters_are_checked_against_the_row(void **state UNUSED)
{
    struct request r;
    struct err err;
    assert_string_equal(check("/things", &r, &err), "");
    assert_int_equal(request_integer(&r, "limit"), 20);
    assert_false(request_has(&r, "limit"));
    assert_string_equal(check("/things?limit=100&raw=1&sort=", &r, &err), "bad_parameter");
    assert_string_equal(check("/things?limit=100&raw=1&sort=a", &r, &err), "");
    assert_int_equal(request_integer(&r, "limit"), 100);
    assert_true(request_boolean(&r, "raw"));
    assert_string_equal(check("/things?limit=101", &r, &err), "bad_parameter");
    assert_non_null(strstr(err.detail, "from 1 to 100, got '101'"));
    assert_string_equal(err.name, "limit");
    assert_string_equal(check("/things?limit=0", &r, &err), "bad_parameter");
    assert_string_equal(check("/things?limit=", &r, &err), "bad_parameter");
    assert_string_equal(check("/things?limit=9223372036854775808", &r, &err), "bad_parameter");
    assert_string_equal(check("/things?raw=maybe", &r, &err), "bad_parameter");
    assert_string_equal(check("/things?form=xml", &r, &err), "bad_parameter");
    assert_string_equal(check("/things?form=json%20csv", &r, &err), "bad_parameter");
    assert_string_equal(check("/things?sort=123456789", &r, &err), "bad_parameter");
    assert_string_equal(check("/things?limit=1&limit=1", &r, &err), "duplicate_parameter");
    assert_string_equal(check("/things?limti=1", &r, &err), "unknown_parameter");
    assert_non_null(strstr(err.detail, "did you mean 'limit'"));
    assert_string_equal(check("/things?zzzzzzz=1", &r, &err), "unknown_parameter");
    assert_null(strstr(err.detail, "did you mean"));
}

static void
filters_are_what_the_row_does_not_declare(void **state UNUSED)
{
    struct request r;
    struct err err;
    assert_string_equal(check("/things/1/parts/2?a__gt=1&limit=3&a__gt=2", &r, &err), "");
    assert_int_equal(r.filter_count, 2);
    assert_str(r.filters[1].value, "2");
    assert_int_equal(request_integer(&r, "limit"), 3);
}

static bool
collect(void *context, struct str bytes)
{
    buf_add(context, bytes);
    return true;
}

static bool
refuse_bytes(void *context UNUSED, struct str bytes UNUSED)
{
    return false;
}

static void
headers_cannot_be_injected(void **state UNUSED)
{
    struct request r;
    struct err err;
    assert_true(parse("/a", NULL, NULL, &r, &err));
    scoped_buf out;
    buf_init(&out, 64 * KIB);
    struct response response;
    response_init(&response, &r, (struct http_sink){collect, &out});
    response_header(&response, "Location", "/x%s", "\r\nSet-Cookie: a=b");
    response.type = "text/plain";
    buf_add_lit(&response.body, "hello");
    response_finish(&response);
    response_free(&response);
    assert_true(str_find(buf_str(&out), STR("\r\nLocation: /x??Set-Cookie: a=b\r\n")) > 0);
    assert_true(str_starts(buf_str(&out), STR("Status: 200 OK\r\n")));
    assert_true(str_find(buf_str(&out), STR("\r\nContent-Length: 5\r\n")) > 0);
    assert_true(str_ends(buf_str(&out), STR("\r\n\r\nhello")));
}

static void
known_answers_have_no_body(void **state UNUSED)
{
    struct request r;
    struct err err;
    assert_true(parse("/a", "HTTP_IF_NONE_MATCH=W/\"t-" RELEASE "\"", NULL, &r, &err));
    scoped_buf out;
    buf_init(&out, 64 * KIB);
    struct response response;
    response_init(&response, &r, (struct http_sink){collect, &out});
    assert_true(response_is_known(&response, STR("t")));
    buf_add_lit(&response.body, "not to be sent");
    response_finish(&response);
    response_free(&response);
    assert_true(str_starts(buf_str(&out), STR("Status: 304 Not Modified\r\n")));
    assert_true(str_ends(buf_str(&out), STR("\r\n\r\n")));
    assert_true(str_find(buf_str(&out), STR("Content-Length")) < 0);
}

static void
streams_stop_when_the_client_is_gone(void **state UNUSED)
{
    struct request r;
    struct err err;
    assert_true(parse("/a", NULL, NULL, &r, &err));
    struct response response;
    response_init(&response, &r, (struct http_sink){refuse_bytes, NULL});
    assert_false(response_begin_stream(&response, "text/csv", &err));
    assert_true(response.is_broken);
    response_free(&response);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(path_and_query_are_decoded_once, forget),
        cmocka_unit_test_teardown(bad_escapes_are_refused, forget),
        cmocka_unit_test_teardown(too_many_parameters_are_refused, forget),
        cmocka_unit_test_teardown(headers_we_act_on_come_once, forget),
        cmocka_unit_test_teardown(request_ids_are_kept_when_they_are_harmless, forget),
        cmocka_unit_test_teardown(scope_is_what_nginx_says, forget),
        cmocka_unit_test_teardown(accept_picks_the_form, forget),
        cmocka_unit_test_teardown(etags_compare_weakly, forget),
        cmocka_unit_test_teardown(routes_are_found_by_method_and_path, forget),
        cmocka_unit_test_teardown(another_method_is_405_with_allow, forget),
        cmocka_unit_test_teardown(parameters_are_checked_against_the_row, forget),
        cmocka_unit_test_teardown(filters_are_what_the_row_does_not_declare, forget),
        cmocka_unit_test_teardown(headers_cannot_be_injected, forget),
        cmocka_unit_test_teardown(known_answers_have_no_body, forget),
        cmocka_unit_test_teardown(streams_stop_when_the_client_is_gone, forget),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
