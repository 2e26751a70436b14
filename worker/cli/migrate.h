/* playmeter migrate: brings playmeter.db to the schema this program knows. */
#pragma once

int cli_migrate(int argc, char **argv);
