/* Judging a URL before it is used.  It is taken apart by libcurl's own parser, the one that the
 * transfer uses: two parsers that disagree about where the host begins are how a check is
 * passed by with `http://allowed\@refused/`. */
#include "fetch/fetch.h"

#include <curl/curl.h>
#include <string.h>

#define URL_BYTES_MAX 2048

static void
url_handle_free(CURLU **handle)
{
    curl_url_cleanup(*handle);
}

static bool
bad_url(struct err *err, struct str url, const char *rule)
{
    return err_set_code(err, ERR_INVALID, "bad_url", "%s: '%" STR_FMT "'", rule,
                        STR_ARG(str_slice(url, 0, 200)));
}

/* The part of the URL as an empty or NUL-terminated text of the arena. */
static struct str
url_part(struct arena *a, CURLU *handle, CURLUPart part)
{
    char *text = NULL;
    if (curl_url_get(handle, part, &text, 0) != CURLUE_OK)
        return STR("");
    struct str copy = arena_str(a, str_from(text));
    curl_free(text);
    return copy;
}

/* Digits behind "gid=" in a query or fragment, or nothing. */
static struct str
sheet_gid(struct str text)
{
    ptrdiff_t at = str_find(text, STR("gid="));
    if (at < 0)
        return STR("");
    struct str rest = str_skip(text, (size_t)at + 4);
    size_t n = 0;
    while (n < rest.n && rest.p[n] >= '0' && rest.p[n] <= '9')
        n++;
    return str_slice(rest, 0, n);
}

static bool
is_sheet_page(struct str page)
{
    return page.n == 0 || str_eq(page, STR("edit")) || str_eq(page, STR("view")) ||
           str_eq(page, STR("preview")) || str_eq(page, STR("htmlview"));
}

/* A link as the browser's address line shows it: /spreadsheets/d/ID/edit?usp=sharing#gid=0.
 * Published sheets (/spreadsheets/d/e/...) and exports are left as they are. */
static bool
sheet_export(struct arena *a, CURLU *handle, struct str *out)
{
    struct str path = url_part(a, handle, CURLUPART_PATH);
    struct str prefix = STR("/spreadsheets/d/");
    if (!str_eq_ascii_nocase(url_part(a, handle, CURLUPART_HOST), STR("docs.google.com")) ||
        !str_starts(path, prefix))
        return false;
    struct str rest = str_skip(path, prefix.n);
    struct str id = str_cut(&rest, '/');
    if (id.n == 0 || str_eq(id, STR("e")) || !is_sheet_page(str_cut(&rest, '/')))
        return false;
    struct str gid = sheet_gid(url_part(a, handle, CURLUPART_FRAGMENT));
    if (gid.n == 0)
        gid = sheet_gid(url_part(a, handle, CURLUPART_QUERY));
    *out = arena_printf(
        a, "https://docs.google.com/spreadsheets/d/%" STR_FMT "/export?format=csv%s%" STR_FMT,
        STR_ARG(id), gid.n > 0 ? "&gid=" : "", STR_ARG(gid));
    return true;
}

bool
fetch_explain(struct str url, struct err *err)
{
    static const char *const CODES[] = {"not_csv", "http_status"};
    ptrdiff_t at = str_find(url, STR("://docs.google.com/spreadsheets/"));
    for (size_t i = 0; i < COUNT_OF(CODES); i++)
        if (at > 0 && at <= 5 && strcmp(err_code(err), CODES[i]) == 0) {
            struct err cause = *err;
            return err_set_code(
                err, cause.kind, CODES[i],
                "%s; a Google sheet has to be shared with everybody who has the "
                "link",
                cause.detail);
        }
    return false;
}

static bool
has_control_byte(struct str url)
{
    for (size_t i = 0; i < url.n; i++) {
        if ((unsigned char)url.p[i] < 0x20 || url.p[i] == 0x7f)
            return true;
    }
    return false;
}

bool
fetch_check_url(struct arena *a, struct str url, struct str *effective, struct err *err)
{
    url = str_trim(url);
    if (url.n > URL_BYTES_MAX)
        return err_set_code(err, ERR_INVALID, "bad_url",
                            "a URL has at most %d bytes, this one has %zu", URL_BYTES_MAX,
                            url.n);
    if (has_control_byte(url))
        return bad_url(err, url, "a URL has no control characters");

    CURLU *handle SCOPED(url_handle_free) = curl_url();
    assert(handle);
    /* Blanks are encoded like the rest; newer libcurl wants that said. */
    CURLUcode code =
        curl_url_set(handle, CURLUPART_URL, arena_cstr(a, url),
                     CURLU_URLENCODE | CURLU_ALLOW_SPACE | CURLU_NON_SUPPORT_SCHEME);
    if (code != CURLUE_OK)
        return bad_url(err, url, "this is not a URL with http:// or https:// in front");
    struct str scheme = url_part(a, handle, CURLUPART_SCHEME);
    if (!str_eq_ascii_nocase(scheme, STR("http")) && !str_eq_ascii_nocase(scheme, STR("https")))
        return bad_url(err, url, "a URL begins with http:// or https://");
    char *credential = NULL;
    if (curl_url_get(handle, CURLUPART_USER, &credential, 0) == CURLUE_OK ||
        curl_url_get(handle, CURLUPART_PASSWORD, &credential, 0) == CURLUE_OK) {
        curl_free(credential);
        /* Not shown: it would put a password into job records and logs. */
        return err_set_code(err, ERR_INVALID, "bad_url",
                            "a URL has no user name or password in it");
    }
    if (url_part(a, handle, CURLUPART_HOST).n == 0)
        return bad_url(err, url, "a URL names a host");
    if (sheet_export(a, handle, effective))
        return true;
    curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
    *effective = url_part(a, handle, CURLUPART_URL);
    return true;
}
