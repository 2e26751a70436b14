/* The subcommands of `playmeter`, one row each in a table.  Exit codes: 0 done, 1 it failed and
 * stderr says why, 2 the command line is wrong. */
#pragma once

int commands_run(int argc, char **argv);
