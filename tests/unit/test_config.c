/* The settings file: defaults, refusals with file and line, the documented file against the
 * table, and whatever the YAML test suite has to offer. */
#include "base/fs.h"
#include "config/config.h"
#include "config/sections.h"
#include "config/yaml.h"
#include "shared_data.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

static struct str
documented(void)
{
    const struct embed_file *file =
        embed_find(EMBED_CONF, EMBED_CONF_COUNT, STR("playmeter.yaml"));
    assert_non_null(file);
    return file->text;
}

static void
defaults_are_the_table(void **state UNUSED)
{
    scoped_arena a = {0};
    struct config config;
    struct err err = {0};
    assert_true(config_load(&a, NULL, &config, &err));
    assert_int_equal(config.http_port, 8080);
    assert_int_equal(config.imports_file_bytes_max, 150 * MIB);
    assert_int_equal(config.workers_deadline, 10000);
    assert_int_equal(config.limits_imports.requests, 2);
    assert_int_equal(config.limits_imports.burst, 5);
    assert_true(config.limits_imports.is_per_minute);
    assert_false(config.limits_play.is_per_minute);
    assert_int_equal(config.http_cors_origins.count, 0);
    assert_true(config.access_public);
}

static bool
lists_are_equal(const struct config_list *a, const struct config_list *b)
{
    bool are_equal = a->count == b->count;
    for (size_t i = 0; are_equal && i < a->count; i++)
        are_equal = str_eq(a->items[i], b->items[i]);
    return are_equal;
}

static bool
fields_are_equal(enum config_type type, const void *a, const void *b)
{
    switch (type) {
    case CONFIG_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case CONFIG_TEXT:
        return str_eq(*(const struct str *)a, *(const struct str *)b);
    case CONFIG_LIST:
        return lists_are_equal(a, b);
    case CONFIG_RATE:
        return memcmp(a, b, offsetof(struct config_rate, is_per_minute) + 1) == 0;
    default:
        return *(const uint64_t *)a == *(const uint64_t *)b;
    }
}

/* Comment text with its line breaks gone, so that the help may be wrapped. */
static void
add_comments(struct buf *out, struct str yaml)
{
    while (yaml.p) {
        struct str line = str_trim(str_cut(&yaml, '\n'));
        if (str_starts(line, STR("#"))) {
            buf_add(out, str_trim(str_skip(line, 1)));
            buf_add_char(out, ' ');
        }
    }
}

static void
documented_file_has_every_setting_with_its_default_and_help(void **state UNUSED)
{
    scoped_arena a = {0};
    struct config built_in, file;
    struct err err = {0};
    const struct yaml_node *root;
    assert_true(yaml_read(&a, STR("playmeter.yaml"), documented(), &root, &err));
    assert_true(config_parse(&a, STR("none"), STR("datasets: {}\n"), &built_in, &err));
    assert_true(config_load(&a, NULL, &file, &err));
    scoped_buf comments;
    buf_init(&comments, MIB);
    add_comments(&comments, documented());
    for (size_t i = 0; i < CONFIG_SETTINGS_COUNT; i++) {
        const struct config_setting *s = &CONFIG_SETTINGS[i];
        const struct yaml_node *section = yaml_get(root, s->section);
        if (!section || !yaml_get(section, s->name))
            fail_msg("%s.%s is not in conf/playmeter.yaml", s->section, s->name);
        if (!fields_are_equal(s->type, (char *)&built_in + s->offset,
                              (char *)&file + s->offset))
            fail_msg("%s.%s has another default in conf/playmeter.yaml", s->section, s->name);
        /* Without its first letter, which is a capital in the file. */
        if (str_find(buf_str(&comments), str_from(s->help + 1)) < 0)
            fail_msg("%s.%s lacks its help in conf/playmeter.yaml: %s", s->section, s->name,
                     s->help);
    }
}

