/* The configuration: one YAML file, one table of settings, one struct.  A row of SETTINGS makes
 * the struct field, the YAML key, the check, the help and the documented default in
 * conf/playmeter.yaml (a test compares).
 *
 * The YAML key `section: name:` is the field `section_name`.  An unknown key, a wrong type, a
 * value out of bounds or a repeated key is refused with file and line.  Secrets are in the
 * environment or in files of their own, not in the YAML; only API keys may be in either, the
 * latter with key_file, whose file can have mode 0600. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

/* The types, how values are written, and what min and max limit:
 *   BYTES  number with a suffix KiB MiB GiB, or none    the bytes
 *   COUNT  number                                       the number
 *   MS     number with a suffix ms s m h d              the milliseconds
 *   BOOL   true, false                                  nothing
 *   TEXT   a string                                     its bytes
 *   LIST   a sequence of strings, or one string         the number of items
 *   RATE   "N/s burst M" or "N/min burst M"             N and M
 * The default is written as in the YAML file (LIST: items separated by blanks, "" is empty). */
/*     type  section  name             default             min     max            help */
// clang-format off
#define SETTINGS(X)                                                                               \
    X(TEXT,  server,  user,            "playmeter",        1,      32,            "user to run as when started as root") \
    X(TEXT,  http,    listen,          "127.0.0.1",        2,      45,            "address nginx listens on") \
    X(COUNT, http,    port,            "8080",             1,      65535,         "port nginx listens on") \
    X(TEXT,  http,    nginx,           "nginx",            1,      256,           "nginx program") \
    X(COUNT, http,    nginx_workers,   "0",                0,      64,            "nginx processes; 0 is one per core") \
    X(TEXT,  http,    tls_certificate, "",                 0,      1024,          "certificate chain (PEM) to serve https with; empty serves http") \
    X(TEXT,  http,    tls_key,         "",                 0,      1024,          "the certificate's private key (PEM)") \
    X(MS,    http,    hsts,            "365d",             0,      63072000000,   "how long a browser that came by https insists on it (Strict-Transport-Security); 0s lets it forget") \
    X(LIST,  http,    cors_origins,    "",                 0,      64,            "origins whose pages may call this service from a browser, such as https://game.example") \
    X(LIST,  http,    trusted_proxies, "",                 0,      64,            "addresses or networks whose X-Forwarded-For is believed") \
    X(BOOL,  http,    access_log,      "true",             0,      1,             "JSON lines of all requests in DATA/logs/access.log; SIGHUP reopens it") \
    X(COUNT, workers, query,           "8",                1,      128,           "worker processes for analysts' requests") \
    X(COUNT, workers, play,            "24",               1,      256,           "worker processes for players' requests") \
    X(MS,    workers, deadline,        "10s",              100,    60000,         "time one request may take in a worker") \
    X(BOOL,  access,  public,          "true",             0,      1,             "public datasets can be read without a key") \
    X(RATE,  limits,  imports,         "2/min burst 5",    1,      1000000,       "uploads and imports of one client or address") \
    X(RATE,  limits,  accounts,        "10/min burst 20",  1,      1000000,       "register and login of one client or address") \
    X(RATE,  limits,  reads,           "50/s burst 100",   1,      1000000,       "requests without a key of one address; with a key there is no limit") \
    X(RATE,  limits,  play,            "20/s burst 100",   1,      1000000,       "players' requests of one client or address") \
    X(COUNT, limits,  exports,         "2",                1,      64,            "CSV and NDJSON answers of one client or address at once; pages of lists are none") \
    X(COUNT, limits,  pages,           "32",               1,      1024,          "pages of events, of a ledger or read without a key, of one client or address at once, those it has not read yet included; four times as many for all") \
    X(BYTES, limits,  export_spool,    "512MiB",           1048576, 68719476736,  "disk that one answer to a slow reader may take, so that it does not hold a worker") \
    X(BYTES, imports, file_bytes_max,  "150MiB",           1024,   68719476736,   "largest CSV, decoded") \
    X(COUNT, imports, columns_max,     "2000",             1,      2000,          "most columns of a CSV") \
    X(COUNT, imports, concurrent,      "2",                1,      16,            "imports that run at once, each of another dataset") \
    X(COUNT, imports, versions_kept,   "2",                1,      100,           "versions kept beside the current one") \
    X(COUNT, imports, rejects_max,     "100000",           0,      10000000,      "rejected rows kept per import, the rest is counted") \
    X(MS,    imports, spool_kept,      "1d",               0,      31536000000,   "how long a finished job's source and rejects stay") \
    X(MS,    storage, check_every,     "1d",               1000,   31536000000,   "how often the files of every version are read and held against their checksums; at each start they are, too") \
    X(BOOL,  fetch,   allow_loopback,  "false",            0,      1,             "fetch from this machine, on any port: for tests only") \
    X(LIST,  fetch,   ports,           "80 443",           1,      64,            "ports that are fetched from, also behind redirects") \
    X(MS,    fetch,   connect_timeout, "10s",              100,    120000,        "time to connect to a URL's host") \
    X(MS,    fetch,   total_timeout,   "10m",              1000,   86400000,      "time a whole fetch may take") \
    X(COUNT, fetch,   low_speed,       "1024",             1,      1073741824,    "bytes per second below which a fetch is too slow") \
    X(MS,    fetch,   low_speed_time,  "30s",              1000,   600000,        "how long it may be so slow") \
    X(TEXT,  players, issuer,          "playmeter",        1,      64,            "iss of the tokens; one of another issuer is refused") \
    X(TEXT,  players, secret_file,     "",                 0,      1024,          "file with the secret that signs tokens, 32 bytes or more; empty: PLAYMETER_JWT_SECRET, else DATA/jwt.secret, which is made") \
    X(TEXT,  players, previous_secret_file, "",            0,      1024,          "file with the secret before it, accepted while rotating; empty: PLAYMETER_JWT_SECRET_PREVIOUS, else none") \
    X(MS,    players, token_lifetime,  "1h",               60000,  86400000,      "how long a token is good for") \
    X(MS,    players, refresh_lifetime, "30d",             60000,  31536000000,   "how long a login lasts without a refresh") \
    X(MS,    players, refresh_grace,   "30s",              0,      600000,        "how long a refresh token that was used gives the same new one again; later it ends the login") \
    X(BOOL,  players, login_registers, "true",             0,      1,             "login with a new username registers it") \
    X(BOOL,  players, password_check,  "true",             0,      1,             "new passwords that are common words, rows of characters or nearly the username are refused") \
    X(TEXT,  players, password_dictionary, "",             0,      1000,          "cracklib's dictionary to look them up in, its path without .pwd; empty: the distribution's") \
    X(COUNT, players, hashes_per_core, "2",                1,      16,            "passwords hashed at once per core, 19 MiB each, and by at most half of the play workers; one more is answered 503") \
    X(COUNT, players, login_failures,  "10",               1,      1000,          "wrong passwords for one account from one address within login_window; ten times as many for one account or from one address") \
    X(MS,    players, login_window,    "10m",              1000,   86400000,      "how long a wrong password counts") \
    X(COUNT, players, event_types_max, "1000",             1,      100000,        "different event types kept; one more is refused") \
    X(COUNT, players, event_types_per_player, "100",       1,      100000,        "event types that one player may be the first to send, so that one cannot use them all up") \
    X(LIST,  players, track_redirect_hosts, "",            0,      256,           "hosts that /v1/track may redirect to") \
    X(TEXT,  reports, output_dir,      "reports",          1,      1024,          "folder of the report files, relative to DATA unless it begins with /; the service's user writes there") \
    X(TEXT,  reports, at,              "",                 0,      5,             "time of day (UTC, HH:MM) of the daily run; empty: none") \
    X(LIST,  reports, purchase_events, "purchase af_purchase", 1,  64,            "event names that are purchases, in any case") \
    X(LIST,  reports, success_statuses, "success",         1,      64,            "status words of a purchase that counts, in any case") \
    X(LIST,  reports, reversal_statuses, "chargeback refund refunded cancelled", 0, 64, "status words that take a purchase back, in any case") \
    X(TEXT,  reports, receipt_pattern, "",                 0,      256,           "extended regular expression that a receipt has to match; empty: any") \
    X(MS,    reports, window,          "10m",              0,      86400000,      "how far apart a purchase and its confirmation may be") \
    X(COUNT, reports, anomaly_percent, "50",               1,      100,           "a ROAS below so much of its mean is an anomaly") \
    X(BOOL,  reports, include_day,     "false",            0,      1,             "the mean of an anomaly counts the day itself too")
