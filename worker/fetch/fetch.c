/* One transfer.  Everything from the other side is bounded here rather than by libcurl's own
 * limits, which have gaps: MAXFILESIZE misses bodies without a length, and header size had no
 * limit before 8.3.
 *
 * Redirects are followed here, not by libcurl, so that each target passes fetch_check_url like
 * the first URL; addresses are judged where sockets are made, after the name was resolved. */
#include "fetch/fetch.h"

#include "base/clock.h"
#include "base/fs.h"

#include <curl/curl.h>
#include <inttypes.h>

/* Of one response.  Browsers and servers stop earlier; newer libcurl fails at 300 KiB and at
 * 5,000 lines, with errors of its own. */
#define HEADER_BYTES_MAX ((uint64_t)256 * 1024)
#define HEADER_LINES_MAX 2000

struct transfer {
    CURL *curl;
    int fd;
    const struct fetch_policy *policy;
    fetch_progress_fn *on_progress;
    void *context;
    uint64_t deadline_us;
    uint64_t bytes;        /* of the body, written so far */
    uint64_t header_bytes; /* of the current response, as header_lines */
    unsigned header_lines;
    struct str shown;    /* the current URL, for messages */
    const char *refusal; /* why an address of its host was refused; NULL: none was */
    struct err stop;     /* why a callback ended the transfer; ERR_NONE when none did */
    char message[CURL_ERROR_SIZE];
};

