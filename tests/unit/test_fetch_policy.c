/* Which addresses and URLs may be fetched at all: decided without a connection.
 *
 * The machine's own addresses are what getifaddrs says, which is replaced here. */
#include "base/buf.h"
#include "fetch/fetch.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint16_t PORTS[] = {80, 443};
static const struct fetch_policy POLICY = {.ports = PORTS, .port_count = COUNT_OF(PORTS)};
static const struct fetch_policy WITH_LOOPBACK = {
    .ports = PORTS, .port_count = COUNT_OF(PORTS), .allows_loopback = true};

static struct sockaddr_in own4 = {.sin_family = AF_INET};
static struct sockaddr_in6 own6 = {.sin6_family = AF_INET6};
static struct ifaddrs own[] = {
    {.ifa_next = &own[1]}, /* an interface without an address */
    {.ifa_next = &own[2], .ifa_addr = (struct sockaddr *)&own4},
    {.ifa_addr = (struct sockaddr *)&own6},
};
static bool is_own_known = true;

int
getifaddrs(struct ifaddrs **out)
{
    *out = own;
    return is_own_known ? 0 : -1;
}

void
freeifaddrs(struct ifaddrs *list)
{
    assert_ptr_equal(list, own);
}

static bool
is_allowed_at(const struct fetch_policy *policy, const char *text, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return !fetch_address_refusal(policy, (struct sockaddr *)&in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return !fetch_address_refusal(policy, (struct sockaddr *)&in6);
}

static bool
is_allowed(const char *text, bool allows_loopback)
{
    return is_allowed_at(allows_loopback ? &WITH_LOOPBACK : &POLICY, text, 443);
}

/* Both ends of each block, and their outer neighbours. */
static const char *const ALLOWED[] = {
    "1.0.0.0",       "9.255.255.255",   "11.0.0.0",         "100.63.255.255",
    "100.128.0.0",   "126.255.255.255", "128.0.0.0",        "168.63.129.15",
    "168.63.129.17", "169.253.255.255", "169.255.0.0",      "172.15.255.255",
    "172.32.0.0",    "192.0.1.0",       "192.0.3.0",        "192.167.255.255",
    "192.169.0.0",   "198.17.255.255",  "198.20.0.0",       "223.255.255.255",
    "8.8.8.8",       "::ffff:8.8.8.8",  "64:ff9b::8.8.8.8", "2001:200::1",
    "2001:db9::1",   "2002:808:808::1", "2606:4700::1111",  "3ffe:ffff::1",
    "3fff:1000::1"};
static const char *const REFUSED[] = {"0.0.0.0",
                                      "0.255.255.255",
                                      "10.0.0.0",
                                      "10.255.255.255",
                                      "100.64.0.0",
                                      "100.127.255.255",
                                      "127.0.0.0",
                                      "127.255.255.255",
                                      "168.63.129.16",
                                      "169.254.0.0",
                                      "169.254.169.254",
                                      "172.16.0.0",
                                      "172.31.255.255",
                                      "192.0.0.0",
                                      "192.0.2.255",
                                      "192.88.99.1",
                                      "192.168.0.0",
                                      "192.168.255.255",
                                      "198.18.0.0",
                                      "198.19.255.255",
                                      "198.51.100.7",
                                      "203.0.113.7",
                                      "224.0.0.0",
                                      "239.255.255.255",
                                      "240.0.0.0",
                                      "255.255.255.255",
                                      "::",
                                      "::1",
                                      "::2",
                                      "::8.8.8.8",
                                      "::ffff:127.0.0.1",
                                      "::ffff:10.0.0.1",
                                      "::ffff:0:8.8.8.8",
                                      "64:ff9b::127.0.0.1",
                                      "64:ff9b::a9fe:a9fe",
                                      "64:ff9b:1::8.8.8.8",
                                      "100::1",
                                      "2001::1",
                                      "2001:0:4136:e378::1",
                                      "2001:1ff:ffff::1",
                                      "2001:db8::1",
                                      "2002:7f00:1::",
                                      "2002:a9fe:a9fe::",
                                      "2002:c0a8:101::1",
                                      "3fff::1",
                                      "3fff:fff::1",
                                      "4000::1",
                                      "5f00::1",
                                      "fc00::1",
                                      "fd12:3456::1",
                                      "fe80::1",
                                      "fec0::1",
                                      "ff02::1"};

static void
addresses_are_judged_at_both_ends_of_each_block(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ALLOWED); i++) {
        if (!is_allowed(ALLOWED[i], false))
            fail_msg("%s should be allowed", ALLOWED[i]);
    }
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        if (is_allowed(REFUSED[i], false))
            fail_msg("%s should be refused", REFUSED[i]);
    }
    struct sockaddr other = {.sa_family = AF_UNIX};
    assert_non_null(fetch_address_refusal(&WITH_LOOPBACK, &other));
}