static void
games_has_the_nineteen_columns(void **state UNUSED)
{
    scoped_arena a = {0};
    struct config config;
    struct err err = {0};
    assert_true(config_load(&a, NULL, &config, &err));
    assert_int_equal(config.dataset_count, 5);
    const struct config_dataset *games = &config.datasets[0];
    assert_true(str_eq(games->name, STR("games")));
    assert_true(games->is_public);
    assert_int_equal(games->column_count, 19);
    assert_true(games->columns[0].is_key);
    assert_true(games->columns[1].is_title);
    assert_true(games->columns[2].is_default_date);
    assert_int_equal(games->columns[2].format_count, 2);
    size_t measures = 0, similar = 0, joined = 0;
    for (size_t i = 0; i < games->column_count; i++) {
        measures += games->columns[i].is_measure;
        similar += games->columns[i].is_similar;
        joined += games->columns[i].list_join_count > 0;
    }
    assert_int_equal(measures, 4);
    assert_int_equal(similar, 4);
    assert_int_equal(joined, 2);
}

static void
shipped_datasets_stay_when_the_file_names_none(void **state UNUSED)
{
    scoped_arena a = {0};
    struct config config;
    struct err err = {0};
    assert_true(config_parse(&a, STR("x"), STR("http:\n  port: 99\n"), &config, &err));
    assert_int_equal(config.http_port, 99);
    assert_int_equal(config.dataset_count, 5);
    assert_true(config_parse(&a, STR("x"), STR("datasets:\n"), &config, &err));
    assert_int_equal(config.dataset_count, 0);
}

static bool
takes_host(const char *host)
{
    scoped_arena a = {0};
    struct config config;
    struct err err = {0};
    struct str yaml = arena_printf(&a, "players:\n  track_redirect_hosts: [\"%s\"]\n", host);
    return config_parse(&a, STR("x"), yaml, &config, &err);
}

static void
redirect_hosts_are_hosts_in_lower_case(void **state UNUSED)
{
    static const char *const GOOD[] = {"games.example", "a.b-c.example:8443", "localhost:1",
                                       "192.0.2.1",     "[2001:db8::1]",      "[::1]:65535"};
    static const char *const BAD[] = {"",       " ",       "a/b",  "a:",        "a:0",
                                      "a:+1",   "a:65536", "a:b",  "*.a",       "a b",
                                      "user@a", ".a",      "[::1", "[::1]x",    "[a]",
                                      "a:1:2",  "[::1]:",  "a\\0", "a\xc3\xa9", "http://a"};
    for (size_t i = 0; i < COUNT_OF(GOOD); i++)
        if (!takes_host(GOOD[i]))
            fail_msg("refused: %s", GOOD[i]);
    for (size_t i = 0; i < COUNT_OF(BAD); i++)
        if (takes_host(BAD[i]))
            fail_msg("taken: %s", BAD[i]);
    scoped_arena a = {0};
    struct config config;
    struct err err = {0};
    assert_true(config_parse(&a, STR("x"),
                             STR("players:\n  track_redirect_hosts: [Games.Example:80, b]\n"),
                             &config, &err));
    assert_true(str_eq(config.players_track_redirect_hosts.items[0], STR("games.example:80")));
}

static bool
takes_output(const char *data_dir, const char *output)
{
    scoped_arena a = {0};
    struct config config;
    struct err err = {0};
    struct str text = arena_printf(&a, "\nreports:\n  output_dir: %s\n", output);
    bool is_taken = config_parse(&a, STR("x"), text, &config, &err);
    if (is_taken) {
        config.data_dir = str_from(data_dir);
        is_taken = config_check_output(&config, &err);
    }
    if (!is_taken)
        assert_true(str_starts(str_from(err.detail),
                               STR("x:3: reports.output_dir is a folder outside")));
    return is_taken;
}

