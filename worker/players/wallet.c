/* The client side; what the writer does is in wallet_operations.c. */
#include "players/wallet.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* How much of a value is quoted in an error. */
#define SHOWN_BYTES_MAX 80
#define RULE_BYTES_MAX 160

const char *
wallet_word(bool is_spend)
{
    return is_spend ? "spend" : "earn";
}

static bool PRINTF(3, 4)
    refuse_member(const struct json_value *member, struct err *err, const char *fmt, ...)
{
    char rule[RULE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, fmt);
    vsnprintf(rule, sizeof(rule), fmt, arguments);
    va_end(arguments);
    scoped_buf shown;
    buf_init(&shown, 64 * KIB);
    json_add_value(&shown, member);
    struct str text = buf_str(&shown);
    return err_set_name(err, ERR_INVALID, NULL, member->key,
                        "%" STR_FMT " %s, got %" STR_FMT "%s", STR_ARG(member->key), rule,
                        STR_ARG(str_slice(text, 0, SHOWN_BYTES_MAX)),
                        text.n > SHOWN_BYTES_MAX ? "..." : "");
}

/* Control characters: C0, DEL and, in UTF-8, C1. */
static bool
has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        unsigned char next = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;
        if (c < 0x20 || c == 0x7f || (c == 0xc2 && next >= 0x80 && next < 0xa0))
            return true;
    }
    return false;
}

static bool
parse_reason(const struct json_value *member, bool is_spend, struct str *out, struct err *err)
{
    if (!json_as_str(member, out) || out->n > WALLET_REASON_BYTES_MAX || has_control(*out))
        return refuse_member(member, err,
                             "is a text of at most %d bytes (UTF-8) without control characters",
                             WALLET_REASON_BYTES_MAX);
    return !is_spend || out->n ||
           refuse_member(member, err, "of a spend is a text of at least one character");
}

static bool
refuse_missing(const char *name, bool is_spend, struct err *err)
{
    return err_set_name(err, ERR_INVALID, "missing_member", str_from(name),
                        "%s is missing: the body is {\"amount\": an integer from 1 to "
                        "%" PRId64 ", \"reason\": a text%s}",
                        name, WALLET_AMOUNT_MAX, is_spend ? "" : " or left out");
}

bool
wallet_parse(const struct json_value *body, struct wallet_request *request, struct err *err)
{
    bool is_spend = request->is_spend;
    const struct json_value *amount = json_get_given(body, "amount");
    const struct json_value *reason = json_get_given(body, "reason");
    if (!amount)
        return refuse_missing("amount", is_spend, err);
    if (!json_as_i64(amount, &request->amount) || request->amount < 1 ||
        request->amount > WALLET_AMOUNT_MAX)
        return refuse_member(amount, err, "is an integer from 1 to %" PRId64,
                             WALLET_AMOUNT_MAX);
    if (!reason)
        return !is_spend || refuse_missing("reason", is_spend, err);
    return parse_reason(reason, is_spend, &request->reason, err);
}

static bool
check_key(struct str key, struct err *err)
{
    bool is_printable = true;
    for (size_t i = 0; i < key.n; i++)
        is_printable = is_printable && key.p[i] >= ' ' && key.p[i] <= '~';
    if (key.n <= WALLET_KEY_BYTES_MAX && is_printable)
        return true;
    return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("Idempotency-Key"),
                        "Idempotency-Key is 1 to %d printable ASCII characters, got %zu bytes: "
                        "%" STR_FMT,
                        WALLET_KEY_BYTES_MAX, key.n,
                        STR_ARG(str_slice(key, 0, SHOWN_BYTES_MAX)));
}

/* The detail tells the client how to find out whether the change was stored. */
static void
explain_unknown(const struct wallet_request *request, struct err *err)
{
    if (strcmp(err_code(err), "unknown_outcome") != 0)
        return;
    struct err why = *err;
    err_set_code(err, ERR_BUSY, "unknown_outcome", "%s; %s", why.detail,
                 request->idempotency_key.n
                     ? "repeat it with the same Idempotency-Key: it takes effect once"
                     : "look for it in GET /v1/ledger before repeating it.  With an "
                       "Idempotency-Key it could be repeated at once");
}

bool
wallet_run(struct writer *w, const struct wallet_request *request, struct wallet_receipt *out,
           struct err *err)
{
    if (!check_key(request->idempotency_key, err))
        return false;
    bool ok = writer_call(w, &WALLET_OPERATIONS[0], request, out, err);
    if (!ok)
        explain_unknown(request, err);
    return ok;
}

bool
wallet_refuse_unknown(int64_t player_id, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no player %lld", (long long)player_id);
}

bool
wallet_balance(struct db *db, int64_t player_id, int64_t *balance, struct err *err)
{
    scoped_stmt s = db_stmt(db, "wallet_balance");
    stmt_bind_i64(s, 1, player_id);
    int got = stmt_step(s, err);
    if (got == 1)
        *balance = stmt_i64(s, 0);
    return got == 0 ? wallet_refuse_unknown(player_id, err) : got == 1;
}