static void
addresses_of_this_machine_are_refused_in_every_form(void **state)
{
    (void)state;
    static const char *const OWN[] = {"5.6.7.8", "::ffff:5.6.7.8", "64:ff9b::5.6.7.8",
                                      "2002:506:708::1", "2a01:4f8::5"};
    assert_int_equal(inet_pton(AF_INET, "5.6.7.8", &own4.sin_addr), 1);
    assert_int_equal(inet_pton(AF_INET6, "2a01:4f8::5", &own6.sin6_addr), 1);
    for (size_t i = 0; i < COUNT_OF(OWN); i++)
        if (is_allowed(OWN[i], false) || is_allowed(OWN[i], true))
            fail_msg("%s should be refused", OWN[i]);
    assert_true(is_allowed("5.6.7.9", false));
    assert_true(is_allowed("2a01:4f8::6", false));
    is_own_known = false;
    assert_false(is_allowed("5.6.7.9", false));
    is_own_known = true;
}

static void
ports_are_those_of_the_policy(void **state)
{
    (void)state;
    static const uint16_t REFUSED_PORTS[] = {0, 22, 25, 79, 81, 442, 444, 6379, 8080, 65535};
    for (size_t i = 0; i < COUNT_OF(PORTS); i++)
        assert_true(is_allowed_at(&POLICY, "8.8.8.8", PORTS[i]));
    for (size_t i = 0; i < COUNT_OF(REFUSED_PORTS); i++) {
        scoped_arena a = {0};
        struct str effective;
        struct err err = {0};
        unsigned port = REFUSED_PORTS[i];
        struct str url = arena_printf(&a, "http://example.org:%u/x.csv?sig=s3", port);
        assert_false(is_allowed_at(&POLICY, "8.8.8.8", REFUSED_PORTS[i]));
        assert_false(is_allowed_at(&POLICY, "2606:4700::1111", REFUSED_PORTS[i]));
        /* The tests' own servers have any port; nobody else has. */
        assert_false(is_allowed_at(&WITH_LOOPBACK, "8.8.8.8", REFUSED_PORTS[i]));
        assert_true(is_allowed_at(&WITH_LOOPBACK, "127.0.0.1", REFUSED_PORTS[i]));
        if (port == 0)
            continue; /* libcurl takes it for no URL */
        assert_false(fetch_check_url(&a, url, &POLICY, &effective, &err));
        assert_string_equal(err_code(&err), "port_not_allowed");
        assert_non_null(strstr(err.detail, "80, 443"));
        assert_null(strstr(err.detail, "s3"));
        assert_true(fetch_check_url(&a, url, &WITH_LOOPBACK, &effective, &err));
    }
}

static void
allowing_loopback_allows_nothing_else(void **state)
{
    (void)state;
    static const char *const LOOPBACK[] = {"127.0.0.1", "127.255.255.255", "::1",
                                           "::ffff:127.0.0.1"};
    static const char *const OTHERS[] = {"0.0.0.0", "10.0.0.1",        "192.168.0.1",
                                         "::",      "169.254.169.254", "fe80::1",
                                         "fc00::1", "::ffff:10.0.0.1", "::127.0.0.1"};
    for (size_t i = 0; i < COUNT_OF(LOOPBACK); i++)
        assert_true(is_allowed(LOOPBACK[i], true));
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++)
        assert_false(is_allowed(OTHERS[i], true));
}

