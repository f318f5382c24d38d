/* The names of other products come first: they are known, not guessed. Then the edit distance decides. */
#include "config/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { NAME_MOST = 64 };

/* Names in Vector, Fluent Bit, rsyslog, syslog-ng, Logstash, Fluentd and HAProxy, and of common tools. A name may stand
 * for several of ours; the first one that is known where it was written is meant. */
static const struct {
	const char *theirs, *ours;
} elsewhere[] = {
	{ "grep", "filter" },
	{ "match", "filter" },
	{ "remap", "filter" },
	{ "drop", "filter" },
	{ "where", "filter" },
	{ "condition", "filter" },
	{ "route", "filter" },
	{ "tail", "file" },
	{ "in_tail", "file" },
	{ "imfile", "file" },
	{ "omfile", "file" },
	{ "files", "file" },
	{ "log", "file" },
	{ "blackhole", "null" },
	{ "devnull", "null" },
	{ "discard", "null" },
	{ "console", "stdout" },
	{ "print", "stdout" },
	{ "pipe", "stdin" },
	{ "socket", "tcp" },
	{ "imtcp", "tcp" },
	{ "imptcp", "tcp" },
	{ "omfwd", "tcp" },
	{ "forward", "tcp" },
	{ "network", "tcp" },
	{ "syslog", "tcp" },
	{ "imudp", "udp" },
	{ "imuxsock", "unix" },
	{ "unix_stream", "unix" },
	{ "unix_datagram", "unix" },
	{ "demo_logs", "generate" },
	{ "dummy", "generate" },
	{ "generator", "generate" },
	{ "framing", "split" },
	{ "parser", "split" },
	{ "multiline", "split" },
	{ "lines", "split" },
	{ "codec", "split" },
	{ "decoder", "split" },
	{ "decoding", "split" },
	{ "decode", "decompress" },
	{ "zip", "compress" },
	{ "compression", "compress" },
	{ "compression", "codec" },
	{ "algorithm", "codec" },
	{ "encoder", "compress" },
	{ "encoding", "compress" },
	{ "tee", "to" },
	{ "octet_counting", "octets" },
	{ "octet-counting", "octets" },
	{ "octet-counted", "octets" },
	{ "newline_delimited", "newline" },
	{ "line", "newline" },
	{ "lf", "newline" },
	{ "character_delimited", "delimiter" },
	{ "length_delimited", "length" },
	{ "varint_length_delimited", "varint" },
	{ "null", "nul" },
	{ "zero", "nul" },
	{ "gz", "gzip" },
	{ "zlib", "gzip" },
	{ "deflate", "gzip" },
	{ "zst", "zstd" },
	{ "zstandard", "zstd" },
	{ "address", "listen" },
	{ "address", "connect" },
	{ "bind", "listen" },
	{ "port", "listen" },
	{ "port", "connect" },
	{ "host", "connect" },
	{ "host", "listen" },
	{ "ip", "listen" },
	{ "target", "connect" },
	{ "target", "path" },
	{ "server", "connect" },
	{ "endpoint", "connect" },
	{ "upstream", "connect" },
	{ "maxconn", "max_connections" },
	{ "connection_limit", "max_connections" },
	{ "max_sessions", "max_connections" },
	{ "include", "path" },
	{ "paths", "path" },
	{ "files", "path" },
	{ "file", "path" },
	{ "filename", "path" },
	{ "ignore", "exclude" },
	{ "exclude_path", "exclude" },
	{ "mode", "on" },
	{ "mode", "codec" },
	{ "mode", "follow" },
	{ "method", "on" },
	{ "by", "on" },
	{ "separator", "delimiter" },
	{ "line_delimiter", "delimiter" },
	{ "character_delimited", "on" },
	{ "read_from", "start_at" },
	{ "read_from_head", "start_at" },
	{ "start_position", "start_at" },
	{ "beginning", "start" },
	{ "head", "start" },
	{ "max_length", "max_record" },
	{ "max_line_bytes", "max_record" },
	{ "max_line_size", "max_record" },
	{ "max_message_size", "max_record" },
	{ "buffer_max_size", "max_record" },
	{ "oversized", "too_long" },
	{ "cut", "truncate" },
	{ "discard", "drop" },
	{ "drop_newest", "drop" },
	{ "wait", "block" },
	{ "pattern", "regex" },
	{ "regexp", "regex" },
	{ "match", "regex" },
	{ "grep", "contains" },
	{ "include", "contains" },
	{ "substring", "contains" },
	{ "text", "contains" },
	{ "prefix", "starts_with" },
	{ "startswith", "starts_with" },
	{ "suffix", "ends_with" },
	{ "endswith", "ends_with" },
	{ "equal", "equals" },
	{ "eq", "equals" },
	{ "is", "equals" },
	{ "exact", "equals" },
	{ "icase", "ignore_case" },
	{ "case_insensitive", "ignore_case" },
	{ "invert", "not" },
	{ "exclude", "not" },
	{ "or", "any" },
	{ "and", "all" },
	{ "compression_level", "level" },
	{ "quality", "level" },
	{ "block_size", "frame" },
	{ "batch", "frame" },
	{ "sources", "from" },
	{ "source", "from" },
	{ "input", "from" },
	{ "inputs", "from" },
	{ "transforms", "stages" },
	{ "transform", "stages" },
	{ "filters", "stages" },
	{ "processors", "stages" },
	{ "steps", "stages" },
	{ "sinks", "to" },
	{ "sink", "to" },
	{ "output", "to" },
	{ "outputs", "to" },
	{ "destination", "to" },
	{ "pipeline", "pipelines" },
	{ "flows", "pipelines" },
	{ "global", "service" },
	{ "settings", "service" },
	{ "ram", "memory" },
	{ "mem", "memory" },
	{ "mem_buf_limit", "memory" },
	{ "buffer_size", "buffer" },
	{ "threads", "workers" },
	{ "backend", "io" },
	{ "data_dir", "state" },
	{ "storage", "state" },
	{ "grace", "drain" },
	{ "shutdown_timeout", "drain" },
	{ "graceful_shutdown", "drain" },
	{ "on_full", "when_full" },
	{ "overflow", "when_full" },
	{ "label", "name" },
	{ "id", "name" },
	{ "tag", "name" },
	{ "disabled", "enabled" },
	{ "enable", "enabled" },
	{ "overwrite", "append" },
	{ "truncate", "append" },
	{ "backoff", "retry" },
	{ "reconnect", "retry" },
	{ "initial", "first" },
	{ "-q", "--quiet" },
	{ "--silent", "--quiet" },
	{ "-v", "--log-level" },
	{ "--verbose", "--log-level" },
	{ "--debug", "--log-level" },
	{ "--level", "--log-level" },
	{ "-o", "--format" },
	{ "--output", "--format" },
	{ "--json", "--format" },
	{ "-n", "--count" },
	{ "validate", "check" },
	{ "verify", "check" },
	{ "start", "run" },
	{ "plan", "explain" },
	{ "min", "first" },
	{ "max", "most" },
};

