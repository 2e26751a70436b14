/* The function of a row, cli_NAME, is in the file of the same name. */
#include "cli/commands.h"

#include "base/release.h"
#include "base/str.h"
#include "cli/adopt.h"
#include "cli/config.h"
#include "cli/import.h"
#include "cli/migrate.h"
#include "cli/reindex.h"
#include "cli/report.h"
#include "cli/routes.h"
#include "cli/serve.h"
#include "cli/verify_ledger.h"

#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    const char *usage;   /* arguments, as --help shows them */
    const char *summary; /* one line */
    int (*run)(int argc, char **argv);
    const char *options;   /* lines of --help; NULL: the usage says all */
    void (*explain)(void); /* prints more --help from a table; NULL: nothing */
};

#define CONFIG_OPTION "  --config FILE       settings; without it the shipped ones hold\n"
#define DATA_OPTION "  --data DIR          data directory (var)\n"

static int
run_version(int argc UNUSED, char **argv UNUSED)
{
    puts("playmeter " RELEASE);
    return 0;
}

static const struct command COMMANDS[] = {
    {"check-config", "[FILE]",
     "Read a settings file and say what is wrong or odd with it; the shipped one without FILE.",
     cli_check_config, NULL, NULL},
    {"nginx-config", "[--config FILE] [--data DIR] [--output DIR]",
     "Print nginx's configuration, or write it to a folder. It may hold keys.",
     cli_nginx_config,
     CONFIG_OPTION
     "  --data DIR          data directory whose admin key and sockets it names\n"
     "  --output DIR        folder to write the files to; without it they are printed\n",
     NULL},
    {"keys", "new --name NAME [--scope read|write|admin]",
     "Make an API key and print its entry for the settings file.", cli_keys,
     "  --name NAME         the client that will use it: it stands in logs and is "
     "rate-limited\n"
     "  --scope SCOPE       read, write (and read), or admin (everything); read when left "
     "out\n",
     NULL},
    {"routes", "[--json]", "Print every route, who may call it and its parameters.", cli_routes,
     "  --json              with the parameters' types and bounds\n", NULL},
    {"migrate", "[--config FILE] [--data DIR]",
     "Bring the database to the schema this program knows. Refuses beside a running service.",
     cli_migrate, CONFIG_OPTION DATA_OPTION, NULL},
    {"serve", "[--config FILE] [--data DIR] [--port N] [--query-workers N] [--play-workers N]",
     "Run the service in the foreground; SIGTERM ends it, SIGHUP reads the settings again.",
     cli_serve,
     CONFIG_OPTION DATA_OPTION "  --port N            instead of http.port of the settings\n"
                               "  --query-workers N   instead of workers.query\n"
                               "  --play-workers N    instead of workers.play\n",
     NULL},
    {"import", "FILE|URL --dataset NAME [--config FILE] [--data DIR] [--OPTION VALUE ...]",
     "Import a CSV, show how far it is, and print the receipt. Ctrl-C cancels the import.",
     cli_import,
     "  --dataset NAME      dataset to import into; a new name makes a new "
     "dataset\n" CONFIG_OPTION
     "  --data DIR          data directory (var): a service that runs on it does the import,\n"
     "                      else this command does\n",
     cli_import_explain},
    {"report", "--input DIR --output DIR [--date YYYY-MM-DD] [--config FILE]",
     "Make the revenue reports of a day from bare CSV files; no service is needed.", cli_report,
     "  --input DIR         folder of purchases_raw.csv, confirmed_purchases.csv, "
     "costs_daily.csv\n"
     "                      and sessions.csv; reports without one of theirs are left out\n"
     "  --output DIR        folder for DATE/NAME.json and .csv, the newest also at its root\n"
     "  --date YYYY-MM-DD   day of the reports; the one before the newest in purchases and\n"
     "                      sessions when left out\n" CONFIG_OPTION
     "\nExit code 0: all reports are made; 1: one or more are not, and the output says why;\n"
     "2: the command line is wrong, and nothing was made.\n",
     NULL},
    {"reindex", "--dataset NAME [--config FILE] [--data DIR]",
     "Make the index files of a dataset's versions again from their rows.db.", cli_reindex,
     "  --dataset NAME      dataset whose files are damaged, gone or put back\n" CONFIG_OPTION
         DATA_OPTION "\nA running service answers from the new files at once.\n"
     "A version whose rows.db is not what was written stays as it is, is named, and makes the\n"
     "exit code 1.\n",
     NULL},
    {"adopt", "[--config FILE] [--data DIR]",
     "Take the dataset versions that lie in the data directory into its database.", cli_adopt,
     CONFIG_OPTION DATA_OPTION
     "\nFor a data directory that serve refuses, because playmeter.db is missing, empty, older "
     "than\nthe datasets or another directory's. Better is the right database: put it back, if "
     "there is\none. Players, wallets and events live in it alone and cannot be adopted. No "
     "file "
     "is\nremoved. A playmeter.db that cannot be opened has to be moved away first. Refuses "
     "beside a\nrunning service.\n",
     NULL},
    {"verify-ledger", "[--config FILE] [--data DIR]",
     "Recount every player's ledger: is each balance the sum of its entries?",
     cli_verify_ledger,
     CONFIG_OPTION DATA_OPTION
     "\nExit code 1 when a balance or an entry was altered, 2 when nothing could be "
     "recounted.\n"
     "It only reads, and may run beside the service: about 1 s per million entries, in which\n"
     "the write-ahead log of the database cannot shrink.\n",
     NULL},
    {"version", "", "Print the version.", run_version, NULL, NULL},
};

static int
print_commands(FILE *out)
{
    fputs("Usage: playmeter COMMAND [ARGUMENTS]\n\n", out);
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++)
        fprintf(out, "  %-14s%s\n", COMMANDS[i].name, COMMANDS[i].summary);
    fputs("\nplaymeter COMMAND --help says more.\n", out);
    return out == stdout ? 0 : 2;
}

static bool
asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

int
commands_run(int argc, char **argv)
{
    if (argc < 2)
        return print_commands(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return print_commands(stdout);
    if (strcmp(argv[1], "--version") == 0)
        return run_version(argc, argv);
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        const struct command *c = &COMMANDS[i];
        if (strcmp(argv[1], c->name) != 0)
            continue;
        if (!asks_for_help(argc - 1, argv + 1))
            return c->run(argc - 1, argv + 1);
        printf("Usage: playmeter %s%s%s\n\n%s\n", c->name, *c->usage ? " " : "", c->usage,
               c->summary);
        if (c->options)
            printf("\n%s", c->options);
        if (c->explain)
            c->explain();
        return 0;
    }
    fprintf(stderr, "playmeter: there is no command '%s'; playmeter --help lists them\n",
            argv[1]);
    return 2;
}
