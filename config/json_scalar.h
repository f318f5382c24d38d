/* Numbers and literal names of JSON. */
#pragma once

#include "config/scanner.h"

/* The longest number: what cJSON takes. */
enum { JSON_NUMBER_SIZE = 63 };

/* A number, as written, or a literal name into `value`. False with a fault. */
bool json_scalar_number(struct scanner *scanner, struct value *value);
bool json_scalar_word(struct scanner *scanner, struct value *value);
