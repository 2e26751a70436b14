/* `playmeter report`: the reports from bare CSV files, without a service. */
#pragma once

int cmd_report(int argc, char **argv);
