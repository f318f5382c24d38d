/* viewduct.json(5): the configuration as a manual page. */
#include "config/describe.h"

#include "config/describe_option.h"
#include "config/describe_sections.h"
#include "config/memory.h"
#include "config/roff.h"

#include <ctype.h>
#include <stdlib.h>

static const char *const introduction[] = {
	"The configuration of `viewduct`(1) is one object in JSON. Data flows as it is read: from "
	"the sources of a pipeline (`from`) through its `stages` to its sinks (`to`).",
	"A key that begins with `//` is a comment, in every object, any number of times. A source, "
	"stage or sink is an object with its kind as key, and beside it `name` and `enabled`; a "
	"kind that needs no option may be its bare name. The option that may stand alone may be "
	"given in place of the object of options. Of listed values the first is the default.",
	"Of `to`, each item is a sink or a branch: an object with `stages` of its own, and with "
	"`to` in place of a sink if it has branches itself. Of `from`, each item may have `stages` "
	"of its own. Every branch sees every record.",
	NULL,
};

static const char *const values[] = {
	"Sizes have a unit (B, KB, MB, GB, KiB, MiB or GiB), and so have times (ms, s, m, h or d). "
	"Where bytes are due, `{\"hex\": \"0d0a\"}` may stand for a string, and where a list of "
	"them is due, `{\"$lines\": \"FILE\"}` for the lines of a file.",
	"In strings, `${NAME}`, `${NAME:-default}` and `${NAME:?message}` stand for variables of "
	"the environment, and `$$` for a dollar sign. `{\"$file\": \"PATH\"}` and "
	"`{\"$credential\": \"NAME\"}` stand for a string that a file or a credential of systemd "
	"holds; it is never printed.",
	"Paths that nodes name start at the working directory; those of `$lines`, `$file` and "
	"`include` at the directory of the file in which they are written.",
	NULL,
};

static const char example[] =
	"{\n"
	"  \"pipelines\": {\n"
	"    \"errors\": {\n"
	"      \"from\": { \"tcp\": \"127.0.0.1:5140\" },\n"
	"      \"stages\": [ { \"split\": \"newline\" }, { \"filter\": \"ERROR\" } ],\n"
	"      \"to\": { \"file\": \"errors.log\" }\n"
	"    }\n"
	"  },\n"
	"  \"tests\": [\n"
	"    { \"name\": \"errors pass\", \"pipeline\": \"errors\",\n"
	"      \"in\": [ \"fine\\nan ERR\", \"OR\\n\" ],\n"
	"      \"out\": { \"errors.to.0\": [ \"an ERROR\\n\" ] } }\n"
	"  ]\n"
	"}\n";

static void print_paragraphs(FILE *out, const char *const *paragraphs)
{
	for (; *paragraphs != NULL; paragraphs++) {
		fputs(".PP\n", out);
		roff_line(out, *paragraphs);
	}
}

static void print_option(FILE *out, const struct listed *listed)
{
	char *takes = describe_takes(listed, ""), *standard = describe_default(listed->option);
	fputs(".TP\n\\fB", out);
	roff_text(out, listed->name);
	fputs("\\fR: ", out);
	roff_text(out, takes);
	fputs(standard[0] == '\0' ? "" : " [", out);
	roff_text(out, standard);
	fputs(standard[0] == '\0' ? "\n" : "]\n", out);
	if (listed->option->primary)
		roff_line(out, "May stand alone.");
	roff_line(out, listed->option->doc == NULL ? "" : listed->option->doc);
	free(takes);
	free(standard);
}

static void print_options(FILE *out, const struct option *table)
{
	describe_options(out, table, print_option);
}

/* In capitals, without the marks of keys. */
static void print_title(FILE *out, const char *title)
{
	fputs(".SH ", out);
	for (; *title != '\0'; title++)
		if (*title != '`')
			fputc(toupper((unsigned char)*title), out);
	fputc('\n', out);
}

static void print_kind(FILE *out, const struct described *kind)
{
	char *sample = describe_example(kind);
	fprintf(out, ".SS %s\n", kind->name);
	roff_line(out, kind->doc == NULL ? "" : kind->doc);
	print_options(out, kind->options);
	fputs(".PP\n.RS 4\n.nf\n", out);
	roff_line(out, sample);
	fputs(".fi\n.RE\n", out);
	free(sample);
}

static void print_list(FILE *out, const char *name, const char *doc)
{
	fprintf(out, ".TP\n\\fB%s\\fR: required\n", name);
	roff_line(out, doc);
}

static void print_test(FILE *out, const struct option *table)
{
	print_title(out, "An item of `tests`");
	print_options(out, table);
	print_list(out, "in", DESCRIBE_TEST_IN);
	print_list(out, "out", DESCRIBE_TEST_OUT);
}

static const struct describe_form page = {
	.title = print_title,
	.options = print_options,
	.kind = print_kind,
	.test = print_test,
};

char *describe_manual(const struct catalogue *catalogue)
{
	char *text;
	size_t size;
	FILE *out = memory_text_open(&text, &size);
	fputs(".\\\" Made by `make docs` from the option tables.\n"
	      ".TH VIEWDUCT.JSON 5 \"\" viewduct \"File Formats\"\n"
	      ".SH NAME\nviewduct.json \\- the configuration of viewduct\n"
	      ".SH DESCRIPTION\n",
		out);
	print_paragraphs(out, introduction);
	fputs(".SH VALUES\n", out);
	print_paragraphs(out, values);
	describe_sections(out, catalogue, &page);
	fputs(".SH EXAMPLE\n", out);
	roff_example(out, example);
	fputs(".SH FILES\n.TP\n/etc/viewduct/viewduct.json\nWhere no other file is named.\n"
	      ".SH SEE ALSO\n.BR viewduct (1)\n",
		out);
	memory_text_close(out);
	return text;
}
