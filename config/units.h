/* Sizes and times as a user writes them: "64KiB", "1.5s". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes: a number and one of B KB MB GB KiB MiB GiB, exact case, nothing else. Fractions are allowed where the result is
 * whole. False if it is not one or does not fit. */
bool size_parse(const char *text, uint64_t *bytes);

/* Milliseconds: a number and one of ms s m h d. */
bool time_parse(const char *text, uint64_t *ms);

/* The shortest exact way to write it ("64KiB", "100B"); of equally short ones the binary one. Returns `text`. */
char *size_format(uint64_t bytes, char text[32]);
char *time_format(uint64_t ms, char text[32]);

/* For people: three significant digits ("1.23 GB", "417 MB"; powers of ten). Returns `text`. */
char *bytes_for_people(double bytes, char text[32]);

/* For people: the digits of a number in threes ("1,234,567"), at most 23 of them. Returns `text`. */
char *digits_for_people(const char *digits, char text[32]);
