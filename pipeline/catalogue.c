/* The catalogue: everything that can be configured, gathered from the registry and the tables here. */

#include "pipeline/catalogue.h"

#include "config/include.h"
#include "pipeline/plan.h"
#include "pipeline/registry.h"
#include "pipeline/trials.h"

static const char *const backends[] = { "auto", "uring", "epoll", NULL };
static const char *const when_full_words[] = { "block", "drop", NULL };

static const struct option admin_options[] = {
	OPTION(ADDRESS, struct admin_options, listen, .primary = true, .wildcard = true,
		.example = "127.0.0.1:9464",
		.doc = "Where metrics, health, status and the page are served, for reading only; "
		       "127.0.0.1:9464 if not given, and then a busy port is only warned of."),
	OPTION(STRING, struct admin_options, socket, .is_path = true,
		.example = "/run/viewduct/admin.sock",
		.doc = "A unix socket for the same, and for commands; if not given, "
		       "/run/viewduct/admin.sock, or viewduct.sock in $XDG_RUNTIME_DIR for who is "
		       "not root."),
	OPTION(BOOL, struct admin_options, allow_remote, .standard = "false",
		.doc = "Lets `listen` be an address that other machines can reach."),
	OPTION(BOOL, struct admin_options, enabled, .standard = "true",
		.doc = "With false the daemon cannot be asked; \"admin\": false says the same."),
	OPTIONS_END
};

const struct option service_options[] = {
	OPTION(SIZE, struct service, memory, .standard = "64MiB",
		.doc = "All of the memory: buffers, codec contexts and windows, staging, pattern "
		       "databases. A warning says where the machine, or the cgroup, has less."),
	OPTION(SIZE, struct service, buffer, .standard = "64KiB", .least = "16B", .most = "1MiB",
		.doc = "The size of one buffer of the pools."),
	OPTION(COUNT, struct service, workers, .standard = "0", .most = "256",
		.doc = "Threads; 0 is one a core that the daemon may use. Never more than there "
		       "are "
		       "pipelines and shards."),
	OPTION(CHOICE, struct service, io, .choices = backends,
		.doc = "How the kernel is asked: auto takes io_uring where there is one."),
	OPTION(TIME, struct service, drain, .standard = "8s", .most = "1d",
		.doc = "How long the sinks may take to write what was read when the daemon is told "
		       "to end."),
	OPTION_GROUP(struct service, admin, admin_options,
		.doc = "Where a running daemon can be asked how it does."),
	OPTIONS_END
};

const struct option pipeline_options[] = {
	OPTION(SIZE, struct pipeline_keys, memory, .least = "1KiB",
		.doc = "Memory of this pipeline's own; without it, it gets a share of the "
		       "service's."),
	OPTION(COUNT, struct pipeline_keys, shards, .standard = "1", .least = "1", .most = "256",
		.doc = "How often the pipeline runs side by side; the kernel divides connections "
		       "among them. Its sources must be sockets; the path of a file sink must "
		       "hold {shard}, which becomes a number from 0."),
	OPTIONS_END
};

#define NAME                                                                                       \
	OPTION(STRING, struct node_keys, name,                                                     \
		.doc = "The node's name in messages and metrics; without it, its place is.")
#define ENABLED                                                                                    \
	OPTION(BOOL, struct node_keys, enabled, .standard = "true",                                \
		.doc = "With false the node is checked, then left out.")

const struct option node_options[] = { NAME, ENABLED, OPTIONS_END };

#define WHEN_FULL                                                                                  \
	OPTION(CHOICE, struct node_keys, when_full, .choices = when_full_words,                    \
		.doc = "What happens when this branch does not keep up: block holds up the whole " \
		       "pipeline, drop lets go of its newest records, whole and counted.")

const struct option branch_options[] = { NAME, ENABLED, WHEN_FULL, OPTIONS_END };

/* What a branch has beside what every node has. */
static const struct option branch_only[] = { WHEN_FULL, OPTIONS_END };

static struct described describe(const struct node_type *type)
{
	return (struct described){ .name = type->name,
		.doc = type->doc,
		.options = type->options,
		.example = type->example };
}

const struct catalogue *plan_catalogue(void)
{
	static struct described sources[REGISTRY_MOST], stages[REGISTRY_MOST], sinks[REGISTRY_MOST];
	static const struct catalogue catalogue = { .sources = sources,
		.stages = stages,
		.sinks = sinks,
		.service = service_options,
		.pipeline = pipeline_options,
		.branch = branch_only,
		.configuration = include_options,
		.test = trial_options };
	struct described *next = sources;
	for (const char *const *name = registry_sources(); *name; name++)
		*next++ = describe(&registry_source(*name)->type);
	next = stages;
	for (const char *const *name = registry_stages(); *name; name++)
		*next++ = describe(&registry_stage(*name)->type);
	next = sinks;
	for (const char *const *name = registry_sinks(); *name; name++)
		*next++ = describe(&registry_sink(*name)->type);
	return &catalogue;
}
