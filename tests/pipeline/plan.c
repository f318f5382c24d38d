/* What the planner refuses: each case is a whole configuration, and all that is said of it: line, column, pointer,
 * message, remedy. */

#include "pipeline/plan.h"

#include "tests/pipeline/kinds.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The configurations are written with ' for ". */
struct refusal {
	const char *text, *faults;
};

static const struct refusal refusals[] = {
	{ "{ }", "1:1 : there is no pipeline [write \"pipelines\": { \"main\": { \"from\": "
		 "\"stdin\", \"to\": \"stdout\" } }]\n" },
	{ "[ ]", "1:1 : a configuration is an object, not a list [write { \"pipelines\": … }]\n" },
	{ "{ 'pipelines': { } }", "1:16 /pipelines: there is no pipeline [write \"pipelines\": { "
				  "\"main\": { \"from\": \"stdin\", \"to\": \"stdout\" } }]\n" },
	{ "{ 'pipelines': [ ] }",
		"1:16 /pipelines: an object is due for \"pipelines\", not a list [write "
		"\"pipelines\": { \"main\": { \"from\": \"stdin\", \"to\": \"stdout\" } }]\n" },
	{ "{ 'pipeline': { 'p': { 'from': 'stdin', 'to': 'stdout' } } }",
		"1:1 : there is no pipeline [write \"pipelines\": { \"main\": { \"from\": "
		"\"stdin\", \"to\": \"stdout\" } }]\n"
		"1:3 /pipeline: unknown key \"pipeline\" in the configuration [write "
		"\"pipelines\"]\n" },
	{ "{ 'service': { 'workers': 257 },\n"
	  "  'pipelines': { 'p': { 'from': 'stdin', 'to': 'stdout' } } }",
		"1:27 /service/workers: \"workers\" must be at most 256, not 257 [write 256]\n" },
	{ "{ 'pipelines': { 'P 1': { 'from': 'stdin', 'to': 'stdout' } } }",
		"1:18 /pipelines/P 1: \"P 1\" is not a name [write it with a-z, 0-9, _ and -, a "
		"letter first]\n" },
	{ "{ 'pipelines': { 'p': 'stdin' } }",
		"1:23 /pipelines/p: an object is due for a pipeline, not a string [write { "
		"\"from\": …, \"to\": … }]\n" },
	{ "{ 'pipelines': { 'p': { 'to': 'stdout' } } }",
		"1:18 /pipelines/p: the pipeline \"p\" has no \"from\" [add \"from\": [ … ] with "
		"its sources]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin' } } }",
		"1:18 /pipelines/p: the pipeline \"p\" has no \"to\" [add \"to\": [ … ] with its "
		"sinks]\n" },
	{ "{ 'pipelines': { 'p': { 'from': [ ], 'to': 'stdout' } } }",
		"1:33 /pipelines/p/from: \"from\" is empty [name at least one source]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': [ ] } } }",
		"1:48 /pipelines/p/to: \"to\" is empty [name at least one sink]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': 'stdout', 'shards': 2 } } }",
		"1:48 /pipelines/p/to: several shards cannot share standard output [write to "
		"files, "
		"or leave \"shards\" out]\n"
		"1:68 /pipelines/p/shards: \"p.from.0\" can be read once only: a pipeline of "
		"several "
		"shards needs sources that are sockets [leave \"shards\" out, or read from "
		"sockets]\n" },
	{ "{ 'pipelines': { 'p': { 'from': { 'tcp': ':514' }, 'shards': 2,\n"
	  "  'stages': [ 'split' ], 'to': [ { 'file': 'a.log' }, { 'file': { 'path': "
	  "'b.{shard}.log' } } ] } } }",
		"2:44 /pipelines/p/to/0/file: several shards cannot share one file [put {shard} "
		"into the path]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'sinks': 'stdout', 'to': 'null' } } }",
		"1:42 /pipelines/p/sinks: unknown key \"sinks\" in a pipeline [write \"to\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'stages': 'split', 'to': 'stdout' } } }",
		"1:52 /pipelines/p/stages: a list is due for \"stages\", not a string [write [ … "
		"]]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'stages': [ 7 ], 'to': 'stdout' } } }",
		"1:54 /pipelines/p/stages/0: a stage is an object with its kind as key, or the "
		"bare name of one, not a number [write {\"split\": …}]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'stages': [ { } ], 'to': 'stdout' } } }",
		"1:54 /pipelines/p/stages/0: a stage has exactly one kind, and none was found "
		"[name one: \"split\", \"filter\", \"compress\", \"join\" or \"decompress\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': { } } } }",
		"1:48 /pipelines/p/to: a sink has exactly one kind, and none was found [name one: "
		"\"file\", \"tcp\", \"stdout\", \"null\", \"unix\" or \"udp\"; or \"to\", for a "
		"branch with "
		"branches]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': { 'when_full': 'block', 'stages': [ ] } "
	  "} } }",
		"1:48 /pipelines/p/to: a sink has exactly one kind, and none was found [name one: "
		"\"file\", \"tcp\", \"stdout\", \"null\", \"unix\" or \"udp\"; or \"to\", for a "
		"branch with "
		"branches]\n" },
	{ "{ 'pipelines': { 'p': { 'from': { 'stdin': { }, 'file': 'a.log' }, 'to': 'stdout' } } }",
		"1:49 /pipelines/p/from/file: a source has exactly one kind, and \"stdin\" and "
		"\"file\" were found [make two of them, each in braces of its own]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'tail', 'to': 'stdout' } } }",
		"1:33 /pipelines/p/from: \"tail\" is not a source [write \"file\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdout', 'to': 'stdout' } } }",
		"1:33 /pipelines/p/from: \"stdout\" is not a source [it is a sink in \"to\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': { 'tail': 'x.log' }, 'to': 'stdout' } } }",
		"1:35 /pipelines/p/from/tail: unknown key \"tail\" in a source [write "
		"\"file\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'stages': [ { 'split': 'newline' }, { 'grep': "
	  "'x' } ], 'to': 'stdout' } } }",
		"1:80 /pipelines/p/stages/1/grep: unknown key \"grep\" in a stage [write "
		"\"filter\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': 'blackhole' } } }",
		"1:48 /pipelines/p/to: \"blackhole\" is not a sink [write \"null\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': { 'split': 'newline' }, 'to': 'stdout' } } }",
		"1:35 /pipelines/p/from/split: \"split\" is not a source [it is a stage in "
		"\"stages\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': { 'file': 'a', 'compress': 'zstd' } } } "
	  "}",
		"1:63 /pipelines/p/to/compress: \"compress\" is not a sink [it is a stage in "
		"\"stages\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'stages': [ { 'file': 'a' } ], 'to': 'stdout' "
	  "} } }",
		"1:56 /pipelines/p/stages/0/file: \"file\" is not a stage [it is a source in "
		"\"from\", or a sink in \"to\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': { 'stdin': { }, 'when_full': 'drop' }, 'to': 'stdout' } "
	  "} }",
		"1:49 /pipelines/p/from/when_full: \"when_full\" is not a key of a source [it "
		"belongs to an item of \"to\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': { 'stdin': { }, 'to': 'stdout' }, 'to': 'stdout' } } }",
		"1:49 /pipelines/p/from/to: \"to\" is not a key of a source [it belongs to an item "
		"of \"to\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'stages': [ { 'split': 'newline', 'stages': [ "
	  "] } ], 'to': 'stdout' } } }",
		"1:76 /pipelines/p/stages/0/stages: \"stages\" is not a key of a stage [it belongs "
		"to an item of \"from\" or \"to\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': { 'file': 'a', 'nmae': 'b' } } } }",
		"1:63 /pipelines/p/to/nmae: unknown key \"nmae\" in a sink [write \"name\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': { 'tcp': { 'listen': ':514', 'tls': { } } , 'stages': [ "
	  "{ 'split': 'newline' } ] }, 'to': 'stdout' } } }",
		"1:62 /pipelines/p/from/tcp/tls: \"tls\" is not built in yet [put haproxy or "
		"stunnel in front]\n" },
	{ "{ 'pipelines': { 'p': { 'from': { 'tcp': ':514', 'tls': { } , 'stages': [ { 'split': "
	  "'newline' } ] }, 'to': 'stdout' } } }",
		"1:50 /pipelines/p/from/tls: \"tls\" is not built in yet [put haproxy or stunnel "
		"in front]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': { 'file': 'a', 'to': [ 'stdout' ] } } } "
	  "}",
		"1:63 /pipelines/p/to/to: a branch ends in a sink or in a \"to\", and both were "
		"found [put the sink into the list of \"to\", beside the others]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': { 'file': 'a', 'name': 'B' } } } }",
		"1:71 /pipelines/p/to/name: \"B\" is not a name [write it with a-z, 0-9, _ and -, "
		"a letter first]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': [ { 'file': 'a', 'name': 'b' }, { 'to': "
	  "'null', 'name': 'b' } ] } } }",
		"1:104 /pipelines/p/to/1/name: there are two branches with the name \"b\" [give "
		"one of them another \"name\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'stages': [ { 'split': 'newline', 'name': "
	  "'filter' }, { 'filter': 'x' } ], 'to': 'stdout' } } }",
		"1:96 /pipelines/p/stages/1: there are two nodes with the name \"p.filter\" [give "
		"one of them another \"name\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': [ { 'stdin': { }, 'name': 'a' }, { 'file': 'x', 'name': "
	  "'a' } ], 'stages': [ { 'split': 'newline' } ], 'to': 'stdout' } } }",
		"1:89 /pipelines/p/from/1/name: there are two nodes with the name \"p.from.a\" "
		"[give one of them another \"name\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': { 'stdin': { }, 'enabled': false }, 'to': 'stdout' } } "
	  "}",
		"1:33 /pipelines/p/from: every source of \"p\" is disabled [enable at least one of "
		"them]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': [ { 'stdout': { }, 'enabled': false } ] "
	  "} } }",
		"1:48 /pipelines/p/to: every branch of \"p.to\" is disabled [enable at least one "
		"of them]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'stages': [ { 'split': 'newline' }, { "
	  "'filter': '(', 'enabled': false } ], 'to': 'stdout' } } }",
		"1:90 /pipelines/p/stages/1/filter: a parenthesis is open [close it]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': { 'null': { }, 'when_full': 'drop' } } } "
	  "}",
		"1:76 /pipelines/p/to/when_full: only whole records can be dropped, but \"p.to.0\" "
		"gets bytes [put {\"split\": \"newline\"} into the pipeline's \"stages\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'stages': [ { 'filter': 'x' } ], 'to': "
	  "'stdout' } } }",
		"1:66 /pipelines/p/stages/0/filter: \"filter\" needs records, but gets bytes [put "
		"{\"split\": \"newline\"} before it]\n" },
	{ "{ 'pipelines': { 'p': { 'from': { 'tcp': ':514' }, 'stages': [ { 'filter': 'x' } ], "
	  "'to': 'stdout' } } }",
		"1:76 /pipelines/p/stages/0/filter: \"filter\" needs records, but gets bytes [put "
		"{\"split\": \"newline\"} before it]\n" },
	{ "{ 'pipelines': { 'p': { 'from': { 'tcp': ':514' }, 'stages': [ { 'compress': 'zstd' } "
	  "], 'to': 'stdout' } } }",
		"1:78 /pipelines/p/stages/0/compress: the bytes of up to 1024 streams would be "
		"mixed in \"compress\" [put {\"split\": \"newline\"} before it]\n" },
	{ "{ 'pipelines': { 'p': { 'from': { 'tcp': ':514' }, 'to': 'stdout' } } }",
		"1:58 /pipelines/p/to: the bytes of up to 1024 streams would be mixed in "
		"\"stdout\" [put {\"split\": \"newline\"} before it]\n" },
	{ "{ 'pipelines': { 'p': { 'from': [ 'stdin', { 'file': 'a' } ], 'to': [ 'stdout', { "
	  "'null': { }, 'stages': [ { 'split': 'newline' } ] } ] } } }",
		"1:71 /pipelines/p/to/0: the bytes of up to 2 streams would be mixed in \"stdout\" "
		"[put {\"split\": \"newline\"} before it]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'stages': [ { 'split': 'newline' }, { "
	  "'compress': 'zstd' }, { 'filter': 'x' } ], 'to': 'stdout' } } }",
		"1:114 /pipelines/p/stages/2/filter: \"filter\" stands behind \"p.compress\", "
		"whose frames only sinks can take [put it before what compresses]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'stages': [ { 'compress': 'zstd' }, { 'split': "
	  "'newline' } ], 'to': 'stdout' } } }",
		"1:89 /pipelines/p/stages/1/split: \"split\" stands behind \"p.compress\", whose "
		"frames only sinks can take [put it before what compresses]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'stages': [ { 'split': 'newline' }, { 'split': "
	  "'nul' } ], 'to': 'stdout' } } }",
		"1:89 /pipelines/p/stages/1/split: \"p.split\" gives records already [leave one of "
		"the two splits out]\n" },
	{ "{ 'pipelines': { 'p': { 'from': [ { 'stdin': { }, 'stages': [ { 'split': 'newline' } ] "
	  "}, { 'file': 'a' } ], 'to': 'stdout' } } }",
		"1:101 /pipelines/p/from/1/file: sources merge as records, but \"p.from.0.split\" "
		"gives records and \"p.from.1\" bytes [give each source that brings bytes its own "
		"\"stages\": [{\"split\": \"newline\"}]]\n" },
	{ "{ 'pipelines': { 'p': { 'from': [ { 'stdin': { }, 'stages': [ { 'split': 'newline' } ] "
	  "},\n"
	  "    { 'file': 'a', 'stages': [ { 'split': 'nul' } ] } ], 'to': 'stdout' } } }",
		"2:43 /pipelines/p/from/1/stages/0/split: \"p.from.0.split\" and "
		"\"p.from.1.split\" merge, but their records end differently [let both split in "
		"the same way]\n" },
	{ "{ 'pipelines': { 'p': { 'from': [ { 'stdin': { }, 'stages': [ { 'compress': 'zstd' } ] "
	  "},\n"
	  "    { 'file': 'a', 'stages': [ { 'compress': 'zstd' } ] } ], 'to': 'stdout' } } }",
		"2:46 /pipelines/p/from/1/stages/0/compress: sources merge as records, but "
		"\"p.from.1.compress\" gives frames [put it into the pipeline's \"stages\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': [ { 'tcp': ':514' },\n"
	  "    { 'tcp': '127.0.0.1:514' } ], 'stages': [ { 'split': 'newline' } ], 'to': 'stdout' "
	  "} } }",
		"2:14 /pipelines/p/from/1/tcp: \"p.from.0\" listens to this address already [give "
		"it another port, or have one source for both]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': 'stdout' } },\n"
	  "  'extra': 1 }",
		"2:3 /extra: unknown key \"extra\" in the configuration [known here: \"$schema\", "
		"\"service\", \"include\", \"pipelines\" or \"tests\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': [ { 'file': 'a/b' },\n"
	  "    { 'file': './a//c/../b' } ] } } }",
		"2:15 /pipelines/p/to/1/file: \"p.to.0\" writes to this file already [give it "
		"another path, or have one sink for both]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'stages': [ { 'spilt': 'newline' }, { "
	  "'filter': '(' } ], 'to': { 'file': { } } } } }",
		"1:56 /pipelines/p/stages/0/spilt: unknown key \"spilt\" in a stage [write "
		"\"split\"]\n"
		"1:90 /pipelines/p/stages/1/filter: a parenthesis is open [close it]\n"
		"1:115 /pipelines/p/to/file: \"path\" is missing in file [add \"path\": "
		"\"/var/log/app.log\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'memory': '1MiB', 'to': 'stdout' } } }",
		"1:52 /pipelines/p/memory: memory does not suffice: \"p\" needs 32 buffers of "
		"64KiB, and gets 15 [write \"2304KiB\"]\n" },
	{ "{ 'service': { 'memory': '1MiB' },\n"
	  "  'pipelines': { 'p': { 'from': 'stdin', 'to': 'stdout' } } }",
		"1:26 /service/memory: memory does not suffice: \"p\" needs 32 buffers of 64KiB, "
		"and gets 13 [write \"2560KiB\"]\n" },
	{ "{ 'service': { 'buffer': '1MiB' },\n"
	  "  'pipelines': { 'p': { 'from': 'stdin', 'stages': [ { 'split': { 'max_record': '64MiB' "
	  "} } ], 'to': 'stdout' } } }",
		"2:23 /pipelines/p: memory does not suffice: \"p\" needs 264 buffers of 1MiB for "
		"records of up to 64MiB, and gets 55 [write \"service\": { \"memory\": \"320MiB\" "
		"}]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'memory': '128MiB', 'to': 'stdout' } } }",
		"1:16 /pipelines: the pipelines' own memory is 128MiB, and the service's is 64MiB "
		"[write \"service\": { \"memory\": \"128MiB\" }]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'memory': '63MiB', 'to': 'stdout' },\n"
	  "  'q': { 'from': 'input', 'to': 'null' } } }",
		"2:8 /pipelines/q: memory does not suffice: \"q\" needs 32 buffers of 64KiB, and "
		"gets 13 [write \"service\": { \"memory\": \"72MiB\" }]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': [ 'stdout',\n"
	  "    { 'stages': [ ], 'to': [ ] } ] } } }",
		"2:28 /pipelines/p/to/1/to: \"to\" is empty [name at least one sink]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': [ 'stdout',\n"
	  "    { 'to': [ { 'null': { }, 'when_full': 'drop' } ] } ] } } }",
		"2:43 /pipelines/p/to/1/to/0/when_full: only whole records can be dropped, but "
		"\"p.to.1.to.0\" gets bytes [put {\"split\": \"newline\"} into the pipeline's "
		"\"stages\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'stages': [ { 'split': 'newline' } ],\n"
	  "  'to': { 'to': { 'null': { }, 'stages': [ { 'compress': 'zstd' }, { 'filter': 'x' } ] "
	  "} } } } }",
		"2:80 /pipelines/p/to/to/stages/1/filter: \"filter\" stands behind "
		"\"p.to.0.to.0.compress\", whose frames only sinks can take [put it before what "
		"compresses]\n" },
	{ "{ 'pipelines': { 'p': { 'from': [ { 'file': 'a', 'stages': [ { 'filter': 'x' } ] } ], "
	  "'to': 'stdout' } } }",
		"1:74 /pipelines/p/from/0/stages/0/filter: \"filter\" needs records, but gets "
		"bytes [put {\"split\": \"newline\"} before it]\n" },
	{ "{ 'pipelines': { 'p': { 'from': { 'tcp': '127.0.0.1:514' }, 'stages': [ { 'split': "
	  "'newline' } ], 'to': 'stdout' },\n"
	  "  'q': { 'from': { 'tcp': { 'listen': '0.0.0.0:514' } }, 'stages': [ { 'split': "
	  "'newline' } ], 'to': 'null' } } }",
		"2:39 /pipelines/q/from/tcp/listen: \"p.from.0\" listens to this address already "
		"[give it another port, or have one source for both]\n" },
	{ "{ 'pipelines': { 'p': { 'from': { 'tcp': 'systemd:a' }, 'stages': [ 'split' ], 'to': "
	  "'null' },\n"
	  "  'q': { 'from': { 'unix': { 'listen': 'systemd:a' } }, 'stages': [ 'split' ], 'to': "
	  "'null' },\n"
	  "  'r': { 'from': { 'udp': 'systemd:b' }, 'stages': [ 'split' ], 'to': 'null' },\n"
	  "  's': { 'from': { 'unix': 'systemd:c' }, 'stages': [ 'split' ], 'to': 'null' },\n"
	  "  't': { 'from': { 'unix': 'systemd:c' }, 'stages': [ 'split' ], 'to': 'null' },\n"
	  "  'u': { 'from': { 'unix': './systemd:c' }, 'stages': [ 'split' ], 'to': 'null' } } }",
		"2:40 /pipelines/q/from/unix/listen: \"p.from.0\" listens on the sockets of this "
		"name already [give it the name of another .socket unit, or have one source for "
		"both]\n"
		"5:28 /pipelines/t/from/unix: \"s.from.0\" listens on the sockets of this name "
		"already [give it the name of another .socket unit, or have one source for "
		"both]\n" },
	{ "{ 'pipelines': { 'p': { 'from': { 'unix': { 'listen': 'systemd:a', 'mode': '0600' } }, "
	  "'to': 'null' } } }",
		"1:76 /pipelines/p/from/unix/mode: \"mode\" cannot be set for a socket that the "
		"service manager made [leave it out, and set SocketMode= in the .socket unit]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': { 'file': '/var/a' } },\n"
	  "  'q': { 'from': 'input', 'to': { 'file': { 'path': '/var//b/../a' } } } } }",
		"2:53 /pipelines/q/to/file/path: \"p.to.0\" writes to this file already [give it "
		"another path, or have one sink for both]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': 'stdout' },\n"
	  "  'q': { 'from': 'stdin', 'to': 'stdout' } } }",
		"2:18 /pipelines/q/from: \"p.from.0\" is \"stdin\" already [have one source for "
		"both]\n"
		"2:33 /pipelines/q/to: \"p.to.0\" is \"stdout\" already [have one sink for both, "
		"or "
		"write to files]\n" },
	{ "{ 'service': { 'memory': '9MiB', 'buffer': '64KiB' },\n"
	  "  'pipelines': {\n"
	  "  'p': { 'from': 'stdin', 'to': 'stdout' },\n"
	  "  'q': { 'from': 'input', 'stages': [ { 'split': { 'max_record': '2MiB' } } ], 'to': "
	  "'null' } } }",
		"1:26 /service/memory: memory does not suffice: \"q\" needs 136 buffers of 64KiB "
		"for records of up to 2MiB, and gets 62 [write \"20MiB\"]\n" },
	{ "{ 'pipelines': { 'p': { 'from': 'stdin', 'stages': [ { 'split': 'newline' }, { "
	  "'filter': 'x', 'name': 'to' } ],\n"
	  "  'to': [ 'stdout', 'null' ] } } }",
		"2:9 /pipelines/p/to: there are two nodes with the name \"p.to\" [give one of them "
		"another \"name\"]\n" },
};

