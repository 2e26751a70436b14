#include "cli/config.h"

#include "api/surface.h"
#include "base/random.h"
#include "catalogue/schema.h"
#include "cli/options.h"
#include "config/config.h"
#include "players/strength.h"
#include "players/token.h"
#include "reports/input.h"

#include <stdio.h>
#include <string.h>

static int
fail(const struct err *err)
{
    fprintf(stderr, "playmeter: %s\n", err->detail);
    return 1;
}

static void
warn(struct arena *a, const struct config *config)
{
    if (config->fetch_allow_loopback)
        puts("warning: fetch.allow_loopback lets anybody with a key of scope write read what "
             "this machine serves to itself");
    for (size_t i = 0; i < config->http_cors_origins.count; i++)
        if (str_eq(config->http_cors_origins.items[i], STR("*")))
            puts("warning: http.cors_origins \"*\" lets every web page call this service");
    if (config->http_tls_certificate.n == 0 && !str_eq(config->http_listen, STR("127.0.0.1")) &&
        !str_eq(config->http_listen, STR("::1")))
        puts("warning: keys and passwords travel in clear text; set http.tls_certificate, or "
             "put a proxy with TLS in front");

    /* A file with `datasets` replaces all shipped ones, the inputs of the reports included. */
    for (size_t i = 0; i < INPUT_COUNT; i++) {
        struct err err;
        if (!input_check_declared(a, config, (enum input_kind)i, &err))
            printf("warning: reports will be missing: %s\n", err.detail);
    }
}

/* Finds errors that show only when columns are taken together, such as a second key. */
static bool
check_datasets(struct arena *a, const char *path, const struct config *config, struct err *err)
{
    for (size_t i = 0; i < config->dataset_count; i++) {
        struct schema ignored;
        struct err why = {0};
        if (!schema_from_config(a, &config->datasets[i], &ignored, &why))
            return err_set(err, ERR_INVALID, "%s, dataset %" STR_FMT ": %s",
                           path ? path : "the shipped settings",
                           STR_ARG(config->datasets[i].name), why.detail);
    }
    return true;
}

int
cli_check_config(int argc, char **argv)
{
    scoped_arena a = {0};
    struct config config;
    struct err err = {0};
    const char *path = NULL;
    const struct option_row rows[] = {{.name = "config", .text = &path}, {0}};
    if (!options_parse(argc, argv, rows, &path))
        return 2;
    struct token_secrets ignored;
    if (!config_load(&a, path, &config, &err) || !config_read_keys(&a, &config, &err) ||
        !config_read_tls(&a, &config, &err) || !check_datasets(&a, path, &config, &err) ||
        !token_read_secrets(&a, &config, &ignored, &err) ||
        !strength_check_dictionary(&config, &err))
        return fail(&err);
    warn(&a, &config);
    printf("ok: %s (declared datasets: %zu, keys: %zu)\n", path ? path : "the shipped settings",
           config.dataset_count, config.key_count);
    return 0;
}

int
cli_nginx_config(int argc, char **argv)
{
    scoped_arena a = {0};
    struct config config;
    struct nginx_files files;
    struct err err = {0};
    const char *path = NULL, *data = NULL, *output = NULL;
    const struct option_row rows[] = {{.name = "config", .text = &path},
                                      {.name = "data", .text = &data},
                                      {.name = "output", .text = &output},
                                      {0}};
    if (!options_parse(argc, argv, rows, NULL))
        return 2;
    if (!config_load(&a, path, &config, &err))
        return fail(&err);
    config.data_dir = str_from(data);
    if (!config_read_keys(&a, &config, &err) || !config_read_tls(&a, &config, &err))
        return fail(&err);
    nginx_render(&a, &config, surface_locations(&a), &files);
    if (output)
        return nginx_write(&files, output, &err) ? 0 : fail(&err);
    for (size_t i = 0; i < files.count; i++)
        printf("# --- %" STR_FMT "\n%" STR_FMT "\n", STR_ARG(files.files[i].name),
               STR_ARG(files.files[i].text));
    return 0;
}

int
cli_keys(int argc, char **argv)
{
    scoped_arena a = {0};
    struct config config;
    struct err err = {0};
    char key[CONFIG_KEY_DIGITS + 1];
    const char *client = NULL, *scope = "read", *verb = NULL;
    const struct option_row rows[] = {{.name = "client", .text = &client},
                                      {.name = "name", .text = &client},
                                      {.name = "scope", .text = &scope},
                                      {0}};
    if (!options_parse(argc, argv, rows, &verb))
        return 2;
    if (!verb || strcmp(verb, "new") != 0 || !client) {
        fputs("playmeter keys: write playmeter keys new --name NAME --scope SCOPE\n", stderr);
        return 2;
    }
    random_hex(key, CONFIG_KEY_DIGITS);
    struct str entry = arena_printf(&a, "keys:\n  - {client: \"%s\", scope: \"%s\", key: %s}\n",
                                    client, scope, key);
    /* Parsed as the service would, so that a printed key is sure to be accepted. */
    if (!config_parse(&a, STR("keys new"), entry, &config, &err)) {
        const char *why = strstr(err.detail, ": "); /* behind a file and line nobody wrote */
        fprintf(stderr, "playmeter keys new: %s\n", why ? why + 2 : err.detail);
        return 1;
    }
    printf("%" STR_FMT, STR_ARG(entry));
    fputs("The entry goes into the settings file; `kill -HUP` of the service lets it read the "
          "file again.\nThe key is stored nowhere else.\n",
          stderr);
    return 0;
}
