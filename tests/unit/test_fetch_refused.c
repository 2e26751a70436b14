/* What is not fetched from, in whatever spelling, and what the refusal tells. */
#include "fetch_server.h"
#include "shared_data.h"

#include <dirent.h>

/* What the error says. */
static struct str
refusal(struct arena *a, const char *url, bool allows_loopback)
{
    struct fetch_policy policy = POLICY;
    policy.allows_loopback = allows_loopback;
    scoped_fd fd = memory_file(STR(""));
    uint64_t bytes;
    struct err err = {0};
    assert_false(fetch_url(str_from(url), fd, &policy, NULL, NULL, &bytes, &err));
    return arena_printf(a, "%s: %s", err_code(&err), err.detail);
}

/* No oracle for an internal DNS: `nobody` has no address, `secret` that of this machine. */
static void
names_that_lead_nowhere_and_inside_are_told_alike(void **state)
{
    (void)state;
    scoped_arena a = {0};
    struct str nobody = refusal(&a, "http://nobody.invalid/x.csv", false);
    struct str inside = refusal(&a, "http://secret.example/x.csv", false);
    assert_true(str_starts(nobody, STR("unreachable: ")));
    assert_int_equal(nobody.n, inside.n);
    ptrdiff_t at = str_find(nobody, STR("nobody.invalid"));
    assert_true(at > 0);
    assert_memory_equal(nobody.p, inside.p, (size_t)at);
    assert_string_equal(nobody.p + at + 14, inside.p + at + 14);
    assert_null(strstr(inside.p, "127."));
}

static void
a_host_that_is_this_machine_and_leads_nowhere_is_told_in_words(void **state)
{
    (void)state;
    scoped_arena a = {0};
    static const char *const URLS[] = {"http://localhost./", "http://none.localhost/"};
    for (size_t i = 0; i < COUNT_OF(URLS); i++) {
        struct str told = refusal(&a, URLS[i], false);
        assert_true(str_starts(told, STR("address_not_allowed: ")));
        assert_false(str_ends(told, STR("is none")));
    }
}

static void
messages_have_no_query(void **state)
{
    (void)state;
    scoped_arena a = {0};
    static const char *const PATHS[] = {
        "/404?s3cret",        "/to-self?s3cret", "/to-secret-404", "/to-secret-file",
        "/to-secret-nowhere", "/cut?s3cret",     "/silent?s3cret"};
    for (size_t i = 0; i < COUNT_OF(PATHS); i++)
        assert_null(strstr(refusal(&a, url_of(&a, PATHS[i]).p, true).p, "s3cret"));
    assert_null(strstr(refusal(&a, "http://10.0.0.1/?s3cret", true).p, "s3cret"));
    assert_null(strstr(refusal(&a, "http://nobody.invalid/?s3cret", true).p, "s3cret"));
    assert_null(strstr(refusal(&a, "ftp://example.org/?s3cret", true).p, "s3cret"));
    assert_null(strstr(refusal(&a, "http://exa mple.org/?s3cret", true).p, "s3cret"));
}

static void
assert_refused_unseen(struct arena *a, struct str url)
{
    const uint16_t ports[] = {80, 443, ntohs(server.port)};
    struct fetch_policy policy = POLICY;
    policy.allows_loopback = false;
    policy.ports = ports; /* of the server too: not the port is what refuses here */
    policy.port_count = COUNT_OF(ports);
    struct str code = fetched(a, url, &policy);
    if (!str_eq(code, STR("bad_url")) && !str_eq(code, STR("port_not_allowed")) &&
        !str_eq(code, STR("address_not_allowed")) && !str_eq(code, STR("unreachable")))
        fail_msg("%.*s: %s", (int)url.n, url.p, code.p);
    if (server.connects > 0 || server.connections > 0)
        fail_msg("%.*s: connected", (int)url.n, url.p);
}

