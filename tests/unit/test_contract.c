/* The route table and /openapi.json say the same: every route, its scope, its parameters with
 * types, bounds, defaults and words, both ways; and openapi.yaml has words on what there is,
 * and on nothing else.  All differences are printed before the test fails. */
#include "api/app.h"
#include "api/openapi.h"
#include "base/num.h"
#include "config/yaml.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;
static const struct yaml_node *root;   /* of /openapi.json, which is YAML too */
static const struct yaml_node *source; /* of openapi.yaml */
static int differences;

static void PRINTF(2, 3) differ(const struct route *route, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "%s: ", route->operation);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    differences++;
}

static struct str
text_of(const struct yaml_node *mapping, const char *key)
{
    const struct yaml_node *node = yaml_get(mapping, key);
    return node && node->kind == YAML_SCALAR ? node->text : (struct str){NULL, 0};
}

static bool
is_true(const struct yaml_node *mapping, const char *key)
{
    return str_eq(text_of(mapping, key), STR("true"));
}

/* Follows {$ref: "#/a/b/c"}. */
static const struct yaml_node *
resolve(const struct yaml_node *node)
{
    struct str ref = text_of(node, "$ref");
    if (!ref.n)
        return node;
    const struct yaml_node *at = root;
    struct str rest = str_skip(ref, 2);
    while (rest.p && at)
        at = yaml_get(at, arena_cstr(&arena, str_cut(&rest, '/')));
    if (!at)
        fail_msg("%" STR_FMT " leads nowhere", STR_ARG(ref));
    return at;
}

static const struct yaml_node *
find_operation(const struct route *route)
{
    char method[16] = {0};
    const char *name = http_method_name(route->method);
    for (size_t i = 0; name[i]; i++)
        method[i] = (char)tolower((unsigned char)name[i]);
    const struct yaml_node *path = yaml_get(yaml_get(root, "paths"), route->pattern);
    return path ? yaml_get(path, method) : NULL;
}

static const struct yaml_node *
find_described(const struct yaml_node *operation, struct str name)
{
    const struct yaml_node *list = yaml_get(operation, "parameters");
    for (const struct yaml_node *p = list ? list->first : NULL; p; p = p->next)
        if (str_eq(text_of(resolve(p), "name"), name) &&
            str_eq(text_of(resolve(p), "in"), STR("query")))
            return resolve(p);
    return NULL;
}

static bool
is_declared(const struct route *route, struct str name)
{
    for (size_t i = 0; i < route->param_count; i++)
        if (str_eq(str_from(route->params[i].name), name))
            return true;
    return false;
}

static void
compare_bound(const struct route *route, const struct route_param *p,
              const struct yaml_node *schema, const char *key, int64_t want)
{
    int64_t got;
    struct str text = text_of(schema, key);
    if (!num_parse_i64(text, &got) || got != want)
        differ(route, "%s: %s is '%" STR_FMT "', the table has %lld", p->name, key,
               STR_ARG(text), (long long)want);
}

static void
compare_words(const struct route *route, const struct route_param *p,
              const struct yaml_node *schema)
{
    scoped_buf words;
    buf_init(&words, KIB);
    const struct yaml_node *list = yaml_get(schema, "enum");
    for (const struct yaml_node *w = list ? list->first : NULL; w; w = w->next) {
        if (words.n)
            buf_add_char(&words, ' ');
        buf_add(&words, w->text);
    }
    if (!str_eq(buf_str(&words), str_from(p->words)))
        differ(route, "%s: enum is '%" STR_FMT "', the table has '%s'", p->name,
               STR_ARG(buf_str(&words)), p->words);
}

