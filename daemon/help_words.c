/* What each command does, and what each option means: for viewduct(1) and for the help on one command. */
#include "daemon/help.h"

#include <string.h>

struct told {
	const char *name, *text;
};

static const struct told commands[] = {
	{ "run", "Runs the daemon in the foreground. It ends by itself when every source has "
		 "ended." },
	{ "check", "Says everything that is wrong with a configuration, each fault with its place "
		   "and what to write instead. Opens nothing that pipelines name. Prints nothing "
		   "where all is well." },
	{ "explain", "Shows the plan: backend, threads and memory, and for each node what it does, "
		     "what it copies, and which sink may hold up which other." },
	{ "schema", "Prints the JSON Schema of the configuration, for editors." },
	{ "list", "Lists sources, stages and sinks; or the options of one kind, with their "
		  "defaults and an example; or those of `service`, `pipeline`, `branch` or "
		  "`tests`." },
	{ "test", "Runs the `tests` of a configuration, without opening a source or sink: what "
		  "comes to the sinks is compared with what is due, before it is compressed, and "
		  "what differs is shown. No real time passes: behind the last input all timers "
		  "have passed." },
	{ "status", "Tells how a running daemon does." },
	{ "top", "Shows how a running daemon does, and goes on." },
	{ "tap", "Shows a sample of what leaves a node of a running daemon, or enters a sink." },
	{ "reload", "Lets a running daemon take its changed configuration." },
	{ "reopen", "Lets a running daemon close and reopen the files of its sinks." },
	{ "health", "Asks a running daemon whether it is alive." },
	{ "version", "Prints the version, how it was built, and what this machine offers." },
	{ "help", "Prints a short help, or what one command does and takes; as `roff` the manual "
		  "page, as `bash` what completes command lines." },
	{ NULL, NULL },
};

static const struct told options[] = {
	{ "--log-level", "The least important events that are logged." },
	{ "--log-format", "How events, faults and the summary are written." },
	{ "--quiet", "Prints no summary at the end." },
	{ "--no-env", "Leaves variables and secrets unresolved." },
	{ "--format", "How the output is written." },
	{ "--graph", "Prints a graph instead: in the language of Graphviz, or as a flowchart of "
		     "Mermaid." },
	{ "--admin", "Where the daemon is asked: an address, or the path of its socket; else "
		     "`$VIEWDUCT_ADMIN`, the configuration's, or the usual ones." },
	{ "--config", "The configuration that says where the daemon is asked, instead of the usual "
		      "one." },
	{ "--ready", "Asks whether it is ready, and not only alive." },
	{ "--grep", "Only what contains this." },
	{ "--count", "Ends after so many." },
	{ "--raw", "As it is, byte by byte." },
	{ "--all", "Everything, and not at most 100 a second." },
	{ NULL, NULL },
};

static const char *text_of(const struct told *told, const char *name)
{
	while (told->name && strcmp(told->name, name) != 0)
		told++;
	return told->text;
}

const char *help_of_command(const char *verb)
{
	return text_of(commands, verb);
}

const char *help_of_option(const char *name)
{
	return text_of(options, name);
}
