/* What somebody may have meant: the nearest known name, also by the names that other products use. */
#pragma once

/* The one of `known` (NULL-ended) that `name` was probably meant to be; NULL if none is near. */
const char *nearest(const char *name, const char *const *known);
