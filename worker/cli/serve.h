/* playmeter serve [--config FILE] [--data DIR] [--port N] [--query-workers N] [--play-workers
 * N] */
#pragma once

int cli_serve(int argc, char **argv);
