/* Options of a subcommand: `--name VALUE` or `--name=VALUE`, one table row each. */
#pragma once

#include "base/err.h"

struct option_row {
    const char *name;  /* in snake_case, written with - as well; NULL ends the table */
    const char **text; /* one of the two is given */
    uint64_t *number;
    uint64_t min, max; /* of the number */
};

/* Takes all of argv behind argv[0]; what is no option goes to `positional` (NULL: refused).
 * False, with the reason on stderr, when the command line is wrong: exit code 2. */
MUST_CHECK bool options_parse(int argc, char **argv, const struct option_row *rows,
                              const char **positional);
/* The same where the options are --config FILE (else NULL) and --data DIR (else "var"). */
MUST_CHECK bool options_parse_data(int argc, char **argv, const char **config,
                                   const char **data);
