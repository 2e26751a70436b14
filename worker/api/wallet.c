/* A player's wallet: earning, spending, the balance and the ledger. */
#include "players/wallet.h"
#include "api/handlers.h"
#include "api/json_body.h"
#include "api/listing.h"
#include "api/object.h"
#include "api/page.h"
#include "json/write.h"

static bool
change(struct app *app, struct request *request, struct response *response, bool is_spend,
       struct err *err)
{
    static const char *const MEMBERS[] = {"amount", "reason"};
    const struct json_value *body;
    struct wallet_request wanted = {.player_id = request->player_id, .is_spend = is_spend};
    struct wallet_receipt receipt;
    wanted.idempotency_key = request->header.idempotency_key;
    /* A client that lost its key: taking it for none would store twice what is sent twice. */
    if (wanted.idempotency_key.p && wanted.idempotency_key.n == 0)
        return err_set_name(
            err, ERR_BAD_PARAMETER, NULL, STR("Idempotency-Key"),
            "the header Idempotency-Key has no value; leave it out or send 1 to %d "
            "printable ASCII characters",
            WALLET_KEY_BYTES_MAX);
    if (!json_body_read(request, MEMBERS, COUNT_OF(MEMBERS), &body, err) ||
        !wallet_parse(body, &wanted, err) || !wallet_run(app->writer, &wanted, &receipt, err))
        return false;
    if (receipt.is_replayed)
        response_header(response, "Idempotent-Replayed", "true");
    struct json j = object_begin(response);
    json_member_i64(&j, "balance", receipt.balance);
    json_member_i64(&j, "ledger_id", receipt.ledger_id);
    json_member_i64(&j, "event_id", receipt.event_id);
    object_end(&j);
    return true;
}

bool
earn(struct app *app, struct request *request, struct response *response, struct err *err)
{
    return change(app, request, response, false, err);
}

bool
spend(struct app *app, struct request *request, struct response *response, struct err *err)
{
    return change(app, request, response, true, err);
}

bool
get_balance(struct app *app, struct request *request, struct response *response,
            struct err *err)
{
    int64_t balance;
    if (!wallet_balance(app->db, request->player_id, &balance, err))
        return false;
    struct json j = object_begin(response);
    json_member_i64(&j, "player_id", request->player_id);
    json_member_i64(&j, "balance", balance);
    object_end(&j);
    return true;
}

static void
add_entry(struct json *j, const struct ledger_entry *entry)
{
    json_begin_object(j);
    json_member_i64(j, "id", entry->id);
    json_member_str(j, "operation", str_from(wallet_word(entry->is_spend)));
    json_member_i64(j, "amount", entry->amount);
    json_member_i64(j, "delta", ledger_delta(entry));
    json_member_i64(j, "balance_after", entry->balance_after);
    json_member_str_or_null(j, "reason", entry->reason);
    json_member_i64(j, "event_id", entry->event_id);
    json_member_timestamp(j, "created_at", entry->created_at);
    json_end_object(j);
}

static const char *const COLUMNS[] = {
    "id", "operation", "amount", "delta", "balance_after", "reason", "event_id", "created_at"};
static const struct listing_table LEDGER = {.name = "ledger", LISTING_COLUMNS(COLUMNS)};

bool
list_ledger(struct app *app, struct request *request, struct response *response,
            struct err *err)
{
    struct ledger_entry *entries;
    size_t count;
    int64_t before_id = request_integer(request, "cursor"), total;
    scoped_listing list = {0};
    if (!listing_begin(&list, &LEDGER, request, response, err) ||
        !ledger_list(request->arena, app->db, request->player_id, before_id,
                     page_fetch_count(request), &entries, &count, err) ||
        !ledger_count(app->db, request->player_id, &total, err))
        return false;
    struct str cursor = {NULL, 0};
    if (page_cut(request, &count))
        cursor = arena_printf(request->arena, "%lld", (long long)entries[count - 1].id);
    for (size_t i = 0; i < count; i++) {
        add_entry(listing_item(&list), &entries[i]);
        if (!listing_end_item(&list, err))
            return false;
    }
    listing_end(&list, cursor, total);
    return true;
}
