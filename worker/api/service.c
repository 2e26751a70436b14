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
    struct dataset *datasets;
    size_t count;
    struct event_clock_view clock;
    struct err why = {0};
    /* The schema was compared when the database was opened; this asks it for something real. */
    if (!dataset_list(request->arena, app->db, &datasets, &count, &why))
        return refuse_readiness(err, "database", why.detail);
    if (disk_free_bytes(app->data_dir) < DISK_RESERVE)
        return refuse_readiness(err, "disk", "less than 64 MiB are free");
    if (!check_importer(app, err))
        return false;
    scoped_buf warnings = {.max = 8 * KIB};
    /* No reason to send the games elsewhere: there is nowhere else, and wallets that are
     * whole go on being right. */
    if (access(app->ledger_mark_path, F_OK) == 0)
        readiness_warn(&warnings, "ledger",
                       "the look at the start found a fault; see the log for ledger_broken");
    warn_of_folders(app, request, &warnings);
    /* Everything else goes on; the file is not named to strangers. */
    if (!strength_is_dictionary_good(app->config, &app->dictionary))
        readiness_warn(&warnings, "passwords",
                       "the dictionary that new ones are checked with cannot be read, so none "
                       "is set; playmeter check-config names the file");
    if (!readiness_check_datasets(app, request, &warnings, err) ||
        !event_clock_view(app->db, &clock, err))
        return false;
    if (clock.text[0])
        readiness_warn(&warnings, "clock", clock.text);
    answer_status(response, "ready", buf_str(&warnings));
    return true;
}

bool
get_openapi(struct app *app, struct request *request, struct response *response,
            struct err *err)
{
    response->type = "application/json";
    if (app->openapi.n == 0) {
        buf_init(&app->openapi, OPENAPI_BYTES_MAX);
        bool ok = openapi_add_json(&app->openapi, err);
        assert(ok); /* it is ours, and the contract test reads it */
    }
    struct str json = buf_str(&app->openapi);

    uint64_t hash = hash_bytes(json, 0);
    if (!response_is_known(response, arena_printf(request->arena, "api-%016" PRIx64, hash)))
        buf_add(&response->body, json);
    return true;
}
