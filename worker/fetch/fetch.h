/* Fetching a URL into a file, with an address policy: http and https only, to global unicast
 * addresses that are not this machine's, on the ports of the web, checked at every connection
 * that is opened (so also behind redirects and DNS changes).  The only user of libcurl and of
 * libidn2.
 *
 * A URL with a query string is a secret (a signature, a token), so no message has it: they show
 * what fetch_shown_url makes of it. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <sys/socket.h>

struct fetch_policy {
    uint64_t bytes_max;
    unsigned connect_timeout_ms, total_timeout_ms;
    unsigned low_speed_bytes_per_s, low_speed_s; /* slower than that for so long: given up */
    const uint16_t *ports;
    size_t port_count;
    bool allows_loopback; /* on any port: tests; check-config warns */
    unsigned redirects_max;
};

bool fetch_port_is_allowed(const struct fetch_policy *policy, unsigned port);
/* Why a connection to the address is refused, for people ("a private network, RFC 1918"), or
 * NULL when it is global unicast, of no interface that this machine has now, and on a port of
 * the policy; after unwrapping IPv4-mapped, NAT64 (64:ff9b::/96) and 6to4 (2002::/16).  A
 * public address that a router translates for this machine is not known to it, and so not
 * refused.  The text is static. */
const char *fetch_address_refusal(const struct fetch_policy *policy,
                                  const struct sockaddr *address);

/* http(s), no credentials, a host, at most 2,048 bytes, otherwise bad_url; a port of the
 * policy, otherwise port_not_allowed.  `effective` is the URL without its fragment and in the
 * spelling that will be used: an international host is its ASCII form (UTS 46,
 * non-transitional).  A Google Sheets link (docs.google.com/spreadsheets/d/ID/edit...) becomes
 * its CSV export (gid kept).  Names are not resolved and addresses not judged here: that is the
 * connection's moment. */
MUST_CHECK bool fetch_check_url(struct arena *a, struct str url,
                                const struct fetch_policy *policy, struct str *effective,
                                struct err *err);

/* The URL as people and logs see it: without user, password, query and fragment; of schemes
 * other than http, https, ftp and file only the scheme.  Of what is no URL what may be its
 * host, and the scheme where no @ stands behind it. */
struct str fetch_shown_url(struct arena *a, struct str url);

/* Adds to an error what a link of its kind commonly lacks: a Google sheet that is not shared is
 * answered with a page to log in at (not_csv) or a status (http_status).  Always false. */
bool fetch_explain(struct str url, struct err *err);

/* bytes_total is 0 while the length is unknown.  False cancels. */
typedef bool fetch_progress_fn(void *context, uint64_t bytes_done, uint64_t bytes_total,
                               struct err *err);
/* Writes the body to fd, as it was sent: a Content-Encoding is left to the reader of the file.
 * on_progress (may be NULL) is called at least about once a second.  On failure the file holds
 * what had come.  Error codes: bad_url, port_not_allowed, address_not_allowed, unreachable,
 * http_status (with the status in the detail), too_large, too_slow, too_many_redirects,
 * cut_short, cancelled; a failing write keeps its own.  The process must ignore SIGPIPE.  A
 * body sent without length or chunks ends with the connection; HTTP cannot tell that from a
 * cut. */
MUST_CHECK bool fetch_url(struct str url, int fd, const struct fetch_policy *policy,
                          fetch_progress_fn *on_progress, void *context, uint64_t *bytes,
                          struct err *err);
