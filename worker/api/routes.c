/* THE table: every route of the service, what it takes, who may call it, and who answers.
 * nginx's locations (api/surface.c) and /openapi.json (api/openapi.c) are made of it. */
#include "api/handlers.h"
#include "import/options.h"
#include "players/event_batch.h"
#include "players/track.h"
#include "query/histogram.h"
#include "query/similar.h"
#include "query/titles.h"

// clang-format off
#define TEXT_MAX   4096
#define LIMIT_MAX  1000
#define EXPORT_LIMIT_MAX 1000000000 /* CSV and NDJSON; a page of JSON has QUERY_LIMIT_MAX */
#define OFFSET_MAX INT64_C(1000000000000)

static const struct route_body NO_BODY = {0};
static const struct route_body SMALL_BODY = {.bytes_max = 64 * KIB};
/* Far more than a change needs, so that what is no JSON at all is told that, not its length. */
static const struct route_body JSON_BODY = {.bytes_max = 512 * KIB};
static const struct route_body EVENT_BODY = {
    .bytes_max = EVENT_ITEM_BYTES_MAX,
    .before = "An event is at most", .after = " bytes of JSON."};
static const struct route_body BATCH_BODY = {
    .bytes_max = EVENT_BATCH_BYTES_MAX,
    .before = "A batch is at most",
    .after = " bytes, sent and decoded, and at most 1000 events."};
/* In memory is what a file does not need: a form or JSON. */
static const struct route_body CSV_BODY = {
    .bytes_max = 64 * KIB, .is_file = true,
    .before = "The body is larger than a CSV may be here, which is",
    .after = " (imports.file_bytes_max in the settings)."};

static const struct route_param NO_PARAMS[] = {{.name = NULL}};

/*   name           type           min max               default  words  help */
#define FORMAT_ALL \
    {"format",      PARAM_WORD,    0, 0,                 NULL, "json csv ndjson", "form of the answer; wins over Accept"}
#define FORMAT_PAGE \
    {"format",      PARAM_WORD,    0, 0,                 NULL, "json csv ndjson", "form of the answer, which is the same page in each; wins over Accept"}
#define FORMAT_TABLE \
    {"format",      PARAM_WORD,    0, 0,                 NULL, "json csv", "form of the answer; wins over Accept"}
#define RAW \
    {"raw",         PARAM_BOOLEAN, 0, 0,                 "false", NULL, "CSV: leave cells that a spreadsheet would run as they are"}
#define CURSOR \
    {"cursor",      PARAM_TEXT,    1, 512,               NULL, NULL, "page.next_cursor of the page before"}
#define CURSOR_ID \
    {"cursor",      PARAM_INTEGER, 1, INT64_MAX,         NULL, NULL, "page.next_cursor of the page before"}
#define FIELDS \
    {"fields",      PARAM_TEXT,    1, TEXT_MAX,          NULL, NULL, "columns to show, separated by commas"}
#define WORDS \
    {"q",           PARAM_TEXT,    0, TEXT_MAX,          NULL, NULL, "words that all have to be in the row, each anywhere in its text columns"}
#define COLUMN \
    {"column",      PARAM_TEXT,    1, TEXT_MAX,          "all", NULL, "columns, separated by commas; all stands for the measures"}
#define AGGREGATE \
    {"aggregate",   PARAM_TEXT,    1, TEXT_MAX,          "all", NULL, "aggregates, separated by commas; all stands for every one the column's type has"}
#define DDOF \
    {"ddof",        PARAM_INTEGER, 0, 1,                 "0", NULL, "1 gives variance and standard deviation of a sample"}
#define BIAS \
    {"bias",        PARAM_BOOLEAN, 0, 0,                 "true", NULL, "skewness and kurtosis are corrected for bias when false (or 0)"}
#define ALTNAME \
    {"altname",     PARAM_TEXT,    0, IMPORT_LABEL_BYTES_MAX, NULL, NULL, "another word for label"}

