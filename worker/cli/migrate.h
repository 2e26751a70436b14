/* playmeter migrate: brings playmeter.db to the schema this program knows. */
#pragma once

int cmd_migrate(int argc, char **argv);