static void
reports_stay_out_of_the_folders_of_the_service(void **state UNUSED)
{
    static const char *const BAD[] = {"spool",
                                      "datasets/1",
                                      "./run",
                                      "reports/../logs",
                                      "/srv/data/nginx/",
                                      "/srv//./data/spool/a",
                                      "/srv/x/../data/run",
                                      "../data/datasets"};
    static const char *const GOOD[] = {"reports",          ".",         "spooled",
                                       "my/datasets",      "../spool",  "/srv/spool",
                                       "/srv/data2/spool", "/../spool", "/"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++)
        if (takes_output("/srv/data", BAD[i]))
            fail_msg("%s was taken", BAD[i]);
    for (size_t i = 0; i < COUNT_OF(GOOD); i++)
        if (!takes_output("/srv/data", GOOD[i]))
            fail_msg("%s was refused", GOOD[i]);
}

static void
times_of_day_and_patterns_are_taken(void **state UNUSED)
{
    static const char *const GOOD[] = {
        "at: \"\"",
        "at: \"00:00\"",
        "at: \"23:59\"",
        "at: \"19:07\"",
        "receipt_pattern: \"\"",
        "receipt_pattern: ^GPA([.]|-)[0-9]{4}$",
        "receipt_pattern: '([[:xdigit:]]{4,12}-){1,8}[]{9999}]\\(x\\{9999[^)]{512}'"};
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        scoped_arena a = {0};
        struct config config;
        struct err err = {0};
        if (!config_parse(&a, STR("x"), arena_printf(&a, "reports:\n  %s\n", GOOD[i]), &config,
                          &err))
            fail_msg("%s", err.detail);
    }
}

struct refusal {
    const char *yaml, *message;
};
#define NOT_A_PATTERN                                                                          \
    "x:2: reports.receipt_pattern is an extended regular expression (POSIX) of at most 1000 "  \
    "parts once its counts are written out, got "