static void
handle_free(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

static void
header_list_free(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

/* Asserts, because an option that this libcurl refuses would be a hole in the policy. */
#define SET(curl, option, value)                                                               \
    do {                                                                                       \
        CURLcode set_code = curl_easy_setopt((curl), (option), (value));                       \
        assert(set_code == CURLE_OK);                                                          \
    } while (0)

static long
transfer_status(const struct transfer *t)
{
    long status = 0;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static bool
is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Other statuses in the 200s do not carry the file: created, accepted, no content, a part. */
static bool
is_file(long status)
{
    return status == 200 || status == 203;
}

static curl_socket_t
open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *t = context;
    const char *refusal = fetch_address_refusal(t->policy, &address->addr);
    if (purpose != CURLSOCKTYPE_IPCXN)
        refusal = "not a connection of ours";
    if (refusal) {
        t->refusal = refusal;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t
on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *t = context;
    (void)bytes;
    t->header_bytes += size * count;
    t->header_lines++;
    if (t->header_bytes > HEADER_BYTES_MAX || t->header_lines > HEADER_LINES_MAX) {
        (void)err_set_code(&t->stop, ERR_INVALID, "too_large",
                           "the answer has more than %d KiB or %d lines of headers",
                           (int)(HEADER_BYTES_MAX / KIB), HEADER_LINES_MAX);
        return 0;
    }
    return size * count;
}

static bool
is_too_large(struct transfer *t, uint64_t bytes)
{
    if (bytes <= t->policy->bytes_max)
        return false;
    (void)err_set_code(&t->stop, ERR_TOO_LARGE, "too_large",
                       "a file has at most %" PRIu64 " bytes, this one has at least %" PRIu64,
                       t->policy->bytes_max, bytes);
    return true;
}

static uint64_t
announced_bytes(const struct transfer *t)
{
    curl_off_t length = -1;
    curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return length > 0 ? (uint64_t)length : 0;
}

/* Returning a count other than the one given aborts the transfer. */
static size_t
on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *t = context;
    size_t n = size * count;
    /* The body of an error page or a redirect is discarded, however long it is. */
    if (!is_file(transfer_status(t)))
        return 0;
    if (is_too_large(t, announced_bytes(t)) || is_too_large(t, t->bytes + n))
        return 0;
    if (!fs_write(t->fd, (struct str){bytes, n}, &t->stop))
        return 0;
    t->bytes += n;
    return n;
}

static int
on_tick(void *context, curl_off_t total, curl_off_t done, curl_off_t up_total, curl_off_t up)
{
    struct transfer *t = context;
    (void)total, (void)done, (void)up_total, (void)up;
    if (!t->on_progress)
        return 0;
    uint64_t expected = is_file(transfer_status(t)) ? announced_bytes(t) : 0;
    if (t->on_progress(t->context, t->bytes, expected, &t->stop))
        return 0;
    if (t->stop.kind == ERR_NONE)
        (void)err_set_code(&t->stop, ERR_CONFLICT, "cancelled", "the fetch was cancelled");
    return 1;
}

static void
transfer_prepare(struct transfer *t, struct curl_slist *headers)
{
    CURL *curl = t->curl;
    const struct fetch_policy *policy = t->policy;
    SET(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    SET(curl, CURLOPT_FOLLOWLOCATION, 0L);
    SET(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(curl, CURLOPT_PROXY, ""); /* also none from the environment */
    SET(curl, CURLOPT_NOSIGNAL, 1L);
    SET(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(curl, CURLOPT_OPENSOCKETDATA, t);
    /* A new connection per request, so that each passes open_socket. */
    SET(curl, CURLOPT_FORBID_REUSE, 1L);
    SET(curl, CURLOPT_HTTPHEADER, headers);
    SET(curl, CURLOPT_USERAGENT, "playmeter");
    SET(curl, CURLOPT_HEADERFUNCTION, on_header);
    SET(curl, CURLOPT_HEADERDATA, t);
    SET(curl, CURLOPT_WRITEFUNCTION, on_body);
    SET(curl, CURLOPT_WRITEDATA, t);
    SET(curl, CURLOPT_NOPROGRESS, 0L);
    SET(curl, CURLOPT_XFERINFOFUNCTION, on_tick);
    SET(curl, CURLOPT_XFERINFODATA, t);
    SET(curl, CURLOPT_ERRORBUFFER, t->message);
    SET(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)policy->connect_timeout_ms);
    SET(curl, CURLOPT_LOW_SPEED_LIMIT, (long)policy->low_speed_bytes_per_s);
    SET(curl, CURLOPT_LOW_SPEED_TIME, (long)policy->low_speed_s);
}

static bool
is_localhost(struct str host)
{
    if (str_ends(host, STR(".")))
        host.n--;
    struct str last = str_slice(host, host.n - MIN(host.n, (size_t)10), host.n);
    return str_eq_ascii_nocase(host, STR("localhost")) ||
           str_eq_ascii_nocase(last, STR(".localhost"));
}

/* Is the host of an effective URL an address, or a name that always means this machine? */
static bool
names_address(struct str url)
{
    struct str host = str_skip(url, (size_t)str_find(url, STR("://")) + 3);
    host = str_cut(&host, '/');
    if (host.n && host.p[0] == '[')
        return true;
    host = str_cut(&host, ':');
    size_t n = 0;
    while (n < host.n && (host.p[n] == '.' || (host.p[n] >= '0' && host.p[n] <= '9')))
        n++;
    return n == host.n || is_localhost(host);
}

/* A name that resolves to a refused network and one that does not resolve get the same answer:
 * otherwise a client that may import could probe the names of the internal DNS. */
static bool
address_refused(const struct transfer *t, struct str url, struct err *err)
{
    if (names_address(url))
        return err_set_code(err, ERR_INVALID, "address_not_allowed",
                            "the address in '%" STR_FMT "' is %s", STR_ARG(t->shown),
                            t->refusal ? t->refusal : "none on the public internet");
    return err_set_code(err, ERR_INVALID, "unreachable",
                        "the host of '%" STR_FMT "' has no address on the public internet; "
                        "check its spelling (private networks and this machine are not fetched "
                        "from)",
                        STR_ARG(t->shown));
}

/* Decides what a timeout means: no connection was made, or the transfer was too slow. */
static bool
timed_out(const struct transfer *t, struct err *err)
{
    curl_off_t ready_us = 0;
    curl_easy_getinfo(t->curl, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    const struct fetch_policy *policy = t->policy;
    if (ready_us == 0)
        return err_set_code(err, ERR_INVALID, "unreachable",
                            "no connection within %u ms: '%" STR_FMT "'",
                            policy->connect_timeout_ms, STR_ARG(t->shown));
    if (clock_steady_us() >= t->deadline_us)
        return err_set_code(err, ERR_INVALID, "too_slow",
                            "a fetch takes at most %u s, and %" PRIu64 " bytes had come",
                            policy->total_timeout_ms / 1000, t->bytes);
    return err_set_code(err, ERR_INVALID, "too_slow",
                        "less than %u bytes per second for %u s, and %" PRIu64
                        " bytes had come",
                        policy->low_speed_bytes_per_s, policy->low_speed_s, t->bytes);
}

static bool
transfer_failed(const struct transfer *t, CURLcode code, struct str url, struct err *err)
{
    const char *message = t->message[0] ? t->message : curl_easy_strerror(code);
    if (t->refusal && code == CURLE_COULDNT_CONNECT)
        return address_refused(t, url, err);
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return address_refused(t, url, err);
    case CURLE_OPERATION_TIMEDOUT:
        return timed_out(t, err);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return err_set_code(err, ERR_INVALID, "bad_url", "%s: '%" STR_FMT "'", message,
                            STR_ARG(t->shown));
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return err_set_code(err, ERR_INVALID, "cut_short",
                            "the connection ended after %" PRIu64 " bytes: %s", t->bytes,
                            message);
    default:
        return err_set_code(err, ERR_INVALID, "unreachable", "%s: '%" STR_FMT "'", message,
                            STR_ARG(t->shown));
    }
}

/* One request and its response.  True when there was a response; its status is set, even if its
 * body was discarded. */
static bool
transfer_run(struct transfer *t, struct str url, long *status, struct err *err)
{
    uint64_t now_us = clock_steady_us();
    t->header_bytes = 0;
    t->header_lines = 0;
    t->refusal = NULL;
    t->message[0] = '\0';
    SET(t->curl, CURLOPT_URL, url.p);
    /* 0 would mean no limit. */
    SET(t->curl, CURLOPT_TIMEOUT_MS,
        now_us < t->deadline_us ? (long)((t->deadline_us - now_us) / 1000 + 1) : 1L);

    CURLcode code = curl_easy_perform(t->curl);
    *status = transfer_status(t);
    if (t->stop.kind != ERR_NONE) {
        *err = t->stop;
        return false;
    }
    if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && *status != 0))
        return true;
    return transfer_failed(t, code, url, err);
}

/* The Location, resolved against the URL that sent it and checked like any other URL. */
static bool
redirect_target(struct arena *a, struct transfer *t, struct str *url, struct err *err)
{
    struct curl_header *header = NULL;
    if (curl_easy_header(t->curl, "Location", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return err_set_code(err, ERR_INVALID, "http_status",
                            "status %ld without a Location from '%" STR_FMT "'",
                            transfer_status(t), STR_ARG(t->shown));
    CURLU *handle = curl_url();
    char *target = NULL;
    bool is_url =
        curl_url_set(handle, CURLUPART_URL, url->p, 0) == CURLUE_OK &&
        curl_url_set(handle, CURLUPART_URL, header->value,
                     CURLU_URLENCODE | CURLU_ALLOW_SPACE | CURLU_NON_SUPPORT_SCHEME) ==
            CURLUE_OK &&
        curl_url_get(handle, CURLUPART_URL, &target, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
    bool is_good = is_url ? fetch_check_url(a, str_from(target), t->policy, url, err)
                          : err_set_code(err, ERR_INVALID, "bad_url",
                                         "the redirect from '%" STR_FMT "' is to no URL",
                                         STR_ARG(t->shown));
    curl_free(target);
    curl_url_cleanup(handle);
    return is_good;
}

static bool
transfer_follow(struct arena *a, struct transfer *t, struct str url, struct err *err)
{
    for (unsigned redirects = 0;; redirects++) {
        long status;
        t->shown = fetch_shown_url(a, url);
        if (!transfer_run(t, url, &status, err))
            return false;
        if (is_file(status))
            return true;
        if (!is_redirect(status))
            return err_set_code(err, ERR_INVALID, "http_status",
                                "status %ld from '%" STR_FMT "'", status, STR_ARG(t->shown));
        if (redirects == t->policy->redirects_max)
            return err_set_code(err, ERR_INVALID, "too_many_redirects",
                                "at most %u redirects, the last one from '%" STR_FMT "'",
                                t->policy->redirects_max, STR_ARG(t->shown));
        if (!redirect_target(a, t, &url, err))
            return false;
    }
}

bool
fetch_url(struct str url, int fd, const struct fetch_policy *policy,
          fetch_progress_fn *on_progress, void *context, uint64_t *bytes, struct err *err)
{
    scoped_arena a = {0};
    struct str effective;
    if (!fetch_check_url(&a, url, policy, &effective, err))
        return false;
    CURL *curl SCOPED(handle_free) = curl_easy_init();
    /* No transfer compression: the checksum in the receipt is that of the file's own bytes. */
    struct curl_slist *headers SCOPED(header_list_free) =
        curl_slist_append(NULL, "Accept-Encoding: identity");
    assert(curl && headers);
    struct transfer t = {.curl = curl,
                         .fd = fd,
                         .policy = policy,
                         .on_progress = on_progress,
                         .context = context,
                         .deadline_us =
                             clock_steady_us() + (uint64_t)policy->total_timeout_ms * 1000};
    transfer_prepare(&t, headers);
    if (!transfer_follow(&a, &t, effective, err))
        return false;
    *bytes = t.bytes;
    return true;
}