/* Of a list that is whole on one page. */
static const struct route_param LIST_PARAMS[] = {FORMAT_PAGE, RAW};
static const struct route_param ROWS_PARAMS[] = {
    WORDS,
    {"sort",        PARAM_TEXT,    1, TEXT_MAX,          NULL, NULL, "columns to order by, separated by commas; - before a name reverses it; nulls come last, and rows that are equal keep their order"},
    FIELDS,
    {"limit",       PARAM_INTEGER, 1, EXPORT_LIMIT_MAX,  "50", NULL, "most rows; at most 1000 as JSON, no default as CSV and NDJSON"},
    CURSOR,
    FORMAT_ALL,
    RAW,
};
static const struct route_param ROW_PARAMS[] = {FIELDS};
static const struct route_param STATS_PARAMS[] = {
    COLUMN,
    AGGREGATE,
    {"percentiles", PARAM_TEXT,    1, 512,               NULL, NULL, "percentiles from 0 to 100, separated by commas; 25,50,75 when absent"},
    DDOF,
    BIAS,
    WORDS,
};
static const struct route_param GROUPS_PARAMS[] = {
    {"by",          PARAM_TEXT,    1, TEXT_MAX,          NULL, NULL, "one or two columns, separated by a comma; a date takes :year, :month or :day, a number :WIDTH"},
    {"aggregate",   PARAM_TEXT,    1, TEXT_MAX,          "count", NULL, "what to know of each group, separated by commas: count, mean(price), ..."},
    {"having",      PARAM_TEXT,    1, TEXT_MAX,          NULL, NULL, "tests of aggregates that a group has to pass, separated by commas: sum(positive)__gt=100"},
    {"sort",        PARAM_TEXT,    1, TEXT_MAX,          NULL, NULL, "aggregates, and columns as in by, to order by; - before one reverses it"},
    DDOF,
    BIAS,
    WORDS,
    {"limit",       PARAM_INTEGER, 1, EXPORT_LIMIT_MAX,  "50", NULL, "most groups; at most 1000 as JSON, no default as CSV and NDJSON"},
    CURSOR,
    FORMAT_ALL,
    RAW,
};
static const struct route_param FACETS_PARAMS[] = {
    {"column",      PARAM_TEXT,    1, TEXT_MAX,          NULL, NULL, "columns, separated by commas, each as in by of the groups (release_date:year, price:10)"},
    {"limit",       PARAM_INTEGER, 1, LIMIT_MAX,         "20", NULL, "most values of each column"},
    WORDS,
};
static const struct route_param HISTOGRAM_PARAMS[] = {
    {"column",      PARAM_TEXT,    1, 256,               NULL, NULL, "a column of numbers or dates"},
    {"bins",        PARAM_INTEGER, 1, HISTOGRAM_BINS_MAX, "10", NULL, "number of bins"},
    WORDS,
    FORMAT_ALL,
};
#define X(name, type, min, max, words, json, help) {#name, PARAM_##type, min, max, NULL, words, help},
const struct route_param IMPORT_PARAMS[] = {
    IMPORT_OPTIONS(X)
    ALTNAME,
};
static const struct route_param UPLOAD_PARAMS[] = {
    ALTNAME,
    IMPORT_OPTIONS_OF_TEXT(X)
};
static const struct route_param IMPORT_URL_PARAMS[] = {
    {"file_url",    PARAM_TEXT,    1, 2048,              NULL, NULL, "the http or https URL of a CSV file; a Google Sheets link becomes its CSV export"},
    ALTNAME,
    IMPORT_OPTIONS_OF_TEXT(X)
};
#undef X
static const struct route_param ROLLBACK_PARAMS[] = {
    {"version",     PARAM_INTEGER, 1, INT64_MAX,         NULL, NULL, "version to go back to; the one before the current one when absent"},
};
static const struct route_param JOBS_PARAMS[] = {
    {"dataset",     PARAM_TEXT,    1, 63,                NULL, NULL, "jobs of this dataset"},
    {"state",       PARAM_WORD,    0, 0,                 NULL, "queued running succeeded failed cancelled", "jobs in this state"},
    {"kind",        PARAM_TEXT,    1, 32,                NULL, NULL, "jobs of this kind"},
    {"limit",       PARAM_INTEGER, 1, LIMIT_MAX,         "50", NULL, "most jobs"},
    {"cursor",      PARAM_TEXT,    JOB_ID_DIGITS, JOB_ID_DIGITS, NULL, NULL, "page.next_cursor of the page before"},
    FORMAT_PAGE,
    RAW,
};
static const struct route_param REJECTS_PARAMS[] = {
    {"limit",       PARAM_INTEGER, 1, LIMIT_MAX,         "100", NULL, "most rejects of a page of JSON; a CSV has all"},
    CURSOR,
    FORMAT_TABLE,
    RAW,
};
static const struct route_param REPORT_RUNS_PARAMS[] = {
    {"date",        PARAM_TEXT,    1, 40,                NULL, NULL, "runs for this day, YYYY-MM-DD"},
    {"limit",       PARAM_INTEGER, 1, LIMIT_MAX,         "50", NULL, "most runs"},
    {"cursor",      PARAM_TEXT,    JOB_ID_DIGITS, JOB_ID_DIGITS, NULL, NULL, "page.next_cursor of the page before"},
    FORMAT_PAGE,
    RAW,
};
static const struct route_param REPORT_PARAMS[] = {
    {"date",        PARAM_TEXT,    1, 40,                NULL, NULL, "day of the report, YYYY-MM-DD; the newest that has one when absent"},
    FORMAT_TABLE,
};
static const struct route_param GAMES_QUERY_PARAMS[] = {
    {"limit",       PARAM_INTEGER, 1, LIMIT_MAX,         "10", NULL, "most games"},
    {"cursor",      PARAM_INTEGER, 0, OFFSET_MAX,        "0", NULL, "matches to skip, the cursor of the answer before"},
};
static const struct route_param GAMES_STATS_PARAMS[] = {AGGREGATE, COLUMN};

