/* The service about itself: is it alive, is it ready, what does it offer. */
#include "api/handlers.h"
#include "api/object.h"
#include "api/openapi.h"
#include "api/readiness.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "players/event_clock.h"
#include "players/strength.h"
#include "role/disk.h"
#include "json/write.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

/* The jobs role writes its file several times in this while. */
#define HEARTBEAT_AGE_US_MAX UINT64_C(15000000)

/* `warning` is "" where all is well. */
static void
answer_status(struct response *response, const char *status, struct str warning)
{
    struct json j = object_begin(response);
    json_member_str(&j, "status", str_from(status));
    if (warning.n)
        json_member_str(&j, "warning", warning);
    object_end(&j);
}

bool
livez(struct app *app UNUSED, struct request *request UNUSED, struct response *response,
      struct err *err UNUSED)
{
    answer_status(response, "alive", STR(""));
    return true;
}

static bool
refuse_readiness(struct err *err, const char *check, const char *why)
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
           refuse_readiness(err, "database", why.detail);
}

static bool
check_disk(struct app *app, struct err *err)
{
    return disk_free_bytes(app->data_dir) >= DISK_RESERVE ||
           refuse_readiness(err, "disk", "less than 64 MiB are free");
}

static bool
check_importer(struct app *app, struct err *err)
{
    uint64_t beat_us, now_us = clock_steady_us();
    struct err ignored;
    scoped_fd fd = fs_open_at(AT_FDCWD, app->heartbeat_path, O_RDONLY, &ignored);
    if (fd < 0 || pread(fd, &beat_us, sizeof(beat_us), 0) != sizeof(beat_us))
        return refuse_readiness(err, "importer", "it has not started yet");
    /* One from the future is of before the machine was started. */
    return (beat_us <= now_us && now_us - beat_us <= HEARTBEAT_AGE_US_MAX) ||
           refuse_readiness(err, "importer",
                            "its last sign of life is more than 15 seconds old");
}

/* No reason to send the games elsewhere: there is nowhere else, and wallets that are whole go
 * on being right. */
static void
warn_of_ledger(const struct app *app, struct buf *warnings)
{
    if (access(app->ledger_mark_path, F_OK) == 0)
        readiness_warn(warnings, "ledger",
                       "the look at the start found a fault; see the log for ledger_broken");
}

static bool
warn_of_clock(struct app *app, struct buf *warnings, struct err *err)
{
    struct event_clock_view view;
    if (!event_clock_view(app->db, &view, err))
        return false;
    if (view.text[0])
        readiness_warn(warnings, "clock", view.text);
    return true;
}

/* Everything else goes on; the file is not named to strangers. */
static void
warn_of_passwords(struct app *app, struct buf *warnings)
{
    if (!strength_is_dictionary_good(app->config, &app->dictionary))
        readiness_warn(warnings, "passwords",
                       "the dictionary that new ones are checked with cannot be read, so none "
                       "is set; playmeter check-config names the file");
}

/* Nothing that is served is touched by them; but somebody has to look.  Their names are the ids
 * of jobs, of private datasets too: who has no key learns how many there are. */
static void
warn_of_folders(struct app *app, const struct request *request, struct buf *warnings)
{
    struct err ignored;
    scoped_arena a = {0};
    scoped_buf text = {.max = 64 * KIB};
    if (!fs_read_file(&text, AT_FDCWD, app->kept_mark_path, &ignored) || text.n == 0)
        return;
    struct str rest = buf_str(&text), first = str_cut(&rest, '\n');
    size_t more = 0;
    for (; rest.n; more++)
        (void)str_cut(&rest, '\n');
    const char *others = more ? arena_printf(&a, " (and %zu more)", more).p : "";
    if (request->scope < SCOPE_READ) {
        first = arena_printf(&a, "%zu are kept", more + 1);
        others = "";
    }
    readiness_warn(
        warnings, "folders",
        arena_printf(&a, "%" STR_FMT "%s; see the log for folder_kept", STR_ARG(first), others)
            .p);
}

bool
readyz(struct app *app, struct request *request, struct response *response, struct err *err)
{
    if (!check_database(app, request, err) || !check_disk(app, err) ||
        !check_importer(app, err))
        return false;
    scoped_buf warnings = {.max = 8 * KIB};
    warn_of_ledger(app, &warnings);
    warn_of_folders(app, request, &warnings);
    warn_of_passwords(app, &warnings);
    if (!readiness_check_datasets(app, request, &warnings, err) ||
        !warn_of_clock(app, &warnings, err))
        return false;
    answer_status(response, "ready", buf_str(&warnings));
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
