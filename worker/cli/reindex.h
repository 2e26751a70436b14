/* playmeter reindex --dataset NAME: rebuilds the index files of the dataset's versions from
 * rows.db. */
#pragma once

int cli_reindex(int argc, char **argv);
