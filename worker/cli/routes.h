/* `playmeter routes [--json]`: prints the route table, for people and for the contract test. */
#pragma once

int cli_routes(int argc, char **argv);