static const struct refusal REFUSALS[] = {
    {"http:\n  prot: 1\n", "x:2: there is no setting 'http.prot'; did you mean 'port'?"},
    {"htpp:\n  port: 1\n", "x:1: there is no setting 'htpp'; did you mean 'http'?"},
    {"zzzzzzzz: 1\n", "x:1: there is no setting 'zzzzzzzz'"},
    {"http:\n  port: abc\n", "x:2: http.port is a whole number, got 'abc'"},
    {"http:\n  port: -1\n", "x:2: http.port is a whole number, got '-1'"},
    {"http:\n  port: 70000\n", "x:2: http.port is from 1 to 65535, got '70000'"},
    {"http:\n  port: [1]\n", "x:2: http.port is a whole number, got a list"},
    {"http:\n  port: {a: 1}\n", "x:2: http.port is a whole number, got a mapping"},
    {"http:\n  port: 99999999999999999999\n",
     "x:2: http.port is a whole number, got '99999999999999999999'"},
    {"access:\n  public: yes\n", "x:2: access.public is true or false, got 'yes'"},
    {"workers:\n  deadline: 10\n",
     "x:2: workers.deadline is a number with ms, s, m, h or d behind it, got '10'"},
    {"workers:\n  deadline: 2h\n",
     "x:2: workers.deadline is from 100 to 60000 milliseconds, got '2h'"},
    {"imports:\n  file_bytes_max: 150MB\n",
     "x:2: imports.file_bytes_max is a number of bytes, with KiB, MiB or GiB behind it or "
     "nothing, got '150MB'"},
    {"limits:\n  imports: 2\n",
     "x:2: limits.imports is a rate such as 2/min burst 5 or 50/s burst 100, got '2'"},
    {"limits:\n  imports: 0/s burst 1\n",
     "x:2: limits.imports is from 1 to 1000000, got '0/s burst 1'"},
    {"http:\n  port: 1\n  port: 2\n",
     "x:3: the key 'port' stands here a second time; the first is in line 2"},
    {"http: &a\n  port: 1\n", "x:1: anchors and aliases are not taken here"},
    {"http:\n  port: *a\n", "x:2: anchors and aliases are not taken here"},
    {"http:\n  port: !!int 1\n", "x:2: tags are not taken here"},
    {"http:\n  port: 1\n---\nhttp:\n", "x:4: a second document begins here; one is taken"},
    {"- http\n", "x:1: the file is a mapping of sections"},
    {"http: 8080\n", "x:1: 'http' holds settings"},
    {"http:\n  port: \"80\n", "x:3: found unexpected end of stream"},
    {"server:\n  user: root\n",
     "x:2: server.user is a user of its own, not root, not nobody, got 'root'"},
    {"http:\n  listen: localhost\n",
     "x:2: http.listen is an IPv4 or IPv6 address, got 'localhost'"},
    {"http:\n  cors_origins: [\"https://a/$x\"]\n",
     "x:2: http.cors_origins is a list of origins (scheme://host, with no path) or \"*\", got "
     "'https://a/$x'"},
    {"http:\n  trusted_proxies: [10.0.0.0/8, here]\n",
     "x:2: http.trusted_proxies is a list of addresses or networks (10.0.0.0/8), got 'here'"},
    {"fetch:\n  ports: [443, 0]\n",
     "x:2: fetch.ports is a list of ports from 1 to 65535, got '0'"},
    {"fetch:\n  ports: 65536\n",
     "x:2: fetch.ports is a list of ports from 1 to 65535, got '65536'"},
    {"http:\n  tls_key: /a\n",
     "x:2: http.tls_key is set together with the other of tls_certificate and tls_key, got "
     "'/a'"},
    {"players:\n  issuer: \"a\\tb\"\n",
     "x:2: players.issuer is text without control characters, got 'a?b'"},
    {"players:\n  track_redirect_hosts: [a.example, \"https://b.example\"]\n",
     "x:2: players.track_redirect_hosts is a list of hosts (games.example or "
     "games.example:8443, with no scheme and no path), got 'https://b.example'"},
    {"reports:\n  at: \"24:00\"\n",
     "x:2: reports.at is a time of day from 00:00 to 23:59, got '24:00'"},
    {"reports:\n  at: 6:00\n",
     "x:2: reports.at is a time of day from 00:00 to 23:59, got '6:00'"},
    {"reports:\n  receipt_pattern: \"GPA[.\"\n", NOT_A_PATTERN "'GPA[.'"},
    {"reports:\n  receipt_pattern: \"a{1,32767}\"\n", NOT_A_PATTERN "'a{1,32767}'"},
    {"reports:\n  receipt_pattern: \"[]{1}]b((c|d{30,}){1,40})\"\n",
     NOT_A_PATTERN "'[]{1}]b((c|d{30,}){1,40})'"},
    {"reports:\n  receipt_pattern: \"a{255}{255}{255}{255}{255}{255}{255}{255}{255}\"\n",
     NOT_A_PATTERN "'a{255}{255}{255}{255}{255}{255}{255}{255}{255}'"},
    {"datasets:\n  Games:\n    columns: []\n",
     "x:2: a dataset's name is [a-z][a-z0-9_]{0,62}, got 'Games'"},
    {"datasets:\n  games:\n    columns:\n      - {name: a, tpye: text}\n",
     "x:4: a column has no 'tpye'; did you mean 'type'?"},
    {"datasets:\n  games:\n    columns:\n      - {name: a, type: string}\n",
     "x:4: the type of a column is integer, real, boolean, date, datetime, text or list, got "
     "'string'"},
    {"datasets:\n  games:\n    columns:\n      - {name: a, type: text}\n"
     "      - {name: a, type: text}\n",
     "x:5: the column 'a' stands here a second time; the first is in line 4"},
    {"datasets:\n  games:\n    public: true\n", "x:2: the dataset 'games' needs 'columns'"},
    {"datasets:\n  games:\n    time_zone: Europe/Berlin\n",
     "x:2: time_zone of 'games' is UTC or an offset like +02:00, got 'Europe/Berlin'"},
    {"keys:\n  - {client: a, scope: god, key: b}\n",
     "x:2: a key needs a scope: read, write or admin"},
    {"keys:\n  - {client: a, scope: read}\n", "x:2: a key needs either 'key' or 'key_file'"},
    {"keys:\n  - {client: a, scope: read, key: ABC}\n",
     "x:2: 'key' is 64 digits of 0-9 and a-f; `playmeter keys new` makes one"},
    {"keys:\n  - {name: a}\n", "x:2: a key has no 'name'"},
};