static void
compare_param(const struct route *route, const struct route_param *p,
              const struct yaml_node *described)
{
    const struct yaml_node *schema = yaml_get(described, "schema");
    struct str type = text_of(schema, "type");
    const char *want = p->type == PARAM_WORD ? "string" : request_param_type_name(p->type);
    if (!str_eq(type, str_from(want)))
        differ(route, "%s: type is '%" STR_FMT "', the table has %s", p->name, STR_ARG(type),
               want);
    struct str fallback = text_of(schema, "default");
    if (!str_eq(fallback, str_from(p->fallback)))
        differ(route, "%s: default is '%" STR_FMT "', the table has '%s'", p->name,
               STR_ARG(fallback), p->fallback ? p->fallback : "");
    if (p->type == PARAM_INTEGER) {
        compare_bound(route, p, schema, "minimum", p->min);
        compare_bound(route, p, schema, "maximum", p->max);
    }
    if (p->type == PARAM_TEXT) {
        compare_bound(route, p, schema, "minLength", p->min);
        compare_bound(route, p, schema, "maxLength", p->max);
    }
    if (p->type == PARAM_WORD)
        compare_words(route, p, schema);
    if (!text_of(described, "description").n)
        differ(route, "%s has no description", p->name);
}

static void
compare_params(const struct route *route, const struct yaml_node *operation)
{
    for (size_t i = 0; i < route->param_count; i++) {
        const struct yaml_node *described =
            find_described(operation, str_from(route->params[i].name));
        if (described)
            compare_param(route, &route->params[i], described);
        else
            differ(route, "the parameter %s is not described", route->params[i].name);
    }
    const struct yaml_node *list = yaml_get(operation, "parameters");
    for (const struct yaml_node *p = list ? list->first : NULL; p; p = p->next)
        /* Headers are read by their handlers; the table holds what a URL can say.  One stands
         * for filters, where they are taken. */
        if (!str_eq(text_of(resolve(p), "in"), STR("header")) &&
            !(route->flags & ROUTE_TAKES_FILTERS &&
              str_eq(text_of(resolve(p), "name"), STR("filters"))) &&
            !is_declared(route, text_of(resolve(p), "name")))
            differ(route, "the parameter %" STR_FMT " is described and not in the table",
                   STR_ARG(text_of(resolve(p), "name")));
}

/* Somewhere in the operation's security, which is that of the whole API where it has none. */
static bool
is_secured_by(const struct yaml_node *operation, const char *scheme)
{
    const struct yaml_node *list = yaml_get(operation, "security");
    if (!list)
        list = yaml_get(root, "security");
    for (const struct yaml_node *way = list->first; way; way = way->next)
        if (yaml_get(way, scheme))
            return true;
    return false;
}

static void
compare_player(const struct route *route, const struct yaml_node *operation)
{
    const char *want = route->flags & ROUTE_PLAYER          ? "required"
                       : route->flags & ROUTE_MAY_BE_PLAYER ? "optional"
                                                            : "";
    bool takes_token = want[0];
    if (!str_eq(text_of(operation, "x-player"), str_from(want)))
        differ(route, "x-player is '%" STR_FMT "', the table has '%s'",
               STR_ARG(text_of(operation, "x-player")), want);
    if (is_secured_by(operation, "player_token") != takes_token)
        differ(route, "security and x-player do not say the same of player_token");
    if (takes_token && is_secured_by(operation, "api_key") != (route->scope != SCOPE_NONE))
        differ(route, "security and x-scope do not say the same of api_key");
    if (is_true(operation, "x-at-root") != (bool)(route->flags & ROUTE_AT_ROOT))
        differ(route, "x-at-root is not what the table has");
}

