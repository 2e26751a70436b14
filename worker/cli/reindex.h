/* playmeter reindex --dataset NAME: makes the index files of its versions again from rows.db.
 */
#pragma once

int cli_reindex(int argc, char **argv);
