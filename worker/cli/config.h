/* playmeter check-config [FILE]                  prints what is wrong, or "ok" and warnings
 * playmeter nginx-config [--config F] [--data D] [--output DIR]
 * playmeter keys new --name NAME --scope SCOPE */
#pragma once

int cli_check_config(int argc, char **argv);
int cli_nginx_config(int argc, char **argv);
int cli_keys(int argc, char **argv);