// clang-format on

struct config_column { /* of a declared dataset, as written; checked by schema_from_config */
    struct str name, header, type; /* the header is the name when none is given */
    struct str *aliases;           /* other headers that mean this column */
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

struct config_key {
    struct str client; /* [A-Za-z0-9_.-]{1,64} */
    struct str scope;  /* "read", "write" or "admin" */
    struct str key;    /* 64 lower-case hex digits; "" until config_read_keys */
    struct str file;   /* "" when the key is in the YAML itself */
    unsigned line;
};

struct config_list {
    struct str *items;
    size_t count;
};

struct config_rate {
    uint64_t requests; /* per second or minute */
    uint64_t burst;    /* further requests accepted at once */
    bool is_per_minute;
};

#define CONFIG_TYPE_BYTES uint64_t
#define CONFIG_TYPE_COUNT uint64_t
#define CONFIG_TYPE_MS uint64_t
#define CONFIG_TYPE_BOOL bool
#define CONFIG_TYPE_TEXT struct str
#define CONFIG_TYPE_LIST struct config_list
#define CONFIG_TYPE_RATE struct config_rate

struct config {
    struct str path;     /* the file, for messages; "" for the built-in defaults */
    struct str data_dir; /* absolute; set by the caller, from the command line */
    int64_t start; /* random number of this start of the service, kept by a reload; 0: none */
#define X(type, section, name, fallback, min, max, help) CONFIG_TYPE_##type section##_##name;
    SETTINGS(X)
#undef X
    struct str tls_digest;           /* of certificate and key; "" until config_read_tls */
    unsigned output_dir_line;        /* of reports.output_dir in the file */
    struct config_dataset *datasets; /* the shipped ones if the file has no `datasets` */
    size_t dataset_count;
    struct config_key *keys;
    size_t key_count;
};

/* Reads the file, or the shipped conf/playmeter.yaml when `path` is NULL.  Settings that it
 * leaves out get their defaults.  Strings are in the arena.  Errors: "file:line: what, rule,
 * value". */
MUST_CHECK bool config_load(struct arena *a, const char *path, struct config *out,
                            struct err *err);
/* The same from text; `name` is used as the file's name in messages. */
MUST_CHECK bool config_parse(struct arena *a, struct str name, struct str text,
                             struct config *out, struct err *err);
/* NULL where the dataset is not declared. */
const struct config_dataset *config_find_dataset(const struct config *config, struct str name);
/* The service's own folders in the data directory. */
extern const char *const CONFIG_FOLDERS[];
extern const size_t CONFIG_FOLDERS_COUNT;
/* Refuses a reports.output_dir that is one of those folders or is inside one, judged by its
 * path: links are not followed.  Without data_dir only a relative path can be judged, which
 * config_load has done. */
MUST_CHECK bool config_check_output(const struct config *config, struct err *err);
/* Reads the key files (relative to the YAML file's folder), and <data_dir>/admin.key, if it
 * exists, as the client "admin".  Refuses keys that are not 64 lower-case hex digits, and a
 * key or client that occurs twice. */
#define CONFIG_ADMIN_KEY "admin.key"
#define CONFIG_JWT_SECRET "jwt.secret" /* in data_dir as well; see players/token.h */
#define CONFIG_KEY_DIGITS 64
MUST_CHECK bool config_read_keys(struct arena *a, struct config *config, struct err *err);
/* Reads the TLS certificate and its key, as the user that the service runs as; does nothing
 * when none is set.  Only a key with a pass phrase is refused; nginx checks everything else. */
MUST_CHECK bool config_read_tls(struct arena *a, struct config *config, struct err *err);
/* The path `file`, relative to the folder of the YAML file `yaml`. */
const char *config_beside(struct arena *a, struct str yaml, struct str file);

/* The table at run time, for help and tests. */
enum config_type {
    CONFIG_BYTES,
    CONFIG_COUNT,
    CONFIG_MS,
    CONFIG_BOOL,
    CONFIG_TEXT,
    CONFIG_LIST,
    CONFIG_RATE
};
struct config_setting {
    const char *section, *name, *fallback, *help;
    enum config_type type;
    size_t offset; /* of the field in struct config */
    uint64_t min, max;
};
extern const struct config_setting CONFIG_SETTINGS[];
extern const size_t CONFIG_SETTINGS_COUNT;