static void
loopback_is_refused_in_every_spelling(void **state)
{
    (void)state;
    scoped_arena a = {0};
    static const char *const HOSTS[] = {
        "127.0.0.1",
        "localhost",
        "127.1",
        "127.0.1",
        "0",
        "0.0.0.0",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "localhost.",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[::127.0.0.1]",
        "[fd00:ec2::254]",
        "①②⑦.⓪.⓪.①",
        "%31%32%37.0.0.1",
        "rebind.example",
        "169.254.169.254",
        "2852039166",
        "100.100.100.200",
    };
    server.connections = 0;
    server.connects = 0;
    for (size_t i = 0; i < COUNT_OF(HOSTS); i++) {
        assert_refused_unseen(&a, arena_printf(&a, "http://%s/", HOSTS[i]));
        assert_refused_unseen(
            &a, arena_printf(&a, "https://%s:%d/ok", HOSTS[i], ntohs(server.port)));
    }
    /* The canary lives: what is allowed is seen by it. */
    assert_string_equal(fetched(&a, STR("http://rebind.example/ok"), &POLICY).p, "a,b\n1,2\n");
    assert_int_equal(server.connects, 1);
    assert_int_equal(server.connections, 1);
}

static void
only_the_ports_of_the_web_and_other_machines_are_fetched_from(void **state)
{
    (void)state;
    scoped_arena a = {0};
    static const struct {
        const char *url, *result;
        int connects;
    } CASES[] = {
        {"http://web.example/ok", "a,b\n1,2\n", 1},
        {"http://web.example:8080/ok", "port_not_allowed", 0},
        {"http://web.example/to-port", "port_not_allowed", 1},
        {"http://own.example/ok", "unreachable", 0},
        {"http://" OWN_ADDRESS "/ok", "address_not_allowed", 0},
        {"http://web.example/to-own", "unreachable", 1},
    };
    struct fetch_policy policy = POLICY;
    policy.allows_loopback = false;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        server.connects = 0;
        assert_string_equal(fetched(&a, str_from(CASES[i].url), &policy).p, CASES[i].result);
        assert_int_equal(server.connects, CASES[i].connects);
    }
}

/* Every word of the fenced blocks that could be taken for a URL. */
static size_t
refuse_fenced_urls(struct str text)
{
    size_t count = 0;
    bool is_fenced = false;
    while (text.p) {
        struct str line = str_cut(&text, '\n');
        if (str_starts(line, STR("```")))
            is_fenced = !is_fenced;
        for (struct str rest = line; is_fenced && rest.p;) {
            struct str word = str_cut(&rest, ' ');
            ptrdiff_t at = str_find(word, STR("://"));
            if (at < 0)
                continue;
            scoped_arena a = {0};
            assert_refused_unseen(&a, word);
            /* Where it is embedded ("ssrf.php?url=http://..."), also the URL by itself. */
            while (at > 0 && ((word.p[at - 1] | 0x20) >= 'a' && (word.p[at - 1] | 0x20) <= 'z'))
                at--;
            assert_refused_unseen(&a, str_skip(word, (size_t)at));
            count++;
        }
    }
    return count;
}

static void
corpus_of_payloads_is_refused_unseen(void **state)
{
    (void)state;
    DIR *dir = opendir(shared_path("corpora/ssrf-payloads/data"));
    server.connections = 0;
    server.connects = 0;
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!str_ends(str_from(entry->d_name), STR(".md")))
            continue;
        scoped_buf text;
        buf_init(&text, 16 * MIB);
        struct err err = {0};
        if (!fs_read_file(&text, dirfd(dir), entry->d_name, &err))
            fail_msg("%s", err.detail);
        count += refuse_fenced_urls(buf_str(&text));
    }
    closedir(dir);
    assert_true(count > 100);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_lead_nowhere_and_inside_are_told_alike),
        cmocka_unit_test(a_host_that_is_this_machine_and_leads_nowhere_is_told_in_words),
        cmocka_unit_test(messages_have_no_query),
        cmocka_unit_test(loopback_is_refused_in_every_spelling),
        cmocka_unit_test(only_the_ports_of_the_web_and_other_machines_are_fetched_from),
        cmocka_unit_test(corpus_of_payloads_is_refused_unseen),
    };
    return cmocka_run_group_tests(tests, start_server, NULL);
}
