/* playmeter import FILE|URL --dataset NAME [--config F] [--data DIR] [--OPTION VALUE ...]
 *
 * With a running service the job goes into its queue and this command waits for it; without one
 * the import runs in this process.  Progress is shown as a bar, or as a line per phase when
 * stderr is not a terminal; the receipt goes to stdout as JSON.  Ctrl-C cancels the job. */
#pragma once

int cli_import(int argc, char **argv);
/* Prints the options that an import has in the API, for --help. */
void cli_import_explain(void);
