/* The exit statuses of viewduct, as the contract names them. */
#pragma once

enum exit_status {
	STATUS_FINE = 0,
	STATUS_BAD = 1,           /* `test` found differences */
	STATUS_UNDELIVERED = 3,   /* a drain was cut short with records undelivered */
	STATUS_COMMAND_LINE = 64, /* a wrong command line */
	STATUS_BAD_DATA =
		65,      /* the run ended by itself, but dropped records for what was in them */
	STATUS_BUG = 70, /* what an assertion stands for */
	STATUS_CANNOT_OPEN =
		74, /* a listener, file or io_uring that cannot be had at start; a file that could not be read */
	STATUS_CONFIGURATION = 78, /* a wrong configuration, or none to read */
};