static const struct route_param EVENTS_PARAMS[] = {
    {"event_type",  PARAM_TEXT,    1, EVENT_TYPE_BYTES_MAX, NULL, NULL, "events of this type"},
    {"since",       PARAM_TEXT,    1, 64,                NULL, NULL, "events received at that time or later; a day is its midnight (UTC)"},
    {"until",       PARAM_TEXT,    1, 64,                NULL, NULL, "events received before that time"},
    {"player_id",   PARAM_INTEGER, 1, INT64_MAX,         NULL, NULL, "events of this player, with a token its own only; all players' when absent and a key of scope admin comes"},
    {"limit",       PARAM_INTEGER, 1, LIMIT_MAX,         "100", NULL, "most events"},
    CURSOR_ID,
    FORMAT_PAGE,
    RAW,
};
static const struct route_param TRACK_PARAMS[] = {
    {"character",   PARAM_TEXT,    0, TEXT_MAX,          NULL, NULL, "the character that the link is about"},
    {"campaign",    PARAM_TEXT,    0, TEXT_MAX,          NULL, NULL, "the campaign that the link belongs to"},
    {"redirect",    PARAM_TEXT,    1, TRACK_REDIRECT_BYTES_MAX, NULL, NULL, "where to go on: an http or https URL whose host[:port] is one of players.track_redirect_hosts, letter for letter but for case"},
};
static const struct route_param SIMILAR_PARAMS[] = {
    {"name",        PARAM_TEXT,    1, TITLES_QUERY_BYTES_MAX, NULL, NULL, "a title: exact, in another case, words of one, or nearly so"},
    {"key",         PARAM_TEXT,    1, TEXT_MAX,          NULL, NULL, "key of a row, in place of name"},
    FIELDS,
    {"limit",       PARAM_INTEGER, 1, SIMILAR_LIMIT_MAX, "10", NULL, "most rows"},
};
static const struct route_param SEARCH_PARAMS[] = {
    {"name",        PARAM_TEXT,    1, TITLES_QUERY_BYTES_MAX, NULL, NULL, "a title, words of one, or nearly so"},
    FIELDS,
    {"limit",       PARAM_INTEGER, 1, LIMIT_MAX,         "10", NULL, "most rows"},
};
static const struct route_param SIMILAR_GAMES_PARAMS[] = {
    {"name",        PARAM_TEXT,    1, TITLES_QUERY_BYTES_MAX, NULL, NULL, "a title: exact, in another case, words of one, or nearly so"},
    {"limit",       PARAM_INTEGER, 1, SIMILAR_LIMIT_MAX, "10", NULL, "most games"},
};

