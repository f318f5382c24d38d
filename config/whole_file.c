/* The size of a file is not asked for: pipes have none, and those of files in /proc and /run are not true. */
#include "config/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static ssize_t read_once(int descriptor, char *into, size_t size)
{
	ssize_t got;
	do
		got = read(descriptor, into, size);
	while (got < 0 && errno == EINTR);
	return got;
}

struct gathered {
	char *data;
	size_t size, room;
};

static bool make_room(struct gathered *gathered, size_t most)
{
	if (gathered->size < gathered->room)
		return true;
	if (gathered->room > most) {
		errno = EFBIG;
		return false;
	}
	size_t room = gathered->room == 0 ? 4096 : gathered->room * 2;
	room = room > most ? most + 1 : room;
	char *data = realloc(gathered->data, room);
	if (data == NULL)
		return false;
	gathered->data = data;
	gathered->room = room;
	return true;
}

/* The room is one byte more than what is allowed: who fills it holds too much. */
static bool gather(int descriptor, size_t most, struct gathered *gathered)
{
	for (;;) {
		if (!make_room(gathered, most))
			return false;
		ssize_t got = read_once(descriptor, gathered->data + gathered->size,
			gathered->room - gathered->size);
		if (got <= 0)
			return got == 0;
		gathered->size += (size_t)got;
	}
}

bool whole_file_take(struct arena *arena, int descriptor, size_t most, char **text, size_t *size)
{
	struct gathered gathered = { 0 };
	bool good = gather(descriptor, most, &gathered);
	int error = errno;
	if (good) {
		*text = arena_copy(arena, gathered.data, gathered.size);
		*size = gathered.size;
	}
	free(gathered.data);
	errno = error;
	return good;
}

bool whole_file_read(struct arena *arena, const char *path, size_t most, char **text, size_t *size)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return false;
	bool good = whole_file_take(arena, descriptor, most, text, size);
	int error = errno;
	close(descriptor);
	errno = error;
	return good;
}
