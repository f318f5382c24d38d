/* Relaxing: from a pattern that PCRE2 judges to an expression that vectorscan can look for in a whole run.
 *
 * The two differ in what they see: PCRE2 sees one record, vectorscan many. So the expression is made weaker where they
 * could disagree: look-around is left out, atomic groups and possessive quantifiers become plain ones, captures are
 * forgotten. Whatever PCRE2 matches in a record alone, the expression matches at the same bytes of the run; what it
 * matches beyond that is only one more record to judge.
 *
 * Only what is known to mean the same on both sides is let through. The rest (`^ $ \A \z \Z \G \K`, backreferences,
 * recursion, conditions, verbs, free spacing, options that change in the middle, …) is not searched for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The expression, allocated, or NULL: the pattern is not one to search for (or there is no memory, which comes to the
 * same: each record is judged). The pattern must be one that PCRE2 compiles. */
char *relax_pattern(const char *pattern, size_t size);

/* An expression for plain bytes. Allocated; NULL without memory. */
char *relax_literal(const char *data, size_t size);
