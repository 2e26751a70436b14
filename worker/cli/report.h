/* `playmeter report`: the reports from bare CSV files, without a service. */
#pragma once

int cli_report(int argc, char **argv);
