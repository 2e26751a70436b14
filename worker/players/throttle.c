#include "players/throttle.h"

#include "base/utf8.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* More than a failure adds, so that expired rows do not accumulate. */
#define SWEEP_ROWS 16
/* Counting the rows scans an index (at most 5 ms), so only one in this many failures does it.
 */
#define TRIM_EVERY 64

/* The limit of each subject, as a multiple of players.login_failures. */
static const uint64_t FACTORS[THROTTLE_KINDS] = {
    [THROTTLE_BOTH] = 1, [THROTTLE_ACCOUNT] = 10, [THROTTLE_ADDRESS] = 10};

/* The /64 of an IPv6 address; an IPv4-mapped one is the IPv4 address. */
static struct str
shorten_address(struct arena *a, struct str address)
{
    struct in6_addr v6;
    char text[INET6_ADDRSTRLEN] = "";
    if (address.n >= sizeof(text))
        return str_slice(address, 0, sizeof(text));
    snprintf(text, sizeof(text), "%" STR_FMT, STR_ARG(address));
    if (inet_pton(AF_INET6, text, &v6) != 1)
        return address;
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
        inet_ntop(AF_INET, &v6.s6_addr[12], text, sizeof(text));
        return arena_str(a, str_from(text));
    }
    memset(&v6.s6_addr[8], 0, 8);
    inet_ntop(AF_INET6, &v6, text, sizeof(text));
    return arena_printf(a, "%s/64", text);
}

struct throttle_key
throttle_make_key(struct arena *a, struct str name, struct str address)
{
    struct str who = utf8_folded(a, name), where = shorten_address(a, address);
    return (struct throttle_key){{
        [THROTTLE_BOTH] =
            arena_printf(a, "both:%" STR_FMT " %" STR_FMT, STR_ARG(who), STR_ARG(where)),
        [THROTTLE_ACCOUNT] = arena_printf(a, "account:%" STR_FMT, STR_ARG(who)),
        [THROTTLE_ADDRESS] = arena_printf(a, "address:%" STR_FMT, STR_ARG(where)),
    }};
}

/* When the subject may try again; 0: now.  A window that begins in the future, because the
 * clock was put back, is ignored: it would last too long. */
static bool
find_end(struct db *db, struct str subject, uint64_t failures_max, int64_t now_ms,
         int64_t window_ms, int64_t *ends_at, struct err *err)
{
    scoped_stmt s = db_stmt(db, "login_failure_get");
    stmt_bind_str(s, 1, subject);
    int got = stmt_step(s, err);
    int64_t since = got == 1 ? stmt_i64(s, 1) : 0;
    bool counts = got == 1 && (uint64_t)stmt_i64(s, 0) >= failures_max && since <= now_ms;
    *ends_at = counts ? since + window_ms : 0;
    return got >= 0;
}

bool
throttle_check(struct db *db, const struct config *config, const struct throttle_key *key,
               int64_t now_ms, struct err *err)
{
    int64_t window_ms = (int64_t)config->players_login_window, last = 0;
    for (size_t i = 0; i < THROTTLE_KINDS; i++) {
        int64_t ends_at;
        uint64_t failures_max = config->players_login_failures * FACTORS[i];
        if (!find_end(db, key->subjects[i], failures_max, now_ms, window_ms, &ends_at, err))
            return false;
        last = MAX(last, ends_at);
    }
    if (last <= now_ms)
        return true;
    unsigned seconds = (unsigned)((last - now_ms + 999) / 1000);
    err_set_code(err, ERR_TOO_MANY, "login_throttled",
                 "there were too many wrong passwords; try again in %u s", seconds);
    err->retry_after_s = seconds;
    return false;
}

bool
throttle_note_in(struct db *db, const struct throttle_key *key, int64_t now_ms,
                 int64_t window_ms, struct err *err)
{
    for (size_t i = 0; i < THROTTLE_KINDS; i++) {
        scoped_stmt note = db_stmt(db, "login_failure_note");
        stmt_bind_str(note, 1, key->subjects[i]);
        stmt_bind_i64(note, 2, now_ms);
        stmt_bind_i64(note, 3, now_ms - window_ms);
        if (!stmt_run(note, err))
            return false;
    }
    scoped_stmt sweep = db_stmt(db, "login_failure_sweep");
    stmt_bind_i64(sweep, 1, now_ms - window_ms);
    stmt_bind_i64(sweep, 2, SWEEP_ROWS);
    scoped_stmt trim = db_stmt(db, "login_failure_trim");
    stmt_bind_i64(trim, 1, THROTTLE_ROWS_MAX);
    return stmt_run(sweep, err) && (now_ms % TRIM_EVERY != 0 || stmt_run(trim, err));
}

bool
throttle_clear_in(struct db *db, struct str subject, struct err *err)
{
    scoped_stmt s = db_stmt(db, "login_failure_clear");
    stmt_bind_str(s, 1, subject);
    return stmt_run(s, err);
}

bool
throttle_forget_in(struct db *db, struct str name, struct err *err)
{
    scoped_arena a = {0};
    scoped_stmt s = db_stmt(db, "login_failure_forget");
    stmt_bind_str(s, 1, utf8_folded(&a, name));
    return stmt_run(s, err);
}
