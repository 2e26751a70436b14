/* Fetches a URL into a file, with an address policy: http and https only, to global unicast
 * addresses that are not this machine's, on the ports of the policy.  The address is checked
 * for every connection that is opened, so also after redirects and DNS changes.  The only user
 * of libcurl and of libidn2.
 *
 * A URL with a query string is a secret (a signature, a token), so no message contains one:
 * messages show what fetch_shown_url returns. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <sys/socket.h>

struct fetch_policy {
    uint64_t bytes_max;
    unsigned connect_timeout_ms, total_timeout_ms;
    unsigned low_speed_bytes_per_s, low_speed_s; /* slower than this for so long: aborted */
    const uint16_t *ports;
    size_t port_count;
    bool allows_loopback; /* on any port; for tests: check-config warns */
    unsigned redirects_max;
};

bool fetch_port_is_allowed(const struct fetch_policy *policy, unsigned port);
/* Why a connection to the address is refused, in words ("a private network, RFC 1918"), or
 * NULL when it is allowed: it is global unicast, no interface of this machine has it now, and
 * its port is in the policy.  IPv4-mapped, NAT64 (64:ff9b::/96) and 6to4 (2002::/16) addresses
 * are judged by the IPv4 address in them.  A public address that a router translates to this
 * machine cannot be recognised and is not refused.  The text is static. */
const char *fetch_address_refusal(const struct fetch_policy *policy,
                                  const struct sockaddr *address);

/* Checks a URL and makes its effective form.  It must be http or https, without credentials,
 * with a host, of at most 2,048 bytes, otherwise bad_url; and on a port of the policy,
 * otherwise port_not_allowed.  `effective` is without the fragment and as it will be sent: an
 * international host in its ASCII form (UTS 46, non-transitional), a Google Sheets link
 * (docs.google.com/spreadsheets/d/ID/edit...) as its CSV export, with its gid.  Names are not
 * resolved and addresses not judged here: fetch_url does that when it connects. */
MUST_CHECK bool fetch_check_url(struct arena *a, struct str url,
                                const struct fetch_policy *policy, struct str *effective,
                                struct err *err);

/* The URL as people and logs may see it: without user, password, query and fragment.  Of a
 * scheme other than http, https, ftp and file, only the scheme.  Of text that is not a URL,
 * only what may be its host, and its scheme where no @ follows. */
struct str fetch_shown_url(struct arena *a, struct str url);

/* Extends an error with what is commonly wrong with a link of its kind: for a Google sheet that
 * is not shared, a login page comes (not_csv) or a status (http_status).  Always false. */
bool fetch_explain(struct str url, struct err *err);

/* bytes_total is 0 while the length is unknown.  Returning false cancels the transfer. */
typedef bool fetch_progress_fn(void *context, uint64_t bytes_done, uint64_t bytes_total,
                               struct err *err);
/* Writes the body to fd as it was sent: a Content-Encoding is left to the reader of the file.
 * on_progress (may be NULL) is called at least about once a second.  On failure the file holds
 * what had arrived.  Error codes: bad_url, port_not_allowed, address_not_allowed, unreachable,
 * http_status (with the status in the detail), too_large, too_slow, too_many_redirects,
 * cut_short, cancelled; a failed write is as from fs_write.  The process must ignore SIGPIPE.
 * A body sent with neither length nor chunks ends with the connection, so there HTTP cannot
 * tell a whole body from one cut short. */
MUST_CHECK bool fetch_url(struct str url, int fd, const struct fetch_policy *policy,
                          fetch_progress_fn *on_progress, void *context, uint64_t *bytes,
                          struct err *err);