static bool is_known(const char *name, const char *const *known)
{
	for (; *known != NULL; known++)
		if (strcmp(*known, name) == 0)
			return true;
	return false;
}

static const char *by_other_name(const char *name, const char *const *known)
{
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		if (strcasecmp(elsewhere[i].theirs, name) == 0 &&
			is_known(elsewhere[i].ours, known))
			return elsewhere[i].ours;
	return NULL;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Insertions, deletions, replacements and swapped neighbours, case aside: three rows of the usual table. */
static size_t distance(const char *left, const char *right)
{
	size_t rows[3][NAME_MOST + 1], size = strlen(right);
	for (size_t k = 0; k <= size; k++)
		rows[0][k] = k;
	for (size_t i = 1; left[i - 1] != '\0'; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t k = 1; k <= size; k++) {
			bool equal = same(left[i - 1], right[k - 1]);
			row[k] = smaller(smaller(above[k], row[k - 1]) + 1, above[k - 1] + !equal);
			if (i > 1 && k > 1 && same(left[i - 1], right[k - 2]) &&
				same(left[i - 2], right[k - 1]))
				row[k] = smaller(row[k], before[k - 2] + 1);
		}
	}
	return rows[strlen(left) % 3][size];
}

/* The longer the name, the more slips are taken for one; never so many that nothing of the known one is left. */
static size_t slips_allowed(size_t size)
{
	return size <= 3 ? 1 : size <= 7 ? 2 : 3;
}

static const char *by_distance(const char *name, const char *const *known)
{
	const char *best = NULL;
	size_t size = strlen(name), least = slips_allowed(size) + 1;
	for (; size <= NAME_MOST && *known != NULL; known++) {
		size_t known_size = strlen(*known);
		if (known_size > NAME_MOST)
			continue;
		size_t slips = distance(name, *known);
		if (slips < least && slips < known_size) {
			best = *known;
			least = slips;
		}
	}
	return best;
}

const char *nearest(const char *name, const char *const *known)
{
	const char *other = by_other_name(name, known);
	return other != NULL ? other : by_distance(name, known);
}
