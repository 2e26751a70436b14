/* URLs of strangers: what is taken is ASCII and taken again as it is, and nothing that is shown
 * has a query, a fragment or a user in it. */
#include "fuzz.h"

#include "fetch/fetch.h"

#include <string.h>

static const uint16_t PORTS[] = {80, 443};
static const struct fetch_policy POLICY = {.ports = PORTS, .port_count = COUNT_OF(PORTS)};

static void
check_shown(struct arena *a, struct str url)
{
    struct str shown = fetch_shown_url(a, url);
    assert(str_find_char(shown, '?') < 0 && str_find_char(shown, '#') < 0);
    /* Of an authority only; a path may hold it. */
    ptrdiff_t at = str_find(shown, STR("://"));
    struct str rest = str_skip(shown, at < 0 ? 0 : (size_t)at + 3);
    assert(str_find_char(str_cut(&rest, '/'), '@') < 0);
}

static void
check_effective(struct arena *a, struct str effective)
{
    struct str again;
    struct err err = {0};
    for (size_t i = 0; i < effective.n; i++)
        assert((unsigned char)effective.p[i] > 0x20 && (unsigned char)effective.p[i] < 0x7f);
    bool ok = fetch_check_url(a, effective, &POLICY, &again, &err);
    assert(ok && str_eq(again, effective));
    struct str shown = fetch_shown_url(a, effective), rest = effective;
    assert(str_eq(shown, str_cut(&rest, '?')));
}

/* Whatever stands between a password and its host, or between a scheme and its rest. */
static void
check_planted(struct arena *a, struct str bytes)
{
    static const struct {
        const char *before, *behind;
    } FORMS[] = {{"https://me:S3CRET", "@files.example/a.csv"},
                 {"https://me:S3CRET", ""},
                 {"https://files.example/a.csv?S3CRET", ""},
                 {"data:text/csv,S3CRET", ""},
                 {"data:", "@S3CRET"},
                 {"javascript:", "S3CRET"}};
    for (size_t i = 0; i < COUNT_OF(FORMS); i++) {
        struct str effective, url = arena_printf(a, "%s%" STR_FMT "%s", FORMS[i].before,
                                                 STR_ARG(bytes), FORMS[i].behind);
        struct err err = {0};
        assert(str_find(fetch_shown_url(a, url), STR("S3CRET")) < 0);
        if (!fetch_check_url(a, url, &POLICY, &effective, &err))
            assert(!strstr(err.detail, "S3CRET"));
    }
}

static void
fuzz(struct arena *a, struct str input)
{
    struct str effective;
    struct err err = {0};
    check_shown(a, input);
    if (str_find(input, STR("S3CRET")) < 0)
        check_planted(a, input);
    if (fetch_check_url(a, input, &POLICY, &effective, &err)) {
        check_shown(a, effective);
        check_effective(a, effective);
    } else {
        assert(err.code[0] && err.detail[0]);
    }
}
