/* Judges a URL before it is used.  It is parsed by libcurl's own parser, the one that the
 * transfer uses: where two parsers disagree about where the host begins, a check can be
 * bypassed, as with `http://allowed\@refused/`. */
#include "fetch/fetch.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <ctype.h>
#include <curl/curl.h>
#include <idn2.h>
#include <stdlib.h>
#include <string.h>

#define URL_BYTES_MAX 2048
#define SHOWN_BYTES_MAX 200 /* of a refused URL in a message */
/* Blanks are encoded like other characters; newer libcurl has to be told. */
#define URL_FLAGS (CURLU_URLENCODE | CURLU_ALLOW_SPACE | CURLU_NON_SUPPORT_SCHEME)

static void
url_handle_free(CURLU **handle)
{
    curl_url_cleanup(*handle);
}

/* One component of the URL, empty when it is absent; NUL-terminated, in the arena. */
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

/* The digits after "gid=" in a query or fragment, or nothing. */
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

/* A link as the browser's address bar shows it: /spreadsheets/d/ID/edit?usp=sharing#gid=0.
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

/* Bytes of what could be the scheme, without its colon; 0 when there is none. */
static size_t
scheme_bytes(struct str url)
{
    size_t n = 0;
    while (n < url.n && (isalnum((unsigned char)url.p[n]) || strchr("+.-", url.p[n])))
        n++;
    return n < url.n && url.p[n] == ':' ? n : 0;
}

/* In these schemes all that follows is content or a program, so none of it is shown. */
static bool
is_opaque(struct str scheme)
{
    return str_eq_ascii_nocase(scheme, STR("data")) ||
           str_eq_ascii_nocase(scheme, STR("javascript"));
}

/* For text that cannot be parsed: secrets may be anywhere before the last @, in what looks
 * like a port, and from the first character that cannot be part of a host.  Without // after
 * it, only the scheme could be shown, and even that may be the user of `user:password`. */
static struct str
cut_by_characters(struct str url)
{
    size_t n = scheme_bytes(url);
    const char *at = url.n ? memrchr(url.p, '@', url.n) : NULL;
    bool is_scheme_all = n && !at && !str_starts(str_skip(url, n), STR("://"));
    if (is_scheme_all || is_opaque(str_slice(url, 0, n)))
        return str_slice(url, 0, n + 1);
    if (at) {
        url = str_skip(url, (size_t)(at + 1 - url.p));
        n = 0;
    }
    for (n += n ? 3 : 0; n < url.n && str_find_char(STR("/\\?#:&=;,"), url.p[n]) < 0; n++)
        ;
    return str_slice(url, 0, n);
}

struct str
fetch_shown_url(struct arena *a, struct str url)
{
    static const CURLUPart SECRETS[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS,
                                        CURLUPART_QUERY, CURLUPART_FRAGMENT};
    /* In any other scheme, it is unknown whether the path is a secret. */
    static const struct str SHOWN[] = {STR_INIT("http"), STR_INIT("https"), STR_INIT("ftp"),
                                       STR_INIT("file")};
    CURLU *handle SCOPED(url_handle_free) = curl_url();
    assert(handle);
    if (curl_url_set(handle, CURLUPART_URL, arena_cstr(a, url), URL_FLAGS) != CURLUE_OK)
        return cut_by_characters(url);
    for (size_t i = 0; i < COUNT_OF(SECRETS); i++)
        curl_url_set(handle, SECRETS[i], NULL, 0);
    struct str scheme = url_part(a, handle, CURLUPART_SCHEME);
    for (size_t i = 0; i < COUNT_OF(SHOWN); i++)
        if (str_eq_ascii_nocase(scheme, SHOWN[i]))
            return url_part(a, handle, CURLUPART_URL);
    return arena_printf(a, "%" STR_FMT ":", STR_ARG(scheme));
}

static bool
bad_url(struct arena *a, struct err *err, struct str url, const char *rule)
{
    return err_set_code(err, ERR_INVALID, "bad_url", "%s: '%" STR_FMT "'", rule,
                        STR_ARG(str_slice(fetch_shown_url(a, url), 0, SHOWN_BYTES_MAX)));
}