static void
urls_are_checked_before_use(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",
                                      " ",
                                      "http",
                                      "http://",
                                      "https:///",
                                      "example.org/a.csv",
                                      "//example.org/",
                                      "ftp://example.org/a",
                                      "file:///etc/passwd",
                                      "gopher://x/",
                                      "dict://x/",
                                      "data:,a",
                                      "javascript:alert(1)",
                                      "http://user@example.org/",
                                      "http://user:pw@example.org/",
                                      "http://:pw@example.org/",
                                      "http://exa mple.org/",
                                      "http://example.org:99999/",
                                      "http://example.org/\nx",
                                      "http://example.org/\x01",
                                      "http://127.1.1.1:80\\@127.2.2.2:80/",
                                      "http://ex\xe2\x84\x80mple.com/", /* the sign a/c */
                                      "http://\xfc.example/",
                                      "http://-ü-.example/",
                                      "ftp://ü.example/#pw",
                                      "http:/me:pw@example.org/",
                                      "http://me:pw@exa mple.org/a@b?pw"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        scoped_arena a = {0};
        struct str effective = STR("untouched");
        struct err err = {0};
        if (fetch_check_url(&a, str_from(BAD[i]), &POLICY, &effective, &err))
            fail_msg("'%s' should be refused", BAD[i]);
        assert_string_equal(err_code(&err), "bad_url");
        assert_null(strstr(err.detail, "pw"));
        assert_string_equal(effective.p, "untouched");
    }
    scoped_arena a = {0};
    struct buf buf;
    buf_init(&buf, 4000);
    buf_add_lit(&buf, "http://example.org/");
    while (buf.n <= 2048)
        buf_add_char(&buf, 'x');
    struct str effective;
    struct err err = {0};
    assert_false(fetch_check_url(&a, buf_str(&buf), &POLICY, &effective, &err));
    assert_string_equal(err_code(&err), "bad_url");
    assert_true(
        fetch_check_url(&a, str_slice(buf_str(&buf), 0, 2048), &POLICY, &effective, &err));
    buf_free(&buf);
}

static void
a_sheet_that_is_not_shared_is_explained(void **state)
{
    (void)state;
    static const struct {
        const char *url, *code;
        bool is_explained;
    } CASES[] = {
        {"https://docs.google.com/spreadsheets/d/A/export?format=csv", "not_csv", true},
        {"http://docs.google.com/spreadsheets/d/A/edit", "http_status", true},
        {"https://docs.google.com/spreadsheets/d/A/edit", "too_slow", false},
        {"https://example.com/?u=https://docs.google.com/spreadsheets/d/A", "not_csv", false},
        {"", "not_csv", false},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct err err;
        (void)err_set_code(&err, ERR_INVALID, CASES[i].code, "%s", "It is an HTML page");
        assert_false(fetch_explain(str_from(CASES[i].url), &err));
        assert_int_equal(err.kind, ERR_INVALID);
        assert_string_equal(err_code(&err), CASES[i].code);
        assert_int_equal(strstr(err.detail, "has to be shared") != NULL, CASES[i].is_explained);
        assert_non_null(strstr(err.detail, "It is an HTML page"));
    }
}