static void
compare_operation(const struct route *route, const struct yaml_node *operation)
{
    bool is_public = route->flags & (ROUTE_PUBLIC_DATASET | ROUTE_PUBLIC_LIST);
    bool has_filters = route->flags & ROUTE_TAKES_FILTERS;
    struct str scope = text_of(operation, "x-scope");
    if (!str_eq(text_of(operation, "operationId"), str_from(route->operation)))
        differ(route, "operationId is '%" STR_FMT "'",
               STR_ARG(text_of(operation, "operationId")));
    if (!str_eq(scope, str_from(http_scope_name(route->scope))))
        differ(route, "x-scope is '%" STR_FMT "', the table has %s", STR_ARG(scope),
               http_scope_name(route->scope));
    if (is_true(operation, "x-public") != is_public)
        differ(route, "x-public is not what the table has");
    if (is_true(operation, "x-filters") != has_filters ||
        (find_described(operation, STR("filters")) != NULL) != has_filters)
        differ(route, "x-filters is not what the table has");
    compare_player(route, operation);
    if ((yaml_get(operation, "requestBody") != NULL) != (route->body->bytes_max > 0))
        differ(route, "a body is described or taken, but not both");
    if (!yaml_get(operation, "summary") || !yaml_get(operation, "responses"))
        differ(route, "summary or responses are missing");
}

static void
every_route_is_described_as_it_is(void **state UNUSED)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        const struct yaml_node *operation = find_operation(&ROUTES[i]);
        if (!operation) {
            differ(&ROUTES[i], "%s is not described", ROUTES[i].pattern);
            continue;
        }
        compare_operation(&ROUTES[i], operation);
        compare_params(&ROUTES[i], operation);
    }
    assert_int_equal(differences, 0);
}

static const struct route *
find_route(struct str operation)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (str_eq(operation, str_from(ROUTES[i].operation)))
            return &ROUTES[i];
    return NULL;
}

static void
every_description_has_its_route(void **state UNUSED)
{
    size_t described = 0;
    for (const struct yaml_node *path = yaml_get(root, "paths")->first; path; path = path->next)
        for (const struct yaml_node *m = path->first; m; m = m->next) {
            struct str id = text_of(m, "operationId");
            if (str_eq(m->key, STR("parameters")) || str_ends(id, STR("_at_root")))
                continue;
            described++;
            if (!find_route(id))
                fail_msg("%" STR_FMT " %" STR_FMT " has no row", STR_ARG(m->key),
                         STR_ARG(path->key));
        }
    assert_int_equal(described, ROUTE_COUNT);
}

/* What a row says stands nowhere else, and words without a row describe nothing. */
static void
every_word_is_on_something_of_the_table(void **state UNUSED)
{
    static const char *const OF_WORDS[] = {"tags",      "summary",  "description",
                                           "query",     "headers",  "requestBody",
                                           "responses", "otherwise"};
    for (const struct yaml_node *o = yaml_get(source, "operations")->first; o; o = o->next) {
        const struct route *route = find_route(o->key);
        if (!route)
            fail_msg("%" STR_FMT " has no row", STR_ARG(o->key));
        size_t known = 0;
        for (size_t i = 0; i < COUNT_OF(OF_WORDS); i++)
            known += yaml_get(o, OF_WORDS[i]) != NULL;
        assert_int_equal(known, o->child_count);
        const struct yaml_node *query = yaml_get(o, "query");
        for (const struct yaml_node *p = query ? query->first : NULL; p; p = p->next) {
            if (!is_declared(route, p->key))
                differ(route, "words on %" STR_FMT ", which it does not take", STR_ARG(p->key));
            assert_int_equal((yaml_get(p, "description") != NULL) +
                                 (yaml_get(p, "example") != NULL),
                             p->child_count);
        }
    }
    for (const struct yaml_node *p = yaml_get(source, "query")->first; p; p = p->next) {
        bool is_taken = false;
        for (size_t i = 0; i < ROUTE_COUNT; i++)
            is_taken |= is_declared(&ROUTES[i], p->key);
        if (!is_taken)
            fail_msg("words on %" STR_FMT ", which nothing takes", STR_ARG(p->key));
    }
    assert_int_equal(differences, 0);
}

static void
names_in_paths_are_described(void **state UNUSED)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        const struct yaml_node *path = yaml_get(yaml_get(root, "paths"), ROUTES[i].pattern);
        const struct yaml_node *list = yaml_get(path, "parameters");
        size_t want = 0, got = list ? list->child_count : 0;
        for (const char *c = ROUTES[i].pattern; *c; c++)
            want += *c == '{';
        for (const struct yaml_node *p = list ? list->first : NULL; p; p = p->next) {
            struct str chunk =
                arena_printf(&arena, "{%" STR_FMT "}", STR_ARG(text_of(resolve(p), "name")));
            assert_true(str_find(str_from(ROUTES[i].pattern), chunk) > 0);
        }
        assert_int_equal(got, want);
    }
}

