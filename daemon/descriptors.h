/* Descriptors: the process begins with the three standard ones open, and with as many more as it may have. */
#pragma once

/* Opens those of 0, 1 and 2 that are closed on /dev/null: else the first file or socket would become "standard error"
 * and be written into. Input only for writing and output only for reading, so that whoever needs them finds out. */
void descriptors_fill(void);

/* Raises the limit of open descriptors to the hard one. */
void descriptors_raise_limit(void);