static char *told(const struct faults *faults)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->items[i];
		fprintf(out, "%u:%u %s: %s [%s]\n", fault->line, fault->column, fault->pointer,
			fault->message, fault->remedy ? fault->remedy : "");
	}
	fclose(out);
	return text;
}

Test(plan, refuses_with_place_and_remedy, .init = kinds_add)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct planned planned;
		kinds_plan(&planned, refusals[i].text);
		char *faults = told(&planned.faults);
		cr_expect_null(planned.plan, "%s", refusals[i].text);
		cr_expect_str_eq(faults, refusals[i].faults, "%s\ntold:\n%sexpected:\n%s",
			refusals[i].text, faults, refusals[i].faults);
		free(faults);
		kinds_close(&planned);
	}
}

Test(plan, closes_a_node_once, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned, "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': 'stdout',"
				  "'stages': [ 'split', { 'filter': 'x' } ] } } }");
	plan_close_node(kinds_node(&planned, "p.filter"));
	plan_close_node(kinds_node(&planned, "p.filter"));
	kinds_close(&planned);
}

Test(plan, refuses_even_what_is_right_in_a_document_that_is_wrong, .init = kinds_add)
{
	struct planned planned;
	kinds_plan(&planned, "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': { 'file': "
			     "'${NOT_SET_ANYWHERE}' } } } }");
	cr_expect_null(planned.plan);
	cr_expect_eq(planned.faults.errors, 1);
	kinds_close(&planned);
}

