/* Normal paths. */

#include "config/path.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Takes the last part off. */
static size_t shorten(const char *path, size_t size)
{
	while (size > 0 && path[--size] != '/')
		;
	return size;
}

/* Adds the parts of `path` to what is there. False if there is no room. */
static bool add(char normal[PATH_MAX], const char *path)
{
	size_t size = strlen(normal);
	for (; *path; path += *path == '/') {
		size_t length = strcspn(path, "/");
		if (size + length + 2 > PATH_MAX)
			return false;
		if (length == 2 && path[0] == '.' && path[1] == '.')
			size = shorten(normal, size);
		else if (length > 1 || (length == 1 && path[0] != '.'))
			size += (size_t)sprintf(normal + size, "/%.*s", (int)length, path);
		path += length;
	}
	normal[size] = '\0';
	return true;
}

bool path_normal(const char *path, char normal[PATH_MAX])
{
	char here[PATH_MAX];
	normal[0] = '\0';
	if (path[0] != '/' && getcwd(here, sizeof(here)) && !add(normal, here))
		return false;
	return add(normal, path);
}
