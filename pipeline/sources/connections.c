/* Connections: see the header. */

#include "pipeline/sources/connections.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

bool connections_open(struct connections *connections, uint32_t limit)
{
	connections->slots = calloc(limit, sizeof(*connections->slots));
	connections->limit = limit;
	return connections->slots != NULL;
}

void connections_close(struct connections *connections)
{
	assert(connections->taken == 0);
	free(connections->slots);
	*connections = (struct connections){ 0 };
}

static struct connection *take_slot(struct connections *connections)
{
	struct connection *slot = connections->free;

	assert(!connections_full(connections));
	connections->taken++;
	if (!slot)
		return &connections->slots[connections->touched++];
	connections->free = slot->next_free;
	return slot;
}

struct connection *connection_begin(struct connections *connections, int fd)
{
	struct connection *connection = take_slot(connections);

	connection->table = connections;
	connection->open = true;
	connections->open++;
	inbox_watch(&connections->inbox, &connection->socket, fd);
	return connection;
}

static void gone(struct inbox_socket *socket)
{
	struct connection *connection = (struct connection *)socket;
	struct connections *connections = connection->table;

	close(socket->fd);
	connection->next_free = connections->free;
	connections->free = connection;
	connections->taken--;
	connections->gone(connections->owner);
}

void connection_leave(struct connection *connection)
{
	assert(connection->open);
	connection->open = false;
	connection->table->open--;
	inbox_forget(&connection->socket, gone);
}
