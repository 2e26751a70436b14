/* Options of a subcommand: `--name VALUE` or `--name=VALUE`, one table row each. */
#pragma once

#include "base/err.h"

struct option_row {
    const char *name;  /* in snake_case, accepted with - as well; NULL ends the table */
    const char **text; /* where the value goes; either this or `number` is set */
    uint64_t *number;
    uint64_t min, max; /* of the number */
};

/* Parses argv after argv[0]; an argument that is not an option goes to `positional` (NULL: it
 * is refused).  False, with the reason on stderr, when the command line is wrong: exit code 2.
 */
MUST_CHECK bool options_parse(int argc, char **argv, const struct option_row *rows,
                              const char **positional);
/* The same where the options are --config FILE (else NULL) and --data DIR (else "var"). */
MUST_CHECK bool options_parse_data(int argc, char **argv, const char **config,
                                   const char **data);
