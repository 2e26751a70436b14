/* Deep links: opening a link is an event of type deeplink_open, whose meta has every parameter
 * of the link. */
#pragma once

#include "players/event.h"

#define TRACK_PARAMS_MAX 64
#define TRACK_REDIRECT_BYTES_MAX 2048

struct track_param { /* decoded, in the order of the link, duplicates kept */
    struct str name, value;
};
/* {"character": "knight", "campaign": "spring", "tag": ["a", "b"]}: character first, null when
 * it is absent or empty (then `has_character` is false); the others in the order of their
 * first occurrence; a repeated one is an array.  bad_parameter for too many parameters, and
 * for more than EVENT_META_BYTES_MAX. */
MUST_CHECK bool track_make_meta(struct arena *a, const struct track_param *params, size_t count,
                                struct str *meta, bool *has_character, struct err *err);

/* The redirect of a link is allowed when it is
 *
 *     ( "http" | "https" ) "://" host [ ":" port ] [ ( "/" | "?" | "#" ) anything ]
 *
 * in printable ASCII without a backslash (browsers read it as a slash), and `host[:port]` is
 * one of `hosts`, ignoring case.  A user name in the URL is not allowed.  bad_parameter, code
 * redirect_not_allowed, naming the host. */
MUST_CHECK bool track_check_redirect(struct str url, const struct str *hosts, size_t host_count,
                                     struct err *err);
/* Is it a program that previews links or indexes pages, and not a player's browser? */
bool track_is_preview(struct str user_agent);
/* Does the header Sec-Purpose, or one of its predecessors (Purpose, X-Purpose, X-Moz), say
 * that the browser fetches the link before anybody clicked?  `prefetch`, `prerender` or
 * `preview`, in any case, also among other words: `prefetch;prerender`,
 * `prefetch;anonymous-client-ip`. */
bool track_is_ahead(struct str purpose);
