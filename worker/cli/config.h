/* playmeter check-config [FILE]                  says what is wrong, or "ok" and what is odd
 * playmeter nginx-config [--config F] [--data D] [--output DIR]
 * playmeter keys new --name NAME --scope SCOPE */
#pragma once

int cmd_check_config(int argc, char **argv);
int cmd_nginx_config(int argc, char **argv);
int cmd_keys(int argc, char **argv);