Test(plan, accepts_what_is_not_resolved_where_a_word_may_stand, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_unresolved(&planned, "{ 'pipelines': { 'p': { 'from': '${IN}', 'stages': [ "
					"'split', { 'filter': '${WHAT}' } ],"
					"'memory': '${SIZE}', 'to': [ { 'file': '${OUT}' }, { "
					"'tcp': '${HOST}:1' } ] } } }");
	cr_expect_not_null(planned.plan);
	cr_expect_eq(planned.faults.count, 0);
	kinds_close(&planned);
	kinds_plan_unresolved(&planned, "{ 'pipelines': '${ALL}' }");
	cr_expect_null(planned.plan);
	cr_expect_eq(planned.faults.errors, 1);
	kinds_close(&planned);
}

Test(plan, keeps_the_service_as_it_is_written, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned, "{ '$schema': 'viewduct.schema.json', '//': 'x',"
				  "'service': { 'memory': '20MiB', 'buffer': '4KiB', 'io': "
				  "'epoll', 'drain': '1.5s' },"
				  "'pipelines': { 'p': { 'from': 'stdin', 'to': 'stdout' } } }");
	cr_expect_eq(planned.plan->service.memory, 20 << 20);
	cr_expect_eq(planned.plan->service.buffer, 4096);
	cr_expect_eq(planned.plan->service.drain, 1500);
	cr_expect_eq(planned.plan->service.io, 2);
	kinds_close(&planned);
}