static void
files_of_nothing_are_all_defaults(void **state UNUSED)
{
    static const struct str EMPTY[] = {
        {NULL, 0},
        STR_INIT(""),
        STR_INIT(" \n  "),
        STR_INIT("# nothing\n"),
        STR_INIT("---\n...\n"),
        STR_INIT("~"),
        STR_INIT("\xef\xbb\xbf"),
    };
    for (size_t i = 0; i < COUNT_OF(EMPTY); i++) {
        scoped_arena a = {0};
        struct config config;
        struct err err = {0};
        if (!config_parse(&a, STR("x"), EMPTY[i], &config, &err))
            fail_msg("file %zu: %s", i, err.detail);
        assert_int_equal(config.http_port, 8080);
        assert_int_equal(config.dataset_count, 5);
    }
}

static void
wrong_files_are_refused_with_file_and_line(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(REFUSALS); i++) {
        scoped_arena a = {0};
        struct config config = {0};
        struct err err = {0};
        if (config_parse(&a, STR("x"), str_from(REFUSALS[i].yaml), &config, &err))
            fail_msg("taken: %s", REFUSALS[i].yaml);
        assert_string_equal(err.detail, REFUSALS[i].message);
        assert_int_equal(config.dataset_count, 0); /* untouched on failure */
    }
}

static void
depth_and_size_are_bounded(void **state UNUSED)
{
    scoped_arena a = {0};
    struct err err = {0};
    const struct yaml_node *root;
    scoped_buf text;
    buf_init(&text, 8 * MIB);
    for (size_t i = 0; i < 1000; i++)
        buf_add_char(&text, '[');
    assert_false(yaml_read(&a, STR("x"), buf_str(&text), &root, &err));
    assert_string_equal(err.detail, "x:1: this is nested too deeply");
    buf_clear(&text);
    while (text.n <= YAML_BYTES_MAX)
        buf_add_lit(&text, "# a comment\n");
    assert_false(yaml_read(&a, STR("x"), buf_str(&text), &root, &err));
    buf_clear(&text);
    for (size_t i = 0; i <= YAML_CHILDREN_MAX; i++)
        buf_add_lit(&text, "- a\n");
    assert_false(yaml_read(&a, STR("x"), buf_str(&text), &root, &err));
    assert_string_equal(err.detail, "x:4097: this list or mapping is too long");
}

static void
write_key(const char *folder, const char *name, const char *text)
{
    char path[512];
    struct err err;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_true(fs_replace_file(AT_FDCWD, path, str_from(text), 0600, &err));
}

#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void
keys_come_from_files_and_the_admin_key_by_itself(void **state UNUSED)
{
    scoped_arena a = {0};
    struct config config;
    struct err err = {0};
    char folder[] = "/tmp/playmeter-config-XXXXXX";
    assert_non_null(mkdtemp(folder));
    write_key(folder, "a.key", KEY_A "\n");
    struct str yaml = STR("keys:\n  - {client: a, scope: read, key_file: a.key}\n");
    const char *name = arena_printf(&a, "%s/p.yaml", folder).p;
    assert_true(config_parse(&a, str_from(name), yaml, &config, &err));
    config.data_dir = str_from(folder);
    assert_true(config_read_keys(&a, &config, &err));
    assert_int_equal(config.key_count, 1);
    assert_true(str_eq(config.keys[0].key, STR(KEY_A)));

    write_key(folder, CONFIG_ADMIN_KEY, KEY_B "\n");
    assert_true(config_read_keys(&a, &config, &err));
    assert_int_equal(config.key_count, 2);
    assert_true(str_eq(config.keys[1].client, STR("admin")));

    write_key(folder, CONFIG_ADMIN_KEY, KEY_A "\n");
    assert_true(config_parse(&a, str_from(name), yaml, &config, &err));
    config.data_dir = str_from(folder);
    assert_false(config_read_keys(&a, &config, &err));
    assert_non_null(strstr(err.detail, "'a' and 'admin' have the same key"));

    assert_int_equal(chmod(arena_printf(&a, "%s/a.key", folder).p, 0644), 0);
    assert_true(config_parse(&a, str_from(name), yaml, &config, &err));
    assert_false(config_read_keys(&a, &config, &err));
    assert_non_null(strstr(err.detail, "a.key: everybody can read this key; close it with"));

    write_key(folder, "a.key", "not a key\n");
    assert_true(config_parse(&a, str_from(name), yaml, &config, &err));
    assert_false(config_read_keys(&a, &config, &err));
    assert_non_null(strstr(err.detail, "a.key: a key is 64 digits"));
    assert_true(fs_remove_tree(AT_FDCWD, folder, &err));
}

