/* Standard output. */
#include "daemon/print.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum exit_status print_text(const char *text)
{
	if (!text) {
		fprintf(stderr, "viewduct: not enough memory\n");
		return STATUS_CANNOT_OPEN;
	}
	if (fputs(text, stdout) != EOF && fflush(stdout) != EOF)
		return STATUS_FINE;
	if (errno == EPIPE)
		return STATUS_FINE;
	fprintf(stderr, "viewduct: cannot write to standard output: %s\n", strerror(errno));
	return STATUS_CANNOT_OPEN;
}

enum exit_status print_line(const char *text)
{
	const size_t size = text ? strlen(text) : 0;
	const enum exit_status status = print_text(text);

	if (status != STATUS_FINE || (size > 0 && text[size - 1] == '\n'))
		return status;
	return print_text("\n");
}