Test(plan, has_the_service_that_is_usual, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned, "{ 'pipelines': { 'p': { 'from': 'stdin', 'to': 'stdout' } } }");
	cr_expect_eq(planned.plan->service.memory, 64 << 20);
	cr_expect_eq(planned.plan->service.buffer, 64 << 10);
	cr_expect_eq(planned.plan->service.drain, 8000);
	cr_expect_eq(planned.plan->service.io, 0);
	kinds_close(&planned);
}

Test(plan, passes_records_on_unchanged)
{
	const struct framing nul = { .delimiter = "", .delimiter_size = 1 };
	const struct shape in = {
		.kind = FLOW_RECORDS, .framing = &nul, .max_record = 100, .most_views = 33
	};
	struct shape out = { 0 };
	struct faults faults = { 0 };
	struct node node = { .type = &(const struct node_type){ .name = "any" } };
	cr_assert(plan_records_to_records(&node, &in, &out, &faults));
	cr_expect_eq(out.framing, &nul);
	cr_expect_eq(out.max_record, 100);
	cr_expect_eq(out.most_views, 33);
	cr_expect_not(plan_records_to_records(
		&node, &(const struct shape){ .kind = FLOW_FRAMES }, &out, &faults));
	cr_expect_str_eq(faults.items[0].message, "\"any\" needs records, but gets frames");
	faults_close(&faults);
}

