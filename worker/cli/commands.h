/* The subcommands of `playmeter`, one table row each.  Exit codes: 0 success, 1 failure with
 * the reason on stderr, 2 wrong command line. */
#pragma once

int commands_run(int argc, char **argv);
