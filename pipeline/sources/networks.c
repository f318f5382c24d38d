/* Networks: see the header. */

#include "pipeline/sources/networks.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { MAPPED_BITS = 96, ADDRESS_BITS = 128 };

static struct in6_addr mapped(const struct in_addr *four)
{
	struct in6_addr six = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	six.s6_addr32[3] = four->s_addr;
	return six;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

/* An address, and how many bits it leaves out in front. */
static bool read_address(const char *text, struct in6_addr *address, uint32_t *before)
{
	struct in_addr four;

	*before = 0;
	if (inet_pton(AF_INET6, text, address) == 1)
		return true;
	if (inet_pton(AF_INET, text, &four) != 1)
		return false;
	*address = mapped(&four);
	*before = MAPPED_BITS;
	return true;
}

static bool read_bits(const char *text, uint32_t most, uint32_t *bits)
{
	size_t size = strlen(text);

	*bits = 0;
	if (size < 1 || size > 3 || strspn(text, "0123456789") != size)
		return false;
	for (; *text; text++)
		*bits = *bits * 10 + (uint32_t)(*text - '0');
	return *bits <= most;
}

static bool read_network(const char *text, struct network *network)
{
	char host[INET6_ADDRSTRLEN] = "";
	const char *slash = strchr(text, '/');
	size_t size = slash ? (size_t)(slash - text) : strlen(text);
	uint32_t before, bits;

	if (size >= sizeof(host))
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)size, text);
	if (!read_address(host, &network->address, &before))
		return false;
	bits = ADDRESS_BITS - before;
	if (slash && !read_bits(slash + 1, ADDRESS_BITS - before, &bits))
		return false;
	network->bits = before + bits;
	return true;
}

/* The address with all bits behind the network's cleared. */
static struct in6_addr first_address(const struct network *network)
{
	struct in6_addr first = network->address;

	for (uint32_t bit = network->bits; bit < ADDRESS_BITS; bit++)
		first.s6_addr[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	return first;
}

static bool is_four(const struct in6_addr *address)
{
	return IN6_IS_ADDR_V4MAPPED(address);
}

static const char *address_text(const struct in6_addr *address, char text[INET6_ADDRSTRLEN])
{
	if (is_four(address))
		return inet_ntop(AF_INET, &address->s6_addr32[3], text, INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET6, address, text, INET6_ADDRSTRLEN);
}

/* Bits that mean nothing are a slip: 10.0.0.1/8 is one host or ten million. */
static bool check_bits(
	const struct network *network, const struct value *value, struct faults *faults)
{
	struct in6_addr first = first_address(network);
	char text[INET6_ADDRSTRLEN], remedy[INET6_ADDRSTRLEN + 32];
	uint32_t before = is_four(&first) && network->bits >= MAPPED_BITS ? MAPPED_BITS : 0;

	if (memcmp(&first, &network->address, sizeof(first)) == 0)
		return true;
	snprintf(remedy, sizeof(remedy), "write \"%s/%u\"", address_text(&first, text),
		network->bits - before);
	return fault_at(faults, value, remedy,
		"the address for \"allow\" has bits behind those of its network");
}

static bool add(struct networks *networks, const char *text, const struct value *value,
	struct faults *faults)
{
	struct network network;

	if (value && value->unknown)
		return true;
	if (!read_network(text, &network))
		return fault_at(faults, value, "write \"192.168.0.0/16\", \"::1\" or the like",
			"what is given for \"allow\" is no address and no network");
	if (!check_bits(&network, value, faults))
		return false;
	networks->items[networks->count++] = network;
	return true;
}

bool networks_read(struct networks *networks, const struct strings *texts,
	const struct value *value, struct faults *faults)
{
	const struct value *item = value && value->kind == VALUE_LIST ? value->first : value;
	bool good = true;

	if (networks->known || texts->count == 0)
		return true;
	assert(value);
	networks->items =
		document_allocate(value->document, texts->count * sizeof(*networks->items));
	networks->count = 0;
	for (size_t i = 0; i < texts->count && item; i++, item = item->next)
		good = add(networks, texts->items[i], item, faults) && good;
	networks->known = good;
	return good;
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

static bool same_bits(const struct in6_addr *a, const struct in6_addr *b, uint32_t bits)
{
	uint32_t whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (a->s6_addr[whole] ^ b->s6_addr[whole]) >> (8 - rest) == 0;
}

static bool holds(const struct network *network, const struct in6_addr *peer)
{
	if (is_four(peer) && network->bits < MAPPED_BITS)
		return false;
	return same_bits(&network->address, peer, network->bits);
}

static bool peer_address(const struct sockaddr *peer, struct in6_addr *address)
{
	if (peer->sa_family == AF_INET6)
		*address = ((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr;
	else if (peer->sa_family == AF_INET)
		*address = mapped(&((const struct sockaddr_in *)(const void *)peer)->sin_addr);
	else
		return false;
	return true;
}

bool networks_hold(const struct networks *networks, const struct sockaddr *peer)
{
	struct in6_addr address;

	if (networks->count == 0)
		return true;
	if (!peer_address(peer, &address))
		return false;
	for (size_t i = 0; i < networks->count; i++)
		if (holds(&networks->items[i], &address))
			return true;
	return false;
}

const char *network_peer_text(const struct sockaddr *peer, char text[INET6_ADDRSTRLEN])
{
	struct in6_addr address;

	return peer_address(peer, &address) ? address_text(&address, text) : "?";
}
