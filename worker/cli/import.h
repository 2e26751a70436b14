/* playmeter import FILE|URL --dataset NAME [--config F] [--data DIR] [--OPTION VALUE ...]
 *
 * Beside a running service the job goes to its queue and this waits for it; without one the
 * import runs in this process.  A bar, or a line per phase where stderr is no terminal, shows
 * how far it is; the receipt goes to stdout as JSON.  Ctrl-C cancels the job. */
#pragma once

int cli_import(int argc, char **argv);
/* The options that an import has in the API, for --help. */
void cli_import_explain(void);