/* Loads, or is refused with name and line; anything else is a crash. */
static size_t
try_corpus_file(const char *path)
{
    scoped_arena a = {0};
    struct err err = {0};
    scoped_buf text;
    buf_init(&text, MIB);
    assert_true(fs_read_file(&text, AT_FDCWD, path, &err));
    const struct yaml_node *root;
    if (!yaml_read(&a, STR("corpus"), buf_str(&text), &root, &err)) {
        unsigned line = 0;
        assert_int_equal(sscanf(err.detail, "corpus:%u: ", &line), 1);
        assert_true(line >= 1);
    }
    return 1;
}

static size_t
try_corpus_folder(const char *path, unsigned depth)
{
    size_t tried = 0;
    DIR *folder = opendir(path);
    if (!folder)
        return 0;
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        char child[1024];
        snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.')
            continue;
        if (entry->d_type == DT_DIR && depth < 4)
            tried += try_corpus_folder(child, depth + 1);
        else if (entry->d_type == DT_REG && strstr(entry->d_name, ".yaml"))
            tried += try_corpus_file(child);
    }
    closedir(folder);
    return tried;
}

static void
yaml_test_suite_loads_or_is_refused_with_a_line(void **state UNUSED)
{
    assert_true(try_corpus_folder(shared_path("corpora/yaml-test-suite/data"), 0) > 100);
}

static void
scalars_read_as_the_core_schema_has_them(void **state UNUSED)
{
    scoped_arena a = {0};
    struct err err = {0};
    const struct yaml_node *root;
    assert_true(yaml_read(&a, STR("x"), STR("n: 1.5\ns: \"1.5\"\nt: true\nz: ~\np: +1\n"),
                          &root, &err));
    bool flag;
    assert_true(yaml_is_number(yaml_get(root, "n")));
    assert_false(yaml_is_number(yaml_get(root, "s")));
    assert_false(yaml_is_number(yaml_get(root, "p")));
    assert_true(yaml_as_bool(yaml_get(root, "t"), &flag) && flag);
    assert_true(yaml_is_null(yaml_get(root, "z")));
    assert_int_equal(yaml_get(root, "z")->line, 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_table),
        cmocka_unit_test(documented_file_has_every_setting_with_its_default_and_help),
        cmocka_unit_test(games_has_the_nineteen_columns),
        cmocka_unit_test(shipped_datasets_stay_when_the_file_names_none),
        cmocka_unit_test(redirect_hosts_are_hosts_in_lower_case),
        cmocka_unit_test(reports_stay_out_of_the_folders_of_the_service),
        cmocka_unit_test(times_of_day_and_patterns_are_taken),
        cmocka_unit_test(files_of_nothing_are_all_defaults),
        cmocka_unit_test(wrong_files_are_refused_with_file_and_line),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(keys_come_from_files_and_the_admin_key_by_itself),
        cmocka_unit_test(yaml_test_suite_loads_or_is_refused_with_a_line),
        cmocka_unit_test(scalars_read_as_the_core_schema_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