/* A sentence in {braces} ends at its first comma: the rest is a member without a value. */
static void
refuse_empty_members(const struct yaml_node *parent)
{
    for (const struct yaml_node *m = parent->first; m; m = m->next) {
        if (m->kind == YAML_SCALAR && m->is_plain && m->text.n == 0)
            fail_msg("openapi.yaml:%u: nothing stands behind '%" STR_FMT "'", m->line,
                     STR_ARG(m->key));
        refuse_empty_members(m);
    }
}

static void
no_member_is_left_empty(void **state UNUSED)
{
    refuse_empty_members(source);
}

static void
operations_are_named_once(void **state UNUSED)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(ROUTES[i].operation, ROUTES[k].operation);
}

static void
description_becomes_json(void **state UNUSED)
{
    struct err err = {0};
    scoped_buf json;
    buf_init(&json, 4 * MIB);
    if (!openapi_add_json(&json, &err))
        fail_msg("%s", err.detail);
    assert_true(str_starts(buf_str(&json), STR("{\"openapi\":\"3.1.0\",")));
    assert_true(str_find(buf_str(&json), STR("\"200\":{")) > 0);
    assert_true(str_find(buf_str(&json), STR("\"maximum\":1000,\"default\":50")) > 0);
    assert_true(str_find(buf_str(&json), STR("\"enum\":[\"true\",\"false\"]")) > 0);
}

static size_t
count_of(struct str text, struct str wanted)
{
    size_t count = 0;
    for (ptrdiff_t at; (at = str_find(text, wanted)) >= 0; count++)
        text = str_skip(text, (size_t)at + wanted.n);
    return count;
}

static void
what_is_at_the_root_too_is_described_there(void **state UNUSED)
{
    struct err err = {0};
    scoped_buf json;
    buf_init(&json, 4 * MIB);
    assert_true(openapi_add_json(&json, &err));
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        const struct route *route = &ROUTES[i];
        if (!(route->flags & ROUTE_AT_ROOT))
            continue;
        struct str path = arena_printf(&arena, "\"%s\":{", router_root_pattern(route));
        struct str id =
            arena_printf(&arena, "\"operationId\":\"%s_at_root\"", route->operation);
        assert_int_equal(count_of(buf_str(&json), path), 1);
        assert_int_equal(count_of(buf_str(&json), id), 1);
    }
}

static int
read_description(void **state UNUSED)
{
    struct err err = {0};
    struct str name = STR("openapi.yaml");
    const struct embed_file *file = embed_find(EMBED_OPENAPI, EMBED_OPENAPI_COUNT, name);
    scoped_buf json;
    buf_init(&json, OPENAPI_BYTES_MAX);
    if (file && yaml_read(&arena, name, file->text, &source, &err) &&
        openapi_add_json(&json, &err) &&
        yaml_read(&arena, STR("openapi.json"), arena_str(&arena, buf_str(&json)), &root, &err))
        return 0;
    fprintf(stderr, "%s\n", file ? err.detail : "openapi.yaml is not embedded");
    return 1;
}

static int
forget(void **state UNUSED)
{
    arena_free(&arena);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_described_as_it_is),
        cmocka_unit_test(every_description_has_its_route),
        cmocka_unit_test(every_word_is_on_something_of_the_table),
        cmocka_unit_test(names_in_paths_are_described),
        cmocka_unit_test(no_member_is_left_empty),
        cmocka_unit_test(operations_are_named_once),
        cmocka_unit_test(description_becomes_json),
        cmocka_unit_test(what_is_at_the_root_too_is_described_there),
    };
    return cmocka_run_group_tests_name("contract", tests, read_description, forget);
}