static const struct route_param LEDGER_PARAMS[] = {
    {"limit",       PARAM_INTEGER, 1, LIMIT_MAX,         "50", NULL, "most entries"},
    CURSOR_ID,
    FORMAT_PAGE,
    RAW,
};

#define PARAMS(list) list, COUNT_OF(list)
#define NONE NO_PARAMS, 0
#define FILTERS ROUTE_TAKES_FILTERS
#define ONE_PAGE ROUTE_ONE_PAGE
#define IN_PUBLIC ROUTE_PUBLIC_DATASET
#define PUBLIC_LIST ROUTE_PUBLIC_LIST
#define OF_PLAYER (ROUTE_PLAYER | ROUTE_AT_ROOT)
#define QUERY POOL_QUERY
#define PLAY POOL_PLAY
/* Whatever a link says is kept. */
#define LINK (ROUTE_MAY_BE_PLAYER | ROUTE_AT_ROOT | ROUTE_TAKES_FILTERS)

/*   method       pattern                             operation           handler           scope        flags                   pool   zone           body         parameters */
const struct route ROUTES[] = {
    {HTTP_GET,     "/livez",                           "livez",             livez,             SCOPE_NONE,  0,                      QUERY, ZONE_NONE,     &NO_BODY,    NONE},
    {HTTP_GET,     "/readyz",                          "readyz",            readyz,            SCOPE_NONE,  0,                      QUERY, ZONE_NONE,     &NO_BODY,    NONE},
    {HTTP_GET,     "/openapi.json",                    "get_openapi",       get_openapi,       SCOPE_NONE,  0,                      QUERY, ZONE_READS,    &NO_BODY,    NONE},
    {HTTP_GET,     "/v1/datasets",                     "list_datasets",     list_datasets,     SCOPE_READ,  PUBLIC_LIST | ONE_PAGE, QUERY, ZONE_READS,    &NO_BODY,    PARAMS(LIST_PARAMS)},
    {HTTP_GET,     "/v1/datasets/{dataset}",           "get_dataset",       get_dataset,       SCOPE_READ,  IN_PUBLIC,              QUERY, ZONE_READS,    &NO_BODY,    NONE},
    {HTTP_GET,     "/v1/datasets/{dataset}/rows",      "list_rows",         list_rows,         SCOPE_READ,  IN_PUBLIC | FILTERS,    QUERY, ZONE_READS,    &NO_BODY,    PARAMS(ROWS_PARAMS)},
    {HTTP_GET,     "/v1/datasets/{dataset}/rows/{key}","get_row",           get_row,           SCOPE_READ,  IN_PUBLIC,              QUERY, ZONE_READS,    &NO_BODY,    PARAMS(ROW_PARAMS)},
    {HTTP_GET,     "/v1/datasets/{dataset}/stats",     "get_stats",         get_stats,         SCOPE_READ,  IN_PUBLIC | FILTERS,    QUERY, ZONE_READS,    &NO_BODY,    PARAMS(STATS_PARAMS)},
    {HTTP_GET,     "/v1/datasets/{dataset}/groups",    "list_groups",       list_groups,       SCOPE_READ,  IN_PUBLIC | FILTERS,    QUERY, ZONE_READS,    &NO_BODY,    PARAMS(GROUPS_PARAMS)},
    {HTTP_GET,     "/v1/datasets/{dataset}/facets",    "get_facets",        get_facets,        SCOPE_READ,  IN_PUBLIC | FILTERS,    QUERY, ZONE_READS,    &NO_BODY,    PARAMS(FACETS_PARAMS)},
    {HTTP_GET,     "/v1/datasets/{dataset}/histogram", "get_histogram",     get_histogram,     SCOPE_READ,  IN_PUBLIC | FILTERS,    QUERY, ZONE_READS,    &NO_BODY,    PARAMS(HISTOGRAM_PARAMS)},
    {HTTP_GET,     "/v1/datasets/{dataset}/similar",   "list_similar",      list_similar,      SCOPE_READ,  IN_PUBLIC | FILTERS,    QUERY, ZONE_READS,    &NO_BODY,    PARAMS(SIMILAR_PARAMS)},
    {HTTP_GET,     "/v1/datasets/{dataset}/search",    "search_titles",     search_titles,     SCOPE_READ,  IN_PUBLIC | FILTERS,    QUERY, ZONE_READS,    &NO_BODY,    PARAMS(SEARCH_PARAMS)},
    {HTTP_POST,    "/v1/datasets/{dataset}/imports",   "create_import",     create_import,     SCOPE_WRITE, 0,                      QUERY, ZONE_IMPORTS,  &CSV_BODY,   PARAMS(IMPORT_PARAMS)},
    {HTTP_PUT,     "/v1/datasets/{dataset}/imports",   "put_import",        create_import,     SCOPE_WRITE, 0,                      QUERY, ZONE_IMPORTS,  &CSV_BODY,   PARAMS(IMPORT_PARAMS)},
    {HTTP_GET,     "/v1/datasets/{dataset}/versions",  "list_versions",     list_versions,     SCOPE_READ,  IN_PUBLIC | ONE_PAGE,   QUERY, ZONE_READS,    &NO_BODY,    PARAMS(LIST_PARAMS)},
    {HTTP_POST,    "/v1/datasets/{dataset}/rollback",  "rollback_dataset",  rollback_dataset,  SCOPE_WRITE, 0,                      QUERY, ZONE_READS,    &SMALL_BODY, PARAMS(ROLLBACK_PARAMS)},
    {HTTP_GET,     "/v1/jobs",                         "list_jobs",         list_jobs,         SCOPE_READ,  ONE_PAGE,               QUERY, ZONE_READS,    &NO_BODY,    PARAMS(JOBS_PARAMS)},
    {HTTP_GET,     "/v1/jobs/{id}",                    "get_job",           get_job,           SCOPE_READ,  0,                      QUERY, ZONE_READS,    &NO_BODY,    NONE},
    {HTTP_DELETE,  "/v1/jobs/{id}",                    "cancel_job",        cancel_job,        SCOPE_WRITE, 0,                      QUERY, ZONE_READS,    &NO_BODY,    NONE},
    {HTTP_GET,     "/v1/jobs/{id}/rejects",            "list_rejects",      list_rejects,      SCOPE_READ,  0,                      QUERY, ZONE_READS,    &NO_BODY,    PARAMS(REJECTS_PARAMS)},
    {HTTP_GET,     "/v1/reports",                      "list_reports",      list_reports,      SCOPE_READ,  ONE_PAGE,               QUERY, ZONE_READS,    &NO_BODY,    PARAMS(LIST_PARAMS)},
    {HTTP_GET,     "/v1/reports/runs",                 "list_report_runs",  list_report_runs,  SCOPE_READ,  ONE_PAGE,               QUERY, ZONE_READS,    &NO_BODY,    PARAMS(REPORT_RUNS_PARAMS)},
    {HTTP_POST,    "/v1/reports/runs",                 "create_report_run", create_report_run, SCOPE_WRITE, 0,                      QUERY, ZONE_READS,    &SMALL_BODY, NONE},
    {HTTP_GET,     "/v1/reports/{name}",               "get_report",        get_report,        SCOPE_READ,  0,                      QUERY, ZONE_READS,    &NO_BODY,    PARAMS(REPORT_PARAMS)},
    {HTTP_POST,    "/v1/register",                     "register_player",   register_player,   SCOPE_NONE,  ROUTE_AT_ROOT,          PLAY,  ZONE_ACCOUNTS, &SMALL_BODY, NONE},
    {HTTP_POST,    "/v1/login",                        "log_in",            log_in,            SCOPE_NONE,  ROUTE_AT_ROOT,          PLAY,  ZONE_ACCOUNTS, &SMALL_BODY, NONE},
    {HTTP_POST,    "/v1/refresh",                      "refresh_login",     refresh_login,     SCOPE_NONE,  ROUTE_AT_ROOT,          PLAY,  ZONE_PLAY,     &SMALL_BODY, NONE},
    {HTTP_POST,    "/v1/logout",                       "log_out",           log_out,           SCOPE_NONE,  OF_PLAYER,              PLAY,  ZONE_PLAY,     &NO_BODY,    NONE},
    {HTTP_GET,     "/v1/me",                           "get_me",            get_me,            SCOPE_NONE,  OF_PLAYER,              PLAY,  ZONE_PLAY,     &NO_BODY,    NONE},
    {HTTP_DELETE,  "/v1/me",                           "delete_me",         delete_me,         SCOPE_NONE,  OF_PLAYER,              PLAY,  ZONE_PLAY,     &SMALL_BODY, NONE},
    {HTTP_POST,    "/v1/me/password",                  "change_password",   change_password,   SCOPE_NONE,  OF_PLAYER,              PLAY,  ZONE_PLAY,     &SMALL_BODY, NONE},
    {HTTP_POST,    "/v1/earn",                         "earn",              earn,              SCOPE_NONE,  OF_PLAYER,              PLAY,  ZONE_PLAY,     &JSON_BODY,  NONE},
    {HTTP_POST,    "/v1/spend",                        "spend",             spend,             SCOPE_NONE,  OF_PLAYER,              PLAY,  ZONE_PLAY,     &JSON_BODY,  NONE},
    {HTTP_GET,     "/v1/balance",                      "get_balance",       get_balance,       SCOPE_NONE,  OF_PLAYER,              PLAY,  ZONE_PLAY,     &NO_BODY,    NONE},
    {HTTP_GET,     "/v1/ledger",                       "list_ledger",       list_ledger,       SCOPE_NONE,  OF_PLAYER | ONE_PAGE,   PLAY,  ZONE_PLAY,     &NO_BODY,    PARAMS(LEDGER_PARAMS)},
    {HTTP_POST,    "/v1/event",                        "send_event",        send_event,        SCOPE_NONE,  OF_PLAYER,              PLAY,  ZONE_PLAY,     &EVENT_BODY, NONE},
    {HTTP_POST,    "/v1/events",                       "send_events",       send_events,       SCOPE_NONE,  OF_PLAYER,              PLAY,  ZONE_PLAY,     &BATCH_BODY, NONE},
    {HTTP_GET,     "/v1/events",                       "list_events",       list_events,       SCOPE_ADMIN, OF_PLAYER | ONE_PAGE,   PLAY,  ZONE_PLAY,     &NO_BODY,    PARAMS(EVENTS_PARAMS)},
    {HTTP_GET,     "/v1/events/stats",                 "get_event_stats",   get_event_stats,   SCOPE_READ,  OF_PLAYER,              PLAY,  ZONE_PLAY,     &NO_BODY,    NONE},
    {HTTP_GET,     "/stats",                           "event_stats",       get_event_stats,   SCOPE_READ,  ROUTE_PLAYER,           PLAY,  ZONE_PLAY,     &NO_BODY,    NONE},
    {HTTP_GET,     "/v1/track",                        "track_link",        track_link,        SCOPE_NONE,  LINK,                   PLAY,  ZONE_PLAY,     &NO_BODY,    PARAMS(TRACK_PARAMS)},
    {HTTP_GET,     "/api/ping",                        "ping",              ping,              SCOPE_NONE,  0,                      QUERY, ZONE_READS,    &NO_BODY,    NONE},
    {HTTP_POST,    "/api/upload_csv",                  "upload_csv",        upload_csv,        SCOPE_WRITE, 0,                      QUERY, ZONE_IMPORTS,  &CSV_BODY,   PARAMS(UPLOAD_PARAMS)},
    {HTTP_POST,    "/api/import_csv",                  "import_csv",        import_csv,        SCOPE_WRITE, 0,                      QUERY, ZONE_IMPORTS,  &SMALL_BODY, PARAMS(IMPORT_URL_PARAMS)},
    {HTTP_GET,     "/api/query",                       "query_games",       query_games,       SCOPE_READ,  IN_PUBLIC | FILTERS,    QUERY, ZONE_READS,    &NO_BODY,    PARAMS(GAMES_QUERY_PARAMS)},
    {HTTP_GET,     "/api/stats",                       "games_stats",       games_stats,       SCOPE_READ,  IN_PUBLIC,              QUERY, ZONE_READS,    &NO_BODY,    PARAMS(GAMES_STATS_PARAMS)},
    {HTTP_GET,     "/api/similar_games",               "similar_games",     similar_games,     SCOPE_READ,  IN_PUBLIC,              QUERY, ZONE_READS,    &NO_BODY,    PARAMS(SIMILAR_GAMES_PARAMS)},
};
const size_t ROUTE_COUNT = COUNT_OF(ROUTES);
// clang-format on
