/* The page for people: one HTML file that loads nothing, inside the binary. */
#pragma once

#include <stddef.h>

extern const char page_html[];
extern const size_t page_html_size;
