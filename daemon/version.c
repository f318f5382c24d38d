/* `viewduct version`. */
#include "daemon/version.h"

#include "daemon/print.h"
#include "pipeline/io/loop.h"
#include "pipeline/search/lanes.h"

#include <lz4frame.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <uv.h>
#include <zlib.h>
#include <zstd.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

const char version_number[] = VIEWDUCT_VERSION;

static void print_uring(FILE *out)
{
	const char *why = NULL;
	struct loop *loop = loop_create(LOOP_URING, &why);
	struct utsname system = { 0 };

	uname(&system);
	if (loop)
		fprintf(out, "io_uring    yes (Linux %s)\n", system.release);
	else
		fprintf(out, "io_uring    no: %s (Linux %s); epoll takes its place\n",
			why ? why : "refused", system.release);
	loop_destroy(loop);
}

static void print_pattern_engines(FILE *out)
{
	uint32_t jit = 0;
	char target[64] = "";

	pcre2_config(PCRE2_CONFIG_JIT, &jit);
	if (jit)
		pcre2_config(PCRE2_CONFIG_JITTARGET, target);
	fprintf(out, "patterns    PCRE2 %d.%d, JIT: %s\n", PCRE2_MAJOR, PCRE2_MINOR,
		jit ? target : "none");
}

enum exit_status version(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return print_text(NULL);
	fprintf(out, "viewduct %s\n\n", version_number);
	fprintf(out, "built with  %s\n", VIEWDUCT_BUILD);
	print_uring(out);
	print_pattern_engines(out);
	fprintf(out, "searching   SIMD: %s\n", lanes_name());
	fprintf(out, "codecs      zstd %s, zlib %s, lz4 frame %u; libuv %s\n", ZSTD_versionString(),
		zlibVersion(), LZ4F_getVersion(), uv_version_string());
	fclose(out);
	const enum exit_status status = print_text(text);
	free(text);
	return status;
}