static const struct described *find(const struct described *list, const char *name)
{
	while (list->name && strcmp(list->name, name) != 0)
		list++;
	return list->name ? list : NULL;
}

Test(plan, catalogues_every_kind)
{
	const struct catalogue *catalogue = plan_catalogue();
	cr_expect(find(catalogue->sources, "tcp") && find(catalogue->sources, "stdin"));
	cr_expect(find(catalogue->stages, "split") && find(catalogue->stages, "compress"));
	cr_expect(find(catalogue->sinks, "null") && find(catalogue->sinks, "stdout"));
	cr_expect_null(find(catalogue->stages, "tcp"));
	kinds_add();
	catalogue = plan_catalogue();
	cr_expect_str_eq(find(catalogue->stages, "filter")->options[0].name, "contains");
	cr_expect_str_eq(catalogue->service[1].name, "buffer");
	cr_expect_str_eq(catalogue->pipeline[0].name, "memory");
	cr_expect_str_eq(catalogue->branch[0].name, "when_full");
}

Test(plan, runs_a_pipeline_as_often_as_it_has_shards, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned,
		"{ 'service': { 'workers': 2 }, 'pipelines': {"
		"  'a': { 'from': { 'tcp': ':514' }, 'shards': 3, 'memory': '12MiB',"
		"    'stages': [ 'split' ], 'to': { 'file': 'a.{shard}.log' } },"
		"  'b': { 'from': 'stdin', 'to': 'stdout' } } }");
	const struct plan *plan = planned.plan;
	cr_assert_eq(plan->count, 4);
	cr_expect_eq(plan->workers, 2);
	for (uint32_t i = 0; i < 3; i++) {
		const struct pipeline *pipeline = plan->pipelines[i];
		char path[32];
		snprintf(path, sizeof(path), "a.%u.log", i);
		cr_expect_str_eq(pipeline->name, "a");
		cr_expect_eq(pipeline->shard, i);
		cr_expect_eq(pipeline->shards, 3);
		cr_expect_eq(pipeline->memory, 4 << 20);
		cr_expect_eq(pipeline->worker, i % 2);
		cr_expect_str_eq(*(const char **)pipeline->nodes[2]->state, path);
	}
	cr_expect_eq(plan->pipelines[3]->shards, 1);
	kinds_close(&planned);
}

Test(plan, shards_have_their_number_wherever_it_is_asked_for, .init = kinds_add)
{
	struct planned planned;
	kinds_plan_well(&planned,
		"{ 'pipelines': { 'a': { 'from': { 'tcp': ':514' }, 'shards': 2,"
		"    'stages': [ 'split' ], 'to': { 'file': '{shard}/a.{shard}.log' } },"
		"  'b': { 'from': 'stdin', 'stages': [ 'split' ], 'to': { 'file': 'b.{shard}.log' "
		"} } } }");
	static const char *const paths[] = { "0/a.0.log", "1/a.1.log", "b.0.log" };
	const struct plan *plan = planned.plan;
	cr_assert_eq(plan->count, 3);
	for (size_t i = 0; i < 3; i++)
		cr_expect_str_eq(*(const char **)plan->pipelines[i]->nodes[2]->state, paths[i]);
	kinds_close(&planned);
}
