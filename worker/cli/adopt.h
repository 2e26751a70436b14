/* playmeter adopt: makes the database and the dataset folders of a data directory fit again. */
#pragma once

int cli_adopt(int argc, char **argv);