static void
links_are_brought_into_the_form_that_is_used(void **state)
{
    (void)state;
#define SHEET "https://docs.google.com/spreadsheets/d/"
    static const struct {
        const char *url, *effective;
    } CASES[] = {
        {SHEET "AbC_1-2/edit", SHEET "AbC_1-2/export?format=csv"},
        {SHEET "AbC_1-2/edit?usp=sharing", SHEET "AbC_1-2/export?format=csv"},
        {SHEET "AbC_1-2/edit#gid=0", SHEET "AbC_1-2/export?format=csv&gid=0"},
        {SHEET "AbC_1-2/edit?gid=77#gid=77", SHEET "AbC_1-2/export?format=csv&gid=77"},
        {SHEET "AbC_1-2/edit?gid=77", SHEET "AbC_1-2/export?format=csv&gid=77"},
        {SHEET "AbC_1-2/edit#gid=7%26x=1", SHEET "AbC_1-2/export?format=csv&gid=7"},
        {SHEET "AbC_1-2", SHEET "AbC_1-2/export?format=csv"},
        {"http://DOCS.google.com/spreadsheets/d/A/view", SHEET "A/export?format=csv"},
        {SHEET "A/export?format=csv&gid=5", SHEET "A/export?format=csv&gid=5"},
        {SHEET "e/2PACX/pub?output=csv", SHEET "e/2PACX/pub?output=csv"},
        {"https://docs.google.com.evil.example/spreadsheets/d/A/edit",
         "https://docs.google.com.evil.example/spreadsheets/d/A/edit"},
        {" https://example.org/a b.csv?x=1#part ", "https://example.org/a%20b.csv?x=1"},
        {"HTTPS://example.org", "https://example.org/"},
        {"http://example.org:443/a", "http://example.org:443/a"},
        {"https://Bücher.example/x.csv?a=ü", "https://xn--bcher-kva.example/x.csv?a=%c3%bc"},
        {"https://b%C3%BCcher.example", "https://xn--bcher-kva.example/"},
        {"https://bu\xcc\x88"
         "cher.example:443/#ü",
         "https://xn--bcher-kva.example:443/"},
        {"https://faß.example/", "https://xn--fa-hia.example/"},
        {"https://例え。テスト/", "https://xn--r8jz45g.xn--zckzah/"},
        {"http://①②⑦.⓪.⓪.①/", "http://127.0.0.1/"},
        {"http://１２７.1/", "http://127.0.0.1/"},
        {"http://my_bucket.example/", "http://my_bucket.example/"},
    };
#undef SHEET
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        scoped_arena a = {0};
        struct str effective;
        struct err err = {0};
        if (!fetch_check_url(&a, str_from(CASES[i].url), &POLICY, &effective, &err))
            fail_msg("%s: %s", CASES[i].url, err.detail);
        assert_string_equal(effective.p, CASES[i].effective);
    }
}

static void
urls_are_shown_without_what_may_be_secret(void **state)
{
    (void)state;
    static const struct {
        const char *url, *shown;
    } CASES[] = {
        {"https://example.org/a.csv", "https://example.org/a.csv"},
        {"https://example.org/a.csv?X-Amz-Signature=s3#s3", "https://example.org/a.csv"},
        {"https://example.org?s3", "https://example.org/"},
        {"https://example.org/@scope/a@1.csv#s3", "https://example.org/@scope/a@1.csv"},
        {"https://me:s3@example.org:8443/a", "https://example.org:8443/a"},
        {"https://:s3@example.org/", "https://example.org/"},
        {"https://s3@example.org/", "https://example.org/"},
        {"ftp://me:s3;type=a@example.org/a", "ftp://example.org/a"},
        {"file:///etc/passwd", "file:///etc/passwd"},
        {"example.org/a?s3", "example.org"},
        {"me:s3@exa mple.org/a#s3", "exa mple.org"},
        {"http:/me:s3@example.org/a", "http://example.org/a"},
        {"http://me:s3/@example.org/a", "example.org"},
        {"https://me:s3#x@example.org/a", "example.org"},
        {"https://me:s3?x@example.org/a", "example.org"},
        {"https://me:s3@x#s3@example.org:8443/a", "https://x/"},
        {"https://me:s3#x", "https://me"},
        {"https://exa mple.org\\s3", "https://exa mple.org"},
        {"exa mple.org/a?to=b@c&key=s3", "c"},
        {"me:s3", "me:"},
        {"data:text/csv,s3", "data:"},
        {"data:text/csv;base64,s3@s3", "data:"},
        {"data://@@s3", "data:"},
        {"javascript:s3", "javascript:"},
        {"javascript://host/s3", "javascript:"},
        {"?s3", ""},
        {"", ""},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        scoped_arena a = {0};
        struct str shown = fetch_shown_url(&a, str_from(CASES[i].url));
        assert_string_equal(arena_cstr(&a, shown), CASES[i].shown);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_judged_at_both_ends_of_each_block),
        cmocka_unit_test(addresses_of_this_machine_are_refused_in_every_form),
        cmocka_unit_test(ports_are_those_of_the_policy),
        cmocka_unit_test(allowing_loopback_allows_nothing_else),
        cmocka_unit_test(urls_are_checked_before_use),
        cmocka_unit_test(a_sheet_that_is_not_shared_is_explained),
        cmocka_unit_test(links_are_brought_into_the_form_that_is_used),
        cmocka_unit_test(urls_are_shown_without_what_may_be_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
