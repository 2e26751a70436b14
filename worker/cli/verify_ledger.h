/* `playmeter verify-ledger`: recounts every player's ledger. */
#pragma once

int cli_verify_ledger(int argc, char **argv);
