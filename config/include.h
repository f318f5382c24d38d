/* "include": further files, each with pipelines that are added to those of the configuration.
 *
 * A pipeline's values keep the document that they stand in: faults name its file, and relative paths of "$lines" and
 * "$file" start there. The lists are one: whoever reads the pipelines need not know where each came from.
 */
#pragma once

#include "config/option.h"

/* The option of the configuration, for the documentation. */
extern const struct option include_options[];

/* Reads the files that the configuration names, and puts their pipelines behind its own. Does nothing where it is no
 * JSON object. False with faults. */
bool include_files(struct document *document, struct faults *faults);

/* The same for a document that was parsed again from the text of `was`: from what the files held then. */
bool include_again(struct document *document, const struct document *was, struct faults *faults);
