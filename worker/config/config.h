/* The configuration: one YAML file, one table of settings, one struct.  A row of SETTINGS makes
 * the struct field, the YAML key, the check, the help and the documented default.
 *
 * A YAML key is `section.name`, the field `section_name`.  An unknown key, a wrong type, a
 * value out of bounds or a key given twice is refused with file and line.  Secrets come from
 * the environment or files, never from the YAML itself. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

/*     type  section  name             default             min     max            help
 * types: BYTES (64-bit; suffixes KiB MiB GiB), COUNT (64-bit), MS (suffixes ms s m h d), BOOL,
 * TEXT (defaults and bounds: see each row; min and max are ignored for BOOL and TEXT). */
// clang-format off
#define SETTINGS(X)                                                                               \
    X(TEXT,  server,  user,            "playmeter",        0,      64,            "user to run as when started as root") \
    X(TEXT,  http,    listen,          "127.0.0.1",        0,      64,            "address nginx listens on") \
    X(COUNT, http,    port,            8080,               1,      65535,         "port nginx listens on") \
    X(TEXT,  http,    nginx,           "nginx",            1,      256,           "nginx program") \
    X(COUNT, workers, query,           8,                  1,      128,           "worker processes for analysts' requests") \
    X(COUNT, workers, play,            24,                 1,      256,           "worker processes for players' requests") \
    X(MS,    workers, deadline,        10000,              100,    60000,         "time one request may take in a worker") \
    X(BOOL,  access,  public,          true,               0,      1,             "public datasets can be read without a key") \
    X(BYTES, imports, file_bytes_max,  157286400,          1024,   68719476736,   "largest CSV, decoded") \
    X(COUNT, imports, columns_max,     2000,               1,      2000,          "most columns of a CSV") \
    X(COUNT, imports, versions_kept,   2,                  1,      100,           "versions kept beside the current one") \
    X(COUNT, imports, rejects_max,     100000,             0,      10000000,      "rejected rows kept per import, the rest is counted") \
    X(MS,    imports, spool_kept,      86400000,           0,      31536000000,   "how long a finished job's source and rejects stay") \
    X(BOOL,  fetch,   allow_loopback,  false,              0,      1,             "fetch from this machine: for tests only") \
    X(MS,    fetch,   connect_timeout, 10000,              100,    120000,        "time to connect to a URL's host") \
    X(MS,    fetch,   total_timeout,   600000,             1000,   86400000,      "time a whole fetch may take") \
    X(COUNT, fetch,   low_speed,       1024,               1,      1073741824,    "bytes per second below which a fetch is too slow") \
    X(MS,    fetch,   low_speed_time,  30000,              1000,   600000,        "how long it may be so slow")
// clang-format on

struct config_column { /* of a declared dataset, as written; checked by schema_from_config */
    struct str name, header, type;
    struct str *aliases; /* other headers that mean this column */
    size_t alias_count;
    struct str *formats;
    size_t format_count;
    struct str *list_join;
    size_t list_join_count;
    bool is_key, is_title, is_measure, is_similar, is_default_date;
    unsigned line;
};

struct config_dataset {
    struct str name;
    bool is_public;
    struct str time_zone; /* "" is UTC */
    struct config_column *columns;
    size_t column_count;
    unsigned line;
};

#define CONFIG_TYPE_BYTES uint64_t
#define CONFIG_TYPE_COUNT uint64_t
#define CONFIG_TYPE_MS uint64_t
#define CONFIG_TYPE_BOOL bool
#define CONFIG_TYPE_TEXT struct str

struct config {
    struct str path;     /* the file, for messages; "" for the built-in defaults */
    struct str data_dir; /* absolute; from the command line */
#define X(type, section, name, fallback, min, max, help) CONFIG_TYPE_##type section##_##name;
    SETTINGS(X)
#undef X
    struct config_dataset *datasets;
    size_t dataset_count;
};
