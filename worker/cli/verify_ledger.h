/* `playmeter verify-ledger`: recounts every player's ledger. */
#pragma once

int cmd_verify_ledger(int argc, char **argv);
