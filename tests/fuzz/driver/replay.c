/* Replays files through a fuzz target, for compilers without libFuzzer: TARGET FILE|FOLDER…
 *
 * A target is one file in tests/fuzz with LLVMFuzzerTestOneInput(); it ends the process when a promise is broken.
 */

#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 20 };

/* From an allocation of the input's own size, so that a sanitizer sees reads beyond it. */
static int replay_file(const char *path)
{
	static uint8_t all[MOST];
	FILE *file = fopen(path, "rb");

	if (!file) {
		perror(path);
		return 1;
	}
	size_t size = fread(all, 1, sizeof(all), file);
	uint8_t *data = malloc(size ? size : 1);
	int failed = ferror(file) || !data;
	fclose(file);
	for (size_t i = 0; !failed && i < size; i++)
		data[i] = all[i];
	fprintf(stderr, "replay: %s\n", path);
	if (!failed)
		LLVMFuzzerTestOneInput(data, size);
	free(data);
	return failed;
}

static int replay_folder(const char *path, unsigned *count)
{
	struct dirent **entries;
	int found = scandir(path, &entries, NULL, alphasort), failed = found < 0;

	for (int i = 0; i < found; i++) {
		char inner[PATH_MAX];
		snprintf(inner, sizeof(inner), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.') {
			failed |= replay_file(inner);
			++*count;
		}
		free(entries[i]);
	}
	if (found >= 0)
		free(entries);
	return failed;
}

int main(int count, char **arguments)
{
	unsigned replayed = 0;
	int failed = 0;

	for (int i = 1; i < count; i++) {
		struct stat status;
		if (stat(arguments[i], &status) == 0 && S_ISDIR(status.st_mode)) {
			failed |= replay_folder(arguments[i], &replayed);
		} else {
			failed |= replay_file(arguments[i]);
			replayed++;
		}
	}
	if (replayed == 0)
		fprintf(stderr, "%s: nothing to replay\n", arguments[0]);
	return failed || replayed == 0;
}
