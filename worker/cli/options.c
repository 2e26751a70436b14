#include "cli/options.h"

#include "base/num.h"

#include <stdio.h>

static bool
is_named(struct str given, const char *name)
{
    size_t i = 0;
    while (i < given.n && name[i] && (given.p[i] == '-' ? '_' : given.p[i]) == name[i])
        i++;
    return i == given.n && !name[i];
}

static bool
set(const struct option_row *row, const char *command, struct str name, const char *value)
{
    if (row->text) {
        *row->text = value;
        return true;
    }
    uint64_t number;
    if (num_parse_u64(str_from(value), &number) && number >= row->min && number <= row->max) {
        *row->number = number;
        return true;
    }
    fprintf(stderr, "playmeter %s: --%" STR_FMT " is a number from %llu to %llu, got '%s'\n",
            command, STR_ARG(name), (unsigned long long)row->min, (unsigned long long)row->max,
            value);
    return false;
}

static bool
refuse_argument(const char *command, const char *argument, const char *why)
{
    fprintf(stderr, "playmeter %s: %s: %s; playmeter %s --help says more\n", command, argument,
            why, command);
    return false;
}

bool
options_parse(int argc, char **argv, const struct option_row *rows, const char **positional)
{
    for (int i = 1; i < argc; i++) {
        struct str rest = str_from(argv[i]);
        if (!str_starts(rest, STR("--"))) {
            if (!positional || *positional)
                return refuse_argument(argv[0], argv[i], "this argument is one too many");
            *positional = argv[i];
            continue;
        }
        rest = str_skip(rest, 2);
        struct str name = str_cut(&rest, '=');
        const struct option_row *row = rows;
        while (row->name && !is_named(name, row->name))
            row++;
        if (!row->name)
            return refuse_argument(argv[0], argv[i], "there is no such option");
        const char *value = rest.p ? rest.p : i + 1 < argc ? argv[++i] : NULL;
        if (!value)
            return refuse_argument(argv[0], argv[i], "its value is missing");
        if (!set(row, argv[0], name, value))
            return false;
    }
    return true;
}

bool
options_parse_data(int argc, char **argv, const char **config, const char **data)
{
    const struct option_row rows[] = {
        {.name = "config", .text = config}, {.name = "data", .text = data}, {0}};
    *config = NULL;
    *data = "var";
    return options_parse(argc, argv, rows, NULL);
}
