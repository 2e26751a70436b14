/* The wallet: earn and spend.  One operation of the writer stores idempotency row, guarded
 * balance, ledger entry and event, or nothing.
 *
 * Idempotency-Key (draft-ietf-httpapi-idempotency-key-header; scope: player, operation, key):
 * a repeated key with the same amount and reason gives the stored answer again; with another
 * body it is refused (422, code idempotency_key_reused).  Refusals are not stored.  Invariant
 * at every commit: balance = sum of the ledger = balance_after of the last entry. */
#pragma once

#include "players/ledger.h"
#include "writer/client.h"
#include "json/read.h"

#define WALLET_AMOUNT_MAX INT64_C(1000000000000)
#define WALLET_BALANCE_MAX INT64_C(9007199254740991)
#define WALLET_REASON_BYTES_MAX 256
#define WALLET_KEY_BYTES_MAX 128

const char *wallet_word(bool is_spend); /* "earn", "spend" */

struct wallet_request {
    int64_t player_id;
    bool is_spend;
    int64_t amount;
    struct str reason;          /* "" for none (earn only) */
    struct str idempotency_key; /* "" for none */
};
/* Reads amount and reason from a body {"amount": N, "reason": TEXT} and leaves the other
 * fields as they are; is_spend decides whether a reason is required.  Null counts as absent.
 * The reason points into the body.  Errors: invalid, naming the member, the rule and the
 * value. */
MUST_CHECK bool wallet_parse(const struct json_value *body, struct wallet_request *request,
                             struct err *err);

struct wallet_receipt {
    int64_t balance, ledger_id, event_id;
    bool is_replayed;
};
/* Errors: bad_parameter naming Idempotency-Key, which must be 1 to 128 printable ASCII
 * characters; invalid, code idempotency_key_reused; conflict, codes insufficient_funds and
 * balance_limit; not_found for a deleted player; busy, code unknown_outcome, whose detail says
 * how to find out whether it was stored. */
MUST_CHECK bool wallet_run(struct writer *w, const struct wallet_request *request,
                           struct wallet_receipt *out, struct err *err);
/* not_found for a deleted player. */
MUST_CHECK bool wallet_balance(struct db *db, int64_t player_id, int64_t *balance,
                               struct err *err);
/* Sets not_found and returns false. */
bool wallet_refuse_unknown(int64_t player_id, struct err *err);

#define WALLET_OPERATION "wallet_change"
extern const struct operation WALLET_OPERATIONS[]; /* ends with a NULL name */
