/* playmeter adopt: rebuilds the catalogue in the database from the dataset folders that are in
 * a data directory, where the two do not match. */
#pragma once

int cli_adopt(int argc, char **argv);
