/* The text of a JSON document (RFC 8259): its grammar and where each value and key stands.
 *
 * This is what cJSON does not tell: it takes more than JSON, knows no places, cuts strings at \u0000. What passes here
 * is JSON that cJSON reads in the same shape; what strings and numbers mean is left to cJSON.
 */
#pragma once

#include "config/document.h"

enum { JSON_DEPTH = 64 };

/* The document's text as a tree of values with kinds and places, comments and duplicate keys included; keys are as
 * written. NULL with a fault where it is not JSON. `\u0000` is a fault, too, but not the end. */
struct value *json_text_scan(const struct document *document, struct faults *faults);
