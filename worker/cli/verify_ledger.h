/* `playmeter verify-ledger`: recounts every player's ledger.  Exit codes as of diff: 0 sound, 1
 * altered, 2 it could not be read. */
#pragma once

int cli_verify_ledger(int argc, char **argv);