/* Not left to libcurl, which reads the name in the encoding of the locale and converts it after
 * every check.  The mapping can produce bytes that end a host (the sign for a/c gives a slash);
 * libcurl refuses those, while STD3 rules would drop the sign and use another host.  The URL is
 * then read again with the new host, because full-width digits have become an IPv4 address. */
static bool
make_host_ascii(struct arena *a, CURLU *handle)
{
    struct str host = url_part(a, handle, CURLUPART_HOST);
    if (utf8_is_ascii(host))
        return true;
    char *ascii = NULL;
    bool ok =
        idn2_to_ascii_8z(host.p, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK &&
        curl_url_set(handle, CURLUPART_HOST, ascii, 0) == CURLUE_OK;
    idn2_free(ascii);
    return ok && curl_url_set(handle, CURLUPART_URL, url_part(a, handle, CURLUPART_URL).p,
                              URL_FLAGS) == CURLUE_OK;
}

static bool
has_credentials(CURLU *handle)
{
    /* An empty user or password counts too. */
    char *user = NULL, *password = NULL;
    bool is_there = curl_url_get(handle, CURLUPART_USER, &user, 0) == CURLUE_OK;
    is_there = curl_url_get(handle, CURLUPART_PASSWORD, &password, 0) == CURLUE_OK || is_there;
    curl_free(user);
    curl_free(password);
    return is_there;
}

static bool
check_parts(struct arena *a, CURLU *handle, struct str url, struct err *err)
{
    struct str scheme = url_part(a, handle, CURLUPART_SCHEME);
    if (!str_eq_ascii_nocase(scheme, STR("http")) && !str_eq_ascii_nocase(scheme, STR("https")))
        return bad_url(a, err, url, "a URL begins with http:// or https://");
    /* The URL is not shown: it would put a password into job records and logs. */
    if (has_credentials(handle))
        return err_set_code(err, ERR_INVALID, "bad_url",
                            "a URL has no user name or password in it");
    if (url_part(a, handle, CURLUPART_HOST).n == 0)
        return bad_url(a, err, url, "a URL names a host");
    return make_host_ascii(a, handle) ||
           bad_url(a, err, url, "the host is no name that can be looked up");
}

static bool
check_port(CURLU *handle, const struct fetch_policy *policy, struct err *err)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(handle, CURLUPART_PORT, &text, CURLU_DEFAULT_PORT);
    assert(code == CURLUE_OK);
    unsigned port = (unsigned)strtoul(text, NULL, 10);
    curl_free(text);
    /* Loopback is allowed on any port, and the address of a name is not known yet. */
    if (policy->allows_loopback || fetch_port_is_allowed(policy, port))
        return true;
    scoped_buf ports;
    buf_init(&ports, KIB);
    for (size_t i = 0; i < policy->port_count; i++)
        buf_printf(&ports, "%s%u", i ? ", " : "", policy->ports[i]);
    return err_set_code(err, ERR_INVALID, "port_not_allowed",
                        "a URL has one of the ports %" STR_FMT
                        " (fetch.ports in the settings), "
                        "got %u",
                        STR_ARG(buf_str(&ports)), port);
}

bool
fetch_check_url(struct arena *a, struct str url, const struct fetch_policy *policy,
                struct str *effective, struct err *err)
{
    url = str_trim(url);
    if (url.n > URL_BYTES_MAX)
        return err_set_code(err, ERR_INVALID, "bad_url",
                            "a URL has at most %d bytes, this one has %zu", URL_BYTES_MAX,
                            url.n);
    if (str_has_control(url))
        return bad_url(a, err, url, "a URL has no control characters");
    CURLU *handle SCOPED(url_handle_free) = curl_url();
    assert(handle);
    if (curl_url_set(handle, CURLUPART_URL, arena_cstr(a, url), URL_FLAGS) != CURLUE_OK)
        return bad_url(a, err, url, "this is not a URL with http:// or https:// in front");
    if (!check_parts(a, handle, url, err))
        return false;
    if (sheet_export(a, handle, effective))
        return true;
    if (!check_port(handle, policy, err))
        return false;
    curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
    *effective = url_part(a, handle, CURLUPART_URL);
    return true;
}
