/* The service about itself: is it alive, is it ready, what does it offer. */
#include "api/handlers.h"
#include "api/object.h"
#include "api/openapi.h"
#include "api/readiness.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "datasets/import.h"
#include "json/write.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

/* The jobs role touches its file several times in this while. */
#define HEARTBEAT_AGE_MS_MAX 15000

/* `warning` is NULL where all is well. */
static void
answer_status(struct response *response, const char *status, const char *warning)
{
    struct json j = object_begin(response);
    json_member_str(&j, "status", str_from(status));
    if (warning)
        json_member_str(&j, "warning", str_from(warning));
    object_end(&j);
}

bool
livez(struct app *app UNUSED, struct request *request UNUSED, struct response *response,
      struct err *err UNUSED)
{
    answer_status(response, "alive", NULL);
    return true;
}

static bool
refuse(struct err *err, const char *check, const char *why)
{
    return err_set_name(err, ERR_BUSY, "not_ready", str_from(check), "%s: %s", check, why);
}

/* The schema was compared when the database was opened; this asks it for something real. */
static bool
check_database(struct app *app, struct request *request, struct err *err)
{
    struct dataset *datasets;
    size_t count;
    struct err why = {0};
    return dataset_list(request->arena, app->db, &datasets, &count, &why) ||
           refuse(err, "database", why.detail);
}

static bool
check_disk(struct app *app, struct err *err)
{
    uint64_t free_bytes;
    if (!fs_free_bytes(app->data_dir, &free_bytes, err))
        return false;
    return free_bytes >= IMPORT_DISK_RESERVE ||
           refuse(err, "disk", "less than 64 MiB are free");
}

static bool
check_importer(struct app *app, struct err *err)
{
    struct stat st;
    if (stat(app->heartbeat_path, &st) != 0)
        return refuse(err, "importer", "it has not started yet");
    int64_t beat_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    return clock_now_ms() - beat_ms <= HEARTBEAT_AGE_MS_MAX ||
           refuse(err, "importer", "its last sign of life is more than 15 seconds old");
}

/* No reason to send the games elsewhere: there is nowhere else, and wallets that are whole go
 * on being right. */
static const char *
warn_of_ledger(const struct app *app)
{
    return access(app->ledger_mark_path, F_OK)
               ? NULL
               : "ledger: the look at the start found a fault; see the log for ledger_broken";
}

bool
readyz(struct app *app, struct request *request, struct response *response, struct err *err)
{
    const char *warning = NULL;
    if (!check_database(app, request, err) || !check_disk(app, err) ||
        !check_importer(app, err) || !readiness_check_datasets(app, request, &warning, err))
        return false;
    const char *of_ledger = warn_of_ledger(app);
    answer_status(response, "ready", of_ledger ? of_ledger : warning);
    return true;
}

static struct str
openapi_json(struct app *app, struct err *err)
{
    if (app->openapi.n == 0) {
        buf_init(&app->openapi, OPENAPI_BYTES_MAX);
        bool ok = openapi_add_json(&app->openapi, err);
        assert(ok); /* it is ours, and the contract test reads it */
    }
    return buf_str(&app->openapi);
}

bool
get_openapi(struct app *app, struct request *request, struct response *response,
            struct err *err)
{
    response->type = "application/json";
    struct str json = openapi_json(app, err);
    uint64_t hash = hash_bytes(json, 0);
    if (!response_is_known(response, arena_printf(request->arena, "api-%016" PRIx64, hash)))
        buf_add(&response->body, json);
    return true;
}
